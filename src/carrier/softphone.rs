//! The softphone: a browser that stands in for a phone number as long as its socket is open. A
//! carrier like the others, in front of the one that is configured: what is ordered of a number
//! that a browser stands in for is its own, everything else goes on to the one behind.
//!
//! A browser has two kinds of sockets: one on which it is told that it rings, and for each call
//! one with the media, whose opening answers the call and whose end hangs up.

mod board;
mod bridge;
pub mod codec;
mod control;
mod hand_over;
pub mod wire;

#[cfg(test)]
mod tests;

use tandem_actors::briefing::CallId;
use tandem_actors::carrier::{Addresses, CarrierCallId, Event, Line};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::carrier::convert::Coding;
use crate::socket::coded::Coded;
use crate::socket::{Limits, Socket};

pub use board::{NotStandingIn, StandIn};
pub use control::Softphones;

/// How the audio of a media socket is coded.
pub const CODING: Coding = Coding::Pcm24k;

/// What a browser may send at once on a media socket: the longest piece of audio, and no more.
pub const MEDIA: Limits = Limits { message_bytes: codec::MOST_BYTES };

/// What it may send at once on the other: a word about one call.
pub const WORDS: Limits = Limits { message_bytes: 1_024 };

/// What the names of its calls begin with.
const OURS: &str = "softphone-";

/// The line of a media socket, whose call is answered with it.
#[must_use]
pub fn line<S>(socket: Socket<S>) -> Line
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Box::new(Coded::new(socket, codec::Codec::default()).opening_with(Event::Started))
}

/// What a call of a browser is called.
#[must_use]
pub fn name(call: &CallId) -> CarrierCallId {
    CarrierCallId(format!("{OURS}{call}"))
}

/// Which call has this name, if it is one of a browser.
fn call_of(name: &CarrierCallId) -> Option<CallId> {
    name.0.strip_prefix(OURS).map(CallId::new)
}

/// Where a browser brings the media of a call whose carrier would find us there: the nonce is the
/// last part of every media address.
#[must_use]
pub fn media_path(call: &CallId, addresses: &Addresses) -> String {
    let path = addresses.media.split('?').next().unwrap_or_default();
    media_path_of(call, path.rsplit('/').next().unwrap_or_default())
}

fn media_path_of(call: &CallId, nonce: &str) -> String {
    format!("/softphone/media/{call}/{nonce}")
}
