//! Who the agent is on the phone: the model's instructions, made of parts of which each says one
//! thing. Pure: the settings, the occasion and the time go in, words come out.

mod parts;
#[cfg(test)]
mod tests;

use jiff::Zoned;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tandem_actors::briefing::{Direction, Text};

use crate::config::{self, Consent, Disclosure};

/// Who speaks on every call of this server.
#[derive(Clone, Debug, Default)]
pub struct Persona {
    /// What it is called; empty for no name.
    name: String,
    /// For whom it speaks; empty where the task says so.
    on_behalf_of: String,
    /// How it speaks besides, a rule each.
    style: Vec<String>,
    /// What it does not do besides, a rule each.
    boundaries: Vec<String>,
    /// What it says first; empty for words of its own.
    opening: String,
    /// When it says that it is an AI.
    disclosure: Disclosure,
    /// What calls are held in (ISO 639-1), where that is set.
    language: Option<String>,
}

/// How one call differs from what is usual in the house; what is empty does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Manner {
    /// Who speaks, in what tone, within which bounds: a few sentences.
    #[serde(default)]
    pub personality: String,
    /// What is said first.
    #[serde(default)]
    pub greeting: String,
    /// The model's voice.
    #[serde(default)]
    pub voice: String,
}

/// What a call is about, and when.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// Who rang whom.
    pub direction: Direction,
    /// What is to be done.
    pub task: &'a Text,
    /// How it differs from other calls.
    pub manner: &'a Manner,
    /// Whether whoever ordered the call wants something brought back.
    pub wants_result: bool,
    /// What they must know of a recording.
    pub recording: Consent,
    /// The time where the callers are.
    pub now: &'a Zoned,
}

impl Persona {
    /// The persona of these settings, in this language.
    #[must_use]
    pub fn of(settings: &config::Persona, language: Option<&str>) -> Self {
        let rules = |lines: &str| {
            lines
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Self {
            name: settings.name.trim().to_owned(),
            on_behalf_of: settings.on_behalf_of.trim().to_owned(),
            style: rules(&settings.style),
            boundaries: rules(&settings.boundaries),
            opening: settings.opening.trim().to_owned(),
            disclosure: settings.disclosure,
            language: language.map(str::to_owned),
        }
    }

    /// What the model is told for the whole call. What changes from call to call stands last, as
    /// far as it can: providers keep a beginning that they have read before.
    #[must_use]
    pub fn instructions(&self, occasion: Occasion<'_>) -> Text {
        let Occasion { direction, task, manner, wants_result, recording, now } = occasion;
        let opening = Some(manner.greeting.trim()).filter(|words| !words.is_empty());
        let parts = [
            parts::identity(&self.name, &self.on_behalf_of),
            parts::manner(&self.style),
            parts::personality(&manner.personality),
            parts::language(self.language.as_deref()),
            parts::disclosure(self.disclosure),
            parts::recording(recording),
            parts::boundaries(&self.boundaries),
            parts::tools(wants_result),
            parts::opening(direction, opening.unwrap_or(&self.opening), self.disclosure),
            parts::task(direction, task.as_str()),
            parts::now(now),
        ];
        let said = parts.into_iter().filter(|part| !part.is_empty());
        Text(said.collect::<Vec<_>>().join("\n\n"))
    }

    /// Whether it must be heard that it is an AI before it does anything.
    #[must_use]
    pub fn discloses_first(&self) -> bool {
        self.disclosure == Disclosure::First
    }

    /// How the model is asked to leave its message on an answering machine.
    #[must_use]
    pub fn message(&self) -> Text {
        Text(parts::message(self.disclosure))
    }
}

/// How the model is asked to open the call.
#[must_use]
pub fn greeting(direction: Direction) -> Text {
    parts::greeting(direction).into()
}

/// How the model is asked to go on after its server was lost.
#[must_use]
pub fn resumption() -> Text {
    parts::RESUMPTION.into()
}
