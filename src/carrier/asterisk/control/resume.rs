//! What is looked up after events may have been missed: how Asterisk's channels and bridges stand,
//! against what is known of them.

use super::board::{Board, UNSEEN};
use super::live::{Human, Live, Stage};
use crate::carrier::asterisk::ari::{Bridge, Channel};
use crate::carrier::asterisk::names;
use crate::carrier::asterisk::rest::RestError;

/// Every channel there is.
struct Seen(Vec<Channel>);

impl Seen {
    fn state(&self, channel: &str) -> Option<&str> {
        self.0.iter().find(|it| it.id == channel).map(|it| it.state.as_str())
    }
}

impl Board {
    /// As [`super::Control::resume`] tells.
    pub(super) async fn resume(&self) -> Result<(), RestError> {
        // In this order: what comes between the two is not taken for what is over.
        let (lives, callers) = (self.lives.to_look_up(), self.waiting.all());
        let seen = Seen(self.rest.channels().await?);
        for (phone, live) in &lives {
            self.look_for(phone, live, &seen).await;
        }
        for caller in callers.iter().filter(|caller| seen.state(caller).is_none()) {
            self.waiting.gone(caller);
        }
        for bridge in self.rest.bridges().await? {
            self.look_at(&bridge).await;
        }
        // What no call has: an order that was given up may have been carried out late.
        for phone in seen.0.iter().filter_map(|channel| names::owner(&channel.id)) {
            if self.lives.get(phone).is_none() {
                self.clear(phone).await;
            }
        }
        Ok(())
    }

    /// Looks once more for a call of which something was asked for when it was looked.
    pub(super) async fn look_again(&self, phone: &str) {
        let Some(live) = self.lives.get(phone) else { return };
        match self.rest.channels().await {
            Ok(channels) => self.look_for(phone, &live, &Seen(channels)).await,
            Err(error) => tracing::debug!(%error, "not looked up; events that come back do it"),
        }
    }

    async fn look_for(&self, phone: &str, live: &Live, seen: &Seen) {
        match seen.state(phone) {
            None if live.stage == Stage::Asked => {}
            None => self.lost(phone).await,
            Some(_) if live.stage == Stage::Left => {}
            Some(state) => {
                self.look_for_human(phone, live, seen).await;
                self.look_for_media(phone, state, seen).await;
            }
        }
    }

    /// Does what would have been done about a human who has picked up, or is gone.
    async fn look_for_human(&self, phone: &str, live: &Live, seen: &Seen) {
        match seen.state(&names::human(phone)) {
            Some("Up") => self.hand_over(phone).await,
            None if live.human == Human::Rung => self.human_gone(phone, UNSEEN).await,
            Some(_) | None => {}
        }
    }

    /// A phone that is answered has its media, unless a human has it.
    async fn look_for_media(&self, phone: &str, state: &str, seen: &Seen) {
        if !self.lives.get(phone).is_some_and(|live| live.is_ours()) {
            return;
        }
        let media = names::media(phone);
        match (state, seen.state(&media)) {
            (_, Some(_)) => self.add(phone, &media).await,
            ("Up", None) => self.connect(phone).await,
            (_, None) => {}
        }
    }

    /// What an earlier run left is removed, unless two humans talk there.
    async fn look_at(&self, bridge: &Bridge) {
        let Some(phone) = names::bridged(&bridge.id) else { return };
        if self.lives.get(phone).is_some() {
            return;
        }
        let is_there = |channel: &str| bridge.channels.iter().any(|it| it == channel);
        if is_there(phone) && is_there(&names::human(phone)) {
            self.lives.enter(phone, Live::handed_over(phone));
        } else {
            self.clear(phone).await;
        }
    }
}
