//! What the answer of an HTTP endpoint, or its failing, means for the caller. Pure.
//!
//! An endpoint may say in its own words what went wrong (`reason`, `spoken_message`,
//! `suggestion`); what a library or a proxy writes into an error never reaches the model.

use serde_json::{Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Verdict};

/// What of a result a model reads. More would make it slow, and forget the conversation.
const RESULT_CHARS: usize = 8_000;

/// What of an endpoint's own words is taken.
const WORDS: usize = 300;

/// How asking went, when there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// It was not reached: nothing has happened.
    NotReached,
    /// It was reached, and what it did is not known.
    Lost,
    /// It answered more than is read. It has happened.
    TooLong,
}

/// What an answer means. `idempotent` tells whether what may have happened may be tried again.
pub(super) fn of(status: u16, body: &[u8], idempotent: bool) -> Done {
    let body = String::from_utf8_lossy(body);
    if (200..300).contains(&status) {
        return success(&body);
    }
    let unsure = if idempotent { Verdict::Temporary } else { Verdict::Unknown };
    let (verdict, reason) = match status {
        401 | 403 => (Verdict::Permission, "not_allowed"),
        404 | 410 => (Verdict::User, "not_found"),
        409 => (Verdict::User, "conflict"),
        408 | 425 | 503 => (Verdict::Temporary, "unavailable"),
        429 => (Verdict::RateLimited, "too_many"),
        400..500 => (Verdict::User, "invalid"),
        500.. => (unsure, "failed"),
        _ => (Verdict::Permanent, "misconfigured"),
    };
    let own: Value = serde_json::from_str(&body).unwrap_or_default();
    let said = |field: &str| own.get(field).and_then(Value::as_str).map(short);
    let (spoken, suggestion) = usual(verdict);
    Done::fault(
        verdict,
        said("reason").as_deref().unwrap_or(reason),
        said("spoken_message").as_deref().unwrap_or(spoken),
        said("suggestion").as_deref().unwrap_or(suggestion),
    )
}

/// What it means that there was no answer.
pub(super) fn without(why: NoAnswer, idempotent: bool) -> Done {
    let (verdict, reason) = match why {
        NoAnswer::NotReached => (Verdict::Temporary, "not_reached"),
        NoAnswer::Lost if idempotent => (Verdict::Temporary, "no_answer"),
        NoAnswer::Lost => (Verdict::Unknown, "no_answer"),
        NoAnswer::TooLong => return success("more than can be read"),
    };
    let (spoken, suggestion) = usual(verdict);
    Done::fault(verdict, reason, spoken, suggestion)
}

/// A result: an object or whatever else it is, as `data`; what shall be said of it, when it says.
pub(super) fn success(body: &str) -> Done {
    let data = match serde_json::from_str::<Value>(body) {
        _ if body.chars().count() > RESULT_CHARS => {
            let begin: String = body.chars().take(RESULT_CHARS).collect();
            json!({ "begin": begin, "cut": true })
        }
        Ok(data) => data,
        Err(_) => body.trim().into(),
    };
    let spoken = data.get("spoken_message").and_then(Value::as_str).map(short).unwrap_or_default();
    let output = json!({ "status": "success", "spoken_message": spoken, "data": data });
    Done { verdict: Verdict::Success, output: Text(output.to_string()) }
}

fn short(words: &str) -> String {
    words.chars().take(WORDS).collect()
}

/// What the caller hears and the model does, where the endpoint does not say.
fn usual(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::User => {
            ("That did not fit.", "ask the caller to check what they said, then call it again")
        }
        Verdict::Temporary | Verdict::RateLimited => {
            ("That did not work just now.", "offer to try it once more in a moment")
        }
        Verdict::Permission => ("I am not allowed to do that.", "do not try it again"),
        Verdict::Unknown => (
            "I cannot tell whether that worked.",
            "do not repeat it; offer to check whether it happened",
        ),
        Verdict::Success | Verdict::Permanent | Verdict::Exhausted => {
            ("I cannot do that at the moment.", "do not try it again; offer another way")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(done: &Done) -> Value {
        serde_json::from_str(done.output.as_str()).unwrap()
    }

    #[test]
    fn a_result_is_handed_on_and_bounded() {
        let told_of = |body: &str| told(&of(200, body.as_bytes(), false));
        let told = told_of(r#"{"spoken_message":"Booked.","id":7}"#);
        assert_eq!(
            (&told["status"], &told["spoken_message"]),
            (&json!("success"), &json!("Booked."))
        );
        assert_eq!(told["data"]["id"], 7);
        assert_eq!(told_of("plain words\n")["data"], "plain words");
        assert_eq!(told_of("")["data"], "");
        let long = told_of(&json!({ "x": "y".repeat(20_000) }).to_string());
        assert_eq!(long["data"]["cut"], true);
        assert!(long.to_string().len() < RESULT_CHARS + 200);
    }

    #[test]
    fn a_failure_is_sorted_by_what_helps() {
        let verdict = |status, idempotent| of(status, b"", idempotent).verdict;
        for (status, expected) in [
            (302, Verdict::Permanent),
            (400, Verdict::User),
            (401, Verdict::Permission),
            (404, Verdict::User),
            (422, Verdict::User),
            (429, Verdict::RateLimited),
            (503, Verdict::Temporary),
        ] {
            assert_eq!(verdict(status, false), expected, "{status}");
        }
        assert_eq!(
            (verdict(500, true), verdict(500, false)),
            (Verdict::Temporary, Verdict::Unknown)
        );
        assert_eq!(without(NoAnswer::NotReached, false).verdict, Verdict::Temporary);
        assert_eq!(without(NoAnswer::Lost, false).verdict, Verdict::Unknown);
        assert_eq!(without(NoAnswer::Lost, true).verdict, Verdict::Temporary);
        assert_eq!(without(NoAnswer::TooLong, false).verdict, Verdict::Success);
    }

    #[test]
    fn an_endpoint_may_use_its_own_words_and_nothing_else_gets_through() {
        let own = br#"{"reason":"sold_out","spoken_message":"We are full.","trace":"x.rs:7"}"#;
        let done = told(&of(409, own, false));
        assert_eq!(
            (&done["reason"], &done["spoken_message"]),
            (&json!("sold_out"), &json!("We are full."))
        );
        assert!(!done.to_string().contains("x.rs"));
        let proxy = told(&of(502, b"<html>nginx at 10.0.0.7</html>", true));
        assert!(!proxy.to_string().contains("nginx"), "{proxy}");
    }
}
