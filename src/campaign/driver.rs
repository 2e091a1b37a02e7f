//! Rings a target of a campaign once more where the network failed, or where that was asked for.
//! Everything it knows lies in the record; it rings by the same plan as searches do.

use std::time::Duration;

use jiff::Timestamp;
use tandem_actors::record::RecordError;
use tokio_util::sync::CancellationToken;

use super::schema;
use crate::config::Voicemail;
use crate::policy::{Code, Refused};
use crate::reception::{self, NotMade, Order, Wish};
use crate::search::plan::{self, Asked, Plan, Rules};
use crate::search::standing;
use crate::store::{
    CallRow, CampaignArchive as _, CampaignRow, CampaignTarget, Campaigns as _, Errand, Part, Store,
};

/// How often it is looked whether somebody is to be rung once more.
const LOOK: Duration = Duration::from_secs(1);

/// Runs until told to stop.
pub async fn run(store: Store, reception: reception::Shared, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = look(&store, &reception).await {
            tracing::error!(%error, "campaigns are not followed at this moment");
        }
    }
}

async fn look(store: &Store, reception: &reception::Shared) -> Result<(), RecordError> {
    for id in store.awaited_campaigns().await? {
        let Some(campaign) = store.campaign(&id).await? else { continue };
        for target in &campaign.targets {
            if let (Some(again), Some(call)) = (&target.again, &target.call) {
                let row = target.calls.iter().find(|row| row.id == *call);
                let Some(row) = row else {
                    // It was deleted.
                    store.end_errand(&id, call).await?;
                    continue;
                };
                let rules = Rules { at_once: 1, enough: None, again: again.clone() };
                let asked = Asked { attempts: target.attempts, standing: standing(row, false) };
                let now_ms = Timestamp::now().as_millisecond();
                let Plan { ring, over, .. } = plan::next(&rules, &[asked], now_ms);
                let is_over =
                    over || !ring.is_empty() && ring_again(reception, &campaign, target, row).await;
                if is_over {
                    store.end_errand(&id, call).await?;
                }
            }
        }
    }
    Ok(())
}

/// Rings once more; whether that is not to be tried again.
async fn ring_again(
    reception: &reception::Shared,
    campaign: &CampaignRow,
    target: &CampaignTarget,
    row: &CallRow,
) -> bool {
    let errand = Errand {
        campaign: campaign.id.clone(),
        number: target.number,
        before: Some(row.id.clone()),
        follows: row.follows.clone(),
        attempts: target.attempts + 1,
        only_asks: target.only_asks,
        again: target.again.clone().unwrap_or_default(),
    };
    let usual = Wish { account: campaign.account.clone(), ..reception.wish(row.task.clone()) };
    let order = Order { to: row.remote.clone(), wish: wish(errand, usual), once: None };
    match reception.place(order).await {
        // It has a call of its own now, which is awaited.
        Ok(_) | Err(NotMade::NoPlace(_)) => false,
        // No place for a call, or none in the record; one that may ring there; too much now.
        Err(NotMade::Refused(_) | NotMade::NotWritten(_) | NotMade::Unsure(_)) => false,
        Err(NotMade::Forbidden(Refused { code: Code::Rate | Code::AtOnce, .. })) => false,
        Err(
            refused @ (NotMade::OtherOrder
            | NotMade::JustNow(_)
            | NotMade::NotAdmitted
            | NotMade::Forbidden(_)),
        ) => {
            tracing::info!(campaign = campaign.id, %refused, "a target is not rung once more");
            true
        }
    }
}

/// The call of an errand.
pub(crate) fn wish(errand: Errand, usual: Wish) -> Wish {
    let only_asks = errand.only_asks;
    Wish {
        voicemail: if only_asks { Voicemail::HangUp } else { usual.voicemail },
        tools: only_asks.then(Vec::new),
        result: Some(schema(only_asks)),
        only_asks,
        campaign: Some(errand.campaign.clone()),
        part: Part::Errand(errand),
        ..usual
    }
}
