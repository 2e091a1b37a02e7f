//! `tandem search`: asks several through a running server, shows how it goes, prints what was
//! found side by side.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::client::{At, Client};
use super::say;

/// How often the server is asked what is new.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Args, Debug)]
pub(super) struct Options {
    /// Whom to ask, in E.164 (`+15550120`), two to ten; `+15550120=Rosa` gives a name.
    #[arg(required = true, num_args = 2..=10, value_name = "TO")]
    targets: Vec<String>,
    /// What is asked; it must not ask for more than information.
    #[arg(long)]
    question: String,
    /// What may be told when they ask back.
    #[arg(long)]
    facts: Option<String>,
    /// A file with a JSON Schema of what else shall be brought back.
    #[arg(long, value_name = "FILE")]
    bring: Option<PathBuf>,
    /// The most calls at once, 1 to 4.
    #[arg(long, value_name = "N")]
    at_once: Option<u32>,
    /// So many offers are enough; the rest is not asked.
    #[arg(long, value_name = "N")]
    enough: Option<u32>,
    /// Ring once more after `busy`, `no_answer` or `rejected`; give it once for each.
    #[arg(long, value_name = "OUTCOME")]
    retry: Vec<String>,
    #[command(flatten)]
    pub(super) at: At,
    /// Print the whole search as one JSON document instead of progress and table.
    #[arg(long)]
    json: bool,
}

/// The exit status is success when somebody has what was asked for.
pub(super) async fn run(
    options: &Options,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let client = client?;
    let body = client.post("/v1/searches", order(options)?).await.context("not begun")?;
    let id = body["id"].as_str().context("the server gave no id")?;
    if !options.json {
        say(&format!("search {id}"));
    }
    let search = follow(&client, &format!("/v1/searches/{id}"), options.json).await?;
    if options.json {
        say(&search.to_string());
    } else {
        for line in table(&search["comparison"]) {
            say(&line);
        }
        let url = client.url(&format!("/v1/searches/{id}/choose"));
        if let Some(line) = how_to_choose(&url, &search) {
            say(&line);
        }
    }
    let rows = search["comparison"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = rows.iter().any(|row| row["available"] == true);
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn order(options: &Options) -> anyhow::Result<Value> {
    let target = |target: &String| match target.split_once('=') {
        Some((to, name)) => json!({ "to": to, "name": name }),
        None => json!({ "to": target }),
    };
    let targets: Vec<Value> = options.targets.iter().map(target).collect();
    let mut order =
        json!({ "question": options.question, "targets": targets, "retry": options.retry });
    if let Some(facts) = &options.facts {
        order["facts"] = facts.as_str().into();
    }
    if let Some(file) = &options.bring {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        order["bring"] = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", file.display()))?;
    }
    for (field, number) in [("at_once", options.at_once), ("enough", options.enough)] {
        if let Some(number) = number {
            order[field] = number.into();
        }
    }
    Ok(order)
}

/// Until the search is over, its calls included.
async fn follow(client: &Client, path: &str, quiet: bool) -> anyhow::Result<Value> {
    let mut shown: Vec<String> = Vec::new();
    loop {
        let search = client.get(path).await?;
        let targets = search["targets"].as_array().context("the search has no targets")?;
        for line in targets.iter().map(progress) {
            if !quiet && !shown.contains(&line) {
                say(&line);
                shown.push(line);
            }
        }
        let is_live = |target: &Value| {
            ["waiting", "ringing", "talking"].iter().any(|w| target["state"] == *w)
        };
        if search["state"] != "running" && !targets.iter().any(is_live) {
            return Ok(search);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn progress(target: &Value) -> String {
    let (number, who, state) = (&target["number"], who(target), word(&target["state"]));
    match target["outcome"].as_str() {
        Some(outcome) => format!("· {number} {who}: {state}, {outcome}"),
        None => format!("· {number} {who}: {state}"),
    }
}

/// How the best of it is taken, when there is something to take.
fn how_to_choose(url: &str, search: &Value) -> Option<String> {
    let token = search["token"].as_str()?;
    let number = &search["comparison"][0]["number"];
    Some(format!(
        "take the first:  curl {url} -H 'content-type: application/json' \\\n       -d \
         '{{\"number\":{number},\"token\":\"{token}\"}}'"
    ))
}

/// The rows of the comparison, the best first.
pub(super) fn table(comparison: &Value) -> Vec<String> {
    let head = ["", "who", "as asked", "price", "when", "held", "outcome"].map(str::to_owned);
    let rows = comparison.as_array().map(Vec::as_slice).unwrap_or_default();
    let cells: Vec<[String; 7]> = std::iter::once(head).chain(rows.iter().map(row)).collect();
    let mut widths = [0; 7];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 7]| {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

fn row(row: &Value) -> [String; 7] {
    let available = match row["available"].as_bool() {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let price = row["price"].as_number().map_or_else(String::new, |price| {
        format!("{price} {}", word(&row["currency"])).trim_end().to_owned()
    });
    let hold = &row["hold"];
    let held = match (hold["possible"].as_bool(), hold["until"].as_str()) {
        (Some(true), Some(until)) => format!("until {until}"),
        (Some(true), None) => "yes".to_owned(),
        (Some(false), _) => "no".to_owned(),
        (None, _) => String::new(),
    };
    let free = if hold["without_payment"] == true { ", without payment" } else { "" };
    [
        row["rank"].to_string(),
        who(row),
        available.to_owned(),
        price,
        word(&row["timing"]),
        format!("{held}{free}"),
        word(&row["outcome"]),
    ]
}

fn who(of: &Value) -> String {
    of["name"].as_str().map_or_else(|| word(&of["to"]), str::to_owned)
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_and_stands_in_columns() {
        let rows = json!([
            { "rank": 1, "name": "Rosa", "to": "+15550121", "available": true, "price": 32,
              "currency": "EUR", "timing": "at seven", "outcome": "answered",
              "hold": { "possible": true, "until": "six", "without_payment": true } },
            { "rank": 2, "name": null, "to": "+15550101", "outcome": "busy" },
        ]);
        assert_eq!(
            table(&rows),
            [
                "   who        as asked  price   when      held                        outcome",
                "1  Rosa       yes       32 EUR  at seven  until six, without payment  answered",
                "2  +15550101                                                          busy",
            ]
        );
    }
}
