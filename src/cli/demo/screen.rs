//! What the demo shows: facts as they happen, the table at the end.

use std::io::IsTerminal;
use std::time::Instant;

use tandem_actors::record::{Fact, Speaker};

use super::Role;
use super::verdict::{CallLine, Repair, Verdict};
use crate::cli::say;
use crate::cli::search::table;
use crate::rehearsal::speech;
use crate::server::Server;

/// Shows, or stays silent when a program reads.
pub(super) struct Screen {
    silent: bool,
    colour: bool,
    start: Instant,
}

impl Screen {
    pub(super) fn new(silent: bool) -> Self {
        let colour = std::io::stdout().is_terminal();
        Self { silent, colour, start: Instant::now() }
    }

    pub(super) fn open(&self, server: &Server) {
        self.line(&format!("tandem demo: a server on {}, a simulated phone network", server.url()));
        self.line(
            "and a simulated model, all on real sockets. Somebody rings the task line and has",
        );
        self.line("a task deleted; a restaurant is rung by a schedule; three others are asked the");
        self.line("same at once, and the best is taken. Parts of all these calls will be broken");
        self.line("in the middle. Nobody on the line should notice.");
        self.line(&format!("speech: {}", speech::available().word()));
        self.line("");
    }

    pub(super) fn fact(&self, role: Role, fact: &Fact) {
        if let Some(text) = words(fact) {
            self.row(role, &text);
        }
    }

    pub(super) fn direction(&self, role: Role, words: &str) {
        let text = format!("  ✂  {words}");
        let text = if self.colour { format!("\x1b[1;31m{text}\x1b[0m") } else { text };
        self.row(role, &text);
    }

    pub(super) fn close(&self, verdict: &Verdict) {
        if self.silent {
            say(&serde_json::to_string_pretty(verdict).expect("a verdict is plain data"));
            return;
        }
        self.line("");
        if let Some(ending) = &verdict.ending {
            for line in table(&ending.search["comparison"]) {
                self.line(&line);
            }
            self.line("");
        }
        self.line(
            "call        outcome     reason           turns  reply p50  reply p99  recording",
        );
        for call in &verdict.calls {
            self.line(&row(call));
        }
        self.line("");
        self.line("call        broken          back after");
        for call in &verdict.calls {
            for repair in &call.repairs {
                let (role, Repair { part, took_ms }) = (call.role, repair);
                self.line(&format!("{role:<11} {part:<15} {took_ms:>6} ms"));
            }
        }
        self.line("");
        for problem in &verdict.problems {
            self.line(&format!("✗ {problem}"));
        }
        if verdict.passed {
            let (calls, broken) = (verdict.calls.len(), verdict.injuries);
            let lost = "no call lost, no audio lost";
            self.line(&format!("✓ passed: {calls} calls, {broken} injuries, {lost}"));
        }
    }

    fn row(&self, role: Role, text: &str) {
        let seconds = self.start.elapsed().as_secs_f32();
        self.line(&format!("{seconds:6.2}  {:<11} {text}", role.word()));
    }

    fn line(&self, text: &str) {
        if !self.silent {
            say(text);
        }
    }
}

fn row(call: &CallLine) -> String {
    let CallLine { role, outcome, reason, turns, .. } = call;
    let wav = call.recording.as_ref().map_or_else(String::new, |wav| wav.display().to_string());
    let (p50, p99) = (call.reply_ms_p50, call.reply_ms_p99);
    format!("{role:<11} {outcome:<11} {reason:<16} {turns:>5} {p50:>7} ms {p99:>7} ms  {wav}")
}

fn words(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::Lifecycle(lifecycle) => format!("· {}", lifecycle.word()),
        Fact::Turn(turn) => {
            let speaker = match turn.speaker {
                Speaker::Caller => "they ",
                Speaker::Agent => "agent",
            };
            format!("{speaker}  “{}”", turn.text.as_str())
        }
        Fact::ToolAsked { name, arguments, .. } => format!("tool   {name} {}", arguments.as_str()),
        Fact::ToolAnswered { name, verdict, took_ms, .. } => {
            format!("tool   {name}: {} after {took_ms} ms", verdict.word())
        }
        Fact::ConfirmationAsked { question, .. } => format!("guard  “{}”", question.as_str()),
        Fact::ConfirmationSettled { verdict, .. } => format!("guard  {verdict}"),
        Fact::ConfirmationStep { step, .. } => format!("guard  {step}"),
        Fact::ToolLate { name, verdict, took_ms, .. } => {
            format!("tool   {name}, late: {} after {took_ms} ms", verdict.word())
        }
        Fact::Announced { text } => format!("· announced: “{}”", text.as_str()),
        Fact::BargedIn { heard_ms } => format!("· interrupted after {heard_ms} ms"),
        Fact::Lost { part, .. } => format!("  lost  {part}"),
        Fact::Repaired { part, took_ms } => format!("  back  {part} after {took_ms} ms"),
        Fact::Finalized { outcome, reason, .. } => {
            format!("· finalized: {} ({reason})", outcome.word())
        }
        Fact::Restricted { what, step } => format!("· {what} {step}"),
        Fact::Pressed => "· key pressed".to_owned(),
        Fact::Answerer { who, by } => format!("· on the line: {who}, by {by}"),
        Fact::Keyed => "· pressed keys".to_owned(),
        Fact::Recording { step } => format!("· recording {step}"),
        Fact::DisclosureHeard { .. } => "· heard that this is an AI".to_owned(),
        Fact::HandOver { step } => format!("· hand-over {step}"),
        Fact::SubmissionUnknown => "· not known whether it rings".to_owned(),
        // How fast it was is in the table at the end.
        Fact::CarrierNamed(_)
        | Fact::Masked { .. }
        | Fact::Spoken(_)
        | Fact::Used(_)
        | Fact::Replied { .. } => return None,
    })
}
