//! Sees to schedules whose time has come. A time is seen to once: its call is ordered under a key
//! of its own, so that one which was placed just before the server stopped is not placed again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tandem_actors::briefing::Text;
use tandem_actors::carrier::Number;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Spec;
use crate::reception::{self, NotMade, Order, Wish};
use crate::store::{Once, RunRow, ScheduleRow, Schedules as _, Store};
use crate::webhook::Reach;

/// How often it is looked whether a time has come: nobody hears the difference of a second.
const LOOK: Duration = Duration::from_secs(1);

/// Runs until told to stop. A slow condition holds up nobody else.
pub async fn run(
    store: Store,
    reception: reception::Shared,
    reach: Reach,
    stop: CancellationToken,
) -> reqwest::Result<()> {
    let client = reach.client()?;
    let (busy, tasks) = (Busy::default(), TaskTracker::new());
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => break,
        }
        let due = match store.due_schedules(Timestamp::now().as_millisecond()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "schedules cannot be read");
                continue;
            }
        };
        for row in due {
            let Some(claim) = busy.claim(&row.id) else { continue };
            let hand = Hand {
                store: store.clone(),
                reception: Arc::clone(&reception),
                client: client.clone(),
                reach,
            };
            tasks.spawn(async move {
                let id = row.id.clone();
                if let Err(error) = hand.see_to(row).await {
                    tracing::error!(schedule = id, %error, "what came of it is not written");
                }
                drop(claim);
            });
        }
    }
    tasks.close();
    tasks.wait().await;
    Ok(())
}

/// Which schedules are being seen to.
#[derive(Clone, Default)]
struct Busy(Arc<Mutex<HashSet<String>>>);

struct Claim {
    busy: Busy,
    id: String,
}

impl Busy {
    fn claim(&self, id: &str) -> Option<Claim> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        fresh.then(|| Claim { busy: self.clone(), id: id.to_owned() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

struct Hand {
    store: Store,
    reception: reception::Shared,
    client: reqwest::Client,
    reach: Reach,
}

/// What came of a time: the word, the call, why not. Nothing when it is to be tried again.
type Came = Option<(&'static str, Option<String>, Option<String>)>;

impl Hand {
    async fn see_to(&self, row: ScheduleRow) -> Result<(), tandem_actors::record::RecordError> {
        let Some(due_ms) = row.next_ms else { return Ok(()) };
        let spec: Spec = match serde_json::from_str(&row.spec) {
            Ok(spec) => spec,
            Err(error) => {
                let why = Some(format!("what was ordered cannot be read: {error}"));
                let run = run_row(due_ms, ("not_placed", None, why));
                return self.store.ran(row.id, run, None).await;
            }
        };
        let Some(came) = self.tried(&row, due_ms, &spec).await else { return Ok(()) };
        tracing::info!(schedule = row.id, verdict = came.0, "a time came");
        // Times that passed while nobody looked are not made up for.
        let next_ms = spec.after(Timestamp::now()).map(Timestamp::as_millisecond);
        self.store.ran(row.id, run_row(due_ms, came), next_ms).await
    }

    async fn tried(&self, row: &ScheduleRow, due_ms: i64, spec: &Spec) -> Came {
        let late_ms = Timestamp::now().as_millisecond() - due_ms;
        if late_ms > i64::try_from(spec.grace().as_millis()).unwrap_or(i64::MAX) {
            let why = format!("{} s after its time", late_ms / 1_000);
            return Some(("missed", None, Some(why)));
        }
        if let Some(condition) = &spec.condition {
            match condition.holds(&self.client, self.reach).await {
                Ok(true) => {}
                Ok(false) => return Some(("condition_not_met", None, None)),
                Err(why) => return Some(("condition_failed", None, Some(why))),
            }
        }
        let wish =
            Wish { account: row.account.clone(), ..self.reception.wish(Text(spec.task.clone())) };
        let key = format!("schedule {} {due_ms}", row.id);
        let once = Once { account: row.account.clone(), digest: key.clone(), key, again: true };
        let order = Order { to: Number::new(spec.to.as_str()), wish, once: Some(once) };
        match self.reception.place(order).await {
            Ok(placed) => Some(("placed", Some(placed.call.to_string()), None)),
            // Full, going away, the disk, or a call that may ring there: again in a moment, until
            // it is too late.
            Err(NotMade::Refused(_) | NotMade::NotWritten(_) | NotMade::Unsure(_)) => None,
            Err(
                refused @ (NotMade::OtherOrder
                | NotMade::JustNow(_)
                | NotMade::NotAdmitted
                | NotMade::NoPlace(_)
                | NotMade::Forbidden(_)),
            ) => Some(("not_placed", None, Some(refused.to_string()))),
        }
    }
}

fn run_row(due_ms: i64, came: (&'static str, Option<String>, Option<String>)) -> RunRow {
    let (verdict, call, detail) = came;
    let ran_ms = Timestamp::now().as_millisecond();
    RunRow { due_ms, ran_ms, verdict: verdict.to_owned(), call, detail }
}
