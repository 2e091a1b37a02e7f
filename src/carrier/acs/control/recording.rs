//! Recordings that ACS makes and keeps for a day: started, stopped, fetched, deleted. Signed
//! requests go to the storage of ACS and to no other host, whatever address an event names.

use std::time::Duration;

use reqwest::header::RANGE;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use tandem_actors::carrier::{CarrierCallId, CarrierError};
use uuid::Uuid;

use super::{CALLING, Control};
use crate::carrier::acs::access::NoToken;
use crate::carrier::acs::connection::is_loopback;
use crate::carrier::acs::order;
use crate::carrier::acs::reply::Recording;
use crate::carrier::acs::rest::{self, Order};

/// Where ACS keeps recordings; Azure's own libraries send signed requests to no other host.
const STORAGE: [&str; 3] =
    [".asm.skype.com", ".asyncgw.teams.microsoft.com", ".ams.gov.teams.microsoft.us"];

/// A whole file. An hour of two parties has 230 MB, which a slow link brings in this time.
const FETCHING: Duration = Duration::from_mins(10);

const RECORDINGS: &str = "recordings";

/// Which bytes of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All.
    Whole,
    /// From the first of these to the last of these, both included.
    Bytes(u64, u64),
}

/// Why a recording is not fetched or deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address is not one of ACS's storage; nothing was sent.
    #[error("the address of the recording is not in the storage of ACS")]
    Elsewhere,
    /// The storage said no; 404 when the file is not there (any more).
    #[error("the storage of ACS answered with status {0}")]
    Refused(u16),
    /// There is nothing to authorize the request with; nothing was sent.
    #[error(transparent)]
    NoToken(#[from] NoToken),
    /// The connection failed.
    #[error("the storage of ACS: {0}")]
    Broken(String),
}

impl Control {
    /// Lets ACS record a call, a channel for each party, as WAV. `RecordingStateChanged` and
    /// `StartRecordingFailed` go to `events`; where the file is comes by Event Grid after the
    /// call.
    ///
    /// # Errors
    /// [`CarrierError`]; with [`CarrierError::Unknown`] it may be recording.
    pub async fn record(
        &self,
        call: &CarrierCallId,
        events: &str,
    ) -> Result<Recording, CarrierError> {
        let body = order::record(&call.0, events);
        self.asked(Order::once("record", [CALLING, RECORDINGS], body, Uuid::now_v7())).await
    }

    /// Stops a recording. One of a call that is over is a success.
    ///
    /// # Errors
    /// [`CarrierError`]; then it may go on until the call ends.
    pub async fn stop_recording(&self, recording: &Recording) -> Result<(), CarrierError> {
        let path = [CALLING, RECORDINGS, &recording.recording_id];
        self.ended(Order::harmless("stop_recording", Method::DELETE, path)).await
    }

    /// Fetches a recording from the address (`contentLocation`) that Event Grid told.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(&self, location: &str, part: Part) -> Result<Response, FetchError> {
        let request = self.storage(Method::GET, location).await?;
        let request = match part {
            Part::Whole => request,
            Part::Bytes(first, last) => request.header(RANGE, format!("bytes={first}-{last}")),
        };
        send(request).await
    }

    /// Deletes a recording at the address (`deleteLocation`) that Event Grid told.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn delete_recording(&self, location: &str) -> Result<(), FetchError> {
        send(self.storage(Method::DELETE, location).await?).await.map(drop)
    }

    async fn storage(&self, method: Method, location: &str) -> Result<RequestBuilder, FetchError> {
        let rest = &self.0.rest;
        let connection = rest.connection();
        let url = Url::parse(location).map_err(|_| FetchError::Elsewhere)?;
        if !is_storage(&url, connection.endpoint()) {
            return Err(FetchError::Elsewhere);
        }
        let request = rest.authorized(method, url, b"").await?.timeout(FETCHING);
        Ok(request.header("x-ms-host", connection.host()))
    }
}

/// Whether a signed request may go there. A simulated resource, which is one on a loopback
/// address, keeps its recordings itself.
fn is_storage(url: &Url, endpoint: &Url) -> bool {
    let nobody = url.username().is_empty() && url.password().is_none();
    let host = url.host_str().unwrap_or_default();
    let known = url.scheme() == "https" && STORAGE.iter().any(|suffix| host.ends_with(suffix));
    let simulated = is_loopback(endpoint) && url.origin() == endpoint.origin();
    nobody && (known || simulated)
}

async fn send(request: RequestBuilder) -> Result<Response, FetchError> {
    let response = request.send().await.map_err(|error| FetchError::Broken(rest::told(error)))?;
    match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(response),
        status => Err(FetchError::Refused(status.as_u16())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(location: &str, endpoint: &str) -> bool {
        is_storage(&Url::parse(location).unwrap(), &Url::parse(endpoint).unwrap())
    }

    #[test]
    fn signed_requests_go_to_the_storage_of_acs_only() {
        let azure = "https://a.communication.azure.com/";
        for good in [
            "https://us-storage.asm.skype.com/v1/objects/0-wus-d1/content/acscomposite",
            "https://US-storage.ASM.skype.com/v1",
            "https://a.asyncgw.teams.microsoft.com/v1",
            "https://a.ams.gov.teams.microsoft.us/v1",
        ] {
            assert!(allowed(good, azure), "{good}");
        }
        for bad in [
            "http://us-storage.asm.skype.com/v1",
            "https://evilasm.skype.com/v1",
            "https://asm.skype.com/v1",
            "https://us-storage.asm.skype.com.evil.example/v1",
            "https://us-storage.asm.skype.com@evil.example/v1",
            "https://user:word@us-storage.asm.skype.com/v1",
            "https://evil.example/?.asm.skype.com",
            "https://169.254.169.254/metadata",
            "http://127.0.0.1:9000/v1",
            "https://a.communication.azure.com/v1",
            "file:///etc/passwd",
        ] {
            assert!(!allowed(bad, azure), "{bad}");
        }
        assert!(allowed("http://127.0.0.1:9000/v1", "http://127.0.0.1:9000/"));
        assert!(!allowed("http://127.0.0.1:9001/v1", "http://127.0.0.1:9000/"));
    }
}
