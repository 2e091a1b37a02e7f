//! Reading the record: queries on the small read pool, rows into plain data.
//! What was noted in the last 100 ms may not be there yet; `flush` waits for it.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, SqliteExecutor, SqlitePool, Transaction};
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::carrier::{CarrierCallId, Number};
use tandem_actors::record::RecordError;
use tandem_actors::tool::ToolCallId;

use super::Store;
use super::archive::{
    CallFilter, CallRow, ConfirmationRow, Cursor, EventRow, LedgerRow, PAGE_MAX, Page, ROWS_MAX,
    TurnRow, direction_named, lifecycle_named, outcome_named, speaker_named, state_named,
    verdict_named,
};
use super::desk::Tenure;
use super::facts::stored;
use super::fault::unread;
use crate::account::Account;

type Read<T> = Result<T, RecordError>;

impl Store {
    /// A reader to which the record stands still: what takes more than one query to read is read
    /// as of one moment.
    pub(super) async fn snapshot(&self) -> Read<Transaction<'static, Sqlite>> {
        self.inner.readers.begin().await.map_err(|error| unread(&error))
    }
}

/// What [`call_row`] reads: a call with what was last written down of its recording, and when that
/// began where it had to wait.
macro_rules! call_columns {
    () => {
        "calls.*, (SELECT body FROM events WHERE events.call = calls.id AND kind = 'recording' \
         ORDER BY sequence DESC LIMIT 1) AS recording, \
         (SELECT MIN(at_ms) FROM events WHERE events.call = calls.id AND kind = 'recording' \
         AND json_extract(body, '$.step') IN ('announced', 'agreed')) AS recorded_ms "
    };
}
pub(super) use call_columns;

/// Calls as they are read.
macro_rules! all_calls {
    () => {
        concat!("SELECT ", $crate::store::read::call_columns!(), "FROM calls ")
    };
}
pub(super) use all_calls;

pub(super) async fn call(reader: impl SqliteExecutor<'_>, id: &CallId) -> Read<Option<CallRow>> {
    let row = sqlx::query(concat!(all_calls!(), "WHERE id = $1"))
        .bind(&*id.0)
        .fetch_optional(reader)
        .await
        .map_err(|error| unread(&error))?;
    row.as_ref().map(call_row).transpose()
}

pub(super) async fn calls(
    pool: &SqlitePool,
    filter: CallFilter,
    after: Option<Cursor>,
    limit: u32,
) -> Read<Page> {
    let query = sqlx::query(concat!(
        all_calls!(),
        "WHERE ($1 IS NULL OR lifecycle = $1) \
         AND ($2 IS NULL OR direction = $2) AND ($3 IS NULL OR outcome = $3) \
         AND ($4 IS NULL OR remote = $4) AND ($5 IS NULL OR account = $5) \
         AND ($6 IS NULL OR finalized_ms >= $6) \
         AND ($7 IS NULL OR queued_ms < $7 OR (queued_ms = $7 AND id < $8)) \
         ORDER BY queued_ms DESC, id DESC LIMIT $9"
    ))
    .bind(filter.lifecycle.map(|lifecycle| lifecycle.word()))
    .bind(filter.direction.map(|direction| direction.word()))
    .bind(filter.outcome.map(|outcome| outcome.word()))
    .bind(filter.remote.as_ref().map(Number::as_str))
    .bind(filter.account.as_ref().map(Account::as_str))
    .bind(filter.finalized_since_ms);
    let cursor = |row: &CallRow| Cursor { queued_ms: row.queued_ms, id: row.id.0.to_string() };
    let (calls, next) = page(pool, query, (after, limit), call_row, cursor).await?;
    Ok(Page { calls, next })
}

/// What accounts make, newest first: the table's rows of one account, or of all, behind a cursor.
macro_rules! newest_of {
    ($table:literal) => {
        concat!(
            "SELECT * FROM ",
            $table,
            " WHERE ($1 IS NULL OR account = $1) \
             AND ($2 IS NULL OR made_ms < $2 OR (made_ms = $2 AND id < $3)) \
             ORDER BY made_ms DESC, id DESC LIMIT $4"
        )
    };
}
pub(super) use newest_of;

/// A page of what [`newest_of`] reads, and where the next begins.
pub(super) async fn newest<T>(
    pool: &SqlitePool,
    sql: &'static str,
    of: Option<Account>,
    place: (Option<Cursor>, u32),
    read: impl Fn(&SqliteRow) -> Read<T>,
    cursor: impl Fn(&T) -> Cursor,
) -> Read<(Vec<T>, Option<Cursor>)> {
    let query = sqlx::query(sql).bind(of.as_ref().map(Account::as_str));
    page(pool, query, place, read, cursor).await
}

/// So many rows from behind a cursor, and where the next page begins when there are more. What the
/// query wants last are the cursor's two figures and how many rows.
async fn page<'q, T>(
    pool: &SqlitePool,
    query: Query<'q, Sqlite, SqliteArguments>,
    (after, limit): (Option<Cursor>, u32),
    read: impl Fn(&SqliteRow) -> Read<T>,
    cursor: impl Fn(&T) -> Cursor,
) -> Read<(Vec<T>, Option<Cursor>)> {
    let limit = limit.clamp(1, PAGE_MAX);
    let (queued_ms, id) = after.map(|cursor| (cursor.queued_ms, cursor.id)).unzip();
    let rows = query
        .bind(queued_ms)
        .bind(id)
        // One more than asked for tells whether there is a next page.
        .bind(i64::from(limit) + 1)
        .fetch_all(pool)
        .await
        .map_err(|error| unread(&error))?;
    let page = limit as usize;
    let read = rows.iter().take(page).map(read).collect::<Read<Vec<_>>>()?;
    let last = if rows.len() > page { read.last() } else { None };
    let next = last.map(cursor);
    Ok((read, next))
}

pub(super) async fn turns(pool: &SqlitePool, id: &CallId) -> Read<Vec<TurnRow>> {
    let sql = "SELECT sequence, at_ms, speaker, text FROM turns WHERE call = $1 \
               ORDER BY sequence LIMIT $2";
    rows_of(pool, id, sql).await?.iter().map(turn_row).collect()
}

pub(super) async fn events(pool: &SqlitePool, id: &CallId, after: u64) -> Read<Vec<EventRow>> {
    let rows = sqlx::query(
        "SELECT sequence, at_ms, kind, body FROM events WHERE call = $1 AND sequence > $2 \
         ORDER BY sequence LIMIT $3",
    )
    .bind(&*id.0)
    .bind(stored(after))
    .bind(i64::from(ROWS_MAX))
    .fetch_all(pool)
    .await
    .map_err(|error| unread(&error))?;
    rows.iter().map(event_row).collect()
}

pub(super) async fn tool_ledger(pool: &SqlitePool, id: &CallId) -> Read<Vec<LedgerRow>> {
    let sql = "SELECT * FROM tool_ledger WHERE call = $1 ORDER BY asked_ms, tool_call LIMIT $2";
    rows_of(pool, id, sql).await?.iter().map(ledger_row).collect()
}

pub(super) async fn confirmations(pool: &SqlitePool, id: &CallId) -> Read<Vec<ConfirmationRow>> {
    let sql = "SELECT * FROM confirmations WHERE call = $1 ORDER BY sequence LIMIT $2";
    rows_of(pool, id, sql).await?.iter().map(confirmation_row).collect()
}

pub(super) async fn setting(pool: &SqlitePool, key: &str) -> Read<Option<Text>> {
    let value = sqlx::query_scalar("SELECT value FROM settings WHERE key = $1")
        .bind(key)
        .fetch_optional(pool)
        .await
        .map_err(|error| unread(&error))?;
    Ok(value.map(Text))
}

async fn rows_of(pool: &SqlitePool, id: &CallId, sql: &'static str) -> Read<Vec<SqliteRow>> {
    sqlx::query(sql)
        .bind(&*id.0)
        .bind(i64::from(ROWS_MAX))
        .fetch_all(pool)
        .await
        .map_err(|error| unread(&error))
}

/// One column of a row of ours.
pub(super) fn column<'r, T>(row: &'r SqliteRow, name: &str) -> Read<T>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(name).map_err(|error| unread(&error))
}

fn sequence(row: &SqliteRow) -> Read<u64> {
    let sequence: i64 = column(row, "sequence")?;
    u64::try_from(sequence).map_err(|_| RecordError("a sequence number is negative".to_owned()))
}

pub(super) fn call_row(row: &SqliteRow) -> Read<CallRow> {
    let outcome: Option<String> = column(row, "outcome")?;
    Ok(CallRow {
        id: CallId::new(column(row, "id")?),
        account: column::<&str>(row, "account")?
            .parse()
            .map_err(|error| RecordError(format!("a call: {error}")))?,
        direction: direction_named(column(row, "direction")?)?,
        remote: Number::new(column::<String>(row, "remote")?),
        local: Number::new(column::<String>(row, "local")?),
        task: Text(column(row, "task")?),
        manner: column::<Option<&str>>(row, "manner")?
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| RecordError(format!("the manner of a call: {error}")))?
            .unwrap_or_default(),
        lifecycle: lifecycle_named(column(row, "lifecycle")?)?,
        outcome: outcome.as_deref().map(outcome_named).transpose()?,
        reason: column(row, "reason")?,
        submission_unknown: column::<Option<&str>>(row, "submission")?.is_some(),
        carrier_call: column::<Option<String>>(row, "carrier_call")?.map(CarrierCallId),
        owner: Tenure { node: column(row, "node")?, epoch: column(row, "epoch")? },
        queued_ms: column(row, "queued_ms")?,
        dialing_ms: column(row, "dialing_ms")?,
        answered_ms: column(row, "answered_ms")?,
        finalized_ms: column(row, "finalized_ms")?,
        talk_ms: column(row, "talk_ms")?,
        usage: column(row, "usage")?,
        recorded_ms: column(row, "recorded_ms")?,
        recording: column::<Option<&str>>(row, "recording")?.and_then(|body| {
            let body: serde_json::Value = serde_json::from_str(body).ok()?;
            body["step"].as_str().map(str::to_owned)
        }),
        result: column::<Option<String>>(row, "result")?.map(Text),
        follows: column::<Option<String>>(row, "follows")?.map(|call| CallId::new(&call)),
        campaign: column(row, "campaign")?,
    })
}

fn turn_row(row: &SqliteRow) -> Read<TurnRow> {
    Ok(TurnRow {
        sequence: sequence(row)?,
        at_ms: column(row, "at_ms")?,
        speaker: speaker_named(column(row, "speaker")?)?,
        text: Text(column(row, "text")?),
    })
}

fn event_row(row: &SqliteRow) -> Read<EventRow> {
    Ok(EventRow {
        sequence: sequence(row)?,
        at_ms: column(row, "at_ms")?,
        kind: column(row, "kind")?,
        body: Text(column(row, "body")?),
    })
}

fn ledger_row(row: &SqliteRow) -> Read<LedgerRow> {
    let verdict: Option<String> = column(row, "verdict")?;
    Ok(LedgerRow {
        tool_call: ToolCallId(column(row, "tool_call")?),
        name: column(row, "name")?,
        arguments: Text(column(row, "arguments")?),
        arguments_hash: column(row, "arguments_hash")?,
        state: state_named(column(row, "state")?)?,
        verdict: verdict.as_deref().map(verdict_named).transpose()?,
        output: column::<Option<String>>(row, "output")?.map(Text),
        asked_ms: column(row, "asked_ms")?,
        begun_ms: column(row, "begun_ms")?,
        done_ms: column(row, "done_ms")?,
    })
}

pub(super) fn confirmation_row(row: &SqliteRow) -> Read<ConfirmationRow> {
    Ok(ConfirmationRow {
        name: column(row, "name")?,
        question: Text(column(row, "question")?),
        asked_ms: column(row, "asked_ms")?,
        verdict: column(row, "verdict")?,
        settled_ms: column(row, "settled_ms")?,
    })
}
