//! Who speaks on the calls, as settings: words that become part of the model's instructions.

use serde::{Deserialize, Serialize};

/// Characters of a name: what one says of oneself in a sentence.
const NAME_MAX: usize = 80;

/// Characters of an opening: some twenty seconds of speech, as long as anybody lets one talk.
const OPENING_MAX: usize = 300;

/// Characters of rules: more than a model keeps in mind on the phone.
const RULES_MAX: usize = 2_000;

/// Who speaks.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Persona {
    /// What it calls itself. Empty: it has no name.
    pub name: String,
    /// A person or an organisation it speaks for. Empty: whom the task names.
    pub on_behalf_of: String,
    /// How it speaks besides: a rule a line.
    pub style: String,
    /// What it does not do besides: a rule a line.
    pub boundaries: String,
    /// What it says first, in these words or some of the same meaning. Empty: a greeting of its
    /// own.
    pub opening: String,
    /// When it says that it is an AI: `when_asked` or `first`.
    pub disclosure: Disclosure,
}

/// When it says that it is an AI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", rename_all = "snake_case")]
pub enum Disclosure {
    /// Whenever it is asked.
    #[default]
    WhenAsked,
    /// Before anything else, and whenever it is asked. Nothing is done outside the line until it
    /// has been heard.
    First,
}

/// A word that names no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not when an AI says that it is one; use when_asked or first")]
pub struct NoDisclosure(String);

impl TryFrom<String> for Disclosure {
    type Error = NoDisclosure;

    fn try_from(word: String) -> Result<Self, NoDisclosure> {
        match word.as_str() {
            "when_asked" => Ok(Self::WhenAsked),
            "first" => Ok(Self::First),
            // Whatever was set instead may be long.
            _ => Err(NoDisclosure(word.chars().take(20).collect())),
        }
    }
}

pub(super) fn check(persona: &Persona) -> Result<(), String> {
    let Persona { name, on_behalf_of, style, boundaries, opening, disclosure: _ } = persona;
    for (key, words, most) in [
        ("name", name, NAME_MAX),
        ("on_behalf_of", on_behalf_of, NAME_MAX),
        ("opening", opening, OPENING_MAX),
    ] {
        let one_line = !words.trim().chars().any(char::is_control);
        if !one_line || words.chars().count() > most {
            return Err(format!(
                "persona.{key} is spoken and must be one line of at most {most} characters"
            ));
        }
    }
    for (key, rules) in [("style", style), ("boundaries", boundaries)] {
        if rules.chars().count() > RULES_MAX {
            return Err(format!(
                "persona.{key} is longer than the {RULES_MAX} characters that a model keeps in \
                 mind on the phone; say it shorter, a rule a line"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_none_of_the_two_is_refused_with_both() {
        let read = |word: &str| Disclosure::try_from(word.to_owned());
        assert_eq!(read("when_asked"), Ok(Disclosure::WhenAsked));
        assert_eq!(read("first"), Ok(Disclosure::First));
        let refused = read("never").unwrap_err().to_string();
        assert!(refused.contains("never") && refused.contains("when_asked or first"), "{refused}");
    }

    #[test]
    fn what_is_spoken_is_one_short_line() {
        let with = |change: fn(&mut Persona)| {
            let mut persona = Persona::default();
            change(&mut persona);
            check(&persona)
        };
        assert_eq!(with(|persona| persona.name = "Ada".to_owned()), Ok(()));
        assert_eq!(with(|persona| persona.style = "Be brief.\nNo jokes.\n".to_owned()), Ok(()));
        for (change, key) in [
            ((|persona| persona.name = "A".repeat(81)) as fn(&mut Persona), "persona.name"),
            (|persona| persona.on_behalf_of = "a\nb".to_owned(), "persona.on_behalf_of"),
            (|persona| persona.opening = "A".repeat(301), "persona.opening"),
            (|persona| persona.style = "A".repeat(2_001), "persona.style"),
            (|persona| persona.boundaries = "A".repeat(2_001), "persona.boundaries"),
        ] {
            let refused = with(change).unwrap_err();
            assert!(refused.starts_with(key) && !refused.contains("AAA"), "{refused}");
        }
    }
}
