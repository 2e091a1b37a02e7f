//! Campaigns read back from the record, each with the calls that belong to it.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;

use super::super::archive::{Archive, CallRow, Cursor, outcome_named};
use super::super::fault::unread;
use super::super::read::{all_calls, call_row, column, newest, newest_of};
use super::{Campaign, CampaignRow, CampaignTarget, Decided, Store, Target};
use crate::account::Account;

/// Calls and searches of one campaign that are looked at: the newest.
const ROWS: i64 = 500;

/// Campaigns read back from the record.
pub trait CampaignArchive: Archive {
    /// A campaign with its targets and their calls; none when there is none of this id.
    fn campaign(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<Option<CampaignRow>, RecordError>> + Send;

    /// Campaigns, newest first, from behind `after`, without their targets; of one account where
    /// that is said. At most `limit`, at most [`PAGE_MAX`](super::super::PAGE_MAX); and where
    /// the next page begins.
    fn campaigns(
        &self,
        of: Option<Account>,
        after: Option<Cursor>,
        limit: u32,
    ) -> impl Future<Output = Result<(Vec<CampaignRow>, Option<Cursor>), RecordError>> + Send;

    /// The campaigns with a call that may have to be repeated.
    fn awaited_campaigns(&self) -> impl Future<Output = Result<Vec<String>, RecordError>> + Send;
}

impl CampaignArchive for Store {
    async fn campaign(&self, id: &str) -> Result<Option<CampaignRow>, RecordError> {
        let reader = &mut *self.snapshot().await?;
        let found = rows(reader, "SELECT * FROM campaigns WHERE id = $1 LIMIT $2", id).await?;
        let Some(row) = found.first() else { return Ok(None) };
        let mut campaign = read(row)?;
        let sql = "SELECT * FROM campaign_decisions WHERE campaign = $1 ORDER BY number LIMIT $2";
        campaign.decisions =
            rows(reader, sql, id).await?.iter().map(decided).collect::<Result<_, _>>()?;
        let sql = "SELECT * FROM campaign_targets WHERE campaign = $1 ORDER BY number LIMIT $2";
        campaign.targets =
            rows(reader, sql, id).await?.iter().map(target).collect::<Result<_, _>>()?;
        let sql =
            concat!(all_calls!(), "WHERE campaign = $1 ORDER BY queued_ms DESC, id DESC LIMIT $2");
        for row in rows(reader, sql, id).await? {
            let call: CallRow = call_row(&row)?;
            let mut targets = campaign.targets.iter_mut();
            if let Some(target) = targets.find(|target| target.target.to == call.remote) {
                target.calls.push(call);
            }
        }
        let sql = "SELECT id FROM searches WHERE campaign = $1 ORDER BY made_ms DESC LIMIT $2";
        let searches = rows(reader, sql, id).await?;
        campaign.searches =
            searches.iter().map(|row| column(row, "id")).collect::<Result<_, _>>()?;
        Ok(Some(campaign))
    }

    async fn campaigns(
        &self,
        of: Option<Account>,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<(Vec<CampaignRow>, Option<Cursor>), RecordError> {
        let (readers, sql) = (&self.inner.readers, newest_of!("campaigns"));
        let cursor = |row: &CampaignRow| Cursor { queued_ms: row.made_ms, id: row.id.clone() };
        newest(readers, sql, of, (after, limit), read, cursor).await
    }

    async fn awaited_campaigns(&self) -> Result<Vec<String>, RecordError> {
        sqlx::query_scalar("SELECT DISTINCT campaign FROM campaign_targets WHERE again IS NOT NULL")
            .fetch_all(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))
    }
}

async fn rows(
    reader: &mut SqliteConnection,
    sql: &'static str,
    id: &str,
) -> Result<Vec<SqliteRow>, RecordError> {
    sqlx::query(sql).bind(id).bind(ROWS).fetch_all(reader).await.map_err(|error| unread(&error))
}

fn read(row: &SqliteRow) -> Result<CampaignRow, RecordError> {
    Ok(CampaignRow {
        id: column(row, "id")?,
        account: column::<String>(row, "account")?
            .parse()
            .map_err(|error| RecordError(format!("a campaign: {error}")))?,
        campaign: Campaign {
            purpose: Text(column(row, "purpose")?),
            constraints: column::<Option<String>>(row, "constraints")?.map(Text),
            known_facts: column::<Option<String>>(row, "known_facts")?.map(Text),
        },
        decisions: Vec::new(),
        targets: Vec::new(),
        searches: Vec::new(),
        made_ms: column(row, "made_ms")?,
        changed_ms: column(row, "changed_ms")?,
    })
}

fn decided(row: &SqliteRow) -> Result<Decided, RecordError> {
    Ok(Decided {
        target: column::<Option<i64>>(row, "target")?.map(count).transpose()?,
        decision: Text(column(row, "decision")?),
        at_ms: column(row, "at_ms")?,
    })
}

fn target(row: &SqliteRow) -> Result<CampaignTarget, RecordError> {
    let name: Option<String> = column(row, "name")?;
    let again: Option<String> = column(row, "again")?;
    let outcomes = |again: String| {
        let words = again.split(',').filter(|word| !word.is_empty());
        words.map(outcome_named).collect::<Result<Vec<_>, _>>()
    };
    let next: Option<String> = column(row, "next_action")?;
    Ok(CampaignTarget {
        number: count(column(row, "number")?)?,
        target: Target { to: Number::new(column::<String>(row, "remote")?), name: name.map(Text) },
        call: column::<Option<String>>(row, "call")?.map(|call| CallId::new(&call)),
        attempts: count(column(row, "attempts")?)?,
        only_asks: column::<i64>(row, "only_asks")? != 0,
        again: again.map(outcomes).transpose()?,
        next_action: next.map(Text).zip(column(row, "next_action_ms")?),
        calls: Vec::new(),
    })
}

fn count(number: i64) -> Result<u32, RecordError> {
    u32::try_from(number).map_err(|_| RecordError("a count of a campaign".to_owned()))
}
