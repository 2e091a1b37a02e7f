//! What is true, whatever the runtime believes: which effect which human has approved in which
//! call, and every effect that came about. Judges each effect when it comes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use tandem_actors::briefing::CallId;
use tandem_actors::clock::{self, Instant};
use tandem_actors::tool::ToolCallId;

/// From a human's approval to its effect, at most: the life of an approval, and what a tool that
/// is begun again after its runner died may take.
const APPROVED: Duration = Duration::from_secs(36);

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// An effect that no human has approved.
    Unconfirmed,
    /// An effect for which another one has used up the approval, or one job done twice.
    Doubled,
    /// An effect that a human has approved in another call.
    AnotherCall,
    /// A tool call was answered again.
    AnsweredTwice,
    /// Something was done before the human had heard that they speak with an AI.
    Undisclosed,
    /// A call that does not end.
    Endless,
}

impl Wrong {
    pub(crate) const ALL: [Self; 6] = [
        Self::Unconfirmed,
        Self::Doubled,
        Self::AnotherCall,
        Self::AnsweredTwice,
        Self::Undisclosed,
        Self::Endless,
    ];
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unconfirmed => "unconfirmed effects",
            Self::Doubled => "doubled effects",
            Self::AnotherCall => "effects in another call",
            Self::AnsweredTwice => "tool calls answered twice",
            Self::Undisclosed => "effects before the AI was disclosed",
            Self::Endless => "calls that do not end",
        })
    }
}

/// A deed as a human understands it: what is done, and the sound of the name it is done to.
pub(crate) type Deed = String;

/// A human's approval.
#[derive(Clone, Copy, Debug)]
struct Approval {
    at: Instant,
    /// A tool is on its way with it: a no comes too late.
    used: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Truth {
    approvals: HashMap<(CallId, Deed), Approval>,
    done: HashSet<(CallId, Deed)>,
    /// Calls in which the AI must be disclosed first, and when that has been heard.
    disclosed: HashMap<CallId, Option<Instant>>,
    begun: HashMap<(CallId, ToolCallId), u32>,
    /// Approved effects that came about.
    pub(crate) rightly_done: u64,
    /// Approvals that humans gave.
    pub(crate) approved: u64,
    /// What must not be, with a line on each.
    pub(crate) wrong: Vec<(Wrong, String)>,
    /// Facts of the guard and of the parts, counted.
    pub(crate) facts: BTreeMap<String, u64>,
    /// What happened, in order, where somebody wants to read it.
    pub(crate) story: Option<Vec<String>>,
    origin: Option<Instant>,
}

impl Truth {
    pub(crate) fn new(told: bool) -> Self {
        let origin = Some(clock::now());
        Self { story: told.then(Vec::new), origin, ..Self::default() }
    }

    /// A line of the story; what it says is only made up where it is read.
    pub(crate) fn tell(&mut self, call: &CallId, line: impl FnOnce() -> String) {
        let since = self.origin.map_or(Duration::ZERO, |origin| clock::now() - origin);
        if let Some(story) = &mut self.story {
            story.push(format!("{:>9.3}s {call} {}", since.as_secs_f64(), line()));
        }
    }

    pub(crate) fn count(&mut self, fact: &str) {
        match self.facts.get_mut(fact) {
            Some(count) => *count += 1,
            None => drop(self.facts.insert(fact.to_owned(), 1)),
        }
    }

    /// A human has approved this, knowing what it is. Said again, it is still one approval.
    pub(crate) fn approve(&mut self, call: &CallId, deed: &Deed) {
        self.approved += 1;
        self.tell(call, || format!("TRUTH approved: {deed}"));
        let approval = Approval { at: clock::now(), used: false };
        self.approvals.insert((call.clone(), deed.clone()), approval);
    }

    /// A human has said no: nothing that they approved before is wanted any more.
    pub(crate) fn revoke(&mut self, call: &CallId) {
        self.tell(call, || "TRUTH revoked".to_owned());
        self.approvals.retain(|(of, _), approval| of != call || approval.used);
    }

    /// The guard says that it has granted something in this call. That is believed of nothing but
    /// the moment: no approval comes of it.
    pub(crate) fn granted(&mut self, call: &CallId) {
        for ((of, _), approval) in &mut self.approvals {
            approval.used |= of == call;
        }
    }

    /// An effect that a human has to approve comes about.
    pub(crate) fn effect(&mut self, call: &CallId, deed: &Deed) {
        self.tell(call, || format!("TRUTH effect: {deed}"));
        let key = (call.clone(), deed.clone());
        let fresh = |approval: &Approval| clock::now() - approval.at <= APPROVED;
        let approval = self.approvals.remove(&key);
        let again = !self.done.insert(key);
        if approval.as_ref().is_some_and(fresh) {
            self.rightly_done += 1;
            return;
        }
        let elsewhere = self.approvals.keys().any(|(of, what)| of != call && what == deed);
        let (wrong, why) = match (again, elsewhere, approval) {
            (true, _, _) => (Wrong::Doubled, "done before, and not approved again"),
            (_, true, _) => (Wrong::AnotherCall, "approved in another call"),
            (_, _, Some(_)) => (Wrong::Unconfirmed, "approved too long ago"),
            (_, _, None) => (Wrong::Unconfirmed, "approved by nobody"),
        };
        self.accuse(wrong, format!("{call}: {deed}: {why}"));
    }

    /// In this call it must have been heard that it is an AI before anything is done.
    pub(crate) fn must_disclose(&mut self, call: &CallId) {
        self.disclosed.insert(call.clone(), None);
    }

    /// It will have been heard then.
    pub(crate) fn discloses(&mut self, call: &CallId, heard: Instant) {
        if let Some(at) = self.disclosed.get_mut(call) {
            at.get_or_insert(heard);
        }
    }

    /// What has not been heard by now will not be.
    pub(crate) fn cut(&mut self, call: &CallId) {
        if let Some(at) = self.disclosed.get_mut(call) {
            *at = at.filter(|at| *at <= clock::now());
        }
    }

    /// A tool call that must happen at most once is being done.
    pub(crate) fn began(&mut self, call: &CallId, id: &ToolCallId) {
        let heard = |at: &Option<Instant>| at.is_some_and(|at| at <= clock::now());
        if self.disclosed.get(call).is_some_and(|at| !heard(at)) {
            let line =
                format!("{call}: tool call {} done by an AI that nobody knows to be one", id.0);
            self.accuse(Wrong::Undisclosed, line);
        }
        let times = self.begun.entry((call.clone(), id.clone())).or_default();
        *times += 1;
        if *times > 1 {
            let line = format!("{call}: tool call {} done {times} times", id.0);
            self.accuse(Wrong::Doubled, line);
        }
    }

    pub(crate) fn accuse(&mut self, wrong: Wrong, line: String) {
        self.wrong.push((wrong, line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(script: impl FnOnce(&mut Truth, &CallId, &CallId)) -> Vec<Wrong> {
        let mut truth = Truth::new(false);
        script(&mut truth, &CallId::new("a"), &CallId::new("b"));
        truth.wrong.into_iter().map(|(wrong, _)| wrong).collect()
    }

    #[test]
    fn an_effect_needs_an_approval_of_its_own_in_its_own_call() {
        let milk = "delete buy milk".to_owned();
        assert_eq!(judged(|truth, a, _| truth.effect(a, &milk)), [Wrong::Unconfirmed]);
        let right = |truth: &mut Truth, a: &CallId, _: &CallId| {
            truth.approve(a, &milk);
            truth.approve(a, &milk);
            truth.effect(a, &milk);
        };
        assert_eq!(judged(right), []);
        let twice = |truth: &mut Truth, a: &CallId, b: &CallId| {
            right(truth, a, b);
            truth.effect(a, &milk);
        };
        assert_eq!(judged(twice), [Wrong::Doubled]);
        let elsewhere = |truth: &mut Truth, a: &CallId, b: &CallId| {
            truth.approve(a, &milk);
            truth.effect(b, &milk);
        };
        assert_eq!(judged(elsewhere), [Wrong::AnotherCall]);
        let taken_back = |truth: &mut Truth, a: &CallId, _: &CallId| {
            truth.approve(a, &milk);
            truth.revoke(a);
            truth.effect(a, &milk);
        };
        assert_eq!(judged(taken_back), [Wrong::Unconfirmed]);
    }

    #[test]
    fn an_ai_does_nothing_before_it_has_been_heard_to_be_one() {
        let id = ToolCallId("t".into());
        let early = |truth: &mut Truth, a: &CallId, b: &CallId| {
            truth.must_disclose(a);
            truth.began(b, &id);
            truth.discloses(a, clock::now() + Duration::from_secs(1));
            truth.began(a, &id);
        };
        assert_eq!(judged(early), [Wrong::Undisclosed]);
        let cut = |truth: &mut Truth, a: &CallId, _: &CallId| {
            truth.must_disclose(a);
            truth.discloses(a, clock::now() + Duration::from_secs(1));
            truth.cut(a);
            truth.discloses(a, clock::now());
            truth.began(a, &id);
        };
        assert_eq!(judged(cut), []);
    }

    #[test]
    fn a_tool_call_is_done_once() {
        let id = ToolCallId("t".into());
        let twice = |truth: &mut Truth, a: &CallId, b: &CallId| {
            truth.began(a, &id);
            truth.began(b, &id);
            truth.began(a, &id);
        };
        assert_eq!(judged(twice), [Wrong::Doubled]);
    }
}
