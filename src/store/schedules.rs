//! Calls that are to be made later, and what came of each time.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};
use tandem_actors::record::RecordError;

use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::orders::{Once, Ordered};
use super::{Store, now_ms};
use crate::account::Account;

/// Schedules of one account that are still to come.
pub const SCHEDULES_MAX: i64 = 200;

/// Schedules that are looked at in one go, and runs that are shown of one.
const ROWS: i64 = 100;

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Its id.
    pub id: String,
    /// Whose.
    pub account: Account,
    /// What is to be done when: JSON.
    pub spec: String,
    /// `active`, `done` or `cancelled`.
    pub state: String,
    /// The next time; none when nothing is to come.
    pub next_ms: Option<i64>,
    /// When it was made.
    pub made_ms: i64,
}

/// What came of one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// When it was due.
    pub due_ms: i64,
    /// When it was seen to.
    pub ran_ms: i64,
    /// `placed`, `condition_not_met`, `condition_failed`, `missed` or `not_placed`.
    pub verdict: String,
    /// The call that was placed.
    pub call: Option<String>,
    /// Why not, in a sentence.
    pub detail: Option<String>,
}

/// Calls that are to be made later.
pub trait Schedules {
    /// Keeps a schedule; none when the account has [`SCHEDULES_MAX`] that are still to come.
    /// Durable before it returns.
    fn schedule(
        &self,
        row: ScheduleRow,
        once: Option<Once>,
    ) -> impl Future<Output = Result<Option<Ordered<()>>, RecordError>> + Send;

    /// One schedule.
    fn one_schedule(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<Option<ScheduleRow>, RecordError>> + Send;

    /// The schedules of an account, of all when none is named, that are still to come.
    fn schedules(
        &self,
        account: Option<&Account>,
    ) -> impl Future<Output = Result<Vec<ScheduleRow>, RecordError>> + Send;

    /// Schedules whose time has come.
    fn due_schedules(
        &self,
        now_ms: i64,
    ) -> impl Future<Output = Result<Vec<ScheduleRow>, RecordError>> + Send;

    /// One schedule with what came of it, newest first.
    fn history(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<Option<(ScheduleRow, Vec<RunRow>)>, RecordError>> + Send;

    /// Writes what came of one time and when the next is; durable before it returns. A time that
    /// was seen to before is not seen to again.
    fn ran(
        &self,
        id: String,
        run: RunRow,
        next_ms: Option<i64>,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Nothing of it is to come any more.
    fn cancel_schedule(&self, id: String) -> impl Future<Output = Result<(), RecordError>> + Send;
}

impl Schedules for Store {
    async fn schedule(
        &self,
        row: ScheduleRow,
        once: Option<Once>,
    ) -> Result<Option<Ordered<()>>, RecordError> {
        let at_ms = now_ms();
        let kept = self.promise(move |desk| {
            Box::pin(async move { desk.schedule(&row, once.as_ref(), at_ms).await })
        });
        Ok(kept.await?)
    }

    async fn one_schedule(&self, id: &str) -> Result<Option<ScheduleRow>, RecordError> {
        one_schedule(&self.inner.readers, id).await
    }

    async fn schedules(&self, account: Option<&Account>) -> Result<Vec<ScheduleRow>, RecordError> {
        let rows = sqlx::query(
            "SELECT * FROM schedules WHERE state = 'active' AND ($1 IS NULL OR account = $1) \
             ORDER BY next_ms, id LIMIT 1000",
        )
        .bind(account.map(Account::as_str))
        .fetch_all(&self.inner.readers)
        .await
        .map_err(|error| unread(&error))?;
        rows.iter().map(schedule_row).collect()
    }

    async fn due_schedules(&self, now_ms: i64) -> Result<Vec<ScheduleRow>, RecordError> {
        let rows = sqlx::query(
            "SELECT * FROM schedules WHERE state = 'active' AND next_ms <= $1 \
             ORDER BY next_ms, id LIMIT $2",
        )
        .bind(now_ms)
        .bind(ROWS)
        .fetch_all(&self.inner.readers)
        .await
        .map_err(|error| unread(&error))?;
        rows.iter().map(schedule_row).collect()
    }

    async fn history(&self, id: &str) -> Result<Option<(ScheduleRow, Vec<RunRow>)>, RecordError> {
        let mut reader = self.snapshot().await?;
        let Some(schedule) = one_schedule(&mut *reader, id).await? else { return Ok(None) };
        let rows = sqlx::query(
            "SELECT * FROM schedule_runs WHERE schedule = $1 ORDER BY due_ms DESC LIMIT $2",
        )
        .bind(id)
        .bind(ROWS)
        .fetch_all(&mut *reader)
        .await
        .map_err(|error| unread(&error))?;
        let runs = rows.iter().map(run_row).collect::<Result<_, _>>()?;
        Ok(Some((schedule, runs)))
    }

    async fn ran(&self, id: String, run: RunRow, next_ms: Option<i64>) -> Result<(), RecordError> {
        let ran =
            self.promise(move |desk| Box::pin(async move { desk.ran(&id, &run, next_ms).await }));
        Ok(ran.await?)
    }

    async fn cancel_schedule(&self, id: String) -> Result<(), RecordError> {
        let cancelled =
            self.promise(move |desk| Box::pin(async move { desk.cancel_schedule(&id).await }));
        Ok(cancelled.await?)
    }
}

impl Desk {
    async fn schedule(
        &mut self,
        row: &ScheduleRow,
        once: Option<&Once>,
        at_ms: i64,
    ) -> Result<Option<Ordered<()>>, Trouble> {
        if let Some(once) = once
            && let Some(before) = self.ordered(once, &row.id, at_ms).await?
        {
            return Ok(Some(before));
        }
        let held: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM schedules WHERE account = $1 AND state = 'active'",
        )
        .bind(row.account.as_str())
        .fetch_one(&mut self.conn)
        .await?;
        if held >= SCHEDULES_MAX {
            return Ok(None);
        }
        sqlx::query(
            "INSERT INTO schedules (id, account, spec, state, next_ms, made_ms) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&row.id)
        .bind(row.account.as_str())
        .bind(&row.spec)
        .bind(&row.state)
        .bind(row.next_ms)
        .bind(row.made_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(Some(Ordered::New(())))
    }

    async fn ran(&mut self, id: &str, run: &RunRow, next_ms: Option<i64>) -> Result<(), Trouble> {
        let fresh = sqlx::query(
            "INSERT INTO schedule_runs (schedule, due_ms, ran_ms, verdict, call, detail) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (schedule, due_ms) DO NOTHING",
        )
        .bind(id)
        .bind(run.due_ms)
        .bind(run.ran_ms)
        .bind(&run.verdict)
        .bind(&run.call)
        .bind(&run.detail)
        .execute(&mut self.conn)
        .await?;
        if fresh.rows_affected() == 1 {
            self.tell_of_run(id, run, next_ms).await?;
        }
        sqlx::query(
            "UPDATE schedules SET next_ms = $2, \
             state = CASE WHEN $2 IS NULL THEN 'done' ELSE state END \
             WHERE id = $1 AND state = 'active'",
        )
        .bind(id)
        .bind(next_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    async fn cancel_schedule(&mut self, id: &str) -> Result<(), Trouble> {
        sqlx::query(
            "UPDATE schedules SET state = 'cancelled', next_ms = NULL \
             WHERE id = $1 AND state = 'active'",
        )
        .bind(id)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }
}

async fn one_schedule(
    reader: impl SqliteExecutor<'_>,
    id: &str,
) -> Result<Option<ScheduleRow>, RecordError> {
    let row = sqlx::query("SELECT * FROM schedules WHERE id = $1")
        .bind(id)
        .fetch_optional(reader)
        .await
        .map_err(|error| unread(&error))?;
    row.as_ref().map(schedule_row).transpose()
}

fn schedule_row(row: &SqliteRow) -> Result<ScheduleRow, RecordError> {
    let account: String = row.try_get("account").map_err(|error| unread(&error))?;
    let account = account.parse().map_err(|error| RecordError(format!("a schedule: {error}")))?;
    let read = || -> sqlx::Result<ScheduleRow> {
        Ok(ScheduleRow {
            id: row.try_get("id")?,
            account,
            spec: row.try_get("spec")?,
            state: row.try_get("state")?,
            next_ms: row.try_get("next_ms")?,
            made_ms: row.try_get("made_ms")?,
        })
    };
    read().map_err(|error| unread(&error))
}

fn run_row(row: &SqliteRow) -> Result<RunRow, RecordError> {
    let read = || -> sqlx::Result<RunRow> {
        Ok(RunRow {
            due_ms: row.try_get("due_ms")?,
            ran_ms: row.try_get("ran_ms")?,
            verdict: row.try_get("verdict")?,
            call: row.try_get("call")?,
            detail: row.try_get("detail")?,
        })
    };
    read().map_err(|error| unread(&error))
}
