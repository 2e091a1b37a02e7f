//! Recordings that Twilio makes of calls: ordered when a call's first media comes, fetched when
//! Twilio says that one is complete, kept beside our own. A call never waits for any of it.
//!
//! One that is told of while no server runs, or long after the call, stays at Twilio.

use std::sync::Arc;

use tandem_actors::briefing::CallId;
use tandem_actors::carrier::CarrierCallId;
use tokio::sync::watch;

use super::form::Form;
use super::rest::{Rest, RestError};
use crate::recording::Recordings;
use crate::recording::fetch::{Fetcher, NotGiven};

/// Ends the name of a file that Twilio made.
pub const ENDING: &str = "twilio.wav";

/// What Twilio says of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is complete, under this name.
    Complete(String),
    /// There is none; in Twilio's word.
    None(String),
}

/// Reads a recording status callback; nothing when it is none. Of the address that it holds
/// nothing is taken.
#[must_use]
pub fn read(form: &Form) -> Option<Told> {
    let name = form.get("RecordingSid")?;
    match form.get("RecordingStatus")? {
        "completed" => Some(Told::Complete(name.to_owned())),
        other => Some(Told::None(other.to_owned())),
    }
}

/// Orders recordings and fetches them; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Keeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rest: Rest,
    fetcher: Fetcher,
}

impl Keeper {
    /// Keeps what it fetches among these.
    pub(super) fn new(rest: Rest, recordings: Recordings) -> Self {
        Self(Arc::new(Inner { rest, fetcher: Fetcher::new(recordings) }))
    }

    /// Lets Twilio record a call. Where it does not, the call goes on.
    pub(super) fn begin(&self, call: &CallId, name: &CarrierCallId, events: String) {
        let (inner, call, name) = (Arc::clone(&self.0), call.clone(), name.clone());
        drop(tokio::spawn(async move {
            if let Err(error) = inner.rest.record(&name, &events).await {
                tracing::warn!(%call, %error, "twilio does not record the call");
            }
        }));
    }

    /// Takes what Twilio says of a call's recording.
    pub(super) fn hear(&self, call: &CallId, told: Told) {
        let (inner, call) = (Arc::clone(&self.0), call.clone());
        let name = match told {
            Told::Complete(name) => name,
            Told::None(word) => {
                return tracing::warn!(%call, word, "twilio has no recording of the call");
            }
        };
        drop(tokio::spawn(async move {
            let ask = async || inner.rest.recording(&name).await.map_err(not_given);
            if let Err(error) = inner.fetcher.fetch(&call, ENDING, ask).await {
                tracing::error!(%call, %error, "twilio's recording is not here");
            }
        }));
    }

    /// How many have been fetched since the start.
    pub(super) fn kept(&self) -> watch::Receiver<u64> {
        self.0.fetcher.kept()
    }
}

/// Any refusal may pass: Twilio may have told of the file a moment too early.
fn not_given(error: RestError) -> NotGiven {
    NotGiven { why: error.to_string(), may_pass: true }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::carrier::twilio::rest::tests::{answering, rest};

    #[test]
    fn of_a_callback_the_name_counts_and_no_address() {
        let read_text = |text: &str| read(&Form::read(text.as_bytes()));
        let complete = "CallSid=CA00&RecordingSid=RE00&RecordingStatus=completed\
                        &RecordingUrl=https%3A%2F%2Fevil.example%2F";
        assert_eq!(read_text(complete), Some(Told::Complete("RE00".to_owned())));
        let absent = "RecordingSid=RE00&RecordingStatus=absent";
        assert_eq!(read_text(absent), Some(Told::None("absent".to_owned())));
        assert_eq!(read_text("CallSid=CA00&CallStatus=completed"), None);
    }

    #[tokio::test]
    async fn a_file_that_lies_elsewhere_is_left_there() {
        let elsewhere = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\n\r\n";
        let (url, asked) = answering(elsewhere).await;
        let moved = rest(&url, "token").recording("RE00").await.map_err(not_given);
        assert_eq!(moved.unwrap_err().why, "no answer that tells: status 302");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_is_not_asked_for() {
        let (url, asked) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        for name in ["", "../Calls", "RE00?", "RE00/../x"] {
            let error = rest(&url, "token").recording(name).await.unwrap_err();
            assert!(matches!(error, RestError::NotSent(_)), "{name}: {error}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }
}
