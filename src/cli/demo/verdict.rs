//! What the demo promises, checked: every call finalized as expected, every injury repaired,
//! what the phone heard is what was said, no frame lost, doubled or out of order.

use std::path::PathBuf;

use hdrhistogram::Histogram;
use serde::Serialize;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::record::{Fact, Note, Speaker};

use super::Role;
use super::director::Director;
use crate::rehearsal::carrier::{CallReport, Frames};
use crate::rehearsal::compare::is_heard_as_said;

/// Reply times are kept up to a minute, to three digits.
const LONGEST_REPLY_MS: u64 = 60_000;

/// Everything that is known of the two calls.
pub(super) struct Ledger {
    calls: Vec<Account>,
}

struct Account {
    role: Role,
    call: CallId,
    replies: Histogram<u64>,
    agent: Vec<String>,
    turns: usize,
    repairs: Vec<Repair>,
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
    pub(super) problems: Vec<String>,
}

impl Ledger {
    pub(super) fn new(calls: &[(Role, CallId)]) -> Self {
        let histogram =
            || Histogram::new_with_max(LONGEST_REPLY_MS, 3).expect("three digits up to a minute");
        let calls = calls
            .iter()
            .map(|(role, call)| Account {
                role: *role,
                call: call.clone(),
                replies: histogram(),
                agent: Vec::new(),
                turns: 0,
                repairs: Vec::new(),
                outcome: None,
                phone: None,
                recording: None,
            })
            .collect();
        Self { calls }
    }

    /// Books a fact; tells whose it is.
    pub(super) fn take(&mut self, note: &Note) -> Option<Role> {
        let account = self.calls.iter_mut().find(|account| account.call == note.call)?;
        match &note.fact {
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
            Fact::Finalized { outcome, reason, .. } => {
                account.outcome = Some((*outcome, reason.clone()));
            }
            Fact::Lifecycle(_)
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
            | Fact::ConfirmationSettled { .. }
            | Fact::ConfirmationStep { .. }
            | Fact::ToolLate { .. }
            | Fact::Announced { .. }
            | Fact::BargedIn { .. }
            | Fact::Lost { .. }
            | Fact::Used(_) => {}
        }
        Some(account.role)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.calls.iter().all(|account| account.outcome.is_some())
    }

    /// What a phone has heard.
    pub(super) fn heard(&mut self, report: CallReport) {
        let account = self.calls.iter_mut().find(|account| account.call == report.call);
        if let Some(account) = account {
            account.phone = Some(report);
        }
    }

    pub(super) fn recorded(&mut self, call: &CallId, wav: PathBuf) {
        let account = self.calls.iter_mut().find(|account| account.call == *call);
        if let Some(account) = account {
            account.recording = Some(wav);
        }
    }

    pub(super) fn verdict(self, in_time: bool, director: &Director) -> Verdict {
        let mut problems = Vec::new();
        if !in_time {
            problems.push("the calls did not end in time".to_owned());
        }
        if !director.is_done() {
            problems.push("not everything in the script could be broken".to_owned());
        }
        for account in &self.calls {
            account.check(director, &mut problems);
        }
        let calls = self.calls.into_iter().map(Account::line).collect();
        let (passed, injuries) = (problems.is_empty(), director.broken.len());
        Verdict { passed, injuries, calls, problems }
    }
}

impl Account {
    fn check(&self, director: &Director, problems: &mut Vec<String>) {
        let role = self.role.word();
        match &self.outcome {
            Some((Outcome::Answered, reason))
                if ["goodbye", "remote_hung_up"].contains(&reason.as_str()) => {}
            Some((outcome, reason)) => {
                problems.push(format!("{role}: ended as {} ({reason})", outcome.word()));
            }
            None => problems.push(format!("{role}: never finalized")),
        }
        for part in director.broken.iter().filter(|(broken, _)| *broken == self.role) {
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

    fn line(self) -> CallLine {
        let (outcome, reason) = match self.outcome {
            Some((outcome, reason)) => (outcome.word(), reason),
            None => ("none", String::new()),
        };
        let wav = self.recording.filter(|wav| wav.exists());
        CallLine {
            role: self.role.word(),
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
