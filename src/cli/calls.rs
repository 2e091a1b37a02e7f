//! `tandem calls`, `tandem show` and `tandem hangup`: what there is, what was said, an end to it.

use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use tandem_actors::briefing::Outcome;

use super::client::{At, Client};
use super::{column, say};
use crate::mcp::api::{listing, segment};

/// Characters of a task in a list.
const TASK_CHARS: usize = 48;

#[derive(Args, Clone, Debug)]
pub(super) struct List {
    /// Calls that ended so.
    #[arg(long, value_name = "WORD", value_parser = PossibleValuesParser::new(outcomes()))]
    outcome: Option<String>,
    /// Calls that we placed, or that rang here.
    #[arg(long, value_name = "WORD", value_parser = ["outbound", "inbound"])]
    direction: Option<String>,
    /// Calls with this number.
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) at: At,
}

fn outcomes() -> [&'static str; Outcome::ALL.len()] {
    Outcome::ALL.map(Outcome::word)
}

pub(super) async fn list(
    options: &List,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let limit = options.limit.to_string();
    let path = listing([
        ("limit", Some(limit.as_str())),
        ("outcome", options.outcome.as_deref()),
        ("direction", options.direction.as_deref()),
        ("to", options.to.as_deref()),
    ]);
    let page = client?.get(&path).await?;
    if options.json {
        say(&page.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let calls = page["calls"].as_array().map_or(&[][..], Vec::as_slice);
    for call in calls {
        say(&line(call));
    }
    if calls.is_empty() {
        say("no calls");
    }
    Ok(ExitCode::SUCCESS)
}

fn line(call: &Value) -> String {
    let state = if call["outcome"].is_null() { "lifecycle" } else { "outcome" };
    let task: String = column(call, "task").chars().take(TASK_CHARS).collect();
    let queued = column(&call["timestamps"], "queued_at");
    // To the second; what follows in RFC 3339 is of no use in a list.
    let queued = queued.get(..19).unwrap_or(queued);
    format!(
        "{}  {queued}  {:<15}  {:<14}  {}",
        column(call, "id"),
        column(&call["numbers"], "remote"),
        column(call, state),
        task.replace('\n', " ")
    )
}

#[derive(Args, Clone, Debug)]
pub(super) struct Show {
    /// The call's id.
    id: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) at: At,
}

pub(super) async fn show(
    options: &Show,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let client = client?;
    let path = format!("/v1/calls/{}", segment(&options.id));
    let mut call = client.get(&path).await?;
    let mut said = client.get(&format!("{path}/transcript")).await?;
    let turns = said["transcript"].take();
    if options.json {
        call["transcript"] = turns;
        say(&call.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{} {}", column(&call, "direction"), column(&call["numbers"], "remote")));
    say(&format!("task       {}", column(&call, "task")));
    say(&format!("lifecycle  {}", column(&call, "lifecycle")));
    if call["outcome"].is_string() {
        let (outcome, reason) = (column(&call, "outcome"), column(&call, "reason"));
        say(&format!("outcome    {outcome} ({reason})"));
        say(&format!("           {}", column(&call["outcome_detail"]["reason"], "message")));
    }
    if call["result"].is_object() {
        say(&format!("result     {}", call["result"]));
    }
    for turn in turns.as_array().into_iter().flatten() {
        say(&spoken(column(turn, "role"), column(turn, "text")));
    }
    Ok(ExitCode::SUCCESS)
}

/// A turn, as a line.
pub(super) fn spoken(speaker: &str, words: &str) -> String {
    let speaker = if speaker == "user" { "they " } else { "agent" };
    format!("{speaker}  {words}")
}

#[derive(Args, Clone, Debug)]
pub(super) struct HangUp {
    /// The call's id.
    id: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) at: At,
}

pub(super) async fn hang_up(
    options: &HangUp,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let path = format!("/v1/calls/{}/hangup", segment(&options.id));
    let told = client?.post(&path, json!({})).await?;
    say(&match (options.json, told["ended"] == true) {
        (true, _) => told.to_string(),
        (false, true) => format!("call {} had ended already", options.id),
        (false, false) => format!("call {} is being ended", options.id),
    });
    Ok(ExitCode::SUCCESS)
}
