//! What is demanded of a bridge: every threshold of every kind of run, as data with its reason.
//! The one file to change when more can be promised.

use crate::faults::Kind;
use crate::verdict::{Quantity, Threshold, at_most};

/// The drivers' own lateness at the 99th percentile, in milliseconds, above which a run says
/// nothing about the bridge: the machine was too small or too busy for the load.
pub const DRIVER_LATE_MS: f64 = 5.0;

/// Of every run whose calls talk.
pub const TALK: &[Threshold] = &[
    at_most(Quantity::CallsLost, 0.0, "a call ends when somebody hangs up"),
    at_most(Quantity::WrongTranscripts, 0.0, "both sides hear what the other said"),
];

/// Of a run without faults, beside [`TALK`].
pub const CLEAN: &[Threshold] = &[
    at_most(Quantity::FramesLost, 0.0, "no fault, no loss"),
    at_most(Quantity::FramesDoubled, 0.0, "a frame is heard once"),
];

/// Of a run without faults whose phones speak as the model does.
pub const STRAIGHT: &[Threshold] = &[
    at_most(Quantity::UplinkP50, 1.0, "a bridge adds nothing that can be heard"),
    at_most(Quantity::UplinkP99, 10.0, "half a frame"),
];

/// Of a run without faults whose audio has to be resampled.
pub const RESAMPLED: &[Threshold] = &[
    at_most(Quantity::UplinkP50, 25.0, "resampling a frame needs the beginning of the next"),
    at_most(Quantity::UplinkP99, 35.0, "the same and half a frame"),
];

/// Of such a run whose model sends in real time.
pub const RESAMPLED_REAL_TIME: &[Threshold] = &[
    at_most(Quantity::DownlinkP50, 25.0, "resampling a frame needs the beginning of the next"),
    at_most(Quantity::DownlinkP99, 35.0, "the same and half a frame"),
];

/// Of a run without faults whose phones do as well and whose model sends in real time: of what a
/// model sends faster, most has to wait until it is due.
pub const REAL_TIME: &[Threshold] = &[
    at_most(Quantity::DownlinkP50, 1.0, "a bridge adds nothing that can be heard"),
    at_most(Quantity::DownlinkP99, 10.0, "half a frame"),
];

/// Of a run in turns with the forwarder, beside the two above.
pub const FLOOR: &[Threshold] =
    &[at_most(Quantity::CpuRatio, 1.5, "supervision may cost half of what moving bytes costs")];

/// Of a run of calls that are only there.
pub const IDLE: &[Threshold] = &[
    at_most(Quantity::CallsLost, 0.0, "a call ends when somebody hangs up"),
    at_most(Quantity::MemoryPerCall, 200.0, "a thousand calls in a fifth of a gigabyte"),
];

/// Of a run of many short calls.
pub const CHURN: &[Threshold] = &[
    at_most(Quantity::CallsLost, 0.0, "a call ends when somebody hangs up"),
    at_most(Quantity::CallsLeft, 0.0, "what was started has ended"),
    at_most(Quantity::FdsLeft, 0.0, "a descriptor that stays is a leak"),
    at_most(Quantity::TasksLeft, 0.0, "a task that stays is a leak"),
    at_most(Quantity::ActorsLeft, 0.0, "an actor that stays is a leak"),
];

/// Calls after which caches are full, so that what memory still grows by is left by calls.
pub const CHURN_LONG_CALLS: u32 = 1_000;

/// Of a run of at least so many, beside [`CHURN`].
pub const CHURN_LONG: &[Threshold] =
    &[at_most(Quantity::MemorySlope, 1.0, "less than a record of a call, so none is kept")];

/// What a fault of this kind may cost.
#[must_use]
pub const fn of_fault(kind: Kind) -> &'static [Threshold] {
    const MEDIA_IN: &[Threshold] =
        &[at_most(Quantity::GapP99(Kind::MediaIn), 60.0, "a gap of three frames is not heard")];
    const CALL: &[Threshold] =
        &[at_most(Quantity::GapP99(Kind::Call), 200.0, "a gap of a syllable is forgiven")];
    const MODEL_CUT: &[Threshold] = &[
        at_most(Quantity::ResumedP99(Kind::ModelCut), 1_500.0, "a pause people wait out"),
        at_most(Quantity::TurnsLost, 0.0, "an answer that was begun is finished"),
        at_most(Quantity::TurnsDoubled, 0.0, "nobody is told the same twice"),
    ];
    match kind {
        Kind::MediaIn => MEDIA_IN,
        Kind::Call => CALL,
        Kind::ModelCut => MODEL_CUT,
        // A loss of these is not heard; that no call and no word is lost is demanded anyway.
        Kind::RealtimeLink | Kind::ToolRunner | Kind::Confirmation | Kind::Pump | Kind::Leaves => {
            &[]
        }
    }
}
