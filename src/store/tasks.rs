//! The task list in the record: rows, and the one way to touch them, in which the effect and the
//! ledger's entry share a transaction. What to do with the list is decided by the tools.

use futures_util::future::BoxFuture;
use jiff::civil::Date;
use serde::Deserialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tandem_actors::briefing::Text;
use tandem_actors::record::RecordError;
use tandem_actors::tool::{Done, Job, Readback};

use super::archive::named;
use super::desk::Desk;
use super::fault::Trouble;
use super::ledger::Asked;
use super::{Store, Unkept, now_ms};

/// Whose list it is, as long as there is one.
pub(super) const OWNER: &str = "local";

/// The most tasks of one owner: the list is read whole to find what a caller means.
pub const TASKS_MAX: usize = 500;

/// How urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Some day.
    Low,
    /// As usual.
    Medium,
    /// First.
    High,
}

impl Priority {
    /// The word in the tools and the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Whether it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// Not yet.
    Pending,
    /// Done.
    Completed,
}

impl TaskStatus {
    /// The word in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
        }
    }
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// Ours; in the order of creation.
    pub id: String,
    /// As it was said.
    pub title: Text,
    /// By when.
    pub due: Option<Date>,
    /// How urgent.
    pub priority: Priority,
    /// Whether it is done.
    pub status: TaskStatus,
    /// When it was made.
    pub created_ms: i64,
}

/// What a tool decides upon.
#[derive(Clone, Debug, Default)]
pub struct TaskBook {
    /// The whole list, in the order of creation.
    pub tasks: Vec<TaskRow>,
    /// Ids in the order in which they were last read out in this call.
    pub numbers: Vec<String>,
    /// The ids this job was read back as; none where nobody was asked about it.
    pub resolved: Vec<String>,
}

/// What a tool decided.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Written in this order.
    pub changes: Vec<TaskChange>,
    /// What the model is told, and any later run of the same job again.
    pub done: Done,
}

/// One change of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskChange {
    /// A new task.
    Add(TaskRow),
    /// It is done.
    Complete {
        /// Which.
        id: String,
        /// When.
        at_ms: i64,
    },
    /// It is due on another day, or on none.
    Move {
        /// Which.
        id: String,
        /// By when from now on.
        due: Option<Date>,
    },
    /// Away with it.
    Delete {
        /// Which.
        id: String,
    },
    /// These were read out, in this order.
    Number(Vec<String>),
}

/// The rows a destructive job means, and no others.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The rows.
    pub ids: Vec<String>,
    /// The question about them.
    pub readback: Readback,
}

/// Between ids in one column; no id of ours has one.
const BETWEEN_IDS: &str = " ";

/// Where a list and its ledger lie: the record, or memory under a load test.
pub trait TaskList: Clone + Send + Sync + 'static {
    /// Runs a job on the list: `decide` sees the list and says what changes and what the model is
    /// told. List and ledger change together or not at all, and once per job: a job that has run
    /// is not decided again, its stored answer comes back.
    fn perform(
        &self,
        job: Job,
        decide: impl FnOnce(&TaskBook) -> Decision + Send + 'static,
    ) -> BoxFuture<'static, Result<Done, Unkept>>;

    /// Resolves a destructive job to rows of the list and remembers which.
    fn resolve(
        &self,
        job: Job,
        resolve: impl FnOnce(&TaskBook) -> Result<Resolved, Decision> + Send + 'static,
    ) -> BoxFuture<'static, Result<Result<Readback, Done>, Unkept>>;
}

impl TaskList for Store {
    fn perform(
        &self,
        job: Job,
        decide: impl FnOnce(&TaskBook) -> Decision + Send + 'static,
    ) -> BoxFuture<'static, Result<Done, Unkept>> {
        let at_ms = now_ms();
        self.promise(move |desk| Box::pin(async move { desk.perform(&job, decide, at_ms).await }))
    }

    fn resolve(
        &self,
        job: Job,
        resolve: impl FnOnce(&TaskBook) -> Result<Resolved, Decision> + Send + 'static,
    ) -> BoxFuture<'static, Result<Result<Readback, Done>, Unkept>> {
        let at_ms = now_ms();
        self.promise(move |desk| Box::pin(async move { desk.resolve(&job, resolve, at_ms).await }))
    }
}

impl Desk {
    /// Runs a job on the list unless it has run: effect and entry stand or fall together.
    pub(super) async fn perform(
        &mut self,
        job: &Job,
        decide: impl FnOnce(&TaskBook) -> Decision + Send,
        at_ms: i64,
    ) -> Result<Done, Trouble> {
        self.require_ours(&job.call).await?;
        if let Some(done) = self.known(job).await? {
            return Ok(done);
        }
        let decision = decide(&self.task_book(job).await?);
        self.change_all(job, &decision.changes).await?;
        self.intend(job, at_ms).await?;
        self.settle(job, &decision.done, at_ms).await?;
        Ok(decision.done)
    }

    /// Resolves a job to rows and remembers them, for [`Desk::perform`] to touch no others.
    pub(super) async fn resolve(
        &mut self,
        job: &Job,
        resolve: impl FnOnce(&TaskBook) -> Result<Resolved, Decision> + Send,
        at_ms: i64,
    ) -> Result<Result<Readback, Done>, Trouble> {
        self.require_ours(&job.call).await?;
        if let Some(done) = self.known(job).await? {
            return Ok(Err(done));
        }
        let Resolved { ids, readback } = match resolve(&self.task_book(job).await?) {
            Ok(resolved) => resolved,
            Err(decision) => {
                self.change_all(job, &decision.changes).await?;
                return Ok(Err(decision.done));
            }
        };
        self.asked(&Asked::from(job), at_ms).await?;
        sqlx::query("UPDATE tool_ledger SET resolved = $3 WHERE call = $1 AND tool_call = $2")
            .bind(&*job.call.0)
            .bind(&job.id.0)
            .bind(ids.join(BETWEEN_IDS))
            .execute(&mut self.conn)
            .await?;
        Ok(Ok(readback))
    }

    async fn task_book(&mut self, job: &Job) -> Result<TaskBook, Trouble> {
        let tasks = sqlx::query("SELECT * FROM tasks WHERE owner = $1 ORDER BY created_ms, id")
            .bind(OWNER)
            .fetch_all(&mut self.conn)
            .await?;
        let tasks = tasks.iter().map(task_row).collect::<Result<_, _>>()?;
        let numbers =
            sqlx::query_scalar("SELECT task FROM task_numbers WHERE call = $1 ORDER BY number")
                .bind(&*job.call.0)
                .fetch_all(&mut self.conn)
                .await?;
        let resolved: Option<Option<String>> = sqlx::query_scalar(
            "SELECT resolved FROM tool_ledger WHERE call = $1 AND tool_call = $2",
        )
        .bind(&*job.call.0)
        .bind(&job.id.0)
        .fetch_optional(&mut self.conn)
        .await?;
        let resolved = resolved.flatten().unwrap_or_default();
        let resolved = resolved.split_terminator(BETWEEN_IDS).map(str::to_owned).collect();
        Ok(TaskBook { tasks, numbers, resolved })
    }

    async fn change_all(&mut self, job: &Job, changes: &[TaskChange]) -> Result<(), Trouble> {
        for change in changes {
            self.change(job, change).await?;
        }
        Ok(())
    }

    async fn change(&mut self, job: &Job, change: &TaskChange) -> Result<(), Trouble> {
        match change {
            TaskChange::Add(task) => self.add_task(task).await,
            TaskChange::Complete { id, at_ms } => {
                let sql = "UPDATE tasks SET status = 'completed', completed_ms = $2 WHERE id = $1";
                sqlx::query(sql).bind(id).bind(at_ms).execute(&mut self.conn).await?;
                Ok(())
            }
            TaskChange::Move { id, due } => {
                let sql = "UPDATE tasks SET due_date = $2 WHERE id = $1";
                let due = due.map(|due| due.to_string());
                sqlx::query(sql).bind(id).bind(due).execute(&mut self.conn).await?;
                Ok(())
            }
            TaskChange::Delete { id } => {
                let sql = "DELETE FROM tasks WHERE id = $1";
                sqlx::query(sql).bind(id).execute(&mut self.conn).await?;
                Ok(())
            }
            TaskChange::Number(ids) => self.number_tasks(job, ids).await,
        }
    }

    async fn add_task(&mut self, task: &TaskRow) -> Result<(), Trouble> {
        sqlx::query(
            "INSERT INTO tasks (id, owner, title, due_date, priority, status, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&task.id)
        .bind(OWNER)
        .bind(task.title.as_str())
        .bind(task.due.map(|due| due.to_string()))
        .bind(task.priority.word())
        .bind(task.status.word())
        .bind(task.created_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    async fn number_tasks(&mut self, job: &Job, ids: &[String]) -> Result<(), Trouble> {
        sqlx::query("DELETE FROM task_numbers WHERE call = $1")
            .bind(&*job.call.0)
            .execute(&mut self.conn)
            .await?;
        for (number, id) in (1_i64..).zip(ids) {
            sqlx::query("INSERT INTO task_numbers (call, number, task) VALUES ($1, $2, $3)")
                .bind(&*job.call.0)
                .bind(number)
                .bind(id)
                .execute(&mut self.conn)
                .await?;
        }
        Ok(())
    }
}

fn task_row(row: &SqliteRow) -> Result<TaskRow, Trouble> {
    let due: Option<String> = row.try_get("due_date")?;
    let due = due.map(|due| due.parse()).transpose();
    let due = due.map_err(|_| Trouble::refused("a due date in the store is no date"))?;
    Ok(TaskRow {
        id: row.try_get("id")?,
        title: Text(row.try_get("title")?),
        due,
        priority: word(
            &[Priority::Low, Priority::Medium, Priority::High],
            Priority::word,
            row.try_get("priority")?,
        )?,
        status: word(
            &[TaskStatus::Pending, TaskStatus::Completed],
            TaskStatus::word,
            row.try_get("status")?,
        )?,
        created_ms: row.try_get("created_ms")?,
    })
}

fn word<T: Copy>(all: &[T], of: fn(T) -> &'static str, word: &str) -> Result<T, Trouble> {
    named(all, of, word).map_err(|RecordError(why)| Trouble::refused(why))
}
