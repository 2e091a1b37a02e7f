//! What a number is: whose plan it belongs to, and whether it is one that nobody may be made to
//! ring. Reads the plans of all countries as patterns; what fits none is no number.

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};

/// The plans, one a line: country, its code, leading digits, and the patterns of national numbers
/// that are ordinary, costly, and of emergency services; `-` where there is none.
const PLANS: &str = include_str!("plans.txt");

/// Short numbers that get help somewhere: they are not looked for in one country alone, for a
/// carrier may be in another.
const HELP: [&str; 6] = ["000", "110", "112", "119", "911", "999"];

/// The country of numbers that belong to none, such as international freephone.
pub const NOWHERE: &str = "001";

static ALL: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    let lines = PLANS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| Plan::of(line).expect("a plan has six fields")).collect()
});

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One that can be rung at the usual price.
    Ordinary,
    /// One of a rehearsal: in no plan, so that no phone can ring.
    Rehearsal,
    /// Premium rate, shared cost, a personal number, a pager, a satellite or a global network:
    /// whoever rings pays more, and often pays whoever had it rung.
    Premium,
    /// An emergency service, or a short code, which only a country's own phones can ring.
    Emergency,
    /// In nobody's plan.
    Unknown,
}

impl Kind {
    /// The word in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Rehearsal => "rehearsal",
            Self::Premium => "premium",
            Self::Emergency => "emergency",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub kind: Kind,
    /// Its country (ISO 3166), or [`NOWHERE`]; none when the plans do not tell.
    pub country: Option<&'static str>,
}

/// Looks at a number.
#[must_use]
pub fn look(number: &str) -> Seen {
    if is_of_rehearsal(number) {
        return Seen { kind: Kind::Rehearsal, country: None };
    }
    if !is_e164(number) {
        return Seen { kind: Kind::Emergency, country: None };
    }
    let digits = &number[1..];
    // No country's code is the beginning of another's.
    let plans = ALL.iter().filter_map(|plan| Some((plan, digits.strip_prefix(plan.code)?)));
    let plans: Vec<(&Plan, &str)> = plans.collect();
    let led = plans.iter().find(|(plan, national)| plan.leads(national));
    let of: Vec<(&Plan, &str)> = led.map_or_else(|| plans.clone(), |led| vec![*led]);
    let country = |fits: fn(&Plan, &str) -> bool| {
        of.iter().find(|(plan, national)| fits(plan, national)).map(|(plan, _)| plan.country)
    };
    // On doubt it is the worse: help before money, money before a usual call.
    if let Some(country) = country(Plan::is_emergency) {
        return Seen { kind: Kind::Emergency, country: Some(country) };
    }
    if let Some(country) = country(Plan::is_costly) {
        return Seen { kind: Kind::Premium, country: Some(country) };
    }
    if let Some(country) = country(Plan::is_ordinary) {
        return Seen { kind: Kind::Ordinary, country: Some(country) };
    }
    let helps = |(_, national): &(&Plan, &str)| HELP.iter().any(|help| national.starts_with(help));
    let kind = if of.iter().any(helps) { Kind::Emergency } else { Kind::Unknown };
    Seen { kind, country: None }
}

/// Whether there is a country of this code (ISO 3166), or [`NOWHERE`].
#[must_use]
pub fn is_country(code: &str) -> bool {
    ALL.iter().any(|plan| plan.country == code)
}

/// `+1 555 0…` with seven digits behind the 1, where every number of that plan has ten: the
/// callees of the rehearsal have these.
fn is_of_rehearsal(number: &str) -> bool {
    number
        .strip_prefix("+15550")
        .is_some_and(|rest| rest.len() == 3 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `+`, then seven to fifteen digits, the first not 0 (ITU-T E.164; no number in use is
/// shorter).
#[must_use]
pub fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The numbers of a country.
struct Plan {
    country: &'static str,
    code: &'static str,
    leading: Pattern,
    ordinary: Pattern,
    costly: Pattern,
    emergency: Pattern,
}

impl Plan {
    fn of(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Self {
            country: next()?,
            code: next()?,
            leading: Pattern::of(next()?, Reach::Beginning),
            ordinary: Pattern::of(next()?, Reach::Whole),
            costly: Pattern::of(next()?, Reach::Whole),
            emergency: Pattern::of(next()?, Reach::Whole),
        })
    }

    fn leads(&self, national: &str) -> bool {
        self.leading.fits(national)
    }

    fn is_ordinary(&self, national: &str) -> bool {
        self.ordinary.fits(national)
    }

    fn is_costly(&self, national: &str) -> bool {
        self.costly.fits(national)
    }

    fn is_emergency(&self, national: &str) -> bool {
        self.emergency.fits(national)
    }
}

/// How much of a number a pattern speaks of.
#[derive(Clone, Copy)]
enum Reach {
    Beginning,
    Whole,
}

/// A pattern, compiled when a number of its country is first looked at.
struct Pattern {
    written: &'static str,
    reach: Reach,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    const fn of(written: &'static str, reach: Reach) -> Self {
        Self { written, reach, compiled: OnceLock::new() }
    }

    fn fits(&self, national: &str) -> bool {
        if self.written == "-" {
            return false;
        }
        let compiled = self.compiled.get_or_init(|| {
            let end = match self.reach {
                Reach::Beginning => "",
                Reach::Whole => "$",
            };
            let anchored = format!("^(?:{}){end}", self.written);
            // Digits are those of ASCII: smaller and sooner compiled.
            let built = RegexBuilder::new(&anchored).unicode(false).build();
            built.expect("every pattern of the plans compiles")
        });
        compiled.is_match(national)
    }
}
