//! The rehearsal: a simulated world to talk to when no carrier and no model is configured, in
//! tests and under load. Its listeners learn what was said only from the audio that reached
//! them, so that a lost, late, doubled or reordered frame shows.

pub mod azure;
pub mod callee;
pub mod carrier;
pub mod compare;
pub mod pacer;
pub mod phone;
pub mod realtime;
pub mod speech;
