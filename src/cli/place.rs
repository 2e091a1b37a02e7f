//! `tandem place`: rings somebody through a running server and follows the call.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::Value;

use super::say;
use crate::config::{Config, Voicemail};

/// How often the server is asked what is new.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Args, Debug)]
pub(super) struct Options {
    /// Whom to ring, in E.164 (`+15550100`).
    to: String,
    /// What the call is for.
    #[arg(long)]
    task: String,
    /// What is done when an answering machine picks up; without it, as the server is set.
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(Voicemail::WORDS))]
    voicemail: Option<String>,
    /// A tool that the call may use; give it once for each. Without it, all of them.
    #[arg(long = "tool", value_name = "NAME")]
    tools: Vec<String>,
    /// A file with a JSON Schema of what the call shall bring back; it is printed at the end.
    #[arg(long, value_name = "FILE")]
    result_schema: Option<PathBuf>,
    /// The server.
    #[arg(long, env = "TANDEM_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Return as soon as the call is placed.
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn run(options: &Options, config: &Config) -> anyhow::Result<ExitCode> {
    let usual = || format!("http://{}", config.http.listen);
    let server = options.server.clone().unwrap_or_else(usual);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(15)).build()?;
    let mut order = serde_json::json!({ "to": options.to, "task": options.task });
    if let Some(voicemail) = &options.voicemail {
        order["voicemail"] = voicemail.as_str().into();
    }
    if !options.tools.is_empty() {
        order["tools"] = options.tools.clone().into();
    }
    if let Some(file) = &options.result_schema {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        order["result_schema"] = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", file.display()))?;
    }
    let answer = client
        .post(format!("{server}/v1/calls"))
        .json(&order)
        .send()
        .await
        .with_context(|| format!("no server answers at {server}; start one with `tandem`"))?;
    let accepted = answer.status().is_success();
    let body: Value = answer.json().await.context("the server's answer is not JSON")?;
    if !accepted {
        bail!("not placed: {}", body["detail"].as_str().unwrap_or("no reason given"));
    }
    let id = body["id"].as_str().context("the server gave no id")?.to_owned();
    say(&format!("call {id} queued"));
    if options.no_wait {
        return Ok(ExitCode::SUCCESS);
    }
    follow(&client, &format!("{server}/v1/calls/{id}")).await
}

async fn follow(client: &reqwest::Client, call: &str) -> anyhow::Result<ExitCode> {
    let mut seen = 0;
    loop {
        let events: Vec<Value> = client
            .get(format!("{call}/events?after={seen}"))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        for event in &events {
            seen = event["sequence"].as_u64().unwrap_or(seen);
            if let Some(line) = line(event) {
                say(&line);
            }
            if event["kind"] == "finalized" {
                let shown: Value = client.get(call).send().await?.json().await?;
                if shown["result"].is_object() {
                    say(&format!("result {}", shown["result"]));
                }
                let answered = event["body"]["outcome"] == "answered";
                return Ok(if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn line(event: &Value) -> Option<String> {
    let body = &event["body"];
    let word = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    Some(match event["kind"].as_str()? {
        "lifecycle" => format!("· {}", word("lifecycle")),
        "turn" => {
            let speaker = if word("speaker") == "user" { "they " } else { "agent" };
            format!("{speaker}  {}", word("text"))
        }
        "tool_asked" => format!("tool   {}", word("name")),
        "lost" => format!("lost   {}: {}", word("part"), word("how")),
        "repaired" => format!("back   {} after {} ms", word("part"), body["took_ms"]),
        "finalized" => format!("· finalized: {} ({})", word("outcome"), word("reason")),
        _ => return None,
    })
}
