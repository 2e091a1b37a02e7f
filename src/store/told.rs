//! What endpoints are told, written in the transaction of the fact that it tells of: either both
//! are in the record or neither.

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::Row as _;
use tandem_actors::briefing::{CallId, Lifecycle, Text};
use tandem_actors::record::RecordError;
use uuid::Uuid;

use super::archive::{Archive, CallRow};
use super::desk::Desk;
use super::fault::Trouble;
use super::schedules::RunRow;
use super::{Store, Unkept, now_ms, read};
use crate::approval::Decision;

#[cfg(test)]
mod tests;

/// Deliveries that may wait for one endpoint, some two kilobytes each. What comes when as many
/// wait is not told there, and counted.
pub const WAITING_MAX: i64 = 10_000;

/// A body a receiver can be expected to take is below 20 KB; this much of it may be the result of
/// the call.
const RESULT_BYTES: usize = 12 * 1_024;

/// Something that happened, to be told to whoever wants to know.
#[derive(Clone, Debug)]
pub struct News {
    /// Its type: `call.finalized`.
    pub event: String,
    /// A JSON object of at most a few kilobytes.
    pub data: Value,
    /// When it happened, in milliseconds since 1970.
    pub at_ms: i64,
}

impl News {
    fn body(&self) -> String {
        json!({ "type": self.event, "timestamp": at(self.at_ms), "data": self.data }).to_string()
    }
}

/// What endpoints are told.
pub trait Telling: Archive {
    /// Tells every endpoint of an account that wants this type; how many. Durable before it
    /// returns.
    fn tell(&self, account: &str, news: News)
    -> impl Future<Output = Result<usize, Unkept>> + Send;

    /// Tells one endpoint, whether it wants to know or not; the delivery's id, none when there is
    /// no such endpoint or nothing is sent there.
    fn tell_one(
        &self,
        account: &str,
        webhook: &str,
        news: News,
    ) -> impl Future<Output = Result<Option<String>, RecordError>> + Send;
}

impl Telling for Store {
    async fn tell(&self, account: &str, news: News) -> Result<usize, Unkept> {
        let account = account.to_owned();
        self.promise(move |desk| Box::pin(async move { desk.tell(&account, &news).await })).await
    }

    async fn tell_one(
        &self,
        account: &str,
        webhook: &str,
        news: News,
    ) -> Result<Option<String>, RecordError> {
        let (account, webhook) = (account.to_owned(), webhook.to_owned());
        let told = self.promise(move |desk| {
            Box::pin(async move {
                match desk.endpoints(&account).await?.into_iter().any(|(id, _)| id == webhook) {
                    true => desk.deliver(&webhook, &news.event, &news.body()).await,
                    false => Ok(None),
                }
            })
        });
        Ok(told.await?)
    }
}

impl Desk {
    /// Tells of a call that has just come this far.
    pub(super) async fn tell_of_call(
        &mut self,
        call: &CallId,
        lifecycle: Lifecycle,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        if lifecycle == Lifecycle::Finalized {
            self.tell_of_refusal(call, at_ms).await?;
        }
        let event = format!("call.{}", lifecycle.word());
        let account: String = sqlx::query_scalar("SELECT account FROM calls WHERE id = $1")
            .bind(&*call.0)
            .fetch_one(&mut self.conn)
            .await?;
        if self.who_wants(&account, &event).await?.is_empty() {
            return Ok(());
        }
        let row = self.call_row(call).await?;
        self.tell(&account, &News { event, data: data(&row), at_ms }).await?;
        Ok(())
    }

    async fn call_row(&mut self, call: &CallId) -> Result<CallRow, Trouble> {
        let row = sqlx::query(concat!(read::all_calls!(), "WHERE id = $1"))
            .bind(&*call.0)
            .fetch_one(&mut self.conn)
            .await?;
        read::call_row(&row).map_err(Trouble::Refused)
    }

    /// A call is over: if it was to have something approved that nobody has accepted, that is
    /// declined.
    async fn tell_of_refusal(&mut self, call: &CallId, at_ms: i64) -> Result<(), Trouble> {
        let is_open = sqlx::query(
            "SELECT 1 FROM calls WHERE id = $1 AND approval IS NOT NULL AND result IS NULL",
        );
        match is_open.bind(&*call.0).fetch_optional(&mut self.conn).await? {
            Some(_) => self.tell_of_approval(call, at_ms).await,
            None => Ok(()),
        }
    }

    /// Tells of an operation that has just been accepted or declined.
    pub(super) async fn tell_of_approval(
        &mut self,
        call: &CallId,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        let row = self.call_row(call).await?;
        let questions =
            sqlx::query("SELECT * FROM confirmations WHERE call = $1 ORDER BY sequence")
                .bind(&*call.0)
                .fetch_all(&mut self.conn)
                .await?;
        let questions: Result<Vec<_>, _> = questions.iter().map(read::confirmation_row).collect();
        let (state, reason) = Decision::of(&row, &questions.map_err(Trouble::Refused)?).words();
        let data = json!({
            "id": call.to_string(),
            "state": state,
            "reason": reason,
            "timestamps": { "asked_at": at(row.queued_ms), "settled_at": at(at_ms) },
            "links": {
                "approval": format!("/v1/approvals/{call}"),
                "call": format!("/v1/calls/{call}"),
            },
        });
        let news = News { event: "approval.settled".to_owned(), data, at_ms };
        self.tell(row.account.as_str(), &news).await?;
        Ok(())
    }

    /// Tells of a search of which nobody more is asked.
    pub(super) async fn tell_of_search(&mut self, id: &str, at_ms: i64) -> Result<(), Trouble> {
        let row = sqlx::query(
            "SELECT account, state, chosen, chosen_call, made_ms, (SELECT COUNT(*) FROM \
             search_targets WHERE search = searches.id) AS targets FROM searches WHERE id = $1",
        )
        .bind(id)
        .fetch_one(&mut self.conn)
        .await?;
        let account: String = row.try_get("account")?;
        let chosen: Option<i64> = row.try_get("chosen")?;
        let call: Option<String> = row.try_get("chosen_call")?;
        let data = json!({
            "id": id,
            "state": row.try_get::<String, _>("state")?,
            "targets": row.try_get::<i64, _>("targets")?,
            "chosen": chosen.map(|number| json!({ "number": number, "call": call })),
            "timestamps": { "made_at": at(row.try_get("made_ms")?), "finished_at": at(at_ms) },
            "links": { "search": format!("/v1/searches/{id}") },
        });
        self.tell(&account, &News { event: "search.finished".to_owned(), data, at_ms }).await?;
        Ok(())
    }

    /// Tells of a time of a schedule at which somebody was rung, or should have been and was not.
    pub(super) async fn tell_of_run(
        &mut self,
        schedule: &str,
        run: &RunRow,
        next_ms: Option<i64>,
    ) -> Result<(), Trouble> {
        let event = match run.verdict.as_str() {
            "placed" => "schedule.called",
            "missed" => "schedule.missed",
            _ => return Ok(()),
        };
        let account: String = sqlx::query_scalar("SELECT account FROM schedules WHERE id = $1")
            .bind(schedule)
            .fetch_one(&mut self.conn)
            .await?;
        let mut links = json!({ "schedule": format!("/v1/schedules/{schedule}") });
        if let Some(call) = &run.call {
            links["call"] = format!("/v1/calls/{call}").into();
        }
        let data = json!({
            "id": schedule,
            "verdict": run.verdict,
            "call": run.call,
            "detail": run.detail,
            "timestamps": { "due_at": at(run.due_ms), "ran_at": at(run.ran_ms) },
            "next_at": next_ms.and_then(at),
            "links": links,
        });
        self.tell(&account, &News { event: event.to_owned(), data, at_ms: run.ran_ms }).await?;
        Ok(())
    }

    /// The one way by which endpoints are told anything.
    async fn tell(&mut self, account: &str, news: &News) -> Result<usize, Trouble> {
        let wanted = self.who_wants(account, &news.event).await?;
        let body = if wanted.is_empty() { String::new() } else { news.body() };
        for webhook in &wanted {
            self.deliver(webhook, &news.event, &body).await?;
        }
        Ok(wanted.len())
    }

    async fn who_wants(&mut self, account: &str, event: &str) -> Result<Vec<String>, Trouble> {
        let wants = |events: &str| {
            events.is_empty() || events.split_whitespace().any(|wanted| wanted == event)
        };
        let all = self.endpoints(account).await?;
        Ok(all.into_iter().filter(|(_, events)| wants(events)).map(|(id, _)| id).collect())
    }

    /// The endpoints that something is sent to, and what each wants.
    async fn endpoints(&mut self, account: &str) -> Result<Vec<(String, String)>, Trouble> {
        let rows = sqlx::query(
            "SELECT id, events FROM webhooks WHERE account = $1 AND disabled IS NULL \
             ORDER BY created_ms, id",
        )
        .bind(account)
        .fetch_all(&mut self.conn)
        .await?;
        let row = |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get("id")?, row.try_get("events")?));
        rows.iter().map(row).collect::<Result<_, sqlx::Error>>().map_err(Trouble::from)
    }

    /// Writes down that an endpoint is to be told; the delivery's id, none when too many wait.
    async fn deliver(
        &mut self,
        webhook: &str,
        event: &str,
        body: &str,
    ) -> Result<Option<String>, Trouble> {
        let (id, at_ms) = (format!("msg_{}", Uuid::now_v7().simple()), now_ms());
        let room =
            sqlx::query("UPDATE webhooks SET waiting = waiting + 1 WHERE id = $1 AND waiting < $2")
                .bind(webhook)
                .bind(WAITING_MAX)
                .execute(&mut self.conn)
                .await?;
        if room.rows_affected() == 0 {
            sqlx::query("UPDATE webhooks SET missed = missed + 1 WHERE id = $1")
                .bind(webhook)
                .execute(&mut self.conn)
                .await?;
            return Ok(None);
        }
        sqlx::query(
            "INSERT INTO webhook_deliveries \
             (id, webhook, event, body, state, attempts, created_ms, due_ms) \
             VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5)",
        )
        .bind(&id)
        .bind(webhook)
        .bind(event)
        .bind(body)
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        self.has_told();
        Ok(Some(id))
    }
}

fn at(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}

/// A call as `GET /v1/calls/{id}` shows it, without its task and its conversation: those are
/// fetched by whoever may read them.
fn data(row: &CallRow) -> Value {
    let at = |ms: Option<i64>| ms.and_then(at);
    let path = format!("/v1/calls/{}", row.id);
    let mut data = json!({
        "id": row.id.to_string(),
        "direction": row.direction.word(),
        "lifecycle": row.lifecycle.word(),
        "outcome": row.outcome.map(|outcome| outcome.word()),
        "reason": row.reason,
        "numbers": { "remote": row.remote.as_str(), "local": row.local.as_str() },
        "timestamps": {
            "queued_at": at(Some(row.queued_ms)),
            "dialing_at": at(row.dialing_ms),
            "answered_at": at(row.answered_ms),
            "finalized_at": at(row.finalized_ms),
        },
        "talk_ms": row.talk_ms,
        "links": { "call": path, "transcript": format!("{path}/transcript") },
    });
    if row.submission_unknown {
        data["submission"] = "unknown".into();
    }
    match &row.result {
        Some(result) if result.as_str().len() > RESULT_BYTES => {
            data["result_omitted"] = true.into();
        }
        Some(Text(result)) => data["result"] = serde_json::from_str(result).unwrap_or_default(),
        None => {}
    }
    data
}
