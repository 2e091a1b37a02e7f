//! The lines of callers who are handed over to browsers: a run of ours holds them itself, and when
//! it is killed the carrier keeps a line on which nobody speaks.

use sqlx::Row as _;
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::CarrierCallId;

use super::archive::{Answer, Archive};
use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, kept};

/// Which lines are held.
pub trait Bridges: Archive {
    /// The line of this call is held by this run from here on; durable before it returns. The fact
    /// that the hand-over has failed ends that, and so does the end of the call unless they were
    /// put through.
    fn bridge(&self, call: CallId, name: CarrierCallId) -> Answer<'static, ()>;

    /// It is held no more.
    fn unbridge(&self, call: CallId) -> Answer<'static, ()>;

    /// Lines that earlier runs of this node held, and whose calls are over: nobody else will end
    /// them.
    fn left_bridges(&self) -> Answer<'_, Vec<(CallId, CarrierCallId)>>;
}

impl Bridges for Store {
    fn bridge(&self, call: CallId, name: CarrierCallId) -> Answer<'static, ()> {
        kept(self.promise(move |desk| Box::pin(async move { desk.bridge(&call, &name).await })))
    }

    fn unbridge(&self, call: CallId) -> Answer<'static, ()> {
        kept(self.promise(move |desk| Box::pin(async move { desk.unbridge(&call).await })))
    }

    fn left_bridges(&self) -> Answer<'_, Vec<(CallId, CarrierCallId)>> {
        let tenure = self.tenure();
        let rows = sqlx::query(
            "SELECT call, bridges.carrier_call FROM bridges LEFT JOIN calls ON calls.id = call \
             WHERE bridges.node = $1 AND bridges.epoch <> $2 \
             AND (calls.id IS NULL OR lifecycle = 'finalized')",
        )
        .bind(&tenure.node)
        .bind(tenure.epoch)
        .fetch_all(&self.inner.readers);
        Box::pin(async move {
            let rows = rows.await.map_err(|error| unread(&error))?;
            let held = rows.iter().map(|row| {
                let (call, name) = (row.try_get("call")?, row.try_get("carrier_call")?);
                Ok((CallId::new(call), CarrierCallId(name)))
            });
            held.collect::<Result<_, sqlx::Error>>().map_err(|error| unread(&error))
        })
    }
}

impl Desk {
    async fn bridge(&mut self, call: &CallId, name: &CarrierCallId) -> Result<(), Trouble> {
        self.require_ours(call).await?;
        sqlx::query(
            "INSERT INTO bridges (call, carrier_call, node, epoch) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (call) DO UPDATE SET node = excluded.node, epoch = excluded.epoch",
        )
        .bind(&*call.0)
        .bind(&name.0)
        .bind(&self.tenure.node)
        .bind(self.tenure.epoch)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    /// At the end of a call: only who was put through is still on a line of ours.
    pub(super) async fn unbridge_alone(&mut self, call: &CallId) -> Result<(), Trouble> {
        let unbridge = sqlx::query(
            "DELETE FROM bridges WHERE call = $1 AND NOT EXISTS (SELECT 1 FROM events \
             WHERE events.call = $1 AND kind = 'hand_over' \
             AND json_extract(body, '$.step') = 'done')",
        );
        unbridge.bind(&*call.0).execute(&mut self.conn).await?;
        Ok(())
    }

    pub(super) async fn unbridge(&mut self, call: &CallId) -> Result<(), Trouble> {
        let unbridge = sqlx::query("DELETE FROM bridges WHERE call = $1").bind(&*call.0);
        unbridge.execute(&mut self.conn).await?;
        Ok(())
    }
}
