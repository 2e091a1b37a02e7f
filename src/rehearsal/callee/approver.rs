//! Somebody who is asked to approve something, and does or does not.

use std::time::Duration;

use super::talk::{Over, Talk, is_goodbye};

/// How long they listen to nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long they leave it to the other side to hang up.
const AFTER: Duration = Duration::from_secs(5);

/// Turns before they have had enough.
const TURNS_MAX: usize = 8;

/// From the question to the first key: they have to look at the phone.
const LOOK: Duration = Duration::from_secs(1);

/// How they answer.
#[derive(Clone, Copy)]
pub(super) enum By {
    Words(&'static str),
    Keys(&'static str),
}

pub(super) async fn decide(by: By, talk: &mut Talk) -> Result<(), Over> {
    talk.say("Hello?").await?;
    for _ in 0..TURNS_MAX {
        let Some(heard) = talk.hear(PATIENCE).await? else { break };
        if is_goodbye(&heard) {
            break;
        }
        let asked = heard.to_lowercase().contains("do you accept");
        match by {
            By::Words(words) if asked => talk.say(words).await?,
            By::Keys(keys) if asked => {
                tokio::time::sleep(LOOK).await;
                talk.press(keys).await;
            }
            By::Words(_) | By::Keys(_) => talk.say("Yes?").await?,
        }
    }
    talk.wait_for_the_end(AFTER).await
}
