//! How many facts may wait for the disk, and the count of those that found no room.
//! The waiting itself is the writer's queue; this only guards its door.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tandem_actors::record::Fact;

/// Facts that may wait in memory while nothing can be written. At some 500 bytes each this is
/// 32 MiB, and 1,000 calls of 4 facts a second fill it in 16 seconds.
pub const SPOOL_MAX: usize = 65_536;

/// Room above [`SPOOL_MAX`] for the ends of calls alone: one each, so as many as calls may be live.
pub const ENDS_MAX: usize = 4_096;

/// A full spool is said once in this time.
const SAY_EVERY: Duration = Duration::from_secs(1);

/// The counts at the door.
pub(super) struct Spool {
    held: AtomicUsize,
    dropped: AtomicU64,
    said_ms: AtomicU64,
    born: Instant,
}

impl Spool {
    pub(super) fn new() -> Self {
        Self {
            held: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            said_ms: AtomicU64::new(0),
            born: Instant::now(),
        }
    }

    /// Whether a fact may come in; counts it either way.
    pub(super) fn admit(&self, fact: &Fact) -> bool {
        let room = match fact {
            Fact::Finalized { .. } => SPOOL_MAX + ENDS_MAX,
            Fact::Lifecycle(_)
            | Fact::SubmissionUnknown
            | Fact::CarrierNamed(_)
            | Fact::Turn(_)
            | Fact::Masked { .. }
            | Fact::Restricted { .. }
            | Fact::Pressed
            | Fact::Answerer { .. }
            | Fact::Keyed
            | Fact::Recording { .. }
            | Fact::DisclosureHeard { .. }
            | Fact::HandOver { .. }
            | Fact::ToolAsked { .. }
            | Fact::ToolAnswered { .. }
            | Fact::ConfirmationAsked { .. }
            | Fact::ConfirmationSettled { .. }
            | Fact::ConfirmationStep { .. }
            | Fact::ToolLate { .. }
            | Fact::Announced { .. }
            | Fact::Spoken(_)
            | Fact::BargedIn { .. }
            | Fact::Lost { .. }
            | Fact::Repaired { .. }
            | Fact::Replied { .. }
            | Fact::Used(_) => SPOOL_MAX,
        };
        let more = |held: usize| (held < room).then_some(held + 1);
        // The counts guard no other memory, so that no ordering is needed.
        if self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok() {
            return true;
        }
        self.count_dropped();
        false
    }

    pub(super) fn count_dropped(&self) {
        let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        let said = self.said_ms.load(Ordering::Relaxed);
        let due = said == 0 || now.saturating_sub(said) >= SAY_EVERY.as_millis() as u64;
        let mine =
            |at| self.said_ms.compare_exchange(said, at, Ordering::Relaxed, Ordering::Relaxed);
        if due && mine(now.max(1)).is_ok() {
            tracing::error!(dropped, "the record's spool is full; facts of calls are dropped");
        }
    }

    pub(super) fn release(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
