//! Every setting of the server, with its unit, its default and why; the only reader of the
//! environment. One TOML file, every key also as `TANDEM__SECTION__KEY`.

mod agent;
mod carrier;
mod load;
mod model;
mod overlay;
mod persona;
mod policy;
mod proactive;
mod recording;
mod secrets;
mod tools;
mod voicemail;
mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tandem_actors::carrier::Number;

pub use agent::{Agent, AgentKind};
pub use carrier::{Acs, AppIdentity, Asterisk, Carrier, Kind, Twilio, is_e164};
pub use load::{ConfigError, load};
pub(crate) use load::{DEFAULT_FILE, client_key, environment, of};
pub use model::{Auth, By, Eagerness, Headers, Model, NoiseReduction, Second, Turns, formats};
pub use overlay::{Origin, Origins, Unfit};
pub use persona::{Disclosure, NoDisclosure, Persona};
pub use policy::{Policy, Words};
pub use proactive::Proactive;
pub use recording::{Consent, NoConsent};
pub use tools::{Mcp, McpTool, Risk, Tool};
pub(crate) use tools::{attempts, deadline_s};
pub use voicemail::{NoVoicemail, Voicemail};
pub use webhooks::Webhooks;

/// Everything an operator can decide.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the server is reached.
    pub http: Http,
    /// What it keeps on disk.
    pub store: Store,
    /// What is done on every call.
    pub call: Call,
    /// Who speaks on it.
    pub persona: Persona,
    /// Whom calls may ring, and when.
    pub policy: Policy,
    /// What besides holds for calls that nobody orders at that moment.
    pub proactive: Proactive,
    /// The phone network.
    pub carrier: Carrier,
    /// Azure Communication Services, when it is the carrier.
    pub acs: Acs,
    /// Twilio, when it is the carrier.
    pub twilio: Twilio,
    /// An Asterisk of one's own, when it is the carrier.
    pub asterisk: Asterisk,
    /// The speech model.
    pub model: Model,
    /// Tools of one's own, each behind an HTTP endpoint.
    pub tools: Vec<Tool>,
    /// Servers that bring tools.
    pub mcp: Vec<Mcp>,
    /// The agent behind the voice.
    pub agent: Agent,
    /// Telling users what happens.
    pub webhooks: Webhooks,
    /// How much and how long.
    pub limits: Limits,
    /// The simulated phone network and model.
    pub rehearsal: Rehearsal,
    /// What it says of itself.
    pub log: Log,
    /// Which of these were set, and where.
    #[serde(skip)]
    pub origins: Origins,
}

/// Where the server is reached.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The address to listen on. Without a key it must be on loopback: nothing could refuse a
    /// stranger.
    pub listen: SocketAddr,
    /// The key of whoever runs the server, at least 24 characters: with it everything may be
    /// done, and nothing without a key. Only from `TANDEM__HTTP__KEY` or the file in
    /// `TANDEM__HTTP__KEY_FILE`.
    #[serde(skip)]
    pub key: Option<SecretString>,
    /// Whether `POST /call` without a key makes an account and a key for whoever asks. Anybody who
    /// reaches the server can then ring.
    pub makes_keys: bool,
    /// The carriers' door: an address that serves nothing but the carriers' routes, each of
    /// which asks for a secret. In a rehearsal the simulated carrier uses the other one.
    pub carriers: SocketAddr,
    /// How carriers reach the carriers' door from outside: `https://bridge.example.com`, without
    /// a path. Needed with a real carrier.
    pub public_url: String,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            key: None,
            makes_keys: false,
            carriers: SocketAddr::from(([127, 0, 0, 1], 8081)),
            public_url: String::new(),
        }
    }
}

/// What it keeps on disk.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The data directory: the record and the recordings. One process at a time.
    pub dir: PathBuf,
    /// Whether calls are recorded as WAV files.
    pub record_audio: bool,
    /// What has to be before a call is recorded: `none`, `announced` (the other side has heard
    /// that it is) or `asked` (they have said yes).
    pub recording_consent: Consent,
    /// This server's name among several on one record.
    pub node: String,
    /// Days after which calls that are over are forgotten, with their recordings; 0: never.
    pub keep_days: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("data"),
            record_audio: true,
            recording_consent: Consent::None,
            node: "local".to_owned(),
            keep_days: 0,
        }
    }
}

/// What is done on every call, unless its order says otherwise.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Call {
    /// What is done when an answering machine picks up: `leave_message`, `hang_up` or `wait`.
    pub voicemail: Voicemail,
    /// Whom an order rings that names nobody, in E.164: the phone of whoever runs the server.
    pub target: String,
    /// Whether the model may let callers enter card numbers, codes, PINs and passwords on the
    /// keypad, unheard and unrecorded.
    pub take_restricted: bool,
    /// Approves what a `sensitive` tool does: 4 to 12 figures that a caller enters on the keypad.
    /// Only from `TANDEM__CALL__PIN` or the file in `TANDEM__CALL__PIN_FILE`.
    #[serde(skip)]
    pub pin: Option<SecretString>,
}

impl Config {
    /// Whether the carrier records calls, from their beginning.
    #[must_use]
    pub const fn carrier_records(&self) -> bool {
        self.acs.record || self.twilio.record
    }
}

impl Call {
    /// Whom an order rings that names nobody, if anybody.
    #[must_use]
    pub fn target(&self) -> Option<Number> {
        (!self.target.is_empty()).then(|| Number::new(self.target.as_str()))
    }
}

/// How much and how long.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Calls at once. A thousand fill two cores; refuse before they are full.
    pub calls: usize,
    /// Tools of one call. A model that is shown more chooses worse and answers later.
    pub tools: usize,
    /// Seconds from answer to the end of a call. Ten minutes bound what a runaway call costs.
    pub total_s: u64,
    /// Seconds of silence before the agent asks whether somebody is there.
    pub silence_s: u64,
    /// Seconds a phone may ring; after about thirty a voicemail answers.
    pub ringing_s: u64,
    /// Minutes before a model session is handed over. Where the provider ends them earlier, that
    /// is two minutes before it does: after 28 at Azure. An hour, OpenAI's rule, less a margin.
    pub session_min: u64,
    /// Seconds live calls get to finish when the server is asked to stop.
    pub drain_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 1_000,
            tools: 40,
            total_s: 600,
            silence_s: 12,
            ringing_s: 45,
            session_min: 55,
            drain_s: 3_600,
        }
    }
}

/// The longest of them: a day. What is longer is a typing error.
const LONGEST_S: u64 = 24 * 60 * 60;

impl Limits {
    fn check(&self) -> Result<(), String> {
        let Self { total_s, silence_s, ringing_s, .. } = *self;
        for (key, seconds) in
            [("total_s", total_s), ("silence_s", silence_s), ("ringing_s", ringing_s)]
        {
            if seconds > LONGEST_S {
                return Err(format!("limits.{key} is longer than a day ({LONGEST_S} s)"));
            }
        }
        if self.session_min == 0 {
            return Err("limits.session_min is 0: a session would be replaced at once; use 1 or \
                        more"
                .to_owned());
        }
        if self.calls == 0 {
            return Err("limits.calls is 0: no call could ever be made; use 1 or more".to_owned());
        }
        Ok(())
    }
}

/// The simulated phone network and model.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rehearsal {
    /// How the simulated carrier speaks: `acs24k`, `acs16k`, `twilio`, `asterisk24k` or
    /// `asterisk8k`.
    pub dialect: Dialect,
    /// Port of the simulated model; 0 takes any that is free.
    pub model_port: u16,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self { dialect: Dialect::Acs24k, model_port: 0 }
    }
}

/// A carrier's media socket, as a rehearsal speaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// ACS, PCM 24 kHz.
    Acs24k,
    /// ACS, PCM 16 kHz.
    Acs16k,
    /// Twilio Media Streams, µ-law 8 kHz.
    Twilio,
    /// Asterisk's `chan_websocket`, PCM 24 kHz (`slin24`).
    Asterisk24k,
    /// Asterisk's `chan_websocket`, µ-law 8 kHz (`ulaw`).
    Asterisk8k,
    /// A browser's, PCM 24 kHz; no setting, for it is one whenever a browser calls.
    #[serde(skip)]
    Softphone,
}

/// What it says of itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `tracing` filter, for example `info` or `tandem=debug`.
    pub filter: String,
    /// One JSON object a line instead of text.
    pub json: bool,
    /// Where a collector of OpenTelemetry takes the spans of calls, as protobuf over HTTP:
    /// `http://127.0.0.1:4318/v1/traces`. Empty: nowhere. Needs a build with the feature `otlp`.
    pub otlp_url: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "warn,tandem=info,tandem_actors=info".to_owned(),
            json: false,
            otlp_url: String::new(),
        }
    }
}

impl Log {
    /// What is wrong with it, if anything.
    fn check(&self) -> Result<(), String> {
        if self.otlp_url.is_empty() || cfg!(feature = "otlp") {
            return Ok(());
        }
        let wrong = "log.otlp_url needs a program that was built with `--features otlp`; take it \
                     out, or build so";
        Err(wrong.to_owned())
    }
}
