//! `tandem campaign`: what is kept across calls about one purpose.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::client::{At, Client};
use super::{column, say};
use crate::mcp::api::segment;

#[derive(Args, Clone, Debug)]
pub(super) struct Options {
    /// The campaign's id; without it all are listed.
    id: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) at: At,
}

pub(super) async fn run(
    options: &Options,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let path = match &options.id {
        Some(id) => format!("/v1/campaigns/{}", segment(id)),
        None => "/v1/campaigns".to_owned(),
    };
    let shown = client?.get(&path).await?;
    if options.json {
        say(&shown.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for campaign in shown["campaigns"].as_array().into_iter().flatten() {
        say(&format!("{}  {}", column(campaign, "id"), column(campaign, "purpose")));
    }
    if options.id.is_some() {
        for name in ["purpose", "constraints", "known_facts"] {
            say(&format!("{name:<12} {}", column(&shown, name)));
        }
        for decided in shown["decisions"].as_array().into_iter().flatten() {
            say(&format!("{:<12} {}", "decided", column(decided, "decision")));
        }
        shown["targets"].as_array().into_iter().flatten().for_each(target);
    }
    Ok(ExitCode::SUCCESS)
}

fn target(target: &Value) {
    let (name, number) = (column(target, "name"), &target["number"]);
    say(&format!("{number}  {}  {name}", column(target, "to")));
    let result = &target["result"];
    if result.is_object() {
        say(&format!("   result           {} {}", column(result, "status"), result["data"]));
    }
    for what in ["blocker", "decision_needed", "next_action"] {
        if target[what].is_object() {
            say(&format!("   {what:<16} {}", column(&target[what], "text")));
        }
    }
}
