//! Somebody who rings us with a telephone of their own and says what the story wants.

use std::sync::Arc;

use serde_json::Value;
use tandem::config::Dialect;
use tandem::reception::Ringing;
use tandem::rehearsal::phone::{self, Dialled, Ending, Phone, PhoneAccount, Probe, Sound, Spoken};
use tandem::rehearsal::speech::Voice;
use tandem::store::Archive;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{CarrierCallId, Number};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use crate::stage::{STORY, Stage};

pub(crate) const GREETING: &str = "Hello, this is your task line. What can I do for you?";

pub(crate) struct Caller {
    pub(crate) call: CallId,
    phone: Phone,
    sounds: Receiver<Sound>,
}

impl Caller {
    /// Rings the task line.
    pub(crate) async fn rings(stage: &Stage) -> Self {
        Self::rings_about(stage, None).await
    }

    /// Rings about something else.
    pub(crate) async fn rings_about(stage: &Stage, task: Option<&str>) -> Self {
        let (from, to) = (Number::new("+15550112"), Number::new("+15550199"));
        let ringing = Ringing { from, to, dialect: Dialect::Acs24k };
        let desk = &stage.server.desk;
        let made = match task {
            Some(task) => desk.reception.take_for(ringing, Text::from(task)).await,
            None => desk.reception.take(ringing).await,
        };
        let made = made.unwrap();
        let name = format!("rehearsal-{}", made.call);
        desk.exchange.tell(&made.call, Input::Placed(CarrierCallId(name.clone())));
        let line = Dialled {
            url: made.addresses.media,
            dialect: phone::Dialect::Acs24k,
            carrier_call: name,
            parameters: Vec::new(),
            token: None,
            bridged: None,
        };
        Self::on(made.call, line).await
    }

    /// Somebody with this line of a call.
    pub(crate) async fn on(call: CallId, line: Dialled) -> Self {
        let dialled = Phone::connect(line, Voice::callee(), Arc::new(Probe::silent())).await;
        let (phone, sounds) = dialled.unwrap();
        Self { call, phone, sounds }
    }

    pub(crate) async fn says(&self, words: &str) {
        assert_eq!(self.phone.say(words).await, Spoken::Whole, "{words}");
    }

    /// Presses these keys.
    pub(crate) async fn enters(&self, keys: &str) {
        for key in keys.chars() {
            self.phone.press(key).await;
        }
    }

    /// The next that is said to its end.
    pub(crate) async fn hears(&mut self) -> String {
        loop {
            match self.sound().await {
                Sound::Said { text, .. } => return text,
                Sound::Ended(ending) => panic!("the line is over: {ending:?}"),
                _ => {}
            }
        }
    }

    pub(crate) async fn asks(&mut self, words: &str) -> String {
        self.says(words).await;
        self.hears().await
    }

    /// Waits until so much of something is heard.
    pub(crate) async fn hears_begin(&mut self, words: &str) {
        loop {
            match self.sound().await {
                Sound::Words(heard) if heard.starts_with(words) => return,
                Sound::Said { text, .. } => assert!(!text.starts_with(words), "missed the middle"),
                Sound::Ended(ending) => panic!("the line is over: {ending:?}"),
                _ => {}
            }
        }
    }

    async fn sound(&mut self) -> Sound {
        let sound = timeout(STORY, self.sounds.recv()).await;
        sound.expect("something is heard in time").expect("the phone tells its end")
    }

    /// Stays on the line until it is over; how it ended.
    pub(crate) async fn until_left(mut self) -> Ending {
        loop {
            if let Sound::Ended(ending) = self.sound().await {
                return ending;
            }
        }
    }

    /// Hangs up; what happened on the line.
    pub(crate) async fn hangs_up(self) -> PhoneAccount {
        self.phone.hang_up().await
    }
}

/// The events of a call that are of this kind, each by the words at `keys`.
pub(crate) async fn told(
    stage: &Stage,
    call: &CallId,
    kinds: &[&str],
    keys: &[&str],
) -> Vec<String> {
    let store = stage.server.desk.store.clone();
    store.flush().await.unwrap();
    let events = store.events(call, 0).await.unwrap();
    let of_kind = events.iter().filter(|event| kinds.contains(&event.kind.as_str()));
    of_kind
        .map(|event| {
            let body: Value = serde_json::from_str(event.body.as_str()).unwrap();
            let words = keys.iter().filter_map(|key| body[key].as_str());
            std::iter::once(event.kind.as_str()).chain(words).collect::<Vec<_>>().join(" ")
        })
        .collect()
}
