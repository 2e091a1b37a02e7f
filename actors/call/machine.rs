//! Every decision of a call: one input in, outputs out, the time an argument.
//! Holds no task, socket or clock, so a call can be read, replayed and tested as a script.

mod announce;
mod answer;
mod deadlines;
mod disclose;
mod door;
mod endings;
mod filler;
mod guard;
mod join;
mod keypad;
mod link;
mod own;
mod phone;
mod recorded;
mod repairs;
mod resume;
mod take;
mod tools;
mod transfer;
mod view;

use std::collections::VecDeque;
use std::time::Duration;

use crate::briefing::{Briefing, Direction, Lifecycle, Text};
use crate::call::answer::{Course, Source, Who};
use crate::call::consent::{Pin, Question};
use crate::call::event::{Generation, Input, Media, Order, Output, ToLink};
use crate::call::ledger::Ledger;
use crate::call::log::Log;
use crate::call::turn::Turn;
use crate::carrier::Key;
use crate::clock::Instant;
use crate::model::{Command, Entry, ItemId};
use crate::record::{self, Fact};
use crate::tool::ToolCallId;
use crate::usage::Usage;
use disclose::Disclosure;
use door::AtDoor;
use endings::Submission;
use filler::Fillers;
use join::Transfer;
use recorded::Recorded;
use take::Taking;
use transfer::{Cause, Left};

/// How far a call has come, with what exists only there.
#[derive(Debug)]
enum Phase {
    /// Nothing done yet.
    Queued,
    /// The phone rings, theirs or ours.
    Ringing { since: Instant },
    /// Somebody is there.
    Talking { since: Instant },
    /// A goodbye is on its way to the ear; `speech` says what it waits for.
    Closing { since: Instant, talking: Instant, reason: &'static str, speech: Parting },
    /// We cannot go on and a human takes over; `ordered` once the carrier has been asked.
    HandingOver { since: Instant, talking: Instant, ordered: Option<Instant>, cause: Cause },
    /// The parts cannot go on; the apology is said without them.
    Failing { talking: Option<Instant>, reason: String },
    /// Over.
    Over,
}

/// How a closing call takes its leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    /// The model asked to hang up: the words it said with that must be heard.
    Said,
    /// A goodbye was asked of the model and has not begun.
    Ordered,
    /// A stored one was ordered instead and has not begun.
    Stored,
    /// It is being heard.
    Heard,
}

/// The model link as the call sees it.
#[derive(Debug, PartialEq, Eq)]
enum Session {
    /// None yet, since the beginning of the call.
    Opening,
    /// In use.
    Up,
    /// Lost; `bridged` when the caller has been told to wait.
    Down { since: Instant, bridged: bool },
}

/// The phone's media as the call sees it.
#[derive(Debug, PartialEq, Eq)]
enum MediaState {
    Awaited,
    Flowing,
    Lost {
        since: Instant,
    },
    /// Taken away by a hand-over under way.
    Given,
}

/// A tool call that claims an approval, and the effect it was read back as.
#[derive(Clone, Debug)]
struct Claim {
    id: ToolCallId,
    fingerprint: String,
}

/// The decisions of one call.
#[derive(Debug)]
pub struct Machine {
    briefing: Briefing,
    phase: Phase,
    media: MediaState,
    session: Session,
    turn: Turn,
    log: Log,
    ledger: Ledger,
    who: Who,
    /// Where that comes from.
    by: Source,
    /// The line was heard to be a machine's, and nothing but the model says otherwise.
    machine: bool,
    course: Course,
    /// What the caller enters that nobody may hear.
    taking: Option<Taking>,
    /// Nobody hears what the model says.
    muted: bool,
    /// What it has said meanwhile.
    unheard: Vec<ItemId>,
    /// Whether the running response has said anything.
    said_something: bool,
    keys: VecDeque<Key>,
    next_key: Option<Instant>,
    /// Tones of keys are on their way until then.
    keying: Option<Instant>,
    /// A human was asked to take over.
    transfer: Option<Transfer>,
    /// Who is calling and why, in the model's words.
    introduction: Option<Text>,
    /// Our part ended before the carrier's word on it came.
    left: Option<Left>,
    question: Option<Question>,
    disclosure: Disclosure,
    recorded: Recorded,
    at_door: Option<AtDoor>,
    /// A turn of the caller will be heard again by a fresh session.
    heard_again: bool,
    /// What is to be told at the next pause.
    announcements: VecDeque<Text>,
    /// A claim or an answer that Confirmation has not ruled on yet.
    claims: Vec<Claim>,
    /// Keys that the caller has pressed and the model has not been told of.
    dialled: Text,
    dialled_until: Option<Instant>,
    /// Figures of a PIN that is being entered.
    entered: Pin,
    wrong_pins: u32,
    /// How often a question has been put.
    questions: u64,
    generation: Generation,
    /// Responses up to this one were interrupted.
    fence: Generation,
    opening: phone::Opening,
    greet_at: Option<Instant>,
    /// A fresh session waits for a quiet moment to replace the one in use.
    handover: bool,
    /// The last moment at which something was said or heard.
    sign: Instant,
    nudges: u32,
    fillers: Fillers,
    tools_this_turn: u32,
    failed_responses: u32,
    /// When our last speech ended.
    hushed: Option<Instant>,
    /// What is being repaired, since when.
    repairs: Vec<(&'static str, Instant)>,
    repaired: u32,
    /// What the model has used, where its provider says so.
    usage: Usage,
    facts: u64,
    /// What is known of the order to ring.
    submission: Submission,
    shown: VecDeque<(u64, record::Turn)>,
    outputs: VecDeque<Output>,
}

impl Machine {
    /// A call that has not begun.
    #[must_use]
    pub fn new(briefing: Briefing, now: Instant) -> Self {
        Self {
            at_door: briefing.door.as_ref().map(|_| AtDoor::default()),
            briefing,
            phase: Phase::Queued,
            media: MediaState::Awaited,
            session: Session::Opening,
            turn: Turn::default(),
            log: Log::default(),
            ledger: Ledger::default(),
            who: Who::Unknown,
            by: Source::Time,
            machine: false,
            course: Course::Talk,
            taking: None,
            muted: false,
            unheard: Vec::new(),
            said_something: false,
            keys: VecDeque::new(),
            next_key: None,
            keying: None,
            transfer: None,
            introduction: None,
            left: None,
            question: None,
            disclosure: Disclosure::default(),
            recorded: Recorded::default(),
            announcements: VecDeque::new(),
            heard_again: false,
            claims: Vec::new(),
            dialled: Text::default(),
            dialled_until: None,
            entered: Pin::default(),
            wrong_pins: 0,
            questions: 0,
            generation: 0,
            fence: 0,
            opening: phone::Opening::Due,
            greet_at: None,
            handover: false,
            sign: now,
            nudges: 0,
            fillers: Fillers::default(),
            tools_this_turn: 0,
            failed_responses: 0,
            hushed: None,
            repairs: Vec::new(),
            repaired: 0,
            usage: Usage::default(),
            facts: 0,
            submission: Submission::Sent,
            shown: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input. The outputs wait in [`Machine::poll`].
    pub fn handle(&mut self, input: Input, now: Instant) {
        if matches!(self.phase, Phase::Over) {
            return self.after_the_end(&input);
        }
        match input {
            Input::Begin => self.begin(now),
            Input::Dialed => self.note(Fact::Lifecycle(Lifecycle::Dialing)),
            Input::Placed(name) => self.placed(name),
            Input::Unanswered => self.unanswered(),
            Input::Ended(outcome, reason) => self.network_ended(outcome, reason, now),
            Input::Detected(answerer) => self.detected(answerer, now),
            Input::Transferred(result) => self.transferred(result, now),
            Input::Joined(result) => self.joined(result, now),
            Input::Uninvited(error) => self.uninvited(&error, now),
            Input::Unpressed(keys, error) => self.unpressed(&keys, &error, now),
            Input::Phone(phone) => self.phone(phone, now),
            Input::Link(link) => self.link(link, now),
            Input::ReadBack(id, answer) => self.read_back(&id, answer, now),
            Input::Ran(id, done) => self.told(&id, done, now),
            Input::Late(id, done) => self.ran_late(&id, &done, now),
            Input::Judged(number, ruling) => self.judged(number, ruling, now),
            Input::PartLost(part, how) => self.lost(part.word(), how, now),
            Input::PartBack(part) => self.part_back(part, now),
            Input::PartGone(part) => self.degrade(part.word(), now),
            Input::CallBack => self.call_back(now),
            Input::FarewellSaid => self.farewell_said(now),
            Input::Order(Order::HangUp) => self.ordered_to_hang_up(now),
            Input::Order(Order::Drain) => self.part_politely("drained", now),
            Input::Order(Order::Say(text)) => self.say(&text),
            Input::Order(Order::Press(keys)) => self.ordered_to_press(keys, now),
            Input::Order(Order::Transfer) => self.ordered_to_transfer(now),
            Input::Order(Order::Announce(text)) => self.announce(text),
            Input::Order(Order::Show(viewer)) => (viewer.0)(self.snapshot()),
            Input::Timeout => {}
        }
        self.watch(now);
    }

    /// The next thing to do. Outputs survive in the machine until they are taken.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call again with [`Input::Timeout`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadlines().into_iter().flatten().min()
    }

    fn begin(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Queued) {
            return;
        }
        if self.goes_on() {
            return self.go_on_waiting(now);
        }
        self.phase = Phase::Ringing { since: now };
        match self.briefing.direction {
            Direction::Inbound => self.note(Fact::Lifecycle(Lifecycle::Dialing)),
            Direction::Outbound => self.outputs.push_back(Output::Place),
        }
    }

    /// Looks at everything that depends on the time, and asks for the response that is owed.
    fn watch(&mut self, now: Instant) {
        match &self.phase {
            Phase::Queued | Phase::Failing { .. } | Phase::Over => {}
            Phase::Ringing { since } => {
                let since = *since;
                self.watch_ringing(since, now);
            }
            Phase::Talking { since } => {
                let since = *since;
                self.watch_media(now);
                self.watch_answer(now);
                self.watch_session(now);
                self.watch_transfer(now);
                self.watch_keys(now);
                self.watch_dialled(now);
                self.watch_consent(now);
                self.watch_door(now);
                self.watch_taking(now);
                self.greet(now);
                self.fill(now);
                self.watch_limits(since, now);
                self.tell_next(now);
                self.respond(now);
            }
            Phase::HandingOver { .. } => {
                self.watch_media(now);
                self.watch_transfer(now);
            }
            Phase::Closing { .. } => {
                self.watch_media(now);
                self.watch_transfer(now);
                self.watch_closing(now);
                self.respond(now);
            }
        }
    }

    fn respond(&mut self, now: Instant) {
        self.turn.pass(now);
        let may = self.session == Session::Up && self.may_speak();
        if !may || self.ledger.waiting_since().is_some() {
            return;
        }
        if let Some(request) = self.turn.next(now) {
            self.unmute();
            // Instructions of a response replace the session's: they must hold those too.
            let session = self.briefing.instructions.as_str();
            let guided = |guide: Text| Text(format!("{session}\n\n{}", guide.as_str()));
            let (tag, instructions) = (request.tag, request.instructions.map(guided));
            self.tell(Command::Respond { tag, instructions });
        }
    }

    fn note(&mut self, fact: Fact) {
        self.facts += 1;
        self.show(&fact);
        self.outputs.push_back(Output::Note(self.facts, fact));
    }

    /// Puts something into the conversation that nobody said.
    fn whisper(&mut self, text: impl Into<Text>) {
        let text = text.into();
        self.log.note(text.clone());
        self.tell(Command::Remember(Entry::Note(text)));
    }

    fn tell(&mut self, command: Command) {
        self.outputs.push_back(Output::Link(ToLink::Tell(command)));
    }

    fn media(&mut self, order: Media) {
        self.outputs.push_back(Output::Media(order));
    }

    /// Something was said or heard: the line is not silent.
    fn active(&mut self, now: Instant) {
        self.sign = now;
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
