//! The server that is killed: a child process on the same directory and the same door each time.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tandem::rehearsal::twilio::TwilioNetwork;

use crate::child::{self, Child};
use crate::server::Store;

pub(super) const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub(super) const TOKEN: &str = "12345678901234567890123456789012";
pub(super) const NUMBER: &str = "+15550199";
pub(super) const PUBLIC: &str = "https://bridge.example.com";

/// The tool that has an effect: callers ask for it by this name.
const TOOL: &str = "cancel_booking";

/// How long the server may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long a call may take to be dialled, or to end when it is hung up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

pub(super) struct Desk {
    child: Option<Child>,
    http: reqwest::Client,
    api_url: String,
    door: SocketAddr,
    ordered: Instant,
    store: Store,
}

impl Desk {
    pub(super) fn new(twilio: &TwilioNetwork, hand: &str) -> anyhow::Result<Self> {
        // A port that is free now; the listener of the last run leaves it to the next.
        let door = TcpListener::bind("127.0.0.1:0").context("no free port")?.local_addr()?;
        let http = reqwest::Client::builder()
            .timeout(ANSWERS_WITHIN)
            .pool_max_idle_per_host(0)
            .build()
            .context("http client not built")?;
        let (api_url, store) = (twilio.api_url(), Store::new()?);
        std::fs::write(store.path().join("tandem.toml"), settings(hand))
            .context("no settings for the server")?;
        Ok(Self { child: None, http, api_url, door, ordered: Instant::now(), store })
    }

    /// Where the carrier comes in.
    pub(super) const fn door(&self) -> SocketAddr {
        self.door
    }

    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let path: PathBuf = self.store.path().to_owned();
        let mut command = Child::part(child::SERVER)?;
        command
            .current_dir(&path)
            .env("TANDEM__HTTP__LISTEN", "127.0.0.1:0")
            .env("TANDEM__HTTP__CARRIERS", self.door.to_string())
            .env("TANDEM__HTTP__PUBLIC_URL", PUBLIC)
            .env("TANDEM__STORE__DIR", &path)
            .env("TANDEM__STORE__RECORD_AUDIO", "false")
            .env("TANDEM__CARRIER__KIND", "twilio")
            .env("TANDEM__CARRIER__NUMBER", NUMBER)
            .env("TANDEM__TWILIO__ACCOUNT_SID", ACCOUNT)
            .env("TANDEM__TWILIO__AUTH_TOKEN", TOKEN)
            .env("TANDEM__TWILIO__API_URL", &self.api_url)
            .env("TANDEM__WEBHOOKS__ALLOW_HTTP", "true")
            .env("TANDEM__WEBHOOKS__ALLOW_PRIVATE", "true")
            // The same two phones, whatever the hour.
            .env("TANDEM__POLICY__COUNTRIES", "*")
            .env("TANDEM__POLICY__HOURS", "always")
            .env("TANDEM__POLICY__ATTEMPTS_PER_DAY", "0")
            .env("TANDEM__POLICY__CALLS_PER_MINUTE", "0")
            .env("TANDEM__POLICY__AT_ONCE", "0")
            .env("TANDEM__POLICY__MINUTES_PER_DAY", "0")
            .env("TANDEM__LOG__FILTER", "error");
        let child = Child::start(command, child::READY_WITHIN).await;
        self.child = Some(child.context("the server was not started")?);
        Ok(())
    }

    /// Ends it as `kill -9` does.
    pub(super) fn kill(&mut self) {
        self.child = None;
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.child.as_ref().map_or("", Child::listening))
    }

    /// Has ends of calls told there.
    pub(super) async fn tell(&self, url: &str) -> anyhow::Result<()> {
        let wanted = json!({ "url": url, "events": ["call.finalized"] });
        let answer = self.http.post(self.url("/v1/webhooks")).json(&wanted).send().await?;
        ensure!(answer.status().is_success(), "no webhook: {}", answer.text().await?);
        Ok(())
    }

    /// Orders a call, once for a seed; its id when that is acknowledged.
    pub(super) async fn order(&mut self, seed: u64, to: &str) -> Option<String> {
        self.ordered = Instant::now();
        let body = json!({ "to": to, "task": format!("Ask when they open ({seed}).") });
        let request = self.http.post(self.url("/v1/calls"));
        let request = request.header("idempotency-key", format!("seed {seed}")).json(&body);
        let answer = request.send().await.ok().filter(|answer| answer.status().is_success())?;
        let told: Value = answer.json().await.ok()?;
        told["id"].as_str().map(str::to_owned)
    }

    pub(super) fn since_order(&self) -> Duration {
        self.ordered.elapsed()
    }

    /// How far a call is once it has been dialled or is over.
    pub(super) async fn past_queued(&self, call: &str) -> anyhow::Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let shown = self.get(&format!("/v1/calls/{call}")).await?;
            let lifecycle = shown["lifecycle"].as_str().unwrap_or_default();
            if lifecycle != "queued" {
                return Ok(lifecycle.to_owned());
            }
            if Instant::now() > until {
                bail!("the call {call} was not dialled within {PATIENCE:?}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends a call; its outcome, none when it does not end in time.
    pub(super) async fn end(&self, call: &str) -> anyhow::Result<Option<String>> {
        let until = Instant::now() + PATIENCE;
        loop {
            let shown = self.get(&format!("/v1/calls/{call}")).await?;
            if let Some(outcome) = shown["outcome"].as_str() {
                return Ok(Some(outcome.to_owned()));
            }
            if Instant::now() > until {
                return Ok(None);
            }
            // One that its carrier is being asked about takes no order yet.
            self.http.post(self.url(&format!("/v1/calls/{call}/hangup"))).send().await?;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The calls that are not over, of the newest ones.
    pub(super) async fn open_calls(&self) -> anyhow::Result<Vec<String>> {
        let page = self.get("/v1/calls?limit=20").await?;
        let open = |call: &&Value| call["outcome"].is_null();
        let calls = page["calls"].as_array().into_iter().flatten();
        Ok(calls.filter(open).map(id).collect())
    }

    /// Every call of the record.
    pub(super) async fn all_calls(&self) -> anyhow::Result<Vec<String>> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/v1/calls?limit=200{cursor}")).await?;
            all.extend(page["calls"].as_array().into_iter().flatten().map(id));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    /// What the record tells of the tool, by call.
    pub(super) async fn tools_answered(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut told = Vec::new();
        for call in self.all_calls().await? {
            let events = self.get(&format!("/v1/calls/{call}/events")).await?;
            let events = events.as_array().into_iter().flatten();
            let answers = events
                .filter(|event| event["kind"] == "tool_answered" && event["body"]["name"] == TOOL);
            let word = |event: &Value| event["body"]["verdict"].as_str().map(str::to_owned);
            told.extend(answers.filter_map(word).map(|verdict| (call.clone(), verdict)));
        }
        Ok(told)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(self.url(path)).send().await.context("server not reached")?;
        ensure!(answer.status().is_success(), "{path} answered {}", answer.status());
        answer.json().await.with_context(|| format!("{path} did not answer in JSON"))
    }
}

fn id(call: &Value) -> String {
    call["id"].as_str().unwrap_or_default().to_owned()
}

/// The one tool that has an effect. A kill between its effect and its answer must not repeat it.
fn settings(hand: &str) -> String {
    format!(
        "[[tools]]\nname = \"{TOOL}\"\ndescription = \"Cancels a booking.\"\nurl = \"{hand}\"\n\
         risk = \"write\"\n[tools.parameters]\ntype = \"object\"\nrequired = [\"booking\"]\n\
         properties.booking = {{ type = \"string\" }}\n"
    )
}
