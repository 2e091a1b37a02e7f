//! The JSON of the Realtime protocol, both ways: GA spelling out, GA and beta spelling in.
//! Pure; knows no call. Only the fields that something hangs on are read.

mod inbound;
mod outbound;

pub use inbound::{
    AudioDelta, ErrorEvent, Fault, Fields, Item, ItemEvent, LimitsEvent, RateLimit, ResponseEvent,
    SessionEvent, kind, read, read_audio,
};
pub use outbound::{
    Audio, AudioFormat, Beside, Client, Content, Function, Input, NewItem, NewResponse, NewSession,
    Noise, Output, Tag, Transcription, TurnDetection, append,
};

/// Text that is no message of the protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;
