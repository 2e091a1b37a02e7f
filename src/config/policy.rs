//! Whom calls may ring, as settings; with a real carrier the defaults are those that surprise
//! nobody who is rung.

use serde::{Deserialize, Serialize};

use super::{Carrier, Config, Kind};
use crate::policy::{self, Consent, Countries, Hours, Rules, is_e164, look};

/// When people may be rung unless the settings say otherwise: the hours of the telephone rules of
/// the USA (47 CFR 64.1200(c)(1)), later than which hardly anybody permits.
const HOURS: &str = "08:00-21:00";

/// Calls to one number in a day: twice more when nobody picked up.
const ATTEMPTS_PER_DAY: u32 = 3;

/// Twice a second is faster than any human orders calls.
const CALLS_PER_MINUTE: u32 = 30;

/// What a small office has in lines.
const AT_ONCE: u32 = 10;

/// Ten hours of talk bound what a stolen or runaway client costs in a day.
const MINUTES_PER_DAY: u32 = 600;

/// Whom calls may ring, and when. What is not set is unlimited in a rehearsal.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Countries (ISO 3166), `*` for all; empty: with a real carrier that of our own number.
    pub countries: Words,
    /// Only numbers that begin so: `+1425`. Empty: all of the countries.
    pub ranges: Words,
    /// No numbers that begin so, beside those of the stored list.
    pub do_not_call: Words,
    /// When, in every zone the number may be in: `mon-fri 08:00-20:00, sat 10:00-14:00`, `always`.
    pub hours: Option<String>,
    /// Calls to one number within 24 hours; 0: any.
    pub attempts_per_day: Option<u32>,
    /// Calls within a minute; 0: any.
    pub calls_per_minute: Option<u32>,
    /// Placed calls at the same time; 0: any.
    pub at_once: Option<u32>,
    /// Minutes of talk of placed calls since midnight UTC, after which no further call is placed;
    /// 0: any.
    pub minutes_per_day: Option<u32>,
    /// Whether a consent must be recorded before: `none` or `required`.
    pub consent: Consent,
}

/// Words: a list, or one line with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "Written")]
pub struct Words(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Line(String),
    List(Vec<String>),
}

impl From<Written> for Words {
    fn from(written: Written) -> Self {
        let words = match written {
            Written::Line(line) => line.split(',').map(str::to_owned).collect(),
            Written::List(list) => list,
        };
        let trimmed = words.iter().map(|word| word.trim().to_owned());
        Self(trimmed.filter(|word| !word.is_empty()).collect())
    }
}

impl Config {
    /// The gate before every dial.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn gate(&self) -> Result<policy::Gate, String> {
        let (policy, is_real) = (&self.policy, self.carrier.kind != Kind::Rehearsal);
        let cap = |set: Option<u32>, usual: u32| match set {
            Some(0) => None,
            Some(cap) => Some(cap),
            None => is_real.then_some(usual),
        };
        let hours = policy.hours.as_deref().or(is_real.then_some(HOURS)).unwrap_or("always");
        Ok(policy::Gate::new(Rules {
            countries: countries(&policy.countries.0, &self.carrier)?,
            ranges: beginnings("ranges", &policy.ranges)?,
            do_not_call: beginnings("do_not_call", &policy.do_not_call)?,
            hours: match hours.trim() {
                "always" => None,
                hours => Some(hours.parse::<Hours>().map_err(|no| format!("policy.hours: {no}"))?),
            },
            attempts_per_day: cap(policy.attempts_per_day, ATTEMPTS_PER_DAY),
            calls_per_minute: cap(policy.calls_per_minute, CALLS_PER_MINUTE),
            at_once: cap(policy.at_once, AT_ONCE),
            minutes_per_day: cap(policy.minutes_per_day, MINUTES_PER_DAY),
            consent: policy.consent,
            proactive: self.proactive.rules(self)?,
        }))
    }
}

/// What is wrong with the rules, or with whom callers are handed over to: that is dialled too.
pub(super) fn check(config: &Config) -> Result<(), String> {
    config.gate()?;
    let human = &config.carrier.human;
    if human.is_empty() {
        return Ok(());
    }
    if !is_e164(human) {
        return Err("carrier.human is not a number in E.164, such as +14255550123".to_owned());
    }
    let kind = look(human).kind;
    match kind {
        policy::Kind::Emergency | policy::Kind::Premium | policy::Kind::Unknown => Err(format!(
            "carrier.human is a number of the kind {}; callers are never handed over to one",
            kind.word()
        )),
        policy::Kind::Ordinary | policy::Kind::Rehearsal => Ok(()),
    }
}

fn countries(named: &[String], carrier: &Carrier) -> Result<Countries, String> {
    match named {
        [all] if all == "*" => Ok(Countries::All),
        [] if carrier.kind == Kind::Rehearsal => Ok(Countries::All),
        [] => {
            let own = look(&carrier.number).country;
            Ok(Countries::Only(own.map(str::to_owned).into_iter().collect()))
        }
        some => {
            some.iter().map(|name| country(name)).collect::<Result<_, _>>().map(Countries::Only)
        }
    }
}

fn country(name: &str) -> Result<String, String> {
    let name = name.to_ascii_uppercase();
    if policy::is_country(&name) {
        return Ok(name);
    }
    Err(format!("policy.countries has {name:?}, which is no country; use codes such as US, or *"))
}

fn beginnings(key: &str, words: &Words) -> Result<Vec<String>, String> {
    for word in &words.0 {
        let digits = word.strip_prefix('+').unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!(
                "policy.{key} has an entry that is no beginning of a number; write it like +1425"
            ));
        }
    }
    Ok(words.0.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<String, String> {
        let config = super::super::load::of(text, &std::collections::BTreeMap::new());
        let config = config.map_err(|error| error.to_string())?;
        Ok(config.gate().unwrap().to_string())
    }

    fn real(policy: &str) -> Config {
        let mut config =
            super::super::load::of(policy, &std::collections::BTreeMap::new()).unwrap();
        config.carrier.kind = Kind::Asterisk;
        config.carrier.number = "+14255550123".to_owned();
        config
    }

    #[test]
    fn a_rehearsal_is_free_and_a_real_carrier_is_careful() {
        let free = "countries: all; at any time; consent is not asked for";
        assert_eq!(told(""), Ok(free.to_owned()));
        let careful = "countries: US; 08:00-21:00 in the zone that is rung; 3 calls a day to one \
                       number; 30 calls a minute; 10 calls at once; 600 minutes of talk a day; \
                       unasked 3 a day to one number, 15 minutes apart; consent is not asked for";
        assert_eq!(real("").gate().unwrap().to_string(), careful);
        let unlimited = "[policy]\ncountries = \"*\"\nhours = \"always\"\nattempts_per_day = 0\n\
                         calls_per_minute = 0\nat_once = 0\nminutes_per_day = 0\n\
                         [proactive]\nper_day = 0\ngap_min = 0\n";
        assert_eq!(real(unlimited).gate().unwrap().to_string(), free);
        let mut nobodys = real("");
        nobodys.carrier.number = "+15550199".to_owned();
        assert!(nobodys.gate().unwrap().to_string().starts_with("countries: none;"));
    }

    #[test]
    fn lists_are_lists_or_lines_and_wrong_entries_are_refused() {
        let list = "[policy]\ncountries = [\"us\", \"GB\"]\nranges = \"+1425, +44\"\n";
        assert!(told(list).unwrap().starts_with("countries: US GB; of these 2 ranges;"));
        let variables = [
            ("TANDEM__POLICY__COUNTRIES", "US, DE"),
            ("TANDEM__POLICY__AT_ONCE", "2"),
            ("TANDEM__POLICY__CONSENT", "required"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = super::super::load::of("", &variables.into_iter().collect()).unwrap();
        let told_of = config.gate().unwrap().to_string();
        assert!(told_of.starts_with("countries: US DE;"), "{told_of}");
        assert!(told_of.ends_with("2 calls at once; only with a record of consent"), "{told_of}");
        for (wrong, words) in [
            ("countries = [\"USA\"]", "\"USA\""),
            ("ranges = \"1425\"", "policy.ranges"),
            ("do_not_call = [\"+1 425\"]", "policy.do_not_call"),
            ("hours = \"9 to 5\"", "\"9 to 5\""),
            ("consent = \"perhaps\"", "perhaps"),
            ("at_once = -1", "-1"),
        ] {
            let error = told(&format!("[policy]\n{wrong}\n")).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        for (wrong, words) in [("hours = \"late\"", "\"late\""), ("time_zone = \"Mars\"", "Mars")] {
            let error = told(&format!("[proactive]\n{wrong}\n")).unwrap_err();
            assert!(error.contains("proactive.") && error.contains(words), "{error}");
        }
        let hours = "[proactive]\nhours = \"mon-fri 08:00-20:00\"\ntime_zone = \"Asia/Tokyo\"\n";
        let unasked = "; unasked any number a day, mon-fri 08:00-20:00 in Asia/Tokyo;";
        assert!(told(hours).unwrap().contains(unasked));
    }

    #[test]
    fn nobody_is_handed_over_to_help_or_to_a_costly_number() {
        let human = |human: &str| told(&format!("[carrier]\nhuman = {human:?}\n"));
        for never in ["+19005550123", "+449098790123", "+19115550123"] {
            let error = human(never).unwrap_err();
            assert!(error.contains("carrier.human") && !error.contains(never), "{error}");
        }
        assert!(human("+14255550124").is_ok() && human("+15550109").is_ok());
        for never in ["911", "banana", "+999999999999"] {
            let error = human(never).unwrap_err();
            assert!(error.contains("carrier.human"), "{error}");
        }
    }
}
