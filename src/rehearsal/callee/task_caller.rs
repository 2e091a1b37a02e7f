//! Somebody who rings the task line and goes through a list of wishes.

use std::time::Duration;

use tokio::time::Instant;

use super::talk::{Over, Talk, is_goodbye};
use crate::rehearsal::phone::Sound;

const WISHES: [&str; 6] = [
    "Please add a task to buy milk.",
    "Add a task to call the bank.",
    "What is on my list?",
    "Delete the task buy milk.",
    "Yes, delete it.",
    "What is on my list now?",
];
const GOODBYE: &str = "Thank you, goodbye.";

/// How long an answer may take to begin before the wish is repeated, once.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the farewell may take to be returned.
const AFTER_GOODBYE: Duration = Duration::from_secs(4);

pub(super) async fn manage_tasks(talk: &mut Talk) -> Result<(), Over> {
    // Greeted or not: whoever rang up has something to say.
    talk.hear(PATIENCE).await?;
    for wish in WISHES {
        talk.say(wish).await?;
        if talk.hear(PATIENCE).await?.is_none() {
            talk.say(wish).await?;
            talk.hear(PATIENCE).await?;
        }
    }
    talk.say(GOODBYE).await?;
    let until = Instant::now() + AFTER_GOODBYE;
    while let Some(sound) = talk.sound(until).await? {
        if matches!(sound, Sound::Said { text, .. } if is_goodbye(&text)) {
            break;
        }
    }
    Ok(())
}
