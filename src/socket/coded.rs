//! A socket and a codec make a line: the glue that all vendors share.
//! Knows no vendor; what a message means is the codec's.

use std::task::{Context, Poll, ready};

use tandem_actors::leg::{Broken, Line};
use tokio::io::{AsyncRead, AsyncWrite};

use super::tally::Tally;
use super::{Message, Socket, Utf8Bytes};

/// Close code of an end in order (RFC 6455 §7.4.1).
const NORMAL: u16 = 1000;

/// Close code of an end because the far end breaks the terms.
const POLICY: u16 = 1008;

/// Turns messages into events and commands into messages. Pure: no socket, task or clock.
pub trait Codec {
    /// What the far end says.
    type Event;
    /// What it is told.
    type Command;

    /// The far end's name in logs.
    const FAR_END: &'static str;

    /// Whether the far end reports playback.
    const MARKS: bool;

    /// Makes sense of a message.
    fn decode(&mut self, message: &Utf8Bytes) -> Decoded<Self::Event>;

    /// Writes a command.
    fn encode(&mut self, command: Self::Command) -> Encoded;

    /// What the end of the line means, where its close code says more than that it is over.
    fn last(&self, broken: &Broken) -> Option<Self::Event>;
}

/// What a message was.
#[derive(Debug)]
pub enum Decoded<Event> {
    /// It says this.
    Event(Event),
    /// It says two things at once.
    Both(Event, Event),
    /// It is known and of no interest.
    Nothing,
    /// It is of a kind we do not know.
    Unknown(String),
    /// It is not what it should be.
    Bad(&'static str),
    /// The far end does what cannot go on; why.
    Hopeless(String),
}

/// What a command became.
#[derive(Debug, PartialEq, Eq)]
pub enum Encoded {
    /// This message.
    Text(String),
    /// Nothing: the far end has no word for it.
    Nothing,
    /// The end of the socket.
    Close,
}

/// A line: a socket with its codec.
#[derive(Debug)]
pub struct Coded<S, C: Codec> {
    socket: Socket<S>,
    codec: C,
    tally: Tally,
    next: Option<C::Event>,
    broken: Option<Broken>,
}

impl<S, C: Codec> Coded<S, C> {
    /// Joins the two.
    #[must_use]
    pub fn new(socket: Socket<S>, codec: C) -> Self {
        Self { socket, codec, tally: Tally::new(C::FAR_END), next: None, broken: None }
    }

    /// Reports this event before anything that is read.
    #[must_use]
    pub fn opening_with(mut self, event: C::Event) -> Self {
        self.next = Some(event);
        self
    }
}

impl<S, C> Coded<S, C>
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: Codec,
{
    /// Takes one message; an event if it made one.
    fn take(&mut self, message: Message) -> Result<Option<C::Event>, Broken> {
        let decoded = match message {
            Message::Text(text) => self.codec.decode(&text),
            Message::Binary(_) => Decoded::Bad("binary"),
        };
        match decoded {
            Decoded::Event(event) => {
                self.tally.good();
                Ok(Some(event))
            }
            Decoded::Both(first, second) => {
                self.tally.good();
                self.next = Some(second);
                Ok(Some(first))
            }
            Decoded::Nothing => {
                self.tally.good();
                Ok(None)
            }
            Decoded::Unknown(name) => {
                self.tally.unknown(&name);
                Ok(None)
            }
            Decoded::Bad(what) => self.tally.bad(what).map(|()| None),
            Decoded::Hopeless(why) => Err(Broken::Failed(why)),
        }
    }
}

impl<S, C> Line for Coded<S, C>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    C: Codec + Send,
    C::Event: Send,
{
    type Event = C::Event;
    type Command = C::Command;

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<C::Event, Broken>> {
        loop {
            if let Some(event) = self.next.take() {
                return Poll::Ready(Ok(event));
            }
            if let Some(broken) = &self.broken {
                return Poll::Ready(Err(broken.clone()));
            }
            match ready!(self.socket.poll_message(cx)) {
                Ok(message) => match self.take(message) {
                    Ok(None) => {}
                    Ok(Some(event)) => return Poll::Ready(Ok(event)),
                    Err(broken) => {
                        self.socket.abort(POLICY, "unusable messages");
                        self.broken = Some(broken);
                    }
                },
                Err(broken) => {
                    self.next = self.codec.last(&broken);
                    self.broken = Some(broken);
                }
            }
        }
    }

    fn send(&mut self, command: C::Command) -> Result<(), Broken> {
        match self.codec.encode(command) {
            Encoded::Text(text) => self.socket.send_text(text),
            Encoded::Nothing => Ok(()),
            Encoded::Close => self.socket.close(NORMAL, ""),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.socket.poll_flush(cx)
    }

    fn marks(&self) -> bool {
        C::MARKS
    }
}
