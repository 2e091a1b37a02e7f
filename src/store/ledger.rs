//! The tool ledger: what was asked, what was begun, what came of it; at most once per
//! (call, tool call). Keeps no card number, code, PIN or password, nor a hash of one, from which it
//! could be guessed. Owns the states `asked`, `begun` and `done` and the ways between them.

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::call::restricted;
use tandem_actors::record::Intent;
use tandem_actors::tool::{Done, Job, ToolCallId, Verdict};

use super::archive::verdict_named;
use super::desk::Desk;
use super::fault::Trouble;

/// A tool call as the model asked for it.
pub(super) struct Asked<'a> {
    pub(super) call: &'a CallId,
    pub(super) id: &'a ToolCallId,
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
}

impl<'a> From<&'a Job> for Asked<'a> {
    fn from(job: &'a Job) -> Self {
        let Job { call, id, name, arguments, scene: _ } = job;
        Self { call, id, name, arguments: arguments.as_str() }
    }
}

/// What may be kept of a tool's arguments or output.
fn kept(json: &str) -> String {
    restricted::mask_json(json)
}

/// SHA-256 in hexadecimal over the parsed arguments, so that spacing does not count; over the
/// text itself where it is no JSON.
pub(super) fn arguments_hash(arguments: &str) -> String {
    let canonical = serde_json::from_str::<serde_json::Value>(arguments)
        .map_or_else(|_| arguments.to_owned(), |value| value.to_string());
    hex_digest(&[&canonical])
}

/// SHA-256 in hexadecimal over parts, each closed by a zero byte so that they cannot run together.
pub(crate) fn hex_digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Desk {
    /// The model asked: a line in the ledger that hinders nothing.
    pub(super) async fn asked(&mut self, asked: &Asked<'_>, at_ms: i64) -> Result<(), Trouble> {
        let arguments = kept(asked.arguments);
        sqlx::query(
            "INSERT INTO tool_ledger \
             (call, tool_call, name, arguments, arguments_hash, state, asked_ms) \
             VALUES ($1, $2, $3, $4, $5, 'asked', $6) ON CONFLICT (call, tool_call) DO NOTHING",
        )
        .bind(&*asked.call.0)
        .bind(&asked.id.0)
        .bind(asked.name)
        .bind(&arguments)
        .bind(arguments_hash(&arguments))
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    /// What the model was told of a job that never began: declined, not allowed, unknown.
    /// A job that began is settled by [`Desk::settle`] alone.
    pub(super) async fn answered(
        &mut self,
        call: &CallId,
        id: &ToolCallId,
        verdict: Verdict,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        sqlx::query(
            "UPDATE tool_ledger SET verdict = $3, done_ms = $4 \
             WHERE call = $1 AND tool_call = $2 AND state = 'asked'",
        )
        .bind(&*call.0)
        .bind(&id.0)
        .bind(verdict.word())
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    pub(super) async fn intend(&mut self, job: &Job, at_ms: i64) -> Result<Intent, Trouble> {
        self.require_ours(&job.call).await?;
        let arguments = kept(job.arguments.as_str());
        let begun = sqlx::query(
            "INSERT INTO tool_ledger \
             (call, tool_call, name, arguments, arguments_hash, state, asked_ms, begun_ms) \
             VALUES ($1, $2, $3, $4, $5, 'begun', $6, $6) \
             ON CONFLICT (call, tool_call) DO UPDATE SET name = excluded.name, \
             arguments = excluded.arguments, arguments_hash = excluded.arguments_hash, \
             state = 'begun', verdict = NULL, done_ms = NULL, begun_ms = excluded.begun_ms \
             WHERE tool_ledger.state = 'asked'",
        )
        .bind(&*job.call.0)
        .bind(&job.id.0)
        .bind(&job.name)
        .bind(&arguments)
        .bind(arguments_hash(&arguments))
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        if begun.rows_affected() == 1 {
            return Ok(Intent::Fresh);
        }
        Ok(self.known(job).await?.map_or(Intent::Begun, Intent::Known))
    }

    /// What came of a job, where that is written. Refuses a tool-call id that stands for another
    /// job already.
    pub(super) async fn known(&mut self, job: &Job) -> Result<Option<Done>, Trouble> {
        let row = sqlx::query(
            "SELECT name, arguments_hash, state, verdict, output FROM tool_ledger \
             WHERE call = $1 AND tool_call = $2 AND state <> 'asked'",
        )
        .bind(&*job.call.0)
        .bind(&job.id.0)
        .fetch_optional(&mut self.conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let held: (String, String) = (row.try_get("name")?, row.try_get("arguments_hash")?);
        if held != (job.name.clone(), arguments_hash(&kept(job.arguments.as_str()))) {
            let (call, id) = (&job.call, &job.id.0);
            return Err(Trouble::refused(format!("tool call {id} of call {call} is another job")));
        }
        if row.try_get::<String, _>("state")? != "done" {
            return Ok(None);
        }
        let verdict: String = row.try_get("verdict")?;
        let verdict = verdict_named(&verdict).map_err(Trouble::Refused)?;
        Ok(Some(Done { verdict, output: Text(row.try_get("output")?) }))
    }

    /// Writes the end of a job that began. The first end stays; a second one is no error, because
    /// a tool on this store has written its end together with its effect.
    pub(super) async fn settle(
        &mut self,
        job: &Job,
        done: &Done,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        self.require_ours(&job.call).await?;
        let settled = sqlx::query(
            "UPDATE tool_ledger SET state = 'done', verdict = $3, output = $4, done_ms = $5 \
             WHERE call = $1 AND tool_call = $2 AND state = 'begun'",
        )
        .bind(&*job.call.0)
        .bind(&job.id.0)
        .bind(done.verdict.word())
        .bind(kept(done.output.as_str()))
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        if settled.rows_affected() == 0 && self.known(job).await?.is_none() {
            let (call, id) = (&job.call, &job.id.0);
            return Err(Trouble::refused(format!("tool call {id} of call {call} never began")));
        }
        Ok(())
    }
}
