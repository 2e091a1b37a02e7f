//! The rules as tables, what must hold whatever the settings are, and clocks that change.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn open() -> Rules {
    Rules {
        countries: Countries::All,
        ranges: Vec::new(),
        do_not_call: Vec::new(),
        hours: None,
        attempts_per_day: None,
        calls_per_minute: None,
        at_once: None,
        minutes_per_day: None,
        consent: Consent::None,
        proactive: Proactive::default(),
    }
}

fn at(written: &str) -> Timestamp {
    written.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-06-10T19:00:00Z")
}

fn judged(rules: Rules, to: &str, facts: &Facts) -> Result<(), &'static str> {
    let judged = Gate::new(rules).judge(&Number::new(to), facts, Ordered::Now, noon());
    judged.map_err(|refused| refused.code.word())
}

#[rstest]
#[case("+14255550123", Kind::Ordinary, Some("US"))]
#[case("+12065550100", Kind::Ordinary, Some("US"))]
#[case("+18005550123", Kind::Ordinary, Some("US"))]
#[case("+16045550123", Kind::Ordinary, Some("CA"))]
#[case("+18765230123", Kind::Ordinary, Some("JM"))]
#[case("+442079460123", Kind::Ordinary, Some("GB"))]
#[case("+441534123456", Kind::Ordinary, Some("JE"))]
#[case("+493012345678", Kind::Ordinary, Some("DE"))]
#[case("+4991112345", Kind::Ordinary, Some("DE"))]
#[case("+390612345678", Kind::Ordinary, Some("IT"))]
#[case("+33112345678", Kind::Ordinary, Some("FR"))]
#[case("+77012345678", Kind::Ordinary, Some("KZ"))]
#[case("+79161234567", Kind::Ordinary, Some("RU"))]
#[case("+80012345678", Kind::Ordinary, Some(NOWHERE))]
#[case("+19005550123", Kind::Premium, Some("US"))]
#[case("+449098790123", Kind::Premium, Some("GB"))]
#[case("+447012345678", Kind::Premium, Some("GB"))]
#[case("+448431234567", Kind::Premium, Some("GB"))]
#[case("+499001234567", Kind::Premium, Some("DE"))]
#[case("+33891234567", Kind::Premium, Some("FR"))]
#[case("+881612345678", Kind::Premium, Some(NOWHERE))]
#[case("+870773111632", Kind::Premium, Some(NOWHERE))]
#[case("+979123456789", Kind::Premium, Some(NOWHERE))]
#[case("911", Kind::Emergency, None)]
#[case("112", Kind::Emergency, None)]
#[case("+911", Kind::Emergency, None)]
#[case("+1911", Kind::Emergency, None)]
#[case("+19115550123", Kind::Emergency, None)]
#[case("+44999123", Kind::Emergency, None)]
#[case("", Kind::Emergency, None)]
#[case("14255550123", Kind::Emergency, None)]
#[case("+1 4255550123", Kind::Emergency, None)]
#[case("+14255550123;ext=9", Kind::Emergency, None)]
#[case("+15550100", Kind::Rehearsal, None)]
#[case("+15550199", Kind::Rehearsal, None)]
#[case("+15551234", Kind::Unknown, None)]
#[case("+15550100123", Kind::Unknown, None)]
#[case("+155501000", Kind::Unknown, None)]
#[case("+4402079460123", Kind::Unknown, None)]
#[case("+9991234567", Kind::Unknown, None)]
#[case("+14255550123999", Kind::Unknown, None)]
fn a_number_is_known_for_what_it_is(
    #[case] number: &str,
    #[case] kind: Kind,
    #[case] country: Option<&'static str>,
) {
    assert_eq!(look(number), Seen { kind, country });
}

const SEATTLE: &str = "+12065550100";

/// Only these countries.
fn only(countries: &[&str]) -> Rules {
    let some = countries.iter().map(|&country| country.to_owned()).collect();
    Rules { countries: Countries::Only(some), ..open() }
}

fn of_ranges(ranges: &[&str]) -> Rules {
    Rules { ranges: ranges.iter().map(|&range| range.to_owned()).collect(), ..open() }
}

fn within(hours: &str) -> Rules {
    Rules { hours: Some(hours.parse().unwrap()), ..open() }
}

fn asking() -> Rules {
    Rules { consent: Consent::Required, ..open() }
}

/// Three attempts, and thirty calls in the last minute.
fn busy() -> Facts {
    Facts { attempts: vec![noon(); 3], placed: vec![noon(); 30], ..Facts::default() }
}

fn live(live: u32) -> Facts {
    Facts { live, ..Facts::default() }
}

fn talked(seconds: u64) -> Facts {
    Facts { talk: Duration::from_secs(seconds), ..Facts::default() }
}

#[rstest]
#[case(open(), busy(), Ok(()))]
#[case(only(&["US"]), busy(), Ok(()))]
#[case(only(&["CA"]), busy(), Err("country_not_allowed"))]
#[case(only(&[]), busy(), Err("country_not_allowed"))]
#[case(of_ranges(&["+1425", "+1206"]), busy(), Ok(()))]
#[case(of_ranges(&["+1425"]), busy(), Err("range_not_allowed"))]
#[case(Rules { do_not_call: vec!["+1206555".to_owned()], ..open() }, busy(), Err("do_not_call"))]
#[case(open(), Facts { do_not_call: true, ..busy() }, Err("do_not_call"))]
#[case(asking(), busy(), Err("no_consent"))]
#[case(asking(), Facts { consent: true, ..busy() }, Ok(()))]
#[case(within("08:00-21:00"), busy(), Ok(()))]
#[case(within("13:00-21:00"), busy(), Err("outside_calling_hours"))]
#[case(Rules { attempts_per_day: Some(4), ..open() }, busy(), Ok(()))]
#[case(Rules { attempts_per_day: Some(3), ..open() }, busy(), Err("too_many_attempts"))]
#[case(Rules { calls_per_minute: Some(31), ..open() }, busy(), Ok(()))]
#[case(Rules { calls_per_minute: Some(30), ..open() }, busy(), Err("rate_limited"))]
#[case(Rules { at_once: Some(2), ..open() }, live(1), Ok(()))]
#[case(Rules { at_once: Some(2), ..open() }, live(2), Err("too_many_at_once"))]
#[case(Rules { minutes_per_day: Some(1), ..open() }, talked(59), Ok(()))]
#[case(Rules { minutes_per_day: Some(1), ..open() }, talked(60), Err("minutes_spent"))]
fn each_rule_has_its_code(
    #[case] rules: Rules,
    #[case] facts: Facts,
    #[case] expected: Result<(), &'static str>,
) {
    assert_eq!(judged(rules, SEATTLE, &facts), expected);
}

#[test]
fn a_rehearsals_number_has_no_country_and_every_other_rule() {
    let nobody = || Countries::Only(Vec::new());
    let facts = Facts::default();
    assert_eq!(judged(Rules { countries: nobody(), ..open() }, "+15550100", &facts), Ok(()));
    let consent = Rules { countries: nobody(), consent: Consent::Required, ..open() };
    assert_eq!(judged(consent, "+15550100", &facts), Err("no_consent"));
    let hours = Rules { hours: Some("00:00-18:00".parse().unwrap()), ..open() };
    assert_eq!(judged(hours, "+15550100", &facts), Err("outside_calling_hours"), "19:00, UTC");
}

#[test]
fn a_refusal_says_when_to_try_again() {
    let facts = Facts { attempts: vec![noon(), noon() - MINUTE], ..Facts::default() };
    let gate = Gate::new(Rules { attempts_per_day: Some(2), ..open() });
    let refused = gate.judge(&Number::new(SEATTLE), &facts, Ordered::Now, noon()).unwrap_err();
    assert_eq!(refused.next_permitted_at, Some(noon() - MINUTE + DAY), "with the oldest of them");
    assert!(refused.retryable && refused.detail.contains("attempts_per_day"), "{refused}");
    let facts = Facts { talk: Duration::from_hours(1), ..Facts::default() };
    let gate = Gate::new(Rules { minutes_per_day: Some(60), ..open() });
    let refused = gate.judge(&Number::new(SEATTLE), &facts, Ordered::Now, noon()).unwrap_err();
    assert_eq!(refused.next_permitted_at, Some(at("2026-06-11T00:00:00Z")));
}

#[rstest]
// One area, one zone; an area with two; a number of no area.
#[case("+12065550100", &["America/Los_Angeles"])]
#[case("+442079460123", &["Europe/London"])]
#[case("+18505550123", &["America/Chicago", "America/New_York"])]
#[case("+15550100", &["UTC"])]
#[case("+80012345678", &[])]
#[case("911", &[])]
fn a_number_tells_its_zones_or_none(#[case] number: &str, #[case] zones: &[&str]) {
    assert_eq!(Gate::zones(&Number::new(number)), zones);
}

#[test]
fn freephone_may_ring_anywhere_in_its_country() {
    let zones = Gate::zones(&Number::new("+18005550123"));
    for zone in ["America/New_York", "America/Chicago", "Pacific/Honolulu"] {
        assert!(zones.contains(&zone), "{zones:?}");
    }
    let rules = Rules { hours: Some("08:00-21:00".parse().unwrap()), ..open() };
    let gate = Gate::new(rules.clone());
    let morning = at("2026-06-10T14:00:00Z");
    let refused =
        gate.judge(&Number::new("+18005550123"), &Facts::default(), Ordered::Now, morning);
    let next = refused.unwrap_err().next_permitted_at;
    assert_eq!(next, Some(at("2026-06-10T18:00:00Z")), "eight in Honolulu");
    assert_eq!(judged(rules, "+80012345678", &Facts::default()), Err("outside_calling_hours"));
}

#[test]
fn every_zone_of_the_table_is_known_here() {
    for line in include_str!("zones.txt").lines().filter(|line| !line.starts_with('#')) {
        let names: Vec<&str> = line.split(' ').skip(1).collect();
        assert!(zone::of(&names).is_some(), "{line}");
    }
    assert!(zone::of(&["Europe/Atlantis"]).is_none() && zone::of(&[]).is_none());
}

#[rstest]
// The clock of New York goes from 02:00 to 03:00 on 8 March 2026, and back on 1 November.
#[case("02:15-02:45", "2026-03-08T06:00:00Z", "2026-03-09T06:15:00Z")]
#[case("02:30-04:00", "2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z")]
#[case("08:00-21:00", "2026-03-08T11:00:00Z", "2026-03-08T12:00:00Z")]
#[case("08:00-21:00", "2026-03-07T11:00:00Z", "2026-03-07T13:00:00Z")]
#[case("08:00-21:00", "2026-11-01T12:00:00Z", "2026-11-01T13:00:00Z")]
#[case("01:00-01:30", "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z")]
#[case("00:30-01:15", "2026-11-01T05:20:00Z", "2026-11-01T06:00:00Z")]
#[case("mon-fri 08:00-20:00, sat 10:00-14:00", "2026-06-12T23:59:59Z", "2026-06-12T23:59:59Z")]
#[case("mon-fri 08:00-20:00, sat 10:00-14:00", "2026-06-13T00:00:00Z", "2026-06-13T14:00:00Z")]
#[case("mon-fri 08:00-20:00, sat 10:00-14:00", "2026-06-13T18:00:00Z", "2026-06-15T12:00:00Z")]
fn the_next_moment_is_told_round_the_change_of_clocks(
    #[case] hours: &str,
    #[case] now: &str,
    #[case] next: &str,
) {
    let hours: Hours = hours.parse().unwrap();
    let zones = [TimeZone::get("America/New_York").unwrap()];
    assert_eq!(hours.next(&zones, at(now)), Some(at(next)));
}

#[test]
fn zones_that_never_agree_have_no_next_moment() {
    let hours: Hours = "09:00-12:00".parse().unwrap();
    let zones = ["Asia/Tokyo", "America/New_York"].map(|name| TimeZone::get(name).unwrap());
    assert_eq!(hours.next(&zones, noon()), None);
}

#[rstest]
#[case("8:00-21:00")]
#[case("21:00-08:00")]
#[case("08:00-24:01")]
#[case("08:00-20:60")]
#[case("day 08:00-20:00")]
#[case("08:00")]
#[case("")]
#[case("+8:00-20:00")]
fn what_are_no_hours_is_refused_with_how_to_write_them(#[case] written: &str) {
    let refused = written.parse::<Hours>().unwrap_err().to_string();
    assert!(refused.contains("mon-fri 08:00-20:00"), "{refused}");
}

/// Rules of every kind, the widest among them.
fn rules() -> impl Strategy<Value = Rules> {
    let countries = prop_oneof![
        Just(Countries::All),
        prop::collection::vec(prop::sample::select(vec!["US", "GB", "DE", "001"]), 0..4)
            .prop_map(|some| Countries::Only(some.into_iter().map(str::to_owned).collect())),
    ];
    let ranges = prop::collection::vec("\\+[0-9]{1,4}", 0..3);
    let cap = || prop::option::of(0..100_u32);
    (countries, ranges, cap(), cap(), cap(), any::<bool>()).prop_map(
        |(countries, ranges, attempts_per_day, at_once, minutes_per_day, asks)| Rules {
            countries,
            ranges,
            attempts_per_day,
            at_once,
            minutes_per_day,
            consent: if asks { Consent::Required } else { Consent::None },
            ..open()
        },
    )
}

/// Help and costly numbers of many countries, written in every way that a caller might try.
fn never() -> impl Strategy<Value = String> {
    let help = prop::sample::select(vec![
        "911", "112", "999", "000", "110", "119", "100", "101", "102", "108", "117", "118", "122",
    ]);
    let code =
        prop::sample::select(vec!["", "1", "44", "49", "61", "81", "86", "91", "353", "852"]);
    let plus = prop::sample::select(vec!["", "+", "00", "011"]);
    let costly = prop::sample::select(vec![
        "+1900555",
        "+4490987",
        "+4487112",
        "+49900123",
        "+3389123",
        "+979123",
        "+881612",
        "+8835100",
    ]);
    prop_oneof![
        (plus, code, help).prop_map(|(plus, code, help)| format!("{plus}{code}{help}")),
        (costly, "[0-9]{0,8}").prop_map(|(costly, rest)| format!("{costly}{rest}")),
    ]
}

proptest! {
    #[test]
    fn help_and_costly_numbers_are_never_rung_whatever_is_set(
        rules in rules(), number in never(), consent: bool, at in 0..4_000_000_000_i64,
    ) {
        let facts = Facts { consent, ..Facts::default() };
        let now = Timestamp::from_second(at).unwrap();
        let (gate, to) = (Gate::new(rules), Number::new(number));
        let refused = gate.judge(&to, &facts, Ordered::Now, now).unwrap_err();
        prop_assert!(
            matches!(refused.code, Code::Emergency | Code::Premium | Code::Unknown)
                && !refused.retryable
        );
    }

    #[test]
    fn anything_at_all_is_judged_and_only_numbers_are_permitted(number in "\\PC{0,40}") {
        let judged = judged(open(), &number, &Facts::default());
        prop_assert!(judged.is_err() || is_e164(&number));
    }

    #[test]
    fn the_next_moment_is_permitted_and_none_before_it(
        minutes in 0..600_000_i64,
        from in 0..23_i16,
        length in 1..24_i16,
        zone in prop::sample::select(vec!["America/New_York", "Europe/Berlin", "Asia/Kolkata"]),
    ) {
        let until = (from + length).min(24);
        let hours: Hours = format!("{from:02}:00-{until:02}:00").parse().unwrap();
        let zones = [TimeZone::get(zone).unwrap()];
        let now = at("2026-01-01T00:00:00Z") + SignedDuration::from_mins(minutes);
        let next = hours.next(&zones, now).unwrap();
        prop_assert!(next >= now && hours.permit(&zones, next));
        let mut before = now;
        while before < next {
            prop_assert!(!hours.permit(&zones, before));
            before += SignedDuration::from_mins(15);
        }
    }
}
