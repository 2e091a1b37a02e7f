//! Searches read back from the record, each with the calls that have asked its targets.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;

use super::super::archive::{Archive, Cursor, outcome_named};
use super::super::fault::unread;
use super::super::read::{call, column, newest, newest_of};
use super::{Inquiry, SearchRow, SearchState, Store, Target, TargetRow};
use crate::account::Account;

/// Searches read back from the record.
pub trait SearchArchive: Archive {
    /// A search with its targets and their calls; none when there is none of this id.
    fn search(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<Option<SearchRow>, RecordError>> + Send;

    /// Searches, newest first, from behind `after`, without their targets; of one account where
    /// that is said. At most `limit`, at most [`PAGE_MAX`](super::super::PAGE_MAX); and where
    /// the next page begins.
    fn searches(
        &self,
        of: Option<Account>,
        after: Option<Cursor>,
        limit: u32,
    ) -> impl Future<Output = Result<(Vec<SearchRow>, Option<Cursor>), RecordError>> + Send;

    /// The searches in which there may be something to do: those that run, and those that are over
    /// but for calls.
    fn open_searches(&self) -> impl Future<Output = Result<Vec<String>, RecordError>> + Send;
}

impl SearchArchive for Store {
    async fn search(&self, id: &str) -> Result<Option<SearchRow>, RecordError> {
        let mut reader = self.snapshot().await?;
        let row = sqlx::query("SELECT * FROM searches WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *reader)
            .await
            .map_err(|error| unread(&error))?;
        let Some(row) = row else { return Ok(None) };
        let targets = targets(&mut reader, id).await?;
        Ok(Some(SearchRow { targets, ..read(&row)? }))
    }

    async fn searches(
        &self,
        of: Option<Account>,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<(Vec<SearchRow>, Option<Cursor>), RecordError> {
        let (readers, sql) = (&self.inner.readers, newest_of!("searches"));
        let cursor = |row: &SearchRow| Cursor { queued_ms: row.made_ms, id: row.id.clone() };
        newest(readers, sql, of, (after, limit), read, cursor).await
    }

    async fn open_searches(&self) -> Result<Vec<String>, RecordError> {
        sqlx::query_scalar(
            "SELECT id FROM searches WHERE state = 'running' UNION \
             SELECT search FROM search_targets JOIN calls ON calls.id = search_targets.call \
             WHERE calls.lifecycle <> 'finalized'",
        )
        .fetch_all(&self.inner.readers)
        .await
        .map_err(|error| unread(&error))
    }
}

async fn targets(
    reader: &mut SqliteConnection,
    search: &str,
) -> Result<Vec<TargetRow>, RecordError> {
    let rows = sqlx::query("SELECT * FROM search_targets WHERE search = $1 ORDER BY number")
        .bind(search)
        .fetch_all(&mut *reader)
        .await
        .map_err(|error| unread(&error))?;
    let mut targets = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut target = target(row)?;
        if let Some(id) = &target.call {
            target.row = call(&mut *reader, id).await?;
        }
        targets.push(target);
    }
    Ok(targets)
}

fn read(row: &SqliteRow) -> Result<SearchRow, RecordError> {
    let word: String = column(row, "state")?;
    let state = SearchState::ALL.into_iter().find(|state| state.word() == word);
    let again: String = column(row, "again")?;
    let again = again.split(',').filter(|word| !word.is_empty());
    let chosen: Option<i64> = column(row, "chosen")?;
    let chosen = chosen.map(count).transpose()?;
    let call: Option<String> = column(row, "chosen_call")?;
    Ok(SearchRow {
        id: column(row, "id")?,
        account: column::<String>(row, "account")?
            .parse()
            .map_err(|error| RecordError(format!("a search: {error}")))?,
        inquiry: Inquiry {
            question: Text(column(row, "question")?),
            facts: column::<Option<String>>(row, "facts")?.map(Text),
            bring: column::<Option<String>>(row, "bring")?.map(Text),
            at_once: count(column(row, "at_once")?)?,
            enough: column::<Option<i64>>(row, "enough")?.map(count).transpose()?,
            again: again.map(outcome_named).collect::<Result<_, _>>()?,
            campaign: column(row, "campaign")?,
        },
        state: state.ok_or_else(|| RecordError(format!("a search is {word:?}")))?,
        token: Text(column(row, "token")?),
        chosen: chosen.zip(call.map(|call| CallId::new(&call))),
        made_ms: column(row, "made_ms")?,
        targets: Vec::new(),
    })
}

fn target(row: &SqliteRow) -> Result<TargetRow, RecordError> {
    let name: Option<String> = column(row, "name")?;
    let to = Number::new(column::<String>(row, "remote")?);
    Ok(TargetRow {
        number: count(column(row, "number")?)?,
        target: Target { to, name: name.map(Text) },
        attempts: count(column(row, "attempts")?)?,
        call: column::<Option<String>>(row, "call")?.map(|call| CallId::new(&call)),
        row: None,
        refused: column(row, "refused")?,
    })
}

fn count(number: i64) -> Result<u32, RecordError> {
    u32::try_from(number).map_err(|_| RecordError("a count of a search".to_owned()))
}
