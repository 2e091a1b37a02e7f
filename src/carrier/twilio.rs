//! Twilio as a carrier. Here its Media Streams: the WebSocket that Twilio dials to us. Which call
//! it belongs to is said only inside, so [`greet`] reads that far before the call is looked for.
//! Orders go out through [`control`]; what Twilio tells comes in through `src/http/twilio.rs`.

pub mod book;
pub mod codec;
pub mod control;
pub mod form;
pub mod outcome;
pub mod rest;
pub mod signature;
pub mod twiml;
pub mod wire;

mod handover;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::time::Duration;

use tandem_actors::carrier::{CarrierCallId, Event, Line};
use tandem_actors::leg::Broken;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::carrier::convert::Coding;
use crate::socket::coded::Coded;
use crate::socket::{Message, Socket};

/// What travels on the line: the model's `audio/pcmu`.
pub const CODING: Coding = Coding::Pcmu8k;

/// Messages before `start`; there should be one, `connected`.
const MESSAGES_BEFORE_START: usize = 8;

/// What Twilio says of a stream before its audio.
#[derive(Clone, PartialEq, Eq)]
pub struct Start {
    /// The stream's name; every message to Twilio carries it.
    pub stream: String,
    /// The call.
    pub call: CarrierCallId,
    /// The `<Parameter>`s of our own TwiML, tokens among them.
    pub parameters: BTreeMap<String, String>,
}

/// Parameters hold tokens; a log gets their names.
impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.parameters.keys().collect();
        f.debug_struct("Start").field("call", &self.call).field("parameters", &names).finish()
    }
}

/// Why a stream did not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GreetError {
    /// The deadline passed.
    #[error("no start within the deadline")]
    TimedOut,
    /// Something else than a stream of ours talks there.
    #[error("not a media stream: {0}")]
    NotAStream(&'static str),
    /// The socket ended.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Reads until the stream has said whose it is, at most for `deadline`.
///
/// # Errors
/// See [`GreetError`]; the socket is dropped.
pub async fn greet<S>(
    mut socket: Socket<S>,
    deadline: Duration,
) -> Result<(Start, Line), GreetError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let start = tokio::time::timeout(deadline, started(&mut socket))
        .await
        .map_err(|_elapsed| GreetError::TimedOut)??;
    let line = line(socket, &start);
    Ok((start, line))
}

async fn started<S>(socket: &mut Socket<S>) -> Result<Start, GreetError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for _ in 0..MESSAGES_BEFORE_START {
        let Message::Text(text) = poll_fn(|cx| socket.poll_message(cx)).await? else {
            return Err(GreetError::NotAStream("binary"));
        };
        match wire::read(&text) {
            Ok(wire::Inbound::Start(start)) => return codec::start(start),
            Ok(_) => {}
            Err(wire::Malformed) => return Err(GreetError::NotAStream("json")),
        }
    }
    Err(GreetError::NotAStream("no start"))
}

/// Makes a line of a stream that has started. Its audio is [`CODING`] and it returns marks; its
/// first event is [`Event::Started`].
pub fn line<S>(socket: Socket<S>, start: &Start) -> Line
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let codec = codec::Codec::new(&start.stream);
    Box::new(Coded::new(socket, codec).opening_with(Event::Started))
}
