//! Somebody who speaks while the other side does, and wants to be listened to.

use std::time::Duration;

use tokio::time::Instant;

use super::talk::{Over, Talk, is_goodbye};
use crate::rehearsal::phone::Sound;

const GREETING: &str = "Hello?";
const INTERRUPTION: &str = "Wait, please. What is this about?";
const GO_ON: &str = "I see. Please go on.";
const GOODBYE: &str = "Goodbye.";

/// So much is heard of an utterance before it is interrupted.
const HEARD_FIRST: usize = 12;
/// Interruptions in a call; then the other side may finish, or the call would never end.
const INTERRUPTIONS: usize = 3;
/// Turns before enough has been said.
const TURNS_MAX: usize = 20;
/// How long nothing may be said before they hang up.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the other side has to hang up after the farewell.
const AFTER_GOODBYE: Duration = Duration::from_secs(3);

pub(super) async fn interrupt(talk: &mut Talk) -> Result<(), Over> {
    talk.say(GREETING).await?;
    let mut interrupted = 0;
    let mut turns = 0;
    let mut until = Instant::now() + PATIENCE;
    while let Some(sound) = talk.sound(until).await? {
        match sound {
            Sound::Words(words) if words.len() >= HEARD_FIRST && interrupted < INTERRUPTIONS => {
                interrupted += 1;
                if talk.say_over(INTERRUPTION).await?.is_some_and(|text| is_goodbye(&text)) {
                    break;
                }
            }
            Sound::Said { text, .. } if is_goodbye(&text) => break,
            // What was broken off by us needs no answer.
            Sound::Said { .. } if interrupted < INTERRUPTIONS => {}
            Sound::Said { .. } if turns < TURNS_MAX => {
                turns += 1;
                talk.say(GO_ON).await?;
            }
            Sound::Said { .. } => break,
            Sound::Onset | Sound::Words(_) | Sound::Key(_) | Sound::Flushed | Sound::Ended(_) => {}
        }
        until = Instant::now() + PATIENCE;
    }
    talk.say(GOODBYE).await?;
    talk.wait_for_the_end(AFTER_GOODBYE).await
}
