//! Callers at Twilio who wait for a place here. Twilio asks again and again what comes next; each
//! time it is held for a moment, so that nobody waits longer than they must. Whoever is asked for
//! no more has hung up. Bounded by the queue of the house.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tandem_actors::briefing::CallId;
use tandem_actors::clock::Instant;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::twiml;

/// What is said to somebody who has to wait.
const WAIT: &str = "All our lines are busy. Please hold on, you will be connected in a moment.";

/// What is said to somebody who has waited in vain.
const SORRY: &str = "I am sorry, all our lines are still busy. Please call again later. Goodbye.";

/// How long a request of Twilio's is held. Twilio waits fifteen seconds for an answer.
const HELD: Duration = Duration::from_secs(5);

/// Who has not been asked for in this time has hung up: the words take six seconds, and Twilio asks
/// at once.
const GONE: Duration = Duration::from_secs(20);

/// What became of somebody who waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// They are this call of ours.
    Served(CallId),
    /// There was no place for them.
    TurnedAway,
}

/// Who waits, by Twilio's name for the call.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<BTreeMap<String, Caller>>);

#[derive(Debug)]
struct Caller {
    seen: Instant,
    turn: watch::Receiver<Option<Turn>>,
    waits: AbortHandle,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.waits.abort();
    }
}

impl Callers {
    /// A caller waits in this task. Returns what Twilio is to do.
    pub(super) fn enter(
        &self,
        name: &str,
        (turn, waits): (watch::Receiver<Option<Turn>>, AbortHandle),
        again: &str,
        now: Instant,
    ) -> String {
        self.lock().insert(name.to_owned(), Caller { seen: now, turn, waits });
        twiml::go_on_at(WAIT, again)
    }

    /// Twilio asks what comes next for a call. Waits a moment for their turn; nothing when they do
    /// not wait, or not any more.
    pub(super) async fn asked(&self, name: &str, again: &str, now: Instant) -> Option<String> {
        let mut turn = {
            let mut all = self.lock();
            let caller = all.get_mut(name)?;
            caller.seen = now + HELD;
            caller.turn.clone()
        };
        let told = tokio::time::timeout(HELD, turn.wait_for(Option::is_some)).await;
        let turn = match told {
            Err(_elapsed) => return Some(twiml::go_on_at("", again)),
            Ok(told) => told.ok().and_then(|turn| turn.clone()).unwrap_or(Turn::TurnedAway),
        };
        self.lock().remove(name);
        match turn {
            Turn::Served(_) => None,
            Turn::TurnedAway => Some(twiml::say_goodbye(SORRY)),
        }
    }

    /// Forgets who has hung up; the calls among them that had come to be.
    pub(super) fn tidy(&self, now: Instant) -> Vec<CallId> {
        let is_gone = |caller: &Caller| now > caller.seen + GONE;
        let gone = self.lock().extract_if(.., |_, caller| is_gone(caller)).collect::<Vec<_>>();
        let served = gone.iter().filter_map(|(_, caller)| match caller.turn.borrow().clone() {
            Some(Turn::Served(call)) => Some(call),
            Some(Turn::TurnedAway) | None => None,
        });
        served.collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Caller>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tandem_actors::clock;
    use tokio_util::sync::CancellationToken;

    use super::*;

    const AT: &str = "https://bridge.example.com/twilio/incoming";

    fn task(gone: &CancellationToken) -> AbortHandle {
        let gone = gone.clone().drop_guard();
        let waits = tokio::spawn(async move {
            let _dropped = gone;
            std::future::pending::<()>().await;
        });
        waits.abort_handle()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_asked_for_again_and_served_when_it_is_their_turn() {
        let (callers, gone) = (Callers::default(), CancellationToken::new());
        let (told, turn) = watch::channel(None);
        assert_eq!(callers.asked("CA1", AT, clock::now()).await, None, "nobody waits");
        let first = callers.enter("CA1", (turn, task(&gone)), AT, clock::now());
        assert_eq!(first, twiml::go_on_at(WAIT, AT));
        let on = callers.asked("CA1", AT, clock::now()).await;
        assert_eq!(on, Some(twiml::go_on_at("", AT)));
        let turn = Turn::Served(CallId::new("c1"));
        told.send(Some(turn)).unwrap();
        assert_eq!(callers.asked("CA1", AT, clock::now()).await, None);
        assert!(callers.tidy(clock::now() + GONE * 2).is_empty(), "they are there");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_not_asked_for_any_more_has_given_up() {
        let (callers, gone) = (Callers::default(), CancellationToken::new());
        let (told, turn) = watch::channel(None);
        let start = clock::now();
        let _wait = callers.enter("CA1", (turn.clone(), task(&gone)), AT, start);
        assert!(callers.tidy(start + GONE).is_empty());
        assert!(callers.tidy(start + GONE * 2).is_empty());
        gone.cancelled().await;
        // One whose turn came meanwhile has become a call.
        let _wait = callers.enter("CA2", (turn, task(&gone)), AT, start);
        told.send(Some(Turn::Served(CallId::new("c2")))).unwrap();
        assert_eq!(callers.tidy(start + GONE * 2), [CallId::new("c2")]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waited_in_vain_is_told_so_once() {
        let (callers, gone) = (Callers::default(), CancellationToken::new());
        let (told, turn) = watch::channel(None);
        let _wait = callers.enter("CA1", (turn, task(&gone)), AT, clock::now());
        told.send(Some(Turn::TurnedAway)).unwrap();
        let sorry = callers.asked("CA1", AT, clock::now()).await;
        assert_eq!(sorry, Some(twiml::say_goodbye(SORRY)));
        assert_eq!(callers.asked("CA1", AT, clock::now()).await, None);
    }
}
