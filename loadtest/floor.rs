//! The floor: what it costs to move the same bytes with no sense at all. A plain TCP forwarder in
//! a process of its own, and the drivers of both its ends. No bridge can cost less; how much more
//! one costs is a ratio that no machine's speed changes.

pub mod driver;
pub mod forwarder;
mod frame;

pub use driver::{Drive, Driven, run};
