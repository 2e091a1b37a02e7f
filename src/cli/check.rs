//! `tandem check`: looks at everything that is configured, says what works and what to do about
//! the rest. Dials nobody and changes nothing at a provider.

mod account;
mod door;
mod record;
mod session;

#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::say;
use crate::config::{AgentKind, Config, ConfigError, Kind, is_e164};
use crate::tool;

/// One request of a check. A healthy provider takes a tenth of it.
const ANSWER: Duration = Duration::from_secs(10);

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Options {
    /// Print one JSON document instead of lines.
    #[arg(long)]
    json: bool,
}

/// What a look at one thing has found.
#[derive(Debug, Serialize)]
struct Finding {
    /// The thing.
    what: &'static str,
    good: bool,
    /// What was seen; of what is not good, what to do as well. Holds no secret and no number.
    said: String,
}

impl Finding {
    fn of(what: &'static str, seen: Result<String, String>) -> Self {
        let good = seen.is_ok();
        Self { what, good, said: seen.unwrap_or_else(|trouble| trouble) }
    }

    fn line(&self) -> String {
        let mark = if self.good { '✓' } else { '✗' };
        format!("{mark} {:<14} {}", self.what, self.said)
    }
}

/// Exit 0 when everything is good, 1 otherwise.
pub(super) async fn run(options: Options, config: Result<Config, ConfigError>) -> ExitCode {
    let findings = match config {
        Ok(config) => look(&config).await,
        Err(error) => {
            let told = error.to_string();
            // The line begins with that word.
            let told = told.strip_prefix("configuration: ").unwrap_or(&told);
            vec![Finding::of("configuration", Err(told.to_owned()))]
        }
    };
    let good = findings.iter().all(|finding| finding.good);
    if options.json {
        say(&serde_json::json!({ "good": good, "findings": findings }).to_string());
    } else {
        for finding in &findings {
            say(&finding.line());
        }
        if good {
            say("everything is well; start with: tandem");
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything, one after the other: a check is no load test.
async fn look(config: &Config) -> Vec<Finding> {
    let client = match client() {
        Ok(client) => client,
        Err(trouble) => return vec![Finding::of("https", Err(trouble))],
    };
    let kind = config.carrier.kind;
    let read = match kind {
        Kind::Rehearsal => "readable; rehearsal: no phone can ring".to_owned(),
        Kind::Acs => "readable; carrier: Azure Communication Services".to_owned(),
        Kind::Twilio => "readable; carrier: Twilio".to_owned(),
        Kind::Asterisk => "readable; carrier: Asterisk".to_owned(),
    };
    let mut findings = vec![Finding::of("configuration", Ok(read))];
    let is_running = door::answers(&client, &format!("http://{}", config.http.listen)).await;
    findings.push(Finding::of("data directory", record::look(&config.store, is_running)));
    findings.push(Finding::of("numbers", numbers(config)));
    findings.push(Finding::of("may ring", config.gate().map(|gate| gate.to_string())));
    findings.push(Finding::of("model", session::look(config).await));
    if !config.tools.is_empty() || !config.mcp.is_empty() || config.agent.kind != AgentKind::None {
        let tried = tool::try_out(config).await.map_err(|error| format!("{error:#}"));
        findings.push(Finding::of("tools", tried));
    }
    if kind != Kind::Rehearsal {
        findings.push(Finding::of("carrier", account::look(config, &client).await));
    }
    if !config.http.public_url.is_empty() {
        let reached = door::look(&config.http, &client).await;
        let is_reached = reached.is_ok();
        findings.push(Finding::of("public url", reached));
        if is_reached {
            let refused = door::strangers(&config.http, &client).await;
            findings.push(Finding::of("strangers", refused));
        }
    }
    findings
}

/// Nothing is followed and no proxy of the environment is asked: what is checked is the address
/// itself.
fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .timeout(ANSWER)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| format!("no HTTPS client: {error}; check the system's certificates"))
}

fn numbers(config: &Config) -> Result<String, String> {
    let carrier = &config.carrier;
    let wrong = |key| Err(format!("{key} is not E.164; write it like +14255550123"));
    if !is_e164(&carrier.number) {
        return wrong("carrier.number");
    }
    if carrier.human.is_empty() {
        return Ok("ours is E.164; nobody to hand over to (carrier.human is empty)".to_owned());
    }
    if !is_e164(&carrier.human) {
        return wrong("carrier.human");
    }
    Ok("ours and the human's are E.164".to_owned())
}

/// A client's error without the address: an address can hold what is nobody's business.
fn bare(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words = cause.to_string();
        source = cause.source();
    }
    words
}
