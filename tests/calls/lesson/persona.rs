//! Who speaks: the opening that is set, and that it is an AI, first and when asked.

use std::net::SocketAddr;

use tandem::config::{Config, Disclosure};
use tandem::rehearsal::realtime::{Fault, Whom};

use super::caller::{Caller, GREETING, told};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_opens_as_it_is_set_and_says_what_it_is() {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.persona.opening = "Good day, this is Ada of Luigi's.".to_owned();
    config.persona.disclosure = Disclosure::First;
    let stage = Stage::with(config).await;
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, "This is an AI assistant. Good day, this is Ada of Luigi's.");
    assert_eq!(caller.asks("Are you a robot?").await, "I am an AI assistant.");
    assert_eq!(caller.asks("Remind me to buy milk.").await, "I have added buy milk.");
    caller.hangs_up().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_skips_what_it_is_does_nothing_before_it_has_been_heard() {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.persona.disclosure = Disclosure::First;
    let stage = Stage::with(config).await;
    let model = stage.stagehand().model.clone().expect("a simulated model");
    model.misbehave(Whom::Every, Fault::SkipsDisclosure);
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, GREETING);
    assert_eq!(caller.asks("Remind me to buy milk.").await, "This is an AI assistant.");
    assert_eq!(caller.hears().await, "I have added buy milk.");
    let kinds = ["tool_asked", "tool_answered", "turn", "disclosure_heard"];
    let story = told(&stage, &caller.call, &kinds, &["name", "verdict", "text"]).await;
    let story: Vec<&str> = story.iter().map(String::as_str).skip(1).collect();
    let expected = [
        "tool_asked create_task",
        "tool_answered create_task user",
        "turn This is an AI assistant.",
        "disclosure_heard",
        "tool_asked create_task",
        "tool_answered create_task success",
        "turn I have added buy milk.",
    ];
    let ours = |line: &&&str| **line != "turn Remind me to buy milk.";
    assert_eq!(story.iter().filter(ours).copied().collect::<Vec<_>>(), expected, "{story:?}");
    caller.hangs_up().await;
    stage.close().await;
}
