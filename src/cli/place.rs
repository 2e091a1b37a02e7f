//! `tandem place`: rings somebody through a running server and follows the call.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tandem_actors::briefing::Outcome;

use super::calls::spoken;
use super::client::{At, Client};
use super::say;
use crate::config::Voicemail;

/// Before a stream of events that was cut is asked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// For `--help`: what [`exit_status`] gives.
const STATUS: &str = "Exit status: 0 answered (or placed, with --no-wait), 1 not placed or not \
                      followed to its end, 2 wrong usage, 3 no_answer, 4 busy, 5 rejected, \
                      6 invalid_number, 7 unreachable, 8 network_error, 9 cancelled, \
                      10 system_error, 11 failed";

#[derive(Args, Debug)]
#[command(after_help = STATUS)]
pub(super) struct Options {
    /// Whom to ring, in E.164 (`+15550100`); without it, the phone of `tandem phone`.
    to: Option<String>,
    /// What the call is for.
    #[arg(long)]
    task: String,
    /// What is said first, in place of what is usual.
    #[arg(long, value_name = "WORDS")]
    greeting: Option<String>,
    /// What is done when an answering machine picks up; without it, as the server is set.
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(Voicemail::WORDS))]
    voicemail: Option<String>,
    /// A tool that the call may use; give it once for each. Without it, all of them.
    #[arg(long = "tool", value_name = "NAME")]
    tools: Vec<String>,
    /// A file with a JSON Schema of what the call shall bring back; it is printed at the end.
    #[arg(long, value_name = "FILE")]
    result_schema: Option<PathBuf>,
    /// Return as soon as the call is placed.
    #[arg(long)]
    no_wait: bool,
    /// Print one JSON document at the end and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) at: At,
}

impl Options {
    fn order(&self) -> anyhow::Result<Value> {
        let mut order = json!({ "task": self.task });
        let texts =
            [("to", &self.to), ("greeting", &self.greeting), ("voicemail", &self.voicemail)];
        for (name, text) in texts {
            if let Some(text) = text {
                order[name] = text.as_str().into();
            }
        }
        if !self.tools.is_empty() {
            order["tools"] = self.tools.clone().into();
        }
        if let Some(file) = &self.result_schema {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            order["result_schema"] = serde_json::from_str(&text)
                .with_context(|| format!("{} is not JSON", file.display()))?;
        }
        Ok(order)
    }
}

pub(super) async fn run(
    options: &Options,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let client = client?;
    let placed = client.post("/v1/calls", options.order()?).await.context("not placed")?;
    let id = placed["id"].as_str().context("the server gave no id")?;
    if !options.json {
        say(&format!("call {id} queued"));
    }
    if options.no_wait {
        if options.json {
            say(&placed.to_string());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let followed = follow(&client, id, options.json).await;
    let call = followed
        .with_context(|| format!("lost sight of the call, which goes on: tandem show {id}"))?;
    if options.json {
        say(&call.to_string());
    } else if call["result"].is_object() {
        say(&format!("result {}", call["result"]));
    }
    let outcome = Outcome::ALL.into_iter().find(|outcome| call["outcome"] == outcome.word());
    Ok(outcome.map_or(ExitCode::FAILURE, |outcome| exit_status(outcome).into()))
}

/// How a call ended, for scripts.
const fn exit_status(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Answered => 0,
        Outcome::NoAnswer => 3,
        Outcome::Busy => 4,
        Outcome::Rejected => 5,
        Outcome::InvalidNumber => 6,
        Outcome::Unreachable => 7,
        Outcome::NetworkError => 8,
        Outcome::Cancelled => 9,
        Outcome::SystemError => 10,
        Outcome::Failed => 11,
    }
}

/// Tells what happens until the call is over; the call then.
async fn follow(client: &Client, id: &str, quiet: bool) -> anyhow::Result<Value> {
    let mut seen = 0;
    loop {
        let mut events = client.events(id, seen).await?;
        while let Some(event) = events.next().await {
            seen = event["sequence"].as_u64().unwrap_or(seen);
            if let Some(line) = line(&event).filter(|_| !quiet) {
                say(&line);
            }
        }
        let call = client.get(&format!("/v1/calls/{id}")).await?;
        if call["outcome"].is_string() {
            return Ok(call);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn line(event: &Value) -> Option<String> {
    let body = &event["body"];
    let word = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    Some(match event["kind"].as_str()? {
        "lifecycle" => format!("· {}", word("lifecycle")),
        "turn" => spoken(&word("speaker"), &word("text")),
        "tool_asked" => format!("tool   {}", word("name")),
        "lost" => format!("lost   {}: {}", word("part"), word("how")),
        "repaired" => format!("back   {} after {} ms", word("part"), body["took_ms"]),
        "finalized" => format!("· finalized: {} ({})", word("outcome"), word("reason")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_exit_status() {
        for outcome in Outcome::ALL {
            let told = format!("{} {}", exit_status(outcome), outcome.word());
            assert!(STATUS.contains(&told), "{told}");
        }
    }
}
