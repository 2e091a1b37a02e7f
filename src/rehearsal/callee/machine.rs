//! Those who do not talk: an answering machine, and somebody who picks up and says nothing.

use std::time::Duration;

use super::talk::{Over, Talk};

const GREETING: &str = "Nobody can take your call. Please leave a message after the tone.";

/// From the greeting to the tone.
const BEFORE_THE_TONE: Duration = Duration::from_secs(1);
/// How long a message may pause before the machine ends the call.
const PAUSE: Duration = Duration::from_secs(10);
/// Utterances on one tape.
const MESSAGES_MAX: usize = 10;
/// How long somebody stays on the phone without a word.
const LISTENING: Duration = Duration::from_secs(90);

pub(super) async fn record(talk: &mut Talk) -> Result<(), Over> {
    talk.say(GREETING).await?;
    talk.wait_for_the_end(BEFORE_THE_TONE).await?;
    talk.beep().await?;
    for _ in 0..MESSAGES_MAX {
        if talk.hear(PAUSE).await?.is_none() {
            break;
        }
    }
    Ok(())
}

pub(super) async fn keep_silent(talk: &mut Talk) -> Result<(), Over> {
    talk.wait_for_the_end(LISTENING).await
}
