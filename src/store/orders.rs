//! Orders that must not be carried out twice: a key is good for one order, for a day.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqliteExecutor};
use tandem_actors::briefing::{CallId, Direction, Outcome, Text};
use tandem_actors::record::{Fact, Note, Opened, Record as _, RecordError};

use super::archive::Archive;
use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::searches::{NoPlace, Part};
use super::{Store, Unkept, now_ms, policy as lists};
use crate::account::Account;
use crate::approval::Approval;
use crate::config::Consent;
use crate::persona::Manner;
use crate::policy::{self, Ask, Facts, Refused};

/// An order is remembered this long.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1_000;

/// The same order under a fresh key is taken for a mistake this long: a page that was loaded anew
/// and sends its form again, not somebody who wants the same once more.
const FENCE_MS: i64 = 2 * 60 * 1_000;

/// Keys that begin so are those of requests that may be other ones some minutes later: they are
/// remembered for as long as an order without a key is.
pub const SOON_FORGOTTEN: &str = "request:";

/// Since when an order with this key is remembered.
fn remembered(key: &str, at_ms: i64) -> i64 {
    at_ms - if key.starts_with(SOON_FORGOTTEN) { FENCE_MS } else { REMEMBERED_MS }
}

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

/// Why a call was not opened; nothing is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// It is not permitted.
    Forbidden(Refused),
    /// Its place is not to be had.
    NoPlace(NoPlace),
    /// It is not known whether this call, which the same account ordered, rings the same number.
    Unsure(CallId),
}

/// What a new call has beside what its actors know of it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whose it is.
    pub account: Account,
    /// How it differs from other calls.
    pub manner: Manner,
    /// JSON Schema of what it shall bring back, if anything.
    pub result: Option<Text>,
    /// The operation that it is about, if it is an approval.
    pub approval: Option<Approval>,
    /// What it is a part of.
    pub part: Part,
    /// Whether somebody orders it at this moment.
    pub ordered: policy::Ordered,
    /// What it may do.
    pub bounds: Bounds,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
}

impl Default for Terms {
    /// Those of the house, with nothing particular.
    fn default() -> Self {
        Self {
            account: Account::house(),
            manner: Manner::default(),
            result: None,
            approval: None,
            part: Part::Alone,
            ordered: policy::Ordered::default(),
            bounds: Bounds::default(),
            campaign: None,
        }
    }
}

/// What one call may do of what calls may: kept for whoever takes it up after its server was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The tools it may use, by name; all of them when nothing is said.
    pub tools: Option<Vec<String>>,
    /// Whether the other party may be handed over to a human.
    pub hand_over: bool,
    /// Whether it only asks.
    pub only_asks: bool,
    /// What has to be before it is recorded.
    #[serde(default)]
    pub recording: Consent,
}

impl Bounds {
    /// As they are kept; none when they cannot be read.
    pub(super) fn read(kept: &str) -> Option<Self> {
        serde_json::from_str(kept).ok()
    }
}

/// What is asked before a call is written down.
pub struct Permit {
    /// The facts that it depends on.
    pub ask: Ask,
    /// What they come to.
    pub judge: Judge,
}

/// Decides whether a call is permitted.
pub type Judge = Box<dyn FnOnce(&Facts) -> Result<(), Refused> + Send>;

/// Orders to ring somebody.
pub trait Orders: Archive {
    /// Opens a call, once where that is asked for, if it is permitted on the facts as they are in
    /// that moment, and in its place where it has one; durable before it returns. Nothing is
    /// written otherwise.
    fn order(
        &self,
        call: Opened,
        terms: Terms,
        once: Option<Once>,
        permit: Option<Permit>,
    ) -> impl Future<Output = Result<Result<Ordered<()>, NotOpened>, RecordError>> + Send;

    /// What became of the order that came with this key before; nothing when it is new.
    fn ordered_before(
        &self,
        once: &Once,
    ) -> impl Future<Output = Result<Option<Ordered<()>>, RecordError>> + Send;
}

impl Orders for Store {
    async fn order(
        &self,
        call: Opened,
        terms: Terms,
        once: Option<Once>,
        permit: Option<Permit>,
    ) -> Result<Result<Ordered<()>, NotOpened>, RecordError> {
        let (at_ms, id) = (now_ms(), call.call.clone());
        let ordered = self.promise(move |desk| {
            Box::pin(async move { desk.order(&call, &terms, once.as_ref(), permit, at_ms).await })
        });
        let ordered = ordered.await;
        if let Err(Unkept::Unknown(_)) = &ordered {
            // It may be written yet, and nobody makes that call: its end is written behind it.
            self.note(unmade(&id, Outcome::Cancelled, "not_admitted"));
        }
        Ok(ordered?)
    }

    async fn ordered_before(&self, once: &Once) -> Result<Option<Ordered<()>>, RecordError> {
        let before = before(&self.inner.readers, once, now_ms()).await;
        before.map_err(|error| unread(&error))
    }
}

/// The end of a call that was written down and is not made.
#[must_use]
pub fn unmade(call: &CallId, outcome: Outcome, reason: &str) -> Note {
    let fact = Fact::Finalized { outcome, reason: reason.to_owned(), talk_ms: 0 };
    Note { call: call.clone(), sequence: 1, at: SystemTime::now(), fact }
}

/// What became of the order that came with this key before.
async fn before<T>(
    reader: impl SqliteExecutor<'_>,
    once: &Once,
    at_ms: i64,
) -> sqlx::Result<Option<Ordered<T>>> {
    let known = sqlx::query(
        "SELECT digest, made FROM orders WHERE account = $1 AND key = $2 AND at_ms >= $3",
    )
    .bind(once.account.as_str())
    .bind(&once.key)
    .bind(remembered(&once.key, at_ms))
    .fetch_optional(reader)
    .await?;
    let Some(known) = known else { return Ok(None) };
    let (digest, made): (String, String) = (known.try_get("digest")?, known.try_get("made")?);
    Ok(Some(if digest == once.digest { Ordered::Before(made) } else { Ordered::OtherOrder }))
}

impl Desk {
    async fn order(
        &mut self,
        call: &Opened,
        terms: &Terms,
        once: Option<&Once>,
        permit: Option<Permit>,
        at_ms: i64,
    ) -> Result<Result<Ordered<()>, NotOpened>, Trouble> {
        if let Some(once) = once
            && let Some(before) = self.seen(once, at_ms).await?
        {
            return Ok(Ok(before));
        }
        if let Some(unsure) = self.unsure(call, &terms.account).await? {
            return Ok(Err(NotOpened::Unsure(unsure)));
        }
        if let Some(Permit { ask, judge }) = permit
            && let Err(refused) = judge(&lists::facts(&mut self.conn, &ask).await?)
        {
            return Ok(Err(NotOpened::Forbidden(refused)));
        }
        if let Err(taken) = self.take_place(&terms.part, &call.call, at_ms).await? {
            return Ok(Err(NotOpened::NoPlace(taken)));
        }
        if let Some(once) = once {
            self.remember(once, &call.call.0, at_ms).await?;
        }
        self.open(call, at_ms).await?;
        self.agree(&call.call, terms).await?;
        Ok(Ok(Ordered::New(())))
    }

    /// The call of this account to the same number of which nobody knows whether it rings.
    async fn unsure(
        &mut self,
        call: &Opened,
        account: &Account,
    ) -> Result<Option<CallId>, Trouble> {
        if call.direction != Direction::Outbound {
            return Ok(None);
        }
        let unsure: Option<String> = sqlx::query_scalar(
            "SELECT id FROM calls WHERE remote = $1 AND account = $2 AND direction = 'outbound' \
             AND submission IS NOT NULL AND lifecycle <> 'finalized' LIMIT 1",
        )
        .bind(call.remote.as_str())
        .bind(account.as_str())
        .fetch_optional(&mut self.conn)
        .await?;
        Ok(unsure.map(|id| CallId::new(&id)))
    }

    /// What became of this order before; nothing when it is new. Then it is remembered by what it
    /// is about to make.
    pub(super) async fn ordered<T>(
        &mut self,
        once: &Once,
        making: &str,
        at_ms: i64,
    ) -> Result<Option<Ordered<T>>, Trouble> {
        let before = self.seen(once, at_ms).await?;
        if before.is_none() {
            self.remember(once, making, at_ms).await?;
        }
        Ok(before)
    }

    /// What became of this order before; nothing when it is new.
    async fn seen<T>(&mut self, once: &Once, at_ms: i64) -> Result<Option<Ordered<T>>, Trouble> {
        let forget = "DELETE FROM orders WHERE at_ms < $1 \
                      OR (account = $2 AND key = $3 AND at_ms < $4)";
        sqlx::query(forget)
            .bind(at_ms - REMEMBERED_MS)
            .bind(once.account.as_str())
            .bind(&once.key)
            .bind(remembered(&once.key, at_ms))
            .execute(&mut self.conn)
            .await?;
        let before = before(&mut self.conn, once, at_ms).await?;
        if before.is_some() || once.again {
            return Ok(before);
        }
        let just_now: Option<String> = sqlx::query_scalar(
            "SELECT made FROM orders WHERE account = $1 AND digest = $2 AND at_ms >= $3 \
             ORDER BY at_ms DESC LIMIT 1",
        )
        .bind(once.account.as_str())
        .bind(&once.digest)
        .bind(at_ms - FENCE_MS)
        .fetch_optional(&mut self.conn)
        .await?;
        Ok(just_now.map(Ordered::JustNow))
    }

    async fn remember(&mut self, once: &Once, making: &str, at_ms: i64) -> Result<(), Trouble> {
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
        Ok(())
    }

    async fn agree(&mut self, call: &CallId, terms: &Terms) -> Result<(), Trouble> {
        let manner = Some(&terms.manner).filter(|manner| **manner != Manner::default());
        let manner = manner.map(|manner| serde_json::to_string(manner).expect("words are JSON"));
        sqlx::query(
            "UPDATE calls SET account = $2, result_schema = $3, manner = $4, follows = $5, \
             proactive = $6, bounds = $7, campaign = $8, approval = $9 WHERE id = $1",
        )
        .bind(&*call.0)
        .bind(terms.account.as_str())
        .bind(terms.result.as_ref().map(Text::as_str))
        .bind(manner)
        .bind(terms.part.follows().map(|call| &*call.0))
        .bind(i64::from(terms.ordered == policy::Ordered::Ahead))
        .bind(serde_json::to_string(&terms.bounds).expect("words are JSON"))
        .bind(&terms.campaign)
        .bind(terms.approval.as_ref().map(|approval| approval.kept().0))
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_request_is_forgotten_when_it_may_be_another_one() {
        assert_eq!(remembered("mine", 0), -REMEMBERED_MS);
        assert_eq!(remembered(&format!("{SOON_FORGOTTEN}7"), 0), -FENCE_MS);
    }
}
