//! `tandem schedule`: phones that are rung later, or again and again.

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::{At, Client};
use super::{column, say};
use crate::mcp::api::segment;

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
    /// Have a phone rung at a time, or again and again.
    Add(Box<Add>),
    /// List what is scheduled, and when it rings next.
    List,
    /// Take a scheduled call away.
    Remove {
        /// Its id, from the list.
        id: String,
    },
}

#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("when").args(["at_time", "cron"]).required(true)))]
struct Add {
    /// What the call is for.
    #[arg(long)]
    task: String,
    /// Whom to ring, in E.164 (`+15550100`); without it, the phone of `tandem phone`.
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// Once, at this time (RFC 3339: `2026-03-01T09:00:00-08:00`).
    #[arg(long = "at", value_name = "TIME")]
    at_time: Option<String>,
    /// Again and again: minute, hour, day of month, month, day of week (`"0 9 * * 1-5"`).
    #[arg(long, value_name = "FIELDS")]
    cron: Option<String>,
    /// The time zone of `--cron` (`Europe/Berlin`).
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Only when this address answers JSON in which a value is as follows.
    #[arg(long, value_name = "URL", requires_all = ["pointer", "is", "value"])]
    condition: Option<String>,
    /// Where in the answer the value is (RFC 6901: `/queue/length`).
    #[arg(long, value_name = "POINTER", requires = "condition")]
    pointer: Option<String>,
    /// How it must stand to `--value`.
    #[arg(long, value_name = "WORD", requires = "condition",
        value_parser = ["equals", "above", "below"])]
    is: Option<String>,
    /// To what: JSON, or a word.
    #[arg(long, value_name = "VALUE", requires = "condition", allow_hyphen_values = true)]
    value: Option<String>,
    /// How many seconds late it may still ring.
    #[arg(long, value_name = "SECONDS")]
    grace_s: Option<u64>,
}

impl Add {
    fn order(&self) -> Value {
        let texts = [
            ("task", Some(&self.task)),
            ("to", self.to.as_ref()),
            ("at", self.at_time.as_ref()),
            ("cron", self.cron.as_ref()),
            ("time_zone", self.time_zone.as_ref()),
        ];
        let given = texts.into_iter().filter_map(|(name, text)| Some((name, text?.clone())));
        let mut order: Map<String, Value> =
            given.map(|(name, text)| (name.to_owned(), text.into())).collect();
        if let (Some(url), Some(value)) = (&self.condition, &self.value) {
            // What is not JSON is a word: `green` means `"green"`.
            let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            let condition =
                json!({ "url": url, "pointer": self.pointer, "is": self.is, "value": value });
            order.insert("condition".to_owned(), condition);
        }
        if let Some(grace_s) = self.grace_s {
            order.insert("grace_s".to_owned(), grace_s.into());
        }
        order.into()
    }
}

pub(super) async fn run(
    options: &Options,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let client = client?;
    match &options.what {
        What::Add(add) => {
            let made = client.post("/v1/schedules", add.order()).await?;
            say(&match options.json {
                true => made.to_string(),
                false => format!("{}  rings at {}", column(&made, "id"), column(&made, "next_at")),
            });
        }
        What::List => {
            let listed = client.get("/v1/schedules").await?;
            if options.json {
                say(&listed.to_string());
                return Ok(ExitCode::SUCCESS);
            }
            for one in listed["schedules"].as_array().into_iter().flatten() {
                let of = |name| column(one, name);
                say(&format!("{}  {}  {}  {}", of("id"), of("next_at"), of("to"), of("task")));
            }
        }
        What::Remove { id } => {
            client.delete(&format!("/v1/schedules/{}", segment(id))).await?;
            say(&match options.json {
                true => json!({ "id": id, "removed": true }).to_string(),
                false => format!("{id} rings no more"),
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}
