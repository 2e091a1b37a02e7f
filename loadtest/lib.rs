//! Phones, a model and faults at scale against a phone bridge, with a verdict.
//!
//! A run rings a bridge with many phones that really talk: each says sentences, listens to the
//! answers word by word, and notices what was lost, doubled, late or somebody else's. The load is
//! open loop: every frame is due at a moment fixed beforehand, and its latency counts from that
//! moment, so a stall cannot hide by delaying the load. When the drivers themselves were late,
//! the run says "not valid" instead of blaming the bridge.
//!
//! A run of another kind needs no bridge: a hostile model against the actors themselves, in virtual
//! time ([`cli::Hostile`]); or a server that is killed again and again ([`cli::Crash`]).
//!
//! The bridge runs in a process of its own, which is this program executed again; so does the
//! plain forwarder that its processor time is compared with. Everything stays on the loopback
//! interface, is bounded in time, and ends by itself.

use std::io::Write;
use std::process::ExitCode;

pub mod cli;
mod crash;
mod hostile;
mod run;

pub mod faults;
pub mod plan;

mod inject;
mod line;
mod listener;
mod quiet;
mod talk;
mod target;
mod transcript;
mod world;

pub mod child;
pub mod floor;
pub mod server;

mod findings;
pub mod keep;
pub mod measure;
pub mod process;
pub mod profile;
pub mod progress;
pub mod report;
mod tally;
pub mod verdict;
mod watch;

/// Runs what the command line asks for; the exit status is the verdict.
#[must_use]
pub fn main_with(args: &cli::Args) -> ExitCode {
    match &args.command {
        Some(cli::Command::Hostile(asked)) => hostile::main(asked, args.keep.as_ref()),
        Some(cli::Command::Crash(asked)) => crash::main(asked, args.keep.as_ref()),
        None => run::main(args),
    }
}

/// Says on standard error why the program cannot go on.
pub fn complain(error: &anyhow::Error) {
    // Nobody is left to be told when standard error is closed.
    let _unheard = writeln!(std::io::stderr(), "error: {error:#}");
}
