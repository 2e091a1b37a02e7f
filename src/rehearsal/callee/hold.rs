//! A restaurant that lets callers wait: a word, music, then a human.

use std::time::Duration;

use super::restaurant;
use super::talk::{Over, Talk};

const PLEASE_HOLD: &str = "Luigi's. Please hold the line.";
const WAITED: &str = "Thank you for waiting. Luigi's, good evening. How can I help you?";

/// Between the word and the music, and between the music and the human.
const BREATH: Duration = Duration::from_millis(1_500);
/// How long the music plays.
const MUSIC: Duration = Duration::from_secs(8);

pub(super) async fn let_wait(talk: &mut Talk) -> Result<(), Over> {
    talk.say(PLEASE_HOLD).await?;
    talk.wait_for_the_end(BREATH).await?;
    talk.play_music(MUSIC).await?;
    talk.wait_for_the_end(BREATH).await?;
    restaurant::serve_after(WAITED, talk).await
}
