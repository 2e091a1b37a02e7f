//! Takes a call up again whose server was lost while its carrier still holds it: the conversation
//! and what came of the tools are read back from the record.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tandem_actors::briefing::{Before, Briefing, CallId, Direction, Lifecycle, Outcome};
use tandem_actors::model::Entry;
use tandem_actors::record::{Record as _, RecordError, Speaker};
use tandem_actors::tool::{Done, Verdict};

use super::{Made, New, NotMade, Reception, Wish, briefing};
use crate::config::{Consent, Voicemail};
use crate::persona;
use crate::store::{
    Approvals as _, Archive as _, CallRow, LedgerRow, LedgerState, Orphan, Profiles as _,
    Results as _, TurnRow, With, unmade,
};

/// The carrier has been told to bring the media: it comes within a second, or it will not.
const MEDIA: Duration = Duration::from_secs(15);

/// However long they had talked: time to say how it goes on, and goodbye.
const LEFT: Duration = Duration::from_secs(60);

impl Reception {
    /// Has a call supervised again, under the id it had. Rings nobody.
    ///
    /// # Errors
    /// [`NotMade`]; then nothing has changed.
    pub async fn resume(&self, orphan: &Orphan) -> Result<Made, NotMade> {
        let row = &orphan.call;
        if self.stands_at_the_door(row).await? {
            return Err(NotMade::NotAdmitted);
        }
        let before = self.before(orphan).await?;
        let bounds = orphan.bounds.clone().unwrap_or_default();
        let wanted = self.store.wanted_result(&row.id).await?;
        let wish = Wish {
            account: row.account.clone(),
            manner: row.manner.clone(),
            hand_over: bounds.hand_over,
            // Who is there has been found out before.
            voicemail: Voicemail::Wait,
            tools: bounds.tools,
            only_asks: bounds.only_asks,
            // Nothing is asked again; without what had to be, nothing is recorded.
            recording: Consent::None,
            approval: self.store.approval(&row.id).await?,
            campaign: row.campaign.clone(),
            result: wanted.and_then(|schema| serde_json::from_str(schema.as_str()).ok()),
            ..self.wish(row.task.clone())
        };
        let (direction, dialect) = (row.direction, wish.dialect);
        let new = New { direction, remote: row.remote.clone(), local: row.local.clone(), wish };
        let format = self.format(dialect);
        let may_record = bounds.recording == Consent::None
            || ["announced", "agreed"].map(Some).contains(&row.recording.as_deref());
        let tape = if may_record { self.tape(&row.id, format) } else { None };
        let audio = (format, tape.is_some());
        let usual = briefing::of(&self.house(), &self.clips, &row.id, new, audio);
        let mut limits = usual.limits;
        limits.ringing = MEDIA;
        limits.total = limits.total.saturating_sub(before.talked).max(LEFT);
        let greeting = if before.answered { persona::resumption() } else { usual.greeting };
        let briefing = Briefing { limits, greeting, before: Some(before), ..usual };
        let addresses = self.supervise(dialect, briefing, tape)?;
        Ok(Made { call: row.id.clone(), addresses })
    }

    /// Whether they have not entered the PIN that their number asks for.
    async fn stands_at_the_door(&self, row: &CallRow) -> Result<bool, RecordError> {
        let profile = match row.direction {
            Direction::Inbound => self.store.inbound(&row.local).await?,
            Direction::Outbound => None,
        };
        if profile.is_none_or(|(_, profile)| profile.pin.is_none()) {
            return Ok(false);
        }
        let given = json!({ "what": "pin", "step": "given" });
        let events = self.store.events(&row.id, 0).await?;
        let is_given =
            |body: &str| serde_json::from_str(body).is_ok_and(|body: Value| body == given);
        Ok(!events.iter().any(|event| event.kind == "restricted" && is_given(event.body.as_str())))
    }

    async fn before(&self, orphan: &Orphan) -> Result<Before, RecordError> {
        let call = &orphan.call.id;
        let (turns, tools) = (self.store.turns(call).await?, self.store.tool_ledger(call).await?);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let last = orphan.last_ms.and_then(|last| u64::try_from(last).ok()).unwrap_or_default();
        Ok(Before {
            facts: orphan.facts,
            conversation: conversation(turns, tools),
            answered: orphan.call.lifecycle == Lifecycle::Answered,
            talked: Duration::from_millis(orphan.talk_ms()),
            silent: now.saturating_sub(Duration::from_millis(last)),
            handing_over: orphan.with == With::Browser,
        })
    }

    /// Ends a call that was written down and is not made.
    pub(super) fn end_unmade(&self, call: &CallId, outcome: Outcome, reason: &str) {
        self.store.note(unmade(call, outcome, reason));
    }
}

/// Turns and tool calls in the order of their times.
fn conversation(turns: Vec<TurnRow>, tools: Vec<LedgerRow>) -> Vec<Entry> {
    let said = turns.into_iter().map(|turn| {
        let entry = match turn.speaker {
            Speaker::Caller => Entry::Caller(turn.text),
            Speaker::Agent => Entry::Agent(turn.text),
        };
        (turn.at_ms, vec![entry])
    });
    let done = tools.into_iter().map(|tool| (tool.asked_ms, of_tool(tool)));
    let mut all: Vec<_> = said.chain(done).collect();
    all.sort_by_key(|(at_ms, _)| *at_ms);
    all.into_iter().flat_map(|(_, entries)| entries).collect()
}

/// A tool call and what the model is told of it: of one that had begun, that nobody knows.
fn of_tool(tool: LedgerRow) -> Vec<Entry> {
    let fault = |verdict, suggestion| Done::fault(verdict, "server_lost", "", suggestion).output;
    let output = match (tool.state, tool.output) {
        (LedgerState::Done, Some(output)) => output,
        (LedgerState::Begun, _) | (LedgerState::Done, None) => fault(
            Verdict::Unknown,
            "it may have happened or not: say so when it matters, and do not do it again",
        ),
        (LedgerState::Asked, _) => fault(Verdict::Temporary, "it was not done"),
    };
    let (id, name) = (tool.tool_call, tool.name);
    let asked = Entry::Asked { id: id.clone(), name, arguments: tool.arguments };
    vec![asked, Entry::Answered { id, output }]
}

#[cfg(test)]
mod tests {
    use tandem_actors::briefing::Text;
    use tandem_actors::tool::ToolCallId;

    use super::*;

    fn tool(state: LedgerState, output: Option<&str>) -> LedgerRow {
        LedgerRow {
            tool_call: ToolCallId("t1".to_owned()),
            name: "create_task".to_owned(),
            arguments: Text::from("{}"),
            arguments_hash: String::new(),
            state,
            verdict: None,
            output: output.map(Text::from),
            asked_ms: 2,
            begun_ms: None,
            done_ms: None,
        }
    }

    #[test]
    fn the_conversation_is_read_back_in_its_order_with_what_is_known_of_the_tools() {
        let turn = |at_ms, speaker, text: &str| TurnRow {
            sequence: at_ms as u64,
            at_ms,
            speaker,
            text: Text::from(text),
        };
        let turns =
            vec![turn(1, Speaker::Caller, "Note milk."), turn(3, Speaker::Agent, "I have.")];
        let entries = conversation(turns, vec![tool(LedgerState::Done, Some("{\"a\":1}"))]);
        assert_eq!(entries[0], Entry::Caller("Note milk.".into()));
        let output = Text::from("{\"a\":1}");
        assert_eq!(entries[2], Entry::Answered { id: ToolCallId("t1".to_owned()), output });
        assert_eq!(entries[3], Entry::Agent("I have.".into()));
        let told = |state| format!("{:?}", of_tool(tool(state, None)).pop().map(text));
        assert!(told(LedgerState::Begun).contains("unknown"), "{}", told(LedgerState::Begun));
        assert!(told(LedgerState::Asked).contains("it was not done"));
    }

    fn text(entry: Entry) -> String {
        match entry {
            Entry::Answered { output, .. } => output.0,
            Entry::Caller(text) | Entry::Agent(text) | Entry::Note(text) => text.0,
            Entry::Asked { name, .. } => name,
        }
    }
}
