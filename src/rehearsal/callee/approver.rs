//! Somebody who is asked to approve something, and does or does not.

use std::time::Duration;

use super::talk::{Over, Talk, is_goodbye};

/// How long they listen to nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long they leave it to the other side to hang up.
const AFTER: Duration = Duration::from_secs(5);

/// Turns before they have had enough.
const TURNS_MAX: usize = 8;

pub(super) async fn decide(words: &str, talk: &mut Talk) -> Result<(), Over> {
    talk.say("Hello?").await?;
    for _ in 0..TURNS_MAX {
        let Some(heard) = talk.hear(PATIENCE).await? else { break };
        if is_goodbye(&heard) {
            break;
        }
        let asked = heard.to_lowercase().contains("do you accept");
        talk.say(if asked { words } else { "Yes?" }).await?;
    }
    talk.wait_for_the_end(AFTER).await
}
