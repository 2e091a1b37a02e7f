//! Which secrets settings need: the variable of each, what it is, and what makes one usable.

use super::{Config, Kind, secrets};
use crate::carrier::acs::connection::Connection;

/// A secret that some settings need.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The variable that holds it; the same with `_FILE` behind it names a file.
    pub variable: &'static str,
    /// What it is, in a user's words.
    pub about: &'static str,
    /// Who decides what it is.
    pub whose: Whose,
    /// What goes without it.
    pub without: Without,
    /// What is wrong with one, if anything. Repeats nothing of it.
    pub check: fn(&str) -> Result<(), String>,
}

/// Who decides what a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// We choose it, and tell the other side.
    Ours,
    /// It is given to us.
    Theirs,
}

/// What goes without a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// Nothing: the settings cannot be used.
    Nothing,
    /// All but calls that come in.
    PlacingOnly,
}

impl Config {
    /// The secrets that these settings need.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        use Whose::{Ours, Theirs};
        let mut needs = Vec::new();
        let mut need = |variable, about, whose, check| {
            needs.push(Need { variable, about, whose, without: Without::Nothing, check });
        };
        match self.carrier.kind {
            Kind::Rehearsal => {}
            Kind::Acs if self.acs.endpoint.is_empty() => {
                let variable = "TANDEM__ACS__CONNECTION_STRING";
                need(variable, "ACS connection string", Theirs, connection);
            }
            Kind::Acs if self.acs.tenant_id.is_empty() => {}
            Kind::Acs => {
                let about = "Secret of the application at Microsoft Entra";
                need("TANDEM__ACS__CLIENT_SECRET", about, Theirs, something);
            }
            Kind::Twilio => {
                let about = "Twilio auth token, the primary one";
                need("TANDEM__TWILIO__AUTH_TOKEN", about, Theirs, something);
                if !self.twilio.api_key.is_empty() {
                    let about = "Secret of the Twilio API key";
                    need("TANDEM__TWILIO__API_SECRET", about, Theirs, something);
                }
            }
            Kind::Asterisk => {
                need("TANDEM__ASTERISK__PASSWORD", "ARI password", Theirs, something);
                let about = "A secret of your choice that its media sockets show";
                need("TANDEM__ASTERISK__MEDIA_SECRET", about, Ours, something);
            }
        }
        if self.carrier.kind == Kind::Acs {
            let about = "A secret of your choice for the path of the Event Grid webhook";
            need("TANDEM__ACS__EVENTS_SECRET", about, Ours, path_secret);
        }
        if !self.model.url.is_empty() {
            need("TANDEM__MODEL__KEY", "Key of the model", Theirs, something);
        }
        if !self.model.second.url.is_empty() {
            need("TANDEM__MODEL__SECOND__KEY", "Key of the second model", Theirs, something);
        }
        for events in needs.iter_mut().filter(|need| need.variable.ends_with("EVENTS_SECRET")) {
            let only = if self.acs.record { Without::Nothing } else { Without::PlacingOnly };
            events.without = only;
        }
        needs
    }

    /// Whether a secret is set.
    #[must_use]
    pub fn has(&self, need: &Need) -> bool {
        self.secrets().get(&secrets::dotted(need.variable)).copied().unwrap_or_default()
    }

    /// The same settings as if the secrets were there that they need and that are not.
    pub(super) fn as_if_all_were_set(&self) -> Self {
        let mut config = self.clone();
        let missing: Vec<Need> = self.needs().into_iter().filter(|need| !self.has(need)).collect();
        secrets::stand_in(&mut config, missing.iter().map(|need| need.variable));
        config
    }
}

/// What an answer must not be.
pub(crate) fn something(answer: &str) -> Result<(), String> {
    if answer.is_empty() { Err("it cannot be empty".to_owned()) } else { Ok(()) }
}

fn connection(answer: &str) -> Result<(), String> {
    Connection::parse(&answer.into()).map(drop).map_err(|error| error.to_string())
}

/// It stands in an address, and is all that keeps strangers out.
fn path_secret(answer: &str) -> Result<(), String> {
    let plain = answer.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let good = plain && answer.len() >= 24;
    good.then_some(()).ok_or_else(|| "24 or more letters, digits, - and _".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(change: impl FnOnce(&mut Config)) -> Vec<&'static str> {
        let mut config = Config::default();
        change(&mut config);
        config.needs().into_iter().map(|need| need.variable).collect()
    }

    #[test]
    fn a_resource_without_a_key_needs_the_secret_of_its_application_or_none() {
        let acs = |endpoint: &str, tenant: &str| {
            of(|config| {
                config.carrier.kind = Kind::Acs;
                config.acs.endpoint = endpoint.to_owned();
                config.acs.tenant_id = tenant.to_owned();
            })
        };
        let (at, events) = ("https://a.communication.azure.com", "TANDEM__ACS__EVENTS_SECRET");
        assert_eq!(acs("", ""), ["TANDEM__ACS__CONNECTION_STRING", events]);
        assert_eq!(acs(at, ""), [events]);
        assert_eq!(acs(at, "t"), ["TANDEM__ACS__CLIENT_SECRET", events]);
        assert!(of(|_| {}).is_empty(), "a rehearsal needs none");
    }

    #[test]
    fn what_is_missing_is_stood_in_for_and_what_is_there_stays() {
        let mut config = Config::default();
        config.carrier.kind = Kind::Twilio;
        config.model.url = "wss://api.openai.com/v1/realtime".to_owned();
        config.model.key = Some("k-1".into());
        let whole = config.as_if_all_were_set();
        assert!(whole.needs().iter().all(|need| whole.has(need)));
        assert!(config.twilio.auth_token.is_none() && whole.twilio.auth_token.is_some());
        assert!(whole.twilio.api_secret.is_none(), "it is not needed");
        assert_eq!(secrecy::ExposeSecret::expose_secret(&whole.model.key.unwrap()), "k-1");
    }
}
