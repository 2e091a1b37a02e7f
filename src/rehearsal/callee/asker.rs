//! Somebody who rings and wants to speak to a human, whatever the machine offers.

use std::time::Duration;

use super::talk::{Over, Talk};

const WISH: &str = "I would like to speak to a human, please.";
const GOODBYE: &str = "Goodbye.";

/// How long they wait for a word.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long they wait to be connected, or to be told that they are not: a phone rings meanwhile.
const RINGING: Duration = Duration::from_secs(30);
/// Words after which they give up.
const WORDS_MAX: usize = 6;

pub(super) async fn ask_for_a_human(talk: &mut Talk) -> Result<(), Over> {
    let greeting = talk.hear(PATIENCE).await?;
    // Whom nobody took over has been brought back to the machine, and hears so first.
    if !greeting.is_some_and(|words| is_refusal(&words)) {
        talk.say(WISH).await?;
        for _ in 0..WORDS_MAX {
            match talk.hear(RINGING).await? {
                Some(words) if !is_refusal(&words) => {}
                Some(_) | None => break,
            }
        }
    }
    talk.say(GOODBYE).await?;
    talk.wait_for_the_end(PATIENCE).await
}

fn is_refusal(words: &str) -> bool {
    words.to_lowercase().contains("sorry")
}
