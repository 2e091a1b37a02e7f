//! What the model says, made sense of.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;
use tandem_actors::briefing::Text;
use tandem_actors::model::{Ending, Event, ItemId, Refusal, ResponseId};
use tandem_actors::tool::ToolCallId;
use tandem_actors::usage::{Figure, Usage};

use super::super::loss;
use super::super::wire::{
    self, ErrorEvent, Fault, Fields, Item, ItemEvent, LimitsEvent, Malformed, RateLimit,
    ResponseEvent, SessionEvent,
};
use super::encode::tag_of_event_id;
use crate::socket::Utf8Bytes;
use crate::socket::coded::Decoded;
use crate::socket::scan::payload;

/// Events of the protocol that change nothing here, GA and beta. What an item or a response
/// became is told by the events that are read; text output and the provider's own tools are
/// never asked for.
const OF_NO_INTEREST: [&str; 35] = [
    "input_audio_buffer.cleared",
    "input_audio_buffer.timeout_triggered",
    "input_audio_buffer.dtmf_event_received",
    "conversation.created",
    "conversation.item.created",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.retrieved",
    "conversation.item.truncated",
    "conversation.item.deleted",
    "conversation.item.input_audio_transcription.segment",
    "response.output_item.added",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_audio.done",
    "response.audio.done",
    "response.output_audio_transcript.done",
    "response.audio_transcript.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.text.delta",
    "response.text.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.mcp_call.in_progress",
    "response.mcp_call.completed",
    "response.mcp_call.failed",
    "mcp_list_tools.in_progress",
    "mcp_list_tools.completed",
    "mcp_list_tools.failed",
    "output_audio_buffer.started",
    "output_audio_buffer.stopped",
    "output_audio_buffer.cleared",
];

/// Makes sense of a message of a session that was opened at `opened` since 1970.
/// After a rate limit it wants to be left alone for `pause`.
pub(super) fn decode(message: &Utf8Bytes, opened: Duration, pause: Duration) -> Decoded<Event> {
    if let Some(piece) = wire::read_audio(message)
        && let Some(audio) = payload(message, Cow::Borrowed(piece.delta))
    {
        let response = ResponseId(piece.response_id.to_owned());
        let item = ItemId(piece.item_id.to_owned());
        return Decoded::Event(Event::Spoke { response, item, audio });
    }
    let Ok(kind) = wire::kind(message) else { return Decoded::Bad("json") };
    let decoded = match kind.as_ref() {
        "session.created" => expires(message, opened),
        "response.done" => responded(message, pause),
        "error" => failed(message, pause),
        "rate_limits.updated" => exhausted(message),
        kind => by_kind(kind, message),
    };
    decoded.unwrap_or(Decoded::Bad("event"))
}

fn by_kind(kind: &str, message: &Utf8Bytes) -> Result<Decoded<Event>, Malformed> {
    Ok(Decoded::Event(match kind {
        "response.output_audio.delta" | "response.audio.delta" => return spoke(message),
        "response.output_audio_transcript.delta" | "response.audio_transcript.delta" => {
            said(message)?
        }
        "session.updated" => Event::Ready,
        "input_audio_buffer.speech_started" => Event::CallerStarted(item(message)?),
        "input_audio_buffer.speech_stopped" => Event::CallerStopped(item(message)?),
        "input_audio_buffer.committed" => Event::CallerCommitted(item(message)?),
        "conversation.item.input_audio_transcription.delta" => {
            let fields: Fields<'_> = wire::read(message)?;
            Event::CallerWords(item_id(fields.item_id)?, text(fields.delta.ok_or(Malformed)?))
        }
        "conversation.item.input_audio_transcription.completed" => {
            let fields: Fields<'_> = wire::read(message)?;
            Event::CallerSaid(item_id(fields.item_id)?, text(fields.transcript.unwrap_or_default()))
        }
        "conversation.item.input_audio_transcription.failed" => {
            Event::CallerSaid(item(message)?, Text::default())
        }
        "response.created" => responding(message)?,
        "response.output_item.done" => return asked(message),
        kind if OF_NO_INTEREST.contains(&kind) => return Ok(Decoded::Nothing),
        kind => return Ok(Decoded::Unknown(kind.to_owned())),
    }))
}

/// Speech in another spelling than the usual one.
fn spoke(message: &Utf8Bytes) -> Result<Decoded<Event>, Malformed> {
    let fields: Fields<'_> = wire::read(message)?;
    let response = response_id(fields.response_id)?;
    let item = item_id(fields.item_id)?;
    let Some(audio) = payload(message, fields.delta.ok_or(Malformed)?) else {
        return Ok(Decoded::Bad("base64"));
    };
    Ok(Decoded::Event(Event::Spoke { response, item, audio }))
}

fn said(message: &Utf8Bytes) -> Result<Event, Malformed> {
    let fields: Fields<'_> = wire::read(message)?;
    Ok(Event::Said {
        response: response_id(fields.response_id)?,
        item: item_id(fields.item_id)?,
        words: text(fields.delta.ok_or(Malformed)?),
    })
}

fn expires(message: &Utf8Bytes, opened: Duration) -> Result<Decoded<Event>, Malformed> {
    let event: SessionEvent = wire::read(message)?;
    Ok(event.session.expires_at.map_or(Decoded::Nothing, |at| {
        Decoded::Event(Event::Expires(Duration::from_secs(at).saturating_sub(opened)))
    }))
}

fn responding(message: &Utf8Bytes) -> Result<Event, Malformed> {
    let ResponseEvent { response } = wire::read(message)?;
    let tag = response.metadata.and_then(|metadata| metadata.tag);
    Ok(Event::Responding {
        response: ResponseId(response.id.into_owned()),
        tag: tag.and_then(|tag| tag.parse().ok()),
    })
}

/// A tool call, once its arguments are whole. One that was cut off by a cancelled response has
/// arguments that may be half a JSON text; it was not asked for.
fn asked(message: &Utf8Bytes) -> Result<Decoded<Event>, Malformed> {
    let ItemEvent { response_id, item } = wire::read(message)?;
    let Item { kind, status, call_id, name, arguments } = item;
    if kind != "function_call" || status.is_some_and(|status| status != "completed") {
        return Ok(Decoded::Nothing);
    }
    Ok(Decoded::Event(Event::Asked {
        response: ResponseId(response_id.into_owned()),
        id: ToolCallId(call_id.ok_or(Malformed)?.into_owned()),
        name: name.ok_or(Malformed)?.into_owned(),
        arguments: text(arguments.ok_or(Malformed)?),
    }))
}

/// `incomplete` (the token limit, a filter) counts as completed: what was said was said, and
/// asking again would say it twice. So does a word we do not know: over is over, and whoever
/// waits for the end of a response must hear of it.
fn responded(message: &Utf8Bytes, pause: Duration) -> Result<Decoded<Event>, Malformed> {
    let ResponseEvent { response } = wire::read(message)?;
    let ending = match response.status.as_deref() {
        Some("cancelled") => Ending::Cancelled,
        Some("failed") => {
            let fault = response.status_details.and_then(|details| details.error);
            Ending::Failed(loss::of_response(&code(&fault.unwrap_or_default()), pause))
        }
        Some(_) | None => Ending::Completed,
    };
    let usage = response.usage.and_then(|told| used(&told)).map(Box::new);
    let response = ResponseId(response.id.into_owned());
    Ok(Decoded::Event(Event::Responded { response, ending, usage }))
}

/// The figures that are whole numbers where the protocol has them.
fn used(told: &Value) -> Option<Usage> {
    Usage::told_by(|figure| {
        let (input, output) = (&told["input_token_details"], &told["output_token_details"]);
        let tokens = match figure {
            Figure::Input => &told["input_tokens"],
            Figure::InputText => &input["text_tokens"],
            Figure::InputAudio => &input["audio_tokens"],
            Figure::InputCached => &input["cached_tokens"],
            Figure::Output => &told["output_tokens"],
            Figure::OutputText => &output["text_tokens"],
            Figure::OutputAudio => &output["audio_tokens"],
        };
        tokens.as_u64()
    })
}

fn failed(message: &Utf8Bytes, pause: Duration) -> Result<Decoded<Event>, Malformed> {
    let ErrorEvent { error } = wire::read(message)?;
    let code = code(&error);
    Ok(Decoded::Event(match code.as_str() {
        "conversation_already_has_active_response" => {
            let tag = error.event_id.as_deref().and_then(tag_of_event_id);
            Event::Refused(Refusal::ResponseActive(tag))
        }
        "response_cancel_not_active" => Event::Refused(Refusal::NothingToCancel),
        _ => match loss::of_error(&code, pause) {
            Some(loss) => Event::Fatal(loss),
            None => Event::Refused(Refusal::Other(code)),
        },
    }))
}

/// What remains is told with every response; it matters when nothing does.
fn exhausted(message: &Utf8Bytes) -> Result<Decoded<Event>, Malformed> {
    let LimitsEvent { rate_limits } = wire::read(message)?;
    let left = |limit: &RateLimit| Some((limit.remaining?, limit.reset_seconds.unwrap_or(0.0)));
    let wait = loss::of_limits(rate_limits.iter().filter_map(left));
    Ok(wait.map_or(Decoded::Nothing, |wait| Decoded::Event(Event::Exhausted(wait))))
}

/// The code of an error; its class where it has none.
fn code(fault: &Fault<'_>) -> String {
    let code = fault.code.as_deref().or(fault.class.as_deref());
    loss::clean(code.unwrap_or("unknown"))
}

fn item(message: &Utf8Bytes) -> Result<ItemId, Malformed> {
    item_id(wire::read::<Fields<'_>>(message)?.item_id)
}

fn item_id(id: Option<Cow<'_, str>>) -> Result<ItemId, Malformed> {
    id.map(|id| ItemId(id.into_owned())).ok_or(Malformed)
}

fn response_id(id: Option<Cow<'_, str>>) -> Result<ResponseId, Malformed> {
    id.map(|id| ResponseId(id.into_owned())).ok_or(Malformed)
}

fn text(words: Cow<'_, str>) -> Text {
    Text(words.into_owned())
}
