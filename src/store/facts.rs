//! A fact on its way into the tables: the event as JSON, and what it changes beside the event.
//! The words and shapes here are what listeners of a call read.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tandem_actors::briefing::{CallId, Lifecycle, Outcome, Text};
use tandem_actors::call::playout::Spoken;
use tandem_actors::record::{Fact, Note, Turn};
use tandem_actors::usage::Usage;

use super::desk::Desk;
use super::fault::Trouble;
use super::ledger::Asked;

/// The kind of an event and its JSON body.
pub(super) fn described(fact: &Fact) -> (&'static str, Value) {
    match fact {
        Fact::Lifecycle(lifecycle) => ("lifecycle", json!({ "lifecycle": lifecycle.word() })),
        Fact::SubmissionUnknown => ("submission_unknown", json!({})),
        Fact::CarrierNamed(name) => ("carrier_named", json!({ "carrier_call": name.0 })),
        Fact::Turn(Turn { speaker, text }) => {
            ("turn", json!({ "speaker": speaker.word(), "text": text.as_str() }))
        }
        Fact::Masked { sequence, text } => {
            ("masked", json!({ "turn": sequence, "text": text.as_str() }))
        }
        Fact::Restricted { what, step } => ("restricted", json!({ "what": what, "step": step })),
        Fact::Pressed => ("pressed", json!({})),
        Fact::Answerer { who, by } => ("answerer", json!({ "who": who, "by": by })),
        Fact::Keyed => ("keyed", json!({})),
        Fact::Recording { step } => ("recording", json!({ "step": step })),
        Fact::DisclosureHeard { turn } => ("disclosure_heard", json!({ "turn": turn })),
        Fact::HandOver { step } => ("hand_over", json!({ "step": step })),
        Fact::ToolAsked { id, name, arguments } => (
            "tool_asked",
            json!({ "tool_call": id.0, "name": name, "arguments": arguments.as_str() }),
        ),
        Fact::ToolAnswered { id, name, verdict, took_ms } => (
            "tool_answered",
            json!({
                "tool_call": id.0, "name": name, "verdict": verdict.word(), "took_ms": took_ms,
            }),
        ),
        Fact::ToolLate { id, name, verdict, took_ms } => (
            "tool_late",
            json!({
                "tool_call": id.0, "name": name, "verdict": verdict.word(), "took_ms": took_ms,
            }),
        ),
        Fact::Announced { text } => ("announced", json!({ "text": text.as_str() })),
        Fact::ConfirmationAsked { name, question } => {
            ("confirmation_asked", json!({ "name": name, "question": question.as_str() }))
        }
        Fact::ConfirmationSettled { name, verdict, by } => {
            ("confirmation_settled", json!({ "name": name, "verdict": verdict, "by": by }))
        }
        Fact::ConfirmationStep { name, step } => {
            ("confirmation_step", json!({ "name": name, "step": step }))
        }
        Fact::Spoken(Spoken { for_ms, said_ms, sent_ms, heard_ms }) => (
            "spoken",
            json!({
                "for_ms": for_ms, "said_ms": said_ms, "sent_ms": sent_ms, "heard_ms": heard_ms,
            }),
        ),
        Fact::BargedIn { heard_ms } => ("barged_in", json!({ "heard_ms": heard_ms })),
        Fact::Lost { part, how } => ("lost", json!({ "part": part, "how": how })),
        Fact::Repaired { part, took_ms } => {
            ("repaired", json!({ "part": part, "took_ms": took_ms }))
        }
        Fact::Replied { ms } => ("replied", json!({ "ms": ms })),
        Fact::Used(usage) => ("used", figures(usage)),
        Fact::Finalized { outcome, reason, talk_ms } => (
            "finalized",
            json!({ "outcome": outcome.word(), "reason": reason, "talk_ms": talk_ms }),
        ),
    }
}

/// `input_tokens`, `input_text_tokens` …, each where it was told.
fn figures(usage: &Usage) -> Value {
    usage.told().map(|(figure, tokens)| (format!("{}_tokens", figure.word()), tokens)).collect()
}

/// Milliseconds since 1970; a clock before that is a broken one and reads 0.
pub(super) fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A number of ours as the database holds it.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Where a fact belongs.
struct Place<'n> {
    call: &'n CallId,
    sequence: i64,
    at_ms: i64,
}

impl Desk {
    /// Writes a note once; the same (call, sequence) again changes nothing.
    pub(super) async fn note(&mut self, note: &Note) -> Result<(), Trouble> {
        self.require_ours(&note.call).await?;
        let (call, sequence) = (&note.call, stored(note.sequence));
        let place = Place { call, sequence, at_ms: millis(note.at) };
        let (kind, body) = described(&note.fact);
        if self.event(&place, kind, &body).await? {
            self.project(&place, &note.fact).await?;
        }
        Ok(())
    }

    /// Appends an event of our own behind what the call has told.
    pub(super) async fn append(
        &mut self,
        call: &CallId,
        at_ms: i64,
        fact: &Fact,
    ) -> Result<(), Trouble> {
        let last: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM events WHERE call = $1")
                .bind(&*call.0)
                .fetch_one(&mut self.conn)
                .await?;
        let place = Place { call, sequence: last + 1, at_ms };
        let (kind, body) = described(fact);
        self.event(&place, kind, &body).await?;
        self.project(&place, fact).await
    }

    /// Whether the event is new.
    async fn event(
        &mut self,
        place: &Place<'_>,
        kind: &str,
        body: &Value,
    ) -> Result<bool, Trouble> {
        let written = sqlx::query(
            "INSERT INTO events (call, sequence, at_ms, kind, body) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (call, sequence) DO NOTHING",
        )
        .bind(&*place.call.0)
        .bind(place.sequence)
        .bind(place.at_ms)
        .bind(kind)
        .bind(body.to_string())
        .execute(&mut self.conn)
        .await?;
        Ok(written.rows_affected() == 1)
    }

    async fn project(&mut self, place: &Place<'_>, fact: &Fact) -> Result<(), Trouble> {
        match fact {
            Fact::Lifecycle(lifecycle) => self.advance(place, *lifecycle).await,
            Fact::SubmissionUnknown => {
                sqlx::query("UPDATE calls SET submission = 'unknown' WHERE id = $1")
                    .bind(&*place.call.0)
                    .execute(&mut self.conn)
                    .await?;
                Ok(())
            }
            Fact::CarrierNamed(name) => {
                let sql = "UPDATE calls SET carrier_call = $2, submission = NULL WHERE id = $1";
                sqlx::query(sql).bind(&*place.call.0).bind(&name.0).execute(&mut self.conn).await?;
                Ok(())
            }
            Fact::Turn(turn) => self.turn(place, turn).await,
            Fact::Masked { sequence, text } => self.mask(place.call, *sequence, text).await,
            Fact::ToolAsked { id, name, arguments } => {
                let asked = Asked { call: place.call, id, name, arguments: arguments.as_str() };
                self.asked(&asked, place.at_ms).await
            }
            Fact::ToolAnswered { id, verdict, .. } => {
                self.answered(place.call, id, *verdict, place.at_ms).await
            }
            Fact::ConfirmationAsked { name, question } => {
                self.question(place, name, question.as_str()).await
            }
            Fact::ConfirmationSettled { name, verdict, .. } => {
                self.settle_question(place, name, verdict).await
            }
            Fact::Used(usage) => {
                sqlx::query("UPDATE calls SET usage = $2 WHERE id = $1")
                    .bind(&*place.call.0)
                    .bind(figures(usage).to_string())
                    .execute(&mut self.conn)
                    .await?;
                Ok(())
            }
            Fact::Finalized { outcome, reason, talk_ms } => {
                self.finalize(place, *outcome, reason, stored(*talk_ms)).await
            }
            Fact::HandOver { step: "failed" } => self.unbridge(place.call).await,
            Fact::Pressed
            | Fact::Restricted { .. }
            | Fact::ToolLate { .. }
            | Fact::ConfirmationStep { .. }
            | Fact::Announced { .. }
            | Fact::Answerer { .. }
            | Fact::Keyed
            | Fact::Recording { .. }
            | Fact::DisclosureHeard { .. }
            | Fact::HandOver { .. }
            | Fact::Spoken(_)
            | Fact::BargedIn { .. }
            | Fact::Lost { .. }
            | Fact::Repaired { .. }
            | Fact::Replied { .. } => Ok(()),
        }
    }

    /// Moves a call on, never back: facts of a call may come late, its life does not.
    async fn advance(&mut self, place: &Place<'_>, lifecycle: Lifecycle) -> Result<(), Trouble> {
        let sql = match lifecycle {
            // The end is written with its outcome, by `Fact::Finalized`, or it is no end: a call
            // that dies between the two must still be found.
            Lifecycle::Queued | Lifecycle::Finalized => return Ok(()),
            Lifecycle::Dialing => {
                "UPDATE calls SET lifecycle = 'dialing', dialing_ms = COALESCE(dialing_ms, $2) \
                 WHERE id = $1 AND lifecycle = 'queued'"
            }
            Lifecycle::Answered => {
                "UPDATE calls SET lifecycle = 'answered', submission = NULL, \
                 answered_ms = COALESCE(answered_ms, $2) \
                 WHERE id = $1 AND lifecycle IN ('queued', 'dialing')"
            }
        };
        let moved =
            sqlx::query(sql).bind(&*place.call.0).bind(place.at_ms).execute(&mut self.conn).await?;
        match moved.rows_affected() {
            0 => Ok(()),
            _ => self.tell_of_call(place.call, lifecycle, place.at_ms).await,
        }
    }

    async fn turn(&mut self, place: &Place<'_>, turn: &Turn) -> Result<(), Trouble> {
        sqlx::query(
            "INSERT INTO turns (call, sequence, at_ms, speaker, text) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&*place.call.0)
        .bind(place.sequence)
        .bind(place.at_ms)
        .bind(turn.speaker.word())
        .bind(turn.text.as_str())
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    /// Keeps less of a turn, in its event too.
    async fn mask(&mut self, call: &CallId, sequence: u64, text: &Text) -> Result<(), Trouble> {
        for sql in [
            "UPDATE turns SET text = $3 WHERE call = $1 AND sequence = $2",
            "UPDATE events SET body = json_set(body, '$.text', $3) \
             WHERE call = $1 AND sequence = $2 AND kind = 'turn'",
        ] {
            sqlx::query(sql)
                .bind(&*call.0)
                .bind(stored(sequence))
                .bind(text.as_str())
                .execute(&mut self.conn)
                .await?;
        }
        Ok(())
    }

    async fn question(
        &mut self,
        place: &Place<'_>,
        name: &str,
        question: &str,
    ) -> Result<(), Trouble> {
        sqlx::query(
            "INSERT INTO confirmations (call, sequence, name, question, asked_ms) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&*place.call.0)
        .bind(place.sequence)
        .bind(name)
        .bind(question)
        .bind(place.at_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    /// Settles the last question of that tool: at most one is open in a call, and the last word
    /// on it stands.
    async fn settle_question(
        &mut self,
        place: &Place<'_>,
        name: &str,
        verdict: &str,
    ) -> Result<(), Trouble> {
        sqlx::query(
            "UPDATE confirmations SET verdict = $3, settled_ms = $4 WHERE call = $1 AND \
             sequence = (SELECT MAX(sequence) FROM confirmations \
             WHERE call = $1 AND name = $2)",
        )
        .bind(&*place.call.0)
        .bind(name)
        .bind(verdict)
        .bind(place.at_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    /// The first outcome stays.
    async fn finalize(
        &mut self,
        place: &Place<'_>,
        outcome: Outcome,
        reason: &str,
        talk_ms: i64,
    ) -> Result<(), Trouble> {
        let ended = sqlx::query(
            "UPDATE calls SET lifecycle = 'finalized', outcome = $2, reason = $3, talk_ms = $4, \
             finalized_ms = $5 WHERE id = $1 AND outcome IS NULL",
        )
        .bind(&*place.call.0)
        .bind(outcome.word())
        .bind(reason)
        .bind(talk_ms)
        .bind(place.at_ms)
        .execute(&mut self.conn)
        .await?;
        match ended.rows_affected() {
            0 => Ok(()),
            _ => {
                self.unbridge_alone(place.call).await?;
                self.tell_of_call(place.call, Lifecycle::Finalized, place.at_ms).await
            }
        }
    }
}
