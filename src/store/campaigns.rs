//! Campaigns as they are written down: a purpose, what is known and decided, whom it is about, and
//! which call is under way with whom. What the calls have brought is read from the calls.

mod read;

use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::record::RecordError;

use super::archive::{Archive, CallRow};
use super::desk::Desk;
use super::fault::Trouble;
use super::orders::{Once, Ordered};
use super::searches::{NoPlace, Target};
use super::{Store, now_ms};
use crate::account::Account;

pub use read::CampaignArchive;

/// Decisions of one campaign: more than anybody reads to a call.
pub const DECISIONS_MAX: i64 = 50;

/// What a campaign is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// What its calls are for.
    pub purpose: Text,
    /// What holds in all of them.
    pub constraints: Option<Text>,
    /// What is known.
    pub known_facts: Option<Text>,
}

/// A campaign as it stands. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub account: Account,
    /// What it is.
    pub campaign: Campaign,
    /// What was decided, in that order.
    pub decisions: Vec<Decided>,
    /// Whom it is about, in the order of their numbers, which begin at 1.
    pub targets: Vec<CampaignTarget>,
    /// Its searches, the newest first.
    pub searches: Vec<String>,
    /// When it was made.
    pub made_ms: i64,
    /// When it was changed by whoever keeps it.
    pub changed_ms: i64,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Which target it is about; all of it when none is named.
    pub target: Option<u32>,
    /// In words.
    pub decision: Text,
    /// When.
    pub at_ms: i64,
}

/// Whom a campaign is about.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignTarget {
    /// Its number.
    pub number: u32,
    /// Who it is.
    pub target: Target,
    /// The last call that was ordered for it here.
    pub call: Option<CallId>,
    /// How often it was rung by that order.
    pub attempts: u32,
    /// Whether that call only asks.
    pub only_asks: bool,
    /// After these it is rung once more; none when nothing is awaited.
    pub again: Option<Vec<Outcome>>,
    /// What is to be done next, as whoever keeps the campaign said, and when.
    pub next_action: Option<(Text, i64)>,
    /// The calls of the campaign with it, searches' and follow-ups too; the newest first.
    pub calls: Vec<CallRow>,
}

/// What is changed; what is not named stays. An empty text takes what there was away.
#[derive(Clone, Debug, Default)]
pub struct CampaignChange {
    /// What holds.
    pub constraints: Option<Text>,
    /// What is known.
    pub known_facts: Option<Text>,
    /// Decisions that are added.
    pub decisions: Vec<(Option<u32>, Text)>,
    /// What is to be done next, by target.
    pub next_actions: Vec<(u32, Text)>,
}

/// A call to a target of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The campaign.
    pub campaign: String,
    /// Which target.
    pub number: u32,
    /// The call that this one repeats; none when it is ordered anew.
    pub before: Option<CallId>,
    /// The call that it goes on from.
    pub follows: Option<CallId>,
    /// How often it was rung with this one.
    pub attempts: u32,
    /// Whether it only asks.
    pub only_asks: bool,
    /// After these it is rung once more.
    pub again: Vec<Outcome>,
}

/// Campaigns.
pub trait Campaigns: Archive {
    /// Writes a campaign down; durable before it returns.
    fn make_campaign(
        &self,
        account: Account,
        campaign: Campaign,
        targets: Vec<Target>,
        once: Option<Once>,
    ) -> impl Future<Output = Result<Ordered<String>, RecordError>> + Send;

    /// Changes a campaign; false when there would be more than [`DECISIONS_MAX`] decisions, and
    /// then nothing is changed. Durable before it returns.
    fn change_campaign(
        &self,
        id: &str,
        change: CampaignChange,
    ) -> impl Future<Output = Result<bool, RecordError>> + Send;

    /// Forgets a campaign; its calls and searches stay, and belong to none any more.
    fn forget_campaign(&self, id: &str) -> impl Future<Output = Result<(), RecordError>> + Send;

    /// Nothing is awaited of this call any more.
    fn end_errand(
        &self,
        campaign: &str,
        call: &CallId,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;
}

impl Campaigns for Store {
    async fn make_campaign(
        &self,
        account: Account,
        campaign: Campaign,
        targets: Vec<Target>,
        once: Option<Once>,
    ) -> Result<Ordered<String>, RecordError> {
        let (id, at_ms) = (uuid::Uuid::now_v7().to_string(), now_ms());
        let made = self.promise(move |desk| {
            Box::pin(async move {
                if let Some(once) = &once
                    && let Some(before) = desk.ordered(once, &id, at_ms).await?
                {
                    return Ok(before);
                }
                desk.make_campaign(&id, &account, &campaign, &targets, at_ms).await?;
                Ok(Ordered::New(id))
            })
        });
        Ok(made.await?)
    }

    async fn change_campaign(&self, id: &str, change: CampaignChange) -> Result<bool, RecordError> {
        let (id, at_ms) = (id.to_owned(), now_ms());
        let changed = self.promise(move |desk| {
            Box::pin(async move { desk.change_campaign(&id, &change, at_ms).await })
        });
        Ok(changed.await?)
    }

    async fn forget_campaign(&self, id: &str) -> Result<(), RecordError> {
        let id = id.to_owned();
        let gone = self.promise(move |desk| {
            Box::pin(async move {
                for sql in [
                    "DELETE FROM campaigns WHERE id = $1",
                    "UPDATE calls SET campaign = NULL WHERE campaign = $1",
                    "UPDATE searches SET campaign = NULL WHERE campaign = $1",
                ] {
                    sqlx::query(sql).bind(&id).execute(&mut desk.conn).await?;
                }
                Ok(())
            })
        });
        Ok(gone.await?)
    }

    async fn end_errand(&self, campaign: &str, call: &CallId) -> Result<(), RecordError> {
        let (campaign, call) = (campaign.to_owned(), call.clone());
        let ended = self.promise(move |desk| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE campaign_targets SET again = NULL WHERE campaign = $1 AND call = $2",
                )
                .bind(campaign)
                .bind(&*call.0)
                .execute(&mut desk.conn)
                .await?;
                Ok(())
            })
        });
        Ok(ended.await?)
    }
}

impl Desk {
    async fn make_campaign(
        &mut self,
        id: &str,
        account: &Account,
        campaign: &Campaign,
        targets: &[Target],
        at_ms: i64,
    ) -> Result<(), Trouble> {
        sqlx::query(
            "INSERT INTO campaigns (id, account, purpose, constraints, known_facts, made_ms, \
             changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(id)
        .bind(account.as_str())
        .bind(campaign.purpose.as_str())
        .bind(campaign.constraints.as_ref().map(Text::as_str))
        .bind(campaign.known_facts.as_ref().map(Text::as_str))
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        for (number, target) in (1_i64..).zip(targets) {
            sqlx::query(
                "INSERT INTO campaign_targets (campaign, number, remote, name, attempts, \
                 only_asks) VALUES ($1, $2, $3, $4, 0, 0)",
            )
            .bind(id)
            .bind(number)
            .bind(target.to.as_str())
            .bind(target.name.as_ref().map(Text::as_str))
            .execute(&mut self.conn)
            .await?;
        }
        Ok(())
    }

    async fn change_campaign(
        &mut self,
        id: &str,
        change: &CampaignChange,
        at_ms: i64,
    ) -> Result<bool, Trouble> {
        let decided: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM campaign_decisions WHERE campaign = $1")
                .bind(id)
                .fetch_one(&mut self.conn)
                .await?;
        let added = i64::try_from(change.decisions.len()).unwrap_or(i64::MAX);
        if decided.saturating_add(added) > DECISIONS_MAX {
            return Ok(false);
        }
        // NULLIF: an empty text takes away what there was.
        sqlx::query(
            "UPDATE campaigns SET changed_ms = $2, \
             constraints = CASE WHEN $3 IS NULL THEN constraints ELSE NULLIF($3, '') END, \
             known_facts = CASE WHEN $4 IS NULL THEN known_facts ELSE NULLIF($4, '') END \
             WHERE id = $1",
        )
        .bind(id)
        .bind(at_ms)
        .bind(change.constraints.as_ref().map(Text::as_str))
        .bind(change.known_facts.as_ref().map(Text::as_str))
        .execute(&mut self.conn)
        .await?;
        for (number, (target, decision)) in (decided + 1..).zip(&change.decisions) {
            sqlx::query(
                "INSERT INTO campaign_decisions (campaign, number, target, decision, at_ms) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(id)
            .bind(number)
            .bind(target.map(i64::from))
            .bind(decision.as_str())
            .bind(at_ms)
            .execute(&mut self.conn)
            .await?;
        }
        for (number, next) in &change.next_actions {
            sqlx::query(
                "UPDATE campaign_targets SET next_action = NULLIF($3, ''), next_action_ms = $4 \
                 WHERE campaign = $1 AND number = $2",
            )
            .bind(id)
            .bind(i64::from(*number))
            .bind(next.as_str())
            .bind(at_ms)
            .execute(&mut self.conn)
            .await?;
        }
        Ok(true)
    }

    /// Gives a call that is about to be opened its target, unless another one is under way there
    /// or the call that it repeats is not the last one any more.
    pub(super) async fn take_errand(
        &mut self,
        errand: &Errand,
        call: &CallId,
    ) -> Result<Result<(), NoPlace>, Trouble> {
        let again: Vec<&str> = errand.again.iter().map(|outcome| outcome.word()).collect();
        let taken = sqlx::query(
            "UPDATE campaign_targets SET call = $3, attempts = $4, only_asks = $5, again = $6 \
             WHERE campaign = $1 AND number = $2 AND ($7 IS NULL OR call = $7) AND NOT EXISTS \
             (SELECT 1 FROM calls WHERE id = campaign_targets.call AND lifecycle <> 'finalized')",
        )
        .bind(&errand.campaign)
        .bind(i64::from(errand.number))
        .bind(&*call.0)
        .bind(i64::from(errand.attempts))
        .bind(i64::from(errand.only_asks))
        .bind(again.join(","))
        .bind(errand.before.as_ref().map(|call| &*call.0))
        .execute(&mut self.conn)
        .await?;
        Ok(if taken.rows_affected() == 1 { Ok(()) } else { Err(NoPlace::UnderWay) })
    }
}
