//! `tandem keys`: keys of the API, for whoever runs the server to give out and to take back.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{At, Client};
use super::{column, say};
use crate::mcp::api::segment;

/// Needs the key of whoever runs the server, where there is one (TANDEM__HTTP__KEY).
#[derive(Args, Clone, Debug)]
pub(super) struct Options {
    #[command(subcommand)]
    what: What,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Make a key; it is shown this once.
    Add {
        /// Whose: every account sees its own calls and nothing else.
        account: String,
        /// A key that may look and do nothing.
        #[arg(long)]
        read_only: bool,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// List keys, without what is secret of them.
    List,
    /// Take a key back; it opens nothing any more.
    Revoke {
        /// The key's id, from the list.
        id: String,
    },
}

pub(super) async fn run(
    options: &Options,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let client = client?;
    match &options.what {
        What::Add { account, read_only, label } => {
            let scope = if *read_only { "read" } else { "all" };
            let wanted = json!({ "account": account, "scope": scope, "label": label });
            let made = client.post("/v1/keys", wanted).await?;
            let key = made["key"].as_str().unwrap_or_default();
            say(&if options.json { made.to_string() } else { key.to_owned() });
        }
        What::List => {
            let listed = client.get("/v1/keys").await?;
            if options.json {
                say(&listed.to_string());
                return Ok(ExitCode::SUCCESS);
            }
            for key in listed["keys"].as_array().into_iter().flatten() {
                say(&line(key));
            }
        }
        What::Revoke { id } => {
            client.delete(&format!("/v1/keys/{}", segment(id))).await?;
            say(&match options.json {
                true => json!({ "id": id, "revoked": true }).to_string(),
                false => format!("key {id} is revoked"),
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(key: &Value) -> String {
    let state = if key["revoked_at"].is_null() { "" } else { "  revoked" };
    let of = |name| column(key, name);
    format!("{}  {:<12}  {:<4}  {}{state}", of("id"), of("account"), of("scope"), of("label"))
}
