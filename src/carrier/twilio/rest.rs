//! Twilio's REST interface: the few orders that are used. Each goes out once; only one that
//! cannot have reached Twilio is tried a second time. Knows no call of ours.
//!
//! Source: Twilio's Call and Recording resources, API version 2010-04-01.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tandem_actors::carrier::{CarrierCallId, Number};

use super::form::Form;
use super::search::Listed;

/// Name look-up, TCP and TLS; a healthy connection takes a tenth.
const CONNECT: Duration = Duration::from_secs(3);

/// From the order to the whole answer. Twilio answers orders within a second or two; a caller or
/// a task waits meanwhile.
const ANSWER: Duration = Duration::from_secs(10);

/// A whole recording: an hour of both sides has 115 MB, which a slow link brings in this time.
const FILE: Duration = Duration::from_mins(10);

/// Before an order that did not reach Twilio is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// The longest answer that is read; a call resource is two kilobytes.
const LONGEST: usize = 64 * 1024;

/// How Twilio is reached.
#[derive(Clone, Debug)]
pub struct Rest {
    client: reqwest::Client,
    access: Access,
    base: String,
}

/// What opens the REST interface of an account: its own name and auth token, or an API key's
/// name (`SK…`) and secret.
#[derive(Clone, Debug)]
pub struct Access {
    /// `AC…` or `SK…`.
    pub user: String,
    /// The auth token, or the key's secret.
    pub password: SecretString,
}

/// Why an order was not carried out. Twilio's words are not repeated: they hold numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// It never reached Twilio.
    #[error("not reached: {0}")]
    NotSent(String),
    /// It may have reached Twilio, and no answer came that says.
    #[error("no answer that tells: {0}")]
    Unknown(String),
    /// Twilio said no.
    #[error("refused with status {status}, code {code}; see twilio.com/docs/errors/{code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Twilio's error code; 0 when it gave none.
        code: u32,
    },
}

/// A call to be placed.
#[derive(Debug)]
pub struct Placing<'a> {
    /// Whom to ring.
    pub to: &'a Number,
    /// One of the account's numbers.
    pub from: &'a Number,
    /// What the call does once it is answered; Twilio takes at most 4,000 characters.
    pub twiml: &'a str,
    /// Where to post what becomes of it.
    pub events: &'a str,
    /// How long it may ring, in seconds; Twilio takes up to 600 and adds about five.
    pub rings_s: u64,
    /// Whether to listen for answering machines, without keeping the media waiting.
    pub detect_machines: bool,
}

#[derive(Deserialize)]
struct Resource {
    sid: String,
}

/// A call as Twilio shows it.
#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    /// `CallStatus`, as in callbacks.
    pub(super) status: String,
    /// Seconds, once it is over.
    #[serde(default)]
    pub(super) duration: Option<String>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    code: u32,
}

impl Rest {
    /// For this account at this address (`https://api.twilio.com`).
    ///
    /// # Errors
    /// When no client can be built, which says that TLS is not to be had.
    pub fn new(account: &str, access: Access, url: &str) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            // A redirect would carry the order, and the token, to wherever it says.
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        let url = url.trim_end_matches('/');
        let base = format!("{url}/2010-04-01/Accounts/{account}");
        Ok(Self { client, access, base })
    }

    /// Rings somebody.
    ///
    /// # Errors
    /// [`RestError`]; after [`RestError::Unknown`] it may be ringing.
    pub async fn place(&self, order: Placing<'_>) -> Result<CarrierCallId, RestError> {
        let mut form = Form::default()
            .with("To", order.to.as_str())
            .with("From", order.from.as_str())
            .with("Twiml", order.twiml)
            .with("Timeout", &order.rings_s.to_string())
            .with("StatusCallback", order.events)
            .with("StatusCallbackMethod", "POST");
        for event in ["initiated", "ringing", "answered", "completed"] {
            form = form.with("StatusCallbackEvent", event);
        }
        if order.detect_machines {
            form = form
                .with("MachineDetection", "DetectMessageEnd")
                .with("AsyncAmd", "true")
                .with("AsyncAmdStatusCallback", order.events)
                .with("AsyncAmdStatusCallbackMethod", "POST");
        }
        Ok(CarrierCallId(self.order("/Calls.json", &form).await?))
    }

    /// Ends a call. One that is already over counts as ended. Ending twice is ending once, so
    /// this is tried again also when it is unknown whether it was heard.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn end(&self, call: &CarrierCallId) -> Result<(), RestError> {
        let form = Form::default().with("Status", "completed");
        let path = path(call)?;
        let mut ended = self.order(&path, &form).await;
        if let Err(RestError::Unknown(_)) = ended {
            ended = self.order(&path, &form).await;
        }
        match ended {
            Ok(_) => Ok(()),
            Err(error) if is_over(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives a live call other TwiML. What it did until now, a stream above all, stops.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn redirect(&self, call: &CarrierCallId, twiml: &str) -> Result<(), RestError> {
        let form = Form::default().with("Twiml", twiml);
        self.order(&path(call)?, &form).await.map(|_| ())
    }

    /// The same, and what becomes of the call is posted to `events` from now on.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn take_back(
        &self,
        call: &CarrierCallId,
        twiml: &str,
        events: &str,
    ) -> Result<(), RestError> {
        let form = Form::default()
            .with("Twiml", twiml)
            .with("StatusCallback", events)
            .with("StatusCallbackMethod", "POST");
        self.order(&path(call)?, &form).await.map(|_| ())
    }

    /// How a call stands; nothing when there is none of this name.
    ///
    /// # Errors
    /// [`RestError`].
    pub(super) async fn look(&self, call: &CarrierCallId) -> Result<Option<Seen>, RestError> {
        match self.ask(&path(call)?).await {
            Ok(body) => serde_json::from_slice(&body)
                .map(Some)
                .map_err(|_| RestError::Unknown("the answer tells no status".to_owned())),
            Err(RestError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Begins to record a call, both sides apart, until it ends. What becomes of it is posted to
    /// `events`. Returns the recording's name.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn record(&self, call: &CarrierCallId, events: &str) -> Result<String, RestError> {
        let form = Form::default()
            .with("RecordingChannels", "dual")
            // So that it begins when ours does.
            .with("Trim", "do-not-trim")
            .with("RecordingStatusCallback", events)
            .with("RecordingStatusCallbackMethod", "POST")
            .with("RecordingStatusCallbackEvent", "completed absent");
        let call = path(call)?;
        let recordings = format!("{}/Recordings.json", call.trim_end_matches(".json"));
        self.order(&recordings, &form).await
    }

    /// Asks for the file of a recording: WAV, a channel for each side. It is asked of this
    /// interface, whatever address a callback names.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn recording(&self, name: &str) -> Result<Response, RestError> {
        if !is_plain(name) {
            return Err(RestError::NotSent("not the name of a recording at Twilio".to_owned()));
        }
        let sent = self
            .client
            .get(format!("{}/Recordings/{name}.wav?RequestedChannels=2", self.base))
            .basic_auth(&self.access.user, Some(self.access.password.expose_secret()))
            .timeout(FILE)
            .send()
            .await;
        let answer = sent.map_err(unsent)?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status if status.is_client_error() => {
                Err(RestError::Refused { status: status.as_u16(), code: 0 })
            }
            status => Err(RestError::Unknown(format!("status {}", status.as_u16()))),
        }
    }

    /// The newest calls between these two.
    ///
    /// # Errors
    /// [`RestError`].
    pub(super) async fn calls(&self, to: &Number, from: &Number) -> Result<Listed, RestError> {
        let between = Form::default().with("To", to.as_str()).with("From", from.as_str());
        let body = self.ask(&format!("/Calls.json?{}", between.write())).await?;
        serde_json::from_slice(&body)
            .map_err(|_| RestError::Unknown("the answer lists nothing".to_owned()))
    }

    /// Asks for something of the account.
    async fn ask(&self, path: &str) -> Result<Vec<u8>, RestError> {
        let sent = self
            .client
            .get(format!("{}{path}", self.base))
            .basic_auth(&self.access.user, Some(self.access.password.expose_secret()))
            .send()
            .await;
        answered(sent.map_err(unsent)?).await
    }

    /// Posts an order and returns the name of what it made or changed.
    async fn order(&self, path: &str, form: &Form) -> Result<String, RestError> {
        match self.order_once(path, form).await {
            Err(RestError::NotSent(_)) => {
                tokio::time::sleep(AGAIN).await;
                self.order_once(path, form).await
            }
            answered => answered,
        }
    }

    async fn order_once(&self, path: &str, form: &Form) -> Result<String, RestError> {
        let sent = self
            .client
            .post(format!("{}{path}", self.base))
            .basic_auth(&self.access.user, Some(self.access.password.expose_secret()))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.write())
            .send()
            .await;
        let body = answered(sent.map_err(unsent)?).await?;
        let made: Resource = serde_json::from_slice(&body)
            .map_err(|_| RestError::Unknown("the answer names nothing".to_owned()))?;
        Ok(made.sid)
    }
}

/// The body of an answer that says yes.
async fn answered(mut answer: Response) -> Result<Vec<u8>, RestError> {
    let status = answer.status();
    let mut body = Vec::new();
    let unread = |error: reqwest::Error| RestError::Unknown(error.without_url().to_string());
    while let Some(piece) = answer.chunk().await.map_err(unread)? {
        if body.len() + piece.len() > LONGEST {
            return Err(RestError::Unknown("the answer is too long".to_owned()));
        }
        body.extend_from_slice(&piece);
    }
    if status.is_success() {
        return Ok(body);
    }
    if status.is_client_error() {
        let code = serde_json::from_slice::<Complaint>(&body).map_or(0, |it| it.code);
        return Err(RestError::Refused { status: status.as_u16(), code });
    }
    Err(RestError::Unknown(format!("status {}", status.as_u16())))
}

/// A call's path. Names are letters and digits; anything else would name something else.
fn path(call: &CarrierCallId) -> Result<String, RestError> {
    if is_plain(&call.0) {
        Ok(format!("/Calls/{}.json", call.0))
    } else {
        Err(RestError::NotSent("not the name of a call at Twilio".to_owned()))
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// An error without its address, which holds the account.
fn unsent(error: reqwest::Error) -> RestError {
    let (connecting, error) = (error.is_connect(), error.without_url());
    let why = error.to_string();
    if connecting { RestError::NotSent(why) } else { RestError::Unknown(why) }
}

/// 20404: no such resource; 21220: the call is not in a state to be changed.
fn is_over(error: &RestError) -> bool {
    matches!(error, RestError::Refused { code: 20_404 | 21_220, .. })
}

#[cfg(test)]
pub(crate) mod tests;
