//! The root actor behind the handle: starts Calls, starts them again, watches for the hung.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::{Board, HUNG, HUNG_MEDIA, Injury, LOOK};
use crate::briefing::{CallId, Lifecycle, Outcome};
use crate::call::event::Clip;
use crate::call::event::{Input, Part};
use crate::call::{Call, Msg as CallMsg};
use crate::clock;
use crate::farewell;
use crate::intensity::{self, Answer, Intensity};
use crate::part::{Fault, Owned};
use crate::record::{Fact, Note};
use crate::seed::Seed;

pub(super) enum Msg {
    Open(Arc<Board>),
    Start(Arc<Seed>),
    Restart(CallId),
    Injure(CallId, Injury),
    Look,
}

pub(super) struct Root;

#[derive(Default)]
pub(super) struct State {
    board: Option<Arc<Board>>,
    calls: HashMap<ActorId, Entry>,
    watch: Option<Owned>,
    waiting: HashMap<CallId, (Arc<Seed>, Intensity)>,
}

struct Entry {
    seed: Arc<Seed>,
    actor: ActorRef<CallMsg>,
    intensity: Intensity,
}

impl Actor for Root {
    type Msg = Msg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Msg>, (): ()) -> Result<State, ActorProcessingErr> {
        Ok(State::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Open(board) => {
                state.board = Some(board);
                state.watch = Some(watch(myself));
            }
            Msg::Start(seed) => {
                state.start(&myself, seed, Intensity::new(intensity::CALL)).await;
            }
            Msg::Restart(call) => {
                if let Some((seed, intensity)) = state.waiting.remove(&call) {
                    seed.tell(Input::CallBack);
                    state.start(&myself, seed, intensity).await;
                }
            }
            Msg::Injure(call, injury) => state.injure(&call, injury),
            Msg::Look => state.look(),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                state.failed(&myself, &cell, &error.to_string());
            }
            SupervisionEvent::ActorTerminated(cell, _, reason) => match reason.as_deref() {
                Some("over") => state.ended(&cell),
                other => state.failed(&myself, &cell, other.unwrap_or("stopped")),
            },
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}

impl State {
    fn board(&self) -> &Arc<Board> {
        self.board.as_ref().expect("the root is told its board before anything else")
    }

    async fn start(&mut self, myself: &ActorRef<Msg>, seed: Arc<Seed>, intensity: Intensity) {
        let started = Actor::spawn_linked(None, Call, Arc::clone(&seed), myself.get_cell()).await;
        match started {
            Ok((actor, _)) => {
                self.calls.insert(actor.get_id(), Entry { seed, actor, intensity });
            }
            Err(error) => {
                tracing::error!(call = %seed.call, %error, "call not started");
                self.give_up(seed);
            }
        }
    }

    fn failed(&mut self, myself: &ActorRef<Msg>, cell: &ActorCell, how: &str) {
        let Some(entry) = self.calls.remove(&cell.get_id()) else { return };
        let Entry { seed, mut intensity, .. } = entry;
        tracing::error!(call = %seed.call, how, "call actor lost");
        self.board().counters.restarted.fetch_add(1, Ordering::Relaxed);
        let call = seed.call.clone();
        match intensity.failed(clock::now()) {
            Answer::Replace(wait) => {
                self.waiting.insert(call.clone(), (seed, intensity));
                let owner = myself.clone();
                drop(tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    let _gone = owner.cast(Msg::Restart(call));
                }));
            }
            Answer::GiveUp => self.give_up(seed),
        }
    }

    /// A call whose actor cannot be kept alive is ended without it, honestly.
    fn give_up(&self, seed: Arc<Seed>) {
        let board = Arc::clone(self.board());
        drop(tokio::spawn(async move {
            farewell::say(Arc::clone(&seed), Clip::Apology).await;
            let machine = tokio::time::timeout(HUNG, seed.machine.take()).await;
            let facts = machine.map_or(u64::MAX / 2, |machine| machine.snapshot().facts);
            let outcome = Outcome::SystemError;
            let reason = "degraded_call".to_owned();
            let ending = [
                Fact::Lifecycle(Lifecycle::Finalized),
                Fact::Finalized { outcome, reason, talk_ms: 0 },
            ];
            for (sequence, fact) in (facts + 1..).zip(ending) {
                let (call, at) = (seed.call.clone(), clock::wall());
                let note = Note { call, sequence, at, fact };
                seed.ports.record.note(note.clone());
                let _listeners = seed.ports.live.send(note);
            }
            seed.detach();
            forget(&board, &seed.call);
        }));
    }

    fn ended(&mut self, cell: &ActorCell) {
        let Some(entry) = self.calls.remove(&cell.get_id()) else { return };
        forget(self.board(), &entry.seed.call);
    }

    fn injure(&self, call: &CallId, injury: Injury) {
        let Some(entry) = self.calls.values().find(|entry| entry.seed.call == *call) else {
            return;
        };
        let msg = match injury {
            Injury::Part(part, fault) => CallMsg::Inflict(part, fault),
            Injury::FalseStart(part) => {
                let mut trapped = entry.seed.trapped.lock().unwrap_or_else(PoisonError::into_inner);
                trapped.insert(part);
                CallMsg::Inflict(part, Fault::Panic)
            }
            Injury::Call(fault) => CallMsg::Fault(fault),
            Injury::Pump | Injury::Model => return,
        };
        // A call that is just ending is spared.
        let _gone = entry.actor.cast(msg);
    }

    /// Whoever stays in one message is killed; its owner replaces it.
    fn look(&self) {
        let counters = &self.board().counters;
        for entry in self.calls.values() {
            let pulses = &entry.seed.pulses;
            if pulses.call_busy() > HUNG {
                counters.hung.fetch_add(1, Ordering::Relaxed);
                entry.actor.kill();
                continue;
            }
            for part in Part::ALL {
                let limit = if part == Part::MediaIn { HUNG_MEDIA } else { HUNG };
                if pulses.busy(part) > limit {
                    counters.hung.fetch_add(1, Ordering::Relaxed);
                    let _gone = entry.actor.cast(CallMsg::Hung(part));
                }
            }
        }
    }
}

fn forget(board: &Board, call: &CallId) {
    if board.live().remove(call).is_some() {
        board.counters.ended.fetch_add(1, Ordering::Relaxed);
        board.ended.notify_waiters();
    }
}

fn watch(root: ActorRef<Msg>) -> Owned {
    Owned::spawn(async move {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if root.cast(Msg::Look).is_err() {
                return;
            }
        }
    })
}
