//! Tools asked for by voice: run once, answered once, never in the way of the audio.

use std::time::Duration;

use super::{Machine, millis};
use crate::briefing::Text;
use crate::call::event::Output;
use crate::call::ledger::{self, MOST_PER_TURN, Row, State};
use crate::call::turn::Owed;
use crate::clock::Instant;
use crate::model::{Command, Entry, ResponseId};
use crate::record::Fact;
use crate::tool::{Done, Job, Own, PRESS_KEYS, Promise, Risk, ToolCallId, Verdict};

/// A tool that takes longer than this gets a spoken filler: silence of 3 s feels broken.
pub(super) const FILLER: Duration = Duration::from_secs(2);

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
        let noted = if name == PRESS_KEYS { "{}".into() } else { arguments.clone() };
        self.note(Fact::ToolAsked { id: id.clone(), name: name.clone(), arguments: noted });
        let own = (self.briefing.own)(&name, &arguments);
        let promise = self.briefing.tools.iter().find(|promise| promise.name == name);
        let risk = promise.map_or(Risk::Read, |promise| promise.risk);
        let call = self.call_id();
        let job = Job { call, id: id.clone(), name: name.clone(), arguments };
        let state = if risk == Risk::Destructive { State::ReadingBack } else { State::Running };
        self.tools_this_turn += 1;
        let refusal = self.refusal(&name, promise.cloned().as_ref());
        self.ledger.enter(Row { job: job.clone(), response, risk, asked: now, state });
        match refusal {
            Some(done) => self.told(&id, done, now),
            None => self.perform(job, risk, own, now),
        }
    }

    fn perform(&mut self, job: Job, risk: Risk, own: Option<Result<Own, String>>, now: Instant) {
        match own {
            Some(Ok(own)) => self.does(&job.id, own, now),
            Some(Err(words)) => {
                let output = ledger::output("error", &words);
                self.told(&job.id, Done { verdict: Verdict::User, output }, now);
            }
            None if risk == Risk::Destructive => self.outputs.push_back(Output::ReadBack(job)),
            None => self.outputs.push_back(Output::Run(job)),
        }
    }

    /// Why a tool call is not even tried.
    fn refusal(&self, name: &str, promise: Option<&Promise>) -> Option<Done> {
        let (verdict, words) = if promise.is_none() {
            (Verdict::Permanent, format!("There is no tool called {name}."))
        } else if promise.is_some_and(|promise| promise.risk == Risk::Destructive)
            && !self.who.may_be_human()
        {
            let words = "No human is there who could confirm this.";
            (Verdict::Permanent, words.to_owned())
        } else if self.ledger.is_full() || self.tools_this_turn > MOST_PER_TURN {
            (Verdict::Permanent, "Too many tool calls; talk to the caller first.".to_owned())
        } else {
            return None;
        };
        Some(Done { verdict, output: ledger::output("error", &words) })
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
        let job = Job { call: self.call_id(), id: id.clone(), name, arguments };
        let response = ResponseId(String::new());
        let (risk, state) = (Risk::Read, State::Running);
        self.ledger.enter(Row { job, response, risk, asked: now, state });
        let words = "The caller spoke in between. Ask again if it is still wanted.";
        let output = ledger::output("cancelled", words);
        self.told(&id, Done { verdict: Verdict::User, output }, now);
    }

    /// A job has ended.
    pub(super) fn ran(&mut self, id: &ToolCallId, done: Done, now: Instant) {
        self.told(id, done, now);
    }

    /// Tells the model a tool's output, once, and owes the caller an answer about it.
    pub(super) fn told(&mut self, id: &ToolCallId, done: Done, now: Instant) {
        let (verdict, output) = (done.verdict, done.output.clone());
        let Some((name, took)) = self.ledger.told(id, done, now) else { return };
        self.active(now);
        let took_ms = millis(took);
        self.note(Fact::ToolAnswered { id: id.clone(), name, verdict, took_ms });
        self.log.answered(id.clone(), output.clone());
        self.tell(Command::Remember(Entry::Answered { id: id.clone(), output }));
        self.turn.owe(Owed::Answer);
    }

    /// ToolRunner has a successor: it is handed again what was not finished. Work that is still
    /// running in its own task is recognised by its key and not begun twice.
    pub(super) fn hand_jobs_again(&mut self) {
        for row in self.ledger.open() {
            match row.state {
                State::ReadingBack => self.outputs.push_back(Output::ReadBack(row.job.clone())),
                State::Running => self.outputs.push_back(Output::Run(row.job.clone())),
                State::Judging | State::Told(_) => {}
            }
        }
    }
}
