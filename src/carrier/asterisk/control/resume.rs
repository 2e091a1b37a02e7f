//! What is looked up after events may have been missed: how Asterisk's channels and bridges stand,
//! against what is known of them.

use super::board::Board;
use super::live::{Live, Stage};
use crate::carrier::asterisk::names;
use crate::carrier::asterisk::rest::RestError;

impl Board {
    /// As [`super::Control::resume`] tells.
    pub(super) async fn resume(&self) -> Result<(), RestError> {
        // In this order: a call taken between the two is not taken for one that is over.
        let (lives, callers) = (self.lives.all(), self.waiting.all());
        let channels = self.rest.channels().await?;
        let state = |id: &str| channels.iter().find(|it| it.id == id).map(|it| it.state.as_str());
        for (phone, live) in &lives {
            match (state(phone), state(&names::media(phone))) {
                (None, _) if live.stage == Stage::Asked => {}
                (None, _) => self.lost(phone).await,
                _ if live.stage == Stage::Left => {}
                (Some("Up"), None) if live.is_ours() => self.connect(phone).await,
                (Some(_), Some(_)) => self.add(phone, &names::media(phone)).await,
                (Some(_), None) => {}
            }
        }
        for caller in callers.iter().filter(|caller| state(caller).is_none()) {
            self.waiting.gone(caller);
        }
        for bridge in self.rest.bridges().await? {
            let Some(phone) = names::bridged(&bridge.id) else { continue };
            if self.lives.get(phone).is_some() {
                continue;
            }
            if bridge.channels.contains(&names::human(phone)) {
                self.lives.enter(phone, Live::handed_over(phone));
            } else {
                self.clear(phone).await;
            }
        }
        Ok(())
    }
}
