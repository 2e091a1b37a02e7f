//! Where the secrets of the environment may be sent when a setting is changed over the interface.
//! Whoever has the operator's key must not be able to have the others sent to themselves.

use std::net::IpAddr;

use reqwest::Url;

use super::Config;

/// Where speech models are served by those who made them; with a dot, whatever is below.
const MODELS: [&str; 4] = [
    "api.openai.com",
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
];

/// The settings that are addresses to which secrets are sent, and whose secrets they are.
const PLACES: [(&str, &[&str]); 4] = [
    ("model.url", &MODELS),
    ("model.second.url", &MODELS),
    ("acs.endpoint", &[".communication.azure.com"]),
    ("asterisk.ari_url", &[]),
];

impl Config {
    /// Whether this setting of the file or the environment may be replaced by that one over the
    /// interface.
    ///
    /// # Errors
    /// In words, when a secret would go where nobody who runs this machine has sent it.
    pub(crate) fn lets_secrets_go(&self, key: &str, value: &str) -> Result<(), String> {
        let Some((_, providers)) = PLACES.iter().find(|(place, _)| *place == key) else {
            return Ok(());
        };
        let plain = self.plain();
        let set = plain.get(key).and_then(|set| set.as_str()).unwrap_or_default();
        // What is no address is told by the check of the setting itself.
        let Ok(url) = value.parse::<Url>() else { return Ok(()) };
        let same = set.parse::<Url>().is_ok_and(|set| {
            (set.scheme(), set.host_str(), set.port()) == (url.scheme(), url.host_str(), url.port())
        });
        if same || is_here(&url) || is_of(providers, &url) {
            return Ok(());
        }
        let of = match providers {
            [] => String::new(),
            providers => format!("the provider's own addresses ({}), ", providers.join(", ")),
        };
        Err(format!(
            "a secret would be sent to {}, and over the interface that is let go to {of}this \
             machine and where the file or the environment points already; set it there",
            url.host_str().unwrap_or_default()
        ))
    }
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_of(providers: &[&str], url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is =
        |name: &&str| if name.starts_with('.') { host.ends_with(*name) } else { host == *name };
    matches!(url.scheme(), "https" | "wss") && url.port().is_none() && providers.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_its_provider_to_this_machine_and_where_the_file_says() {
        let mut config = Config::default();
        config.asterisk.ari_url = "http://10.0.0.7:8088/ari".to_owned();
        for (key, value, goes) in [
            ("model.url", "wss://api.openai.com/v1/realtime", true),
            ("model.url", "wss://a.openai.azure.com/openai/v1/realtime", true),
            ("model.url", "ws://127.0.0.1:9/realtime", true),
            ("model.url", "ws://[::1]:9/realtime", true),
            ("model.url", "", true),
            ("model.url", "ws://api.openai.com/v1/realtime", false),
            ("model.url", "wss://api.openai.com.evil.example/v1", false),
            ("model.url", "wss://api.openai.com@evil.example/v1", false),
            ("model.url", "wss://evilopenai.azure.com/v1", false),
            ("model.url", "wss://a.openai.azure.com:4433/v1", false),
            ("model.second.url", "wss://evil.example/v1", false),
            ("acs.endpoint", "https://a.communication.azure.com", true),
            ("acs.endpoint", "https://communication.azure.com.evil.example", false),
            ("acs.endpoint", "http://127.0.0.1.evil.example", false),
            ("asterisk.ari_url", "http://10.0.0.7:8088/other/ari", true),
            ("asterisk.ari_url", "http://10.0.0.7:8089/ari", false),
            ("asterisk.ari_url", "http://10.0.0.8:8088/ari", false),
            ("carrier.number", "+15550100", true),
        ] {
            assert_eq!(config.lets_secrets_go(key, value).is_ok(), goes, "{key} {value}");
        }
    }
}
