//! What comes of an order, of a ringing phone, and of a media socket that wants in.

use tandem_actors::briefing::CallId;
use tandem_actors::carrier::Addresses;
use tandem_actors::exchange::Refusal;
use tandem_actors::record::RecordError;

use crate::policy::Refused;
use crate::store::NoPlace;

/// A call that has been made of it.
#[derive(Clone, Debug)]
pub struct Made {
    /// The call.
    pub call: CallId,
    /// Where the carrier finds us: holds the call's nonces.
    pub addresses: Addresses,
}

/// What became of an order to ring somebody.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The call.
    pub call: CallId,
    /// Whether it was made before, by the same order.
    pub repeated: bool,
}

/// Why no call was made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotMade {
    /// The exchange refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// They may not be rung, or not now.
    #[error(transparent)]
    Forbidden(Refused),
    /// It could not be written down; then it is not made.
    #[error(transparent)]
    NotWritten(#[from] RecordError),
    /// The key of the order is that of another order.
    #[error("this key came with another order before")]
    OtherOrder,
    /// The same order came a moment ago under another key, and made this call.
    #[error("the same order came a moment ago and made the call {0}")]
    JustNow(CallId),
    /// It is not known whether a call of the same account rings this number.
    #[error(
        "it is not known whether the call {0} rings this number; look at it, and order again \
             when that is known"
    )]
    Unsure(CallId),
    /// Whoever rings here is not among those who may.
    #[error("the caller is not among those who may ring this number")]
    NotAdmitted,
    /// Its place in a search is not to be had.
    #[error(transparent)]
    NoPlace(#[from] NoPlace),
}

/// Why a media socket was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    /// No such call, or not its nonce. The two are not told apart.
    #[error("no call waits for this socket")]
    Away,
    /// The call has a live socket.
    #[error("the call has a live media socket")]
    Taken,
}
