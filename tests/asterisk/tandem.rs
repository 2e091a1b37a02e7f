//! The program `tandem` with the settings of docs/asterisk.md and a simulated model.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::pbx;
use crate::process::Process;
use crate::stories::COLLEAGUE;

const URL: &str = "http://127.0.0.1:8080";

/// Whatever a call is to come to, it does within this.
const PATIENCE: Duration = Duration::from_secs(40);

/// A recording begins with the first frame and ends with the last.
const WHOLE_MS: u64 = 200;

/// A running server.
pub(crate) struct Tandem {
    dir: PathBuf,
    http: reqwest::Client,
    _process: Process,
}

impl Tandem {
    /// Starts one with these settings besides.
    pub(crate) async fn start(dir: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        // The callees of the story answer at any time, and as often as it wants.
        let policy = "[policy]\nhours = \"always\"\nattempts_per_day = 0\n";
        let human = format!("{policy}\n[carrier]\nhuman = {COLLEAGUE:?}");
        fs::write(dir.join("tandem.toml"), pbx::settings()?.replace("[carrier]", &human))?;
        let mut command = command(dir);
        command.args(["serve", "--json"]).envs(settings.iter().copied());
        let process = Process::start(&mut command, &dir.join("tandem.log"))?;
        let tandem = Self { dir: dir.to_owned(), http: reqwest::Client::new(), _process: process };
        for _ in 0..600 {
            let log = fs::read_to_string(dir.join("tandem.log"))?;
            if log.contains("asterisk tells us of its channels") {
                return Ok(tandem);
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("tandem does not listen to asterisk")
    }

    /// The command that rings somebody and follows the call.
    pub(crate) fn place_command(&self, to: &str, task: &str) -> Command {
        let mut command = command(&self.dir);
        command.args(["place", to, "--task", task]);
        command
    }

    /// Rings somebody; the call.
    pub(crate) async fn place(&self, to: &str, task: &str) -> anyhow::Result<String> {
        let order = json!({ "to": to, "task": task });
        let answer = self.http.post(format!("{URL}/v1/calls")).json(&order).send().await?;
        let told: Value = answer.error_for_status()?.json().await?;
        Ok(told["id"].as_str().context("no id")?.to_owned())
    }

    /// The calls there have been.
    pub(crate) async fn calls(&self) -> anyhow::Result<Vec<String>> {
        let told = self.get("/v1/calls?limit=100").await?;
        let calls = told["calls"].as_array().context("no calls")?;
        Ok(calls.iter().filter_map(|call| Some(call["id"].as_str()?.to_owned())).collect())
    }

    /// The call that is none of these, as soon as there is one.
    pub(crate) async fn newcomer(&self, known: &[String]) -> anyhow::Result<String> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(new) = self.calls().await?.into_iter().find(|call| !known.contains(call)) {
                return Ok(new);
            }
            sleep(Duration::from_millis(50)).await;
        }
        bail!("no call has come")
    }

    /// What has happened in a call once something has.
    pub(crate) async fn until(
        &self,
        call: &str,
        what: &str,
        has: impl Fn(&[Value]) -> bool,
    ) -> anyhow::Result<Vec<Value>> {
        let until = Instant::now() + PATIENCE;
        loop {
            let told = self.get(&format!("/v1/calls/{call}/events")).await?;
            let events = told.as_array().context("no events")?;
            if has(events) {
                return Ok(events.clone());
            }
            if Instant::now() > until {
                bail!("call {call}: {what} has not come; {}", Value::Array(events.clone()));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until this was said by the agent, and heard as far as the record knows.
    pub(crate) async fn said(&self, call: &str, words: &str) -> anyhow::Result<()> {
        let said = |event: &Value| {
            event["kind"] == "turn"
                && event["body"]["speaker"] != "user"
                && event["body"]["text"] == words
        };
        self.until(call, words, |events| events.iter().any(said)).await.map(drop)
    }

    /// Waits for the end: outcome and reason.
    pub(crate) async fn ended(&self, call: &str) -> anyhow::Result<(String, String)> {
        let last = |event: &Value| event["kind"] == "finalized";
        let events = self.until(call, "the end", |events| events.iter().any(last)).await?;
        let end = events.iter().find(|event| last(event)).context("no end")?;
        let word = |key: &str| end["body"][key].as_str().unwrap_or_default().to_owned();
        Ok((word("outcome"), word("reason")))
    }

    /// The recording of a call that is over, once it is as long as the call was.
    pub(crate) async fn recording(&self, call: &str) -> anyhow::Result<PathBuf> {
        let told = self.get(&format!("/v1/calls/{call}")).await?;
        let talk_ms = told["talk_ms"].as_u64().context("no talk_ms")?;
        let path = self.dir.join("data/recordings").join(format!("{call}.wav"));
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let file = hound::WavReader::open(&path)?;
            let ms = u64::from(file.duration()) * 1_000 / u64::from(file.spec().sample_rate);
            if ms + WHOLE_MS >= talk_ms {
                return Ok(path);
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("the recording of call {call} is shorter than its {talk_ms} ms")
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{URL}{path}")).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command
        .current_dir(dir)
        .arg("--config=tandem.toml")
        .env("TANDEM__ASTERISK__PASSWORD", "ARI-PASSWORD")
        .env("TANDEM__ASTERISK__MEDIA_SECRET", "MEDIA-SECRET")
        .env("TANDEM__LOG__FILTER", "warn,tandem=debug");
    command
}
