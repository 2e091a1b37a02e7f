//! An Asterisk of one's own: media through `chan_websocket`, orders through its REST interface
//! (ARI), for whoever has a SIP trunk and no cloud.
//!
//! Asterisk dials one fixed address of ours for every call (`websocket_client.conf`) and shows a
//! secret with it; whose media it brings it says in its first message, in variables of the
//! channel. They are the channel's own, unlike parameters of the address, which Asterisk keeps
//! in an object that calls made at the same time share.
//!
//! A call that we place, step by step: `POST /channels/{id}` rings the phone into our Stasis
//! application; `StasisStart` says that it was answered; we make a bridge, put the phone in and
//! ask for an external media channel, which carries the call's nonce as a variable and dials us;
//! its own `StasisStart` puts it into the bridge. Whoever hangs up, what is left is removed.
//! An inbound call takes the same way when the dialplan sends it to `Stasis(tandem)`, and
//! another when it dials `WebSocket/tandem` by itself.

pub mod ari;
pub mod codec;
pub mod control;
pub mod events;
pub mod names;
pub mod outcome;
pub mod rest;
pub mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::{CarrierCallId, Event, Line, Number};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::carrier::convert::Coding;
use crate::config::Config;
use crate::socket::greeting::{self, GreetError};
use crate::socket::{Message, Socket};

/// The subprotocol in the examples of Asterisk's own documentation; spoken when it is offered.
pub const PROTOCOL: &str = "media";

/// The call itself gives up ringing; Asterisk does so this much later, if we are gone by then.
const RINGS_ON: Duration = Duration::from_secs(5);

/// How long a human's phone rings for somebody who is put straight through: as long as any phone
/// does before a voicemail takes it.
const PASSED_RINGS: Duration = Duration::from_secs(30);

/// Characters of an unknown codec's name that reach the log; the longest of Asterisk's has 9.
const FORMAT_CHARS: usize = 16;

/// An Asterisk that is the carrier: what the server needs of it.
pub struct Pbx {
    /// Its orders.
    pub control: control::Control,
    /// Where it tells what happens.
    pub source: events::Source,
    /// Who may bring media.
    pub door: Door,
}

impl Pbx {
    /// As it is configured.
    ///
    /// # Errors
    /// When a secret is missing or the address is none.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        let settings = &config.asterisk;
        let secret = |secret: &Option<SecretString>, name: &str| {
            secret.clone().ok_or_else(|| anyhow::anyhow!("{name} is not set"))
        };
        let password = secret(&settings.password, "TANDEM__ASTERISK__PASSWORD")?;
        let door = secret(&settings.media_secret, "TANDEM__ASTERISK__MEDIA_SECRET")?;
        let rest = rest::Rest::new(&settings.ari_url, &settings.user, password.clone())?;
        let calls = control::Settings {
            endpoint: settings.endpoint.clone(),
            connection: settings.connection.clone(),
            dialect: settings.audio,
            ringing: Duration::from_secs(config.limits.ringing_s) + RINGS_ON,
            passed_rings: PASSED_RINGS,
            number: Number::new(config.carrier.number.as_str()),
        };
        let (ari_url, user) = (settings.ari_url.clone(), settings.user.clone());
        Ok(Self {
            control: control::Control::new(rest, calls),
            source: events::Source { ari_url, user, password },
            door: Door::new(door),
        })
    }
}

/// Knows the secret that an Asterisk shows with its media sockets.
#[derive(Clone, Debug)]
pub struct Door(SecretString);

impl Door {
    /// For this secret.
    #[must_use]
    pub const fn new(secret: SecretString) -> Self {
        Self(secret)
    }

    /// Whether these headers hold the secret as the password of basic authentication; any user
    /// name will do. Compared in constant time.
    #[must_use]
    pub fn opens(&self, headers: &HeaderMap) -> bool {
        let shown = password(headers).unwrap_or_default();
        self.0.expose_secret().as_bytes().ct_eq(&shown).into()
    }
}

fn password(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let pair = STANDARD.decode(credentials.trim()).ok()?;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| pair[colon + 1..].to_vec())
}

/// What Asterisk says of a channel before its audio.
#[derive(Clone, PartialEq, Eq)]
pub struct Start {
    /// The channel that has connected.
    pub channel: CarrierCallId,
    /// How its audio is coded.
    pub coding: Coding,
    /// The channel's variables, tokens among them.
    pub variables: BTreeMap<String, String>,
}

/// Variables hold tokens and numbers; a log gets their names.
impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.keys().collect();
        f.debug_struct("Start").field("channel", &self.channel).field("variables", &names).finish()
    }
}

/// Whose media a channel brings.
#[derive(Debug, PartialEq, Eq)]
pub enum Whose {
    /// That of a call we know, with its nonce.
    Call(CallId, String),
    /// That of somebody who rings; the dialplan has sent them straight to us.
    Caller {
        /// Who.
        from: Number,
        /// Which number of ours.
        to: Number,
        /// The channel to hang up when we go: theirs where the dialplan told it.
        channel: CarrierCallId,
    },
    /// Nobody's: the variables are missing.
    Nobody,
}

impl Start {
    /// Reads the variables. Those that a channel has inherited for good keep the two underscores
    /// that say so in their names.
    #[must_use]
    pub fn whose(&self) -> Whose {
        let variable = |name: &str| {
            let inherited = || self.variables.get(&format!("__{name}"));
            self.variables.get(name).or_else(inherited).cloned()
        };
        if let (Some(call), Some(nonce)) = (variable(names::CALL), variable(names::NONCE)) {
            return Whose::Call(CallId::new(&call), nonce);
        }
        let (Some(from), Some(to)) = (variable(names::FROM), variable(names::TO)) else {
            return Whose::Nobody;
        };
        let channel = variable(names::CHANNEL).map_or(self.channel.clone(), CarrierCallId);
        Whose::Caller { from: Number::new(from), to: Number::new(to), channel }
    }
}

/// Reads until the channel has said whose it is, at most for `deadline`. The line's audio is as
/// the start says; its first event is [`Event::Started`].
///
/// # Errors
/// See [`GreetError`]; the socket is dropped.
pub async fn greet<S>(socket: Socket<S>, deadline: Duration) -> Result<(Start, Line), GreetError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (start, line) = greeting::greet(socket, deadline, first).await?;
    Ok((start, Box::new(line.opening_with(Event::Started))))
}

fn first(message: &Message) -> Result<Option<(Start, codec::Codec)>, GreetError> {
    // Audio may overtake `MEDIA_START`.
    let Message::Text(text) = message else { return Ok(None) };
    match wire::read(text) {
        Ok(wire::Inbound::Start(start)) => {
            let start = accepted(start)?;
            let codec = codec::Codec::new(start.coding);
            Ok(Some((start, codec)))
        }
        Ok(_) => Ok(None),
        Err(wire::Malformed) => Err(GreetError::stranger("json; chan_websocket needs f(json)")),
    }
}

fn accepted(start: wire::Start<'_>) -> Result<Start, GreetError> {
    let coding = match &*start.format {
        "slin24" => Coding::Pcm24k,
        "slin16" => Coding::Pcm16k,
        "ulaw" => Coding::Pcmu8k,
        other => {
            let other: String = other.chars().take(FORMAT_CHARS).collect();
            let shown = format!("audio as {other}; use slin24, slin16 or ulaw");
            return Err(GreetError::stranger(shown));
        }
    };
    let channel = CarrierCallId(start.channel.into_owned());
    Ok(Start { channel, coding, variables: start.variables })
}
