//! The client of ACS Call Automation: authorizes, sends, tries once more where that is safe, and
//! says of a failure whether ACS refused, was never reached, or may have taken the order.
//! Knows no order's meaning.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect};
use tandem_actors::clock;
use uuid::Uuid;

use super::access::NoToken;
use super::connection::Connection;
use super::reply;
use super::signature::{self, Signable};

/// TCP and TLS; a healthy resource takes a tenth of a second.
const CONNECT: Duration = Duration::from_secs(3);

/// One attempt at an order, connecting included. ACS answers within a second; two attempts and
/// the pause between them stay well under the thirty seconds that a phone rings.
const ATTEMPT: Duration = Duration::from_secs(6);

/// Before the second attempt, unless ACS says when.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest wait that ACS may ask for before the second attempt: somebody is waiting.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Unused connections are closed before the service closes them.
const IDLE: Duration = Duration::from_secs(60);

/// The largest answer that is read; real ones have 2 KiB.
const ANSWER: usize = 256 * 1024;

/// What is asked of ACS.
#[derive(Clone)]
pub(super) struct Order {
    /// The word for it in logs.
    pub(super) name: &'static str,
    method: Method,
    path: Vec<String>,
    body: String,
    repeat: Repeat,
}

/// What a second attempt of an order would do.
#[derive(Clone, Copy)]
enum Repeat {
    /// Nothing that the first has not done.
    Harmless,
    /// The deed again, unless ACS knows by this id that it is the same order.
    Known(Uuid),
}

impl Order {
    /// Reads or ends something: doing it twice is doing it once.
    pub(super) fn harmless<const N: usize>(
        name: &'static str,
        method: Method,
        path: [&str; N],
    ) -> Self {
        let path = path.map(str::to_owned).to_vec();
        Self { name, method, path, body: String::new(), repeat: Repeat::Harmless }
    }

    /// With this body.
    pub(super) fn with(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// Does something that must not be done twice: `id` is what ACS knows the order by.
    pub(super) fn once<const N: usize>(
        name: &'static str,
        path: [&str; N],
        body: String,
        id: Uuid,
    ) -> Self {
        let path = path.map(str::to_owned).to_vec();
        Self { name, method: Method::POST, path, body, repeat: Repeat::Known(id) }
    }
}

/// Why an order has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// ACS said no.
    #[error("refused with status {status}, code {}", code.as_deref().unwrap_or("none"))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The code in the body.
        code: Option<String>,
    },
    /// Nothing was sent.
    #[error("not reached: {0}")]
    NotReached(String),
    /// Nothing was sent: there is nothing to authorize it with.
    #[error(transparent)]
    NoToken(#[from] NoToken),
    /// It is not known whether ACS took it.
    #[error("{0}")]
    Unknown(String),
}

/// An attempt that failed, and how long to wait before another where one makes sense.
struct Miss {
    failure: Failure,
    again: Option<Duration>,
}

/// The client.
pub(super) struct Rest {
    client: Client,
    connection: Connection,
    api_version: String,
}

impl Rest {
    pub(super) fn new(connection: Connection, api_version: String) -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
            // A signed request goes where it was signed for and nowhere else.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .https_only(connection.endpoint().scheme() == "https")
            .connect_timeout(CONNECT)
            .timeout(ATTEMPT)
            .pool_idle_timeout(IDLE)
            .build()?;
        Ok(Self { client, connection, api_version })
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends an order, at most twice, and returns the body of the answer.
    pub(super) async fn send(&self, order: &Order) -> Result<Vec<u8>, Failure> {
        let first_sent = now();
        let first = match self.attempt(order, first_sent).await {
            Ok(body) => return Ok(body),
            Err(miss) => miss,
        };
        let Some(pause) = first.again else { return Err(first.failure) };
        tracing::debug!(order = order.name, error = %first.failure, "trying once more");
        tokio::time::sleep(pause).await;
        let second = match self.attempt(order, first_sent).await {
            Ok(body) => return Ok(body),
            Err(miss) => miss,
        };
        match (order.repeat, first.failure) {
            // A second no does not tell what became of the first.
            (Repeat::Known(_), doubt @ Failure::Unknown(_)) => Err(doubt),
            (Repeat::Known(_) | Repeat::Harmless, _) => Err(second.failure),
        }
    }

    async fn attempt(&self, order: &Order, first_sent: Timestamp) -> Result<Vec<u8>, Miss> {
        let url = self.address(order);
        let authorized = self.authorized(order.method.clone(), url, order.body.as_bytes()).await;
        let mut request = authorized.map_err(unauthorized)?;
        if let Repeat::Known(id) = order.repeat {
            request = request
                .header("Repeatability-Request-ID", id.to_string())
                .header("Repeatability-First-Sent", signature::http_date(first_sent));
        }
        if !order.body.is_empty() {
            let body = order.body.clone();
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        } else if order.method == Method::POST {
            // Left out by the HTTP library for an empty body, but servers may insist (RFC 9110).
            request = request.header(CONTENT_LENGTH, "0");
        }
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        let asked = retry_after(response.headers());
        let body = read(response).await?;
        match status {
            _ if status.is_success() => Ok(body),
            StatusCode::TOO_MANY_REQUESTS => {
                Err(Miss { failure: refused(status, &body), again: pause(asked) })
            }
            _ if status.is_server_error() => {
                let failure = Failure::Unknown(format!("answered with status {status}"));
                Err(Miss { failure, again: pause(asked) })
            }
            _ => Err(Miss { failure: refused(status, &body), again: None }),
        }
    }

    fn address(&self, order: &Order) -> Url {
        let mut url = self.connection.endpoint().clone();
        url.path_segments_mut().expect("an endpoint has a host").clear().extend(&order.path);
        url.query_pairs_mut().append_pair("api-version", &self.api_version);
        url
    }

    /// A request that is authorized at this moment, for the resource's own host whatever host it
    /// goes to.
    pub(super) async fn authorized(
        &self,
        method: Method,
        url: Url,
        body: &[u8],
    ) -> Result<RequestBuilder, NoToken> {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let signable = Signable {
            method: method.as_str(),
            path_and_query: &format!("{}{query}", url.path()),
            host: &self.connection.host(),
            body,
        };
        let request = self.client.request(method.clone(), url);
        self.connection.authorize(request, signable, now()).await
    }
}

fn now() -> Timestamp {
    Timestamp::try_from(clock::wall()).expect("the clock stands between the years -9999 and 9999")
}

fn refused(status: StatusCode, body: &[u8]) -> Failure {
    Failure::Refused { status: status.as_u16(), code: reply::code(body) }
}

/// The text of an error without the address, in which a call is named.
pub(super) fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn unauthorized(error: NoToken) -> Miss {
    let again = error.may_pass().then_some(PAUSE);
    Miss { failure: Failure::NoToken(error), again }
}

fn unanswered(error: reqwest::Error) -> Miss {
    if error.is_connect() {
        Miss { failure: Failure::NotReached(told(error)), again: Some(PAUSE) }
    } else if error.is_timeout() {
        // Whoever waited this long has no time for another.
        let failure = Failure::Unknown(format!("no answer within {} s", ATTEMPT.as_secs()));
        Miss { failure, again: None }
    } else {
        Miss { failure: Failure::Unknown(told(error)), again: Some(PAUSE) }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Miss> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > ANSWER {
            let failure = Failure::Unknown(format!("answered with more than {ANSWER} bytes"));
            return Err(Miss { failure, again: None });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What `Retry-After` asks for, when it is given in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// How long to wait, or nothing when we are told to wait longer than anybody would.
fn pause(asked: Option<Duration>) -> Option<Duration> {
    let pause = asked.unwrap_or(PAUSE).max(PAUSE);
    (pause <= LONGEST_PAUSE).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_wait_as_long_as_we_are_told_but_not_longer_than_anybody_would() {
        let wait = |asked: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, asked.parse().unwrap());
            pause(retry_after(&headers))
        };
        assert_eq!(wait("2"), Some(Duration::from_secs(2)));
        assert_eq!(wait(" 3 "), Some(LONGEST_PAUSE));
        assert_eq!(wait("4"), None);
        assert_eq!(wait("99999999999999999999"), Some(PAUSE));
        assert_eq!(wait("0"), Some(PAUSE));
        assert_eq!(wait("Sat, 21 Nov 2026 10:00:00 GMT"), Some(PAUSE));
        assert_eq!(pause(retry_after(&HeaderMap::new())), Some(PAUSE));
    }
}
