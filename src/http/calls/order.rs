//! An order to ring somebody, checked field by field.

use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tandem_actors::briefing::Text;
use tandem_actors::carrier::Number;

use super::super::Desk;
use super::super::once::once;
use super::super::openapi::words::{E164, ObjectSchema};
use super::super::phone;
use super::super::problem::Problem;
use crate::account::Account;
use crate::config::{Consent, Dialect, Voicemail, is_e164};
use crate::persona::Manner;
use crate::policy::{Gate, Ordered};
use crate::reception::{Order, Reception, Wish};
use crate::tool::result;

/// The longest task: what a model reads with care.
pub(in crate::http) const TASK_CHARS: usize = 8_000;

/// A few sentences on who speaks.
const PERSONALITY_CHARS: usize = 2_000;

/// An opening that is listened to.
const GREETING_CHARS: usize = 500;

/// The name of a voice.
const VOICE_CHARS: usize = 64;

/// An order to ring somebody. An unknown field is refused: it is a typing error more often than
/// not, and what it meant would not be done.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CallOrder", description = "An order to ring somebody.")]
pub(in crate::http) struct Place {
    /// Whom to ring; left out, the phone of `/v1/phone`.
    #[schemars(with = "Option<E164>")]
    to: Option<String>,
    /// What the call is for, in plain words.
    #[schemars(length(min = 1, max = TASK_CHARS))]
    task: String,
    /// How the simulated carrier speaks; in a rehearsal only.
    dialect: Option<Dialect>,
    /// What is done when an answering machine picks up.
    #[schemars(with = "Option<Voicemail>")]
    voicemail: Option<String>,
    /// What the other side must know or agree to before the call is recorded.
    #[schemars(with = "Option<Consent>")]
    recording_consent: Option<String>,
    /// Who speaks, in what tone: a few sentences.
    #[serde(default)]
    #[schemars(length(max = PERSONALITY_CHARS))]
    personality: String,
    /// What is said first.
    #[serde(default)]
    #[schemars(length(max = GREETING_CHARS))]
    greeting: String,
    /// The model's voice.
    #[serde(default)]
    #[schemars(length(max = VOICE_CHARS))]
    voice: String,
    /// Whether the other party may be handed over to a human; by itself yes.
    hand_over: Option<bool>,
    /// The tools that the call may use; left out, all.
    tools: Option<Vec<String>>,
    /// What the call shall bring back.
    #[schemars(with = "Option<ObjectSchema>")]
    result_schema: Option<Value>,
    /// Says that an order that was given a moment ago is meant once more.
    #[serde(default, rename = "again")]
    _again: bool,
}

/// Reads the order in this body.
pub(super) async fn read(
    desk: &Desk,
    account: &Account,
    headers: &HeaderMap,
    body: Value,
) -> Result<Order, Problem> {
    let once = once(headers, account, "POST /v1/calls", &body)?;
    let place: Place =
        serde_json::from_value(body).map_err(|error| Problem::body(&error.to_string()))?;
    let Place { to, task, dialect, voicemail, personality, greeting, voice, .. } = place;
    let Place { hand_over, tools, result_schema, recording_consent, .. } = place;
    let (to, ordered) = match to {
        Some(to) => (checked_number("to", to)?, Ordered::Now),
        // Their own phone: whoever orders it is more likely their agent than they.
        None => (phone::required(desk, account).await?, Ordered::Ahead),
    };
    let reception = &desk.reception;
    let usual = reception.wish(checked_task(&task)?);
    let wish = Wish {
        account: account.clone(),
        dialect: dialect.unwrap_or(usual.dialect),
        voicemail: match voicemail {
            Some(word) => Voicemail::try_from(word)
                .map_err(|error| Problem::invalid("voicemail", error.to_string()))?,
            None => usual.voicemail,
        },
        recording: match recording_consent {
            Some(word) => checked_consent(reception, word)?,
            None => usual.recording,
        },
        manner: checked_manner(Manner { personality, greeting, voice })?,
        hand_over: hand_over.unwrap_or(usual.hand_over),
        tools: checked_tools(reception, tools)?,
        result: checked_schema(result_schema)?,
        ordered,
        ..usual
    };
    Ok(Order { to, wish, once })
}

/// A number in E.164.
pub(in crate::http) fn checked_number(
    field: &'static str,
    number: String,
) -> Result<Number, Problem> {
    if is_e164(&number) {
        return Ok(Number::new(number));
    }
    let shown: String = number.chars().take(20).collect();
    let detail = format!("{shown:?} is not a number in E.164; write it like +15550100");
    Err(Problem::invalid(field, detail))
}

/// A number that may be rung, at some time at least.
pub(in crate::http) fn checked_callee(
    field: &'static str,
    number: String,
) -> Result<Number, Problem> {
    let number = checked_number(field, number)?;
    Gate::never(&number).map_err(|refused| Problem::from(refused).of_field(field))?;
    Ok(number)
}

/// Whom a query names, where a plus that is written as it is reads as a space.
pub(in crate::http) fn queried(name: String) -> Number {
    Number::new(match name.strip_prefix(' ') {
        Some(figures) => format!("+{figures}"),
        None => name,
    })
}

/// What a call is for.
pub(in crate::http) fn checked_task(task: &str) -> Result<Text, Problem> {
    let task = task.trim();
    if task.is_empty() || task.chars().count() > TASK_CHARS {
        let detail = format!("say what the call is for in 1 to {TASK_CHARS} characters");
        return Err(Problem::invalid("task", detail));
    }
    Ok(Text(task.to_owned()))
}

/// How the call differs from others.
pub(in crate::http) fn checked_manner(manner: Manner) -> Result<Manner, Problem> {
    let fields = [
        ("personality", &manner.personality, PERSONALITY_CHARS),
        ("greeting", &manner.greeting, GREETING_CHARS),
        ("voice", &manner.voice, VOICE_CHARS),
    ];
    for (field, words, most) in fields {
        if words.chars().count() > most {
            let detail = format!("it has more than {most} characters");
            return Err(Problem::invalid(field, detail));
        }
    }
    Ok(manner)
}

/// What has to be before the call is recorded.
pub(in crate::http) fn checked_consent(
    reception: &Reception,
    word: String,
) -> Result<Consent, Problem> {
    let wrong = |detail: String| Problem::invalid("recording_consent", detail);
    let consent = Consent::try_from(word).map_err(|error| wrong(error.to_string()))?;
    if consent != Consent::None && !reception.can_wait_for_consent() {
        return Err(wrong("the carrier records this server's calls from the beginning".to_owned()));
    }
    Ok(consent)
}

/// Tools that there are.
pub(in crate::http) fn checked_tools(
    reception: &Reception,
    tools: Option<Vec<String>>,
) -> Result<Option<Vec<String>>, Problem> {
    let all = reception.tools();
    let has = |name: &&String| all.contains(name);
    if let Some(unknown) = tools.iter().flatten().find(|name| !has(name)) {
        let shown: String = unknown.chars().take(64).collect();
        let have = all.join(", ");
        let detail = format!("there is no tool {shown:?}; calls can have: {have}");
        return Err(Problem::invalid("tools", detail));
    }
    Ok(tools)
}

/// What a call shall bring back.
pub(in crate::http) fn checked_schema(schema: Option<Value>) -> Result<Option<Value>, Problem> {
    match schema.as_ref().map(result::check) {
        Some(Err(wrong)) => Err(Problem::invalid("result_schema", wrong)),
        Some(Ok(())) | None => Ok(schema),
    }
}
