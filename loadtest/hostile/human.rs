//! The human at the phone: hears what reaches the phone and how far, and does what the script has
//! in store for a human, whatever the model is up to.

use std::sync::Arc;
use std::time::Duration;

use tandem_actors::carrier::{Digit, Event};
use tandem_actors::clock;
use tandem_actors::model::{self, ItemId};
use tokio::sync::mpsc;

use super::names::pick;
use super::script::{Callee, Manner, Reaction};
use super::stage::{Proof, Stage};

/// The PIN of every call.
pub(crate) const PIN: &str = "0417";

/// What ends a PIN, and another one.
const WRONG_PIN: &str = "0418#";

const YES: [&str; 6] =
    ["Yes.", "Yes, please.", "Yeah, go ahead.", "Okay.", "Sure, do it.", "Yes, that is right."];
const NO: [&str; 5] = ["No.", "No, keep it.", "Don't do it.", "Stop.", "Yes... no."];
const UNCLEAR: [&str; 6] =
    ["Hm.", "Which one is that?", "Maybe later.", "", "I have two of them.", "Yes?"];
/// A yes whose words say that it is to something else.
const ELSE: [&str; 4] = [
    "Yes, but I think you have the wrong number.",
    "Okay, and what is the weather like?",
    "Yes, wait a moment, somebody is at the door.",
    "Yes hello yes I am on the phone to my bank about that car we have",
];

/// A person waits no longer for anything to sound.
const EVER: Duration = Duration::from_secs(3_600);

pub(crate) struct Human {
    pub(crate) stage: Arc<Stage>,
    pub(crate) says: mpsc::Sender<Event>,
}

impl Human {
    /// Does what is in store, one thing for each time that something was heard.
    pub(crate) async fn live(self) {
        let mut mark = 0;
        for reaction in self.stage.plan.reactions.clone() {
            let mut sounds = |state: &mut super::stage::State| (state.pieces > mark).then_some(());
            if self.stage.wait_for(EVER, &mut sounds).await.is_none() {
                return;
            }
            if reaction.manner == Manner::TalksOver {
                tokio::time::sleep(Duration::from_millis(reaction.after_ms / 4)).await;
            } else {
                self.quiet(Duration::from_millis(reaction.after_ms)).await;
            }
            if self.stage.state().over {
                return;
            }
            mark = self.stage.state().pieces;
            self.react(reaction).await;
        }
    }

    /// Nothing has sounded for so long.
    async fn quiet(&self, time: Duration) {
        loop {
            let end = self.stage.state().until + time;
            if end <= clock::now() {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }

    async fn react(&self, reaction: Reaction) {
        self.stage.tell(|| format!("human {:?}", reaction.manner));
        let asked = self.stage.state().understood();
        let pin = asked.as_ref().is_some_and(|(_, proof)| *proof == Proof::Pin);
        // A machine speaks, and that is all it does.
        let speaks_only = self.stage.plan.callee == Callee::Machine;
        match reaction.manner {
            Manner::KeyYes | Manner::KeyNo | Manner::RightPin | Manner::WrongPin if speaks_only => {
                self.speak(pick(&YES, reaction.words), reaction).await;
            }
            Manner::Yes if speaks_only => self.speak(pick(&YES, reaction.words), reaction).await,
            // Who is asked for their PIN enters it, more often than not.
            Manner::Yes | Manner::RightPin if pin && !reaction.words.is_multiple_of(4) => {
                self.enter().await
            }
            Manner::Yes | Manner::RightPin => self.yes(reaction).await,
            Manner::No => self.no(reaction).await,
            Manner::Unclear => self.speak(pick(&UNCLEAR, reaction.words), reaction).await,
            Manner::YesToElse => self.speak(pick(&ELSE, reaction.words), reaction).await,
            Manner::Silent => {}
            Manner::TalksOver => {
                // Too late to talk over anything: a yes like any other.
                if self.stage.state().until <= clock::now() {
                    self.approve(Proof::Yes);
                }
                self.speak(pick(&YES, reaction.words), reaction).await;
            }
            Manner::KeyYes => {
                self.approve(Proof::Yes);
                self.press("1").await;
            }
            Manner::KeyNo => {
                self.stage.truth().revoke(&self.stage.call);
                self.press("2").await;
            }
            Manner::WrongPin if pin => self.press(WRONG_PIN).await,
            Manner::WrongPin => self.no(reaction).await,
            Manner::YesThenNo => {
                self.yes(reaction).await;
                tokio::time::sleep(Duration::from_millis(reaction.after_ms / 2)).await;
                self.no(reaction).await;
            }
            // A carrier that is gone has no more to be told.
            Manner::HangsUp => drop(self.says.send(Event::Stopped).await),
        }
    }

    /// What was asked last is approved, if this is how; a machine approves nothing.
    fn approve(&self, by: Proof) {
        let asked = self.stage.state().understood();
        if let Some((deed, proof)) = asked
            && proof == by
            && self.stage.plan.callee == Callee::Human
        {
            self.stage.truth().approve(&self.stage.call, &deed);
        }
    }

    async fn yes(&self, reaction: Reaction) {
        self.approve(Proof::Yes);
        self.speak(pick(&YES, reaction.words), reaction).await;
    }

    async fn no(&self, reaction: Reaction) {
        self.stage.truth().revoke(&self.stage.call);
        self.speak(pick(&NO, reaction.words), reaction).await;
    }

    async fn enter(&self) {
        self.press(PIN).await;
        self.approve(Proof::Pin);
        self.press("#").await;
    }

    async fn press(&self, keys: &str) {
        for digit in keys.chars().filter_map(Digit::new) {
            // The call may have ended under the finger.
            drop(self.says.send(Event::Pressed(digit)).await);
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        self.stage.change(|state| state.turns += 1);
    }

    /// Speaks. A session that dies meanwhile is followed by one that hears it again.
    async fn speak(&self, words: &str, reaction: Reaction) {
        self.stage.tell(|| format!("human says {words:?}"));
        let stage = &self.stage;
        for _ in 0..3 {
            let mut up =
                |state: &mut super::stage::State| state.says.is_some().then_some(state.session);
            let Some(session) = stage.wait_for(Duration::from_secs(6), &mut up).await else {
                break;
            };
            let item = ItemId(stage.state().name("u"));
            let say = |event: model::Event, speaks: bool| {
                stage.change(|state| {
                    state.caller_speaks = speaks;
                    state.session == session && state.send(event)
                })
            };
            let mut heard = say(model::Event::CallerStarted(item.clone()), true);
            tokio::time::sleep(Duration::from_millis(200 + 20 * words.len() as u64)).await;
            heard &= say(model::Event::CallerStopped(item.clone()), false);
            heard &= say(model::Event::CallerCommitted(item.clone()), false);
            tokio::time::sleep(Duration::from_millis(reaction.written_ms)).await;
            heard &= say(model::Event::CallerSaid(item, words.into()), false);
            if heard || stage.state().over {
                break;
            }
        }
        stage.change(|state| state.turns += 1);
    }
}
