//! Sees to schedules whose time has come. A time is seen to once: its call is ordered under a key
//! of its own, so that one which was placed just before the server stopped is not placed again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tandem_actors::briefing::Text;
use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Spec;
use crate::policy::{Ordered, Refused};
use crate::reception::{self, NotMade, Order, Wish};
use crate::store::{
    Once, Ordered as Placed, Orders as _, RunRow, ScheduleRow, Schedules as _, Store,
};
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
            let stop = stop.clone();
            tasks.spawn(async move {
                let id = row.id.clone();
                match hand.see_to(row).await {
                    Ok(wait) => {
                        let _stopped = stop.run_until_cancelled(tokio::time::sleep(wait)).await;
                    }
                    Err(error) => {
                        tracing::error!(schedule = id, %error, "what came of it is not written");
                    }
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

/// What came of a time.
enum Came {
    /// The word, the call, why not.
    Of(&'static str, Option<String>, Option<String>),
    /// Nothing yet: it is tried again, after so long.
    Again(Duration),
}

impl Hand {
    /// Returns when to look at it again.
    async fn see_to(&self, row: ScheduleRow) -> Result<Duration, RecordError> {
        let Some(due_ms) = row.next_ms else { return Ok(Duration::ZERO) };
        let spec: Spec = match serde_json::from_str(&row.spec) {
            Ok(spec) => spec,
            Err(error) => {
                let why = format!("what was ordered cannot be read: {error}");
                let run = run_row(due_ms, "not_placed", None, Some(why));
                self.store.ran(row.id, run, None).await?;
                return Ok(Duration::ZERO);
            }
        };
        let run = match self.tried(&row, due_ms, &spec).await {
            Came::Again(wait) => return Ok(wait),
            Came::Of(verdict, call, why) => run_row(due_ms, verdict, call, why),
        };
        tracing::info!(schedule = row.id, verdict = run.verdict, "a time came");
        // Times that passed while nobody looked are not made up for.
        let next_ms = spec.after(Timestamp::now()).map(Timestamp::as_millisecond);
        self.store.ran(row.id, run, next_ms).await?;
        Ok(Duration::ZERO)
    }

    /// Whether this time of it is not to come any more; one that cannot be read is tried again.
    async fn is_off(&self, row: &ScheduleRow) -> bool {
        let now = self.store.one_schedule(&row.id).await;
        !now.is_ok_and(|now| now.is_some_and(|now| now.next_ms == row.next_ms))
    }

    async fn tried(&self, row: &ScheduleRow, due_ms: i64, spec: &Spec) -> Came {
        let key = format!("schedule {} {due_ms}", row.id);
        let once = Once { account: row.account.clone(), digest: key.clone(), key, again: true };
        // Its call may have been placed by a run that died before it wrote so.
        match self.store.ordered_before(&once).await {
            Ok(Some(Placed::Before(call))) => return Came::Of("placed", Some(call), None),
            Ok(_) => {}
            Err(_unread) => return Came::Again(Duration::ZERO),
        }
        let now_ms = Timestamp::now().as_millisecond();
        let last_ms = due_ms + i64::try_from(spec.grace().as_millis()).unwrap_or(i64::MAX);
        if now_ms > last_ms {
            let why = format!("{} s after its time", (now_ms - due_ms) / 1_000);
            return Came::Of("missed", None, Some(why));
        }
        if let Some(condition) = &spec.condition {
            match condition.holds(&self.client, self.reach).await {
                // It takes a while to ask, and it may have been called off meanwhile.
                Ok(true) if self.is_off(row).await => return Came::Again(Duration::ZERO),
                Ok(true) => {}
                Ok(false) => return Came::Of("condition_not_met", None, None),
                Err(why) => return Came::Of("condition_failed", None, Some(why)),
            }
        }
        let usual = self.reception.wish(Text(spec.task.clone()));
        let wish = Wish { account: row.account.clone(), ordered: Ordered::Ahead, ..usual };
        let order = Order { to: Number::new(spec.to.as_str()), wish, once: Some(once) };
        match self.reception.place(order).await {
            Ok(placed) => Came::Of("placed", Some(placed.call.to_string()), None),
            // Full, going away, the disk, or a call that may ring there: again in a moment, until
            // it is too late.
            Err(NotMade::Refused(_) | NotMade::NotWritten(_) | NotMade::Unsure(_)) => {
                Came::Again(Duration::ZERO)
            }
            Err(NotMade::Forbidden(refused)) => not_yet(refused, last_ms),
            Err(
                refused @ (NotMade::OtherOrder
                | NotMade::JustNow(_)
                | NotMade::NotAdmitted
                | NotMade::NoPlace(_)),
            ) => Came::Of("not_placed", None, Some(refused.to_string())),
        }
    }
}

/// Where it will be permitted in time, that is waited for.
fn not_yet(refused: Refused, last_ms: i64) -> Came {
    let Some(next) = refused.next_permitted_at else {
        return Came::Of("not_placed", None, Some(refused.to_string()));
    };
    if next.as_millisecond() > last_ms {
        return Came::Of("missed", None, Some(refused.to_string()));
    }
    let wait = next.duration_since(Timestamp::now());
    Came::Again(Duration::try_from(wait).unwrap_or_default())
}

fn run_row(due_ms: i64, verdict: &str, call: Option<String>, detail: Option<String>) -> RunRow {
    let ran_ms = Timestamp::now().as_millisecond();
    RunRow { due_ms, ran_ms, verdict: verdict.to_owned(), call, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Code;

    #[test]
    fn what_will_be_permitted_in_time_is_waited_for() {
        let now = Timestamp::now();
        let last_ms = (now + Duration::from_secs(600)).as_millisecond();
        let refused = |wait_s: Option<u64>| Refused {
            code: Code::Hours,
            detail: "too early".to_owned(),
            retryable: true,
            next_permitted_at: wait_s.map(|wait_s| now + Duration::from_secs(wait_s)),
        };
        let Came::Again(wait) = not_yet(refused(Some(300)), last_ms) else { panic!("in time") };
        assert!(wait <= Duration::from_secs(300) && wait > Duration::from_secs(200), "{wait:?}");
        let late = not_yet(refused(Some(601)), last_ms);
        assert!(matches!(late, Came::Of("missed", None, Some(why)) if why == "too early"));
        assert!(matches!(not_yet(refused(None), last_ms), Came::Of("not_placed", None, Some(_))));
    }
}
