//! The secrets: never in a file of settings, each in a variable of its own or in the file that
//! such a variable names.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{Config, ConfigError};

/// Ends the name of a variable that names a file with a secret.
const IN_FILE: &str = "_FILE";

/// The variables that hold secrets, and where each belongs. A secret is in no file of settings.
type Place = fn(&mut Config) -> &mut Option<SecretString>;
const SECRETS: [(&str, Place); 12] = [
    ("TANDEM__AGENT__SECRET", |config| &mut config.agent.secret),
    ("TANDEM__HTTP__KEY", |config| &mut config.http.key),
    ("TANDEM__CALL__PIN", |config| &mut config.call.pin),
    ("TANDEM__MODEL__KEY", |config| &mut config.model.key),
    ("TANDEM__MODEL__SECOND__KEY", |config| &mut config.model.second.key),
    ("TANDEM__ACS__CONNECTION_STRING", |config| &mut config.acs.connection_string),
    ("TANDEM__ACS__CLIENT_SECRET", |config| &mut config.acs.client_secret),
    ("TANDEM__ACS__EVENTS_SECRET", |config| &mut config.acs.events_secret),
    ("TANDEM__TWILIO__AUTH_TOKEN", |config| &mut config.twilio.auth_token),
    ("TANDEM__TWILIO__API_SECRET", |config| &mut config.twilio.api_secret),
    ("TANDEM__ASTERISK__PASSWORD", |config| &mut config.asterisk.password),
    ("TANDEM__ASTERISK__MEDIA_SECRET", |config| &mut config.asterisk.media_secret),
];

/// The variables of secrets that each tool and each MCP server has for itself: begin and end.
const SECRET_OF_TOOL: (&str, &str) = ("TANDEM__TOOLS__", "__SECRET");
const TOKEN_OF_SERVER: (&str, &str) = ("TANDEM__MCP__", "__TOKEN");

/// Whether a variable holds a secret, or names a file with one.
pub(super) fn is_one(name: &str) -> bool {
    let name = name.strip_suffix(IN_FILE).unwrap_or(name);
    let of = |(begin, end): (&str, &str)| name.starts_with(begin) && name.ends_with(end);
    SECRETS.iter().any(|(secret, _)| *secret == name) || of(SECRET_OF_TOOL) || of(TOKEN_OF_SERVER)
}

/// The key of the setting that a variable is of.
pub(super) fn dotted(variable: &str) -> String {
    let file = if is_one(variable) { IN_FILE } else { "" };
    let name = variable.strip_suffix(file).unwrap_or(variable);
    name.trim_start_matches("TANDEM__").to_lowercase().replace("__", ".")
}

/// The variable of a setting; the other way round than [`dotted`].
pub(super) fn variable(key: &str) -> String {
    format!("TANDEM__{}", key.to_uppercase().replace('.', "__"))
}

/// Gives settings that were read anew the secrets, and what else is in no file, of those that they
/// were made of.
pub(super) fn carry(from: &Config, to: &mut Config) {
    let mut from = from.clone();
    for (_, place) in SECRETS {
        *place(to) = place(&mut from).take();
    }
    for tool in &mut to.tools {
        let same = from.tools.iter().find(|one| one.name == tool.name);
        tool.secret = same.and_then(|one| one.secret.clone());
    }
    for server in &mut to.mcp {
        let same = from.mcp.iter().find(|one| one.name == server.name);
        server.token = same.and_then(|one| one.token.clone());
    }
    to.acs.app_identity = from.acs.app_identity;
    to.origins = from.origins;
}

/// Sets these to something that is not empty.
pub(super) fn stand_in<'a>(config: &mut Config, variables: impl Iterator<Item = &'a str>) {
    for variable in variables {
        for (_, place) in SECRETS.iter().filter(|(name, _)| *name == variable) {
            *place(config) = Some(SecretString::from("set later"));
        }
    }
}

/// All of them by their keys, and whether they are set.
pub(super) fn are_set(config: &Config) -> BTreeMap<String, bool> {
    let mut config = config.clone();
    let fixed = SECRETS.map(|(name, place)| (dotted(name), place(&mut config).is_some()));
    let tools = config.tools.iter();
    let tools = tools.map(|tool| (format!("tools.{}.secret", tool.name), tool.secret.is_some()));
    let servers = config.mcp.iter();
    let servers = servers.map(|one| (format!("mcp.{}.token", one.name), one.token.is_some()));
    fixed.into_iter().chain(tools).chain(servers).collect()
}

/// Puts all of them where they belong.
///
/// # Errors
/// When a file cannot be read, or a variable is of a tool that does not exist.
pub(super) fn fill(
    config: &mut Config,
    environment: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    for (name, place) in SECRETS {
        *place(config) = secret(environment, name)?;
    }
    let tools = config.tools.iter_mut().map(|tool| (tool.name.as_str(), &mut tool.secret));
    by_name(environment, SECRET_OF_TOOL, tools)?;
    let servers = config.mcp.iter_mut().map(|server| (server.name.as_str(), &mut server.token));
    by_name(environment, TOKEN_OF_SERVER, servers)
}

/// Gives each its secret, and refuses a variable that is nobody's: a typing error would leave a
/// tool unsigned.
fn by_name<'a>(
    environment: &BTreeMap<String, String>,
    (begin, end): (&str, &str),
    owners: impl Iterator<Item = (&'a str, &'a mut Option<SecretString>)>,
) -> Result<(), ConfigError> {
    let mut known = Vec::new();
    for (name, place) in owners {
        let variable = format!("{begin}{}{end}", name.to_uppercase());
        *place = secret(environment, &variable)?;
        known.push(variable);
    }
    let stray = environment.keys().find(|name| {
        let name = name.strip_suffix(IN_FILE).unwrap_or(name);
        name.starts_with(begin) && name.ends_with(end) && !known.iter().any(|one| one == name)
    });
    match stray {
        Some(name) => Err(ConfigError::Invalid(format!(
            "{name} belongs to nothing; with these settings there are: {}",
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        ))),
        None => Ok(()),
    }
}

fn secret(
    environment: &BTreeMap<String, String>,
    name: &str,
) -> Result<Option<SecretString>, ConfigError> {
    if let Some(secret) = environment.get(name) {
        return Ok(Some(secret.clone().into()));
    }
    let in_file = format!("{name}{IN_FILE}");
    let Some(path) = environment.get(&in_file) else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::Unreadable(format!("{in_file} names {path}, which cannot be read: {error}"))
    })?;
    Ok(Some(text.trim().to_owned().into()))
}
