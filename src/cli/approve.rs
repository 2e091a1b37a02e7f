//! `tandem approve`: has an operation approved by phone; the exit status is the decision.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::client::{At, Client};
use super::{column, say};
use crate::mcp::api::Ask;

/// Seconds that one request waits: below what a client takes for silence.
const WAIT_S: u64 = 20;

/// The status of a no, whatever its reason.
const DECLINED: u8 = 3;

const STATUS: &str = "Exit status: 0 accepted, 1 not asked or not known, 2 wrong usage, 3 declined \
                      (no answer, voicemail and anything unclear too)";

/// Rings the phone of `tandem phone`, reads the operation out and takes a clear yes or no.
#[derive(Args, Clone, Debug)]
#[command(after_help = STATUS)]
pub(super) struct Options {
    /// What would be done, in a short sentence: "Pay invoice 4711 to Ann".
    operation: String,
    /// What it would be done with: a JSON object of texts, numbers and booleans.
    #[arg(long, value_name = "JSON")]
    arguments: Option<String>,
    /// Whom to ring instead, in E.164; for whoever runs the server.
    #[arg(long)]
    to: Option<String>,
    /// Only the PIN of the server on the keypad accepts it.
    #[arg(long)]
    pin: bool,
    /// Print one JSON document at the end and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) at: At,
}

impl Options {
    fn order(&self) -> anyhow::Result<Value> {
        let mut order = json!({ "operation": self.operation });
        if let Some(arguments) = &self.arguments {
            order["arguments"] =
                serde_json::from_str(arguments).context("--arguments is not JSON")?;
        }
        if let Some(to) = &self.to {
            order["to"] = to.as_str().into();
        }
        if self.pin {
            order["verify"] = "pin".into();
        }
        Ok(order)
    }
}

pub(super) async fn run(
    options: &Options,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let client = client?;
    let once = Some(uuid::Uuid::now_v7().to_string());
    let ask = Ask { once, ..Ask::post("/v1/approvals", options.order()?) };
    let asked = client.done(ask).await.context("nobody was asked")?;
    let id = asked["id"].as_str().context("the server gave no id")?;
    if !options.json {
        say(&format!("approval {id} pending"));
    }
    let path = format!("/v1/approvals/{id}?wait_s={WAIT_S}");
    let settled = loop {
        let shown = client.get(&path).await.context("the decision is not known")?;
        if shown["state"] != "pending" {
            break shown;
        }
    };
    if options.json {
        say(&settled.to_string());
    } else {
        say(format!("{} {}", column(&settled, "state"), column(&settled, "reason")).trim_end());
    }
    Ok(match column(&settled, "state") {
        "accepted" => ExitCode::SUCCESS,
        _ => DECLINED.into(),
    })
}
