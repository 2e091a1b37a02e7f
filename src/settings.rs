//! The settings of a running server: those of the file and the environment, and over them what was
//! set over the API, which is kept in the record and holds from the next call on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::record::RecordError;
use tokio::sync::Mutex;

use crate::config::{Config, Origin, Unfit};
use crate::reception::{House, Reception};
use crate::store::{Archive as _, Store};

/// Where they are kept in the record.
const KEPT: &str = "settings";

/// What a house is made of besides the settings.
pub type Build = Box<dyn Fn(&Config) -> Result<House, String> + Send + Sync>;

/// The settings, and who works by them.
pub struct Settings {
    /// Of the file and the environment.
    base: Config,
    build: Build,
    store: Store,
    /// Of the API. One change after the other: each is written down before it holds.
    changes: Mutex<BTreeMap<String, Value>>,
}

/// How a change of a setting takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// With the next call; it can be changed over the API.
    NextCall,
    /// When the server is started again.
    Restart,
}

impl Effect {
    /// How a change of this setting takes effect.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let whole =
            ["persona.", "policy.", "proactive."].iter().any(|section| key.starts_with(section));
        let one = ["call.voicemail", "carrier.human", "limits.total_s", "limits.silence_s"];
        if whole || one.contains(&key) { Self::NextCall } else { Self::Restart }
    }
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

impl Settings {
    /// The settings of a server that starts, and the house that they make. What was set over the
    /// API and no longer goes with the file is left aside.
    ///
    /// # Errors
    /// When the record cannot be read, or the settings of the file make no house.
    pub async fn open(base: &Config, store: &Store, build: Build) -> anyhow::Result<(Self, House)> {
        let kept = store.setting(KEPT).await?;
        let kept: BTreeMap<String, Value> =
            kept.and_then(|kept| serde_json::from_str(kept.as_str()).ok()).unwrap_or_default();
        let (mut config, mut changes) = (base.clone(), BTreeMap::new());
        for (key, value) in kept {
            match config.with(&BTreeMap::from([(key.clone(), value.clone())])) {
                Ok(changed) => {
                    config = changed;
                    changes.insert(key, value);
                }
                // What it was set to may be private.
                Err(Unfit { key, why: _ }) => {
                    tracing::warn!(key, "a setting of the API does not go with the file any more");
                }
            }
        }
        let house = build(&config).map_err(anyhow::Error::msg)?;
        let (base, store) = (base.clone(), store.clone());
        Ok((Self { base, build, store, changes: Mutex::new(changes) }, house))
    }

    /// The settings as they are, and which of them were set over the API.
    pub async fn now(&self) -> (Config, BTreeMap<String, Value>) {
        let changes = self.changes.lock().await.clone();
        let config = self.base.with(&changes);
        (config.expect("they held when they were set"), changes)
    }

    /// Where a setting comes from, given what was set over the API.
    #[must_use]
    pub fn origin(&self, key: &str, changes: &BTreeMap<String, Value>) -> Origin {
        if changes.contains_key(key) { Origin::Api } else { self.base.origins.from(key) }
    }

    /// Changes some settings, all or none; `null` has one be again as the file says.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn change(
        &self,
        wanted: BTreeMap<String, Value>,
        reception: &Reception,
    ) -> Result<(), NotChanged> {
        let known = self.base.plain();
        let mut changes = self.changes.lock().await;
        let mut after = changes.clone();
        for (key, value) in wanted {
            if let Some(why) = refusal(&key, &known) {
                return Err(Unfit { key, why }.into());
            }
            if value.is_null() {
                after.remove(&key);
            } else {
                after.insert(key, value);
            }
        }
        let config = self.base.with(&after)?;
        let house = (self.build)(&config);
        let house = house.map_err(|why| Unfit { key: "policy".to_owned(), why })?;
        self.store.set(KEPT.to_owned(), Text(json!(after).to_string())).await?;
        reception.moves_into(house);
        *changes = after;
        Ok(())
    }
}

/// Why a setting cannot be changed over the API, whatever to.
fn refusal(key: &str, known: &BTreeMap<String, Value>) -> Option<String> {
    if key == "call.target" {
        return Some("it is set with PUT /v1/phone, or `tandem phone`".to_owned());
    }
    if !known.contains_key(key) {
        let nearest = known.keys().min_by_key(|name| strsim::damerau_levenshtein(key, name));
        let nearest = nearest.map(String::as_str).unwrap_or_default();
        return Some(format!("there is no such setting; did you mean `{nearest}`?"));
    }
    (Effect::of(key) == Effect::Restart).then(|| {
        "it takes effect when the server is started: set it in the file or the environment"
            .to_owned()
    })
}

/// Settings that several routes share.
pub type Shared = Arc<Settings>;
