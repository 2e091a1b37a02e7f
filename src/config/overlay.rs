//! Settings by their dotted keys: what each is, where it comes from, and the settings with some of
//! them changed, by the same rules as the file's.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Config, load, secrets};

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

    /// Every secret, and whether it is set.
    #[must_use]
    pub fn secrets(&self) -> BTreeMap<String, bool> {
        let mut all = secrets::are_set(self);
        all.insert(HEADERS[0].to_owned(), !self.model.headers.0.is_empty());
        all.insert(HEADERS[1].to_owned(), !self.model.second.headers.0.is_empty());
        all
    }

    /// These settings with some of them changed.
    ///
    /// # Errors
    /// The first change that the file could not make either.
    pub fn with(&self, changes: &BTreeMap<String, Value>) -> Result<Self, Unfit> {
        let mut config = self.clone();
        for (key, value) in changes {
            let unfit = |why: String| Unfit { key: key.clone(), why };
            let mut whole = json!(config);
            let place = whole.pointer_mut(&format!("/{}", key.replace('.', "/")));
            *place.ok_or_else(|| unfit("there is no such setting".to_owned()))? = value.clone();
            let read = serde_json::from_value::<Self>(whole);
            let read = read.map_err(|error| unfit(error.to_string()))?;
            config = config.with_what_calls_are_told(read);
            load::check(&config).map_err(|error| unfit(error.to_string()))?;
        }
        Ok(config)
    }

    /// The parts of another that the next call is told; the others, secrets among them, stay.
    fn with_what_calls_are_told(mut self, read: Self) -> Self {
        let Self { call, persona, policy, carrier, limits, .. } = read;
        self.call.voicemail = call.voicemail;
        self.persona = persona;
        self.policy = policy;
        self.carrier.human = carrier.human;
        self.limits = limits;
        self
    }
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
        let Value::Object(changes) = changes else { panic!("changes are an object") };
        Config::default().with(&changes.into_iter().collect())
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
