//! The last words when the parts of a call cannot go on: takes the phone's lease and says them
//! from stored audio by itself. Small on purpose; it needs no actor.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use crate::call::event::Clip;
use crate::carrier::{Command, Line};
use crate::clock;
use crate::leg::{Broken, Lease};
use crate::seed::Seed;

/// Everything together: the lease, the words, the close.
const WHOLE: Duration = Duration::from_secs(8);

/// Says this, if there is anybody to hear it. After the apology the socket is closed; a caller
/// who is to be handed over stays on the line.
pub async fn say(seed: Arc<Seed>, clip: Clip) {
    let said = tokio::time::timeout(WHOLE, speak(&seed, clip)).await;
    match said {
        Ok(Ok(())) => {}
        Ok(Err(broken)) => tracing::warn!(call = %seed.call, %broken, "last words not heard"),
        Err(_) => tracing::warn!(call = %seed.call, "last words not finished in time"),
    }
}

async fn speak(seed: &Seed, clip: Clip) -> Result<(), Broken> {
    if !seed.phone.is_stocked() {
        return Ok(());
    }
    let mut phone = seed.phone.take().await;
    phone.send(Command::Flush)?;
    let mut next = clock::now();
    for piece in seed.briefing.clips.of(clip) {
        phone.send(Command::Say(piece.clone()))?;
        flush(&mut phone).await?;
        next += seed.briefing.format.lasts(piece.samples(seed.briefing.format));
        tokio::time::sleep_until(next).await;
    }
    if clip == Clip::HandOver {
        return Ok(());
    }
    phone.send(Command::Close)?;
    flush(&mut phone).await?;
    phone.discard();
    Ok(())
}

async fn flush(phone: &mut Lease<Line>) -> Result<(), Broken> {
    poll_fn(|cx| phone.poll_flush(cx)).await
}
