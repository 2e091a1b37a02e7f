//! What the model is told, written down.

use serde_json::value::RawValue;
use tandem_actors::audio::Format;
use tandem_actors::model::{Command, Entry, ItemId, ResponseId, Session};
use tandem_actors::tool::Promise;

use super::super::wire::{
    self, Audio, AudioFormat, Beside, Client, Content, Function, Input, NewItem, NewResponse,
    NewSession, Noise, Output, Tag, Transcription, TurnDetection,
};
use super::super::{Manner, NoiseReduction, Turns};
use crate::socket::coded::Encoded;

/// What our request for a response is called, before its tag.
const RESPOND_EVENT_ID: &str = "respond-";

/// Speech is the first content of its item.
const SPEECH: u32 = 0;

/// Writes a command.
pub(super) fn encode(command: &Command, manner: &Manner) -> Encoded {
    match command {
        Command::Configure(session) => {
            let session = Box::new(new_session(session, manner));
            text(&Client::SessionUpdate { session })
        }
        Command::Hear(audio) => Encoded::Text(wire::append(audio)),
        Command::Remember(entry) => text(&Client::ItemCreate { item: new_item(entry) }),
        Command::Respond { tag, instructions } => {
            respond(*tag, instructions.as_ref().map(|words| words.as_str()), None)
        }
        Command::Aside { tag, instructions } => {
            respond(*tag, Some(instructions.as_str()), Some(Beside::default()))
        }
        Command::Cancel => text(&Client::ResponseCancel { response_id: None }),
        Command::CancelAside(ResponseId(id)) => {
            text(&Client::ResponseCancel { response_id: Some(id) })
        }
        // It keeps in mind what was not heard, which is better than an error.
        Command::Truncate { .. } if !manner.truncates => Encoded::Nothing,
        Command::Truncate { item: ItemId(item_id), heard_ms } => {
            text(&Client::ItemTruncate { item_id, content_index: SPEECH, audio_end_ms: *heard_ms })
        }
        Command::Forget(ItemId(item_id)) => text(&Client::ItemDelete { item_id }),
        Command::Close => Encoded::Close,
    }
}

fn respond(tag: u64, instructions: Option<&str>, beside: Option<Beside>) -> Encoded {
    let metadata = Tag { tag: tag.to_string() };
    let response = NewResponse { instructions, metadata, beside };
    text(&Client::ResponseCreate { event_id: format!("{RESPOND_EVENT_ID}{tag}"), response })
}

/// The tag in the id of a request of ours.
pub(super) fn tag_of_event_id(event_id: &str) -> Option<u64> {
    event_id.strip_prefix(RESPOND_EVENT_ID)?.parse().ok()
}

fn text(message: &Client<'_>) -> Encoded {
    Encoded::Text(serde_json::to_string(message).expect("strings and numbers serialize"))
}

fn new_session<'a>(session: &'a Session, manner: &'a Manner) -> NewSession<'a> {
    let format = match session.format {
        Format::Pcm24k => AudioFormat::Pcm { rate: session.format.rate_hz() },
        Format::Pcmu8k => AudioFormat::Pcmu,
    };
    let transcription = manner
        .transcription
        .as_deref()
        .map(|model| Transcription { model, language: manner.language.as_deref() });
    let noise_reduction = match manner.noise_reduction {
        NoiseReduction::NearField => Some(Noise { kind: "near_field" }),
        NoiseReduction::FarField => Some(Noise { kind: "far_field" }),
        NoiseReduction::Off => None,
    };
    let turn_detection = turn_detection(manner.turns);
    NewSession {
        kind: "realtime",
        instructions: session.instructions.as_str(),
        output_modalities: ["audio"],
        audio: Audio {
            input: Input { format, noise_reduction, transcription, turn_detection },
            output: Output { format, voice: &session.voice, speed: manner.speed },
        },
        tools: session.tools.iter().filter_map(function).collect(),
        tool_choice: "auto",
    }
}

fn turn_detection(turns: Turns) -> TurnDetection {
    let both =
        TurnDetection { create_response: true, interrupt_response: true, ..Default::default() };
    match turns {
        Turns::Server { threshold, prefix_padding_ms, silence_duration_ms, idle_timeout_ms } => {
            TurnDetection {
                kind: "server_vad",
                threshold,
                prefix_padding_ms,
                silence_duration_ms,
                idle_timeout_ms,
                ..both
            }
        }
        Turns::Semantic { eagerness } => TurnDetection { kind: "semantic_vad", eagerness, ..both },
    }
}

/// A tool as the model is told of it. One whose schema is not JSON is left out: with it the
/// whole session would be refused.
fn function(promise: &Promise) -> Option<Function<'_>> {
    let parameters: &RawValue = serde_json::from_str(&promise.parameters).ok()?;
    Some(Function {
        kind: "function",
        name: &promise.name,
        description: &promise.description,
        parameters,
    })
}

fn new_item(entry: &Entry) -> NewItem<'_> {
    match entry {
        Entry::Caller(words) => NewItem::Message {
            role: "user",
            content: [Content::InputText { text: words.as_str() }],
        },
        Entry::Agent(words) => NewItem::Message {
            role: "assistant",
            content: [Content::OutputText { text: words.as_str() }],
        },
        Entry::Note(words) => NewItem::Message {
            role: "system",
            content: [Content::InputText { text: words.as_str() }],
        },
        Entry::Asked { id, name, arguments } => {
            NewItem::FunctionCall { call_id: &id.0, name, arguments: arguments.as_str() }
        }
        Entry::Answered { id, output } => {
            NewItem::FunctionCallOutput { call_id: &id.0, output: output.as_str() }
        }
    }
}
