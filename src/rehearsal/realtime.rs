//! A simulated server of the OpenAI Realtime protocol (GA): strict where the real one is, deaf to
//! everything but the audio that reaches it, and able to misbehave on order. Shares no codec with
//! the product, so that the two cannot agree on a mistake.

mod behaviour;
mod connection;
mod conversation;
mod delivery;
mod door;
mod hearing;
pub mod mind;
mod probing;
mod response;
mod server;
mod session;
mod settings;
mod tokens;
mod wire;

pub use behaviour::{Behaviour, Fault, Pace, Transcripts, Whom};
pub use conversation::{Entry, Role};
pub use server::{RealtimeServer, SessionHistory};

#[cfg(test)]
mod tests;
