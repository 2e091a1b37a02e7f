//! What an agent should know before it has somebody rung, in parts that can be asked for one by
//! one, and as one text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What every agent is told with the tools.
pub(super) const IN_SHORT: &str = "Places real phone calls in which an AI speaks for the user. \
     make_voice_call returns at once; then call wait_for_call until still_running is false, and \
     report the result with the number called. The agent on the phone knows only the task: read \
     get_calling_guide (topic briefing) before the first call. Never put card numbers, PINs, \
     passwords, one-time codes, identity numbers or health data into a task.";

/// A part of the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// How to write a task.
    Briefing,
    /// How to follow a call, and what to report.
    Waiting,
    /// How to ask several places and let the user choose.
    Comparing,
    /// What never goes into a call.
    RestrictedData,
    /// How a human takes over, and how a call is ended.
    HandingOver,
    /// Calls at a time, or again and again.
    Scheduling,
    /// What errors mean.
    Errors,
}

macro_rules! part {
    ($name:literal) => {
        include_str!(concat!("guide/", $name, ".md"))
    };
}

/// The whole guide, as a skill for agents.
pub const SKILL: &str = concat!(
    part!("head"),
    part!("briefing"),
    part!("waiting"),
    part!("comparing"),
    part!("restricted_data"),
    part!("handing_over"),
    part!("scheduling"),
    part!("errors"),
);

/// What there is here, for whoever reads machines' pages.
pub const LLMS: &str = include_str!("guide/llms.txt");

impl Topic {
    /// Every part, in reading order.
    pub const ALL: [Self; 7] = [
        Self::Briefing,
        Self::Waiting,
        Self::Comparing,
        Self::RestrictedData,
        Self::HandingOver,
        Self::Scheduling,
        Self::Errors,
    ];

    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Briefing => "briefing",
            Self::Waiting => "waiting",
            Self::Comparing => "comparing",
            Self::RestrictedData => "restricted_data",
            Self::HandingOver => "handing_over",
            Self::Scheduling => "scheduling",
            Self::Errors => "errors",
        }
    }

    /// The part of this name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.word() == word)
    }

    /// What it tells, in a line.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Briefing => "How to write a task for the agent on the phone",
            Self::Waiting => "How to follow a call, and what to report",
            Self::Comparing => "How to ask several places and let the user choose",
            Self::RestrictedData => "What never goes into a call",
            Self::HandingOver => "How a human takes over, and how a call is ended",
            Self::Scheduling => "Calls at a time, or again and again",
            Self::Errors => "What errors mean and what to do",
        }
    }

    /// Its text, in Markdown.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Briefing => part!("briefing"),
            Self::Waiting => part!("waiting"),
            Self::Comparing => part!("comparing"),
            Self::RestrictedData => part!("restricted_data"),
            Self::HandingOver => part!("handing_over"),
            Self::Scheduling => part!("scheduling"),
            Self::Errors => part!("errors"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_in_the_whole_and_is_found_by_its_name() {
        for topic in Topic::ALL {
            assert_eq!(Topic::named(topic.word()), Some(topic));
            assert!(SKILL.contains(topic.text()) && topic.text().starts_with("## "));
            assert_eq!(serde_json::to_value(topic).unwrap(), topic.word());
        }
        assert_eq!(Topic::named("nothing"), None);
    }
}
