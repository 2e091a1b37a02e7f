//! Somebody who has something found out, talks about something else meanwhile, and waits for it.

use std::time::Duration;

use super::talk::{Over, Talk};

const WISH: &str = "Please find out when the parcel arrives.";
const MEANWHILE: &str = "What is on my list?";
const GOODBYE: &str = "Goodbye.";

/// Words by which they know that it has been found out.
const NEWS: &str = "i have news";

/// How long they wait for an answer, and for the news.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn wait_for_news(talk: &mut Talk) -> Result<(), Over> {
    talk.hear(PATIENCE).await?;
    talk.say(WISH).await?;
    let mut known = is_news(talk.hear(PATIENCE).await?);
    talk.say(MEANWHILE).await?;
    known |= is_news(talk.hear(PATIENCE).await?);
    while !known {
        match talk.hear(PATIENCE).await? {
            Some(words) => known = is_news(Some(words)),
            None => break,
        }
    }
    talk.say(GOODBYE).await?;
    talk.wait_for_the_end(PATIENCE).await
}

fn is_news(words: Option<String>) -> bool {
    words.is_some_and(|words| words.to_lowercase().contains(NEWS))
}
