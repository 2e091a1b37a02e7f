//! Spans for a collector of OpenTelemetry, made of the facts that every call tells: one of a call,
//! one of each turn and of each tool. They hold ids, words of ours and times, and nothing that
//! anybody said, rang or typed. No call waits for any of it: whoever does not keep up loses spans.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tandem_actors::briefing::{CallId, Lifecycle, Outcome};
use tandem_actors::record::{Fact, Note};
use tandem_actors::tool::Verdict;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Spans are sent this often at least.
const EVERY: Duration = Duration::from_secs(2);

/// Spans in one request: some hundred kilobytes.
const BATCH: usize = 512;

/// A collector that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where spans go.
#[derive(Debug)]
pub struct Traces(opentelemetry_otlp::SpanExporter);

impl Traces {
    /// To this address, as protobuf over HTTP: `http://127.0.0.1:4318/v1/traces`.
    ///
    /// # Errors
    /// When that is no address, or TLS is not to be had.
    pub fn to(url: &str, node: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let mut exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_timeout(PATIENCE)
            .build()
            .context("log.otlp_url cannot be used")?;
        let instance = KeyValue::new("service.instance.id", node.to_owned());
        let resource = Resource::builder_empty().with_service_name("tandem");
        exporter.set_resource(&resource.with_attribute(instance).build());
        Ok(Self(exporter))
    }

    /// Sends what is told until told to stop; what was told by then is sent too.
    pub async fn run(self, mut live: Receiver<Note>, stop: CancellationToken) {
        let (mut spans, mut batch) = (Spans::default(), Vec::new());
        let mut is_well = true;
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_over = tokio::select! {
                told = live.recv() => match told {
                    Ok(note) => {
                        batch.extend(spans.take(&note));
                        if batch.len() < BATCH {
                            continue;
                        }
                        false
                    }
                    Err(RecvError::Lagged(lost)) => {
                        tracing::warn!(lost, "facts were missed; spans are missing");
                        spans = Spans::default();
                        continue;
                    }
                    Err(RecvError::Closed) => true,
                },
                _ = tick.tick() => false,
                () = stop.cancelled() => {
                    while let Ok(note) = live.try_recv() {
                        batch.extend(spans.take(&note));
                    }
                    true
                }
            };
            if !batch.is_empty() {
                let sent = self.0.export(mem::take(&mut batch)).await;
                // Told when it changes, not with every batch.
                if let (Err(error), true) = (&sent, is_well) {
                    tracing::warn!(%error, "spans are not taken by the collector");
                }
                is_well = sent.is_ok();
            }
            if is_over {
                return;
            }
        }
    }
}

/// The calls whose spans are open.
#[derive(Default)]
struct Spans(HashMap<CallId, Open>);

struct Open {
    context: SpanContext,
    begun: SystemTime,
    /// The end of the turn before.
    turned: SystemTime,
    turns: i64,
}

impl Spans {
    /// The spans that end with this fact.
    fn take(&mut self, note: &Note) -> Option<SpanData> {
        if let Fact::Lifecycle(Lifecycle::Dialing | Lifecycle::Answered) = note.fact {
            self.0.entry(note.call.clone()).or_insert_with(|| Open {
                context: context(trace(&note.call)),
                begun: note.at,
                turned: note.at,
                turns: 0,
            });
        }
        // What comes after the end of a call has no span to be a part of.
        let open = self.0.get_mut(&note.call)?;
        match &note.fact {
            Fact::Turn(turn) => {
                let begun = mem::replace(&mut open.turned, note.at);
                open.turns += 1;
                let speaker = KeyValue::new("speaker", turn.speaker.word());
                Some(open.part("turn", begun, note.at, vec![speaker]))
            }
            Fact::ToolAnswered { name, verdict, took_ms, .. }
            | Fact::ToolLate { name, verdict, took_ms, .. } => {
                let is_late = matches!(note.fact, Fact::ToolLate { .. });
                let begun = note.at - Duration::from_millis(*took_ms);
                Some(open.tool(name, *verdict, is_late, (begun, note.at)))
            }
            Fact::Finalized { outcome, reason, talk_ms } => {
                let open = self.0.remove(&note.call)?;
                let attributes = vec![
                    KeyValue::new("call", note.call.to_string()),
                    KeyValue::new("outcome", outcome.word()),
                    KeyValue::new("reason", reason.clone()),
                    KeyValue::new("talk_ms", i64::try_from(*talk_ms).unwrap_or(i64::MAX)),
                    KeyValue::new("turns", open.turns),
                ];
                let mut span = span(open.context, SpanId::INVALID, "call", attributes);
                (span.start_time, span.end_time) = (open.begun, note.at);
                if matches!(outcome, Outcome::SystemError | Outcome::NetworkError | Outcome::Failed)
                {
                    span.status = Status::error(outcome.word());
                }
                Some(span)
            }
            Fact::Lifecycle(_)
            | Fact::SubmissionUnknown
            | Fact::CarrierNamed(_)
            | Fact::Recording { .. }
            | Fact::DisclosureHeard { .. }
            | Fact::Masked { .. }
            | Fact::Restricted { .. }
            | Fact::Pressed
            | Fact::Answerer { .. }
            | Fact::Keyed
            | Fact::HandOver { .. }
            | Fact::ToolAsked { .. }
            | Fact::Announced { .. }
            | Fact::ConfirmationAsked { .. }
            | Fact::ConfirmationSettled { .. }
            | Fact::ConfirmationStep { .. }
            | Fact::Spoken(_)
            | Fact::BargedIn { .. }
            | Fact::Lost { .. }
            | Fact::Repaired { .. }
            | Fact::Replied { .. }
            | Fact::Used(_) => None,
        }
    }
}

impl Open {
    /// A part of the call, which began no earlier than it.
    fn part(
        &self,
        name: &'static str,
        begun: SystemTime,
        ended: SystemTime,
        attributes: Vec<KeyValue>,
    ) -> SpanData {
        let own = context(self.context.trace_id());
        let mut span = span(own, self.context.span_id(), name, attributes);
        (span.start_time, span.end_time) = (begun.max(self.begun), ended);
        span
    }

    fn tool(
        &self,
        name: &str,
        verdict: Verdict,
        is_late: bool,
        (begun, ended): (SystemTime, SystemTime),
    ) -> SpanData {
        let attributes = vec![
            KeyValue::new("tool", name.to_owned()),
            KeyValue::new("verdict", verdict.word()),
            KeyValue::new("late", is_late),
        ];
        let mut span = self.part("tool", begun, ended, attributes);
        if verdict != Verdict::Success {
            span.status = Status::error(verdict.word());
        }
        span
    }
}

/// The trace of a call has the call's own id, so that whoever knows one finds the other.
fn trace(call: &CallId) -> TraceId {
    let id = Uuid::parse_str(&call.0).map_or_else(|_| rand::random(), Uuid::into_bytes);
    TraceId::from_bytes(id)
}

fn context(trace: TraceId) -> SpanContext {
    let id = SpanId::from_bytes(rand::random());
    SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::default())
}

fn span(
    span_context: SpanContext,
    parent_span_id: SpanId,
    name: &'static str,
    attributes: Vec<KeyValue>,
) -> SpanData {
    SpanData {
        span_context,
        parent_span_id,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes,
        dropped_attributes_count: 0,
        events: Default::default(),
        links: Default::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("tandem").build(),
    }
}

#[cfg(test)]
mod tests {
    use tandem_actors::record::{Speaker, Turn};
    use tandem_actors::tool::ToolCallId;

    use super::*;

    #[test]
    fn a_call_its_turns_and_its_tools_are_spans_of_one_trace_without_a_word() {
        let call = CallId::new("019a0000-0000-7000-8000-000000000001");
        let at = |s: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
        let turn = |text: &str| Fact::Turn(Turn { speaker: Speaker::Caller, text: text.into() });
        let answered = Fact::ToolAnswered {
            id: ToolCallId("t1".to_owned()),
            name: "create_task".to_owned(),
            verdict: Verdict::Temporary,
            took_ms: 1_500,
        };
        let end = Fact::Finalized {
            outcome: Outcome::Answered,
            reason: "goodbye".to_owned(),
            talk_ms: 9_000,
        };
        let facts = [
            (1, Fact::Lifecycle(Lifecycle::Dialing)),
            (4, turn("My name is Sam.")),
            (6, answered),
            (9, end),
            (10, Fact::Pressed),
        ];
        let mut spans = Spans::default();
        let ended: Vec<SpanData> = facts
            .into_iter()
            .filter_map(|(s, fact)| {
                spans.take(&Note { call: call.clone(), sequence: s, at: at(s), fact })
            })
            .collect();
        let names: Vec<&str> = ended.iter().map(|span| &*span.name).collect();
        assert_eq!(names, ["turn", "tool", "call"]);
        let [turn, tool, whole] = &ended[..] else { panic!("{names:?}") };
        assert_eq!((turn.start_time, turn.end_time), (at(1), at(4)));
        assert_eq!(tool.start_time, at(6) - Duration::from_millis(1_500));
        assert_eq!((whole.start_time, whole.end_time), (at(1), at(9)));
        assert_eq!(tool.status, Status::error("temporary"));
        let own = whole.span_context.span_id();
        assert!(ended[..2].iter().all(|part| part.parent_span_id == own));
        let trace = format!("{:032x}", whole.span_context.trace_id());
        assert_eq!(trace, call.0.replace('-', ""), "whoever knows the call finds the trace");
        assert!(spans.0.is_empty());
        assert!(!format!("{ended:?}").contains("Sam"), "{ended:?}");
    }
}
