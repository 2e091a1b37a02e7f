//! The settings of a running server: those of the file and the environment, and over them what was
//! set over the API, which is kept in the record and holds from the next call on, or from the next
//! start.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::record::RecordError;
use tokio::sync::Mutex;

use crate::config::{Config, Origin, Secrets, Unfit};
use crate::reception::{House, Reception};
use crate::store::{Archive as _, Store};
use crate::tool::Sources;

/// Where they are kept in the record.
const KEPT: &str = "settings";

/// What a house is made of besides the settings.
pub type Build = Box<dyn Fn(&Config) -> Result<House, String> + Send + Sync>;

/// Whether a server can be made of settings; nothing is sent anywhere to find out.
pub type Fits = fn(&Config) -> Result<(), String>;

/// Settings by their keys.
pub type Changes = BTreeMap<String, Value>;

/// How a change of a setting takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// With the next call.
    NextCall,
    /// When the server is started again.
    Restart,
}

/// Sections and settings that hold from the next call on.
const LIVE: [&str; 7] = [
    "persona.",
    "policy.",
    "proactive.",
    "call.voicemail",
    "carrier.human",
    "limits.total_s",
    "limits.silence_s",
];

/// Sections and settings that can be changed over the API and hold from the next start on. Not
/// among them: what could lock out whoever runs the server (where it listens, its key, its data,
/// its log), what tells who is a carrier but for what names a resource of Azure, and what has this
/// machine run a program.
const KEPT_FOR_THE_START: [&str; 18] = [
    "acs.audience",
    "acs.audio",
    "acs.client_id",
    "acs.endpoint",
    "acs.record",
    "acs.tenant_id",
    "asterisk.",
    "call.take_restricted",
    "carrier.kind",
    "carrier.number",
    "http.public_url",
    "model.",
    "store.record_audio",
    "store.recording_consent",
    "twilio.account_sid",
    "twilio.api_key",
    "twilio.detect_machines",
    "twilio.record",
];

fn is_among(all: &[&str], key: &str) -> bool {
    all.iter().any(|one| if one.ends_with('.') { key.starts_with(one) } else { key == *one })
}

impl Effect {
    /// How a change of this setting takes effect.
    #[must_use]
    pub fn of(key: &str) -> Self {
        if is_among(&LIVE, key) { Self::NextCall } else { Self::Restart }
    }
}

/// Whether a setting that is no secret can be changed over the API.
#[must_use]
pub fn is_changeable(key: &str) -> bool {
    is_among(&LIVE, key) || is_among(&KEPT_FOR_THE_START, key)
}

/// Why settings were not changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotChanged {
    /// One cannot be so, or not over the API.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// It could not be written down; then nothing has changed.
    #[error(transparent)]
    NotWritten(#[from] RecordError),
}

/// What a server starts with.
pub struct Kept {
    /// Of the file and the environment.
    base: Arc<Config>,
    /// The same with what was kept for the start.
    pub run: Arc<Config>,
    /// Which settings were.
    held: Changes,
    /// All that was set over the API.
    changes: Changes,
    fits: Fits,
}

impl Kept {
    /// Reads what was set over the API, and lays over the settings what was kept for a start. What
    /// no longer goes with them is left aside: a server starts whatever was set.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn read(base: &Config, store: &Store, fits: Fits) -> Result<Self, RecordError> {
        let kept = store.setting(KEPT).await?;
        let changes: Changes =
            kept.and_then(|kept| serde_json::from_str(kept.as_str()).ok()).unwrap_or_default();
        let mut held = changes.clone();
        held.retain(|key, _| is_changeable(key) && Effect::of(key) == Effect::Restart);
        let (run, aside) = base.laid_over(&held, |config| {
            config.go_together(Secrets::AreThere)?;
            fits(config)
        });
        held.retain(|key, _| !aside.contains_key(key));
        tell(aside.keys());
        Ok(Self { base: Arc::new(base.clone()), run: Arc::new(run), held, changes, fits })
    }

    /// The same without what was kept for the start.
    #[must_use]
    pub fn set_aside(mut self) -> Self {
        tell(self.held.keys());
        self.held.clear();
        self.run = Arc::clone(&self.base);
        self
    }

    /// Whether anything was kept for the start.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.held.is_empty()
    }
}

/// What they were set to may be private.
fn tell<'a>(aside: impl Iterator<Item = &'a String>) {
    for key in aside {
        tracing::warn!(key, "a setting of the API does not go with the file any more");
    }
}

/// The settings, and who works by them.
pub struct Settings {
    kept: Kept,
    build: Build,
    store: Store,
    /// All that was set over the API. One change after the other: each is written down before it
    /// holds.
    changes: Mutex<Changes>,
    /// Where tools come from that are no part of the line.
    pub(crate) sources: Sources,
    /// Held by whoever checks them: one after the other.
    pub(crate) checking: Mutex<()>,
}

/// Settings with what was set over the API, and of that what does not go with the others.
pub struct Standing {
    /// As they are.
    pub config: Config,
    /// What was left aside, and why.
    pub aside: BTreeMap<String, Unfit>,
}

/// All of the settings at one moment.
pub struct Now {
    /// In this run.
    pub run: Standing,
    /// From the next start on, as far as is known.
    pub next: Standing,
    /// What was set over the API.
    pub changes: Changes,
}

impl Settings {
    /// The settings of a server that starts, and the house that they make.
    ///
    /// # Errors
    /// When the settings of the file make no house.
    pub fn open(
        kept: Kept,
        store: &Store,
        build: Build,
        sources: Sources,
    ) -> anyhow::Result<(Self, House)> {
        let (changes, store) = (Mutex::new(kept.changes.clone()), store.clone());
        let checking = Mutex::default();
        let settings = Self { kept, build, store, changes, sources, checking };
        let run = settings.run(&settings.kept.changes);
        tell(run.aside.keys());
        let house = (settings.build)(&run.config).map_err(anyhow::Error::msg)?;
        Ok((settings, house))
    }

    /// The settings as they are.
    pub async fn now(&self) -> Now {
        let changes = self.changes.lock().await.clone();
        Now { run: self.run(&changes), next: self.next(&changes), changes }
    }

    /// Where a setting comes from that this run has.
    #[must_use]
    pub fn origin(&self, key: &str, now: &Now) -> Origin {
        let is_set = match Effect::of(key) {
            Effect::NextCall => now.changes.contains_key(key) && !now.run.aside.contains_key(key),
            Effect::Restart => self.kept.held.contains_key(key),
        };
        if is_set { Origin::Api } else { self.kept.base.origins.from(key) }
    }

    /// The settings of the next start with some changed, without changing any.
    ///
    /// # Errors
    /// What cannot be so, or not over the API.
    pub async fn proposed(&self, wanted: Changes) -> Result<Config, Unfit> {
        let before = self.changes.lock().await.clone();
        let after = self.changed(&before, &wanted)?;
        let next = self.next(&after);
        excused(&next, &self.next(&before), &wanted)?;
        Ok(next.config)
    }

    /// Changes some settings, all or none; `null` has one be again as the file says.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn change(&self, wanted: Changes, reception: &Reception) -> Result<(), NotChanged> {
        let mut changes = self.changes.lock().await;
        let after = self.changed(&changes, &wanted)?;
        let run = self.run(&after);
        excused(&run, &self.run(&changes), &wanted)?;
        excused(&self.next(&after), &self.next(&changes), &wanted)?;
        let house = (self.build)(&run.config);
        let house = house.map_err(|why| Unfit { key: "policy".to_owned(), why })?;
        self.store.set(KEPT.to_owned(), Text(json!(after).to_string())).await?;
        reception.moves_into(house);
        *changes = after;
        Ok(())
    }

    /// What is set over the API after a change.
    fn changed(&self, before: &Changes, wanted: &Changes) -> Result<Changes, Unfit> {
        let (known, mut after) = (self.kept.base.plain(), before.clone());
        for (key, value) in wanted {
            let unfit = |why| Unfit { key: key.clone(), why };
            if let Some(why) = refusal(key, &known) {
                return Err(unfit(why));
            }
            if value.is_null() {
                after.remove(key);
                continue;
            }
            let place = value.as_str().unwrap_or_default();
            self.kept.base.lets_secrets_go(key, place).map_err(unfit)?;
            after.insert(key.clone(), value.clone());
        }
        Ok(after)
    }

    /// The settings of this run.
    fn run(&self, changes: &Changes) -> Standing {
        let mut live = changes.clone();
        live.retain(|key, _| is_changeable(key) && Effect::of(key) == Effect::NextCall);
        let good = |config: &Config| config.go_together(Secrets::AreThere);
        let (config, aside) = self.kept.run.laid_over(&live, good);
        Standing { config, aside }
    }

    /// The settings of the next start, to which secrets may be given that are not there yet.
    fn next(&self, changes: &Changes) -> Standing {
        let mut set = changes.clone();
        set.retain(|key, _| is_changeable(key));
        let (config, aside) = self.kept.base.laid_over(&set, |config| {
            config.go_together(Secrets::MayCome)?;
            let has_all = config.needs().iter().all(|need| config.has(need));
            if has_all { (self.kept.fits)(config) } else { Ok(()) }
        });
        Standing { config, aside }
    }
}

/// Lets pass what was aside before; what a change has put there is its fault.
fn excused(after: &Standing, before: &Standing, wanted: &Changes) -> Result<(), Unfit> {
    let is_new = |key: &String| wanted.contains_key(key) || !before.aside.contains_key(key);
    let new = after.aside.iter().find(|(key, _)| is_new(key));
    new.map_or(Ok(()), |(_, unfit)| Err(unfit.clone()))
}

/// Why a setting cannot be changed over the API, whatever to.
fn refusal(key: &str, known: &Changes) -> Option<String> {
    if key == "call.target" {
        return Some("it is set with PUT /v1/phone, or `tandem phone`".to_owned());
    }
    if !known.contains_key(key) {
        let nearest = known.keys().min_by_key(|name| strsim::damerau_levenshtein(key, name));
        let nearest = nearest.map(String::as_str).unwrap_or_default();
        return Some(format!("there is no such setting; did you mean `{nearest}`?"));
    }
    (!is_changeable(key)).then(|| "it is set in the file or the environment alone".to_owned())
}

/// Settings that several routes share.
pub type Shared = Arc<Settings>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_lock_the_operator_out_or_run_a_program_cannot_be_changed() {
        for key in [
            "http.listen",
            "http.carriers",
            "http.makes_keys",
            "store.dir",
            "store.node",
            "log.filter",
            "mcp",
            "tools",
            "agent.url",
            "acs.check_tokens",
            "acs.keys_url",
            "acs.issuer",
            "acs.token_url",
            "twilio.api_url",
            "limits.tools",
            "webhooks.allow_private",
        ] {
            assert!(!is_changeable(key), "{key}");
        }
        let known = Config::default().plain();
        for one in LIVE.iter().chain(&KEPT_FOR_THE_START) {
            assert!(known.keys().any(|key| is_among(&[one], key)), "{one} is no setting");
        }
    }
}
