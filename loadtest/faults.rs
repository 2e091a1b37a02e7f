//! Which faults are injected, how often, and what each one cost the call it met.
//! Knows the words of the rehearsal interface, not how a fault travels there.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// The most of one kind in a second; more would measure the injection, not the repair.
const RATE_MAX: f64 = 1_000.0;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The phone side's actor panics.
    MediaIn,
    /// The model side's actor panics.
    RealtimeLink,
    /// The tools' actor panics.
    ToolRunner,
    /// The guard's actor panics.
    Confirmation,
    /// One of the four before, in turn.
    Leaves,
    /// The call's own actor panics.
    Call,
    /// The task that moves the frames panics.
    Pump,
    /// The model drops the session in the middle of a sentence.
    ModelCut,
}

impl Kind {
    /// Every kind, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::MediaIn,
        Self::RealtimeLink,
        Self::ToolRunner,
        Self::Confirmation,
        Self::Leaves,
        Self::Call,
        Self::Pump,
        Self::ModelCut,
    ];

    /// The leaves, in the order in which they are met.
    pub const LEAVES: [Self; 4] =
        [Self::MediaIn, Self::RealtimeLink, Self::ToolRunner, Self::Confirmation];

    /// The word on the command line, in the report and, for parts of a call, in the rehearsal
    /// interface.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MediaIn => "media_in",
            Self::RealtimeLink => "realtime_link",
            Self::ToolRunner => "tool_runner",
            Self::Confirmation => "confirmation",
            Self::Leaves => "leaves",
            Self::Call => "call",
            Self::Pump => "pump",
            Self::ModelCut => "model_cut",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Faults asked for, each with its rate per second.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Spec(Vec<(Kind, f64)>);

impl Spec {
    /// The kinds with their rates.
    #[must_use]
    pub fn rates(&self) -> &[(Kind, f64)] {
        &self.0
    }

    /// Every kind that can be met, the leaves told apart.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = Vec::new();
        for &(kind, _) in &self.0 {
            let met = if kind == Kind::Leaves { &Kind::LEAVES[..] } else { &[kind][..] };
            kinds.extend(met);
        }
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// Why a list of faults cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSpec(String);

impl fmt::Display for WrongSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongSpec {}

impl FromStr for Spec {
    type Err = WrongSpec;

    fn from_str(text: &str) -> Result<Self, WrongSpec> {
        let mut rates: Vec<(Kind, f64)> = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (word, rate) = match part.split_once('=') {
                Some((word, rate)) => (word.trim(), rate_of(word, rate.trim())?),
                None => (part, 1.0),
            };
            let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
                let choices = Kind::ALL.map(Kind::word).join(", ");
                WrongSpec(format!("unknown fault {word:?}; one of {choices}"))
            })?;
            if rates.iter().any(|&(known, _)| known == kind) {
                return Err(WrongSpec(format!("{word:?} stands there twice")));
            }
            rates.push((kind, rate));
        }
        Ok(Self(rates))
    }
}

fn rate_of(word: &str, text: &str) -> Result<f64, WrongSpec> {
    let rate: f64 = text.parse().map_err(|_| {
        WrongSpec(format!("{text:?} is no rate for {word:?}; write faults per second, e.g. 0.5"))
    })?;
    if rate > 0.0 && rate <= RATE_MAX {
        Ok(rate)
    } else {
        let limits = format!("more than 0 and at most {RATE_MAX} per second");
        Err(WrongSpec(format!("{text:?} is out of range for {word:?}: {limits}")))
    }
}

/// One fault that was injected, and what it cost.
#[derive(Clone, Debug, Serialize)]
pub struct Injected {
    /// Seconds since the measured time began.
    pub at_s: f64,
    /// What was broken.
    pub kind: Kind,
    /// The server's name of the call it met.
    pub call: String,
    /// The line of the load test.
    pub line: usize,
    /// The longest silence inside speech around it, in milliseconds; none when nobody spoke.
    pub gap_ms: Option<f64>,
    /// Until speech went on, in milliseconds; none when nobody spoke.
    pub resumed_ms: Option<f64>,
    /// Why it was not injected, when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_faults_is_read() {
        let spec: Spec = "leaves=2, model_cut=0.5,pump".parse().unwrap();
        assert_eq!(spec.rates(), [(Kind::Leaves, 2.0), (Kind::ModelCut, 0.5), (Kind::Pump, 1.0)]);
        assert_eq!(
            spec.kinds(),
            [
                Kind::MediaIn,
                Kind::RealtimeLink,
                Kind::ToolRunner,
                Kind::Confirmation,
                Kind::Pump,
                Kind::ModelCut
            ]
        );
    }

    #[test]
    fn an_error_names_the_wrong_word_and_the_choices() {
        let wrong = |text: &str| text.parse::<Spec>().unwrap_err().to_string();
        assert_eq!(
            wrong("leaves,modelcut=1"),
            "unknown fault \"modelcut\"; one of media_in, realtime_link, tool_runner, \
             confirmation, leaves, call, pump, model_cut"
        );
        assert!(wrong("").starts_with("unknown fault \"\""));
        assert!(wrong("call=often").starts_with("\"often\" is no rate for \"call\""));
        assert!(wrong("call=0").starts_with("\"0\" is out of range"));
        assert!(wrong("call=NaN").contains("out of range"));
        assert_eq!(wrong("call,call=2"), "\"call\" stands there twice");
    }
}
