//! Reads the file and the environment into a [`Config`], and says what is wrong with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Environment, File, FileFormat};
use secrecy::{ExposeSecret as _, SecretString};
use tandem_actors::call::consent::{PIN_DIGITS, Pin};

use super::carrier::{AppIdentity, is_e164};
use super::{
    Config, Consent, Origins, agent, carrier, http, model, persona, policy, secrets, tools,
};

/// The file that is read when it exists and no other is named.
pub(crate) const DEFAULT_FILE: &str = "tandem.toml";

const PREFIX: &str = "TANDEM__";

/// What Azure tells an app that it runs: where the tokens of its managed identity are, and what
/// to show for one. Where only the first is set it is of another kind (Azure Arc).
const APP_IDENTITY: [&str; 2] = ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"];

/// What is shown to a running server. Not ours to pass on to programs that we start.
const CLIENT_KEY: &str = "TANDEM_KEY";

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or a value cannot be read.
    #[error("configuration: {0}")]
    Unreadable(String),
    /// A key that does not exist.
    #[error("configuration: there is no key `{key}`{hint}")]
    UnknownKey {
        /// As it was written.
        key: String,
        /// The nearest one that exists, as words.
        hint: String,
    },
    /// Settings that do not go together.
    #[error("configuration: {0}")]
    Invalid(String),
}

/// Reads `file`, or `tandem.toml` when it is there, then the environment over it.
///
/// # Errors
/// [`ConfigError`] with the first thing that is wrong.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let environment = environment();
    let file = file.map(Path::to_owned).or_else(|| {
        let usual = PathBuf::from(DEFAULT_FILE);
        usual.exists().then_some(usual)
    });
    let text = match &file {
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            ConfigError::Unreadable(format!("{} cannot be read: {error}", path.display()))
        })?,
        None => String::new(),
    };
    of(&text, &environment)
}

/// What of the environment concerns us.
#[expect(clippy::disallowed_methods, reason = "this is the reader of the environment")]
pub(crate) fn environment() -> BTreeMap<String, String> {
    let concerns =
        |name: &str| name.starts_with(PREFIX) || name == CLIENT_KEY || APP_IDENTITY.contains(&name);
    std::env::vars().filter(|(name, _)| concerns(name)).collect()
}

/// The key that a command shows to a running server: the one in `TANDEM_KEY`, else that of whoever
/// runs a server with these settings.
pub(crate) fn client_key(config: &Config) -> Option<SecretString> {
    let own = environment().remove(CLIENT_KEY).filter(|key| !key.is_empty());
    own.map(SecretString::from).or_else(|| config.http.key.clone())
}

/// The settings of this text and this environment.
///
/// # Errors
/// As [`load`].
pub(crate) fn of(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Config, ConfigError> {
    let config = read(text, environment)?;
    check(&config)?;
    Ok(config)
}

/// The same as they stand, whether they go together or not.
///
/// # Errors
/// When they cannot be read.
pub(crate) fn read(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Config, ConfigError> {
    let plain = environment
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !secrets::is_one(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let read = config::Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        // Nothing is guessed from how a value looks: `+1425…` would become a number, without its
        // plus. A setting that is a number reads one from text.
        .add_source(
            Environment::with_prefix("TANDEM")
                .prefix_separator("__")
                .separator("__")
                .source(Some(plain)),
        )
        .build()
        .and_then(config::Config::try_deserialize::<Config>);
    let mut config = read.map_err(|error| wrong(&error.to_string()))?;
    config.origins = origins(text, environment);
    secrets::fill(&mut config, environment)?;
    config.acs.app_identity = app_identity(environment);
    Ok(config)
}

/// What the file and the environment set, by dotted keys.
fn origins(text: &str, environment: &BTreeMap<String, String>) -> Origins {
    let file = config::Config::builder().add_source(File::from_str(text, FileFormat::Toml)).build();
    let file = file.and_then(config::Config::try_deserialize).unwrap_or_default();
    let ours = environment.keys().filter(|name| name.starts_with(PREFIX));
    Origins::of(&file, ours.map(|name| secrets::dotted(name)))
}

fn app_identity(environment: &BTreeMap<String, String>) -> Option<AppIdentity> {
    let [endpoint, header] = APP_IDENTITY.map(|name| environment.get(name).cloned());
    Some(AppIdentity { endpoint: endpoint?, header: header?.into() })
}

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    http::check(&config.http).map_err(ConfigError::Invalid)?;
    model::check(&config.model).map_err(ConfigError::Invalid)?;
    config.limits.check().map_err(ConfigError::Invalid)?;
    carrier::check(config).map_err(ConfigError::Invalid)?;
    policy::check(config).map_err(ConfigError::Invalid)?;
    config.log.check().map_err(ConfigError::Invalid)?;
    tools::check(&config.tools, &config.mcp).map_err(ConfigError::Invalid)?;
    agent::check(&config.agent, &config.mcp).map_err(ConfigError::Invalid)?;
    persona::check(&config.persona).map_err(ConfigError::Invalid)?;
    if !config.call.target.is_empty() && !is_e164(&config.call.target) {
        return Err(ConfigError::Invalid(
            "call.target is not E.164; write it like +14255550123".to_owned(),
        ));
    }
    if config.call.pin.as_ref().is_some_and(|pin| Pin::new(pin.expose_secret()).is_none()) {
        return Err(ConfigError::Invalid(format!(
            "TANDEM__CALL__PIN is no PIN; it must have {} to {} figures and nothing else",
            PIN_DIGITS.start(),
            PIN_DIGITS.end()
        )));
    }
    for (records, name) in
        [(config.acs.record, "acs.record"), (config.twilio.record, "twilio.record")]
    {
        if config.call.take_restricted && records {
            return Err(ConfigError::Invalid(format!(
                "call.take_restricted and {name} are both set: the carrier would record what \
                 callers enter; use our own recording, which is silent then"
            )));
        }
        if config.store.recording_consent != Consent::None && records {
            return Err(ConfigError::Invalid(format!(
                "{name} is set and store.recording_consent is not none: the carrier would record \
                 from the beginning; use our own recording, which waits"
            )));
        }
    }
    Ok(())
}

/// Words of serde's that tell of an unknown key: "unknown field `x`, expected one of `a`, `b`".
fn wrong(error: &str) -> ConfigError {
    let quoted: Vec<&str> = error.split('`').skip(1).step_by(2).collect();
    let Some((key, known)) = quoted.split_first().filter(|_| error.contains("unknown field"))
    else {
        return ConfigError::Unreadable(error.to_owned());
    };
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(key, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= name.len() / 2 + 1);
    let hint = match nearest {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => format!("; there are: {}", known.join(", ")),
    };
    ConfigError::UnknownKey { key: (*key).to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        of(text, &pairs.collect())
    }

    #[test]
    fn the_environment_overrides_the_file_and_the_file_the_defaults() {
        let text = "[limits]\ncalls = 7\ntotal_s = 60\n";
        let config = with(text, &[("TANDEM__LIMITS__CALLS", "9")]).unwrap();
        assert_eq!((config.limits.calls, config.limits.total_s), (9, 60));
        assert_eq!(config.limits.silence_s, Config::default().limits.silence_s);
    }

    #[test]
    fn a_value_of_the_environment_is_what_its_setting_is() {
        let config = with(
            "",
            &[
                ("TANDEM__CARRIER__NUMBER", "+14255550123"),
                ("TANDEM__MODEL__NAME", "7"),
                ("TANDEM__MODEL__SPEED", "1.25"),
                ("TANDEM__MODEL__TURNS__THRESHOLD", "0.4"),
                ("TANDEM__MODEL__TURNS__SILENCE_DURATION_MS", "600"),
                ("TANDEM__MODEL__SECOND__TRUNCATE", "false"),
                ("TANDEM__STORE__RECORD_AUDIO", "false"),
            ],
        )
        .unwrap();
        assert_eq!(config.carrier.number, "+14255550123");
        assert_eq!(config.model.name, "7");
        assert_eq!((config.model.speed, config.model.turns.threshold), (1.25, Some(0.4)));
        assert_eq!(config.model.turns.silence_duration_ms, Some(600));
        assert_eq!(config.model.second.truncate, Some(false));
        assert!(!config.store.record_audio);
        let error = with("", &[("TANDEM__LIMITS__CALLS", "many")]).unwrap_err().to_string();
        assert!(error.contains("many"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name() {
        let error = with("[limits]\ncals = 7\n", &[]).unwrap_err().to_string();
        assert_eq!(error, "configuration: there is no key `cals`; did you mean `calls`?");
        let error = with("", &[("TANDEM__HTP__LISTEN", "x")]).unwrap_err().to_string();
        assert!(error.contains("`htp`") && error.contains("did you mean `http`"), "{error}");
    }

    #[test]
    fn what_to_do_about_voicemails_is_one_of_three_words() {
        use crate::config::Voicemail;
        assert_eq!(with("", &[]).unwrap().call.voicemail, Voicemail::LeaveMessage);
        let variable = "TANDEM__CALL__VOICEMAIL";
        assert_eq!(with("", &[(variable, "wait")]).unwrap().call.voicemail, Voicemail::Wait);
        let error = with("[call]\nvoicemail = \"sing\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("sing") && error.contains("leave_message"), "{error}");
    }

    #[test]
    fn who_speaks_is_set_in_the_file_or_outside_and_wrong_words_are_refused() {
        let text = "[persona]\nname = \"Ada\"\nstyle = \"\"\"\nNo jokes.\nSay we.\n\"\"\"\n";
        let first = ("TANDEM__PERSONA__DISCLOSURE", "first");
        let persona = with(text, &[first]).unwrap().persona;
        assert_eq!((&*persona.name, &*persona.style), ("Ada", "No jokes.\nSay we.\n"));
        assert_eq!(persona.disclosure, crate::config::Disclosure::First);
        let error = with("", &[(first.0, "never")]).unwrap_err().to_string();
        assert!(error.contains("never") && error.contains("when_asked"), "{error}");
        let error = with("[persona]\nopenning = \"Hi\"\n", &[]).unwrap_err().to_string();
        assert_eq!(error, "configuration: there is no key `openning`; did you mean `opening`?");
        let error = with("[persona]\nname = \"A\\nB\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("persona.name"), "{error}");
    }

    const KEY: &str = "TANDEM__MODEL__KEY";

    #[test]
    fn a_setting_in_a_section_of_a_section_has_a_variable_too() {
        let environment = [
            ("TANDEM__MODEL__TURNS__BY", "semantic"),
            ("TANDEM__MODEL__SECOND__TRANSCRIPTION", ""),
            ("TANDEM__MODEL__SPEED", "1"),
            ("TANDEM__MODEL__SECOND__KEY", "sk-2"),
        ];
        let model = with("", &environment).unwrap().model;
        assert_eq!((model.turns.by, model.speed), (crate::config::By::Semantic, 1.0));
        assert_eq!(model.second.transcription.as_deref(), Some(""));
        assert!(model.second.key.is_some());
    }

    #[test]
    fn a_key_comes_only_from_the_environment() {
        assert!(with("[model]\nkey = \"sk-1\"\n", &[]).is_err());
        let url = "[model]\nurl = \"wss://example.com\"\n";
        assert!(with(url, &[]).unwrap_err().to_string().contains(KEY));
        let config = with(url, &[(KEY, "sk-1")]).unwrap();
        assert!(!format!("{config:?}").contains("sk-1"), "the key is in the debug output");
    }

    #[test]
    fn an_acs_resource_is_told_in_one_way_and_whole() {
        const STRING: (&str, &str) = ("TANDEM__ACS__CONNECTION_STRING", "endpoint=x");
        const SECRET: (&str, &str) = ("TANDEM__ACS__CLIENT_SECRET", "s3cret");
        let acs = |settings: &str, environment: &[(&str, &str)]| {
            let fixed = "[carrier]\nkind = \"acs\"\nnumber = \"+14255550123\"\n\
                         [http]\npublic_url = \"https://a.example\"\n[acs]\n";
            let config = with(&format!("{fixed}{settings}"), environment);
            config.map(drop).map_err(|error| error.to_string())
        };
        let at = "endpoint = \"https://a.communication.azure.com\"\n";
        let application = format!("{at}tenant_id = \"t-1\"\nclient_id = \"c-1\"\n");
        assert_eq!(acs(at, &[]), Ok(()), "the machine's identity");
        assert_eq!(acs(&format!("{at}client_id = \"c-1\"\n"), &[]), Ok(()));
        assert_eq!(acs(&application, &[SECRET]), Ok(()));
        let events = ("TANDEM__ACS__EVENTS_SECRET", "e-1");
        assert_eq!(acs("record = true\n", &[STRING, events]), Ok(()));
        for (settings, environment, told) in [
            ("", &[][..], "acs.endpoint"),
            (at, &[STRING], "both set"),
            (&application, &[], "TANDEM__ACS__CLIENT_SECRET"),
            (&format!("{at}tenant_id = \"t-1\"\n"), &[SECRET], "acs.client_id"),
            (at, &[SECRET], "acs.tenant_id"),
            (&format!("{at}tenant_id = \"t/1\"\n"), &[SECRET], "acs.tenant_id is \"t/1\""),
            ("client_secret = \"s3cret\"\n", &[STRING], "client_secret"),
            ("record = true\n", &[STRING], "TANDEM__ACS__EVENTS_SECRET"),
        ] {
            let error = acs(settings, environment).unwrap_err();
            assert!(error.contains(told) && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_azure_tells_an_app_of_its_identity_is_taken_when_both_are_there() {
        let app = |environment: &[(&str, &str)]| with("", environment).unwrap().acs.app_identity;
        let at = ("IDENTITY_ENDPOINT", "http://127.0.0.1:41741/msi/token/");
        let read = app(&[at, ("IDENTITY_HEADER", "h-1")]).unwrap();
        assert_eq!(read.endpoint, at.1);
        assert!(!format!("{read:?}").contains("h-1"));
        assert!(app(&[at]).is_none() && app(&[]).is_none());
        assert!(with("[acs]\napp_identity = \"x\"\n", &[]).is_err());
    }

    #[test]
    fn an_api_key_needs_its_secret_and_the_token_is_needed_all_the_same() {
        let text = "[carrier]\nkind = \"twilio\"\nnumber = \"+14255550123\"\n\
                    [http]\npublic_url = \"https://a.example\"\n\
                    [twilio]\naccount_sid = \"AC1\"\napi_key = \"SK1\"\n";
        let token = ("TANDEM__TWILIO__AUTH_TOKEN", "t-1");
        let secret = ("TANDEM__TWILIO__API_SECRET", "s-1");
        let user = |text: &str, environment: &[(&str, &str)]| {
            let twilio = with(text, environment).map_err(|error| error.to_string())?.twilio;
            Ok::<_, String>(twilio.access().map(|(user, _)| user.to_owned()))
        };
        assert!(user(text, &[token]).unwrap_err().contains(secret.0));
        assert!(user(text, &[secret]).unwrap_err().contains(token.0));
        assert_eq!(user(text, &[token, secret]), Ok(Some("SK1".to_owned())));
        let without = text.replace("SK1", "");
        let unused = user(&without, &[token, secret]).unwrap_err();
        assert!(unused.contains(secret.0) && unused.contains("twilio.api_key"), "{unused}");
        assert_eq!(user(&without, &[token]), Ok(Some("AC1".to_owned())));
        let in_file = text.replace("api_key", "api_secret");
        assert!(user(&in_file, &[token]).is_err(), "a secret in the file");
    }

    #[test]
    fn strangers_are_kept_out() {
        let error = with("[http]\nlisten = \"0.0.0.0:8080\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("0.0.0.0:8080") && error.contains("loopback"), "{error}");
    }

    #[test]
    fn what_nobody_may_hear_is_not_recorded_by_a_carrier() {
        let both = "[call]\ntake_restricted = true\n[twilio]\nrecord = true\n";
        let error = with(both, &[]).unwrap_err().to_string();
        assert!(error.contains("twilio.record"), "{error}");
        assert!(with("[call]\ntake_restricted = true\n", &[]).unwrap().call.take_restricted);
        let both = "[store]\nrecording_consent = \"asked\"\n[twilio]\nrecord = true\n";
        assert!(with(both, &[]).unwrap_err().to_string().contains("store.recording_consent"));
    }

    #[test]
    fn a_pin_is_figures_and_is_not_repeated_when_it_is_not() {
        let pin = |pin| with("", &[("TANDEM__CALL__PIN", pin)]);
        assert!(pin("041777").is_ok());
        let error = pin("secret").unwrap_err().to_string();
        assert!(error.contains("4 to 12") && !error.contains("secret"), "{error}");
        assert!(with("[call]\npin = \"0417\"\n", &[]).is_err(), "a secret in the file");
    }
}
