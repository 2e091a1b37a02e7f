//! What Event Grid says: that a phone rings, that a recording is finished, and that a
//! subscription wants to be confirmed. Pure. Takes Event Grid's own schema and CloudEvents, a
//! batch or a single event.
//!
//! Source: Azure's documentation of Event Grid's webhook delivery and of the events of
//! Communication Services (`tests/fixtures/acs/event_grid.jsonl`).

pub mod recorded;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use tandem_actors::carrier::Number;

use super::order::IncomingContext;
use recorded::Recorded;

/// ACS lets a phone ring for about thirty seconds; the rest is what two clocks may differ by.
/// What is older is the copy of an event whose caller has long gone.
const RINGS: Duration = Duration::from_mins(1);

/// The longest number or raw id of a party that is kept.
const PARTY_MAX: usize = 128;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// A subscription wants this code back, to see that we agree to it.
    Confirm(String),
    /// A phone rings.
    Rings(Incoming),
    /// A recording can be fetched.
    Recorded(Recorded),
    /// Something else, by its type.
    Other(String),
    /// An event that lacks what its type needs.
    Broken,
}

/// A ringing phone.
#[derive(Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The event's id: the same when it is delivered again.
    pub event: String,
    /// The call's name in ACS; the same when two subscriptions tell of one call.
    pub correlation: Option<String>,
    /// What answering takes.
    pub context: IncomingContext,
    /// Who rings: a number in E.164, `anonymous`, or the raw id of a user of an app.
    pub from: Number,
    /// Which phone number was rung; none when it was no phone number.
    pub to: Option<Number>,
    /// When Azure noticed.
    pub at: Option<Timestamp>,
}

impl Incoming {
    /// Whether nobody can be waiting any more.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.at.is_some_and(|at| now.duration_since(at).unsigned_abs() > RINGS && now > at)
    }
}

/// A body that is neither an event nor a list of events.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "eventType", alias = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "eventTime", alias = "time")]
    at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    validation_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IncomingCall {
    to: Party,
    from: Party,
    incoming_call_context: IncomingContext,
    #[serde(default)]
    correlation_id: Option<String>,
}

/// A party. Its `kind` is written differently by different parts of ACS; the rest tells.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Party {
    #[serde(default)]
    raw_id: Option<String>,
    #[serde(default)]
    phone_number: Option<Phone>,
}

#[derive(Deserialize)]
struct Phone {
    value: String,
}

impl Party {
    /// The phone number, when it is one. A raw id that begins with `4:` is one.
    fn phone(&self) -> Option<&str> {
        let raw = self.raw_id.as_deref().and_then(|id| id.strip_prefix("4:"));
        self.phone_number.as_ref().map(|phone| phone.value.as_str()).or(raw)
    }

    fn number(&self) -> Option<Number> {
        let written = self.phone().or(self.raw_id.as_deref())?;
        let fits = !written.is_empty() && written.len() <= PARTY_MAX;
        (fits && !written.contains(char::is_control)).then(|| Number::new(written))
    }
}

/// Reads a delivery, event by event: one that is broken does not spoil the others.
///
/// # Errors
/// [`Malformed`] when there are no events to be seen in it.
pub fn read(body: &[u8]) -> Result<Vec<Told>, Malformed> {
    Ok(elements(body)?.into_iter().map(|event| one(event).unwrap_or(Told::Broken)).collect())
}

/// The elements of a list, or the one object.
pub(super) fn elements(body: &[u8]) -> Result<Vec<&RawValue>, Malformed> {
    let is_one = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let read = if is_one {
        serde_json::from_slice(body).map(|one: &RawValue| vec![one])
    } else {
        serde_json::from_slice(body)
    };
    read.map_err(|_| Malformed)
}

fn one(event: &RawValue) -> Option<Told> {
    let event: Event<'_> = serde_json::from_str(event.get()).ok()?;
    let data = || event.data.map_or("null", RawValue::get);
    if event.kind == "Microsoft.EventGrid.SubscriptionValidationEvent" {
        let validation: Validation = serde_json::from_str(data()).ok()?;
        return Some(Told::Confirm(validation.validation_code));
    }
    if event.kind == "Microsoft.Communication.RecordingFileStatusUpdated" {
        let subject = event.subject.as_deref().unwrap_or_default();
        return recorded::read(subject, data()).map(Told::Recorded);
    }
    if event.kind != "Microsoft.Communication.IncomingCall" {
        return Some(Told::Other(event.kind.into_owned()));
    }
    let call: IncomingCall = serde_json::from_str(data()).ok()?;
    Some(Told::Rings(Incoming {
        event: event.id.into_owned(),
        correlation: call.correlation_id.filter(|id| !id.is_empty()),
        from: call.from.number()?,
        to: call.to.phone().map(Number::new),
        context: call.incoming_call_context,
        at: event.at.and_then(|at| at.parse().ok()),
    }))
}
