//! Keys of the API. Of a key only a digest is kept: it has 256 bits from the operating system, so
//! that no salt and no slow hash is needed, and how long its row is looked for tells nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tandem_actors::record::RecordError;
use uuid::Uuid;

use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::ledger::hex_digest;
use super::{Store, now_ms};
use crate::account::Account;

/// How a key begins, so that scanners for leaked secrets know it.
const PREFIX: &str = "tandem_sk_";

/// Keys of one account, revoked ones among them; beyond it the oldest revoked must go first.
pub const KEYS_MAX: usize = 100;

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything of its account.
    All,
    /// Looking only.
    Read,
}

impl Scope {
    /// The word in the store and the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Read => "read",
        }
    }

    /// The scope of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::All, Self::Read].into_iter().find(|scope| scope.word() == word)
    }
}

/// A key, without what is secret of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id.
    pub id: String,
    /// Whose.
    pub account: Account,
    /// What it is good for.
    pub scope: Scope,
    /// What it is for, in its owner's words.
    pub label: String,
    /// When it was made.
    pub made_ms: i64,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

/// The keys of the API.
pub trait Keys {
    /// Makes a key. Returns its row and the key itself, which is nowhere else; none when the
    /// account has [`KEYS_MAX`].
    fn make_key(
        &self,
        account: Account,
        scope: Scope,
        label: String,
    ) -> impl Future<Output = Result<Option<(KeyRow, String)>, RecordError>> + Send;

    /// The key that this is, unless it was revoked.
    fn key(&self, key: &str) -> impl Future<Output = Result<Option<KeyRow>, RecordError>> + Send;

    /// The key of this id, unless it was revoked.
    fn key_of_id(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<Option<KeyRow>, RecordError>> + Send;

    /// Every key there is, newest first.
    fn keys(&self) -> impl Future<Output = Result<Vec<KeyRow>, RecordError>> + Send;

    /// Revokes a key; whether there is one of this id. What was revoked before stays so.
    fn revoke_key(&self, id: String) -> impl Future<Output = Result<bool, RecordError>> + Send;
}

impl Keys for Store {
    async fn make_key(
        &self,
        account: Account,
        scope: Scope,
        label: String,
    ) -> Result<Option<(KeyRow, String)>, RecordError> {
        let secret: [u8; 32] = rand::random();
        let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
        let (id, made_ms) = (Uuid::now_v7().to_string(), now_ms());
        let row = KeyRow { id, account, scope, label, made_ms, revoked_ms: None };
        let (kept, hash) = (row.clone(), digest(&key));
        let made =
            self.promise(move |desk| Box::pin(async move { desk.make_key(&kept, &hash).await }));
        Ok(made.await?.then_some((row, key)))
    }

    async fn key(&self, key: &str) -> Result<Option<KeyRow>, RecordError> {
        let row = sqlx::query("SELECT * FROM keys WHERE hash = $1 AND revoked_ms IS NULL")
            .bind(digest(key))
            .fetch_optional(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        row.as_ref().map(key_row).transpose()
    }

    async fn key_of_id(&self, id: &str) -> Result<Option<KeyRow>, RecordError> {
        let row = sqlx::query("SELECT * FROM keys WHERE id = $1 AND revoked_ms IS NULL")
            .bind(id)
            .fetch_optional(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        row.as_ref().map(key_row).transpose()
    }

    async fn keys(&self) -> Result<Vec<KeyRow>, RecordError> {
        let rows = sqlx::query("SELECT * FROM keys ORDER BY made_ms DESC, id DESC LIMIT 1000")
            .fetch_all(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        rows.iter().map(key_row).collect()
    }

    async fn revoke_key(&self, id: String) -> Result<bool, RecordError> {
        let at_ms = now_ms();
        let revoked =
            self.promise(move |desk| Box::pin(async move { desk.revoke_key(&id, at_ms).await }));
        Ok(revoked.await?)
    }
}

impl Desk {
    async fn make_key(&mut self, row: &KeyRow, hash: &str) -> Result<bool, Trouble> {
        let held: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM keys WHERE account = $1")
            .bind(row.account.as_str())
            .fetch_one(&mut self.conn)
            .await?;
        if usize::try_from(held).is_ok_and(|held| held >= KEYS_MAX) {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO keys (id, account, hash, scope, label, made_ms) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&row.id)
        .bind(row.account.as_str())
        .bind(hash)
        .bind(row.scope.word())
        .bind(&row.label)
        .bind(row.made_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(true)
    }

    async fn revoke_key(&mut self, id: &str, at_ms: i64) -> Result<bool, Trouble> {
        let revoked =
            sqlx::query("UPDATE keys SET revoked_ms = COALESCE(revoked_ms, $2) WHERE id = $1")
                .bind(id)
                .bind(at_ms)
                .execute(&mut self.conn)
                .await?;
        Ok(revoked.rows_affected() > 0)
    }
}

fn digest(key: &str) -> String {
    hex_digest(&[key])
}

fn key_row(row: &SqliteRow) -> Result<KeyRow, RecordError> {
    let read = || -> sqlx::Result<(String, String, String, String, i64, Option<i64>)> {
        Ok((
            row.try_get("id")?,
            row.try_get("account")?,
            row.try_get("scope")?,
            row.try_get("label")?,
            row.try_get("made_ms")?,
            row.try_get("revoked_ms")?,
        ))
    };
    let (id, account, scope, label, made_ms, revoked_ms) =
        read().map_err(|error| unread(&error))?;
    let account = account.parse().map_err(|error| RecordError(format!("a key: {error}")))?;
    let scope = Scope::named(&scope)
        .ok_or_else(|| RecordError(format!("a key has the scope {scope:?}")))?;
    Ok(KeyRow { id, account, scope, label, made_ms, revoked_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_written_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "a").await.unwrap();
        let made = store.make_key(Account::house(), Scope::Read, "laptop".into()).await.unwrap();
        let (_, key) = made.unwrap();
        store.close().await.unwrap();
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
            assert!(!found, "the key lies on the disk");
        }
    }
}
