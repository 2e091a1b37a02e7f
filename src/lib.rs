//! The edge: everything of Tandem that speaks to the world. The call itself, its actors and its
//! decisions are in `tandem-actors`; nothing here is an actor.
//!
//! In reading order: who calls us ([`http`]), whom a call may ring ([`policy`]), who makes one of
//! it ([`reception`]), the phone network ([`carrier`]), the model ([`model`]), the tools
//! ([`tool`]), what is written down ([`store`], [`recording`]), who is told of it ([`webhook`]),
//! and the simulated world
//! ([`rehearsal`]).

pub mod cli;
pub mod server;

pub mod account;
pub mod aftermath;
pub mod approval;
pub mod campaign;
pub mod check;
pub mod elsewhere;
pub mod http;
pub mod inbound;
pub mod mcp;
pub mod page;
pub mod persona;
pub mod policy;
pub mod reception;
pub mod schedule;
pub mod search;

pub mod carrier;
pub mod model;
pub mod socket;

pub mod clips;
pub mod loads;
pub mod recording;
pub mod retention;
pub mod settings;
pub mod standing;
pub mod store;
pub mod tool;
pub mod webhook;

pub mod rehearsal;

pub mod config;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod shutdown;
pub mod telemetry;

/// Every frame of audio passes through a few blocks of one to two kilobytes, a size at which the
/// allocators of operating systems are slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
