//! The handshake: which address, which model, which key, and whether the old protocol is asked
//! for. Decides on the request alone.

use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::http::header::RETRY_AFTER;

/// OpenAI's path and Azure's.
const PATHS: &[&str] = &["/v1/realtime", "/openai/v1/realtime"];

/// What a request at the door turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// A session may be opened for this model.
    Welcome { model: String },
    /// Let in and sent away, as the real service does: an error event, then a close.
    Unwelcome { code: &'static str, message: &'static str, close: u16 },
}

/// How everybody is refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) retry_after_s: Option<u64>,
}

/// The door of one connection, with the key that opens it.
pub(super) struct Door<'a> {
    pub(super) key: &'a str,
    pub(super) refusal: Option<Refusal>,
    pub(super) guest: Option<Guest>,
}

impl Callback for &mut Door<'_> {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        if let Some(Refusal { status, retry_after_s }) = self.refusal {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = StatusCode::from_u16(status).expect("a status of HTTP");
            if let Some(seconds) = retry_after_s {
                refusal.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            return Err(refusal);
        }
        match self.look_at(request) {
            Ok(guest) => {
                self.guest = Some(guest);
                Ok(response)
            }
            Err(status) => {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = status;
                Err(refusal)
            }
        }
    }
}

impl Door<'_> {
    fn look_at(&self, request: &Request) -> Result<Guest, StatusCode> {
        if !PATHS.contains(&request.uri().path()) {
            return Err(StatusCode::NOT_FOUND);
        }
        let query = request.uri().query().unwrap_or_default();
        let parameter = |name: &str| {
            query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)
        };
        if parameter("api-version").is_some() {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let Some((_, model)) = parameter("model").filter(|(_, model)| !model.is_empty()) else {
            return Err(StatusCode::BAD_REQUEST);
        };
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        if header("openai-beta").is_some() {
            return Ok(Guest::Unwelcome {
                code: "beta_api_shape_disabled",
                message: "The Realtime Beta API is no longer supported.",
                close: 4000,
            });
        }
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if bearer.or_else(|| header("api-key")) != Some(self.key) {
            return Ok(Guest::Unwelcome {
                code: "invalid_api_key",
                message: "Incorrect API key provided.",
                close: 3000,
            });
        }
        Ok(Guest::Welcome { model: model.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/v1/realtime?model=m", "authorization", "Bearer sk", "m")]
    #[case("/openai/v1/realtime?x=y&model=m2", "api-key", "sk", "m2")]
    #[case("/v1/realtime?model=m", "authorization", "Bearer other", "invalid_api_key")]
    #[case("/v1/realtime?model=m", "x-other", "sk", "invalid_api_key")]
    #[case("/v1/realtime?model=m", "openai-beta", "realtime=v1", "beta_api_shape_disabled")]
    #[case("/v1/realtime", "authorization", "Bearer sk", "400")]
    #[case("/v1/elsewhere?model=m", "authorization", "Bearer sk", "404")]
    #[case("/openai/v1/realtime?api-version=1&model=m", "api-key", "sk", "401")]
    fn a_guest_is_judged_by_path_model_and_key(
        #[case] uri: &str,
        #[case] header: &str,
        #[case] value: &str,
        #[case] expected: &str,
    ) {
        let door = Door { key: "sk", refusal: None, guest: None };
        let request = Request::builder().uri(uri).header(header, value).body(()).expect("valid");
        let verdict = match door.look_at(&request) {
            Ok(Guest::Welcome { model }) => model,
            Ok(Guest::Unwelcome { code, .. }) => code.to_owned(),
            Err(status) => status.as_str().to_owned(),
        };
        assert_eq!(verdict, expected);
    }
}
