//! What the agent behind the voice was asked for a call, and what came of it.

use sqlx::Row as _;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::call::restricted;
use tandem_actors::record::RecordError;

use super::archive::Archive;
use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, now_ms};

/// How far a task of the agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// The agent is at it.
    Running,
    /// It has answered.
    Done,
    /// It could not, or took too long.
    Failed,
    /// Somebody called it off.
    Cancelled,
    /// The server that waited for it is gone.
    Lost,
}

impl AgentState {
    const ALL: [Self; 5] = [Self::Running, Self::Done, Self::Failed, Self::Cancelled, Self::Lost];

    /// The word in the store and for the model.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

/// One task of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentTask {
    /// Counts the tasks of a call, from 1.
    pub number: u32,
    /// What it was asked.
    pub request: Text,
    /// How far it is.
    pub state: AgentState,
    /// What it answered, or why not.
    pub answer: Option<Text>,
    /// When it was asked.
    pub begun_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
}

/// What the agent behind the voice is asked, and what comes of it.
pub trait AgentTasks: Archive {
    /// Writes down that the agent is asked, without the restricted data in it; the task's number.
    /// Durable before it returns.
    fn begin_agent_task(
        &self,
        call: &CallId,
        request: Text,
    ) -> impl Future<Output = Result<u32, RecordError>> + Send;

    /// Writes down what came of a task; what it ended as first stays.
    fn end_agent_task(
        &self,
        call: &CallId,
        number: u32,
        state: AgentState,
        answer: Option<Text>,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// The tasks of this node that an earlier run has left behind are nobody's any more; how many.
    fn lose_agent_tasks(&self) -> impl Future<Output = Result<u64, RecordError>> + Send;

    /// The tasks of a call, oldest first.
    fn agent_tasks(
        &self,
        call: &CallId,
    ) -> impl Future<Output = Result<Vec<AgentTask>, RecordError>> + Send;
}

impl AgentTasks for Store {
    async fn begin_agent_task(&self, call: &CallId, request: Text) -> Result<u32, RecordError> {
        let (call, at_ms) = (call.clone(), now_ms());
        let request = Text(restricted::mask(request.as_str(), None));
        let begun = self.promise(move |desk| {
            Box::pin(async move { desk.begin_agent_task(&call, &request, at_ms).await })
        });
        Ok(begun.await?)
    }

    async fn end_agent_task(
        &self,
        call: &CallId,
        number: u32,
        state: AgentState,
        answer: Option<Text>,
    ) -> Result<(), RecordError> {
        let (call, at_ms) = (call.clone(), now_ms());
        let answer = answer.map(|answer| Text(restricted::mask(answer.as_str(), None)));
        let ended = self.promise(move |desk| {
            Box::pin(async move {
                desk.end_agent_task(&call, number, state, answer.as_ref(), at_ms).await
            })
        });
        Ok(ended.await?)
    }

    async fn lose_agent_tasks(&self) -> Result<u64, RecordError> {
        let at_ms = now_ms();
        let lost =
            self.promise(move |desk| Box::pin(async move { desk.lose_agent_tasks(at_ms).await }));
        Ok(lost.await?)
    }

    async fn agent_tasks(&self, call: &CallId) -> Result<Vec<AgentTask>, RecordError> {
        let rows = sqlx::query("SELECT * FROM agent_tasks WHERE call = $1 ORDER BY number")
            .bind(&*call.0)
            .fetch_all(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        rows.iter().map(|row| task(row).map_err(|error| unread(&error))).collect()
    }
}

fn task(row: &sqlx::sqlite::SqliteRow) -> Result<AgentTask, sqlx::Error> {
    let word: String = row.try_get("state")?;
    let state = AgentState::ALL.into_iter().find(|state| state.word() == word);
    Ok(AgentTask {
        number: row.try_get("number")?,
        request: Text(row.try_get("request")?),
        state: state.ok_or_else(|| sqlx::Error::Decode(format!("no state: {word}").into()))?,
        answer: row.try_get::<Option<String>, _>("answer")?.map(Text),
        begun_ms: row.try_get("begun_ms")?,
        ended_ms: row.try_get("ended_ms")?,
    })
}

impl Desk {
    async fn begin_agent_task(
        &mut self,
        call: &CallId,
        request: &Text,
        at_ms: i64,
    ) -> Result<u32, Trouble> {
        self.require_ours(call).await?;
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO agent_tasks (call, number, request, state, begun_ms) \
             SELECT $1, COALESCE(MAX(number), 0) + 1, $2, 'running', $3 \
             FROM agent_tasks WHERE call = $1 RETURNING number",
        )
        .bind(&*call.0)
        .bind(request.as_str())
        .bind(at_ms)
        .fetch_one(&mut self.conn)
        .await?;
        u32::try_from(number).map_err(|_| Trouble::refused("too many tasks".to_owned()))
    }

    async fn end_agent_task(
        &mut self,
        call: &CallId,
        number: u32,
        state: AgentState,
        answer: Option<&Text>,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        self.require_ours(call).await?;
        sqlx::query(
            "UPDATE agent_tasks SET state = $3, answer = $4, ended_ms = $5 \
             WHERE call = $1 AND number = $2 AND state = 'running'",
        )
        .bind(&*call.0)
        .bind(i64::from(number))
        .bind(state.word())
        .bind(answer.map(Text::as_str))
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    async fn lose_agent_tasks(&mut self, at_ms: i64) -> Result<u64, Trouble> {
        let lost = sqlx::query(
            "UPDATE agent_tasks SET state = 'lost', ended_ms = $1 \
             WHERE state = 'running' AND call IN \
             (SELECT id FROM calls WHERE node = $2 AND epoch < $3)",
        )
        .bind(at_ms)
        .bind(&self.tenure.node)
        .bind(self.tenure.epoch)
        .execute(&mut self.conn)
        .await?;
        Ok(lost.rows_affected())
    }
}
