//! Calls that a dead run left unfinished: found, taken over, ended honestly.
//! Hanging up at the carrier is the edge's part; it gets the carrier's names from here.

use sqlx::Row as _;
use tandem_actors::briefing::{CallId, Lifecycle, Outcome};
use tandem_actors::carrier::CarrierCallId;
use tandem_actors::record::Fact;

use super::archive::{SettledCall, lifecycle_named};
use super::desk::Desk;
use super::fault::Trouble;

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
        let rows = sqlx::query(
            "SELECT id, lifecycle, carrier_call, answered_ms, \
             (SELECT MAX(at_ms) FROM events WHERE events.call = calls.id) AS last_ms \
             FROM calls WHERE lifecycle <> 'finalized' AND node = $1 \
             AND NOT (node = $2 AND epoch = $3) ORDER BY queued_ms, id LIMIT $4",
        )
        .bind(node)
        .bind(&self.tenure.node)
        .bind(self.tenure.epoch)
        .bind(i64::from(ORPHANS_AT_ONCE))
        .fetch_all(&mut self.conn)
        .await?;
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
