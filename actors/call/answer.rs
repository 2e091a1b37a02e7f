//! Who or what is on the line: a verdict that any later evidence may reverse. Pure.

use crate::clock::Instant;

/// Who or what is on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Not known; treated as a human.
    Unknown,
    /// A human.
    Human,
    /// An answering machine.
    Voicemail,
    /// A menu that is worked by keys.
    Menu,
    /// Nobody for now: music, silence or "please hold the line".
    Hold,
    /// A fax.
    Fax,
}

impl Who {
    /// The word in the record.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Human => "human",
            Self::Voicemail => "voicemail",
            Self::Menu => "menu",
            Self::Hold => "hold",
            Self::Fax => "fax",
        }
    }

    /// Whether somebody is there who can confirm something.
    #[must_use]
    pub const fn may_be_human(self) -> bool {
        match self {
            Self::Unknown | Self::Human => true,
            Self::Voicemail | Self::Menu | Self::Hold | Self::Fax => false,
        }
    }
}

/// Where a verdict comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The carrier's detection.
    Carrier,
    /// The tone of a machine in the caller's audio.
    Tone,
    /// Speech in the caller's audio where a machine would be silent.
    Speech,
    /// What the model says it hears.
    Model,
    /// Nothing for too long.
    Time,
}

impl Source {
    /// The word in the record.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Tone => "tone",
            Self::Speech => "speech",
            Self::Model => "model",
            Self::Time => "time",
        }
    }
}

/// What is being done about who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Nothing special: we talk.
    Talk,
    /// A machine greets; we are silent until it records.
    AwaitTone {
        /// When a machine was taken to be there.
        since: Instant,
    },
    /// It records; the message has been asked of the model.
    Leave {
        /// When recording began.
        since: Instant,
        /// Whether any of the message has been heard.
        begun: bool,
    },
    /// The call ends in a moment, unless it was a human after all.
    End {
        /// When that was decided.
        since: Instant,
        /// The reason for the record.
        reason: &'static str,
    },
    /// Nobody is there; the model hears nothing.
    Hold {
        /// When the hold began.
        since: Instant,
    },
    /// The caller enters something that nobody may hear.
    Take,
    /// The hold may be over: the model listens whether it is.
    Woken {
        /// Since when.
        since: Instant,
    },
}
