//! Calls that a dead run left unfinished: found, taken over, ended honestly, or handed to whoever
//! asks the carrier about them.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tandem_actors::briefing::{CallId, Lifecycle, Outcome};
use tandem_actors::carrier::CarrierCallId;
use tandem_actors::record::Fact;

use super::archive::{End, Orphan, SettledCall, With, lifecycle_named};
use super::desk::Desk;
use super::fault::Trouble;
use super::orders::Bounds;
use super::read;

/// Orphans settled in one transaction: a run has at most this many calls at once, and the rest, if
/// there ever are more, follows in the next transaction.
pub(super) const ORPHANS_AT_ONCE: u32 = 1_000;

impl Desk {
    /// Settles up to [`ORPHANS_AT_ONCE`]; an empty answer says that none is left.
    pub(super) async fn settle_orphans(
        &mut self,
        node: &str,
        at_ms: i64,
    ) -> Result<Vec<SettledCall>, Trouble> {
        let rows = self.unfinished(node, Lifecycle::Queued).await?;
        let mut settled = Vec::with_capacity(rows.len());
        for row in rows {
            let id = CallId::new(row.try_get("id")?);
            let was = lifecycle_named(row.try_get("lifecycle")?).map_err(Trouble::Refused)?;
            let answered_ms: Option<i64> = row.try_get("answered_ms")?;
            let last_ms: Option<i64> = row.try_get("last_ms")?;
            // They talked at least until the last thing that was written down.
            let talk_ms = answered_ms.zip(last_ms).map_or(0, |(from, to)| (to - from).max(0));
            let carrier_call: Option<String> = row.try_get("carrier_call")?;
            let outcome = match was {
                Lifecycle::Queued => Outcome::Cancelled,
                Lifecycle::Dialing | Lifecycle::Answered | Lifecycle::Finalized => {
                    Outcome::SystemError
                }
            };
            self.take_over(&id).await?;
            let talk_ms = u64::try_from(talk_ms).unwrap_or_default();
            let reason = "node_lost".to_owned();
            self.append(&id, at_ms, &Fact::Finalized { outcome, reason, talk_ms }).await?;
            let carrier_call = carrier_call.map(CarrierCallId);
            settled.push(SettledCall { id, was, outcome, carrier_call });
        }
        Ok(settled)
    }

    /// Takes over up to [`ORPHANS_AT_ONCE`] that the carrier was asked for; an empty answer says
    /// that none is left.
    pub(super) async fn adopt_orphans(&mut self, node: &str) -> Result<Vec<Orphan>, Trouble> {
        let mut adopted = Vec::new();
        for row in self.unfinished(node, Lifecycle::Dialing).await? {
            let call = read::call_row(&row).map_err(Trouble::Refused)?;
            self.take_over(&call.id).await?;
            let last: Option<i64> = row.try_get("last")?;
            let bounds: Option<&str> = row.try_get("bounds")?;
            adopted.push(Orphan {
                facts: last.and_then(|last| u64::try_from(last).ok()).unwrap_or_default(),
                last_ms: row.try_get("last_ms")?,
                with: with(&row)?,
                bounds: bounds.and_then(Bounds::read),
                call,
            });
        }
        Ok(adopted)
    }

    /// Ends an orphan that was taken over.
    pub(super) async fn end_orphan(
        &mut self,
        call: &CallId,
        end: End,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        self.require_ours(call).await?;
        let End { outcome, reason, talk_ms } = end;
        self.append(call, at_ms, &Fact::Finalized { outcome, reason, talk_ms }).await
    }

    /// Those of other runs that have come at least so far.
    async fn unfinished(&mut self, node: &str, from: Lifecycle) -> Result<Vec<SqliteRow>, Trouble> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            read::call_columns!(),
            ", (SELECT MAX(at_ms) FROM events WHERE events.call = calls.id) AS last_ms, \
             (SELECT MAX(sequence) FROM events WHERE events.call = calls.id) AS last, \
             (SELECT body FROM events WHERE events.call = calls.id AND kind = 'hand_over' \
             ORDER BY sequence DESC LIMIT 1) AS hand_over, \
             (SELECT 1 FROM bridges WHERE bridges.call = calls.id) AS bridged \
             FROM calls WHERE lifecycle <> 'finalized' AND node = $1 \
             AND NOT (node = $2 AND epoch = $3) \
             AND ($5 = 'queued' OR lifecycle <> 'queued') ORDER BY queued_ms, id LIMIT $4",
        ))
        .bind(node)
        .bind(&self.tenure.node)
        .bind(self.tenure.epoch)
        .bind(i64::from(ORPHANS_AT_ONCE))
        .bind(from.word())
        .fetch_all(&mut self.conn)
        .await?;
        Ok(rows)
    }

    /// From here on the former owner's writes are refused.
    async fn take_over(&mut self, id: &CallId) -> Result<(), Trouble> {
        sqlx::query("UPDATE calls SET node = $2, epoch = $3 WHERE id = $1")
            .bind(&*id.0)
            .bind(&self.tenure.node)
            .bind(self.tenure.epoch)
            .execute(&mut self.conn)
            .await?;
        Ok(())
    }
}

fn with(row: &SqliteRow) -> sqlx::Result<With> {
    let (bridged, hand_over): (Option<i64>, Option<&str>) =
        (row.try_get("bridged")?, row.try_get("hand_over")?);
    Ok(match hand_over {
        _ if bridged.is_some() => With::Browser,
        // After a failure the caller is ours again.
        Some(body) if !body.contains("\"failed\"") => With::Human,
        Some(_) | None => With::Us,
    })
}
