//! Confirmation: the guard the model cannot talk past. Rules on the one pending question from
//! the facts it is given, and ends it when its time is up.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::call::consent::{self, Answer, Question};
use crate::call::event::{Case, Denial, Input, Part, Ruling};
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
    held: Option<(Instant, Owned)>,
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
            Msg::Own(Own::Expired(asked)) => {
                if state.held.as_ref().is_some_and(|(held, _)| *held == asked) {
                    state.held = None;
                    seed.tell(Input::Judged(Ruling::Expired));
                }
            }
            Msg::Own(Own::PumpFell | Own::Dialled(_) | Own::Aged) => {}
        }
        Ok(())
    }
}

impl State {
    fn consider(&mut self, myself: &ActorRef<Msg>, case: Case) {
        match case {
            Case::Hold(question) => self.hold(myself, &question),
            Case::Read(_, words) => self.rule(Ruling::Means(consent::read(&words))),
            Case::Claim(question, id) => self.rule(judge(&question, id, clock::now())),
            Case::Drop => self.held = None,
        }
    }

    fn hold(&mut self, myself: &ActorRef<Msg>, question: &Question) {
        let (asked, end) = (question.asked, question.expires());
        let owner = myself.clone();
        let timer = Owned::spawn(async move {
            tokio::time::sleep_until(end).await;
            let _gone = owner.cast(Msg::Own(Own::Expired(asked)));
        });
        self.held = Some((asked, timer));
    }

    fn rule(&self, ruling: Ruling) {
        self.seed.tell(Input::Judged(ruling));
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
