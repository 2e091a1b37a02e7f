//! Confirmation: the guard the model cannot talk past. Rules on the one pending question from
//! the facts it is given, and ends it when its time is up.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::briefing::Briefing;
use crate::call::consent::{self, Answer, Pin, Proof, Question};
use crate::call::event::{Case, Denial, Input, Means, Part, Ruling};
use crate::call::yes_no;
use crate::clock::{self, Instant};
use crate::part::{self, Msg, Own, Owned};
use crate::seed::{Enlisted, Seed};
use crate::tool::ToolCallId;

/// The guard of a call.
#[derive(Debug)]
pub struct Confirmation;

/// What dies with it: a timer. The question itself lies with the Call.
#[derive(Debug)]
pub struct State {
    seed: Arc<Seed>,
    held: Option<(u64, Owned)>,
    _enlisted: Enlisted,
}

impl Actor for Confirmation {
    type Msg = Msg;
    type State = State;
    type Arguments = Arc<Seed>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        seed: Arc<Seed>,
    ) -> Result<State, ActorProcessingErr> {
        part::start(&seed, Part::Confirmation);
        part::listen(&seed.cases, &myself);
        Ok(State { _enlisted: seed.enlist(), seed, held: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let seed = Arc::clone(&state.seed);
        let _busy = seed.pulses.beat(Part::Confirmation);
        match msg {
            Msg::Wake => {
                while let Some(case) = seed.cases.pop() {
                    state.consider(&myself, case);
                }
            }
            Msg::Fault(fault) => fault.inflict().await?,
            Msg::Own(Own::Expired(number)) => {
                if state.held.as_ref().is_some_and(|(held, _)| *held == number) {
                    state.held = None;
                    seed.tell(Input::Judged(number, Ruling::Expired));
                }
            }
            Msg::Own(Own::PumpFell | Own::Dialled(_) | Own::Aged) => {}
        }
        Ok(())
    }
}

impl State {
    fn consider(&mut self, myself: &ActorRef<Msg>, case: Case) {
        let Briefing { pin, language, .. } = &self.seed.briefing;
        let ruled = ruling(&case, pin.as_ref(), language.as_deref(), clock::now());
        if let Some((number, ruling)) = ruled {
            self.seed.tell(Input::Judged(number, ruling));
        }
        match case {
            Case::Hold(question) => self.hold(myself, &question),
            Case::Drop => self.held = None,
            Case::Read(..) | Case::Pressed(..) | Case::Entered(..) | Case::Claim(..) => {}
        }
    }

    fn hold(&mut self, myself: &ActorRef<Msg>, question: &Question) {
        let (number, end) = (question.number, question.expires());
        let owner = myself.clone();
        let timer = Owned::spawn(async move {
            tokio::time::sleep_until(end).await;
            let _gone = owner.cast(Msg::Own(Own::Expired(number)));
        });
        self.held = Some((number, timer));
    }
}

/// What is ruled on a case, and on which question; nothing on one that only is to be held.
pub(crate) fn ruling(
    case: &Case,
    pin: Option<&Pin>,
    language: Option<&str>,
    now: Instant,
) -> Option<(u64, Ruling)> {
    Some(match case {
        Case::Hold(_) | Case::Drop => return None,
        Case::Read(question, words) => {
            let answer = spoken(question, yes_no::read(words, language));
            (question.number, Ruling::Means(answer, Means::Voice))
        }
        Case::Pressed(question, digit) => {
            let answer = if digit.key() == consent::YES_KEY { Answer::Yes } else { Answer::No };
            (question.number, Ruling::Means(answer, Means::Key))
        }
        Case::Entered(question, entered) => {
            let right = pin.is_some_and(|pin| pin.matches(entered));
            let means = Ruling::Means(Answer::Yes, Means::Pin);
            (question.number, if right { means } else { Ruling::WrongPin })
        }
        Case::Claim(question, id) => (question.number, judge(question, id.clone(), now)),
    })
}

/// What words are worth: a yes is not enough where a PIN is asked for, nor where something else was
/// said after the question; a no always is.
fn spoken(question: &Question, answer: Answer) -> Answer {
    match (question.proof, answer) {
        (Proof::Pin, Answer::Yes) => Answer::Unclear,
        (Proof::Yes, Answer::Yes) if !question.answers_it => Answer::Unclear,
        (Proof::Pin | Proof::Yes, answer) => answer,
    }
}

/// Whether a claim on the approval is good: only a human's clear yes, in time.
fn judge(question: &Question, id: ToolCallId, now: Instant) -> Ruling {
    if now >= question.expires() {
        return Ruling::Refused(id, Denial::TooLate);
    }
    match question.answer {
        Some(Answer::Yes) => Ruling::Granted(id),
        Some(Answer::No) => Ruling::Refused(id, Denial::Declined),
        Some(Answer::Unclear) => Ruling::Refused(id, Denial::Unclear),
        None => Ruling::Refused(id, Denial::Unanswered),
    }
}
