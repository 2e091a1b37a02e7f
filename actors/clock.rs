//! The only reader of the clocks in this crate; everything else is given the time.

pub use tokio::time::Instant;

/// The moment it is; under a paused test runtime, the test's moment.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// The moment it is by the wall clock, for records.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn wall() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
