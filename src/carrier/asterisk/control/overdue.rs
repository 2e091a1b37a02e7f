//! What has rung for as long as it may, by what was told of it: looked up once, when its time is
//! over. Whatever is lost, nothing rings for ever.

use std::sync::Arc;
use std::time::Duration;

use super::board::Board;
use super::live::Stage;
use crate::carrier::asterisk::names;

impl Board {
    /// Looks up a phone after this time.
    pub(super) fn look_up_after(self: &Arc<Self>, time: Duration, phone: &str) {
        // A server that is gone by then is not kept.
        let (board, phone) = (Arc::downgrade(self), phone.to_owned());
        drop(tokio::spawn(async move {
            tokio::time::sleep(time).await;
            if let Some(board) = board.upgrade() {
                board.overdue(&phone).await;
            }
        }));
    }

    async fn overdue(&self, phone: &str) {
        match self.lives.get(phone).map(|live| live.stage) {
            // Its call has given up. Whatever Asterisk still makes of it is removed when it comes.
            Some(Stage::Asked) => self.clear(phone).await,
            Some(Stage::PassedOn) => match self.rest.channel(&names::human(phone)).await {
                Ok(Some(human)) if human.state == "Up" => self.hand_over(phone).await,
                Ok(_) | Err(_) => self.clear(phone).await,
            },
            Some(Stage::Left | Stage::Ringing | Stage::Talking | Stage::HandedOver) | None => {}
        }
    }
}
