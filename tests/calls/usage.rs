//! What the model has used in a call: told as the provider tells it, and not at all where it does
//! not.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tandem::config::{Config, Dialect};
use tandem::rehearsal::realtime::{Behaviour, RealtimeServer};
use tandem::store::Archive;
use tandem_actors::briefing::CallId;
use tandem_actors::record::Fact;
use tandem_actors::usage::Figure;

use crate::stage::Stage;

async fn get(stage: &Stage, path: &str) -> String {
    let url = format!("{}{path}", stage.server.url());
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

/// The call as the API shows it, once everything is written.
async fn shown(stage: &Stage, call: &CallId) -> Value {
    stage.server.desk.store.flush().await.unwrap();
    serde_json::from_str(&get(stage, &format!("/v1/calls/{call}")).await).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_model_has_used_is_added_up_and_told_with_the_end() {
    let mut stage = Stage::open().await;
    let call = stage.place("+15550100", Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    let told: Vec<_> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Used(usage) => Some(usage),
            _ => None,
        })
        .collect();
    let [used] = told[..] else { panic!("told once: {facts:#?}") };
    let of = |wanted: Figure| {
        let found = used.told().find(|(figure, _)| *figure == wanted);
        found.unwrap_or_else(|| panic!("{wanted:?} in {used:?}")).1
    };
    assert_eq!(of(Figure::Input), of(Figure::InputText) + of(Figure::InputAudio));
    assert_eq!(of(Figure::Output), of(Figure::OutputText) + of(Figure::OutputAudio));
    assert!(of(Figure::InputCached) < of(Figure::Input), "{used:?}");
    // At 20 tokens a second: the agent speaks for some ten seconds, and is heard out.
    assert!((100..600).contains(&of(Figure::OutputAudio)), "{used:?}");

    let view = shown(&stage, &call).await;
    assert_eq!(view["usage"]["input_audio_tokens"], of(Figure::InputAudio));
    assert_eq!(view["usage"].as_object().map(serde_json::Map::len), Some(Figure::ALL.len()));
    let events = stage.server.desk.store.events(&call, 0).await.unwrap();
    let event = events.iter().find(|event| event.kind == "used").expect("an event");
    let body: Value = serde_json::from_str(event.body.as_str()).unwrap();
    assert_eq!(body, view["usage"]);
    let metrics = get(&stage, "/metrics").await;
    let line =
        format!("tandem_model_tokens_total{{figure=\"output_audio\"}} {}", of(Figure::OutputAudio));
    assert!(metrics.contains(&line), "{line} is not in {metrics}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_provider_that_tells_nothing_nothing_is_told() {
    let silent = Behaviour { tells_usage: false, ..Behaviour::default() };
    let model = RealtimeServer::start(silent, None).await.unwrap();
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    (config.model.url, config.model.key) = (model.url(), Some(model.key().into()));
    let mut stage = Stage::with(config).await;
    let call = stage.place("+15550100", Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    assert!(!facts.iter().any(|fact| matches!(fact, Fact::Used(_))), "{facts:#?}");
    let view = shown(&stage, &call).await;
    assert_eq!(view["outcome"], json!("answered"));
    assert!(view.get("usage").is_none(), "absent, not zero: {view}");
    let metrics = get(&stage, "/metrics").await;
    assert!(!metrics.contains("tandem_model_tokens_total{"), "{metrics}");
    stage.close().await;
}
