//! What the gate before every dial is told; it is read in the turn of the one writer in which the
//! call is written. Also the lists that the gate looks into: who must not be rung, who has
//! consented.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};
use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;

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

impl Store {
    /// The facts as they are in this moment; another order may change them in the next.
    pub async fn facts(&self, ask: &Ask) -> Result<Facts, RecordError> {
        let mut reader = self.inner.readers.acquire().await.map_err(|error| unread(&error))?;
        facts(&mut reader, ask).await.map_err(|trouble| match trouble {
            Trouble::Refused(error) => error,
            Trouble::Fault(fault) => RecordError(fault.to_string()),
        })
    }

    /// What a list has of a number.
    pub async fn listed(
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

    /// Puts a number on a list; durable before it returns.
    pub async fn enlist(
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

    /// Takes a number off a list; whether it was there. Durable before it returns.
    pub async fn delist(
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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tandem_actors::briefing::{CallId, Lifecycle, Outcome};
    use tandem_actors::record::{Fact, Record as _};

    use super::super::conformance::{finalized, note, opened};
    use super::super::{Archive as _, NotOpened, Permit, Terms};
    use super::*;
    use crate::policy::{Code, Ordered as Asked, Refused};

    fn ask(number: &str, most: u32) -> Ask {
        let now = Timestamp::now();
        let since = now - SignedDuration::from_hours(1);
        Ask {
            to: Number::new(number),
            account: "house".to_owned(),
            attempts: (since, most),
            placed: (since, most),
            live: true,
            talk: Some((since, now)),
            proactive: (since, most),
        }
    }

    /// Opens a call of an account, if that is permitted.
    async fn open_if(
        store: &Store,
        call: &str,
        ask: Ask,
        judge: impl FnOnce(&Facts) -> Result<(), Refused> + Send + 'static,
    ) -> Result<(), Refused> {
        let account = ask.account.parse().unwrap();
        let ordered = if call == "talking" { Asked::Ahead } else { Asked::Now };
        let terms = Terms { account, ordered, ..Terms::default() };
        let permit = Permit { ask, judge: Box::new(judge) };
        let ordered = store.order(opened(call), terms, None, Some(permit)).await.unwrap();
        ordered.map(drop).map_err(|not| match not {
            NotOpened::Forbidden(refused) => refused,
            NotOpened::NoPlace(taken) => panic!("{taken}"),
            NotOpened::Unsure(call) => panic!("{call} may ring"),
        })
    }

    fn refused() -> Refused {
        let detail = "not now".to_owned();
        Refused { code: Code::Rate, detail, retryable: true, next_permitted_at: None }
    }

    #[tokio::test]
    async fn calls_count_from_the_order_to_their_end_and_those_that_rang_nobody_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        let mut ringing = opened("in");
        ringing.direction = tandem_actors::briefing::Direction::Inbound;
        store.open(ringing).await.unwrap();
        for call in ["queued", "talking", "over", "given-up"] {
            let ask = ask("+15550100", 9);
            assert_eq!(open_if(&store, call, ask, |_| Ok(())).await, Ok(()));
        }
        for call in ["talking", "over"] {
            store.dialing(CallId::new(call)).await.unwrap();
            store.note(note(call, 1, Fact::Lifecycle(Lifecycle::Answered)));
        }
        store.note(note("over", 2, finalized(Outcome::Answered)));
        store.note(note("given-up", 1, finalized(Outcome::Cancelled)));
        store.flush().await.unwrap();
        let mut asked = ask("+15550100", 9);
        // Notes of this suite are told at a second of 1970.
        asked.talk = Some((asked.attempts.0, Timestamp::from_millisecond(1_009_001).unwrap()));
        let facts = store.facts(&asked).await.unwrap();
        assert_eq!((facts.attempts.len(), facts.placed.len(), facts.live), (3, 3, 2));
        assert!(facts.attempts.is_sorted_by(|one, next| one >= next));
        assert_eq!(facts.proactive.len(), 1, "that nobody ordered at that moment");
        assert_eq!(facts.talk, Duration::from_millis(4_200 + 9_000));
        let facts = store.facts(&ask("+15550101", 2)).await.unwrap();
        assert_eq!((facts.attempts.len(), facts.placed.len()), (0, 2), "another number");
    }

    #[tokio::test]
    async fn what_is_refused_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        let asked = ask("+15550100", 1);
        assert_eq!(open_if(&store, "c1", asked, |_| Err(refused())).await, Err(refused()));
        assert_eq!(store.call(&CallId::new("c1")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_list_holds_each_accounts_numbers_until_they_are_taken_off() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        let number = Number::new("+15550100");
        for list in [List::DoNotCall, List::Consents] {
            assert_eq!(store.listed(list, "house", &number).await.unwrap(), None);
            store.enlist(list, "house", &number, "asked on the phone").await.unwrap();
            store.enlist(list, "house", &number, "a form of May").await.unwrap();
            let found = store.listed(list, "house", &number).await.unwrap().unwrap();
            assert_eq!(found.word, "a form of May");
            assert_eq!(store.listed(list, "other", &number).await.unwrap(), None);
        }
        let facts = store.facts(&ask("+15550100", 0)).await.unwrap();
        assert!(facts.do_not_call && facts.consent);
        store.close().await.unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        assert!(store.facts(&ask("+15550100", 0)).await.unwrap().do_not_call, "in the next run");
        for list in [List::DoNotCall, List::Consents] {
            assert!(store.delist(list, "house", &number).await.unwrap());
            assert!(!store.delist(list, "house", &number).await.unwrap());
        }
        let facts = store.facts(&ask("+15550100", 0)).await.unwrap();
        assert!(!facts.do_not_call && !facts.consent);
    }
}
