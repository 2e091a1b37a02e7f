//! The server under test: a child process with its configuration, and what the load test asks of
//! it over HTTP. The one file that knows how a Tandem server is started.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::child::{self, Child};
use crate::cli::Carrier;

/// How long the server may take to answer; longer than any stall it is to survive.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// Places for each call of the run: one that is ending and its successor overlap.
const PLACES: u32 = 3;
/// No call of a run is to end by its own time limit: the longest that can be set.
const CALL_LASTS: Duration = Duration::from_secs(24 * 60 * 60);
/// What the calls are for: the words tell the simulated model to give back what it hears.
const TASK: &str = "Chat with the caller: give back what they say.";

/// Where the server finds its model.
#[derive(Clone)]
pub struct ModelAt {
    /// Its address (`ws://…`).
    pub url: String,
    /// Its key.
    pub key: String,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    http: reqwest::Client,
    /// Removed after the child is gone: fields are dropped in order.
    _store: Store,
}

/// An incoming call that waits for its phone.
#[derive(Clone, Debug, Deserialize)]
pub struct Incoming {
    /// The server's name of the call.
    pub call_id: String,
    /// Where the phone connects.
    pub media_url: String,
    /// The carrier's name of the call.
    pub carrier_call: String,
    /// What the carrier passes on at the start of the media.
    #[serde(default)]
    pub parameters: std::collections::BTreeMap<String, String>,
}

/// What the server says of a call.
#[derive(Clone, Debug, Deserialize)]
pub struct CallState {
    /// `queued`, `dialing`, `answered`, `finalized`.
    pub lifecycle: String,
    /// What the phone network made of it, once it is over.
    #[serde(default)]
    pub outcome: Option<String>,
    /// Why it ended, once it is over.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a run asks of its server's configuration.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Calls at once.
    pub calls: u32,
    /// Whether calls are recorded, which means that every frame is decoded.
    pub recording: Recording,
    /// How long nobody may speak.
    pub silence: Duration,
}

/// Whether calls are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// As WAV files.
    On,
    /// Not.
    Off,
}

/// Which call a fault shall meet, and how.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The server's name of the call.
    pub call_id: &'a str,
    /// The part, in the interface's word.
    pub part: &'a str,
    /// What happens to it: `panic`, `error`, `hang`, `panic_in_pre_start`, `cut`.
    pub how: &'a str,
}

impl Server {
    /// Starts a server on any free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// It did not come up; with its last words.
    pub async fn start(model: &ModelAt, wanted: &Wanted) -> anyhow::Result<Self> {
        let store = Store::new()?;
        let mut command = Child::part(child::SERVER)?;
        command
            .env("TANDEM__HTTP__LISTEN", "127.0.0.1:0")
            .env("TANDEM__MODEL__URL", &model.url)
            .env("TANDEM__MODEL__KEY", &model.key)
            .env("TANDEM__STORE__DIR", store.path())
            .env("TANDEM__STORE__RECORD_AUDIO", (wanted.recording == Recording::On).to_string())
            .env("TANDEM__LIMITS__CALLS", wanted.calls.saturating_mul(PLACES).to_string())
            .env("TANDEM__LIMITS__TOTAL_S", CALL_LASTS.as_secs().to_string())
            .env("TANDEM__LIMITS__SILENCE_S", wanted.silence.as_secs().to_string())
            .env("TANDEM__LOG__FILTER", "warn");
        let child =
            Child::start(command, child::READY_WITHIN).await.context("server not started")?;
        let http = reqwest::Client::builder()
            .timeout(ANSWERS_WITHIN)
            // A connection that is kept would count as a file that was not given back.
            .pool_max_idle_per_host(0)
            .build()
            .context("http client not built")?;
        Ok(Self { child, http, _store: store })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// What it last wrote to its standard error, fit to follow a sentence.
    #[must_use]
    pub fn last_words(&self) -> String {
        self.child.last_words()
    }

    /// Lets a call come in.
    ///
    /// # Errors
    ///
    /// The server refused it or did not answer.
    pub async fn incoming(&self, carrier: Carrier, line: usize) -> anyhow::Result<Incoming> {
        // Numbers of the range kept for fiction (+1 … 555 01xx); the line tells calls apart.
        let body = json!({
            "dialect": carrier.word(),
            "from": format!("+1206555{:04}", 100 + line % 100),
            "to": "+12065550199",
            "task": TASK,
        });
        let answer = self.post("/rehearsal/incoming", &body).await?;
        serde_json::from_value(answer).context("answer to an incoming call not understood")
    }

    /// Breaks a part of a call.
    ///
    /// # Errors
    ///
    /// The server refused it, for one because the call is over, or did not answer.
    pub async fn fault(&self, order: Order<'_>) -> anyhow::Result<()> {
        let body = json!({ "call_id": order.call_id, "part": order.part, "how": order.how });
        self.post("/rehearsal/faults", &body).await.map(|_| ())
    }

    /// What became of a call.
    ///
    /// # Errors
    ///
    /// The server does not know it or did not answer.
    pub async fn call(&self, id: &str) -> anyhow::Result<CallState> {
        let text = self.get(&format!("/v1/calls/{id}")).await?;
        serde_json::from_str(&text).context("state of a call not understood")
    }

    /// The repairs in a call, each with the part's name and how long it took.
    ///
    /// # Errors
    ///
    /// The server does not know the call or did not answer.
    pub async fn repairs(&self, id: &str) -> anyhow::Result<Vec<(String, Duration)>> {
        let text = self.get(&format!("/v1/calls/{id}/events")).await?;
        let events: Vec<Value> =
            serde_json::from_str(&text).context("events of a call not understood")?;
        let repair = |event: &Value| {
            let took = Duration::from_millis(event["body"]["took_ms"].as_u64()?);
            Some((event["body"]["part"].as_str()?.to_owned(), took))
        };
        Ok(events.iter().filter(|event| event["kind"] == "repaired").filter_map(repair).collect())
    }

    /// The server's own counts.
    ///
    /// # Errors
    ///
    /// The server did not answer.
    pub async fn metrics(&self) -> anyhow::Result<Metrics> {
        self.get("/metrics").await.map(Metrics)
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.child.listening());
        let answer = self.http.post(url).json(body).send().await.context("server not reached")?;
        let status = answer.status();
        ensure!(status.is_success(), "{path} answered {status}");
        answer.json().await.with_context(|| format!("{path} did not answer in JSON"))
    }

    async fn get(&self, path: &str) -> anyhow::Result<String> {
        let url = format!("{}{path}", self.child.listening());
        let answer = self.http.get(url).send().await.context("server not reached")?;
        let status = answer.status();
        ensure!(status.is_success(), "{path} answered {status}");
        answer.text().await.with_context(|| format!("{path} broke off"))
    }
}

/// The server's counts in Prometheus' text format.
#[derive(Clone, Debug)]
pub struct Metrics(String);

impl Metrics {
    /// The value of a series, those with labels added up; with or without the program's prefix.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn get(&self, name: &str) -> anyhow::Result<f64> {
        let mut sum = None;
        for line in self.0.lines().filter(|line| !line.starts_with('#')) {
            let end = line.find(['{', ' ']).unwrap_or(line.len());
            let (series, rest) = line.split_at(end);
            if series.strip_prefix("tandem_").unwrap_or(series) != name {
                continue;
            }
            let value = rest.rsplit_once('}').map_or(rest, |(_, value)| value);
            let number = value.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
            *sum.get_or_insert(0.0) += number.with_context(|| format!("{name} has no value"))?;
        }
        sum.with_context(|| format!("no {name} in the server's metrics"))
    }
}

/// A directory of its own for the server's records, removed when dropped.
#[derive(Debug)]
pub(crate) struct Store(PathBuf);

impl Store {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let name = format!("tandem-loadtest-{}-{:08x}", std::process::id(), rand::random::<u32>());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).context("no directory for the server's records")?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // What is left lies in the system's directory for such things.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// The part of a child that plays the server.
#[must_use]
pub fn body() -> ExitCode {
    child::end_with_parent();
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn serve() -> anyhow::Result<()> {
    let cli = tandem::cli::Cli::try_parse_from(["tandem", "serve", "--json"])
        .context("the server's command line has changed")?;
    let runtime = tokio::runtime::Runtime::new().context("runtime not built")?;
    let code = runtime.block_on(tandem::cli::run(cli));
    ensure!(code == ExitCode::SUCCESS, "server ended with a failure");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_found_with_and_without_labels() {
        let metrics = Metrics(
            "# HELP calls_live Calls.\n# TYPE calls_live gauge\ncalls_live 3\n\
             tandem_calls_started_total{direction=\"inbound\"} 4\n\
             tandem_calls_started_total{direction=\"out}bound\"} 5 1700000000\n"
                .to_owned(),
        );
        assert_eq!(metrics.get("calls_live").unwrap().to_bits(), 3.0_f64.to_bits());
        assert_eq!(metrics.get("calls_started_total").unwrap().to_bits(), 9.0_f64.to_bits());
        let error = metrics.get("calls").unwrap_err().to_string();
        assert_eq!(error, "no calls in the server's metrics");
    }

    #[test]
    fn the_directory_of_the_records_is_given_back() {
        let store = Store::new().expect("a directory");
        let path = store.path().to_owned();
        std::fs::write(path.join("x"), "x").expect("a file");
        drop(store);
        assert!(!path.exists());
    }
}
