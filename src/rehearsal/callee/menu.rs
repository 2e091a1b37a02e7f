//! An automatic menu: reads its choices, and does what the keys say. Keys come from the carrier,
//! or else their tones are heard on the line.

use std::time::Duration;

use super::restaurant;
use super::talk::{Over, Talk};

const MENU: &str = "Welcome to Luigi's. Press 1 for reservations. Press 2 for opening hours.";
const HOURS: &str = "We are open from five to eleven, every day.";
const GOODBYE: &str = "Goodbye.";

/// How long a key is waited for before the menu is read again.
const PATIENCE: Duration = Duration::from_secs(6);
/// Readings before it hangs up.
const READINGS: usize = 4;

pub(super) async fn read_out(talk: &mut Talk) -> Result<(), Over> {
    talk.expect_keys().await;
    for _ in 0..READINGS {
        talk.say(MENU).await?;
        match talk.key(PATIENCE).await? {
            Some('1') => return restaurant::serve(talk).await,
            Some('2') => talk.say(HOURS).await?,
            Some(_) | None => {}
        }
    }
    talk.say(GOODBYE).await
}
