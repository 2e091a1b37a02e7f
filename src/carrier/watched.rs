//! A carrier with an eye on what becomes of its orders. Changes none of them.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use tandem_actors::briefing::{Outcome, Text};
use tandem_actors::carrier::{Carrier, CarrierCallId, CarrierError, Dial, Digit, Number, Standing};

use crate::standing;

/// A carrier that is watched.
pub struct Watched {
    carrier: Arc<dyn Carrier>,
    seen: Arc<standing::Standing>,
}

type Answer<T> = BoxFuture<'static, Result<T, CarrierError>>;

impl Watched {
    /// This carrier; `seen` is told how it does.
    #[must_use]
    pub fn new(carrier: Arc<dyn Carrier>, seen: Arc<standing::Standing>) -> Self {
        Self { carrier, seen }
    }

    fn watch<T: Send + 'static>(&self, answer: Answer<T>) -> Answer<T> {
        let seen = Arc::clone(&self.seen);
        Box::pin(async move {
            let answer = answer.await;
            match &answer {
                Ok(_) => seen.worked(),
                Err(CarrierError::Unknown(why)) => seen.failed(why),
                // Of one call, or not asked of it at all.
                Err(CarrierError::Refused(_) | CarrierError::NotOffered(_)) => {}
            }
            answer
        })
    }
}

/// Whether a refusal to ring somebody is about them, or about us.
const fn is_about_them(outcome: Outcome) -> bool {
    match outcome {
        Outcome::NetworkError | Outcome::SystemError | Outcome::Failed => false,
        Outcome::Answered
        | Outcome::NoAnswer
        | Outcome::Busy
        | Outcome::Rejected
        | Outcome::InvalidNumber
        | Outcome::Unreachable
        | Outcome::Cancelled => true,
    }
}

impl Carrier for Watched {
    fn place(&self, dial: Dial) -> Answer<CarrierCallId> {
        let (seen, answer) = (Arc::clone(&self.seen), self.watch(self.carrier.place(dial)));
        Box::pin(async move {
            let answer = answer.await;
            if let Err(CarrierError::Refused(outcome)) = &answer {
                match is_about_them(*outcome) {
                    true => seen.worked(),
                    false => seen.refused(outcome.word()),
                }
            }
            answer
        })
    }

    fn find(&self, dial: Dial, ordered: SystemTime) -> Answer<Option<CarrierCallId>> {
        self.watch(self.carrier.find(dial, ordered))
    }

    fn look(&self, call: CarrierCallId) -> Answer<Standing> {
        self.watch(self.carrier.look(call))
    }

    fn reconnects(&self) -> bool {
        self.carrier.reconnects()
    }

    fn reconnect(&self, call: CarrierCallId, dial: Dial) -> Answer<()> {
        self.watch(self.carrier.reconnect(call, dial))
    }

    fn hang_up(&self, call: CarrierCallId) -> Answer<()> {
        self.watch(self.carrier.hang_up(call))
    }

    fn press(&self, call: CarrierCallId, keys: Vec<Digit>) -> Answer<()> {
        self.watch(self.carrier.press(call, keys))
    }

    fn invite(&self, call: CarrierCallId, who: Number) -> Answer<()> {
        self.watch(self.carrier.invite(call, who))
    }

    fn leave(&self, call: CarrierCallId) -> Answer<()> {
        self.watch(self.carrier.leave(call))
    }

    fn transfer(&self, call: CarrierCallId, to: Number, introduction: Text) -> Answer<()> {
        self.watch(self.carrier.transfer(call, to, introduction))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::State;

    /// Answers an order to hang up, and one to ring, in turn.
    struct Says(Result<(), CarrierError>);

    impl Carrier for Says {
        fn place(&self, _: Dial) -> Answer<CarrierCallId> {
            let answer = self.0.clone().map(|()| CarrierCallId("c".into()));
            Box::pin(std::future::ready(answer))
        }

        fn hang_up(&self, _: CarrierCallId) -> Answer<()> {
            Box::pin(std::future::ready(self.0.clone()))
        }
    }

    async fn hung_up(answer: Result<(), CarrierError>, seen: &Arc<standing::Standing>) -> State {
        let watched = Watched::new(Arc::new(Says(answer)), Arc::clone(seen));
        let _answer = watched.hang_up(CarrierCallId("c".into())).await;
        seen.seen().state
    }

    #[tokio::test]
    async fn what_was_last_asked_tells_how_it_does() {
        let seen = Arc::default();
        let refused = CarrierError::Refused(Outcome::Failed);
        assert_eq!(hung_up(Err(CarrierError::NotOffered("that")), &seen).await, State::NotAsked);
        assert_eq!(hung_up(Ok(()), &seen).await, State::Works);
        assert_eq!(hung_up(Err(refused), &seen).await, State::Works, "that is of one call");
        let unknown = CarrierError::Unknown("no answer".to_owned());
        assert_eq!(hung_up(Err(unknown), &seen).await, State::Fails);
        assert_eq!(seen.seen().why.as_deref(), Some("no answer"));
        assert!(is_about_them(Outcome::InvalidNumber) && !is_about_them(Outcome::SystemError));
    }
}
