//! What is going on now: of every call that is not over, as much as a row on a screen shows.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};
use tandem_actors::record::RecordError;

use super::fault::unread;
use crate::account::Account;

/// A call that is not over. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRow {
    /// Its id.
    pub id: String,
    /// `outbound` or `inbound`.
    pub direction: String,
    /// The other party.
    pub remote: String,
    /// How far it has come.
    pub lifecycle: String,
    /// When it was opened.
    pub queued_ms: i64,
    /// When both sides could talk.
    pub answered_ms: Option<i64>,
    /// The last turn: `user` or `assistant`, and the words.
    pub words: Option<(String, String)>,
    /// The body of the last event that tells a reply time: a JSON object.
    pub replied: Option<String>,
    /// How often a part of it was replaced.
    pub repairs: i64,
}

pub(super) async fn floor(
    pool: &SqlitePool,
    of: Option<Account>,
) -> Result<Vec<LiveRow>, RecordError> {
    // The sum keeps the order from being taken of an index, by which every call there ever was
    // would be looked at.
    let rows = sqlx::query(
        "SELECT c.id, c.direction, c.remote, c.lifecycle, c.queued_ms, c.answered_ms, \
         t.speaker, t.text, \
         (SELECT body FROM events WHERE call = c.id AND kind = 'replied' \
          ORDER BY sequence DESC LIMIT 1) AS replied, \
         (SELECT COUNT(*) FROM events WHERE call = c.id AND kind = 'repaired') AS repairs \
         FROM calls c LEFT JOIN turns t ON t.call = c.id AND t.sequence = \
         (SELECT MAX(sequence) FROM turns WHERE call = c.id) \
         WHERE c.lifecycle <> 'finalized' AND ($1 IS NULL OR c.account = $1) \
         ORDER BY c.queued_ms + 0, c.id",
    )
    .bind(of.as_ref().map(Account::as_str))
    .fetch_all(pool)
    .await
    .map_err(|error| unread(&error))?;
    rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(|error| unread(&error))
}

fn read(row: &SqliteRow) -> sqlx::Result<LiveRow> {
    let (speaker, text): (Option<String>, Option<String>) =
        (row.try_get("speaker")?, row.try_get("text")?);
    Ok(LiveRow {
        id: row.try_get("id")?,
        direction: row.try_get("direction")?,
        remote: row.try_get("remote")?,
        lifecycle: row.try_get("lifecycle")?,
        queued_ms: row.try_get("queued_ms")?,
        answered_ms: row.try_get("answered_ms")?,
        words: speaker.zip(text),
        replied: row.try_get("replied")?,
        repairs: row.try_get("repairs")?,
    })
}
