//! What the demo promises, checked: every order done, every call finalized as expected, every
//! injury repaired, what the phone heard is what was said, no frame lost, doubled or out of order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hdrhistogram::Histogram;
use serde::Serialize;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::record::{Fact, Speaker};
use tandem_actors::tool::Verdict as Ruling;

use super::Role;
use super::director::Director;
use super::story::Ending;
use crate::rehearsal::carrier::{CallReport, Frames};
use crate::rehearsal::compare::is_heard_as_said;

const DELETION: &str = "delete_task";

/// Reply times are kept up to a minute, to three digits.
const LONGEST_REPLY_MS: u64 = 60_000;

/// Everything that is known of the calls.
#[derive(Default)]
pub(super) struct Ledger {
    calls: BTreeMap<Role, Account>,
}

struct Account {
    call: CallId,
    replies: Histogram<u64>,
    agent: Vec<String>,
    turns: usize,
    repairs: Vec<Repair>,
    /// What was done with the task list after a human's yes.
    approved: bool,
    deleted: bool,
    outcome: Option<(Outcome, String)>,
    phone: Option<CallReport>,
    recording: Option<PathBuf>,
}

/// One loss and what it cost.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Repair {
    pub(super) part: &'static str,
    pub(super) took_ms: u64,
}

/// One call, as the table and the JSON show it.
#[derive(Debug, Serialize)]
pub(super) struct CallLine {
    pub(super) role: &'static str,
    pub(super) id: String,
    pub(super) outcome: &'static str,
    pub(super) reason: String,
    pub(super) turns: usize,
    pub(super) reply_ms_p50: u64,
    pub(super) reply_ms_p99: u64,
    pub(super) repairs: Vec<Repair>,
    pub(super) recording: Option<PathBuf>,
    pub(super) frames: Option<Frames>,
}

/// The end of the demo.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) passed: bool,
    pub(super) injuries: usize,
    pub(super) calls: Vec<CallLine>,
    /// What the API says of the orders; none when they were not done in time.
    pub(super) ending: Option<Ending>,
    pub(super) problems: Vec<String>,
}

impl Ledger {
    /// Books a fact.
    pub(super) fn take(&mut self, role: Role, call: &CallId, fact: &Fact) {
        let account = self.calls.entry(role).or_insert_with(|| Account::new(call));
        match fact {
            Fact::Turn(turn) => {
                account.turns += 1;
                if turn.speaker == Speaker::Agent {
                    account.agent.push(turn.text.as_str().to_owned());
                }
            }
            Fact::Replied { ms } => account.replies.saturating_record(*ms),
            Fact::Repaired { part, took_ms } => {
                account.repairs.push(Repair { part, took_ms: *took_ms });
            }
            Fact::ConfirmationSettled { verdict, .. } => account.approved = *verdict == "approved",
            Fact::ToolAnswered { name, verdict: Ruling::Success, .. } if name == DELETION => {
                account.deleted = account.approved;
            }
            Fact::Finalized { outcome, reason, .. } => {
                account.outcome = Some((*outcome, reason.clone()));
            }
            Fact::Lifecycle(_)
            | Fact::SubmissionUnknown
            | Fact::CarrierNamed(_)
            | Fact::Masked { .. }
            | Fact::Restricted { .. }
            | Fact::Pressed
            | Fact::Answerer { .. }
            | Fact::Keyed
            | Fact::Recording { .. }
            | Fact::DisclosureHeard { .. }
            | Fact::HandOver { .. }
            | Fact::ToolAsked { .. }
            | Fact::ToolAnswered { .. }
            | Fact::ConfirmationAsked { .. }
            | Fact::ConfirmationStep { .. }
            | Fact::ToolLate { .. }
            | Fact::Announced { .. }
            | Fact::Spoken(_)
            | Fact::BargedIn { .. }
            | Fact::Lost { .. }
            | Fact::Used(_) => {}
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        let is_over = |role| self.calls.get(&role).is_some_and(|call| call.outcome.is_some());
        Role::ALL.into_iter().all(is_over)
    }

    pub(super) fn calls(&self) -> Vec<CallId> {
        self.calls.values().map(|account| account.call.clone()).collect()
    }

    /// What a phone has heard.
    pub(super) fn heard(&mut self, report: CallReport) {
        let account = self.calls.values_mut().find(|account| account.call == report.call);
        if let Some(account) = account {
            account.phone = Some(report);
        }
    }

    pub(super) fn recorded(&mut self, call: &CallId, wav: PathBuf) {
        let account = self.calls.values_mut().find(|account| account.call == *call);
        if let Some(account) = account {
            account.recording = Some(wav);
        }
    }

    pub(super) fn verdict(self, ending: Option<Ending>, director: &Director) -> Verdict {
        let mut problems = Vec::new();
        match &ending {
            Some(ending) => problems.extend(self.undone(ending)),
            None => problems.push("the calls did not end in time".to_owned()),
        }
        if !director.is_done() {
            problems.push("not everything in the script could be broken".to_owned());
        }
        for role in Role::ALL {
            match self.calls.get(&role) {
                Some(account) => account.check(role, director, &mut problems),
                None => problems.push(format!("{}: never called", role.word())),
            }
        }
        let calls = self.calls.into_iter().map(|(role, account)| account.line(role)).collect();
        let (passed, injuries) = (problems.is_empty(), director.broken.len());
        Verdict { passed, injuries, calls, ending, problems }
    }

    /// What was ordered and did not come to what it should.
    fn undone(&self, ending: &Ending) -> Vec<String> {
        let id = |role| self.calls.get(&role).map(|account| account.call.to_string());
        let runs = &ending.schedule["history"];
        let best = &ending.search["comparison"][0];
        let is_done = [
            (
                "the task was not deleted after a yes",
                self.calls.get(&Role::TaskLine).is_some_and(|account| account.deleted),
            ),
            (
                "the scheduled call was not placed once",
                runs[0]["call"].as_str() == id(Role::Scheduled).as_deref() && runs[1].is_null(),
            ),
            ("the trattoria is not the best offer", best["name"] == "Trattoria"),
            ("the trattoria did not agree", ending.chosen["result"]["data"]["agreed"] == true),
        ];
        is_done.into_iter().filter(|(_, done)| !done).map(|(what, _)| what.to_owned()).collect()
    }
}

impl Account {
    fn new(call: &CallId) -> Self {
        let replies = Histogram::new_with_max(LONGEST_REPLY_MS, 3);
        Self {
            call: call.clone(),
            replies: replies.expect("three digits up to a minute"),
            agent: Vec::new(),
            turns: 0,
            repairs: Vec::new(),
            approved: false,
            deleted: false,
            outcome: None,
            phone: None,
            recording: None,
        }
    }

    fn check(&self, of: Role, director: &Director, problems: &mut Vec<String>) {
        let role = of.word();
        match &self.outcome {
            Some((Outcome::Answered, reason))
                if ["goodbye", "remote_hung_up"].contains(&reason.as_str()) => {}
            Some((outcome, reason)) => {
                problems.push(format!("{role}: ended as {} ({reason})", outcome.word()));
            }
            None => problems.push(format!("{role}: never finalized")),
        }
        for part in director.broken.iter().filter(|(broken, _)| *broken == of) {
            if !self.repairs.iter().any(|repair| repair.part == part.1) {
                problems.push(format!("{role}: {} was never repaired", part.1));
            }
        }
        let Some(phone) = &self.phone else {
            problems.push(format!("{role}: the phone has no report"));
            return;
        };
        let frames = phone.frames;
        if frames.lost + frames.doubled + frames.reordered > 0 {
            problems.push(format!(
                "{role}: {} frames lost, {} doubled, {} reordered",
                frames.lost, frames.doubled, frames.reordered
            ));
        }
        let seams = self.repairs.iter().filter(|repair| repair.part == "model").count();
        if !is_heard_as_said(&phone.heard, &self.agent, seams) {
            problems.push(format!(
                "{role}: the record says {:?}, the phone heard {:?}",
                self.agent, phone.heard
            ));
        }
    }

    fn line(self, role: Role) -> CallLine {
        let (outcome, reason) = match self.outcome {
            Some((outcome, reason)) => (outcome.word(), reason),
            None => ("none", String::new()),
        };
        let wav = self.recording.filter(|wav| wav.exists());
        CallLine {
            role: role.word(),
            id: self.call.to_string(),
            outcome,
            reason,
            turns: self.turns,
            reply_ms_p50: self.replies.value_at_quantile(0.5),
            reply_ms_p99: self.replies.value_at_quantile(0.99),
            repairs: self.repairs,
            recording: wav,
            frames: self.phone.map(|phone| phone.frames),
        }
    }
}
