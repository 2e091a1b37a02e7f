//! The program: reads the command line, plays the part it was re-executed for, or runs a load
//! test and returns its verdict as the exit status.

use std::process::ExitCode;

use clap::Parser;
use tandem_loadtest::{child, cli::Args, floor, server};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(child::SERVER) => server::body(),
        Some(child::FORWARDER) => floor::forwarder::body(arguments.next().as_deref()),
        Some(_) | None => tandem_loadtest::main_with(&Args::parse()),
    }
}
