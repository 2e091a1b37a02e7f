//! What the server is told.

use serde::Serialize;
use serde_json::value::RawValue;
use tandem_actors::audio::Payload;

/// A message to the server.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub enum Client<'a> {
    /// Configures the session.
    #[serde(rename = "session.update")]
    SessionUpdate {
        /// What to change.
        session: Box<NewSession<'a>>,
    },
    /// Puts an item at the end of the conversation.
    #[serde(rename = "conversation.item.create")]
    ItemCreate {
        /// The item.
        item: NewItem<'a>,
    },
    /// Cuts an item of speech to what was heard.
    #[serde(rename = "conversation.item.truncate")]
    ItemTruncate {
        /// The item.
        item_id: &'a str,
        /// 0: speech is an item's first content.
        content_index: u32,
        /// Where to cut; more than there is is an error.
        audio_end_ms: u64,
    },
    /// Takes an item out of the conversation.
    #[serde(rename = "conversation.item.delete")]
    ItemDelete {
        /// The item.
        item_id: &'a str,
    },
    /// Asks for a response.
    #[serde(rename = "response.create")]
    ResponseCreate {
        /// Comes back in an error, and only there.
        event_id: String,
        /// How it shall be.
        response: NewResponse<'a>,
    },
    /// Stops the running response.
    #[serde(rename = "response.cancel")]
    ResponseCancel {
        /// Which, where it is not the one in the conversation.
        #[serde(skip_serializing_if = "Option::is_none")]
        response_id: Option<&'a str>,
    },
}

/// A session (GA form, nested; its `type` is required).
#[derive(Debug, Serialize)]
pub struct NewSession<'a> {
    /// `realtime`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Who it is and what the call is for.
    pub instructions: &'a str,
    /// `["audio"]`, which includes its transcript.
    pub output_modalities: [&'static str; 1],
    /// Both directions.
    pub audio: Audio<'a>,
    /// The tools.
    pub tools: Vec<Function<'a>>,
    /// `auto`.
    pub tool_choice: &'static str,
}

/// Both directions.
#[derive(Debug, Serialize)]
pub struct Audio<'a> {
    /// What it hears.
    pub input: Input<'a>,
    /// What it says.
    pub output: Output<'a>,
}

/// What it hears.
#[derive(Debug, Serialize)]
pub struct Input<'a> {
    /// The coding.
    pub format: AudioFormat,
    /// What it is cleaned of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_reduction: Option<Noise>,
    /// Who writes it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcription: Option<Transcription<'a>>,
    /// When a turn begins and ends.
    pub turn_detection: TurnDetection,
}

/// What it says.
#[derive(Debug, Serialize)]
pub struct Output<'a> {
    /// The coding.
    pub format: AudioFormat,
    /// The voice; cannot be changed after it has spoken.
    pub voice: &'a str,
    /// How fast it speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f32>,
}

/// What the caller's audio is cleaned of.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Noise {
    /// `near_field`, `far_field`.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// A coding.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type")]
pub enum AudioFormat {
    /// 16 bit little-endian mono.
    #[serde(rename = "audio/pcm")]
    Pcm {
        /// 24000, the only one.
        rate: u32,
    },
    /// µ-law, 8 kHz.
    #[serde(rename = "audio/pcmu")]
    Pcmu,
}

/// Who writes down what the caller says.
#[derive(Debug, Serialize)]
pub struct Transcription<'a> {
    /// The model.
    pub model: &'a str,
    /// ISO 639-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'a str>,
}

/// When a turn begins and ends.
#[derive(Debug, Default, Serialize)]
pub struct TurnDetection {
    /// `server_vad`, `semantic_vad`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// How loud speech must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// Audio kept from before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_padding_ms: Option<u32>,
    /// Silence that ends a turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence_duration_ms: Option<u32>,
    /// Silence after which it speaks up by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_ms: Option<u32>,
    /// How soon a sentence counts as complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eagerness: Option<&'static str>,
    /// Whether the end of a turn asks for a response.
    pub create_response: bool,
    /// Whether the start of a turn stops the running response.
    pub interrupt_response: bool,
}

/// A tool.
#[derive(Debug, Serialize)]
pub struct Function<'a> {
    /// `function`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its name.
    pub name: &'a str,
    /// When and how to use it.
    pub description: &'a str,
    /// JSON Schema.
    pub parameters: &'a RawValue,
}

/// An item.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NewItem<'a> {
    /// Somebody says something.
    Message {
        /// `user`, `assistant`, `system`.
        role: &'static str,
        /// What.
        content: [Content<'a>; 1],
    },
    /// A tool was asked for.
    FunctionCall {
        /// Its id.
        call_id: &'a str,
        /// The tool.
        name: &'a str,
        /// JSON text.
        arguments: &'a str,
    },
    /// It answered.
    FunctionCallOutput {
        /// The id of the call.
        call_id: &'a str,
        /// Text.
        output: &'a str,
    },
}

/// What is said.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content<'a> {
    /// By the user or the system.
    InputText {
        /// The words.
        text: &'a str,
    },
    /// By the assistant.
    OutputText {
        /// The words.
        text: &'a str,
    },
}

/// A response to be.
#[derive(Debug, Serialize)]
pub struct NewResponse<'a> {
    /// In place of the session's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<&'a str>,
    /// Comes back in `response.created` and `response.done`.
    pub metadata: Tag,
    /// Where it is no part of the conversation.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
}

/// A response beside the conversation: it knows it, becomes no part of it and calls no tool.
#[derive(Debug, Serialize)]
pub struct Beside {
    /// `none`.
    pub conversation: &'static str,
    /// `none`.
    pub tool_choice: &'static str,
}

impl Default for Beside {
    fn default() -> Self {
        Self { conversation: "none", tool_choice: "none" }
    }
}

/// What a response carries.
#[derive(Debug, Serialize)]
pub struct Tag {
    /// A number of ours, as text: metadata values are text.
    pub tag: String,
}

/// `input_audio_buffer.append`, 50 times a second. Never acknowledged.
#[must_use]
pub fn append(audio: &Payload) -> String {
    const HEAD: &str = r#"{"type":"input_audio_buffer.append","audio":""#;
    const TAIL: &str = r#""}"#;
    let base64 = audio.as_str();
    let mut message = String::with_capacity(HEAD.len() + base64.len() + TAIL.len());
    message.push_str(HEAD);
    message.push_str(base64);
    message.push_str(TAIL);
    message
}
