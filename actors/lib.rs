//! The call: its actors, who watches over whom, and what survives them.
//!
//! ```text
//! Exchange                      root: admits, finds, watches, drains; restarts a Call
//!  └─ Call                      feeds the machine, performs its outputs; replaces its parts
//!      ├─ MediaIn               the phone side; owns the pump
//!      │   └─ pump (a task)     moves audio between the two sockets
//!      ├─ RealtimeLink          the model side; opens sessions and puts them in use
//!      ├─ ToolRunner            runs tools beside the audio, each at most once
//!      └─ Confirmation          the guard the model cannot talk past
//! Seed                          outlives them all: vaults (sockets, machine, desk), lanes, ports
//! ```
//!
//! Nothing here knows a socket, HTTP, JSON or a vendor. The modules stand in reading order.

pub mod exchange;

pub mod call;
pub mod confirmation;
pub mod media_in;
pub mod realtime_link;
pub mod tool_runner;

mod dialling;
pub mod farewell;
pub mod intensity;
pub mod part;
pub mod seed;

pub mod audio;
pub mod desk;
pub mod lane;
pub mod leg;
pub mod listener;
pub mod pump;
pub mod ring;
pub mod tape;

pub mod briefing;
pub mod carrier;
pub mod model;
pub mod record;
pub mod tool;
pub mod usage;

pub mod clock;

#[cfg(test)]
mod fake;
