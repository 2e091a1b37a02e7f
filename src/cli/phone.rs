//! `tandem phone`: whom an order rings that names nobody.

use std::process::ExitCode;

use axum::http::Method;
use clap::Args;
use serde_json::json;

use super::client::{At, Client};
use super::say;
use crate::mcp::api::Ask;

/// Without a number: shows it. It is stored at the server, for the account of the key, and goes
/// before `call.target` of the settings.
#[derive(Args, Clone, Debug)]
pub(super) struct Options {
    /// The phone to ring from now on, in E.164 (`+15550100`).
    #[arg(conflicts_with = "forget")]
    number: Option<String>,
    /// Forget the number that is stored.
    #[arg(long)]
    forget: bool,
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
    let client = client?;
    let body = json!({ "number": options.number });
    let phone = match options.number.is_some() || options.forget {
        true => client.done(Ask::new(Method::PUT, "/v1/phone", Some(body))).await?,
        false => client.get("/v1/phone").await?,
    };
    if options.json {
        say(&phone.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    say(&match (phone["number"].as_str(), phone["from"].as_str()) {
        (Some(number), Some("settings")) => format!("{number}  (call.target of the settings)"),
        (Some(number), _) => number.to_owned(),
        (None, _) => "none; set one with: tandem phone +15550100".to_owned(),
    });
    Ok(ExitCode::SUCCESS)
}
