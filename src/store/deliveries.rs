//! What endpoints have been told and what they are still to be told: which is due, what an attempt
//! came to, what is thrown away.

use secrecy::SecretString;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tandem_actors::briefing::Text;
use tandem_actors::record::RecordError;

use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, now_ms};

/// Deliveries of one endpoint that are shown.
const SHOWN_MAX: u32 = 50;

/// Rows thrown away in one transaction, so that no call waits for it.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// A delivery that waits, with all that an attempt needs.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// Its id, the same in every attempt.
    pub(crate) id: String,
    /// Where to.
    pub(crate) url: Text,
    /// What it is signed with: one secret, or for a while two.
    pub(crate) secrets: Vec<SecretString>,
    /// The JSON.
    pub(crate) body: Text,
    /// Attempts so far.
    pub(crate) attempts: u32,
    /// Since when it waits.
    pub(crate) created_ms: i64,
    /// When it is to be tried.
    pub(crate) due_ms: i64,
}

/// A delivery, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its id: the `webhook-id`.
    pub id: String,
    /// The type of the event.
    pub event: String,
    /// `waiting`, `delivered`, `failed`.
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// When the event happened.
    pub created_ms: i64,
    /// When it is tried next, or was to be last.
    pub due_ms: i64,
    /// When it was delivered or given up.
    pub ended_ms: Option<i64>,
    /// The status that the last attempt was answered with.
    pub status: Option<i64>,
    /// Why the last attempt had no answer, or why there is no other.
    pub error: Option<String>,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The status of the answer.
    pub(crate) status: Option<u16>,
    /// Why there is none.
    pub(crate) error: Option<&'static str>,
    /// What follows.
    pub(crate) next: Next,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: it has been told.
    Delivered,
    /// Another attempt at this time.
    Again {
        /// In milliseconds since 1970.
        due_ms: i64,
    },
    /// Nothing: it was tried long enough.
    GivenUp,
    /// Nothing, and nothing is sent to this endpoint any more: it says that it is gone.
    Gone,
}

/// What endpoints have been told and are still to be told.
pub(crate) trait Deliveries {
    /// Changes whenever there is something new to deliver.
    fn told(&self) -> tokio::sync::watch::Receiver<u64>;

    /// The endpoints that something waits for, and when the first of it is due; the earliest
    /// first.
    fn endpoints_due(&self)
    -> impl Future<Output = Result<Vec<(String, i64)>, RecordError>> + Send;

    /// What waits for an endpoint, what is due first first.
    fn deliveries_due(
        &self,
        webhook: &str,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Due>, RecordError>> + Send;

    /// Writes down what an attempt came to.
    fn settle_delivery(
        &self,
        id: &str,
        attempt: Attempt,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Has a delivery tried now, whatever became of it before; false when there is none.
    fn retry_delivery(
        &self,
        webhook: &str,
        id: &str,
    ) -> impl Future<Output = Result<bool, RecordError>> + Send;

    /// The last deliveries of an endpoint, newest first.
    fn deliveries(
        &self,
        webhook: &str,
    ) -> impl Future<Output = Result<Vec<DeliveryRow>, RecordError>> + Send;

    /// How many deliveries wait, of all endpoints.
    fn deliveries_waiting(&self) -> impl Future<Output = Result<u64, RecordError>> + Send;

    /// Throws away what was delivered or given up before these times; how many rows.
    fn forget_deliveries(
        &self,
        delivered_before_ms: i64,
        failed_before_ms: i64,
    ) -> impl Future<Output = Result<u64, RecordError>> + Send;
}

impl Deliveries for Store {
    fn told(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.told.clone()
    }

    async fn endpoints_due(&self) -> Result<Vec<(String, i64)>, RecordError> {
        sqlx::query_as(
            "SELECT id, due FROM (SELECT id, (SELECT MIN(due_ms) FROM webhook_deliveries \
             WHERE webhook = webhooks.id AND state = 'waiting') AS due \
             FROM webhooks WHERE disabled IS NULL) AS endpoints \
             WHERE due IS NOT NULL ORDER BY due, id",
        )
        .fetch_all(&self.inner.readers)
        .await
        .map_err(|error| unread(&error))
    }

    async fn deliveries_due(&self, webhook: &str, limit: usize) -> Result<Vec<Due>, RecordError> {
        let at_ms = now_ms();
        let rows = sqlx::query(
            "SELECT d.id, d.body, d.attempts, d.created_ms, d.due_ms, w.url, w.secret, \
             CASE WHEN w.former_until_ms > $2 THEN w.former_secret END AS former_secret \
             FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook \
             WHERE d.webhook = $1 AND d.state = 'waiting' ORDER BY d.due_ms, d.id LIMIT $3",
        )
        .bind(webhook)
        .bind(at_ms)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.inner.readers)
        .await
        .map_err(|error| unread(&error))?;
        rows.iter().map(|row| due(row).map_err(|error| unread(&error))).collect()
    }

    async fn settle_delivery(&self, id: &str, attempt: Attempt) -> Result<(), RecordError> {
        let (id, at_ms) = (id.to_owned(), now_ms());
        let settled = self.promise(move |desk| {
            Box::pin(async move { desk.settle_delivery(&id, attempt, at_ms).await })
        });
        Ok(settled.await?)
    }

    async fn retry_delivery(&self, webhook: &str, id: &str) -> Result<bool, RecordError> {
        let (webhook, id, at_ms) = (webhook.to_owned(), id.to_owned(), now_ms());
        let retried = self.promise(move |desk| {
            Box::pin(async move { desk.retry_delivery(&webhook, &id, at_ms).await })
        });
        Ok(retried.await?)
    }

    async fn deliveries(&self, webhook: &str) -> Result<Vec<DeliveryRow>, RecordError> {
        let rows = sqlx::query(
            "SELECT id, event, state, attempts, created_ms, due_ms, ended_ms, status, error \
             FROM webhook_deliveries WHERE webhook = $1 \
             ORDER BY created_ms DESC, id DESC LIMIT $2",
        )
        .bind(webhook)
        .bind(i64::from(SHOWN_MAX))
        .fetch_all(&self.inner.readers)
        .await
        .map_err(|error| unread(&error))?;
        rows.iter().map(|row| delivery(row).map_err(|error| unread(&error))).collect()
    }

    async fn deliveries_waiting(&self) -> Result<u64, RecordError> {
        let waiting: i64 = sqlx::query_scalar("SELECT COALESCE(SUM(waiting), 0) FROM webhooks")
            .fetch_one(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        Ok(u64::try_from(waiting).unwrap_or_default())
    }

    async fn forget_deliveries(
        &self,
        delivered_before_ms: i64,
        failed_before_ms: i64,
    ) -> Result<u64, RecordError> {
        let mut all = 0;
        loop {
            let forgotten = self.promise(move |desk| {
                Box::pin(async move {
                    desk.forget_deliveries(delivered_before_ms, failed_before_ms).await
                })
            });
            match forgotten.await? {
                0 => return Ok(all),
                some => all += some,
            }
        }
    }
}

fn due(row: &SqliteRow) -> Result<Due, sqlx::Error> {
    let secrets = [Some(row.try_get::<String, _>("secret")?), row.try_get("former_secret")?];
    let attempts: i64 = row.try_get("attempts")?;
    Ok(Due {
        id: row.try_get("id")?,
        url: Text(row.try_get("url")?),
        secrets: secrets.into_iter().flatten().map(SecretString::from).collect(),
        body: Text(row.try_get("body")?),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        created_ms: row.try_get("created_ms")?,
        due_ms: row.try_get("due_ms")?,
    })
}

fn delivery(row: &SqliteRow) -> Result<DeliveryRow, sqlx::Error> {
    Ok(DeliveryRow {
        id: row.try_get("id")?,
        event: row.try_get("event")?,
        state: row.try_get("state")?,
        attempts: row.try_get("attempts")?,
        created_ms: row.try_get("created_ms")?,
        due_ms: row.try_get("due_ms")?,
        ended_ms: row.try_get("ended_ms")?,
        status: row.try_get("status")?,
        error: row.try_get("error")?,
    })
}

impl Desk {
    async fn settle_delivery(
        &mut self,
        id: &str,
        attempt: Attempt,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        let (state, due_ms) = match attempt.next {
            Next::Delivered => ("delivered", None),
            Next::Again { due_ms } => ("waiting", Some(due_ms)),
            Next::GivenUp | Next::Gone => ("failed", None),
        };
        let ended_ms = due_ms.is_none().then_some(at_ms);
        let settled = sqlx::query(
            "UPDATE webhook_deliveries SET state = $2, attempts = attempts + 1, \
             due_ms = COALESCE($3, due_ms), ended_ms = $4, status = $5, error = $6 \
             WHERE id = $1 AND state = 'waiting'",
        )
        .bind(id)
        .bind(state)
        .bind(due_ms)
        .bind(ended_ms)
        .bind(attempt.status.map(i64::from))
        .bind(attempt.error)
        .execute(&mut self.conn)
        .await?;
        match attempt.next {
            Next::Gone => self.disable(id, at_ms).await,
            Next::Delivered | Next::GivenUp if settled.rows_affected() == 1 => {
                sqlx::query(
                    "UPDATE webhooks SET waiting = waiting - 1 \
                     WHERE id = (SELECT webhook FROM webhook_deliveries WHERE id = $1)",
                )
                .bind(id)
                .execute(&mut self.conn)
                .await?;
                Ok(())
            }
            Next::Delivered | Next::Again { .. } | Next::GivenUp => Ok(()),
        }
    }

    async fn retry_delivery(
        &mut self,
        webhook: &str,
        id: &str,
        at_ms: i64,
    ) -> Result<bool, Trouble> {
        let mut changed = [0, 0];
        for (changed, sql) in changed.iter_mut().zip([
            "UPDATE webhook_deliveries SET due_ms = $3 \
             WHERE webhook = $1 AND id = $2 AND state = 'waiting'",
            "UPDATE webhook_deliveries SET due_ms = $3, state = 'waiting', ended_ms = NULL \
             WHERE webhook = $1 AND id = $2 AND state <> 'waiting'",
        ]) {
            let done =
                sqlx::query(sql).bind(webhook).bind(id).bind(at_ms).execute(&mut self.conn).await?;
            *changed = done.rows_affected();
        }
        if changed[1] == 1 {
            sqlx::query("UPDATE webhooks SET waiting = waiting + 1 WHERE id = $1")
                .bind(webhook)
                .execute(&mut self.conn)
                .await?;
        }
        self.has_told();
        Ok(changed != [0, 0])
    }

    /// Nothing is sent any more to the endpoint of this delivery.
    async fn disable(&mut self, delivery: &str, at_ms: i64) -> Result<(), Trouble> {
        sqlx::query(
            "UPDATE webhooks SET disabled = 'gone', waiting = 0 \
             WHERE id = (SELECT webhook FROM webhook_deliveries WHERE id = $1)",
        )
        .bind(delivery)
        .execute(&mut self.conn)
        .await?;
        sqlx::query(
            "UPDATE webhook_deliveries SET state = 'failed', ended_ms = $2, error = 'gone' \
             WHERE state = 'waiting' \
             AND webhook = (SELECT webhook FROM webhook_deliveries WHERE id = $1)",
        )
        .bind(delivery)
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    async fn forget_deliveries(
        &mut self,
        delivered_before_ms: i64,
        failed_before_ms: i64,
    ) -> Result<u64, Trouble> {
        let forgotten = sqlx::query(
            "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries \
             WHERE state <> 'waiting' AND ((state = 'delivered' AND ended_ms < $1) \
             OR (state = 'failed' AND ended_ms < $2)) ORDER BY ended_ms LIMIT $3)",
        )
        .bind(delivered_before_ms)
        .bind(failed_before_ms)
        .bind(FORGOTTEN_AT_ONCE)
        .execute(&mut self.conn)
        .await?;
        Ok(forgotten.rows_affected())
    }
}
