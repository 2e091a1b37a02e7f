//! An opening that is set while the server runs is what the next caller hears, also after a
//! restart.

use std::net::SocketAddr;

use serde_json::json;
use tandem::config::Config;

use super::caller::Caller;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_of_the_api_is_heard_on_the_next_call_and_after_a_restart() {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.persona.opening = "Good day, Luigi's.".to_owned();
    let mut stage = Stage::with(config.clone()).await;
    let opening = "Good day, this is Ada of Luigi's.";
    let url = format!("{}/v1/settings", stage.server.url());
    let change = reqwest::Client::new().patch(url).json(&json!({ "persona.opening": opening }));
    assert!(change.send().await.unwrap().status().is_success());
    for _server in ["the one that was told", "the next"] {
        let mut caller = Caller::rings(&stage).await;
        assert_eq!(caller.hears().await, opening);
        caller.hangs_up().await;
        stage = stage.restarted(config.clone()).await;
    }
    stage.close().await;
}
