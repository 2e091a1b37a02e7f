//! The settings of the phone network.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Dialect;
pub use crate::policy::is_e164;

/// The phone network.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Carrier {
    /// Which: `rehearsal`, `acs`, `twilio` or `asterisk`.
    pub kind: Kind,
    /// Our number, E.164: the caller id of the calls we place.
    pub number: String,
    /// A human's number, E.164: whom a caller is handed over to when they ask for a human, or
    /// when the model cannot be reached. Empty: nobody.
    pub human: String,
}

impl Default for Carrier {
    fn default() -> Self {
        // 555-01xx is set aside for fiction.
        Self { kind: Kind::Rehearsal, number: "+15550199".to_owned(), human: String::new() }
    }
}

/// A phone network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A simulated one: no phone can ring.
    Rehearsal,
    /// Azure Communication Services.
    Acs,
    /// Twilio.
    Twilio,
    /// An Asterisk of one's own.
    Asterisk,
}

impl Kind {
    /// Its word in the settings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rehearsal => "rehearsal",
            Self::Acs => "acs",
            Self::Twilio => "twilio",
            Self::Asterisk => "asterisk",
        }
    }
}

/// What is wrong with the settings of the carrier that is chosen.
pub(super) fn check(config: &super::Config) -> Result<(), String> {
    let kind = config.carrier.kind;
    if kind == Kind::Rehearsal {
        return Ok(());
    }
    if !is_e164(&config.carrier.number) {
        return Err("carrier.number is not a number in E.164, such as +14255550123".to_owned());
    }
    if kind != Kind::Asterisk && !config.http.public_url.starts_with("https://") {
        let url = &config.http.public_url;
        return Err(format!(
            "http.public_url is {url:?}; the carrier must reach us under an https:// address, \
             which a reverse proxy or tunnel passes on to {}",
            config.http.carriers
        ));
    }
    let missing = |what: &str| Err(format!("carrier.kind needs {what}, which is not set"));
    match kind {
        Kind::Acs => acs(&config.acs),
        Kind::Twilio if config.twilio.account_sid.is_empty() => missing("twilio.account_sid"),
        Kind::Twilio if config.twilio.auth_token.is_none() => missing("TANDEM__TWILIO__AUTH_TOKEN"),
        Kind::Twilio if config.twilio.access().is_none() => missing("TANDEM__TWILIO__API_SECRET"),
        Kind::Twilio if config.twilio.api_key.is_empty() && config.twilio.api_secret.is_some() => {
            Err("TANDEM__TWILIO__API_SECRET is set and twilio.api_key is not; set both".to_owned())
        }
        Kind::Asterisk if config.asterisk.ari_url.is_empty() => missing("asterisk.ari_url"),
        Kind::Asterisk if config.asterisk.password.is_none() => {
            missing("TANDEM__ASTERISK__PASSWORD")
        }
        Kind::Asterisk if config.asterisk.media_secret.is_none() => {
            missing("TANDEM__ASTERISK__MEDIA_SECRET")
        }
        Kind::Asterisk
            if !matches!(config.asterisk.audio, Dialect::Asterisk24k | Dialect::Asterisk8k) =>
        {
            Err("asterisk.audio is that of another carrier; use asterisk24k or asterisk8k"
                .to_owned())
        }
        Kind::Rehearsal | Kind::Twilio | Kind::Asterisk => Ok(()),
    }
}

/// A resource by its connection string, or by its endpoint; then an application with a tenant
/// and a secret gets the tokens, or this machine's managed identity.
fn acs(acs: &Acs) -> Result<(), String> {
    let wrong = |what: &str| Err(what.to_owned());
    if !matches!(acs.audio, Dialect::Acs24k | Dialect::Acs16k) {
        return wrong("acs.audio is that of another carrier; use acs24k or acs16k");
    }
    if acs.record && acs.events_secret.is_none() {
        return wrong(
            "acs.record is set and TANDEM__ACS__EVENTS_SECRET is not: Event Grid tells where a \
             recording is; set both",
        );
    }
    match (&acs.connection_string, acs.endpoint.is_empty()) {
        (None, true) => {
            return wrong(
                "carrier.kind needs TANDEM__ACS__CONNECTION_STRING or acs.endpoint; neither is set",
            );
        }
        (Some(_), false) => {
            return wrong("acs.endpoint and TANDEM__ACS__CONNECTION_STRING are both set; keep one");
        }
        (Some(_), true) => return Ok(()),
        (None, false) => {}
    }
    for (name, id) in [("acs.tenant_id", &acs.tenant_id), ("acs.client_id", &acs.client_id)] {
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
            return Err(format!("{name} is {id:?}, which is no id that the portal shows"));
        }
    }
    match (acs.tenant_id.is_empty(), acs.client_id.is_empty(), &acs.client_secret) {
        (false, true, _) => wrong("acs.tenant_id is set and acs.client_id is not; set both"),
        (false, false, None) => {
            wrong("acs.tenant_id is set and TANDEM__ACS__CLIENT_SECRET is not; set both")
        }
        (true, _, Some(_)) => {
            wrong("TANDEM__ACS__CLIENT_SECRET is set and acs.tenant_id is not; set both")
        }
        (false, false, Some(_)) | (true, _, None) => Ok(()),
    }
}

/// Azure Communication Services.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acs {
    /// `endpoint=https://…;accesskey=…`. Only from `TANDEM__ACS__CONNECTION_STRING` or the file
    /// in `TANDEM__ACS__CONNECTION_STRING_FILE`.
    #[serde(skip)]
    pub connection_string: Option<SecretString>,
    /// The secret in the path of the Event Grid webhook. Only from `TANDEM__ACS__EVENTS_SECRET`
    /// or the file in `TANDEM__ACS__EVENTS_SECRET_FILE`.
    #[serde(skip)]
    pub events_secret: Option<SecretString>,
    /// `https://…`, where there is no connection string: requests then carry tokens of Microsoft
    /// Entra.
    pub endpoint: String,
    /// The tenant of the application that gets the tokens. Empty: the machine's managed identity
    /// gets them.
    pub tenant_id: String,
    /// The application, or one of several managed identities.
    pub client_id: String,
    /// The application's secret. Only from `TANDEM__ACS__CLIENT_SECRET` or the file in
    /// `TANDEM__ACS__CLIENT_SECRET_FILE`.
    #[serde(skip)]
    pub client_secret: Option<SecretString>,
    /// Where tokens are asked for. Empty: where Azure gives them.
    pub token_url: String,
    /// Where Azure gives an app that it runs (App Service, Container Apps, Functions) tokens of
    /// its managed identity. Only from `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, which Azure
    /// sets.
    #[serde(skip)]
    pub app_identity: Option<AppIdentity>,
    /// The REST interface's `api-version`.
    pub api_version: String,
    /// The media format: `acs24k` or `acs16k`.
    pub audio: Dialect,
    /// The resource's immutable id, which its tokens are made out to. Empty: learned from the
    /// first callback of a call of ours, then pinned.
    pub audience: String,
    /// Whether the tokens of callbacks and media sockets are checked, besides the nonces.
    pub check_tokens: bool,
    /// Who issues the tokens.
    pub issuer: String,
    /// Where the issuer's keys are (JWKS).
    pub keys_url: String,
    /// Whether ACS records calls too, from the answer to the end; it costs extra. The file is
    /// told of by Event Grid, fetched, and lies beside our own recording.
    pub record: bool,
}

/// What Azure tells an app of its managed identity.
#[derive(Clone, Debug)]
pub struct AppIdentity {
    /// Whom to ask; an address of the machine.
    pub endpoint: String,
    /// What only the app knows.
    pub header: SecretString,
}

impl Default for Acs {
    fn default() -> Self {
        let issuer = "https://acscallautomation.communication.azure.com";
        Self {
            connection_string: None,
            events_secret: None,
            endpoint: String::new(),
            tenant_id: String::new(),
            client_id: String::new(),
            client_secret: None,
            token_url: String::new(),
            app_identity: None,
            api_version: "2026-03-12".to_owned(),
            audio: Dialect::Acs24k,
            audience: String::new(),
            check_tokens: true,
            issuer: issuer.to_owned(),
            keys_url: format!("{issuer}/calling/keys"),
            record: false,
        }
    }
}

/// Twilio.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Twilio {
    /// `AC…`.
    pub account_sid: String,
    /// Signs what Twilio sends us, and opens the REST interface where there is no API key. Only
    /// from `TANDEM__TWILIO__AUTH_TOKEN` or the file in `TANDEM__TWILIO__AUTH_TOKEN_FILE`.
    #[serde(skip)]
    pub auth_token: Option<SecretString>,
    /// An API key, `SK…`, that opens the REST interface instead of the token, and can be taken
    /// back without changing it. Empty: the token does.
    pub api_key: String,
    /// The secret of the API key. Only from `TANDEM__TWILIO__API_SECRET` or the file in
    /// `TANDEM__TWILIO__API_SECRET_FILE`.
    #[serde(skip)]
    pub api_secret: Option<SecretString>,
    /// The REST interface.
    pub api_url: String,
    /// Whether Twilio listens for answering machines on calls we place; it costs extra.
    pub detect_machines: bool,
    /// Whether Twilio records calls too, from the answer to the end, what follows a hand-over
    /// included; it costs extra. The file is fetched and lies beside our own recording.
    pub record: bool,
}

impl Default for Twilio {
    fn default() -> Self {
        Self {
            account_sid: String::new(),
            auth_token: None,
            api_key: String::new(),
            api_secret: None,
            api_url: "https://api.twilio.com".to_owned(),
            detect_machines: true,
            record: false,
        }
    }
}

impl Twilio {
    /// User and password of REST requests: the API key with its secret, or else the account with
    /// its token. Nothing while the secret of the one that is chosen is missing.
    #[must_use]
    pub fn access(&self) -> Option<(&str, &SecretString)> {
        match self.api_key.as_str() {
            "" => Some((&self.account_sid, self.auth_token.as_ref()?)),
            key => Some((key, self.api_secret.as_ref()?)),
        }
    }
}

/// An Asterisk of one's own (22.8 or newer, with `chan_websocket`).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asterisk {
    /// Its REST interface (ARI): `http://127.0.0.1:8088/ari`.
    pub ari_url: String,
    /// The ARI user.
    pub user: String,
    /// The ARI user's password. Only from `TANDEM__ASTERISK__PASSWORD` or the file in
    /// `TANDEM__ASTERISK__PASSWORD_FILE`.
    #[serde(skip)]
    pub password: Option<SecretString>,
    /// What is dialled, `{number}` standing for the number: `PJSIP/{number}@trunk`.
    pub endpoint: String,
    /// The name of the connection to us in its `websocket_client.conf`.
    pub connection: String,
    /// The media format: `asterisk24k`, or `asterisk8k` where all phones speak µ-law.
    pub audio: Dialect,
    /// What Asterisk shows with its media sockets: `password` in its `websocket_client.conf`.
    /// Only from `TANDEM__ASTERISK__MEDIA_SECRET` or the file in
    /// `TANDEM__ASTERISK__MEDIA_SECRET_FILE`.
    #[serde(skip)]
    pub media_secret: Option<SecretString>,
}

impl Default for Asterisk {
    fn default() -> Self {
        Self {
            ari_url: String::new(),
            user: "tandem".to_owned(),
            password: None,
            endpoint: "PJSIP/{number}@trunk".to_owned(),
            connection: "tandem".to_owned(),
            audio: Dialect::Asterisk24k,
            media_secret: None,
        }
    }
}
