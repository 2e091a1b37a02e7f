//! What the four parts of a call have in common: their one message and the faults a rehearsal
//! may inflict on them.

use std::sync::Arc;

use ractor::{ActorProcessingErr, ActorRef};

use crate::call::event::Part;
use crate::lane::Lane;
use crate::seed::Seed;

/// A fault inflicted on purpose, to show that it is survived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A panic in the middle of a message.
    Panic,
    /// A message that ends in an error.
    Error,
    /// A message that never ends.
    Hang,
}

impl Fault {
    /// Inflicts it on whoever calls.
    ///
    /// # Errors
    /// For [`Fault::Error`].
    pub async fn inflict(self) -> Result<(), ActorProcessingErr> {
        match self {
            Self::Panic => panic!("injected fault"),
            Self::Error => Err("injected fault".into()),
            Self::Hang => std::future::pending().await,
        }
    }
}

/// The message of a part. What it is about lies in a lane, where it survives the reader.
#[derive(Debug)]
pub enum Msg {
    /// Look into your lanes.
    Wake,
    /// Suffer this.
    Fault(Fault),
    /// Something of the part's own; told by its own tasks.
    Own(Own),
}

/// What the tasks of a part tell it.
pub enum Own {
    /// MediaIn's pump panicked.
    PumpFell,
    /// RealtimeLink's dial has ended.
    Dialled(crate::realtime_link::Dialled),
    /// RealtimeLink's session has reached its age.
    Aged,
    /// Confirmation's question, put at this moment, has reached its end.
    Expired(u64),
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PumpFell => "PumpFell",
            Self::Dialled(_) => "Dialled",
            Self::Aged => "Aged",
            Self::Expired(_) => "Expired",
        })
    }
}

/// Makes an actor the reader of a lane.
pub(crate) fn listen<T: Send + 'static>(lane: &Lane<T>, reader: &ActorRef<Msg>) {
    let reader = reader.clone();
    lane.attach(move || {
        // A reader that is gone has a successor, which is told what waits when it attaches.
        let _gone = reader.cast(Msg::Wake);
    });
}

/// Springs the trap a rehearsal may have laid for this part's next start.
pub(crate) fn start(seed: &Arc<Seed>, part: Part) {
    assert!(!seed.springs_trap(part), "injected fault in the start of {}", part.word());
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(crate) struct Owned(tokio::task::JoinHandle<()>);

impl Owned {
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Owned {
    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}
