//! Tools asked for by voice: run once, answered once, never in the way of the audio.

use std::sync::Arc;

use super::disclose::is_of_the_line;
use super::{Machine, millis};
use crate::briefing::{Briefing, Text};
use crate::call::event::Output;
use crate::call::ledger::{MOST_PER_TURN, Row, State};
use crate::call::log::kept_json;
use crate::call::turn::Owed;
use crate::clock::Instant;
use crate::model::{Command, Entry, ResponseId};
use crate::record::Fact;
use crate::tool::{
    Done, Job, Own, PRESS_KEYS, Promise, Risk, SCENE_CHARS, Scene, ToolCallId, Verdict,
};

impl Machine {
    /// A tool is asked for.
    pub(super) fn asked(
        &mut self,
        response: ResponseId,
        id: ToolCallId,
        name: String,
        arguments: Text,
        now: Instant,
    ) {
        if self.ledger.knows(&id) {
            return;
        }
        self.log.asked(id.clone(), name.clone(), arguments.clone());
        // Keys may be a PIN: the record does not learn them.
        let noted = if name == PRESS_KEYS { "{}".into() } else { kept_json(&arguments) };
        self.note(Fact::ToolAsked { id: id.clone(), name: name.clone(), arguments: noted });
        let own = (self.briefing.own)(&name, &arguments);
        let promise = self.briefing.tools.iter().find(|promise| promise.name == name);
        let risk = promise.map_or(Risk::Read, |promise| promise.risk);
        let call = self.call_id();
        let scene = promise.filter(|promise| promise.wants_scene).map(|_| self.scene());
        let job = Job { call, id: id.clone(), name: name.clone(), arguments, scene };
        let state = if risk.is_asked() { State::ReadingBack } else { State::Running };
        self.tools_this_turn += 1;
        let refusal = self.refusal(&name, promise.cloned().as_ref());
        self.ledger.enter(Row { job: job.clone(), response, risk, asked: now, state });
        let undisclosed = self.owes_disclosure() && !is_of_the_line(own.as_ref());
        match refusal {
            Some(done) => self.told(&id, done, now),
            None if undisclosed => self.disclose_first(&id, now),
            None => self.perform(job, risk, own, now),
        }
    }

    fn perform(&mut self, job: Job, risk: Risk, own: Option<Result<Own, String>>, now: Instant) {
        match own {
            Some(Ok(own)) => self.does(&job.id, own, now),
            Some(Err(words)) => {
                let done = Done::fault(Verdict::User, "invalid", "", &words);
                self.told(&job.id, done, now);
            }
            None if risk.is_asked() => self.outputs.push_back(Output::ReadBack(job)),
            None => self.outputs.push_back(Output::Run(job)),
        }
    }

    /// Why a tool call is not even tried.
    fn refusal(&self, name: &str, promise: Option<&Promise>) -> Option<Done> {
        let Some(promise) = promise else {
            return Some(Done::fault(
                Verdict::Permanent,
                "no_such_tool",
                "I cannot do that.",
                &format!("there is no tool called {name}; offer what you can do"),
            ));
        };
        if promise.risk.is_asked() && !self.may_confirm() {
            let suggestion = "no human is known to be there who could confirm this: leave it, or \
                              ask for any key to be pressed first";
            return Some(Done::fault(Verdict::Permission, "nobody_to_confirm", "", suggestion));
        }
        if promise.risk == Risk::Sensitive && !self.is_pin_open() {
            let words = "I cannot do that on this call.";
            return Some(Done::fault(Verdict::Permission, "no_pin", words, "do not ask again"));
        }
        if self.ledger.is_full() || self.tools_this_turn > MOST_PER_TURN {
            let suggestion = "too many tool calls: talk to the caller first";
            return Some(Done::fault(Verdict::RateLimited, "too_many", "", suggestion));
        }
        None
    }

    /// A tool asked for by a response that the caller has interrupted is not run.
    pub(super) fn refuse_stale(
        &mut self,
        id: ToolCallId,
        name: String,
        arguments: Text,
        now: Instant,
    ) {
        if self.ledger.knows(&id) {
            return;
        }
        self.log.asked(id.clone(), name.clone(), arguments.clone());
        let job = Job { call: self.call_id(), id: id.clone(), name, arguments, scene: None };
        let response = ResponseId(String::new());
        let (risk, state) = (Risk::Read, State::Running);
        self.ledger.enter(Row { job, response, risk, asked: now, state });
        let suggestion = "the caller spoke in between: call the tool again if it is still wanted";
        self.told(&id, Done::fault(Verdict::User, "interrupted", "", suggestion), now);
    }

    /// What a tool may know of the call.
    fn scene(&self) -> Arc<Scene> {
        let Briefing { direction, remote, task, .. } = &self.briefing;
        Arc::new(Scene {
            direction: *direction,
            remote: remote.clone(),
            task: task.clone(),
            turns: self.log.turns(SCENE_CHARS),
        })
    }

    /// Tells the model a tool's output, once, and owes the caller an answer about it.
    pub(super) fn told(&mut self, id: &ToolCallId, done: Done, now: Instant) {
        if self.told_quietly(id, done, now) {
            self.turn.owe(Owed::Answer);
            self.withdraw_filler();
        }
    }

    /// Tells the model a tool's output without owing anybody an answer about it. Returns whether
    /// it had not been told before.
    pub(super) fn told_quietly(&mut self, id: &ToolCallId, done: Done, now: Instant) -> bool {
        let Some(output) = self.settle(id, done, now) else { return false };
        self.active(now);
        self.tell(Command::Remember(Entry::Answered { id: id.clone(), output }));
        true
    }

    /// Writes down a tool's output. Returns it, nothing when there was one before.
    pub(super) fn settle(&mut self, id: &ToolCallId, done: Done, now: Instant) -> Option<Text> {
        let (verdict, output) = (done.verdict, done.output.clone());
        let (name, took) = self.ledger.told(id, done, now)?;
        let took_ms = millis(took);
        self.note(Fact::ToolAnswered { id: id.clone(), name, verdict, took_ms });
        self.log.answered(id.clone(), output.clone());
        Some(output)
    }

    /// A job ended after its deadline: the model knows, and offers it at the next pause.
    pub(super) fn ran_late(&mut self, id: &ToolCallId, done: &Done, now: Instant) {
        let Some(row) = self.ledger.row(id) else { return };
        let (name, took_ms) = (row.job.name.clone(), millis(now - row.asked));
        self.note(Fact::ToolLate {
            id: id.clone(),
            name: name.clone(),
            verdict: done.verdict,
            took_ms,
        });
        let output = done.output.as_str();
        self.announce(Text(format!("The result of {name} has come after all: {output}")));
    }

    /// ToolRunner has a successor: it is handed again what was not finished. Work that is still
    /// running in its own task is recognised by its key and not begun twice.
    pub(super) fn hand_jobs_again(&mut self) {
        for row in self.ledger.open() {
            match row.state {
                State::ReadingBack => self.outputs.push_back(Output::ReadBack(row.job.clone())),
                State::Running => self.outputs.push_back(Output::Run(row.job.clone())),
                State::Judging | State::Taking | State::Told(_) => {}
            }
        }
    }
}
