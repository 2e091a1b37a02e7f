//! Searches as they are written down: one question, its targets, which call asks whom, and whose
//! offer was taken. A call takes its place in a search in the transaction that opens it, so that
//! nobody is rung twice and one offer is taken at most.

mod read;

use sqlx::Row as _;
use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;

use super::archive::{Archive, CallRow};
use super::campaigns::Errand;
use super::desk::Desk;
use super::fault::Trouble;
use super::orders::{Once, Ordered};
use super::{Store, now_ms};
use crate::account::Account;

pub use read::SearchArchive;

/// What a call is a part of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Of nothing else.
    #[default]
    Alone,
    /// It goes on where this call ended.
    FollowUp(CallId),
    /// It is one of those of a campaign.
    Errand(Errand),
    /// It asks a target of a search.
    Target {
        /// The search.
        search: String,
        /// Which target.
        number: u32,
        /// The call that has asked it before.
        before: Option<CallId>,
    },
    /// It takes what a target of a search has offered.
    Choice {
        /// The search.
        search: String,
        /// Which target.
        number: u32,
        /// The call in which it was offered.
        follows: CallId,
    },
}

impl Part {
    /// The call that this one goes on from.
    pub(super) fn follows(&self) -> Option<&CallId> {
        match self {
            Self::FollowUp(call) | Self::Choice { follows: call, .. } => Some(call),
            Self::Errand(errand) => errand.follows.as_ref(),
            Self::Alone | Self::Target { .. } => None,
        }
    }
}

/// A call's place in a search is not to be had; the call is not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// Another call has it, or the search is over.
    #[error("the target was rung before, or the search is over")]
    Asked,
    /// A call with the target is under way, or was made since.
    #[error("a call with this target is under way, or was made since")]
    UnderWay,
    /// An offer was taken before.
    #[error("an offer was taken before, by the call {call}")]
    Chosen {
        /// Whose.
        number: u32,
        /// By this call.
        call: CallId,
    },
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchState {
    /// Targets are rung, or will be.
    Running,
    /// Everybody was asked, or enough was found.
    Finished,
    /// It was told to stop.
    Stopped,
    /// An offer was taken.
    Chosen,
}

impl SearchState {
    /// Every one, in their order.
    pub const ALL: [Self; 4] = [Self::Running, Self::Finished, Self::Stopped, Self::Chosen];

    /// The word in the store and the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Chosen => "chosen",
        }
    }
}

/// Whom a search asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whom.
    pub to: Number,
    /// What they are called, where that is known.
    pub name: Option<Text>,
}

/// What a search is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// What is asked.
    pub question: Text,
    /// What may be told when they ask back.
    pub facts: Option<Text>,
    /// JSON Schema of what else shall be brought back.
    pub bring: Option<Text>,
    /// The most calls at once.
    pub at_once: u32,
    /// So many offers are enough; without it everybody is asked.
    pub enough: Option<u32>,
    /// After these a target is rung once more.
    pub again: Vec<Outcome>,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
}

/// A search as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub account: Account,
    /// What it is.
    pub inquiry: Inquiry,
    /// How far it has come.
    pub state: SearchState,
    /// What has to be shown to take an offer.
    pub token: Text,
    /// Whose offer was taken, and by which call.
    pub chosen: Option<(u32, CallId)>,
    /// When it was ordered.
    pub made_ms: i64,
    /// Whom it asks, in the order of their numbers, which begin at 1.
    pub targets: Vec<TargetRow>,
}

/// A target as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetRow {
    /// Its number.
    pub number: u32,
    /// Who it is.
    pub target: Target,
    /// How often it was rung.
    pub attempts: u32,
    /// The call that asked it last.
    pub call: Option<CallId>,
    /// That call as it stands; none when it was deleted.
    pub row: Option<CallRow>,
    /// Why it may not be rung, if it may not.
    pub refused: Option<String>,
}

/// Searches as they go on.
pub trait Searches: Archive {
    /// Writes a search down; durable before it returns.
    fn begin_search(
        &self,
        account: Account,
        inquiry: Inquiry,
        targets: Vec<Target>,
        once: Option<Once>,
    ) -> impl Future<Output = Result<Ordered<String>, RecordError>> + Send;

    /// Ends a search that runs; one that does not stays as it is.
    fn end_search(
        &self,
        id: &str,
        state: SearchState,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Writes down why a target may not be rung.
    fn refuse_target(
        &self,
        search: &str,
        number: u32,
        why: String,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;
}

impl Searches for Store {
    async fn begin_search(
        &self,
        account: Account,
        inquiry: Inquiry,
        targets: Vec<Target>,
        once: Option<Once>,
    ) -> Result<Ordered<String>, RecordError> {
        let at_ms = now_ms();
        let (id, token) = (uuid::Uuid::now_v7().to_string(), uuid::Uuid::new_v4().to_string());
        let begun = self.promise(move |desk| {
            Box::pin(async move {
                if let Some(once) = &once
                    && let Some(before) = desk.ordered(once, &id, at_ms).await?
                {
                    return Ok(before);
                }
                desk.begin_search(&id, &token, &account, &inquiry, at_ms).await?;
                desk.add_targets(&id, &targets).await?;
                Ok(Ordered::New(id))
            })
        });
        Ok(begun.await?)
    }

    async fn end_search(&self, id: &str, state: SearchState) -> Result<(), RecordError> {
        let (id, at_ms) = (id.to_owned(), now_ms());
        let ended = self
            .promise(move |desk| Box::pin(async move { desk.end_search(&id, state, at_ms).await }));
        Ok(ended.await?)
    }

    async fn refuse_target(
        &self,
        search: &str,
        number: u32,
        why: String,
    ) -> Result<(), RecordError> {
        let search = search.to_owned();
        let refused = self.promise(move |desk| {
            Box::pin(async move { desk.refuse_target(&search, number, &why).await })
        });
        Ok(refused.await?)
    }
}

impl Desk {
    async fn begin_search(
        &mut self,
        id: &str,
        token: &str,
        account: &Account,
        inquiry: &Inquiry,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        let again: Vec<&str> = inquiry.again.iter().map(|outcome| outcome.word()).collect();
        sqlx::query(
            "INSERT INTO searches (id, account, question, facts, bring, at_once, enough, again, \
             state, token, made_ms, campaign) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'running', $9, $10, $11)",
        )
        .bind(id)
        .bind(account.as_str())
        .bind(inquiry.question.as_str())
        .bind(inquiry.facts.as_ref().map(Text::as_str))
        .bind(inquiry.bring.as_ref().map(Text::as_str))
        .bind(i64::from(inquiry.at_once))
        .bind(inquiry.enough.map(i64::from))
        .bind(again.join(","))
        .bind(token)
        .bind(at_ms)
        .bind(&inquiry.campaign)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    async fn add_targets(&mut self, search: &str, targets: &[Target]) -> Result<(), Trouble> {
        for (number, target) in (1_i64..).zip(targets) {
            sqlx::query(
                "INSERT INTO search_targets (search, number, remote, name, attempts) \
                 VALUES ($1, $2, $3, $4, 0)",
            )
            .bind(search)
            .bind(number)
            .bind(target.to.as_str())
            .bind(target.name.as_ref().map(Text::as_str))
            .execute(&mut self.conn)
            .await?;
        }
        Ok(())
    }

    async fn end_search(
        &mut self,
        id: &str,
        state: SearchState,
        at_ms: i64,
    ) -> Result<(), Trouble> {
        let ended = sqlx::query(
            "UPDATE searches SET state = $2, ended_ms = $3 WHERE id = $1 AND state = 'running'",
        )
        .bind(id)
        .bind(state.word())
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        if ended.rows_affected() == 1 {
            self.tell_of_search(id, at_ms).await?;
        }
        Ok(())
    }

    async fn refuse_target(&mut self, search: &str, number: u32, why: &str) -> Result<(), Trouble> {
        sqlx::query("UPDATE search_targets SET refused = $3 WHERE search = $1 AND number = $2")
            .bind(search)
            .bind(i64::from(number))
            .bind(why)
            .execute(&mut self.conn)
            .await?;
        Ok(())
    }

    /// Gives a call that is about to be opened its place, unless that is taken.
    pub(super) async fn take_place(
        &mut self,
        part: &Part,
        call: &CallId,
        at_ms: i64,
    ) -> Result<Result<(), NoPlace>, Trouble> {
        match part {
            Part::Alone | Part::FollowUp(_) => Ok(Ok(())),
            Part::Errand(errand) => self.take_errand(errand, call).await,
            Part::Target { search, number, before } => {
                let taken = sqlx::query(
                    "UPDATE search_targets SET call = $4, attempts = attempts + 1 \
                     WHERE search = $1 AND number = $2 AND COALESCE(call, '') = $3 AND EXISTS \
                     (SELECT 1 FROM searches WHERE id = $1 AND state = 'running')",
                )
                .bind(search)
                .bind(i64::from(*number))
                .bind(before.as_ref().map_or("", |call| &*call.0))
                .bind(&*call.0)
                .execute(&mut self.conn)
                .await?;
                Ok(if taken.rows_affected() == 1 { Ok(()) } else { Err(NoPlace::Asked) })
            }
            Part::Choice { search, number, .. } => {
                self.take_offer(search, *number, call, at_ms).await
            }
        }
    }

    /// The first choice stays, unless its call has reached nobody: then it took nothing.
    async fn take_offer(
        &mut self,
        search: &str,
        number: u32,
        call: &CallId,
        at_ms: i64,
    ) -> Result<Result<(), NoPlace>, Trouble> {
        let was: String = sqlx::query_scalar("SELECT state FROM searches WHERE id = $1")
            .bind(search)
            .fetch_one(&mut self.conn)
            .await?;
        let taken = sqlx::query(
            "UPDATE searches SET state = 'chosen', chosen = $2, chosen_call = $3, \
             ended_ms = COALESCE(ended_ms, $4) WHERE id = $1 AND (chosen_call IS NULL OR EXISTS \
             (SELECT 1 FROM calls WHERE id = chosen_call AND outcome IN ('no_answer', 'busy', \
             'rejected', 'cancelled', 'network_error', 'invalid_number', 'unreachable')))",
        )
        .bind(search)
        .bind(i64::from(number))
        .bind(&*call.0)
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        if taken.rows_affected() == 1 {
            // Told once: not when it was over before.
            if was == SearchState::Running.word() {
                self.tell_of_search(search, at_ms).await?;
            }
            return Ok(Ok(()));
        }
        let before = sqlx::query("SELECT chosen, chosen_call FROM searches WHERE id = $1")
            .bind(search)
            .fetch_one(&mut self.conn)
            .await?;
        let number: i64 = before.try_get("chosen")?;
        let call = CallId::new(before.try_get("chosen_call")?);
        let number = u32::try_from(number).map_err(|_| Trouble::refused("a number of a target"))?;
        Ok(Err(NoPlace::Chosen { number, call }))
    }
}
