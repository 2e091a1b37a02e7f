//! Whom an account wants told of what happens: where, of what, signed with which secrets.

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tandem_actors::briefing::Text;
use tandem_actors::record::RecordError;

use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, now_ms};

/// Endpoints of one account: each gets a copy of everything it wants, kept until it is delivered.
pub const WEBHOOKS_MAX: u32 = 20;

/// One endpoint. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its id.
    pub id: String,
    /// Where it is; the path may hold a secret of the receiver's.
    pub url: Text,
    /// The types it wants; all of them when empty.
    pub events: Vec<String>,
    /// Why nothing is sent there any more.
    pub disabled: Option<String>,
    /// Events that it was not told, because too many were waiting.
    pub missed: i64,
    /// Deliveries that wait.
    pub waiting: i64,
    /// When it was made.
    pub created_ms: i64,
}

/// An endpoint to be made.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Its id, which nobody else has.
    pub id: String,
    /// Where it is.
    pub url: Text,
    /// The types it wants; all of them when empty.
    pub events: Vec<String>,
    /// Signs what it is told.
    pub secret: SecretString,
}

/// The endpoints of users.
pub trait Webhooks {
    /// Makes an endpoint; false when the account has [`WEBHOOKS_MAX`].
    fn make_webhook(
        &self,
        account: &str,
        new: NewWebhook,
    ) -> impl Future<Output = Result<bool, RecordError>> + Send;

    /// The endpoints of an account, oldest first.
    fn webhooks(
        &self,
        account: &str,
    ) -> impl Future<Output = Result<Vec<WebhookRow>, RecordError>> + Send;

    /// One of them.
    fn webhook(
        &self,
        account: &str,
        id: &str,
    ) -> impl Future<Output = Result<Option<WebhookRow>, RecordError>> + Send;

    /// Forgets an endpoint and what it was to be told; false when there is none.
    fn forget_webhook(
        &self,
        account: &str,
        id: &str,
    ) -> impl Future<Output = Result<bool, RecordError>> + Send;

    /// Has an endpoint's deliveries signed with this secret from now on, and with the one before
    /// too until `former_until_ms`; false when there is no such endpoint.
    fn rotate_webhook(
        &self,
        account: &str,
        id: &str,
        secret: SecretString,
        former_until_ms: i64,
    ) -> impl Future<Output = Result<bool, RecordError>> + Send;
}

impl Webhooks for Store {
    async fn make_webhook(&self, account: &str, new: NewWebhook) -> Result<bool, RecordError> {
        let (account, at_ms) = (account.to_owned(), now_ms());
        let made = self.promise(move |desk| {
            Box::pin(async move { desk.make_webhook(&account, &new, at_ms).await })
        });
        Ok(made.await?)
    }

    async fn webhooks(&self, account: &str) -> Result<Vec<WebhookRow>, RecordError> {
        let rows = sqlx::query("SELECT * FROM webhooks WHERE account = $1 ORDER BY created_ms, id")
            .bind(account)
            .fetch_all(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        rows.iter().map(|row| webhook(row).map_err(|error| unread(&error))).collect()
    }

    async fn webhook(&self, account: &str, id: &str) -> Result<Option<WebhookRow>, RecordError> {
        Ok(self.webhooks(account).await?.into_iter().find(|row| row.id == id))
    }

    async fn forget_webhook(&self, account: &str, id: &str) -> Result<bool, RecordError> {
        let (account, id) = (account.to_owned(), id.to_owned());
        let gone = self.promise(move |desk| {
            Box::pin(async move {
                let gone = sqlx::query("DELETE FROM webhooks WHERE account = $1 AND id = $2")
                    .bind(account)
                    .bind(id)
                    .execute(&mut desk.conn)
                    .await?;
                Ok(gone.rows_affected() == 1)
            })
        });
        Ok(gone.await?)
    }

    async fn rotate_webhook(
        &self,
        account: &str,
        id: &str,
        secret: SecretString,
        former_until_ms: i64,
    ) -> Result<bool, RecordError> {
        let (account, id) = (account.to_owned(), id.to_owned());
        let rotated = self.promise(move |desk| {
            Box::pin(async move {
                let rotated = sqlx::query(
                    "UPDATE webhooks SET former_secret = secret, former_until_ms = $4, \
                     secret = $3 WHERE account = $1 AND id = $2",
                )
                .bind(account)
                .bind(id)
                .bind(secret.expose_secret())
                .bind(former_until_ms)
                .execute(&mut desk.conn)
                .await?;
                Ok(rotated.rows_affected() == 1)
            })
        });
        Ok(rotated.await?)
    }
}

fn webhook(row: &SqliteRow) -> Result<WebhookRow, sqlx::Error> {
    let events: String = row.try_get("events")?;
    Ok(WebhookRow {
        id: row.try_get("id")?,
        url: Text(row.try_get("url")?),
        events: events.split_whitespace().map(str::to_owned).collect(),
        disabled: row.try_get("disabled")?,
        missed: row.try_get("missed")?,
        waiting: row.try_get("waiting")?,
        created_ms: row.try_get("created_ms")?,
    })
}

impl Desk {
    async fn make_webhook(
        &mut self,
        account: &str,
        new: &NewWebhook,
        at_ms: i64,
    ) -> Result<bool, Trouble> {
        let made = sqlx::query(
            "INSERT INTO webhooks (id, account, url, events, secret, waiting, missed, created_ms) \
             SELECT $1, $2, $3, $4, $5, 0, 0, $6 \
             WHERE (SELECT COUNT(*) FROM webhooks WHERE account = $2) < $7",
        )
        .bind(&new.id)
        .bind(account)
        .bind(new.url.as_str())
        .bind(new.events.join(" "))
        .bind(new.secret.expose_secret())
        .bind(at_ms)
        .bind(i64::from(WEBHOOKS_MAX))
        .execute(&mut self.conn)
        .await?;
        Ok(made.rows_affected() == 1)
    }
}
