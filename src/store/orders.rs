//! Orders that must not be carried out twice: a key is good for one order, for a day.

use sqlx::Row as _;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::record::{Opened, RecordError};

use super::desk::Desk;
use super::fault::Trouble;
use super::searches::{NoPlace, Part};
use super::{Store, now_ms};
use crate::account::Account;

/// An order is remembered this long.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1_000;

/// The same order under a fresh key is taken for a mistake this long: a page that was loaded anew
/// and sends its form again, not somebody who wants the same once more.
const FENCE_MS: i64 = 2 * 60 * 1_000;

/// What makes an order one that is carried out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// Whose order.
    pub account: Account,
    /// The key that came with it.
    pub key: String,
    /// What it asks for, as a digest.
    pub digest: String,
    /// Whether the same order under another key is meant, however soon it comes.
    pub again: bool,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered<T> {
    /// It is carried out.
    New(T),
    /// It has been before, and made this.
    Before(String),
    /// Its key belongs to another order.
    OtherOrder,
    /// The same order came a moment ago under another key, and made this.
    JustNow(String),
}

/// What a new call has beside what its actors know of it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whose it is.
    pub account: Account,
    /// JSON Schema of what it shall bring back, if anything.
    pub result: Option<Text>,
    /// What it is a part of.
    pub part: Part,
}

impl Store {
    /// Opens a call, once where that is asked for, and in its place where it has one; durable
    /// before it returns.
    pub async fn order(
        &self,
        call: Opened,
        terms: Terms,
        once: Option<Once>,
    ) -> Result<Ordered<Result<(), NoPlace>>, RecordError> {
        let at_ms = now_ms();
        let ordered = self.promise(move |desk| {
            Box::pin(async move {
                let made = call.call.clone();
                if let Some(once) = &once
                    && let Some(before) = desk.ordered(once, &made.0, at_ms).await?
                {
                    return Ok(before);
                }
                if let Err(taken) = desk.take_place(&terms.part, &made, at_ms).await? {
                    return Ok(Ordered::New(Err(taken)));
                }
                desk.open(&call, at_ms).await?;
                desk.agree(&made, &terms).await?;
                Ok(Ordered::New(Ok(())))
            })
        });
        Ok(ordered.await?)
    }
}

impl Desk {
    /// What became of this order before; nothing when it is new. Then it is remembered by what it
    /// is about to make.
    pub(super) async fn ordered<T>(
        &mut self,
        once: &Once,
        making: &str,
        at_ms: i64,
    ) -> Result<Option<Ordered<T>>, Trouble> {
        sqlx::query("DELETE FROM orders WHERE at_ms < $1")
            .bind(at_ms - REMEMBERED_MS)
            .execute(&mut self.conn)
            .await?;
        let known = sqlx::query("SELECT digest, made FROM orders WHERE account = $1 AND key = $2")
            .bind(once.account.as_str())
            .bind(&once.key)
            .fetch_optional(&mut self.conn)
            .await?;
        if let Some(known) = known {
            let (digest, made): (String, String) =
                (known.try_get("digest")?, known.try_get("made")?);
            let before =
                if digest == once.digest { Ordered::Before(made) } else { Ordered::OtherOrder };
            return Ok(Some(before));
        }
        if !once.again {
            let just_now: Option<String> = sqlx::query_scalar(
                "SELECT made FROM orders WHERE account = $1 AND digest = $2 AND at_ms >= $3 \
                 ORDER BY at_ms DESC LIMIT 1",
            )
            .bind(once.account.as_str())
            .bind(&once.digest)
            .bind(at_ms - FENCE_MS)
            .fetch_optional(&mut self.conn)
            .await?;
            if let Some(made) = just_now {
                return Ok(Some(Ordered::JustNow(made)));
            }
        }
        sqlx::query(
            "INSERT INTO orders (account, key, digest, made, at_ms) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(once.account.as_str())
        .bind(&once.key)
        .bind(&once.digest)
        .bind(making)
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(None)
    }

    async fn agree(&mut self, call: &CallId, terms: &Terms) -> Result<(), Trouble> {
        sqlx::query(
            "UPDATE calls SET account = $2, result_schema = $3, follows = $4 WHERE id = $1",
        )
        .bind(&*call.0)
        .bind(terms.account.as_str())
        .bind(terms.result.as_ref().map(Text::as_str))
        .bind(terms.part.follows().map(|call| &*call.0))
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }
}
