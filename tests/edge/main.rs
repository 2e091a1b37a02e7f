//! The edge under attack, bounded in time and on loopback only: what comes in must neither bring
//! it down nor fill it.
#![expect(clippy::unwrap_used, reason = "an attack that cannot go on has failed")]

mod crowd;
mod wires;
