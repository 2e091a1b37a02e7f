//! Operations that somebody is asked to accept, kept with the calls in which they are asked.

use tandem_actors::briefing::CallId;
use tandem_actors::record::RecordError;

use super::archive::Archive;
use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, Unkept, now_ms};
use crate::approval::{Approval, SETTLED_S, accepted};

/// Operations that somebody is asked to accept.
pub trait Approvals: Archive {
    /// The operation that a call is about, if it is about one.
    fn approval(
        &self,
        call: &CallId,
    ) -> impl Future<Output = Result<Option<Approval>, RecordError>> + Send;

    /// Writes down that a human has accepted it, unless its call is over or its time has passed;
    /// durable before it returns. What was declined once stays so.
    fn accept(&self, call: &CallId) -> impl Future<Output = Result<(), Unkept>> + Send;
}

impl Approvals for Store {
    async fn approval(&self, call: &CallId) -> Result<Option<Approval>, RecordError> {
        let kept: Option<Option<String>> =
            sqlx::query_scalar("SELECT approval FROM calls WHERE id = $1")
                .bind(&*call.0)
                .fetch_optional(&self.inner.readers)
                .await
                .map_err(|error| unread(&error))?;
        Ok(kept.flatten().as_deref().and_then(Approval::of))
    }

    async fn accept(&self, call: &CallId) -> Result<(), Unkept> {
        let call = call.clone();
        self.promise(move |desk| Box::pin(async move { desk.accept(&call).await })).await
    }
}

impl Desk {
    async fn accept(&mut self, call: &CallId) -> Result<(), Trouble> {
        self.require_ours(call).await?;
        let since = now_ms() - i64::try_from(SETTLED_S * 1_000).unwrap_or_default();
        let accepted = sqlx::query(
            "UPDATE calls SET result = $2 WHERE id = $1 AND outcome IS NULL AND queued_ms > $3",
        )
        .bind(&*call.0)
        .bind(accepted().as_str())
        .bind(since)
        .execute(&mut self.conn)
        .await?;
        match accepted.rows_affected() {
            0 => Err(Trouble::refused("the approval is settled")),
            _ => self.tell_of_approval(call, now_ms()).await,
        }
    }
}
