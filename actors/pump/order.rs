//! What the pump is told.

use tokio::sync::oneshot;

use crate::call::event::{Clip, Generation};
use crate::carrier;
use crate::listener::Listening;
use crate::model;
use crate::tape::Tape;

/// What the pump is told.
#[derive(Debug)]
pub enum Order {
    /// Stop speaking; audio of responses up to this one is stale.
    Flush(Generation),
    /// Say a stored clip.
    Play(Clip),
    /// Send to the model, if the session with this number in the vault is the one in use. What was
    /// meant for another is not for this one, which was given the conversation after it.
    Tell(u64, model::Command),
    /// A fresh session lies in the vault: use it.
    Swap,
    /// Drop the session in use.
    Cut(String),
    /// Listen for this in the caller's audio.
    Listen(Listening),
    /// Tell one more of the call's audio.
    Tape(Box<dyn Tape>),
    /// Throw away what the model says.
    Mute,
    /// Let it be heard again.
    Unmute,
    /// Write down what is heard and said from here on, or nothing of it.
    Record(bool),
    /// Give the phone's line away: somebody else is to talk on it.
    Give(Taker),
    /// Close the phone's socket.
    Close,
    /// Panic: a fault for rehearsals.
    Panic,
}

/// Somebody who takes the phone's line from a call.
pub struct Taker(pub oneshot::Sender<carrier::Line>);

impl std::fmt::Debug for Taker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Taker")
    }
}
