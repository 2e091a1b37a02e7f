//! Recordings that ACS makes of calls: ordered when a call is connected, fetched when Event Grid
//! tells where they are, kept beside our own. A call never waits for any of it.
//!
//! What Event Grid has told is written down before it is answered, and so is whose a recording
//! is: a server that is restarted meanwhile fetches the file all the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::CarrierCallId;
use tandem_actors::clock;
use tandem_actors::record::RecordError;
use tokio::sync::watch;

use super::callback::{Event, What};
use super::control::{Control, FetchError, Part};
use super::event_grid::recorded::{self, Recorded};
use super::inbox::Events;
use super::seen::Seen;
use crate::recording::Recordings;
use crate::recording::fetch::{Fetched, Fetcher, NotGiven};
use crate::store::{AwaitedFile, CarrierRecordings as _, Store};

/// ACS keeps a file for so long.
const KEPT: Duration = Duration::from_hours(24);

/// Calls of which it is remembered that they are recorded, many times those of the time.
const BEGUN: usize = 16_384;

/// No call is connected a second time so much later.
const BEGUN_FOR: Duration = Duration::from_hours(1);

/// Ends the name of a file that ACS made: a piece behind the first has its number in it.
#[must_use]
pub fn ending(piece: u32) -> String {
    if piece == 0 { "acs.wav".to_owned() } else { format!("acs.{piece}.wav") }
}

/// Orders recordings and fetches them; cheap to clone.
#[derive(Clone)]
pub(super) struct Keeper(Arc<Inner>);

struct Inner {
    control: Control,
    store: Store,
    fetcher: Fetcher,
    begun: Mutex<Seen>,
    events: Events,
}

impl Keeper {
    /// Keeps what it fetches among these, and counts what happens among the events.
    pub(super) fn new(
        control: Control,
        store: Store,
        recordings: Recordings,
        events: Events,
    ) -> Self {
        let begun = Mutex::new(Seen::new(BEGUN, BEGUN_FOR));
        let fetcher = Fetcher::new(recordings);
        Self(Arc::new(Inner { control, store, fetcher, begun, events }))
    }

    /// Takes what a callback says of a call; `events` is where it came, and where ACS shall tell
    /// how the recording is.
    pub(super) fn hear(&self, call: &CallId, event: Event, events: String) {
        match event.what {
            What::Connected => self.begin(call, event.call, events),
            What::Recording { names, runs } => {
                self.0.count(if runs { "recording_runs" } else { "recording_ended" });
                let (inner, call) = (Arc::clone(&self.0), call.clone());
                drop(tokio::spawn(async move { inner.learn(&call, names).await }));
            }
            What::NotRecorded(meaning) => {
                self.0.count("recording_refused");
                tracing::warn!(%call, reason = meaning.reason, "ACS does not record the call");
            }
            What::NotPlaced(..)
            | What::NotAnswered(..)
            | What::Disconnected(..)
            | What::TransferAccepted
            | What::TransferFailed(_)
            | What::MediaFailed(_)
            | What::Parties { .. }
            | What::Added
            | What::NotAdded(_)
            | What::Other(_) => {}
        }
    }

    /// Lets ACS record a call, once. Where it does not, the call goes on.
    fn begin(&self, call: &CallId, name: CarrierCallId, events: String) {
        let mut begun = self.0.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if !begun.is_new(&call.0, clock::now()) {
            return;
        }
        let (inner, call) = (Arc::clone(&self.0), call.clone());
        drop(tokio::spawn(async move {
            match inner.control.record(&name, &events).await {
                Ok(recording) => {
                    inner.count("recording_ordered");
                    let all = [Some(recording.recording_id), Some(name.0)];
                    inner.learn(&call, recorded::known(all)).await;
                }
                Err(error) => {
                    inner.count("recording_refused");
                    tracing::warn!(%call, %error, "ACS does not record the call");
                }
            }
        }));
    }

    /// Takes what Event Grid says of a recording. One that is no call's of ours is another
    /// application's.
    ///
    /// # Errors
    /// When it cannot be written down; then Event Grid should tell it again.
    pub(super) async fn take(&self, recorded: Recorded) -> Result<(), RecordError> {
        let Some(call) = self.0.store.recorded_call(&recorded.names).await? else {
            self.0.count("recording_elsewhere");
            return Ok(());
        };
        self.0.count("recording_told");
        let file = |piece: recorded::Piece| AwaitedFile {
            call: call.clone(),
            piece: piece.index,
            location: piece.location,
        };
        let files: Vec<_> = recorded.pieces.into_iter().map(file).collect();
        self.0.store.await_files(files.clone()).await?;
        for file in files {
            self.fetch(file);
        }
        Ok(())
    }

    /// Fetches what an earlier run was told of and did not get.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(super) async fn resume(&self) -> Result<(), RecordError> {
        for file in self.0.store.awaited_files(Timestamp::now() - KEPT).await? {
            self.fetch(file);
        }
        Ok(())
    }

    fn fetch(&self, file: AwaitedFile) {
        let inner = Arc::clone(&self.0);
        drop(tokio::spawn(async move { inner.fetch(&file).await }));
    }

    /// How many files have been fetched since the start.
    pub(super) fn kept(&self) -> watch::Receiver<u64> {
        self.0.fetcher.kept()
    }
}

impl Inner {
    fn count(&self, what: &'static str) {
        self.events.get_or_create(&[("what", what)]).inc();
    }

    /// Whose a recording is, under all names by which Event Grid may tell of it.
    async fn learn(&self, call: &CallId, names: Vec<String>) {
        if let Err(error) = self.store.name_recording(call, names).await {
            tracing::warn!(%call, %error, "ACS's recording of the call may not be found");
        }
    }

    async fn fetch(&self, file: &AwaitedFile) {
        let AwaitedFile { call, piece, location } = file;
        let ask = async || {
            self.control
                .fetch(location.as_str(), Part::Whole)
                .await
                .map_err(|error| not_given(&error))
        };
        let is_settled = match self.fetcher.fetch(call, &ending(*piece), ask).await {
            Ok(Fetched::New) => {
                self.count("recording_kept");
                true
            }
            Ok(Fetched::Before) => true,
            Ok(Fetched::Coming) => false,
            Err(error) => {
                self.count("recording_lost");
                tracing::error!(%call, piece, %error, "ACS's recording is not here");
                !error.may_pass()
            }
        };
        if is_settled && let Err(error) = self.store.forget_file(call, *piece).await {
            tracing::debug!(%call, piece, %error, "a file that is here will be looked for again");
        }
    }
}

fn not_given(error: &FetchError) -> NotGiven {
    let may_pass = match error {
        FetchError::Elsewhere => false,
        // 404 too: it may have been told of a moment too early.
        FetchError::Refused(_) | FetchError::Broken(_) => true,
        FetchError::NoToken(no) => no.may_pass(),
    };
    NotGiven { why: error.to_string(), may_pass }
}

#[cfg(test)]
mod tests;
