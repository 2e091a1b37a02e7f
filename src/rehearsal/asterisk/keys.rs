//! Keys that sound at a phone by order, one after the other. Facts: `sendDTMF` in Asterisk's
//! `rest-api/api-docs/channels.json`: 100 ms for each key, 100 ms between two.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::sleep;

use super::Pbx;
use super::channels::Refused;

/// Keys that wait for their turn: one order of ours has at most 32.
pub(super) const WAITING: usize = 64;

const TONE: Duration = Duration::from_millis(100);
const BETWEEN: Duration = Duration::from_millis(100);

impl Pbx {
    /// Lets these keys sound at a phone. A phone that nobody has at their ear takes them too.
    pub(super) fn press(&self, id: &str, keys: &str) -> Result<(), Refused> {
        let mut hall = self.hall();
        let channel = hall.channels.get(id).ok_or(404_u16)?;
        if !channel.is_ours {
            return Err(409);
        }
        if channel.state != "Up" {
            return Err(412);
        }
        // What is no key makes no sound, and is not refused.
        let keys: String = keys.chars().filter(|key| "0123456789*#ABCD".contains(*key)).collect();
        if let Some(keypad) = &channel.keypad {
            for key in keys.chars() {
                // Whoever has hung up hears none.
                let _heard = keypad.try_send(key);
            }
        }
        hall.keys.push_str(&keys);
        Ok(())
    }
}

/// Sounds each ordered key for its time; whoever is on the phone knows it when it is over.
pub(super) async fn sound(mut ordered: Receiver<char>, ear: Sender<char>) {
    while let Some(key) = ordered.recv().await {
        sleep(TONE).await;
        if ear.send(key).await.is_err() {
            break;
        }
        sleep(BETWEEN).await;
    }
    // The talk goes on without keys.
    std::future::pending::<()>().await;
}
