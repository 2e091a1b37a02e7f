//! The call's side of a confirmation: keeps the facts of the one pending question and obeys
//! Confirmation's rulings. What the model claims about it is not looked at.

use super::Machine;
use crate::briefing::Text;
use crate::call::consent::{Answer, Question, Voiced};
use crate::call::event::{Case, Denial, Output, Ruling};
use crate::call::ledger::{self, State};
use crate::clock::Instant;
use crate::record::Fact;
use crate::tool::{Done, Readback, ToolCallId, Verdict};

impl Machine {
    /// The exact effect of a destructive job is known: a question to the human, or a claim on
    /// the answer to one that was put before.
    pub(super) fn read_back(
        &mut self,
        id: &ToolCallId,
        answer: Option<Result<Readback, Done>>,
        now: Instant,
    ) {
        let Some(row) = self.ledger.row(id).filter(|row| row.state == State::ReadingBack) else {
            return;
        };
        let job = row.job.clone();
        match answer {
            None => {
                row.state = State::Running;
                self.outputs.push_back(Output::Run(job));
            }
            Some(Err(done)) => self.told(id, done, now),
            Some(Ok(readback)) => {
                let pending = self.question.as_ref().map(|question| &question.fingerprint);
                if pending == Some(&readback.fingerprint) {
                    row.state = State::Judging;
                    self.claim(id);
                } else {
                    let (words, fingerprint) = (readback.question, readback.fingerprint);
                    let question = Question {
                        job,
                        words,
                        fingerprint,
                        asked: now,
                        heard: None,
                        voiced: Voiced::NotYet,
                        answering: None,
                        answer: None,
                    };
                    self.put(question, id, now);
                }
            }
        }
    }

    /// Puts the question: the model gets its words as the tool's output.
    fn put(&mut self, question: Question, id: &ToolCallId, now: Instant) {
        let words = question.words.clone();
        let name = question.job.name.clone();
        self.note(Fact::ConfirmationAsked { name, question: words.clone() });
        self.judge(Case::Hold(question.clone()));
        self.question = Some(question);
        let output = Text(format!(
            r#"{{"status":"confirmation_required","question":{},"spoken_message":{},"next":"Ask the caller exactly this question. When the caller has said yes, call the tool again with the same arguments."}}"#,
            ledger::quoted(words.as_str()),
            ledger::quoted(words.as_str()),
        ));
        self.told(id, Done { verdict: Verdict::User, output }, now);
    }

    /// A response begins: it puts the question, if one waits to be put.
    pub(super) fn question_voiced(&mut self) {
        if let Some(question) = &mut self.question {
            question.voiced = Voiced::Begun;
        }
    }

    /// The caller has heard everything, the question too if it was among it.
    pub(super) fn question_heard(&mut self, now: Instant) {
        let whole = !self.turn.is_speaking() && !self.turn.is_due();
        if let Some(question) = &mut self.question
            && question.heard.is_none()
            && question.voiced == Voiced::Begun
            && whole
        {
            question.heard = Some(now);
            let question = question.clone();
            self.judge(Case::Hold(question));
        }
    }

    /// The caller begins to speak: an answer, if the question had been heard by then.
    pub(super) fn question_answering(&mut self, now: Instant) {
        if let Some(question) = &mut self.question
            && question.heard.is_some_and(|heard| heard <= now)
        {
            question.answering = Some(now);
            question.answer = None;
        }
    }

    /// The caller's words are known.
    pub(super) fn question_answered(&mut self, words: Text) {
        if let Some(question) = &mut self.question
            && question.answering.take().is_some()
        {
            let question = question.clone();
            self.judge(Case::Read(question, words));
        }
    }

    fn claim(&mut self, id: &ToolCallId) {
        let Some(question) = &self.question else { return };
        self.claims.push(id.clone());
        // Words on their way decide; the claim is judged after them.
        if question.answering.is_none() {
            self.judge_claims();
        }
    }

    fn judge_claims(&mut self) {
        let Some(question) = self.question.clone() else { return };
        for id in self.claims.clone() {
            self.judge(Case::Claim(question.clone(), id));
        }
    }

    pub(super) fn judged(&mut self, ruling: Ruling, now: Instant) {
        match ruling {
            Ruling::Means(answer) => {
                if let Some(question) = &mut self.question {
                    question.answer = Some(answer);
                    let name = question.job.name.clone();
                    let verdict = match answer {
                        Answer::Yes => "approved",
                        Answer::No => "declined",
                        Answer::Unclear => "unclear",
                    };
                    self.note(Fact::ConfirmationSettled { name, verdict });
                }
                self.judge_claims();
            }
            Ruling::Granted(id) => self.granted(&id),
            Ruling::Refused(id, denial) => self.denied(&id, denial, now),
            Ruling::Expired => self.expired(now),
        }
    }

    fn granted(&mut self, id: &ToolCallId) {
        self.claims.retain(|claim| claim != id);
        // Single use: a second claim finds no question.
        let Some(question) = self.question.take() else { return };
        self.judge(Case::Drop);
        let Some(row) = self.ledger.row(id).filter(|row| row.state == State::Judging) else {
            return;
        };
        row.state = State::Running;
        // What was read to the human is done, whatever the second call says.
        let mut job = row.job.clone();
        job.arguments = question.job.arguments;
        row.job = job.clone();
        self.outputs.push_back(Output::Run(job));
    }

    fn denied(&mut self, id: &ToolCallId, denial: Denial, now: Instant) {
        self.claims.retain(|claim| claim != id);
        let (status, words) = match denial {
            Denial::Unanswered | Denial::Unclear => {
                let Some(mut question) = self.question.take() else { return };
                (question.asked, question.heard, question.answer) = (now, None, None);
                question.voiced = Voiced::NotYet;
                self.put(question, id, now);
                return;
            }
            Denial::Declined => ("declined", "All right, I will not do that."),
            Denial::TooLate => {
                ("expired", "That took too long, so I have not done it. Shall I ask again?")
            }
        };
        self.question = None;
        self.judge(Case::Drop);
        let output = ledger::output(status, words);
        self.told(id, Done { verdict: Verdict::User, output }, now);
    }

    fn expired(&mut self, now: Instant) {
        let Some(question) = self.question.take() else { return };
        self.note(Fact::ConfirmationSettled { name: question.job.name, verdict: "expired" });
        for id in std::mem::take(&mut self.claims) {
            let words = "That took too long, so I have not done it.";
            let output = ledger::output("expired", words);
            self.told(&id, Done { verdict: Verdict::User, output }, now);
        }
    }

    /// Confirmation has a successor: it is told the question and the claims again.
    pub(super) fn hand_cases_again(&mut self) {
        let Some(question) = self.question.clone() else { return };
        self.judge(Case::Hold(question.clone()));
        if question.answering.is_none() {
            self.judge_claims();
        }
    }

    fn judge(&mut self, case: Case) {
        self.outputs.push_back(Output::Judge(case));
    }
}
