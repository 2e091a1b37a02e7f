//! Looks at everything that is configured and says what works and what to do about the rest. Dials
//! nobody and changes nothing at a provider.

mod account;
mod door;
mod record;
mod session;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Kind, Without, is_e164};
use crate::tool::{self, Tried};

/// One request of a check. A healthy provider takes a tenth of it.
const ANSWER: Duration = Duration::from_secs(10);

/// A thing that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CheckedThing")]
pub enum What {
    /// The settings as they were read.
    Configuration,
    /// The secrets that they need.
    Secrets,
    /// The record and the recordings.
    DataDirectory,
    /// Our numbers.
    Numbers,
    /// Whom calls may ring.
    MayRing,
    /// The speech model.
    Model,
    /// What the house adds to its tools.
    Tools,
    /// The phone network.
    Carrier,
    /// How carriers reach us.
    PublicUrl,
    /// Who else does.
    Strangers,
}

impl What {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 10] = [
        Self::Configuration,
        Self::Secrets,
        Self::DataDirectory,
        Self::Numbers,
        Self::MayRing,
        Self::Model,
        Self::Tools,
        Self::Carrier,
        Self::PublicUrl,
        Self::Strangers,
    ];

    /// Its name for a human.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Secrets => "secrets",
            Self::DataDirectory => "data directory",
            Self::Numbers => "numbers",
            Self::MayRing => "may ring",
            Self::Model => "model",
            Self::Tools => "tools",
            Self::Carrier => "carrier",
            Self::PublicUrl => "public url",
            Self::Strangers => "strangers",
        }
    }
}

/// How a thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CheckedState")]
pub enum State {
    /// It works.
    Ok,
    /// It does not.
    Failed,
    /// There was nothing to look at, or no time.
    Skipped,
}

/// What a look at one thing has found. Holds no secret and no number.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// The thing.
    pub what: What,
    /// Which of several, by its own name.
    pub name: String,
    /// How it was found.
    pub state: State,
    /// What was seen.
    pub detail: String,
    /// What to do, where something is wrong.
    pub action: Option<String>,
}

impl Finding {
    /// Of one that works, or of trouble in our usual words: what is wrong, a semicolon, what to do.
    pub(crate) fn of(what: What, name: &str, seen: Result<String, String>) -> Self {
        let name = name.to_owned();
        let trouble = match seen {
            Ok(detail) => return Self { what, name, state: State::Ok, detail, action: None },
            Err(trouble) => trouble,
        };
        let (detail, action) = match trouble.split_once("; ") {
            Some((detail, action)) => (detail.to_owned(), Some(action.to_owned())),
            None => (trouble, None),
        };
        Self { what, name, state: State::Failed, detail, action }
    }

    fn skipped(what: What, detail: &str, action: Option<&str>) -> Self {
        let (detail, action) = (detail.to_owned(), action.map(str::to_owned));
        Self { what, name: String::new(), state: State::Skipped, detail, action }
    }
}

/// Where a look comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// A program beside a server that may run.
    Outside,
    /// The server itself.
    TheServer,
}

/// A look at some things.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The things; those of [`What::ALL`].
    pub only: &'a [What],
    /// Who looks.
    pub from: From,
    /// How long all of it may take.
    pub within: Duration,
}

impl Look<'_> {
    /// Looks at one thing after the other: a check is no load test.
    pub async fn at(self, config: &Config) -> Vec<Finding> {
        let client = match client() {
            Ok(client) => client,
            Err(trouble) => return vec![Finding::of(What::Configuration, "https", Err(trouble))],
        };
        let (began, mut findings) = (Instant::now(), Vec::new());
        for what in What::ALL.into_iter().filter(|what| self.only.contains(what)) {
            let left = self.within.saturating_sub(began.elapsed());
            let seen = tokio::time::timeout(left, self.one(what, config, &client, &findings)).await;
            findings.extend(seen.unwrap_or_else(|_| {
                let detail = format!("not looked at to the end within {:?}", self.within);
                vec![Finding::skipped(what, &detail, Some("check this alone"))]
            }));
        }
        findings
    }

    async fn one(
        self,
        what: What,
        config: &Config,
        client: &reqwest::Client,
        before: &[Finding],
    ) -> Vec<Finding> {
        let nothing = |detail: &str| vec![Finding::skipped(what, detail, None)];
        let seen = match what {
            What::Configuration => Ok(read(config)),
            What::Secrets => return secrets(config),
            What::DataDirectory => {
                let url = format!("http://{}", config.http.listen);
                let is_running = self.from == From::TheServer || door::answers(client, &url).await;
                record::look(&config.store, is_running)
            }
            What::Numbers => numbers(config),
            What::MayRing => config.gate().map(|gate| gate.to_string()),
            What::Model if config.model.url.is_empty() => {
                return nothing("simulated: model.url is empty");
            }
            What::Model => match missing(config, "TANDEM__MODEL__") {
                Ok(()) => session::look(config).await,
                Err(trouble) => Err(trouble),
            },
            What::Tools => return tools(config).await,
            What::Carrier if config.carrier.kind == Kind::Rehearsal => {
                return nothing("simulated: no phone can ring");
            }
            // A tenant without its secret would be taken for a machine of Azure's.
            What::Carrier => match missing(config, &variables_of(config.carrier.kind)) {
                Ok(()) => account::look(config, client).await,
                Err(trouble) => Err(trouble),
            },
            What::PublicUrl | What::Strangers if config.http.public_url.is_empty() => {
                return nothing("http.public_url is empty");
            }
            What::PublicUrl => door::look(&config.http, client).await,
            What::Strangers if !leads_here(config, client, before).await => {
                return nothing("the public address does not lead here");
            }
            What::Strangers => door::strangers(&config.http, client).await,
        };
        vec![Finding::of(what, name(what, config), seen)]
    }
}

/// What one of several is called.
fn name(what: What, config: &Config) -> &str {
    match what {
        What::Model => config.model.name.as_str(),
        What::Carrier => config.carrier.kind.word(),
        What::PublicUrl => config.http.public_url.as_str(),
        What::Configuration
        | What::Secrets
        | What::DataDirectory
        | What::Numbers
        | What::MayRing
        | What::Tools
        | What::Strangers => "",
    }
}

/// Whether the public address leads to the carriers' door: nobody else's is tried.
async fn leads_here(config: &Config, client: &reqwest::Client, before: &[Finding]) -> bool {
    match before.iter().find(|finding| finding.what == What::PublicUrl) {
        Some(finding) => finding.state == State::Ok,
        None => door::look(&config.http, client).await.is_ok(),
    }
}

fn read(config: &Config) -> String {
    let carrier = match config.carrier.kind {
        Kind::Rehearsal => return "readable; rehearsal: no phone can ring".to_owned(),
        Kind::Acs => "Azure Communication Services",
        Kind::Twilio => "Twilio",
        Kind::Asterisk => "Asterisk",
    };
    format!("readable; carrier: {carrier}")
}

/// How the variables of a carrier begin.
fn variables_of(kind: Kind) -> String {
    Config::variable(&format!("{}.", kind.word()))
}

/// Whether every secret is there that something cannot do without.
fn missing(config: &Config, variables: &str) -> Result<(), String> {
    let needs = config.needs().into_iter();
    let mut of = needs.filter(|need| need.variable.starts_with(variables));
    match of.find(|need| need.without == Without::Nothing && !config.has(need)) {
        None => Ok(()),
        Some(need) => Err(format!("{} is not set; set it, and start again", need.variable)),
    }
}

/// Each secret that is missing.
fn secrets(config: &Config) -> Vec<Finding> {
    let needs = config.needs();
    let missing = needs.iter().filter(|need| !config.has(need)).map(|need| {
        let detail = match need.without {
            Without::Nothing => "is not set",
            Without::PlacingOnly => "is not set: no phone can ring here",
        };
        let action = format!("set {} in the file of secrets, and start again", need.variable);
        let state = match need.without {
            Without::Nothing => State::Failed,
            Without::PlacingOnly => State::Skipped,
        };
        let finding = Finding::skipped(What::Secrets, detail, Some(&action));
        Finding { name: need.variable.to_owned(), state, ..finding }
    });
    let missing: Vec<Finding> = missing.collect();
    match (needs.len(), missing.is_empty()) {
        (0, _) => vec![Finding::skipped(What::Secrets, "none is needed", None)],
        (all, true) => vec![Finding::of(What::Secrets, "", Ok(format!("{all} are set")))],
        (_, false) => missing,
    }
}

async fn tools(config: &Config) -> Vec<Finding> {
    let tried = tool::try_out(config).await;
    if tried.is_empty() {
        let detail = "those of the house; no [[tools]], no [[mcp]], no agent";
        return vec![Finding::skipped(What::Tools, detail, None)];
    }
    let finding = |Tried { name, seen }: Tried| Finding::of(What::Tools, &name, seen);
    tried.into_iter().map(finding).collect()
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
