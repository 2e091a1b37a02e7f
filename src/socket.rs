//! One WebSocket, polled by one task: whole messages in, whole messages out, every bound named.
//! Knows neither JSON nor vendors; whoever reads the messages decides what they mean.

pub mod coded;
pub mod dial;
pub mod greeting;
pub mod upgrade;

mod polled;
pub(crate) mod scan;
pub(crate) mod tally;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tandem_actors::leg::Broken;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tungstenite::error::{CapacityError, Error, ProtocolError};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocket, WebSocketConfig};

pub use tungstenite::Utf8Bytes;

use polled::Polled;

/// Allocated for every socket up front. Three audio messages fit; the library's 128 KiB were
/// measured at 272 KB and a third more CPU time a call.
const READ_BUFFER_BYTES: usize = 2 * 1024;

/// What is encoded between two flushes goes to the operating system in one write: five frames
/// of ours are due at once, and a write costs more than encoding all of them.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// What may lie unsent: about 4 s of 24 kHz audio; whoever has not read for that long is gone.
const UNSENT_BYTES: usize = 256 * 1024;

/// Pings and pongs in one [`CONTROL_WINDOW`]. A keepalive is one in several seconds; each ping
/// costs us a write.
const CONTROL_FRAMES: u32 = 32;

/// The time [`CONTROL_FRAMES`] are counted over.
const CONTROL_WINDOW: Duration = Duration::from_secs(1);

/// Characters of the far end's close reason that are kept; RFC 6455 §5.5 allows 123 bytes.
const REASON_CHARS: usize = 120;

/// Messages read after writing has failed, in search of the close frame that says why. A read
/// buffer's worth; whatever lies behind more of them is not worth the search.
const LAST_WORDS: usize = 64;

/// How large an incoming message may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message, in one frame or in many.
    pub message_bytes: usize,
}

impl Limits {
    /// For carriers: an audio message is 1.4 KB, so this is generous and still cheap to hold.
    pub const CARRIER: Self = Self { message_bytes: 256 * 1024 };
    /// For models: they send seconds of audio in one message, and whole sessions as JSON.
    pub const MODEL: Self = Self { message_bytes: 16 * 1024 * 1024 };

    fn config(self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(UNSENT_BYTES)
            .max_message_size(Some(self.message_bytes))
            .max_frame_size(Some(self.message_bytes))
    }
}

/// What the far end has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, checked to be UTF-8.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
}

/// A WebSocket over any stream.
///
/// Never split: one task reads and writes it, and a panic of that task between two calls leaves
/// no message half written. The stream's maker sets `TCP_NODELAY`. No compression is offered or
/// taken, so a small frame cannot become a large message.
pub struct Socket<S> {
    stream: WebSocket<Polled<S>>,
    control: Control,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Takes the server's side of a stream whose handshake is over; `leftover` was read past it.
    pub fn accept(stream: S, leftover: Bytes, limits: Limits) -> Self {
        let (config, leftover) = (Some(limits.config()), leftover.to_vec());
        let stream = Polled::new(stream);
        Self::over(WebSocket::from_partially_read(stream, leftover, Role::Server, config))
    }

    /// Takes the client's side of a stream whose handshake is over.
    pub fn opened(stream: S, limits: Limits) -> Self {
        let config = Some(limits.config());
        Self::over(WebSocket::from_raw_socket(Polled::new(stream), Role::Client, config))
    }

    fn over(stream: WebSocket<Polled<S>>) -> Self {
        let now = Instant::now();
        Self { stream, control: Control { since: now, frames: 0, last: now } }
    }

    /// Returns the next message; pings are answered on the way. After an error the socket is of
    /// no more use, and the far end has been told as far as it can be told without waiting:
    /// 1009 for a message too large, 1002 and 1007 for a broken protocol, 1008 for a flood.
    pub fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Broken>> {
        use tungstenite::Message as Frame;
        self.stream.get_mut().serve(cx);
        loop {
            return Poll::Ready(match self.stream.read() {
                Ok(Frame::Text(text)) => Ok(Message::Text(text)),
                Ok(Frame::Binary(bytes)) => Ok(Message::Binary(bytes)),
                Ok(Frame::Close(frame)) => {
                    self.flush_what_goes();
                    Err(closed(frame))
                }
                Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_)) => {
                    if self.control.is_calm() {
                        continue;
                    }
                    self.abort(CloseCode::Policy.into(), "too many pings");
                    Err(Broken::Failed("flooded with control frames".into()))
                }
                Err(error) if would_block(&error) => return Poll::Pending,
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    Err(Broken::Failed("ended before".into()))
                }
                Err(error) => {
                    if let Some((code, reason)) = complaint(&error) {
                        self.abort(code.into(), reason);
                    }
                    Err(Broken::Failed(describe(&error)))
                }
            });
        }
    }

    /// Encodes one whole message; it goes out with the next [`Self::poll_flush`]. What is sent
    /// after a close, ours or theirs, goes nowhere; the close itself comes out of
    /// [`Self::poll_message`].
    ///
    /// # Errors
    /// [`Broken::Stuck`] when the far end has not read for so long that the buffer is full.
    pub fn send_text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), Broken> {
        self.send(tungstenite::Message::Text(text.into()))
    }

    /// Encodes one whole message that is not text; otherwise as [`Self::send_text`].
    ///
    /// # Errors
    /// As [`Self::send_text`].
    pub fn send_binary(&mut self, bytes: Bytes) -> Result<(), Broken> {
        self.send(tungstenite::Message::Binary(bytes))
    }

    /// Asks the far end for a sign of life.
    ///
    /// # Errors
    /// As [`Self::send_text`].
    pub fn ping(&mut self) -> Result<(), Broken> {
        self.send(tungstenite::Message::Ping(Bytes::new()))
    }

    /// How long it has given none: neither a ping nor an answer to one of ours.
    #[must_use]
    pub fn unanswered(&self) -> Duration {
        self.control.last.elapsed()
    }

    /// Starts to close the socket in order.
    ///
    /// # Errors
    /// As [`Self::send_text`].
    pub fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Broken> {
        let reason = Utf8Bytes::from_static(reason);
        let frame = CloseFrame { code: CloseCode::from(code), reason };
        self.send(tungstenite::Message::Close(Some(frame)))
    }

    /// Writes what has been encoded. Ready when all of it is with the operating system.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.stream.get_mut().serve(cx);
        match self.stream.flush() {
            Err(error) if would_block(&error) => Poll::Pending,
            Ok(()) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(self.last_words(&error))),
        }
    }

    fn send(&mut self, frame: tungstenite::Message) -> Result<(), Broken> {
        match self.stream.write(frame) {
            // It lies in the buffer; the next flush goes on.
            Err(error) if would_block(&error) => Ok(()),
            Ok(())
            | Err(
                Error::Protocol(ProtocolError::SendAfterClosing)
                | Error::ConnectionClosed
                | Error::AlreadyClosed,
            ) => Ok(()),
            Err(Error::WriteBufferFull(_)) => Err(Broken::Stuck),
            Err(error) => Err(self.last_words(&error)),
        }
    }

    /// Writing has failed. A far end that closes and goes makes our writes fail before we have
    /// read its close frame, and that frame says whether trying again can help.
    fn last_words(&mut self, error: &Error) -> Broken {
        for _ in 0..LAST_WORDS {
            match self.stream.read() {
                Ok(tungstenite::Message::Close(frame)) => return closed(frame),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        Broken::Failed(describe(error))
    }

    /// Says why we go, if that can be said without waiting.
    fn abort(&mut self, code: u16, reason: &'static str) {
        // The socket is lost already; that the far end does not hear why changes nothing.
        drop(self.close(code, reason));
        self.flush_what_goes();
    }

    fn flush_what_goes(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        drop(self.poll_flush(&mut cx));
    }
}

impl<S> fmt::Debug for Socket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("control", &self.control).finish_non_exhaustive()
    }
}

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// Counts the far end's pings and pongs.
#[derive(Debug)]
struct Control {
    since: Instant,
    frames: u32,
    last: Instant,
}

impl Control {
    /// Counts one more; whether that is still bearable.
    fn is_calm(&mut self) -> bool {
        let now = Instant::now();
        if now.duration_since(self.since) >= CONTROL_WINDOW {
            *self = Self { since: now, frames: 0, last: now };
        }
        self.last = now;
        self.frames += 1;
        self.frames <= CONTROL_FRAMES
    }
}

fn closed(frame: Option<CloseFrame>) -> Broken {
    let Some(frame) = frame else {
        return Broken::Closed { code: CloseCode::Status.into(), reason: String::new() };
    };
    let reason = frame.reason.chars().take(REASON_CHARS).collect();
    Broken::Closed { code: frame.code.into(), reason }
}

/// The close frame that answers a fault of the far end; none where nobody listens any more.
fn complaint(error: &Error) -> Option<(CloseCode, &'static str)> {
    if matches!(error, Error::Capacity(_)) {
        Some((CloseCode::Size, "message too large"))
    } else if matches!(error, Error::Utf8(_)) {
        Some((CloseCode::Invalid, "not utf-8"))
    } else if matches!(error, Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) {
        None
    } else if matches!(error, Error::Protocol(_)) {
        Some((CloseCode::Protocol, "protocol error"))
    } else {
        None
    }
}

fn describe(error: &Error) -> String {
    if let Error::Capacity(CapacityError::MessageTooLong { size, max_size }) = error {
        format!("message of {size} bytes where {max_size} are allowed")
    } else if let Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) = error {
        "ended without a close frame".to_owned()
    } else {
        error.to_string().to_lowercase()
    }
}
