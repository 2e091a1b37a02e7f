//! What remains to be done elsewhere for settings to work: in a provider's portal, at a proxy, in a
//! PBX's files. Values are exact, ready to be copied; a secret is told by the variable that holds
//! it. Pure.

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::{Config, Dialect, Kind};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// Where.
    pub at: &'static str,
    /// What, in a sentence.
    pub what: String,
    /// What to enter there.
    pub values: Vec<Entry>,
}

/// Something to enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// The field, or the file.
    pub name: &'static str,
    /// Several lines where it is a file. `$NAME` stands for what that variable holds.
    pub value: String,
}

fn entry(name: &'static str, value: impl Into<String>) -> Entry {
    Entry { name, value: value.into() }
}

fn step(at: &'static str, what: impl Into<String>, values: Vec<Entry>) -> Step {
    Step { at, what: what.into(), values }
}

impl Step {
    /// As lines of text.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("  {}: {}", self.at, self.what)];
        for Entry { name, value } in &self.values {
            match value.contains('\n') {
                true => {
                    lines.push(format!("    {name}:"));
                    lines.extend(value.lines().map(|line| format!("      {line}")));
                }
                false => lines.push(format!("    {name}: {value}")),
            }
        }
        lines
    }
}

/// Everything that remains to be done elsewhere.
#[must_use]
pub fn steps(config: &Config) -> Vec<Step> {
    let mut steps = match config.carrier.kind {
        Kind::Rehearsal => Vec::new(),
        Kind::Acs => azure(config),
        Kind::Twilio => twilio(config),
        Kind::Asterisk => asterisk(config),
    };
    if config.model.url.contains(".openai.azure.com") {
        let what = "deploy a realtime model under this name";
        let values = vec![entry("Deployment name", &*config.model.name)];
        steps.push(step("Azure OpenAI", what, values));
    }
    steps
}

fn public(config: &Config) -> &str {
    match config.http.public_url.trim_end_matches('/') {
        "" => "https://<http.public_url>",
        url => url,
    }
}

fn proxy(config: &Config) -> Step {
    let (url, door) = (public(config), config.http.carriers);
    let what = format!(
        "pass {url} on to http://{door}, in HTTP/1.1, WebSockets too, and do not log the paths: \
         they hold secrets"
    );
    let nginx = format!(
        "location / {{\n    proxy_pass http://{door};\n    proxy_http_version 1.1;\n    \
         proxy_set_header Host $host;\n    proxy_set_header Upgrade $http_upgrade;\n    \
         proxy_set_header Connection $http_connection;\n}}"
    );
    step("Reverse proxy or tunnel", what, vec![entry("nginx", nginx)])
}

fn azure(config: &Config) -> Vec<Step> {
    const SECRET: &str = "$TANDEM__ACS__EVENTS_SECRET";
    let url = public(config);
    let types = match config.acs.record {
        true => "Incoming Call, Recording File Status Updated",
        false => "Incoming Call",
    };
    let subscription = step(
        "Azure portal, the resource, Events, Event Subscription",
        "have the resource tell of calls that come in, once the server runs with the secret",
        vec![
            entry("Event Schema", "Event Grid Schema"),
            entry("Filter to Event Types", types),
            entry("Endpoint Type", "Web Hook"),
            entry("Subscriber Endpoint", format!("{url}/acs/incoming/{SECRET}")),
        ],
    );
    let number = step(
        "Azure portal, the resource, Phone numbers",
        "the number is one of this resource, and may make and receive calls",
        vec![entry("Number", &*config.carrier.number)],
    );
    let callbacks = step(
        "Azure",
        "nothing to set: every call tells Azure itself where its events and its media go, at",
        vec![
            entry("Events", format!("{url}/acs/events/…")),
            entry("Media", format!("{}/acs/media/…", url.replacen("https", "wss", 1))),
        ],
    );
    let mut steps = vec![proxy(config), number];
    if !config.acs.endpoint.is_empty() {
        let who = match (config.acs.tenant_id.is_empty(), config.acs.client_id.as_str()) {
            (true, "") => "the managed identity of this machine or app",
            (_, id) => id,
        };
        let what = "give the identity a role on the resource, for example Contributor";
        let at = "Azure portal, the resource, Access control (IAM)";
        steps.push(step(at, what, vec![entry("Identity", who)]));
    }
    steps.extend([subscription, callbacks]);
    steps
}

fn twilio(config: &Config) -> Vec<Step> {
    let webhook = step(
        "Twilio console, the number, Voice configuration",
        "set \"A call comes in\"; nothing else: every call tells Twilio itself where its events \
         and its media go",
        vec![
            entry("Number", &*config.carrier.number),
            entry("A call comes in", "Webhook"),
            entry("URL", format!("{}/twilio/incoming", public(config))),
            entry("HTTP", "HTTP POST"),
        ],
    );
    vec![proxy(config), webhook]
}

fn asterisk(config: &Config) -> Vec<Step> {
    let (asterisk, door) = (&config.asterisk, config.http.carriers);
    let uri = match config.http.public_url.trim_end_matches('/') {
        "" => format!("ws://{door}/asterisk/media"),
        url => format!("{}/asterisk/media", url.replacen("http", "ws", 1)),
    };
    let tls = if uri.starts_with("wss") { "tls_enabled = yes\n" } else { "" };
    let connection = format!(
        "[{}]\ntype = websocket_client\nconnection_type = per_call_config\nuri = {uri}\n{tls}\
         protocols = media\nusername = tandem\npassword = $TANDEM__ASTERISK__MEDIA_SECRET\n\
         connection_timeout = 2000\nreconnect_attempts = 2",
        asterisk.connection
    );
    let user = format!(
        "[general]\nenabled = yes\n\n[{}]\ntype = user\npassword = $TANDEM__ASTERISK__PASSWORD",
        asterisk.user
    );
    let codec = match asterisk.audio {
        Dialect::Asterisk8k => "ulaw",
        Dialect::Acs24k | Dialect::Acs16k | Dialect::Twilio | Dialect::Asterisk24k => "slin24",
    };
    let dialplan = "[from-trunk]\nexten => _+X.,1,Stasis(tandem)\n same => n,Hangup()";
    vec![step(
        "Asterisk",
        format!("these files, more of which is in docs/asterisk.md; media is {codec}"),
        vec![
            entry("websocket_client.conf", connection),
            entry("ari.conf", user),
            entry("extensions.conf", dialplan),
        ],
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, change: impl FnOnce(&mut Config)) -> Vec<Step> {
        let mut config = Config::default();
        config.carrier.kind = kind;
        config.http.public_url = "https://a.example".to_owned();
        change(&mut config);
        steps(&config)
    }

    fn entered(steps: &[Step], name: &str) -> String {
        let mut all = steps.iter().flat_map(|step| &step.values);
        all.find(|entry| entry.name == name).map(|entry| entry.value.clone()).unwrap_or_default()
    }

    #[test]
    fn what_to_enter_is_exact_and_a_secret_is_told_by_its_variable() {
        let azure = of(Kind::Acs, |config| config.acs.record = true);
        let endpoint = "https://a.example/acs/incoming/$TANDEM__ACS__EVENTS_SECRET";
        assert_eq!(entered(&azure, "Subscriber Endpoint"), endpoint);
        assert!(entered(&azure, "Filter to Event Types").ends_with("Status Updated"));
        assert_eq!(entered(&azure, "Media"), "wss://a.example/acs/media/…");
        let twilio = of(Kind::Twilio, |_| {});
        assert_eq!(entered(&twilio, "URL"), "https://a.example/twilio/incoming");
        let far = of(Kind::Asterisk, |_| {});
        let client = entered(&far, "websocket_client.conf");
        assert!(client.contains("uri = wss://a.example/asterisk/media\ntls_enabled = yes\n"));
        let near = of(Kind::Asterisk, |config| config.http.public_url.clear());
        let client = entered(&near, "websocket_client.conf");
        assert!(client.contains("uri = ws://127.0.0.1:8081/asterisk/media\nprotocols"), "{client}");
        assert!(client.contains("password = $TANDEM__ASTERISK__MEDIA_SECRET"), "{client}");
        assert!(of(Kind::Rehearsal, |_| {}).is_empty());
    }

    #[test]
    fn whoever_goes_without_a_key_needs_a_role() {
        let place = |steps: &[Step]| steps.iter().any(|step| step.at.contains("Access control"));
        assert!(!place(&of(Kind::Acs, |_| {})));
        let azure = of(Kind::Acs, |config| {
            config.acs.endpoint = "https://a.communication.azure.com".to_owned();
        });
        assert!(place(&azure));
        assert!(entered(&azure, "Identity").contains("managed identity"));
    }
}
