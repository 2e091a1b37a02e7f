//! Azure Communication Services: the WebSocket that ACS dials to us, and what we order of it.
//! Which call a socket belongs to is in its address; by now that has been settled.

mod access;
mod allowance;
pub mod callback;
pub mod codec;
pub mod connection;
pub mod control;
pub mod event_grid;
pub mod guard;
mod identity;
pub mod inbox;
pub mod keys;
pub mod order;
pub mod outcome;
pub mod recording;
pub mod reply;
mod rest;
mod seen;
pub mod signature;
pub mod token;
pub mod wire;

pub use access::NoToken;

#[cfg(test)]
pub(crate) mod signer;
#[cfg(test)]
mod tests;

use tandem_actors::carrier::Line;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::carrier::convert::Coding;
use crate::socket::Socket;
use crate::socket::coded::Coded;

/// The audio agreed with ACS when the call was placed or answered (`audioFormat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// `pcm16KMono`.
    Hz16000,
    /// `pcm24KMono`: the model's own, nothing is converted.
    Hz24000,
}

impl Rate {
    /// Samples a second.
    #[must_use]
    pub const fn hz(self) -> u32 {
        match self {
            Self::Hz16000 => 16_000,
            Self::Hz24000 => 24_000,
        }
    }

    /// What travels on the line.
    #[must_use]
    pub const fn coding(self) -> Coding {
        match self {
            Self::Hz16000 => Coding::Pcm16k,
            Self::Hz24000 => Coding::Pcm24k,
        }
    }
}

/// Makes a line of an ACS media socket. Its audio is [`Rate::coding`]; ACS reports no playback
/// position, so marks are ignored.
pub fn line<S>(socket: Socket<S>, rate: Rate) -> Line
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Box::new(Coded::new(socket, codec::Codec::new(rate)))
}
