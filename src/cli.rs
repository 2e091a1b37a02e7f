//! The command line: what the program can do, in a user's words.

mod demo;
mod place;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Config};
use crate::telemetry;

/// A runtime for AI phone calls. Without a command it serves.
///
/// With no carrier and no model configured it runs in rehearsal: a simulated phone network and a
/// simulated speech model on real sockets; nothing can ring a real phone.
#[derive(Debug, Parser)]
#[command(version, about, long_about)]
pub struct Cli {
    /// Configuration file (TOML). Every key can also be set as `TANDEM__SECTION__KEY`.
    #[arg(long, short, global = true, env = "TANDEM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop (the default).
    Serve(serve::Options),
    /// Show two calls that lose every part in the middle and go on.
    Demo(demo::Options),
    /// Ring somebody and follow the call; exit 0 when it was answered and finalized.
    Place(place::Options),
}

/// Does what the command line asks. Errors go to standard error; 1 is failure, 2 usage.
pub async fn run(cli: Cli) -> ExitCode {
    let done = match config::load(cli.config.as_deref()) {
        Ok(config) => act(cli.command, config).await,
        Err(error) => Err(error.into()),
    };
    done.unwrap_or_else(|error| {
        say_error(&format!("tandem: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn act(command: Option<Command>, config: Config) -> anyhow::Result<ExitCode> {
    match command.unwrap_or(Command::Serve(serve::Options::default())) {
        Command::Serve(options) => {
            telemetry::install(&config.log);
            serve::run(&options, &config).await
        }
        Command::Demo(options) => demo::run(&options, config).await,
        Command::Place(options) => place::run(&options, &config).await,
    }
}

/// Prints a line. A reader that has gone away (`| head`) is no reason to panic.
fn say(line: &str) {
    use std::io::Write;
    let _gone = writeln!(std::io::stdout().lock(), "{line}");
}

fn say_error(line: &str) {
    use std::io::Write;
    let _gone = writeln!(std::io::stderr().lock(), "{line}");
}
