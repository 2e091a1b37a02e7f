//! What the gate before every dial is told; it is read in the turn of the one writer in which the
//! call is written. Also the lists that the gate looks into: who must not be rung, who has
//! consented.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};
use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;

use super::archive::Archive;
use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, now_ms};
use crate::policy::{Ask, Facts};

/// A list of numbers, each with a word about why it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Who must not be rung.
    DoNotCall,
    /// Who has consented to be rung.
    Consents,
}

/// A number on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Why it is there, or where that came from.
    pub word: String,
    /// Since when.
    pub since_ms: i64,
}

impl List {
    const fn find(self) -> &'static str {
        match self {
            Self::DoNotCall => {
                "SELECT reason, added_ms FROM do_not_call WHERE account = $1 AND number = $2"
            }
            Self::Consents => {
                "SELECT source, given_ms FROM consents WHERE account = $1 AND number = $2"
            }
        }
    }

    const fn put(self) -> &'static str {
        match self {
            Self::DoNotCall => {
                "INSERT INTO do_not_call (account, number, reason, added_ms) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (account, number) \
                 DO UPDATE SET reason = excluded.reason"
            }
            Self::Consents => {
                "INSERT INTO consents (account, number, source, given_ms) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (account, number) \
                 DO UPDATE SET source = excluded.source, given_ms = excluded.given_ms"
            }
        }
    }

    const fn take(self) -> &'static str {
        match self {
            Self::DoNotCall => "DELETE FROM do_not_call WHERE account = $1 AND number = $2",
            Self::Consents => "DELETE FROM consents WHERE account = $1 AND number = $2",
        }
    }
}

/// What orders are judged on, and the lists of numbers.
pub trait Policies: Archive {
    /// The facts as they are in this moment; another order may change them in the next.
    fn facts(&self, ask: &Ask) -> impl Future<Output = Result<Facts, RecordError>> + Send;

    /// What a list has of a number.
    fn listed(
        &self,
        list: List,
        account: &str,
        number: &Number,
    ) -> impl Future<Output = Result<Option<Listed>, RecordError>> + Send;

    /// Puts a number on a list; durable before it returns.
    fn enlist(
        &self,
        list: List,
        account: &str,
        number: &Number,
        word: &str,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Takes a number off a list; whether it was there. Durable before it returns.
    fn delist(
        &self,
        list: List,
        account: &str,
        number: &Number,
    ) -> impl Future<Output = Result<bool, RecordError>> + Send;
}

impl Policies for Store {
    async fn facts(&self, ask: &Ask) -> Result<Facts, RecordError> {
        let mut reader = self.snapshot().await?;
        facts(&mut reader, ask).await.map_err(|trouble| match trouble {
            Trouble::Refused(error) => error,
            Trouble::Fault(fault) => RecordError(fault.to_string()),
        })
    }

    async fn listed(
        &self,
        list: List,
        account: &str,
        number: &Number,
    ) -> Result<Option<Listed>, RecordError> {
        let row = sqlx::query(list.find())
            .bind(account)
            .bind(number.as_str())
            .fetch_optional(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        let listed = |row: sqlx::sqlite::SqliteRow| {
            Ok(Listed { word: row.try_get(0)?, since_ms: row.try_get(1)? })
        };
        row.map(listed).transpose().map_err(|error: sqlx::Error| unread(&error))
    }

    async fn enlist(
        &self,
        list: List,
        account: &str,
        number: &Number,
        word: &str,
    ) -> Result<(), RecordError> {
        let (account, number, word) = (account.to_owned(), number.clone(), word.to_owned());
        let at_ms = now_ms();
        let put = self.promise(move |desk| {
            Box::pin(async move { desk.enlist(list, &account, &number, &word, at_ms).await })
        });
        Ok(put.await?)
    }

    async fn delist(
        &self,
        list: List,
        account: &str,
        number: &Number,
    ) -> Result<bool, RecordError> {
        let (account, number) = (account.to_owned(), number.clone());
        let taken = self.promise(move |desk| {
            Box::pin(async move { desk.delist(list, &account, &number).await })
        });
        Ok(taken.await?)
    }
}

impl Desk {
    async fn enlist(
        &mut self,
        list: List,
        account: &str,
        number: &Number,
        word: &str,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        sqlx::query(list.put())
            .bind(account)
            .bind(number.as_str())
            .bind(word)
            .bind(at_ms)
            .execute(&mut self.conn)
            .await?;
        Ok(())
    }

    async fn delist(
        &mut self,
        list: List,
        account: &str,
        number: &Number,
    ) -> Result<bool, Trouble> {
        let gone = sqlx::query(list.take())
            .bind(account)
            .bind(number.as_str())
            .execute(&mut self.conn)
            .await?;
        Ok(gone.rows_affected() > 0)
    }
}

/// What counts is an account's own.
pub(super) async fn facts(conn: &mut SqliteConnection, ask: &Ask) -> Result<Facts, Trouble> {
    let (account, number) = (ask.account.as_str(), ask.to.as_str());
    let mut is_on = async |list: List| {
        let found = sqlx::query(list.find()).bind(account).bind(number);
        Ok::<_, Trouble>(found.fetch_optional(&mut *conn).await?.is_some())
    };
    let (do_not_call, consent) = (is_on(List::DoNotCall).await?, is_on(List::Consents).await?);
    let (since, most) = ask.attempts;
    let attempts = placed(conn, account, Which::To(&ask.to), since, most).await?;
    let (since, most) = ask.placed;
    let all = placed(conn, account, Which::All, since, most).await?;
    let (since, most) = ask.proactive;
    let proactive = placed(conn, account, Which::ProactiveTo(&ask.to), since, most).await?;
    let live: i64 = match ask.live {
        true => {
            sqlx::query_scalar(
                "SELECT COUNT(*) FROM calls \
                 WHERE lifecycle <> 'finalized' AND direction = 'outbound' AND account = $1",
            )
            .bind(account)
            .fetch_one(&mut *conn)
            .await?
        }
        false => 0,
    };
    let talk_ms: i64 = match ask.talk {
        Some((since, now)) => {
            sqlx::query_scalar(
                "SELECT COALESCE(SUM(COALESCE(talk_ms, $2 - answered_ms)), 0) FROM calls \
                 WHERE queued_ms >= $1 AND direction = 'outbound' AND answered_ms IS NOT NULL \
                 AND account = $3",
            )
            .bind(since.as_millisecond())
            .bind(now.as_millisecond())
            .bind(account)
            .fetch_one(&mut *conn)
            .await?
        }
        None => 0,
    };
    Ok(Facts {
        do_not_call,
        consent,
        attempts,
        placed: all,
        proactive,
        live: u32::try_from(live).unwrap_or(u32::MAX),
        talk: Duration::from_millis(u64::try_from(talk_ms).unwrap_or_default()),
    })
}

/// Which calls are counted.
#[derive(Clone, Copy)]
enum Which<'a> {
    All,
    To(&'a Number),
    /// Those that nobody ordered at that moment.
    ProactiveTo(&'a Number),
}

/// When calls were placed, the newest first. One that was given up before anybody was rung is
/// none.
async fn placed(
    conn: &mut SqliteConnection,
    account: &str,
    which: Which<'_>,
    since: Timestamp,
    most: u32,
) -> Result<Vec<Timestamp>, Trouble> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let (to, proactive) = match which {
        Which::All => (None, 0_i64),
        Which::To(to) => (Some(to), 0),
        Which::ProactiveTo(to) => (Some(to), 1),
    };
    let sql = match to {
        Some(_) => {
            "SELECT queued_ms FROM calls WHERE account = $3 AND remote = $5 AND queued_ms > $1 \
             AND direction = 'outbound' AND proactive >= $4 \
             AND NOT (lifecycle = 'finalized' AND dialing_ms IS NULL) \
             ORDER BY queued_ms DESC LIMIT $2"
        }
        None => {
            "SELECT queued_ms FROM calls WHERE account = $3 AND queued_ms > $1 \
             AND direction = 'outbound' AND proactive >= $4 \
             AND NOT (lifecycle = 'finalized' AND dialing_ms IS NULL) \
             ORDER BY queued_ms DESC LIMIT $2"
        }
    };
    let asked = sqlx::query_scalar(sql)
        .bind(since.as_millisecond())
        .bind(i64::from(most))
        .bind(account)
        .bind(proactive);
    let asked = match to {
        Some(to) => asked.bind(to.as_str()),
        None => asked,
    };
    let rows: Vec<i64> = asked.fetch_all(&mut *conn).await?;
    let moments = rows.into_iter().map(Timestamp::from_millisecond);
    moments.collect::<Result<_, _>>().map_err(|_| Trouble::refused("a time is out of range"))
}
