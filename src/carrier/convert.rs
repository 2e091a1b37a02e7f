//! Joins a carrier to a call that speaks another audio format: decodes, resamples, encodes.
//! Knows no vendor. A line that already speaks the call's format is left alone.

mod stream;

#[cfg(test)]
mod tests;

use std::task::{Context, Poll, ready};

use tandem_actors::audio::Format;
use tandem_actors::carrier::{Command, Event, Line};
use tandem_actors::leg::{self, Broken};

use stream::Stream;

/// How the samples on a carrier's line are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// PCM, 16 bit little-endian, mono, 16,000 samples a second.
    Pcm16k,
    /// PCM, 16 bit little-endian, mono, 24,000 samples a second.
    Pcm24k,
    /// G.711 µ-law, mono, 8,000 samples a second.
    Pcmu8k,
}

impl Coding {
    /// Samples a second.
    #[must_use]
    pub const fn rate_hz(self) -> usize {
        match self {
            Self::Pcm16k => 16_000,
            Self::Pcm24k => 24_000,
            Self::Pcmu8k => 8_000,
        }
    }

    /// Bytes of one sample.
    #[must_use]
    pub const fn sample_bytes(self) -> usize {
        match self {
            Self::Pcm16k | Self::Pcm24k => 2,
            Self::Pcmu8k => 1,
        }
    }
}

impl From<Format> for Coding {
    fn from(format: Format) -> Self {
        match format {
            Format::Pcm24k => Self::Pcm24k,
            Format::Pcmu8k => Self::Pcmu8k,
        }
    }
}

/// Gives a line that speaks the call's format over one that speaks `wire`; the same line when
/// there is nothing to convert.
///
/// Both directions give frames of 20 ms, whatever comes in, and add 10 ms of delay (half the
/// filter's block), plus up to 20 ms where the incoming pieces are no multiple of 20 ms. The
/// last piece shorter than a frame waits for more audio and is thrown away by a flush.
#[must_use]
pub fn line(inner: Line, wire: Coding, call: Format) -> Line {
    let call = Coding::from(call);
    if wire == call {
        return inner;
    }
    Box::new(Converting {
        inner,
        inward: Stream::new(wire, call),
        outward: Stream::new(call, wire),
    })
}

/// A carrier's line in another format.
struct Converting {
    inner: Line,
    inward: Stream,
    outward: Stream,
}

impl leg::Line for Converting {
    type Event = Event;
    type Command = Command;

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Broken>> {
        loop {
            if let Some(frame) = self.inward.pull() {
                return Poll::Ready(Ok(Event::Heard(frame)));
            }
            match ready!(self.inner.poll_event(cx)) {
                Ok(Event::Heard(audio)) => self.inward.push(&audio),
                other => return Poll::Ready(other),
            }
        }
    }

    fn send(&mut self, command: Command) -> Result<(), Broken> {
        match command {
            Command::Say(audio) => {
                self.outward.push(&audio);
                while let Some(frame) = self.outward.pull() {
                    self.inner.send(Command::Say(frame))?;
                }
                Ok(())
            }
            Command::Flush => {
                self.outward.reset();
                self.inner.send(Command::Flush)
            }
            Command::Mark(_) | Command::Close => self.inner.send(command),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.inner.poll_flush(cx)
    }

    fn marks(&self) -> bool {
        self.inner.marks()
    }
}
