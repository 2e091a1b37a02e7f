//! The call's side of a confirmation: keeps the facts of the one pending question and obeys
//! Confirmation's rulings. What the model claims about it is not looked at.

use super::{Claim, Machine};
use crate::briefing::Text;
use crate::call::consent::{Answer, MOST_ASKED, Proof, Question, Voiced};
use crate::call::event::{Case, Denial, Means, Output, Ruling};
use crate::call::ledger::{State, quoted};
use crate::call::log::kept;
use crate::clock::Instant;
use crate::record::Fact;
use crate::tool::{Done, Readback, Risk, ToolCallId, Verdict};

impl Machine {
    /// The exact effect of a job that is asked about is known: a question to the human, or a claim
    /// on the answer to one that was put before.
    pub(super) fn read_back(
        &mut self,
        id: &ToolCallId,
        answer: Option<Result<Readback, Done>>,
        now: Instant,
    ) {
        let Some(row) = self.ledger.row(id).filter(|row| row.state == State::ReadingBack) else {
            return;
        };
        let (job, risk) = (row.job.clone(), row.risk);
        let readback = match answer {
            Some(Ok(readback)) => readback,
            Some(Err(done)) => return self.told(id, done, now),
            None => {
                row.state = State::Running;
                return self.outputs.push_back(Output::Run(job));
            }
        };
        let pending = self.question.as_ref();
        if pending.is_some_and(|pending| pending.fingerprint == readback.fingerprint) {
            row.state = State::Judging;
            return self.claim(id, readback.fingerprint);
        }
        if pending.is_some_and(|pending| pending.heard.is_none()) {
            let suggestion = "another question is being put: when it is settled, call this again";
            return self.told(id, Done::fault(Verdict::User, "one_at_a_time", "", suggestion), now);
        }
        self.replace_question(now);
        let proof = if risk == Risk::Sensitive { Proof::Pin } else { Proof::Yes };
        let question = Question {
            job,
            words: readback.question,
            subject: readback.subject,
            fingerprint: readback.fingerprint,
            proof,
            number: 0,
            times: 0,
            asked: now,
            heard: None,
            voiced: Voiced::NotYet,
            from: 0,
            put_from: None,
            latest: false,
            answering: None,
            answers_it: false,
            answer: None,
        };
        self.put(question, id, now);
    }

    /// The caller has changed their mind: what was asked before is settled.
    fn replace_question(&mut self, now: Instant) {
        if let Some(question) = self.question.take() {
            self.settled(question.job.name, "replaced", Means::Question);
            self.refuse_claims("replaced", "", "another question was asked instead", now);
        }
    }

    /// Puts the question: the model gets its words as the tool's output.
    fn put(&mut self, mut question: Question, id: &ToolCallId, now: Instant) {
        self.questions += 1;
        (question.number, question.times) = (self.questions, question.times + 1);
        (question.asked, question.heard, question.answer) = (now, None, None);
        (question.voiced, question.latest) = (Voiced::NotYet, false);
        self.entered = Default::default();
        let (words, name) = (question.words.clone(), question.job.name.clone());
        let next = match question.proof {
            Proof::Yes => {
                "Ask the caller exactly this question and nothing else; names and numbers in it \
                 as they are. They can say yes or no, or press 1 for yes and 2 for no. When they \
                 have said yes, call the tool again with the same arguments."
            }
            Proof::Pin => {
                "Ask the caller exactly this question, names and numbers in it as they are, and to \
                 enter their PIN on the keypad and end with the hash key, never to say it. You \
                 will be told when it was right; then call the tool again with the same arguments."
            }
        };
        self.note(Fact::ConfirmationAsked { name, question: kept(&words) });
        self.judge(Case::Hold(question.clone()));
        self.question = Some(question);
        let words = quoted(words.as_str());
        let output = Text(format!(
            r#"{{"status":"confirmation_required","question":{words},"spoken_message":{words},"next":{}}}"#,
            quoted(next),
        ));
        self.told(id, Done { verdict: Verdict::User, output }, now);
    }

    /// A response begins: it puts the question, if one waits to be put and this can do it.
    pub(super) fn question_voiced(&mut self, is_filler: bool) {
        let from = self.log.end();
        if let Some(question) = &mut self.question {
            question.from = from;
            if !is_filler {
                question.voiced = Voiced::Begun;
            }
        }
    }

    /// Something is said: when it is of another response than the one that has put the question,
    /// the question is not what the caller answers now.
    pub(super) fn question_overtaken(&mut self) {
        if let Some(question) = &mut self.question
            && question.put_from != Some(question.from)
        {
            question.latest = false;
        }
    }

    /// The caller has heard everything, the question too if it was among it.
    pub(super) fn question_heard(&mut self, now: Instant) {
        let whole = !self.turn.is_speaking() && !self.turn.is_due();
        if let Some(question) = &mut self.question
            && !question.latest
            && question.voiced == Voiced::Begun
            && whole
            && question.is_put_by(&self.log.heard_from(question.from))
        {
            (question.latest, question.put_from) = (true, Some(question.from));
            // Said once more, it does not live longer.
            if question.heard.is_some() {
                return;
            }
            question.heard = Some(now);
            let (question, name) = (question.clone(), question.job.name.clone());
            self.note(Fact::ConfirmationStep { name, step: "heard" });
            self.judge(Case::Hold(question));
        }
    }

    /// The caller begins to speak: an answer, if the question had been heard by then and a human
    /// may be speaking. A turn that is heard again, by a fresh session, is as old as it was: an
    /// answer if it was begun as one.
    pub(super) fn question_answering(&mut self, now: Instant) {
        if std::mem::take(&mut self.heard_again) {
            return;
        }
        let human = self.may_confirm();
        if let Some(question) = &mut self.question
            && question.heard.is_some_and(|heard| heard <= now)
            && human
        {
            question.answering = Some(now);
            question.answers_it = question.latest;
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

    fn claim(&mut self, id: &ToolCallId, fingerprint: String) {
        let Some(question) = &self.question else { return };
        self.claims.push(Claim { id: id.clone(), fingerprint });
        // Words on their way decide; the claim is judged after them.
        if question.answering.is_none() {
            self.judge_claims();
        }
    }

    pub(super) fn judge_claims(&mut self) {
        let Some(question) = self.question.clone() else { return };
        for Claim { id, .. } in self.claims.clone() {
            self.judge(Case::Claim(question.clone(), id));
        }
    }

    pub(super) fn judged(&mut self, number: u64, ruling: Ruling, now: Instant) {
        // What was ruled on a question that has been settled meanwhile is not about this one.
        if self.question.as_ref().is_none_or(|question| question.number != number) {
            return;
        }
        match ruling {
            Ruling::Means(answer, by) => self.answered(answer, by),
            Ruling::WrongPin => self.wrong_pin(now),
            Ruling::Granted(id) => self.granted(&id),
            Ruling::Refused(id, denial) => self.denied(&id, denial, now),
            Ruling::Expired => self.expired(now),
        }
    }

    fn answered(&mut self, answer: Answer, by: Means) {
        if let Some(question) = &mut self.question {
            question.answer = Some(answer);
            let name = question.job.name.clone();
            let verdict = match answer {
                Answer::Yes => "approved",
                Answer::No => "declined",
                Answer::Unclear => "unclear",
            };
            self.settled(name, verdict, by);
            self.tell_of_keys(answer, by);
        }
        self.judge_claims();
    }

    fn granted(&mut self, id: &ToolCallId) {
        let Some(at) = self.claims.iter().position(|claim| claim.id == *id) else { return };
        // The caller has spoken since this was ruled: what they said decides, and is ruled next.
        let stands = |question: &Question| {
            question.answer == Some(Answer::Yes) && question.answering.is_none()
        };
        if !self.question.as_ref().is_some_and(stands) {
            return;
        }
        let claim = self.claims.remove(at);
        // Single use: a second claim finds no question, nor one on another effect this one.
        let bound = |question: &mut Question| question.fingerprint == claim.fingerprint;
        let Some(question) = self.question.take_if(bound) else { return };
        self.judge(Case::Drop);
        let Some(row) = self.ledger.row(id).filter(|row| row.state == State::Judging) else {
            return;
        };
        row.state = State::Running;
        // What was read to the human is done, whatever the second call says.
        let mut job = question.job;
        job.id = id.clone();
        row.job = job.clone();
        self.note(Fact::ConfirmationStep { name: job.name.clone(), step: "used" });
        self.outputs.push_back(Output::Run(job));
    }

    fn denied(&mut self, id: &ToolCallId, denial: Denial, now: Instant) {
        let Some(at) = self.claims.iter().position(|claim| claim.id == *id) else { return };
        self.claims.remove(at);
        let Some(question) = self.question.take() else { return };
        let name = question.job.name.clone();
        self.note(Fact::ConfirmationStep { name, step: denial.word() });
        let (reason, words, suggestion) = match denial {
            Denial::Unanswered | Denial::Unclear if question.times < MOST_ASKED => {
                self.put(question, id, now);
                return self.refuse_claims("one_at_a_time", "", "the question is put again", now);
            }
            Denial::Unanswered | Denial::Unclear => {
                ("not_confirmed", "Then I leave it as it is.", "do not ask again")
            }
            Denial::Declined => ("declined", "All right, I will not do that.", "leave it"),
            Denial::TooLate => {
                let words = "That took too long, so I have not done it.";
                ("expired", words, "ask whether it is still wanted")
            }
        };
        self.judge(Case::Drop);
        self.told(id, Done::fault(Verdict::User, reason, words, suggestion), now);
    }

    fn expired(&mut self, now: Instant) {
        let Some(question) = self.question.take() else { return };
        self.settled(question.job.name, "expired", Means::Time);
        let words = "That took too long, so I have not done it.";
        self.refuse_claims("expired", words, "ask whether it is still wanted", now);
    }

    pub(super) fn refuse_claims(
        &mut self,
        reason: &str,
        words: &str,
        suggestion: &str,
        now: Instant,
    ) {
        for Claim { id, .. } in std::mem::take(&mut self.claims) {
            self.told(&id, Done::fault(Verdict::User, reason, words, suggestion), now);
        }
    }

    pub(super) fn settled(&mut self, name: String, verdict: &'static str, by: Means) {
        self.note(Fact::ConfirmationSettled { name, verdict, by: by.word() });
    }

    /// Confirmation has a successor: it is told the question and the claims again.
    pub(super) fn hand_cases_again(&mut self) {
        let Some(question) = self.question.clone() else { return };
        self.judge(Case::Hold(question.clone()));
        if question.answering.is_none() {
            self.judge_claims();
        }
    }

    pub(super) fn judge(&mut self, case: Case) {
        self.outputs.push_back(Output::Judge(case));
    }
}
