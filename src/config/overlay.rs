//! Settings by their dotted keys: what each is, where it comes from, and the settings with some of
//! them changed, by the same rules as the file's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Config, ConfigError, load, secrets};

/// Settings of this beginning hold what may be secret: headers of a gateway.
const HEADERS: [&str; 2] = ["model.headers", "model.second.headers"];

/// Which settings were set, and where.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    file: BTreeSet<String>,
    environment: BTreeSet<String>,
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nobody has set it.
    Default,
    /// The file.
    File,
    /// A variable.
    Environment,
    /// The interface.
    Api,
}

/// A setting that cannot be so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct Unfit {
    /// Its dotted key.
    pub key: String,
    /// What is wrong.
    pub why: String,
}

impl Origins {
    pub(super) fn of(file: &Value, variables: impl Iterator<Item = String>) -> Self {
        let mut keys = BTreeMap::new();
        flatten("", file, &mut keys);
        Self { file: keys.into_keys().collect(), environment: variables.collect() }
    }

    /// Where this setting comes from.
    #[must_use]
    pub fn from(&self, key: &str) -> Origin {
        match key {
            key if self.environment.contains(key) => Origin::Environment,
            key if self.file.contains(key) => Origin::File,
            _ => Origin::Default,
        }
    }
}

impl Config {
    /// Every setting that is no secret. A list is one setting; what may hold a secret is left out.
    #[must_use]
    pub fn plain(&self) -> BTreeMap<String, Value> {
        let mut keys = BTreeMap::new();
        flatten("", &json!(self), &mut keys);
        keys.retain(|key, _| !HEADERS.iter().any(|headers| key.starts_with(headers)));
        keys
    }

    /// The variable that sets a setting.
    #[must_use]
    pub fn variable(key: &str) -> String {
        secrets::variable(key)
    }

    /// Every secret, and whether it is set.
    #[must_use]
    pub fn secrets(&self) -> BTreeMap<String, bool> {
        let mut all = secrets::are_set(self);
        all.insert(HEADERS[0].to_owned(), !self.model.headers.0.is_empty());
        all.insert(HEADERS[1].to_owned(), !self.model.second.headers.0.is_empty());
        all
    }

    /// These settings with as many of the changes as go together, and why the others do not. A
    /// change that needs another one waits for it; what the settings have to be is asked of `fits`,
    /// besides what holds for every setting.
    #[must_use]
    pub fn laid_over(
        &self,
        changes: &BTreeMap<String, Value>,
        fits: impl Fn(&Self) -> Result<(), String>,
    ) -> (Self, BTreeMap<String, Unfit>) {
        let is_good = |config: &Self, key: &str| {
            fits(config).map_err(|why| Unfit { key: config.named_in(&why, key), why })
        };
        let all = |config: Self, (key, value): (&String, &Value)| config.with_one(key, value);
        if let Ok(whole) = changes.iter().try_fold(self.clone(), all)
            && fits(&whole).is_ok()
        {
            return (whole, BTreeMap::new());
        }
        let (mut config, mut left) = (self.clone(), changes.clone());
        loop {
            let (before, mut unfit) = (left.len(), BTreeMap::new());
            left.retain(|key, value| {
                let changed = config.with_one(key, value);
                match changed.and_then(|changed| is_good(&changed, key).map(|()| changed)) {
                    Ok(changed) => config = changed,
                    Err(why) => {
                        unfit.insert(key.clone(), why);
                    }
                }
                unfit.contains_key(key)
            });
            if left.is_empty() || left.len() == before {
                return (config, unfit);
            }
        }
    }

    /// What is wrong with these settings, if anything.
    ///
    /// # Errors
    /// The first thing that is wrong, in words.
    pub fn go_together(&self, secrets: Secrets) -> Result<(), String> {
        let checked = match secrets {
            Secrets::AreThere => load::check(self),
            Secrets::MayCome => load::check(&self.as_if_all_were_set()),
        };
        checked.map_err(|error| match error {
            ConfigError::Invalid(what) => what,
            ConfigError::Unreadable(_) | ConfigError::UnknownKey { .. } => error.to_string(),
        })
    }

    /// These settings with one of them changed, whether they go together or not.
    fn with_one(&self, key: &str, value: &Value) -> Result<Self, Unfit> {
        let unfit = |why: String| Unfit { key: key.to_owned(), why };
        let mut whole = json!(self);
        let place = whole.pointer_mut(&format!("/{}", key.replace('.', "/")));
        *place.ok_or_else(|| unfit("there is no such setting".to_owned()))? = value.clone();
        let read = serde_json::from_value::<Self>(whole);
        let mut read = read.map_err(|error| unfit(error.to_string()))?;
        secrets::carry(self, &mut read);
        Ok(read)
    }

    /// The setting that words are about: the first that they name, but for the one that chooses
    /// what the others are for; else this one.
    fn named_in(&self, words: &str, key: &str) -> String {
        let known = self.plain();
        let is_part = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
        let named = words.split(|c| !is_part(c)).map(|word| word.trim_matches('.'));
        let mut named = named.filter(|word| known.contains_key(*word) && *word != "carrier.kind");
        named.next().unwrap_or(key).to_owned()
    }
}

/// Whether secrets that settings need may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Without them nothing works.
    AreThere,
    /// The server is given them at its next start.
    MayCome,
}

/// The leaves of a tree by their dotted keys.
fn flatten(above: &str, value: &Value, keys: &mut BTreeMap<String, Value>) {
    let dotted = |name: &str| match above {
        "" => name.to_owned(),
        above => format!("{above}.{name}"),
    };
    match value.as_object() {
        Some(fields) => fields.iter().for_each(|(name, value)| flatten(&dotted(name), value, keys)),
        None => {
            keys.insert(above.to_owned(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(changes: Value) -> Result<Config, Unfit> {
        let (config, unfit) = laid(changes);
        unfit.into_values().next().map_or(Ok(config), Err)
    }

    fn laid(changes: Value) -> (Config, BTreeMap<String, Unfit>) {
        let Value::Object(changes) = changes else { panic!("changes are an object") };
        let changes = changes.into_iter().collect();
        Config::default().laid_over(&changes, |config| config.go_together(Secrets::MayCome))
    }

    #[test]
    fn changes_that_need_each_other_go_together_and_one_that_is_wrong_goes_alone() {
        let (config, unfit) = laid(json!({
            "acs.client_id": "c-1", "acs.endpoint": "https://a.communication.azure.com",
            "acs.tenant_id": "t-1", "carrier.kind": "acs", "carrier.number": "+14255550123",
            "http.public_url": "https://a.example", "model.speed": 9, "proactive.per_day": 2,
        }));
        assert_eq!(unfit.keys().collect::<Vec<_>>(), ["model.speed"]);
        assert_eq!(
            (config.carrier.kind, &*config.acs.tenant_id),
            (crate::config::Kind::Acs, "t-1")
        );
        assert_eq!(config.proactive.per_day, Some(2));
        let (config, unfit) = laid(json!({ "carrier.kind": "twilio" }));
        assert_eq!(config.carrier.kind, crate::config::Kind::Rehearsal);
        assert_eq!(unfit["carrier.kind"].key, "http.public_url", "which it needs");
    }

    #[test]
    fn a_change_takes_no_secret_away() {
        let text = "[model]\nurl = \"wss://a.example\"\nheaders = { x-gateway = \"s3cret\" }\n\
                    [[tools]]\nname = \"book\"\ndescription = \"Books.\"\n\
                    url = \"https://a.example/\"\nrisk = \"write\"\n";
        let variables = [
            ("TANDEM__MODEL__KEY", "k-1"),
            ("TANDEM__CALL__PIN", "041777"),
            ("TANDEM__TOOLS__BOOK__SECRET", "whsec_c2VjcmV0"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = load::of(text, &variables.into_iter().collect()).unwrap();
        let changes = BTreeMap::from([("persona.name".to_owned(), json!("Ada"))]);
        let (changed, unfit) =
            config.laid_over(&changes, |config| config.go_together(Secrets::AreThere));
        assert_eq!((changed.persona.name.as_str(), unfit.len()), ("Ada", 0));
        assert_eq!(changed.secrets(), config.secrets());
        assert_eq!(changed.model.headers.0, config.model.headers.0);
        assert_eq!(changed.origins.from("model.url"), Origin::File);
    }

    #[test]
    fn a_change_is_checked_as_the_file_is_and_named_when_it_does_not_fit() {
        let config = with(json!({
            "persona.opening": "Good day.", "persona.disclosure": "first",
            "policy.countries": ["US"], "policy.at_once": 2, "limits.total_s": 60,
            "call.voicemail": "hang_up", "carrier.human": "+15550109",
        }));
        let config = config.unwrap();
        assert_eq!((&*config.persona.opening, config.limits.total_s), ("Good day.", 60));
        assert_eq!(config.call.voicemail, crate::config::Voicemail::HangUp);
        for (wrong, key, why) in [
            (json!({ "persona.opening": "A".repeat(301) }), "persona.opening", "one line"),
            (json!({ "persona.openning": "Hi" }), "persona.openning", "no such setting"),
            (json!({ "persona.opening": 7 }), "persona.opening", "string"),
            (json!({ "persona.disclosure": "never" }), "persona.disclosure", "when_asked"),
            (json!({ "policy.countries": "USA" }), "policy.countries", "USA"),
            (json!({ "policy.hours": "9 to 5" }), "policy.hours", "9 to 5"),
            (json!({ "limits.total_s": -1 }), "limits.total_s", "-1"),
            (json!({ "limits.total_s": u64::MAX }), "limits.total_s", "a day"),
            (json!({ "call.voicemail": "sing" }), "call.voicemail", "leave_message"),
            (json!({ "carrier.human": "+19115550123" }), "carrier.human", "handed over"),
        ] {
            let unfit = with(wrong).unwrap_err();
            assert_eq!(unfit.key, key);
            assert!(unfit.why.contains(why), "{unfit}");
        }
    }

    #[test]
    fn a_setting_says_where_it_comes_from_and_a_secret_only_whether_it_is_set() {
        let text = "[limits]\ntotal_s = 60\n[model]\nheaders = { x-gateway = \"s3cret\" }\n";
        let variables = [
            ("TANDEM__LIMITS__CALLS", "9"),
            ("TANDEM__CALL__PIN", "041777"),
            ("TANDEM__PERSONA__NAME", "Ada"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = load::of(text, &variables.into_iter().collect()).unwrap();
        let from = |key: &str| config.origins.from(key);
        assert_eq!(
            (from("limits.total_s"), from("limits.calls")),
            (Origin::File, Origin::Environment)
        );
        assert_eq!(
            (from("persona.name"), from("persona.style")),
            (Origin::Environment, Origin::Default)
        );
        let (plain, secrets) = (config.plain(), config.secrets());
        assert_eq!((&plain["limits.calls"], &plain["persona.name"]), (&json!(9), &json!("Ada")));
        assert!(secrets["call.pin"] && secrets["model.headers"] && !secrets["http.key"]);
        let told = format!("{plain:?} {secrets:?}");
        assert!(!told.contains("041777") && !told.contains("s3cret"), "{told}");
        assert!(plain.len() > 90, "{}", plain.len());
    }
}
