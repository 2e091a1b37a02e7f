//! Luigi's: takes a reservation from whoever asks for a table.

use std::time::Duration;

use super::talk::{Over, Talk, is_goodbye};

const GREETING: &str = "Luigi's, good evening.";
const STILL_THERE: &str = "Hello? Are you still there?";
const GOODBYE: &str = "Goodbye.";

/// How long nothing may be said before Luigi asks.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often he asks before he hangs up.
const ASKS_MAX: usize = 3;
/// How long he leaves it to the caller to hang up after the farewell.
const AFTER_GOODBYE: Duration = Duration::from_secs(3);
/// Turns before he has had enough: a reservation takes four.
const TURNS_MAX: usize = 40;

pub(super) async fn serve(talk: &mut Talk) -> Result<(), Over> {
    serve_after(GREETING, talk).await
}

/// Serves after these first words.
pub(super) async fn serve_after(words: &str, talk: &mut Talk) -> Result<(), Over> {
    serve_with(words, reply, talk).await
}

/// Serves with a greeting and answers of one's own.
pub(super) async fn serve_with(
    greeting: &str,
    reply: impl Fn(&str) -> &'static str,
    talk: &mut Talk,
) -> Result<(), Over> {
    talk.say(greeting).await?;
    let mut asked = 0;
    for _ in 0..TURNS_MAX {
        let Some(words) = talk.hear(PATIENCE).await? else {
            if asked == ASKS_MAX {
                break;
            }
            asked += 1;
            talk.say(STILL_THERE).await?;
            continue;
        };
        asked = 0;
        if is_goodbye(&words) {
            talk.say(GOODBYE).await?;
            return talk.wait_for_the_end(AFTER_GOODBYE).await;
        }
        talk.say(reply(&words)).await?;
    }
    talk.say(GOODBYE).await?;
    talk.wait_for_the_end(AFTER_GOODBYE).await
}

fn reply(words: &str) -> &'static str {
    let words = words.to_lowercase();
    if words.contains("name") {
        "Very well, Sam. A table for four at seven. Anything else?"
    } else if words.contains("table") {
        "Yes, seven is fine. Under which name?"
    } else {
        "Sorry, could you say that again?"
    }
}
