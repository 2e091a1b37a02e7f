//! The program: command line, configuration, log, then one of the things it can do.

use std::process::ExitCode;

use clap::Parser;
use tandem::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    // Two TLS providers in one process end in a panic at the first `wss://`: there is one.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return ExitCode::FAILURE;
    }
    tandem::cli::run(Cli::parse()).await
}
