//! Shapes of single values that stand in many places: a number, and the words of our enums as they
//! are in the code. Each is written out where it is used.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use tandem_actors::briefing::{Direction, Lifecycle, Outcome};

use crate::store::SearchState;

/// A shape without a name of its own.
macro_rules! shape {
    ($(#[$about:meta])* $name:ident = $schema:expr) => {
        $(#[$about])*
        pub(in crate::http) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

shape! {
    /// A number in E.164, as `is_e164` wants it.
    E164 = json_schema!({
        "type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$", "examples": ["+15550100"],
    })
}

shape! {
    /// Keys of a telephone, a comma for a pause.
    Keys = json_schema!({
        "type": "string", "pattern": r"^[0-9*#A-Da-d,]{1,32}$", "examples": ["1,,2#"],
    })
}

shape! {
    /// A JSON Schema of an object.
    ObjectSchema = json_schema!({
        "type": "object", "required": ["type"], "properties": { "type": { "const": "object" } },
        "examples": [{ "type": "object", "properties": { "open": { "type": "boolean" } } }],
    })
}

shape! {
    /// The name of an account.
    AccountName = json_schema!({ "type": "string", "pattern": r"^[a-z0-9._-]{1,64}$" })
}

shape! {
    /// Who rang whom.
    DirectionWord = one_of([Direction::Inbound, Direction::Outbound].map(Direction::word))
}

shape! {
    /// How far a call is.
    LifecycleWord = one_of(Lifecycle::ALL.map(Lifecycle::word))
}

shape! {
    /// What the phone network made of a call.
    OutcomeWord = one_of(Outcome::ALL.map(Outcome::word))
}

shape! {
    /// After which outcomes a target of a search can be rung once more.
    RetryWord = one_of(super::super::searches::AGAIN.map(Outcome::word))
}

shape! {
    /// How far a search is.
    SearchStateWord = one_of(SearchState::ALL.map(SearchState::word))
}

shape! {
    /// What a webhook can be told of.
    EventWord = one_of(super::super::webhooks::EVENTS)
}

fn one_of<const N: usize>(words: [&'static str; N]) -> Schema {
    json_schema!({ "type": "string", "enum": words.as_slice() })
}
