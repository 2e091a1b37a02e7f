//! Twilio as a carrier. Here its Media Streams: the WebSocket that Twilio dials to us. Which call
//! it belongs to is said only inside, so [`greet`] reads that far before the call is looked for.
//! Orders go out through [`control`]; what Twilio tells comes in through `src/http/twilio.rs`.

pub mod book;
pub mod codec;
pub mod control;
pub mod form;
pub mod outcome;
pub mod recording;
pub mod rest;
pub mod signature;
pub mod twiml;
pub mod waiting;
pub mod wire;

mod handover;
mod search;
mod whisper;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tandem_actors::carrier::{CarrierCallId, Event, Line};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::carrier::convert::Coding;
use crate::socket::greeting::{self, GreetError};
use crate::socket::{Message, Socket};

/// What travels on the line: the model's `audio/pcmu`.
pub const CODING: Coding = Coding::Pcmu8k;

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

/// Reads until the stream has said whose it is, at most for `deadline`. The line's audio is
/// [`CODING`] and it returns marks; its first event is [`Event::Started`].
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
    let Message::Text(text) = message else { return Err(GreetError::stranger("binary")) };
    match wire::read(text) {
        Ok(wire::Inbound::Start(start)) => {
            let start = codec::start(start)?;
            let codec = codec::Codec::new(&start.stream);
            Ok(Some((start, codec)))
        }
        Ok(_) => Ok(None),
        Err(wire::Malformed) => Err(GreetError::stranger("json")),
    }
}
