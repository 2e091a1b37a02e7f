//! Calls that are forgotten: because somebody says so, or because they are old.

use tandem_actors::briefing::CallId;
use tandem_actors::record::RecordError;

use super::Store;
use super::fault::unread;

/// Calls that are looked up in one go.
const AT_ONCE: i64 = 100;

impl Store {
    /// Forgets a call that is over, with all that is written of it; whether there was one. What
    /// an order has made stays known for its day, so that nobody is rung again by it.
    pub async fn forget(&self, call: &CallId) -> Result<bool, RecordError> {
        let call = call.clone();
        let forgotten = self.promise(move |desk| {
            Box::pin(async move {
                let gone = sqlx::query("DELETE FROM calls WHERE id = $1 AND outcome IS NOT NULL")
                    .bind(&*call.0)
                    .execute(&mut desk.conn)
                    .await?;
                Ok(gone.rows_affected() > 0)
            })
        });
        Ok(forgotten.await?)
    }

    /// Some calls that were over before this time.
    pub async fn over_before(&self, at_ms: i64) -> Result<Vec<CallId>, RecordError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM calls WHERE finalized_ms < $1 AND outcome IS NOT NULL \
             ORDER BY finalized_ms LIMIT $2",
        )
        .bind(at_ms)
        .bind(AT_ONCE)
        .fetch_all(&self.inner.readers)
        .await
        .map_err(|error| unread(&error))?;
        Ok(ids.iter().map(|id| CallId::new(id)).collect())
    }
}

#[cfg(test)]
mod tests {
    use tandem_actors::briefing::Outcome;
    use tandem_actors::record::{Record as _, Speaker};

    use super::super::Archive as _;
    use super::super::conformance::{finalized, note, opened, said};
    use super::*;

    #[tokio::test]
    async fn a_call_that_is_over_is_forgotten_whole_and_a_live_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        let words = "the words that nobody shall find";
        for call in ["over", "live"] {
            store.open(opened(call)).await.unwrap();
            store.note(note(call, 1, said(Speaker::Caller, words)));
        }
        store.note(note("over", 2, finalized(Outcome::Answered)));
        store.flush().await.unwrap();
        let (over, live) = (CallId::new("over"), CallId::new("live"));
        assert_eq!(store.over_before(i64::MAX).await.unwrap(), std::slice::from_ref(&over));
        assert!(store.forget(&over).await.unwrap());
        assert!(!store.forget(&over).await.unwrap() && !store.forget(&live).await.unwrap());
        assert_eq!(store.call(&over).await.unwrap(), None);
        assert!(store.turns(&over).await.unwrap().is_empty());
        assert!(store.events(&over, 0).await.unwrap().is_empty());
        assert_eq!(store.turns(&live).await.unwrap().len(), 1);
        store.note(note("live", 2, finalized(Outcome::Answered)));
        store.flush().await.unwrap();
        assert!(store.forget(&live).await.unwrap());
        store.close().await.unwrap();
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let found = bytes.windows(words.len()).any(|window| window == words.as_bytes());
            assert!(!found, "its words lie on the disk");
        }
    }
}
