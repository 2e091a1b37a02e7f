"""Writes src/policy/plans.txt and src/policy/zones.txt from libphonenumber's data, as the package
`phonenumbers` for Python carries it, and this machine's zone.tab.

Run as `python3 tests/peers/number_plans.py` with that package installed; commit what changes.
"""

import datetime
import functools
import pathlib
import zoneinfo

import phonenumbers
import phonenumbers.shortnumberinfo
from phonenumbers import PhoneMetadata
from phonenumbers.tzdata import TIMEZONE_DATA

POLICY = pathlib.Path(__file__).parents[2] / "src/policy"
ORDINARY = ["fixed_line", "mobile", "toll_free", "voip", "uan", "voicemail"]
COSTLY = ["premium_rate", "shared_cost", "personal_number", "pager"]
# Only the freephone numbers among those of no country cost what a call costs.
FREEPHONE = 800
# Which zones stand for those that behave as they do.
KNOWN = ["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
         "Europe/London", "Europe/Paris", "Europe/Berlin", "Europe/Moscow"]


def pattern(meta, kinds):
    found = [getattr(meta, kind) for kind in kinds]
    found = [desc.national_number_pattern for desc in found if desc]
    return "|".join(dict.fromkeys(one for one in found if one and one != "NA")) or "-"


def plan(region, meta, costly_only=False):
    ordinary, costly = pattern(meta, ORDINARY), pattern(meta, COSTLY)
    if costly_only:
        ordinary, costly = "-", "|".join(one for one in (ordinary, costly) if one != "-")
    short = PhoneMetadata.short_metadata_for_region(region)
    emergency = pattern(short, ["emergency"]) if short else "-"
    return [region, str(meta.country_code), meta.leading_digits or "-", ordinary, costly, emergency]


def plans():
    for code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        for region in regions:
            if region == "001":
                yield plan("001", PhoneMetadata.metadata_for_nongeo_region(code), code != FREEPHONE)
            else:
                yield plan(region, PhoneMetadata.metadata_for_region(region))


@functools.cache
def behaviour(zone):
    at, day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(days=3)
    return tuple((at + n * day).astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for n in range(480))


def representatives(zones):
    found = {}
    for zone in sorted(zones, key=lambda zone: (zone not in KNOWN, zone)):
        found.setdefault(behaviour(zone), zone)
    return sorted(found.values())


def zones():
    # Deeper than an area code nothing is told apart: what lies below is united.
    depth = lambda prefix: 4 if prefix.startswith("1") else 5
    united = {}
    for prefix, of in TIMEZONE_DATA.items():
        united.setdefault(prefix[:depth(prefix)], set()).update(of)
    for prefix in united:
        above = [prefix[:n] for n in range(len(prefix) - 1, 0, -1) if prefix[:n] in TIMEZONE_DATA]
        if prefix not in TIMEZONE_DATA and above and above[0] != "1":
            united[prefix].update(TIMEZONE_DATA[above[0]])
    # Of a number of no area within the plan of North America the country is known all the same.
    del united["1"]
    for line in pathlib.Path("/usr/share/zoneinfo/zone.tab").read_text().splitlines():
        country, _, zone = (line.split("\t") + [""] * 3)[:3]
        if country in ("US", "CA"):
            united.setdefault(country, set()).add(zone)
    told = {}
    for prefix in sorted(united, key=lambda prefix: (len(prefix), prefix)):
        above = [prefix[:n] for n in range(len(prefix) - 1, 0, -1) if prefix[:n] in told]
        if above and set(map(behaviour, told[above[0]])) == set(map(behaviour, united[prefix])):
            continue
        told[prefix] = representatives(united[prefix])
    return told


def write(name, head, lines):
    (POLICY / name).write_text("".join(f"{line}\n" for line in [*head, *lines]))


SOURCE = f"# libphonenumber {phonenumbers.__version__} (Apache-2.0); see tests/peers/number_plans.py."
FIELDS = "# Country, its code, leading digits; national numbers: ordinary, costly, emergency."
KEYS = "# The zones of the numbers that begin so, or of a country's that begin like none."
write("plans.txt", [SOURCE, FIELDS], ["\t".join(fields) for fields in plans()])
write("zones.txt", [SOURCE, KEYS], [" ".join([one, *of]) for one, of in sorted(zones().items())])
