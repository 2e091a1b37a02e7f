//! Who speaks: the opening that is set, and that it is an AI, first and when asked.

use std::net::SocketAddr;

use tandem::config::{Config, Disclosure};

use super::caller::Caller;
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
