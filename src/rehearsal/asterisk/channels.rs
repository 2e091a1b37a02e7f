//! What happens to channels: they ring, are answered, come together in bridges, talk, and go.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tandem_actors::carrier::Number;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{BYE, Channel, Kind, NORMAL, Pbx, cause, keys};
use crate::rehearsal::callee::{self, Answer};
use crate::rehearsal::phone::{Bridged, Dialect, Dialled};

/// Why an order is refused: an HTTP status.
pub(super) type Refused = u16;

/// A person on a phone that is connected with us.
struct Talk {
    phone: String,
    media: String,
    person: Number,
    /// Keys that are to sound there.
    keys: mpsc::Receiver<char>,
}

impl Pbx {
    /// Rings somebody into our application.
    pub(super) fn ring(
        self: &Arc<Self>,
        id: &str,
        endpoint: &str,
        ringing: Duration,
    ) -> Result<Value, Refused> {
        let number = endpoint.strip_prefix("PJSIP/").and_then(|rest| rest.strip_suffix("@trunk"));
        // Whom it does not know it has no channel for.
        let number = number.ok_or(500_u16)?;
        let person = Number::new(number);
        let kind = Kind::Phone { person: person.clone(), rang: String::new() };
        let hang_up = self.enter(id, kind, "Ringing", false)?;
        let (pbx, id) = (Arc::clone(self), id.to_owned());
        let shown = self.shown(&id);
        drop(tokio::spawn(async move {
            let answer = tokio::select! {
                answer = callee::ring(&person) => answer,
                () = tokio::time::sleep(ringing) => return pbx.destroy(&id, 0),
                () = hang_up.cancelled() => return,
            };
            match answer {
                Answer::PicksUp => pbx.come(&id, "Up"),
                Answer::Refuses(outcome) => pbx.destroy(&id, cause(outcome)),
            }
        }));
        Ok(shown)
    }

    /// The dialplan's `Stasis(tandem)`.
    pub(super) fn ring_in(&self, from: &str, to: &str) {
        let id = format!("{}.1", Uuid::now_v7().simple());
        let kind = Kind::Phone { person: Number::new(from), rang: to.to_owned() };
        if self.enter(&id, kind, "Ring", false).is_ok() {
            self.come(&id, "Ring");
        }
    }

    /// The dialplan's `Dial(WebSocket/tandem/c(slin24)f(json))`, with the variables set before.
    pub(super) fn dial_in(self: &Arc<Self>, from: &str, to: &str) {
        let id = format!("{}.1", Uuid::now_v7().simple());
        let person = Number::new(from);
        let kind = Kind::Phone { person: person.clone(), rang: to.to_owned() };
        let Ok(hang_up) = self.enter(&id, kind, "Ring", false) else { return };
        // Inherited from the caller's channel, under the names that the dialplan gave them.
        let variables = [("__TANDEM_FROM", from), ("__TANDEM_TO", to), ("__TANDEM_CHANNEL", &id)];
        let line = Dialled {
            url: self.media(),
            dialect: Dialect::Asterisk24k,
            carrier_call: format!("{id}.media"),
            parameters: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            token: None,
            bridged: None,
        };
        let pbx = Arc::clone(self);
        drop(tokio::spawn(async move {
            let (_keypad, keys) = mpsc::channel(1);
            let report = callee::converse(line, &person, hang_up, keys).await;
            // However it ended, the dialplan goes on to its `Hangup()`.
            pbx.destroy(&id, NORMAL);
            // Nobody may be interested in so many of them.
            let _kept = pbx.reports.try_send(report);
        }));
    }

    /// Makes a media channel; it dials us when it is bridged with a phone.
    pub(super) fn external(
        &self,
        id: &str,
        format: &str,
        variables: &Value,
    ) -> Result<(), Refused> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let variables = variables.as_object().into_iter().flatten();
        let variables = variables.map(|(name, value)| (name.clone(), text(value))).collect();
        let kind = Kind::Media { format: format.to_owned(), variables, is_connected: false };
        self.enter(id, kind, "Up", false)?;
        self.come(id, "Up");
        Ok(())
    }

    /// Puts a channel into a bridge. A phone and a media channel that meet begin to talk.
    pub(super) fn join(self: &Arc<Self>, bridge: &str, channel: &str) -> Result<(), Refused> {
        let mut hall = self.hall();
        let is_ours = hall.channels.get(channel).ok_or(400_u16)?.is_ours;
        let members = hall.bridges.get_mut(bridge).ok_or(404_u16)?;
        if !is_ours {
            return Err(409);
        }
        members.insert(channel.to_owned());
        let members: Vec<String> = members.iter().cloned().collect();
        drop(hall);
        self.connect(&members);
        self.changed();
        Ok(())
    }

    fn connect(self: &Arc<Self>, members: &[String]) {
        let mut hall = self.hall();
        let phone = members.iter().find_map(|id| match hall.channels.get(id) {
            Some(Channel { kind: Kind::Phone { person, .. }, hang_up, .. }) => {
                Some((id.clone(), person.clone(), hang_up.clone()))
            }
            _ => None,
        });
        let Some((phone, person, gone)) = phone else { return };
        for id in members {
            let Some(Channel {
                kind: Kind::Media { format, variables, is_connected },
                hang_up,
                ..
            }) = hall.channels.get_mut(id)
            else {
                continue;
            };
            if std::mem::replace(is_connected, true) {
                continue;
            }
            let line = Dialled {
                url: self.media(),
                dialect: if format == "ulaw" { Dialect::Asterisk8k } else { Dialect::Asterisk24k },
                carrier_call: id.clone(),
                parameters: variables.clone(),
                token: None,
                bridged: Some(Bridged {
                    hung_up: CancellationToken::new(),
                    removed: hang_up.clone(),
                }),
            };
            let leaves = [gone.clone(), hang_up.clone()];
            let (keypad, keys) = mpsc::channel(keys::WAITING);
            if let Some(channel) = hall.channels.get_mut(&phone) {
                channel.keypad = Some(keypad);
            }
            let talk =
                Talk { phone: phone.clone(), media: id.clone(), person: person.clone(), keys };
            drop(tokio::spawn(Arc::clone(self).talk(talk, line, leaves)));
        }
    }

    /// A person talks on a phone through a media channel until one of the two goes.
    async fn talk(
        self: Arc<Self>,
        Talk { phone, media, person, keys }: Talk,
        line: Dialled,
        [phone_gone, media_gone]: [CancellationToken; 2],
    ) {
        let hang_up = CancellationToken::new();
        let ended = async {
            tokio::select! {
                () = phone_gone.cancelled() => {}
                () = media_gone.cancelled() => {}
            }
            hang_up.cancel();
            std::future::pending::<()>().await;
        };
        let hung_up = line.bridged.as_ref().map(|bridged| bridged.hung_up.clone());
        // The media channel is alone in its bridge then, and stays until it is removed.
        let left = async {
            if let Some(hung_up) = hung_up {
                hung_up.cancelled().await;
            }
            if !media_gone.is_cancelled() {
                self.destroy(&phone, BYE);
            }
            std::future::pending::<()>().await;
        };
        let (sounding, heard) = mpsc::channel(1);
        let report = tokio::select! {
            report = callee::converse(line, &person, hang_up.clone(), heard) => report,
            () = keys::sound(keys, sounding) => return,
            () = ended => return,
            () = left => return,
        };
        // When the other side closed its socket the phone stays.
        self.destroy(&media, NORMAL);
        // Nobody may be interested in so many of them.
        let _kept = self.reports.try_send(report);
    }

    /// A channel comes into our application; without anybody there it is hung up.
    fn come(&self, id: &str, state: &'static str) {
        if self.events.receiver_count() == 0 {
            return self.destroy(id, NORMAL);
        }
        {
            let mut hall = self.hall();
            let Some(channel) = hall.channels.get_mut(id) else { return };
            (channel.state, channel.is_ours) = (state, true);
        }
        let channel = self.shown(id);
        self.say(&json!({ "type": "StasisStart", "application": "tandem", "args": [],
            "channel": channel }));
        self.changed();
    }

    /// A channel is gone, from its bridge too.
    pub(super) fn destroy(&self, id: &str, cause: u32) {
        let shown = self.shown(id);
        let removed = {
            let mut hall = self.hall();
            for members in hall.bridges.values_mut() {
                members.remove(id);
            }
            hall.channels.remove(id)
        };
        let Some(channel) = removed else { return };
        channel.hang_up.cancel();
        if channel.is_ours {
            self.say(&json!({ "type": "StasisEnd", "application": "tandem", "channel": shown }));
        }
        // Those that the dialplan sends to an application it is told no more of.
        if !channel.kind.rang() {
            self.say(&json!({ "type": "ChannelDestroyed", "application": "tandem",
                "cause": cause, "cause_txt": "", "channel": shown }));
        }
        self.changed();
    }

    fn enter(
        &self,
        id: &str,
        kind: Kind,
        state: &'static str,
        is_ours: bool,
    ) -> Result<CancellationToken, Refused> {
        let hang_up = CancellationToken::new();
        let mut hall = self.hall();
        if hall.channels.contains_key(id) {
            return Err(409);
        }
        let channel = Channel { kind, state, is_ours, hang_up: hang_up.clone(), keypad: None };
        hall.channels.insert(id.to_owned(), channel);
        drop(hall);
        self.changed();
        Ok(hang_up)
    }

    pub(super) fn shown(&self, id: &str) -> Value {
        self.hall().channels.get(id).map_or(Value::Null, |channel| channel.shown(id))
    }

    /// Nobody may be listening.
    fn say(&self, event: &Value) {
        if !self.is_mute.load(Ordering::SeqCst) {
            let _listeners = self.events.send(event.to_string());
        }
    }

    fn media(&self) -> String {
        self.media.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
