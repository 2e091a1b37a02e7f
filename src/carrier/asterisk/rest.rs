//! Asterisk's REST interface (ARI), one method an order. Knows no call; every parameter goes in
//! the body, because addresses end up in logs and numbers must not.

use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ari::{Bridge, Channel};
use super::names;

/// One order, answer included. It goes to the next machine or the same one.
const ANSWER: Duration = Duration::from_secs(5);

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// Asterisk said no.
    #[error("asterisk answered {status} to {order}; see its log; 401: asterisk.user in ari.conf")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What was asked, without the name of a call: `POST bridges … addChannel`.
        order: String,
    },
    /// It was not reached: nothing has happened.
    #[error("asterisk is not reached at asterisk.ari_url: {0}")]
    NotReached(String),
    /// It was reached and has not answered.
    #[error("no answer of asterisk: {0}")]
    NotAnswered(String),
}

/// A client of one Asterisk.
#[derive(Clone, Debug)]
pub struct Rest {
    http: Client,
    base: Url,
    user: String,
    password: SecretString,
}

/// A phone to be rung.
#[derive(Clone, Copy)]
pub struct Ring<'a> {
    /// The id its channel gets.
    pub id: &'a str,
    /// What is dialled: `PJSIP/4912345@trunk`.
    pub endpoint: &'a str,
    /// The caller id to show.
    pub caller: &'a str,
    /// How long it may ring.
    pub ringing: Duration,
}

/// An external media channel to be made.
#[derive(Clone, Copy)]
pub struct External<'a> {
    /// The id it gets.
    pub id: &'a str,
    /// The name of the connection to us in `websocket_client.conf`.
    pub connection: &'a str,
    /// The codec: `slin24`, `ulaw`.
    pub format: &'a str,
    /// The call, and the nonce of its media.
    pub call: &'a str,
    /// See `call`.
    pub nonce: &'a str,
}

impl Rest {
    /// A client.
    ///
    /// # Errors
    /// When the address is none or TLS cannot be set up.
    pub fn new(base: &str, user: &str, password: SecretString) -> anyhow::Result<Self> {
        let base = Url::parse(base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| anyhow::anyhow!("asterisk.ari_url is {base:?}, which is no address"))?;
        let http = Client::builder().timeout(ANSWER).build()?;
        Ok(Self { http, base, user: user.to_owned(), password })
    }

    /// Rings a phone into our application.
    ///
    /// # Errors
    /// [`RestError`]; 409 when there is a channel of this id.
    pub async fn ring(&self, ring: Ring<'_>) -> Result<(), RestError> {
        let body = json!({
            "endpoint": ring.endpoint,
            "app": names::APP,
            "callerId": ring.caller,
            "timeout": ring.ringing.as_secs(),
        });
        self.order(Method::POST, &["channels", ring.id], body).await
    }

    /// The channel of this id, if there is one.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn channel(&self, id: &str) -> Result<Option<Channel>, RestError> {
        match self.ask(Method::GET, &["channels", id], Value::Null).await {
            Ok(answer) => answer.json().await.map(Some).map_err(sort),
            Err(RestError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there is a channel of this id.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn exists(&self, channel: &str) -> Result<bool, RestError> {
        Ok(self.channel(channel).await?.is_some())
    }

    /// Has a caller hear that it rings, whom nobody answers yet.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn sound_ringing(&self, channel: &str) -> Result<(), RestError> {
        self.order(Method::POST, &["channels", channel, "ring"], Value::Null).await
    }

    /// Picks up.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn answer(&self, channel: &str) -> Result<(), RestError> {
        self.order(Method::POST, &["channels", channel, "answer"], Value::Null).await
    }

    /// Ends a channel; one that is gone is a success.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn hang_up(&self, channel: &str) -> Result<(), RestError> {
        let ended = self.order(Method::DELETE, &["channels", channel], Value::Null).await;
        gone(ended)
    }

    /// Sends keys to whoever is on the channel.
    ///
    /// # Errors
    /// [`RestError`]; 409 when the channel is not in our application.
    pub async fn press(&self, channel: &str, keys: &str) -> Result<(), RestError> {
        self.order(Method::POST, &["channels", channel, "dtmf"], json!({ "dtmf": keys })).await
    }

    /// Makes a channel that carries the media to us.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn external_media(&self, external: External<'_>) -> Result<(), RestError> {
        let body = json!({
            "channelId": external.id,
            "app": names::APP,
            "external_host": external.connection,
            "transport": "websocket",
            "encapsulation": "none",
            "connection_type": "client",
            "format": external.format,
            "transport_data": "f(json)",
            "variables": { names::CALL: external.call, names::NONCE: external.nonce },
        });
        self.order(Method::POST, &["channels", "externalMedia"], body).await
    }

    /// Makes a bridge; one that is there stays as it is.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn bridge(&self, bridge: &str) -> Result<(), RestError> {
        let made =
            self.order(Method::POST, &["bridges", bridge], json!({ "type": "mixing" })).await;
        match made {
            Err(RestError::Refused { status: 409, .. }) => Ok(()),
            made => made,
        }
    }

    /// Puts a channel into a bridge; one that is in it stays.
    ///
    /// # Errors
    /// [`RestError`]; 409 or 422 when the channel is not in our application.
    pub async fn join(&self, bridge: &str, channel: &str) -> Result<(), RestError> {
        let body = json!({ "channel": channel });
        self.order(Method::POST, &["bridges", bridge, "addChannel"], body).await
    }

    /// Removes a bridge; one that is gone is a success.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn remove(&self, bridge: &str) -> Result<(), RestError> {
        let removed = self.order(Method::DELETE, &["bridges", bridge], Value::Null).await;
        gone(removed)
    }

    /// Every channel there is.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn channels(&self) -> Result<Vec<Channel>, RestError> {
        self.list("channels").await
    }

    /// Every bridge there is.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn bridges(&self) -> Result<Vec<Bridge>, RestError> {
        self.list("bridges").await
    }

    /// Whether Asterisk is there.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn ping(&self) -> Result<(), RestError> {
        self.order(Method::GET, &["asterisk", "ping"], Value::Null).await
    }

    async fn list<T: DeserializeOwned>(&self, what: &str) -> Result<Vec<T>, RestError> {
        let answer = self.ask(Method::GET, &[what], Value::Null).await?;
        answer.json().await.map_err(sort)
    }

    async fn order(&self, method: Method, path: &[&str], body: Value) -> Result<(), RestError> {
        self.ask(method, path, body).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &[&str], body: Value) -> Result<Response, RestError> {
        let order = shown(&method, path);
        let mut url = self.base.clone();
        url.path_segments_mut().expect("an http address has a path").pop_if_empty().extend(path);
        let mut request = self
            .http
            .request(method, url)
            .basic_auth(&self.user, Some(self.password.expose_secret()));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(sort)?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status => Err(RestError::Refused { status: status.as_u16(), order }),
        }
    }
}

/// An order for a log: the second part of a path names a channel or a bridge.
fn shown(method: &Method, path: &[&str]) -> String {
    match path {
        [of, _, what] => format!("{method} {of} … {what}"),
        [of, ..] => format!("{method} {of}"),
        [] => method.to_string(),
    }
}

/// To have ended what is gone is a success.
fn gone(ended: Result<(), RestError>) -> Result<(), RestError> {
    match ended {
        Ok(()) => Ok(()),
        Err(RestError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(()),
        Err(error) => Err(error),
    }
}

/// An error without the address, which names channels and calls.
fn sort(error: reqwest::Error) -> RestError {
    let (connecting, error) = (error.is_connect(), error.without_url());
    if connecting {
        RestError::NotReached(error.to_string())
    } else {
        RestError::NotAnswered(error.to_string())
    }
}
