//! Operations that somebody is asked to accept, kept with the calls in which they are asked.

use tandem_actors::briefing::CallId;
use tandem_actors::record::RecordError;

use super::desk::Desk;
use super::fault::Trouble;
use super::{Store, Unkept, now_ms};
use crate::approval::{Approval, SETTLED_S, accepted};

impl Store {
    /// The operation that a call is about, if it is about one.
    pub async fn approval(&self, call: &CallId) -> Result<Option<Approval>, RecordError> {
        let kept = self.wanted_result(call).await?;
        Ok(kept.as_ref().and_then(Approval::of))
    }

    /// Writes down that a human has accepted it, unless its call is over or its time has passed;
    /// durable before it returns. What was declined once stays so.
    pub async fn accept(&self, call: &CallId) -> Result<(), Unkept> {
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
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::Map;
    use tandem_actors::briefing::Outcome;
    use tandem_actors::record::{Fact, Note, Record as _};

    use super::*;
    use crate::approval::{Decision, Verify};
    use crate::store::conformance::opened;
    use crate::store::{Archive as _, Terms};

    #[tokio::test]
    async fn what_is_over_is_not_accepted_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "a").await.unwrap();
        let approval = Approval::new("Pay", Map::new(), Verify::Yes).unwrap();
        let order = async |id: &str| {
            let terms = Terms { result: Some(approval.kept()), ..Terms::default() };
            store.order(opened(id), terms, None, None).await.unwrap().unwrap();
            CallId::new(id)
        };
        let decision =
            async |call: &CallId| Decision::of(&store.call(call).await.unwrap().unwrap(), &[]);
        let (one, two) = (order("one").await, order("two").await);
        assert_eq!(store.approval(&one).await.unwrap(), Some(approval.clone()));
        assert_eq!(decision(&one).await, Decision::Pending);
        store.accept(&one).await.unwrap();
        let (outcome, reason) = (Outcome::Answered, "goodbye".to_owned());
        for call in [&one, &two] {
            let fact = Fact::Finalized { outcome, reason: reason.clone(), talk_ms: 0 };
            store.note(Note { call: call.clone(), sequence: 1, at: SystemTime::now(), fact });
        }
        store.flush().await.unwrap();
        assert_eq!(decision(&one).await, Decision::Accepted, "the end takes nothing back");
        assert_eq!(decision(&two).await, Decision::Declined("not_asked"));
        assert!(store.accept(&two).await.is_err());
        assert_eq!(decision(&two).await, Decision::Declined("not_asked"));
    }
}
