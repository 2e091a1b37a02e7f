//! The Call: one per phone call. Feeds the machine, performs its outputs, replaces the four
//! parts when they die. What it knows lies in the seed, so it can die too.

pub mod machine;

pub mod answer;
pub mod consent;
pub mod disclosure;
pub mod event;
pub mod ledger;
pub mod log;
pub mod playout;
pub mod restricted;
pub mod snapshot;
pub mod turn;
pub mod yes_no;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};

use crate::briefing::CallId;
use crate::call::event::{Clip, Input, Output, Part};
use crate::call::machine::Machine;
use crate::clock::{self, Instant};
use crate::confirmation::Confirmation;
use crate::dialling;
use crate::farewell;
use crate::intensity::{self, Answer, Intensity};
use crate::leg::Lease;
use crate::media_in::MediaIn;
use crate::part::{Fault, Msg as PartMsg, Owned};
use crate::realtime_link::RealtimeLink;
use crate::record::{Fact, Note};
use crate::seed::{Enlisted, Errand, Seed};
use crate::tool_runner::ToolRunner;

/// After the last output, the parts get this long to write their goodbyes to the sockets.
const GRACE: Duration = Duration::from_millis(250);

/// The Call of one phone call.
#[derive(Debug)]
pub struct Call;

/// The Call's messages. What happens to the call comes through the lane of inputs.
#[derive(Debug)]
pub enum Msg {
    /// Look into the lane, or at the clock.
    Wake,
    /// Suffer this.
    Fault(Fault),
    /// Let a part suffer this.
    Inflict(Part, Fault),
    /// A part stays in one message: it is hung.
    Hung(Part),
    /// The wait before a replacement is over; ignored when the part has been replaced since.
    Replace(Part, u64),
    /// The grace is over.
    Stop,
}

/// What dies with it: handles. The machine is leased and goes back.
pub struct State {
    seed: Arc<Seed>,
    machine: Option<Lease<Machine>>,
    parts: HashMap<ActorId, Part>,
    refs: HashMap<Part, (ActorRef<PartMsg>, u64)>,
    intensity: HashMap<Part, Intensity>,
    starts: u64,
    alarm: Option<(Instant, Owned)>,
    tasks: Vec<Owned>,
    over: bool,
    _enlisted: Enlisted,
}

impl Actor for Call {
    type Msg = Msg;
    type State = State;
    type Arguments = Arc<Seed>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        seed: Arc<Seed>,
    ) -> Result<State, ActorProcessingErr> {
        let reader = myself.clone();
        seed.inputs.attach(move || {
            let _gone = reader.cast(Msg::Wake);
        });
        let fresh = || Intensity::new(intensity::PART);
        Ok(State {
            _enlisted: seed.enlist(),
            seed,
            machine: None,
            parts: HashMap::new(),
            refs: HashMap::new(),
            intensity: Part::ALL.into_iter().map(|part| (part, fresh())).collect(),
            starts: 0,
            alarm: None,
            tasks: Vec::new(),
            over: false,
        })
    }

    async fn post_start(
        &self,
        myself: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        for part in Part::ALL {
            state.start(&myself, part).await;
        }
        Ok(myself.cast(Msg::Wake)?)
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let seed = Arc::clone(&state.seed);
        let _busy = seed.pulses.beat_call();
        match msg {
            Msg::Wake => state.work(&myself).await,
            Msg::Fault(fault) => fault.inflict().await?,
            Msg::Inflict(part, fault) => {
                if let Some((part, _)) = state.refs.get(&part) {
                    part.cast(PartMsg::Fault(fault))?;
                }
            }
            Msg::Hung(part) => {
                // Not `stop`: a hung part would never come to it.
                if let Some((part, _)) = state.refs.get(&part) {
                    part.kill();
                }
            }
            Msg::Replace(part, start) => {
                if !state.over && state.refs.get(&part).is_none_or(|(_, at)| *at < start) {
                    state.start(&myself, part).await;
                }
            }
            Msg::Stop => myself.stop(Some("over".to_owned())),
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
                state.died(&myself, &cell, &error.to_string());
            }
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                state.died(&myself, &cell, reason.as_deref().unwrap_or("stopped"));
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.stop_parts();
        state.seed.detach();
        Ok(())
    }
}

impl State {
    /// Works off what has happened and arms the alarm for what has not.
    async fn work(&mut self, myself: &ActorRef<Msg>) {
        if self.machine.is_none() {
            self.machine = Some(self.seed.machine.take().await);
            // The predecessor died after the last output: nothing else would end this one.
            if self.seed.over.load(Ordering::SeqCst) {
                self.end(myself);
            }
        }
        self.perform(myself);
        while let Some(input) = self.seed.inputs.pop() {
            if let Input::Placed(name) = &input {
                let mut known =
                    self.seed.carrier_call.lock().unwrap_or_else(PoisonError::into_inner);
                *known = Some(name.clone());
            }
            self.decide(input);
            self.perform(myself);
        }
        let now = clock::now();
        if self.machine().deadline().is_some_and(|deadline| deadline <= now) {
            self.decide(Input::Timeout);
            self.perform(myself);
        }
        self.arm(myself);
    }

    fn machine(&mut self) -> &mut Machine {
        self.machine.as_mut().expect("work takes the machine first")
    }

    fn decide(&mut self, input: Input) {
        let now = clock::now();
        self.machine().handle(input, now);
    }

    fn perform(&mut self, myself: &ActorRef<Msg>) {
        while let Some(output) = self.machine().poll() {
            let seed = &self.seed;
            match output {
                Output::Media(order) => seed.losses.push(&seed.media, order),
                Output::Link(order) => seed.losses.push(&seed.link, order),
                Output::ReadBack(job) => seed.losses.push(&seed.jobs, Errand::ReadBack(job)),
                Output::Run(job) => seed.losses.push(&seed.jobs, Errand::Run(job)),
                Output::Judge(case) => seed.losses.push(&seed.cases, case),
                Output::Note(sequence, fact) => {
                    let (call, at) = (seed.call.clone(), clock::wall());
                    log(&call, &fact);
                    let note = Note { call, sequence, at, fact };
                    seed.ports.record.note(note.clone());
                    // Nobody may be listening.
                    let _listeners = seed.ports.live.send(note);
                }
                Output::Place => drop(tokio::spawn(dialling::place(Arc::clone(seed)))),
                Output::HangUp => drop(tokio::spawn(dialling::hang_up(Arc::clone(seed)))),
                Output::Press(keys) => {
                    drop(tokio::spawn(dialling::press(Arc::clone(seed), keys)));
                }
                Output::Invite(who) => {
                    drop(tokio::spawn(dialling::invite(Arc::clone(seed), who)));
                }
                Output::Leave => drop(tokio::spawn(dialling::leave(Arc::clone(seed)))),
                Output::Transfer(to, why) => {
                    drop(tokio::spawn(dialling::transfer(Arc::clone(seed), to, why)));
                }
                Output::Farewell(clip) => self.farewell(clip),
                Output::End => self.end(myself),
            }
        }
    }

    fn arm(&mut self, myself: &ActorRef<Msg>) {
        let Some(deadline) = self.machine().deadline() else {
            self.alarm = None;
            return;
        };
        let now = clock::now();
        // An alarm that rings too early costs a look at the clock; arming for every input more.
        if self.alarm.as_ref().is_some_and(|(at, _)| *at <= deadline && *at > now) {
            return;
        }
        let owner = myself.clone();
        let alarm = Owned::spawn(async move {
            tokio::time::sleep_until(deadline).await;
            let _gone = owner.cast(Msg::Wake);
        });
        self.alarm = Some((deadline, alarm));
    }

    /// Starts a part. One that cannot even start counts as dead.
    async fn start(&mut self, myself: &ActorRef<Msg>, part: Part) {
        self.starts += 1;
        let seed = Arc::clone(&self.seed);
        let cell = myself.get_cell();
        let started = match part {
            Part::MediaIn => spawn(MediaIn, seed, cell).await,
            Part::RealtimeLink => spawn(RealtimeLink, seed, cell).await,
            Part::ToolRunner => spawn(ToolRunner, seed, cell).await,
            Part::Confirmation => spawn(Confirmation, seed, cell).await,
        };
        match started {
            Ok(actor) => {
                self.parts.insert(actor.get_id(), part);
                let known = self.refs.insert(part, (actor, self.starts));
                if known.is_some() {
                    self.seed.tell(Input::PartBack(part));
                }
            }
            Err(error) => self.failed(myself, part, &error.to_string()),
        }
    }

    fn died(&mut self, myself: &ActorRef<Msg>, cell: &ActorCell, how: &str) {
        // Unknown: the late word of one that has been replaced, or stopped by us.
        let Some(part) = self.parts.remove(&cell.get_id()) else { return };
        if !self.over {
            self.failed(myself, part, how);
        }
    }

    fn failed(&mut self, myself: &ActorRef<Msg>, part: Part, how: &str) {
        let how: String = how.chars().take(120).collect();
        self.seed.tell(Input::PartLost(part, how));
        let intensity = self.intensity.get_mut(&part).expect("every part has its count");
        match intensity.failed(clock::now()) {
            Answer::Replace(wait) => {
                let (owner, start) = (myself.clone(), self.starts + 1);
                let replace = async move {
                    tokio::time::sleep(wait).await;
                    let _gone = owner.cast(Msg::Replace(part, start));
                };
                if wait.is_zero() {
                    let _gone = myself.cast(Msg::Replace(part, start));
                } else {
                    self.tasks.retain(|task| !task.is_finished());
                    self.tasks.push(Owned::spawn(replace));
                }
            }
            Answer::GiveUp => self.seed.tell(Input::PartGone(part)),
        }
    }

    fn farewell(&mut self, clip: Clip) {
        self.stop_parts();
        let seed = Arc::clone(&self.seed);
        drop(tokio::spawn(async move {
            farewell::say(Arc::clone(&seed), clip).await;
            seed.tell(Input::FarewellSaid);
        }));
    }

    fn end(&mut self, myself: &ActorRef<Msg>) {
        self.over = true;
        self.seed.over.store(true, Ordering::SeqCst);
        let owner = myself.clone();
        self.tasks.push(Owned::spawn(async move {
            tokio::time::sleep(GRACE).await;
            let _gone = owner.cast(Msg::Stop);
        }));
    }

    /// Kills: the parts keep nothing that is not in the seed.
    fn stop_parts(&mut self) {
        self.over = true;
        self.parts.clear();
        for (_, (part, _)) in self.refs.drain() {
            part.kill();
        }
    }
}

async fn spawn<A>(
    actor: A,
    seed: Arc<Seed>,
    owner: ActorCell,
) -> Result<ActorRef<PartMsg>, SpawnErr>
where
    A: Actor<Msg = PartMsg, Arguments = Arc<Seed>>,
{
    Ok(Actor::spawn_linked(None, actor, seed, owner).await?.0)
}

/// The milestones of a call, for operators; never what was said or by whom.
fn log(call: &CallId, fact: &Fact) {
    match fact {
        Fact::Lifecycle(lifecycle) => {
            tracing::info!(%call, lifecycle = lifecycle.word(), "call");
        }
        Fact::Finalized { outcome, reason, talk_ms } => {
            tracing::info!(%call, outcome = outcome.word(), reason, talk_ms, "call over");
        }
        Fact::Repaired { part, took_ms } => tracing::info!(%call, part, took_ms, "part back"),
        Fact::Lost { part, how } => tracing::warn!(%call, part, how, "lost"),
        Fact::ToolAnswered { name, verdict, took_ms, .. } => {
            tracing::debug!(%call, name, verdict = verdict.word(), took_ms, "tool");
        }
        Fact::Answerer { who, by } => tracing::debug!(%call, who, by, "on the line"),
        Fact::Recording { step } => tracing::debug!(%call, step, "recording"),
        Fact::DisclosureHeard { turn } => tracing::debug!(%call, turn, "disclosed"),
        Fact::HandOver { step } => tracing::info!(%call, step, "hand-over"),
        Fact::SubmissionUnknown
        | Fact::CarrierNamed(_)
        | Fact::Turn(_)
        | Fact::Masked { .. }
        | Fact::Restricted { .. }
        | Fact::Pressed
        | Fact::Keyed
        | Fact::ToolAsked { .. }
        | Fact::ConfirmationAsked { .. }
        | Fact::ConfirmationSettled { .. }
        | Fact::ConfirmationStep { .. }
        | Fact::ToolLate { .. }
        | Fact::Announced { .. }
        | Fact::Spoken(_)
        | Fact::BargedIn { .. }
        | Fact::Replied { .. }
        | Fact::Used(_) => {}
    }
}
