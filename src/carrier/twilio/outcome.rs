//! What Twilio's callbacks say, in the words of a call. Pure.
//!
//! Source: Twilio's Call resource (status callbacks, `SipResponseCode`), answering machine
//! detection (`AnsweredBy`), `<Dial>` (`DialCallStatus` of the action) and `<Number>` (status
//! callback of the human's leg), and its error dictionary.

use std::time::Duration;

use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::{Answerer, Standing};

use super::form::Form;

/// What a callback says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The call goes on: `queued`, `initiated`, `ringing`, `in-progress`, or a word that is
    /// not known.
    Goes,
    /// The call is over, and why.
    Ended(Outcome, String),
    /// Who picked up.
    Detected(Answerer),
    /// The human's phone was answered: the caller is put through.
    HumanThere,
    /// Nothing of the human's leg that matters.
    HumanElse,
    /// The human and the caller have talked and one of them has hung up. The answer to this
    /// request says what the caller hears next.
    HandedOver,
    /// The human did not answer; in Twilio's word for why. The same holds for the answer.
    NotHandedOver(String),
}

/// A callback with the call it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback<'a> {
    /// Twilio's name for the call of ours, also when the callback is about a human's leg of it.
    pub call: &'a str,
    /// What it says.
    pub told: Told,
    /// The other party has hung up: there is nobody to whom an answer could be played.
    pub is_over: bool,
}

/// Reads a callback; nothing when it is none that we asked for.
#[must_use]
pub fn read(form: &Form) -> Option<Callback<'_>> {
    let call = form.get("CallSid")?;
    let status = form.get("CallStatus");
    let is_over = status.is_some_and(|status| ended(status, form).is_some());
    if let Some(dialled) = form.get("DialCallStatus") {
        let told = match dialled {
            "completed" | "answered" => Told::HandedOver,
            other => Told::NotHandedOver(other.to_owned()),
        };
        return Some(Callback { call, told, is_over });
    }
    if let Some(parent) = form.get("ParentCallSid") {
        let there = status? == "in-progress";
        let told = if there { Told::HumanThere } else { Told::HumanElse };
        return Some(Callback { call: parent, told, is_over: false });
    }
    if let Some((outcome, reason)) = status.and_then(|status| ended(status, form)) {
        return Some(Callback { call, told: Told::Ended(outcome, reason), is_over });
    }
    if let Some(answerer) = form.get("AnsweredBy") {
        return Some(Callback { call, told: Told::Detected(who(answerer)), is_over });
    }
    status.map(|_| Callback { call, told: Told::Goes, is_over })
}

/// How a call stands by its status, when nothing is told besides.
#[must_use]
pub fn standing(status: &str, talked: Option<Duration>) -> Standing {
    match ended(status, &Form::default()) {
        Some((outcome, reason)) => Standing::Over { outcome, reason, talked },
        None if status == "in-progress" => Standing::Live,
        None => Standing::Ringing,
    }
}

/// The outcome of a final status, with Twilio's word and the network's number for the record.
fn ended(status: &str, form: &Form) -> Option<(Outcome, String)> {
    let sip = form.get("SipResponseCode").and_then(|code| code.parse::<u16>().ok());
    let error = form.get("ErrorCode").and_then(|code| code.parse::<u32>().ok());
    let outcome = match status {
        "completed" => Outcome::Answered,
        "canceled" => Outcome::Cancelled,
        // A phone that is declined rings busy or not at all, as its carrier likes; the SIP
        // response tells.
        "busy" if is_declined(sip) => Outcome::Rejected,
        "busy" => Outcome::Busy,
        "no-answer" if is_declined(sip) => Outcome::Rejected,
        "no-answer" => Outcome::NoAnswer,
        "failed" => failed(sip, error),
        _ => return None,
    };
    let reason = match sip {
        Some(code) => format!("{status} ({code})"),
        None => status.to_owned(),
    };
    Some((outcome, reason))
}

/// 603 Decline, 607 Unwanted, 608 Rejected (RFC 3261 §21.6.2, RFC 8197, RFC 8688).
fn is_declined(sip: Option<u16>) -> bool {
    matches!(sip, Some(603 | 607 | 608))
}

/// A call that failed, by the SIP response (RFC 3261 §21) or else Twilio's error.
fn failed(sip: Option<u16>, error: Option<u32>) -> Outcome {
    match (sip, error) {
        (Some(404 | 410 | 484 | 604), _) => Outcome::InvalidNumber,
        (Some(403 | 603 | 607 | 608), _) => Outcome::Rejected,
        (Some(408 | 480), _) => Outcome::Unreachable,
        (Some(486 | 600), _) => Outcome::Busy,
        (Some(487), _) => Outcome::Cancelled,
        (Some(500..=599), _) => Outcome::NetworkError,
        (_, Some(code)) => refused(code),
        (Some(_) | None, None) => Outcome::Failed,
    }
}

/// What an error code of Twilio's makes of a call that was to be placed: 21211, 21217 and
/// 13223 to 13226 are about the number, 21214 says that it cannot be reached; most others are
/// about the account or the order, which is our fault.
#[must_use]
pub const fn refused(code: u32) -> Outcome {
    match code {
        21_211 | 21_217 | 13_223..=13_226 => Outcome::InvalidNumber,
        21_214 => Outcome::Unreachable,
        _ => Outcome::SystemError,
    }
}

fn who(answered_by: &str) -> Answerer {
    match answered_by {
        "human" => Answerer::Human,
        "machine_start" => Answerer::Machine,
        // The greeting is over, with a tone or without one: what is said now is recorded.
        "machine_end_beep" | "machine_end_silence" | "machine_end_other" => Answerer::Recording,
        "fax" => Answerer::Fax,
        _ => Answerer::Unknown,
    }
}

/// What has been told about a call so far: callbacks come late, twice and in any order, and
/// each thing is told on once.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    over: bool,
    detected: Option<Answerer>,
}

impl Heard {
    /// Whether this is news.
    pub fn is_news(&mut self, told: &Told) -> bool {
        match told {
            Told::Ended(..) => !std::mem::replace(&mut self.over, true),
            Told::Detected(answerer) => {
                !self.over && self.detected.replace(*answerer) != Some(*answerer)
            }
            Told::HumanThere | Told::HandedOver | Told::NotHandedOver(_) => !self.over,
            Told::Goes | Told::HumanElse => false,
        }
    }
}

#[cfg(test)]
mod tests;
