//! The command line: what the program can do, in a user's words.

mod approve;
mod calls;
mod campaign;
mod check;
mod client;
mod demo;
mod keys;
mod listen;
mod mcp;
mod phone;
mod place;
mod schedule;
mod search;
mod serve;
mod setup;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use futures_util::future::LocalBoxFuture;

use crate::config::{self, Config, ConfigError};
use crate::http;
use crate::telemetry;
use client::{At, Client};

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
    /// Show six calls that lose every part in the middle and go on.
    Demo(demo::Options),
    /// Ring somebody and follow the call; the exit status tells how it ended.
    Place(place::Options),
    /// Ask several the same at once and compare; exit 0 when somebody has what was asked for.
    Search(search::Options),
    /// Have an operation approved by phone; exit 0 when it is accepted.
    Approve(approve::Options),
    /// List calls, newest first.
    Calls(calls::List),
    /// Show a call with what was said.
    Show(calls::Show),
    /// Follow a call's audio into a WAV file, caller left, agent right.
    Listen(listen::Options),
    /// End a call now.
    #[command(name = "hangup")]
    HangUp(calls::HangUp),
    /// Have a phone rung later, or again and again.
    Schedule(schedule::Options),
    /// List campaigns, or show one with where each target stands.
    Campaign(campaign::Options),
    /// Show or set the phone that is rung by orders that name nobody.
    Phone(phone::Options),
    /// Make, list and revoke keys of the API.
    Keys(keys::Options),
    /// Serve an agent on standard input and output (Model Context Protocol).
    Mcp(mcp::Options),
    /// Print the API as an OpenAPI 3.1 document; a running server shows it at /docs.
    #[command(name = "openapi")]
    OpenApi {
        /// It is JSON anyway.
        #[arg(long)]
        json: bool,
    },
    /// Look at everything that is configured and say what works; dials nobody.
    Check(check::Options),
    /// Ask for what a real carrier and model need, and write tandem.toml.
    Setup(setup::Options),
}

/// Does what the command line asks. Errors go to standard error; 1 is failure, 2 usage.
#[must_use]
pub fn run(cli: Cli) -> LocalBoxFuture<'static, ExitCode> {
    Box::pin(asked(cli))
}

async fn asked(cli: Cli) -> ExitCode {
    let file = cli.config.as_deref();
    let done = match cli.command {
        // These two are there for settings that are wrong.
        Some(Command::Check(options)) => Ok(check::run(options, load(file)).await),
        Some(Command::Setup(options)) => setup::run(&options, file),
        Some(Command::Serve(options)) => serve(&options, load(file)).await,
        None => serve(&serve::Options::default(), load(file)).await,
        Some(Command::Demo(options)) => match load(file) {
            Ok(config) => demo::run(&options, config).await,
            Err(error) => Err(error.into()),
        },
        Some(Command::Place(options)) => place::run(&options, client(&options.at, file)).await,
        Some(Command::Approve(options)) => approve::run(&options, client(&options.at, file)).await,
        Some(Command::Calls(options)) => calls::list(&options, client(&options.at, file)).await,
        Some(Command::Show(options)) => calls::show(&options, client(&options.at, file)).await,
        Some(Command::Listen(options)) => listen::run(&options, client(&options.at, file)).await,
        Some(Command::HangUp(options)) => calls::hang_up(&options, client(&options.at, file)).await,
        Some(Command::Schedule(options)) => {
            schedule::run(&options, client(&options.at, file)).await
        }
        Some(Command::Campaign(options)) => {
            campaign::run(&options, client(&options.at, file)).await
        }
        Some(Command::Phone(options)) => phone::run(&options, client(&options.at, file)).await,
        Some(Command::Keys(options)) => keys::run(&options, client(&options.at, file)).await,
        Some(Command::Mcp(options)) => mcp::run(client(&options.at, file)).await,
        Some(Command::OpenApi { json: _ }) => {
            say(http::openapi::text());
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Search(options)) => search::run(&options, client(&options.at, file)).await,
    };
    done.unwrap_or_else(|error| {
        say_error(&format!("tandem: {error:#}"));
        ExitCode::FAILURE
    })
}

/// The settings. Who has just set up, or is in another shell, may not have loaded the secrets.
fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    config::load(file).map_err(|error| match error {
        ConfigError::Invalid(what)
            if what.contains("TANDEM__") && Path::new(setup::SECRETS).exists() =>
        {
            let file = setup::SECRETS;
            ConfigError::Invalid(format!("{what}; is {file} loaded (set -a; . ./{file}; set +a)?"))
        }
        ConfigError::Invalid(_) | ConfigError::Unreadable(_) | ConfigError::UnknownKey { .. } => {
            error
        }
    })
}

/// The way to the running server. Who says where it is needs none of the settings here, also not
/// those that would be wrong for a server.
fn client(at: &At, file: Option<&Path>) -> anyhow::Result<Client> {
    let config = match load(file) {
        Err(_) if at.is_elsewhere() => Config::default(),
        config => config?,
    };
    Client::of(at, &config)
}

async fn serve(
    options: &serve::Options,
    config: Result<Config, ConfigError>,
) -> anyhow::Result<ExitCode> {
    let config = config?;
    telemetry::install(&config.log);
    serve::run(options, &config).await
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

/// A text of a JSON object; nothing where there is none.
fn column<'a>(of: &'a serde_json::Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}
