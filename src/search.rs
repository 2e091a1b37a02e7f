//! Option searches: several are asked the same at once, what they say is compared, and one of them
//! is chosen. One task per server rings whom the plan names and follows the calls to their end;
//! everything it knows lies in the record, so that the next process goes on where this one stopped.

pub mod brief;
pub mod compare;
pub mod follow_up;
pub mod plan;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tandem_actors::briefing::{Lifecycle, Text};
use tandem_actors::call::event::{Input, Order as Command};
use tandem_actors::exchange::Exchange;
use tandem_actors::record::{Fact, Note, RecordError, Speaker};
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::config::Voicemail;
use crate::policy::{Code, Refused};
use crate::reception::{NotMade, Order, Reception, Wish};
use crate::store::{
    Archive as _, CallRow, Part, SearchArchive as _, SearchRow, SearchState, Searches as _, Store,
    TargetRow,
};
use compare::Found;
use plan::{Asked, Plan, Rules, Standing};

/// While a search runs it is looked at this often, whatever was heard: a place may have become
/// free, or the record may be well again.
const LOOK: Duration = Duration::from_secs(5);

/// Tells the driver that there is something to do.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// A search was ordered, stopped or decided.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// What rings the targets of all searches of this server.
pub struct Driver {
    /// Live calls.
    pub exchange: Exchange,
    /// Makes calls.
    pub reception: Arc<Reception>,
    /// What is written down.
    pub store: Store,
    /// Who tells of orders.
    pub bell: Bell,
}

impl Driver {
    /// Follows searches until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        // Nobody listens to the calls of a server that has no search.
        let mut live: Option<Receiver<Note>> = None;
        loop {
            let heard = live.take().unwrap_or_else(|| self.exchange.listen());
            let looked = self.look().await.inspect_err(|error| {
                tracing::error!(%error, "searches are not followed at this moment");
            });
            let wait = match looked {
                Ok(None) => None,
                Ok(Some(wait)) => Some(wait.min(LOOK)),
                Err(_) => Some(LOOK),
            };
            live = wait.is_some().then_some(heard);
            tokio::select! {
                () = self.bell.0.notified() => {}
                () = pause(wait) => {}
                () = ended(live.as_mut()) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Does what is to be done in every search. Returns when to look again; none when there is
    /// none to follow.
    async fn look(&self) -> Result<Option<Duration>, RecordError> {
        if self.store.open_searches().await?.is_empty() {
            return Ok(None);
        }
        // The end of a call is told before it is written.
        self.store.flush().await?;
        let mut wait = None;
        for id in self.store.open_searches().await? {
            if let Some(search) = self.store.search(&id).await? {
                let again = self.step(&search).await?;
                wait = Some(wait.map_or(again, |wait: Duration| wait.min(again)));
            }
        }
        Ok(wait)
    }

    async fn step(&self, search: &SearchRow) -> Result<Duration, RecordError> {
        let asked: Vec<Asked> = search.targets.iter().map(asked).collect();
        if search.state != SearchState::Running {
            for (target, _) in search.targets.iter().zip(&asked).filter(|(_, asked)| is_live(asked))
            {
                self.hang_up(target);
            }
            return Ok(LOOK);
        }
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let Plan { ring, hang_up, over, look_again_ms } =
            plan::next(&rules(search), &asked, now_ms);
        for place in hang_up {
            self.hang_up(&search.targets[place]);
        }
        for place in ring {
            if !self.ring(search, &search.targets[place]).await? {
                break;
            }
        }
        if over {
            self.store.end_search(&search.id, SearchState::Finished).await?;
        }
        let later = look_again_ms.map(|at| u64::try_from(at - now_ms).unwrap_or_default());
        Ok(later.map_or(LOOK, Duration::from_millis))
    }

    /// Rings a target; whether it makes sense to ring another now.
    async fn ring(&self, search: &SearchRow, target: &TargetRow) -> Result<bool, RecordError> {
        let order = Order {
            to: target.target.to.clone(),
            wish: wish(&self.reception, search, target),
            once: None,
        };
        match self.reception.place(order).await {
            // Whether somebody rings this number already is known in a moment.
            Ok(_) | Err(NotMade::NoPlace(_) | NotMade::Unsure(_)) => Ok(true),
            // No place for a call, or none in the record: nobody was rung. It is tried again.
            Err(NotMade::Refused(_)) => Ok(false),
            Err(NotMade::NotWritten(error)) => Err(error),
            // Too much at this moment: it is tried again.
            Err(NotMade::Forbidden(Refused { code: Code::Rate | Code::AtOnce, .. })) => Ok(false),
            Err(
                refused @ (NotMade::OtherOrder
                | NotMade::JustNow(_)
                | NotMade::NotAdmitted
                | NotMade::Forbidden(_)),
            ) => {
                let why = refused.to_string();
                self.store.refuse_target(&search.id, target.number, why).await?;
                Ok(true)
            }
        }
    }

    fn hang_up(&self, target: &TargetRow) {
        if let Some(call) = &target.call {
            self.exchange.tell(call, Input::Order(Command::HangUp));
        }
    }
}

async fn pause(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// Returns when some call has ended, or when that may have been missed.
async fn ended(live: Option<&mut Receiver<Note>>) {
    let Some(live) = live else { return std::future::pending().await };
    loop {
        match live.recv().await {
            Ok(Note { fact: Fact::Finalized { .. }, .. }) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// What the call is to be that asks this target: it may speak, listen and report, and nothing
/// else.
fn wish(reception: &Reception, search: &SearchRow, target: &TargetRow) -> Wish {
    let inquiry = &search.inquiry;
    let bring = inquiry.bring.as_ref().and_then(|text| serde_json::from_str(text.as_str()).ok());
    let name = target.target.name.as_ref().map(Text::as_str);
    let facts = inquiry.facts.as_ref().map(Text::as_str);
    Wish {
        account: search.account.clone(),
        voicemail: Voicemail::HangUp,
        tools: Some(Vec::new()),
        result: Some(brief::schema(bring.as_ref())),
        only_asks: true,
        campaign: inquiry.campaign.clone(),
        part: Part::Target {
            search: search.id.clone(),
            number: target.number,
            before: target.call.clone(),
        },
        ..reception.wish(brief::task(inquiry.question.as_str(), facts, name))
    }
}

fn rules(search: &SearchRow) -> Rules {
    let places = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    Rules {
        at_once: places(search.inquiry.at_once),
        enough: search.inquiry.enough.map(places),
        again: search.inquiry.again.clone(),
    }
}

fn is_live(asked: &Asked) -> bool {
    asked.standing == Standing::Live
}

fn asked(target: &TargetRow) -> Asked {
    let offers = || result(target).is_some_and(|result| compare::offers(&result));
    let standing = match (&target.refused, &target.call, &target.row) {
        (Some(_), _, _) | (None, Some(_), None) => Standing::Closed,
        (None, None, _) => Standing::Waiting,
        (None, Some(_), Some(row)) => standing(row, offers()),
    };
    Asked { attempts: target.attempts, standing }
}

/// Where a target stands by its call.
pub(crate) fn standing(row: &CallRow, offers: bool) -> Standing {
    match (row.lifecycle, row.outcome) {
        (Lifecycle::Finalized, Some(outcome)) => Standing::Over {
            outcome,
            reason: row.reason.clone().unwrap_or_default(),
            at_ms: row.finalized_ms.unwrap_or_default(),
            offers,
        },
        (
            Lifecycle::Queued | Lifecycle::Dialing | Lifecycle::Answered | Lifecycle::Finalized,
            _,
        ) => Standing::Live,
    }
}

/// What the call with this target has reported.
#[must_use]
pub fn result(target: &TargetRow) -> Option<Value> {
    let told = target.row.as_ref()?.result.as_ref()?;
    serde_json::from_str(told.as_str()).ok()
}

/// The comparison of a search, as it stands.
///
/// # Errors
/// When the record cannot be read.
pub async fn comparison(store: &Store, search: &SearchRow) -> Result<Vec<Value>, RecordError> {
    let mut found = Vec::with_capacity(search.targets.len());
    for target in &search.targets {
        let result = result(target);
        let mut heard = Vec::new();
        if let (Some(call), Some(_)) = (&target.call, &result) {
            let turns = store.turns(call).await?;
            let theirs = turns.into_iter().filter(|turn| turn.speaker == Speaker::Caller);
            heard = theirs.map(|turn| (turn.sequence, turn.text.0)).collect();
        }
        let row = target.row.as_ref();
        found.push(Found {
            number: target.number,
            to: target.target.to.as_str().to_owned(),
            name: target.target.name.as_ref().map(|name| name.0.clone()),
            outcome: row.and_then(|row| row.outcome),
            reason: target.refused.clone().or_else(|| row.and_then(|row| row.reason.clone())),
            result,
            heard,
        });
    }
    Ok(compare::table(&found))
}
