//! What is the same for every call, until the settings change.

use tandem_actors::audio::Format;
use tandem_actors::briefing::{Limits, Text};
use tandem_actors::call::consent::Pin;
use tandem_actors::carrier::Number;
use tandem_actors::tool::Promise;

use crate::config::{Consent, Dialect, Voicemail};
use crate::persona::Persona;
use crate::policy::Gate;
use crate::reception::Patience;

/// What is the same for every call of this server.
#[derive(Clone, Debug)]
pub struct House {
    /// `http://host:port` or `https://host`, without a path: where carriers reach us.
    pub url: String,
    /// How the carrier speaks unless an order says otherwise.
    pub dialect: Dialect,
    /// The model's voice.
    pub voice: String,
    /// The formats the model takes, best first.
    pub formats: Vec<Format>,
    /// The tools of every call.
    pub tools: Vec<Promise>,
    /// Whom calls may ring, and when.
    pub gate: Gate,
    /// How long things may take.
    pub limits: Limits,
    /// How long callers wait while every place is taken.
    pub patience: Patience,
    /// Our number.
    pub number: Number,
    /// A human's number: whom callers may be handed over to.
    pub human: Option<Number>,
    /// What approves sensitive tools, entered on the keypad.
    pub pin: Option<Pin>,
    /// Who speaks.
    pub persona: Persona,
    /// What calls are held in (ISO 639-1), where that is set.
    pub language: Option<String>,
    /// What is done when an answering machine picks up, unless an order says otherwise.
    pub voicemail: Voicemail,
    /// What has to be before a call is recorded, unless an order says otherwise.
    pub recording: Consent,
    /// Whether the carrier records from the beginning, whatever is said of it.
    pub carrier_records: bool,
    /// What an inbound call is for when nothing else is said.
    pub inbound_task: Text,
}
