//! How long calls are kept, and how one is forgotten: its files, then its rows. Broken off between
//! the two, it is there still and can be forgotten again.

use std::io;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tandem_actors::briefing::CallId;
use tandem_actors::record::RecordError;
use tokio_util::sync::CancellationToken;

use crate::recording::Recordings;
use crate::store::{Retention as _, Store};

/// What is old is looked for this often.
const SWEEP: Duration = Duration::from_hours(1);

/// Why a call was not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum NotForgotten {
    /// A file of it cannot be removed.
    #[error("a recording cannot be removed: {0}")]
    File(#[from] io::Error),
    /// The record failed.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Forgets a call that is over; whether there was one.
///
/// # Errors
/// [`NotForgotten`].
pub async fn forget(
    store: &Store,
    recordings: Option<&Recordings>,
    call: &CallId,
) -> Result<bool, NotForgotten> {
    if let Some(recordings) = recordings {
        recordings.finished(call).await;
        recordings.remove(call).await?;
    }
    Ok(store.forget(call).await?)
}

/// Forgets what is older than this, until told to stop.
pub async fn sweep(
    store: Store,
    recordings: Option<Recordings>,
    days: u32,
    stop: CancellationToken,
) {
    let kept = SignedDuration::from_hours(24 * i64::from(days));
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let before = Timestamp::now().as_millisecond() - kept.as_millis() as i64;
        if let Err(error) = forget_before(&store, recordings.as_ref(), before).await {
            tracing::error!(%error, "old calls are not forgotten; tried again in an hour");
        }
    }
}

async fn forget_before(
    store: &Store,
    recordings: Option<&Recordings>,
    before_ms: i64,
) -> Result<(), NotForgotten> {
    let mut forgotten = 0;
    loop {
        let old = store.over_before(before_ms).await?;
        if old.is_empty() {
            break;
        }
        for call in &old {
            forgotten += u32::from(forget(store, recordings, call).await?);
        }
    }
    if forgotten > 0 {
        tracing::info!(calls = forgotten, "old calls are forgotten");
    }
    Ok(())
}
