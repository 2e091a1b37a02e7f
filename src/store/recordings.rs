//! What is remembered of the recordings that a carrier makes: whose they are, and which files it
//! has told of that are not here yet. A file may be told of minutes after its call, and the
//! server may have been restarted between.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::record::RecordError;

use super::archive::Archive;
use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, now_ms};

/// A file that a carrier has told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedFile {
    /// Whose recording it is of.
    pub call: CallId,
    /// Which piece of it, from 0.
    pub piece: u32,
    /// Where the carrier has it.
    pub location: Text,
}

/// What is remembered of the recordings that a carrier makes.
pub trait CarrierRecordings: Archive {
    /// Remembers under which names a carrier may tell of a call's recording. A name that is known
    /// stays the call's that had it first.
    fn name_recording(
        &self,
        call: &CallId,
        names: Vec<String>,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// The call that is recorded under the first of these names that is known.
    fn recorded_call(
        &self,
        names: &[String],
    ) -> impl Future<Output = Result<Option<CallId>, RecordError>> + Send;

    /// Remembers files that are to be fetched; durable before it returns.
    fn await_files(
        &self,
        files: Vec<AwaitedFile>,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Nobody waits for this file any more.
    fn forget_file(
        &self,
        call: &CallId,
        piece: u32,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// The files that this node waits for; those that it was told of before `since` are
    /// forgotten.
    fn awaited_files(
        &self,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<AwaitedFile>, RecordError>> + Send;
}

impl CarrierRecordings for Store {
    async fn name_recording(&self, call: &CallId, names: Vec<String>) -> Result<(), RecordError> {
        let call = call.clone();
        let written = self
            .promise(move |desk| Box::pin(async move { desk.name_recording(&call, &names).await }));
        Ok(written.await?)
    }

    async fn recorded_call(&self, names: &[String]) -> Result<Option<CallId>, RecordError> {
        for name in names {
            if let Some(call) = recorded_under(&self.inner.readers, name).await? {
                return Ok(Some(call));
            }
        }
        Ok(None)
    }

    async fn await_files(&self, files: Vec<AwaitedFile>) -> Result<(), RecordError> {
        let at_ms = now_ms();
        let written = self
            .promise(move |desk| Box::pin(async move { desk.await_files(&files, at_ms).await }));
        Ok(written.await?)
    }

    async fn forget_file(&self, call: &CallId, piece: u32) -> Result<(), RecordError> {
        let call = call.clone();
        let gone =
            self.promise(move |desk| Box::pin(async move { desk.forget_file(&call, piece).await }));
        Ok(gone.await?)
    }

    async fn awaited_files(&self, since: Timestamp) -> Result<Vec<AwaitedFile>, RecordError> {
        let since_ms = since.as_millisecond();
        let awaited =
            self.promise(move |desk| Box::pin(async move { desk.awaited_files(since_ms).await }));
        Ok(awaited.await?)
    }
}

async fn recorded_under(pool: &SqlitePool, name: &str) -> Result<Option<CallId>, RecordError> {
    let call: Option<String> =
        sqlx::query_scalar("SELECT call FROM recording_names WHERE name = $1")
            .bind(name)
            .fetch_optional(pool)
            .await
            .map_err(|error| unread(&error))?;
    Ok(call.map(|call| CallId::new(&call)))
}

impl Desk {
    async fn name_recording(&mut self, call: &CallId, names: &[String]) -> Result<(), Trouble> {
        self.require_ours(call).await?;
        for name in names {
            sqlx::query(
                "INSERT INTO recording_names (name, call) VALUES ($1, $2) \
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(name)
            .bind(&*call.0)
            .execute(&mut self.conn)
            .await?;
        }
        Ok(())
    }

    /// The call may be one of an earlier run: this is no part of its story.
    async fn await_files(&mut self, files: &[AwaitedFile], at_ms: i64) -> Result<(), Trouble> {
        for file in files {
            sqlx::query(
                "INSERT INTO recording_files (call, piece, location, told_ms) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (call, piece) DO NOTHING",
            )
            .bind(&*file.call.0)
            .bind(i64::from(file.piece))
            .bind(file.location.as_str())
            .bind(at_ms)
            .execute(&mut self.conn)
            .await?;
        }
        Ok(())
    }

    async fn forget_file(&mut self, call: &CallId, piece: u32) -> Result<(), Trouble> {
        sqlx::query("DELETE FROM recording_files WHERE call = $1 AND piece = $2")
            .bind(&*call.0)
            .bind(i64::from(piece))
            .execute(&mut self.conn)
            .await?;
        Ok(())
    }

    async fn awaited_files(&mut self, since_ms: i64) -> Result<Vec<AwaitedFile>, Trouble> {
        sqlx::query("DELETE FROM recording_files WHERE told_ms < $1")
            .bind(since_ms)
            .execute(&mut self.conn)
            .await?;
        let rows = sqlx::query(
            "SELECT call, piece, location FROM recording_files \
             JOIN calls ON calls.id = call WHERE calls.node = $1 ORDER BY told_ms, call, piece",
        )
        .bind(&self.tenure.node)
        .fetch_all(&mut self.conn)
        .await?;
        let mut files = Vec::with_capacity(rows.len());
        for row in rows {
            let piece: i64 = row.try_get("piece")?;
            files.push(AwaitedFile {
                call: CallId::new(row.try_get("call")?),
                piece: u32::try_from(piece).unwrap_or_default(),
                location: Text(row.try_get("location")?),
            });
        }
        Ok(files)
    }
}
