//! What a call is made of: an order, or a phone that rings here.

use serde_json::Value;
use tandem_actors::briefing::{Door, Text};
use tandem_actors::carrier::Number;

use crate::account::Account;
use crate::approval::Approval;
use crate::config::{Consent, Dialect, Voicemail};
use crate::persona::Manner;
use crate::policy::Ordered;
use crate::store::{Once, Part};

/// An order to ring somebody.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whom.
    pub to: Number,
    /// What the call is to be.
    pub wish: Wish,
    /// What makes it an order that is carried out once, if anything.
    pub once: Option<Once>,
}

/// What a call is to be, whoever rings.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Whose it is.
    pub account: Account,
    /// What for.
    pub task: Text,
    /// How it differs from other calls.
    pub manner: Manner,
    /// Whether the other party may be handed over to the house's human, if there is one.
    pub hand_over: bool,
    /// How the carrier speaks.
    pub dialect: Dialect,
    /// What is done when an answering machine picks up.
    pub voicemail: Voicemail,
    /// What has to be before it is recorded.
    pub recording: Consent,
    /// What a caller has to enter before anything is said to them.
    pub door: Option<Door>,
    /// The operation that it has approved, if it is for that.
    pub approval: Option<Approval>,
    /// The tools it may use, by name; all of them when nothing is said. What a call does itself,
    /// such as hanging up, it always may.
    pub tools: Option<Vec<String>>,
    /// JSON Schema of what it shall bring back, if anything.
    pub result: Option<Value>,
    /// Whether it only asks: nobody is handed over, and nothing is taken on the keypad.
    pub only_asks: bool,
    /// What it is a part of.
    pub part: Part,
    /// Whether somebody orders it at this moment.
    pub ordered: Ordered,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
}

/// A phone that rings here.
#[derive(Clone, Debug)]
pub struct Ringing {
    /// Who.
    pub from: Number,
    /// Which number of ours.
    pub to: Number,
    /// How the carrier speaks.
    pub dialect: Dialect,
}
