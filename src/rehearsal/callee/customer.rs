//! Somebody who cancels a booking: says yes when they are asked about just that booking.

use std::time::Duration;

use super::talk::{Over, Talk};

const WISH: &str = "Please use the tool cancel booking with booking A7.";
const BOOKING: &str = "A7";
const YES: &str = "Yes, please.";
const NO: &str = "No.";
const GOODBYE: &str = "Goodbye.";

/// How long they wait to be answered.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn cancel_a_booking(talk: &mut Talk) -> Result<(), Over> {
    talk.hear(PATIENCE).await?;
    talk.say(WISH).await?;
    if let Some(words) = talk.hear(PATIENCE).await?
        && words.contains('?')
    {
        talk.say(if words.contains(BOOKING) { YES } else { NO }).await?;
        talk.hear(PATIENCE).await?;
    }
    talk.say(GOODBYE).await?;
    talk.wait_for_the_end(PATIENCE).await
}
