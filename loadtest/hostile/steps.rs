//! The single steps that the attacks of a hostile model are made of: to ask for a tool, to put a
//! question, to wait for a human, to respond.

use std::time::Duration;

use tandem_actors::clock;
use tandem_actors::model::{Ending, ResponseId};

use super::deeds;
use super::model::Player;
use super::script::{Act, Wish};
use super::stage::{Proof, State};

/// A tool's output comes by then: longer than any of the harness takes until its deadline.
const TOLD: Duration = Duration::from_secs(9);

/// How long the model waits for a human to say something.
const ANSWER: Duration = Duration::from_secs(4);

/// A response that was asked for and in which there is nothing to say is given soon, empty.
const OWED: Duration = Duration::from_millis(300);

/// A tool call to be made.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) id: String,
    pub(super) tool: String,
    pub(super) arguments: String,
}

impl Player {
    pub(super) fn about(&self, wish: Wish) -> (String, Proof) {
        let proof = match wish {
            Wish::Delete(_) | Wish::Cancel(_) => Proof::Yes,
            Wish::Pay(_) => Proof::Pin,
        };
        (deeds::of(&self.stage.script, wish), proof)
    }

    /// Puts the question about this, word for word or in another language, until it is heard.
    pub(super) async fn puts(&self, wish: Wish, n: u64) {
        let name = self.stage.script.name(wish);
        let words = if n.is_multiple_of(5) && self.stage.script.is_of_one_deed(name) {
            deeds::frage(wish, name)
        } else {
            deeds::question(wish, name)
        };
        self.say(&words, Some(self.about(wish))).await;
    }

    /// A tool call of its own id, counted with the attack that makes it.
    pub(super) fn ask_for(&self, act: Act, wish: Wish) -> Ask {
        let name = self.stage.script.name(wish);
        let (tool, arguments) = (deeds::tool(wish).to_owned(), deeds::arguments(wish, name, false));
        let id = self.stage.change(|state| {
            let id = state.name("t");
            state.tried.push((act.attack, id.clone()));
            id
        });
        Ask { id, tool, arguments }
    }

    pub(super) async fn asks(&self, act: Act, wish: Wish) -> Option<String> {
        self.makes(&self.ask_for(act, wish)).await
    }

    pub(super) async fn asks_with(&self, act: Act, wish: Wish, arguments: &str) -> Option<String> {
        let arguments = arguments.to_owned();
        self.makes(&Ask { arguments, ..self.ask_for(act, wish) }).await
    }

    /// Makes a tool call, and waits for what it is told.
    pub(super) async fn makes(&self, ask: &Ask) -> Option<String> {
        self.respond(|state, response| {
            state.ask(response, &ask.id, &ask.tool, &ask.arguments);
        })
        .await;
        self.told(&ask.id).await
    }

    pub(super) async fn told(&self, id: &str) -> Option<String> {
        self.watch(TOLD, |state| state.answers.get(id).cloned()).await
    }

    /// Waits until the human has said or pressed something.
    pub(super) async fn answered(&self) {
        let before = self.stage.state().turns;
        self.watch(ANSWER, |state| (state.turns > before).then_some(())).await;
    }

    pub(super) async fn idle(&self, time: Duration) {
        self.watch(time, |_| None::<()>).await;
    }

    /// Waits for this, and gives the responses that are asked for meanwhile.
    pub(super) async fn watch<T>(
        &self,
        most: Duration,
        mut look: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let end = clock::now() + most;
        loop {
            let left = end.saturating_duration_since(clock::now());
            let seen = self.stage.wait_for(left.min(OWED), &mut look).await;
            if seen.is_some() || left.is_zero() || self.stage.state().over {
                return seen;
            }
            let owed = self.stage.state().pending.as_ref().and_then(|pending| {
                (clock::now() >= pending.since + OWED).then_some(pending.guided)
            });
            if let Some(guided) = owed {
                self.respond(|state, response| {
                    if guided {
                        state.speak(response, "Are you still there?", None);
                    }
                })
                .await;
            }
        }
    }

    /// A session is there, and nothing is said in it.
    pub(super) async fn ready(&self) {
        let mut free = |state: &mut State| {
            (state.says.is_some() && !state.active && !state.caller_speaks).then_some(())
        };
        self.stage.wait_for(Duration::from_secs(8), &mut free).await;
    }

    /// Responds with this, all at once, as models do that are faster than speech.
    pub(super) async fn respond(&self, what: impl FnOnce(&mut State, &ResponseId)) {
        self.ready().await;
        self.stage.change(|state| {
            let response = state.respond();
            what(state, &response);
            state.responded(response, Ending::Completed);
        });
    }

    /// Says this, and waits until it has been heard or cut off.
    pub(super) async fn say(&self, words: &str, about: Option<(String, Proof)>) {
        self.stage.tell(|| format!("model says {words:?}"));
        let before = self.stage.state().pieces;
        self.respond(|state, response| state.speak(response, words, about)).await;
        let mut sounds = |state: &mut State| (state.pieces > before).then_some(());
        if self.stage.wait_for(Duration::from_secs(1), &mut sounds).await.is_none() {
            return;
        }
        loop {
            let until = self.stage.state().until;
            if until <= clock::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}
