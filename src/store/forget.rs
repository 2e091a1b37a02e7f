//! Calls that are forgotten: because somebody says so, or because they are old.

use tandem_actors::briefing::CallId;
use tandem_actors::record::RecordError;

use super::Store;
use super::archive::Archive;
use super::fault::unread;

/// Calls that are looked up in one go.
const AT_ONCE: i64 = 100;

/// What is forgotten, and when.
pub trait Retention: Archive {
    /// Forgets a call that is over, with all that is written of it; whether there was one. What
    /// an order has made stays known for its day, so that nobody is rung again by it.
    fn forget(&self, call: &CallId) -> impl Future<Output = Result<bool, RecordError>> + Send;

    /// Some calls that were over before this time.
    fn over_before(
        &self,
        at_ms: i64,
    ) -> impl Future<Output = Result<Vec<CallId>, RecordError>> + Send;
}

impl Retention for Store {
    async fn forget(&self, call: &CallId) -> Result<bool, RecordError> {
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

    async fn over_before(&self, at_ms: i64) -> Result<Vec<CallId>, RecordError> {
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

    use super::super::conformance::{finalized, note, opened, said};
    use super::*;

    #[tokio::test]
    async fn what_is_forgotten_does_not_lie_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        let words = "the words that nobody shall find";
        store.open(opened("over")).await.unwrap();
        store.note(note("over", 1, said(Speaker::Caller, words)));
        store.note(note("over", 2, finalized(Outcome::Answered)));
        store.flush().await.unwrap();
        assert!(store.forget(&CallId::new("over")).await.unwrap());
        store.close().await.unwrap();
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let found = bytes.windows(words.len()).any(|window| window == words.as_bytes());
            assert!(!found, "its words lie on the disk");
        }
    }
}
