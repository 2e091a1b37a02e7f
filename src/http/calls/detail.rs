//! How a call ended, for a person, and whether ringing again may help.

use schemars::JsonSchema;
use serde::Serialize;
use tandem_actors::briefing::Outcome;

/// How a call ended.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OutcomeDetail")]
pub(in crate::http) struct Detail {
    reason: Reason,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
struct Reason {
    /// For programs: the reason of the call.
    code: String,
    title: &'static str,
    /// One sentence.
    message: &'static str,
    /// Whether the same call may go otherwise later.
    retryable: bool,
}

impl Detail {
    /// Of an outcome, and our word for why.
    pub(in crate::http) fn of(outcome: Outcome, why: &str) -> Self {
        let (title, message, retryable) = of_reason(why).unwrap_or_else(|| of_outcome(outcome));
        Self { reason: Reason { code: why.to_owned(), title, message, retryable } }
    }
}

type Told = (&'static str, &'static str, bool);

/// Reasons that say more than their outcome.
fn of_reason(why: &str) -> Option<Told> {
    Some(match why {
        "voicemail" => (
            "Answered by a machine",
            "An answering machine picked up; nothing was left on it.",
            true,
        ),
        "voicemail_left" => {
            ("Message left", "An answering machine picked up and has the message.", false)
        }
        "transferred" => ("Handed over", "A human took the call over.", false),
        "handed_over_model_down" => {
            ("Handed over", "The speech model was lost and a human took the call over.", false)
        }
        "model_lost" => (
            "The speech model was lost",
            "The speech model could not be reached again; the other party heard an apology.",
            true,
        ),
        "node_lost" => (
            "The server stopped",
            "The server that had the call stopped before its end. It was not dialled again.",
            true,
        ),
        "ended_meanwhile" => (
            "Ended while the server was away",
            "The server that had the call stopped, and the call was over before it was back.",
            true,
        ),
        "submission_unknown" => (
            "Not known whether it rang",
            "The carrier never said whether it took the order, and nothing came of it. The phone \
             may have rung; it was not rung again.",
            false,
        ),
        "passed_on" => (
            "Put through",
            "The caller was put straight through to the human; what became of it is not told.",
            false,
        ),
        "not_passed_on" => {
            ("Not put through", "The carrier could not put the caller through to the human.", true)
        }
        "queue_full" => {
            ("No room", "Every place was taken, and as many callers waited as may.", true)
        }
        "waited_too_long" => (
            "No room in time",
            "The caller waited for a place until the time for that was over.",
            true,
        ),
        "caller_gave_up" => {
            ("The caller gave up", "The caller was gone before there was a place.", false)
        }
        "not_admitted" => {
            ("No room", "Every place was taken when its turn came. Nobody was rung.", true)
        }
        _ => return None,
    })
}

fn of_outcome(outcome: Outcome) -> Told {
    match outcome {
        Outcome::Answered => {
            ("Answered", "Somebody or something picked up; the transcript tells the rest.", false)
        }
        Outcome::NoAnswer => ("No answer", "The phone rang and nobody picked up.", true),
        Outcome::Busy => ("Busy", "The line was busy.", true),
        Outcome::Rejected => ("Rejected", "The call was declined.", true),
        Outcome::InvalidNumber => {
            ("Not a number", "The phone network knows no such number; check it.", false)
        }
        Outcome::Unreachable => {
            ("Unreachable", "The phone is off or cannot be reached; check the number.", false)
        }
        Outcome::NetworkError => {
            ("The phone network failed", "The phone network failed before anybody answered.", true)
        }
        Outcome::Cancelled => ("Cancelled", "It was ended before anybody answered.", false),
        Outcome::SystemError => ("We failed", "A part of this server failed; see its log.", true),
        Outcome::Failed => {
            ("Failed", "The carrier could not carry out the call; see its log.", false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_says_more_goes_before_the_outcome() {
        let retryable = |outcome, why| Detail::of(outcome, why).reason.retryable;
        assert!(!retryable(Outcome::Answered, "goodbye"));
        assert!(retryable(Outcome::Answered, "voicemail"));
        assert!(!retryable(Outcome::InvalidNumber, "404"));
        let detail = Detail::of(Outcome::Busy, "486");
        assert_eq!((detail.reason.code.as_str(), detail.reason.title), ("486", "Busy"));
    }
}
