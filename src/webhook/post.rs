//! One attempt to tell an endpoint something: one POST, signed, to an address that may be reached.
//! No redirect is followed, no proxy is asked, and nothing of the answer is kept but its status.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::dns::Resolve;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};

use super::reach::{OutOfReach, Reach};
use super::schedule::retry_after;
use super::signature;
use crate::store::Due;

/// An endpoint that cannot be reached by then is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// One attempt; a receiver should keep what it is told and answer at once.
const ATTEMPT: Duration = Duration::from_secs(15);

/// What is read of an answer, so that its connection can be used again; a longer one is cut off.
const ANSWER_BYTES: usize = 4 * 1_024;

/// An idle connection is kept this long: the next event of a call is often that near.
const IDLE: Duration = Duration::from_secs(30);

/// Posts what is told.
pub(super) struct Post {
    client: Client,
    reach: Reach,
}

/// What an attempt was answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: Option<u16>,
    /// Why there is none: `address_refused`, `not_reached`, `too_slow`, `lost`.
    pub(super) error: Option<&'static str>,
    /// How long it asks us to wait before the next attempt.
    pub(super) asked: Option<Duration>,
}

impl Post {
    pub(super) fn new(
        reach: Reach,
        resolver: Arc<impl Resolve + 'static>,
    ) -> reqwest::Result<Self> {
        let client = reach
            .guarded(resolver)
            .connect_timeout(CONNECT)
            .timeout(ATTEMPT)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, reach })
    }

    pub(super) async fn send(&self, due: &Due) -> Answer {
        // An address is not resolved but taken as it is, and the rules may have changed.
        let Ok(url) = self.reach.check(due.url.as_str()) else {
            return Answer { error: Some("address_refused"), ..Answer::default() };
        };
        let signers: Vec<_> = due.secrets.iter().filter_map(signature::signer).collect();
        let now = jiff::Timestamp::now();
        let body = due.body.as_str();
        let mut headers = signature::headers(&signers, &due.id, now.as_second(), body);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = self.client.post(url).headers(headers).body(body.to_owned());
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Answer { error: Some(word(&error)), ..Answer::default() },
        };
        let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|value| retry_after(value, now));
        let status = Some(answer.status().as_u16());
        let mut read = 0;
        while read < ANSWER_BYTES
            && let Ok(Some(piece)) = answer.chunk().await
        {
            read += piece.len();
        }
        Answer { status, error: None, asked }
    }
}

/// Why there was no answer, without the address.
fn word(error: &reqwest::Error) -> &'static str {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<OutOfReach>() {
            return "address_refused";
        }
        cause = inner.source();
    }
    match (error.is_timeout(), error.is_connect()) {
        (true, _) => "too_slow",
        (false, true) => "not_reached",
        (false, false) => "lost",
    }
}
