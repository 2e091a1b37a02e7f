//! Agents come in by the Model Context Protocol, over HTTP or as a host's own program, and have
//! what everybody has at the API: the same keys, the same accounts, orders that are carried out
//! once.

use reqwest::{Client, StatusCode};
use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, ReadResourceRequestParams};
use rmcp::service::{RunningService, ServiceExt as _};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use secrecy::SecretString;
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::callee::Role;

use crate::process::Process;
use crate::stage::Stage;

const OPERATOR: &str = "of-whoever-runs-the-server";

type Agent = RunningService<RoleClient, ()>;

/// An agent at a running server.
async fn agent(url: &str, key: Option<&str>) -> Result<Agent, String> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(format!("{url}/mcp"));
    if let Some(key) = key {
        config = config.auth_header(key);
    }
    let transport = StreamableHttpClientTransport::with_client(Client::new(), config);
    ().serve(transport).await.map_err(|error| format!("{error:?}"))
}

/// An agent whose host has started our program.
async fn at_home(server: &str, key: &str) -> Agent {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("mcp").env("TANDEM_SERVER", server).env("TANDEM_KEY", key);
    ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap()
}

/// What a tool has told: its data, or the trouble.
async fn call(agent: &Agent, tool: &'static str, arguments: Value) -> Result<Value, Value> {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    let asked = CallToolRequestParams::new(tool).with_arguments(arguments);
    let told = agent.call_tool(asked).await.unwrap();
    if told.is_error == Some(true) {
        assert_eq!(told.structured_content, None);
        let text = &told.content[0].as_text().unwrap().text;
        return Err(serde_json::from_str(text).unwrap());
    }
    let told = told.structured_content.unwrap();
    check(agent, tool, &told).await;
    Ok(told)
}

/// What a tool gives fits the schema that it promises.
async fn check(agent: &Agent, tool: &str, told: &Value) {
    let tools = agent.list_all_tools().await.unwrap();
    let promised = tools.iter().find(|known| known.name == tool).unwrap();
    let schema = Value::Object((**promised.output_schema.as_ref().unwrap()).clone());
    let wrong: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(told)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(wrong, [""; 0], "{tool}: {told}");
}

async fn over(agent: &Agent, id: &Value) -> Value {
    let waiting = async {
        loop {
            let told = call(agent, "wait_for_call", json!({ "id": id, "wait_s": 240 })).await;
            let told = told.unwrap();
            if told["still_running"] == false {
                return told["call"].clone();
            }
        }
    };
    tokio::time::timeout(crate::stage::STORY, waiting).await.expect("the call ends")
}

fn locked() -> Config {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.http.key = Some(SecretString::from(OPERATOR));
    config
}

async fn calls(stage: &Stage, key: &str) -> usize {
    let url = format!("{}/v1/calls", stage.server.url());
    let answer = Client::new().get(url).bearer_auth(key).send().await.unwrap();
    let page: Value = answer.json().await.unwrap();
    page["calls"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_has_somebody_rung_waits_and_reads_what_was_said() {
    let stage = Stage::open().await;
    let agent = agent(&stage.server.url(), None).await.unwrap();
    let about = agent.peer_info().unwrap();
    assert!(about.instructions.as_ref().unwrap().contains("wait_for_call"));

    let task = "Reserve a table for four at seven tonight, for Sam.";
    let to = Role::Restaurant.number();
    let placed = call(&agent, "make_voice_call", json!({ "to": to, "task": task })).await.unwrap();
    assert_eq!((&placed["lifecycle"], &placed["repeated"]), (&json!("queued"), &json!(false)));
    let id = &placed["id"];
    // It has begun a moment ago: to wait in vain is no error.
    let waited = call(&agent, "wait_for_call", json!({ "id": id, "wait_s": 0 })).await.unwrap();
    assert_eq!(waited["still_running"], true);
    let ended = over(&agent, id).await;
    assert_eq!((&ended["outcome"], &ended["number"]), (&json!("answered"), &json!(to)));
    assert_eq!(ended["task"], task);

    let said = call(&agent, "get_transcript", json!({ "id": id })).await.unwrap();
    let turns = said["transcript"].as_array().unwrap();
    assert!(said.to_string().contains("Sam"), "{said}");
    let shown = call(&agent, "get_call", json!({ "id": id })).await.unwrap();
    assert_eq!(shown["turns"], turns.len());
    assert_eq!(shown["last_turns"].as_array().unwrap().len(), turns.len().min(6));
    let listed = call(&agent, "list_calls", json!({ "outcome": "answered" })).await.unwrap();
    assert_eq!(listed["calls"][0]["id"], *id);
    let ended = call(&agent, "hang_up", json!({ "id": id })).await.unwrap();
    assert_eq!(ended["ended"], true);
    let read = ReadResourceRequestParams::new(format!("call://{}", id.as_str().unwrap()));
    let read = serde_json::to_value(agent.read_resource(read).await.unwrap()).unwrap();
    assert!(read.to_string().contains("answered"), "{read}");
    let guide = call(&agent, "get_calling_guide", json!({ "topic": "briefing" })).await.unwrap();
    let read = agent.read_resource(ReadResourceRequestParams::new("guide://briefing")).await;
    let read = serde_json::to_value(read.unwrap()).unwrap();
    assert_eq!(read["contents"][0]["text"], guide["text"]);

    for (tool, arguments, code) in [
        ("get_call", json!({ "id": "nobody" }), "call_not_found"),
        ("wait_for_call", json!({ "id": "../keys" }), "call_not_found"),
        ("make_voice_call", json!({ "task": task }), "invalid_field"),
        ("make_voice_call", json!({ "to": "555", "task": task }), "invalid_field"),
        ("make_voice_call", json!({ "to": to, "tsk": task }), "invalid_arguments"),
        ("list_calls", json!({ "outcome": "perhaps" }), "invalid_field"),
        ("call_my_mother", json!({}), "no_such_tool"),
    ] {
        let trouble = call(&agent, tool, arguments).await.unwrap_err();
        assert_eq!(trouble["code"], code, "{trouble}");
        assert!(trouble["what_to_do"].as_str().unwrap().len() > 10, "{trouble}");
    }
    agent.cancel().await.unwrap();
    stage.close().await;
}

#[tokio::test]
async fn every_tool_says_what_it_takes_what_it_gives_and_what_it_does() {
    let stage = Stage::open().await;
    let agent = agent(&stage.server.url(), None).await.unwrap();
    let tools = agent.list_all_tools().await.unwrap();
    insta::assert_json_snapshot!("tools", tools);
    agent.cancel().await.unwrap();
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_comes_again_rings_nobody_again() {
    let stage = Stage::with(locked()).await;
    let to = Role::NoAnswer.number();
    let send = async |id: u32| {
        let arguments = json!({ "to": to, "task": "Ask when they open." });
        let asked = json!({ "name": "make_voice_call", "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": asked });
        let request = Client::new().post(format!("{}/mcp", stage.server.url()));
        let request = request.header("accept", "application/json, text/event-stream");
        // A proxy's name for us: our own rules let it in, with a key.
        let request = request.header("host", "bridge.example.com").bearer_auth(OPERATOR);
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let text = answer.text().await.unwrap();
        let data = text.lines().find_map(|line| line.strip_prefix("data: {")).unwrap();
        let message: Value = serde_json::from_str(&format!("{{{data}")).unwrap();
        message["result"].clone()
    };
    let first = send(7).await["structuredContent"].clone();
    let second = send(7).await["structuredContent"].clone();
    assert_eq!(second["id"], first["id"]);
    assert_eq!((&first["repeated"], &second["repeated"]), (&json!(false), &json!(true)));
    let third = send(8).await;
    assert_eq!(third["isError"], true, "{third}");
    assert!(third.to_string().contains("ordered_just_now"), "{third}");
    assert_eq!(calls(&stage, OPERATOR).await, 1);
    let agent = agent(&stage.server.url(), Some(OPERATOR)).await.unwrap();
    call(&agent, "hang_up", json!({ "id": first["id"] })).await.unwrap();
    agent.cancel().await.unwrap();
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_come_in_is_decided_as_for_the_api() {
    let stage = Stage::with(locked()).await;
    let url = stage.server.url();
    assert!(agent(&url, None).await.is_err());
    assert!(agent(&url, Some("tandem_sk_guessed")).await.is_err());
    let operator = |path: &str| Client::new().post(format!("{url}{path}")).bearer_auth(OPERATOR);
    let key = async |account: &str, scope: &str| {
        let wanted = json!({ "account": account, "scope": scope });
        let made: Value =
            operator("/v1/keys").json(&wanted).send().await.unwrap().json().await.unwrap();
        made["key"].as_str().unwrap().to_owned()
    };
    let ann = agent(&url, Some(&key("ann", "all").await)).await.unwrap();
    let looks = agent(&url, Some(&key("ann", "read").await)).await.unwrap();
    let bob = agent(&url, Some(&key("bob", "all").await)).await.unwrap();
    let order = json!({ "to": Role::NoAnswer.number(), "task": "Ask when they open." });
    let placed = call(&ann, "make_voice_call", order.clone()).await.unwrap();
    let which = json!({ "id": placed["id"] });
    assert!(call(&looks, "get_call", which.clone()).await.is_ok());
    let refused = call(&looks, "make_voice_call", order).await.unwrap_err();
    assert_eq!(refused["code"], "key_reads_only");
    for tool in ["get_call", "get_transcript", "hang_up", "wait_for_call"] {
        let trouble = call(&bob, tool, which.clone()).await.unwrap_err();
        assert_eq!(trouble["code"], "call_not_found", "{tool}");
    }
    call(&ann, "hang_up", which).await.unwrap();
    for agent in [ann, looks, bob] {
        agent.cancel().await.unwrap();
    }

    // What an agent should read first is for everybody.
    for (path, told) in [("/skill.md", "Brief a call"), ("/llms.txt", "/skill.md")] {
        let text = Client::new().get(format!("{url}{path}")).send().await.unwrap().text().await;
        assert!(text.unwrap().contains(told), "{path}");
    }
    stage.close().await;

    let open = Stage::open().await;
    let request = Client::new().post(format!("{}/mcp", open.server.url()));
    let answer = request.header("host", "evil.example").json(&json!({})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    open.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_names_nobody_rings_the_phone_of_its_account() {
    let mut config = locked();
    config.call.target = Role::Busy.number().to_owned();
    let stage = Stage::with(config).await;
    let url = stage.server.url();
    let made = Client::new().post(format!("{url}/v1/keys")).bearer_auth(OPERATOR);
    let made = made.json(&json!({ "account": "ann" })).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let ann = made["key"].as_str().unwrap();
    let set = async |key: &str, number: Value| -> (StatusCode, Value) {
        let request = Client::new().put(format!("{url}/v1/phone")).bearer_auth(key);
        let answer = request.json(&json!({ "number": number })).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    };
    let rings = async |key: &str, task: &str| {
        let agent = agent(&url, Some(key)).await.unwrap();
        let placed = call(&agent, "make_voice_call", json!({ "task": task })).await?;
        let ended = over(&agent, &placed["id"]).await;
        agent.cancel().await.unwrap();
        Ok::<_, Value>(ended["number"].clone())
    };
    assert_eq!(rings(OPERATOR, "One.").await, Ok(json!(Role::Busy.number())), "of the settings");
    let refused = rings(ann, "Two.").await.unwrap_err();
    assert_eq!(refused["field"], "to", "the house's phone is nobody else's");
    assert_eq!(set(ann, json!("555")).await.0, StatusCode::BAD_REQUEST);
    let stored = json!({ "number": Role::Rejects.number(), "from": "stored" });
    assert_eq!(set(ann, json!(Role::Rejects.number())).await, (StatusCode::OK, stored.clone()));
    assert_eq!(rings(ann, "Three.").await, Ok(json!(Role::Rejects.number())));
    assert_eq!(set(OPERATOR, json!(Role::Rejects.number())).await.1, stored);
    assert_eq!(rings(OPERATOR, "Four.").await, Ok(json!(Role::Rejects.number())));
    let settings = json!({ "number": Role::Busy.number(), "from": "settings" });
    assert_eq!(set(OPERATOR, Value::Null).await.1, settings);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_starts_the_program_and_reads_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let server = Process::start_with(dir.path(), &[("TANDEM__HTTP__KEY", OPERATOR)]);
    let agent = at_home(&server.url, OPERATOR).await;
    assert!(agent.list_all_tools().await.unwrap().len() >= 13);
    let order = json!({ "to": Role::Busy.number(), "task": "Ask when they open." });
    let placed = call(&agent, "make_voice_call", order).await.unwrap();
    assert_eq!(over(&agent, &placed["id"]).await["outcome"], "busy");
    agent.cancel().await.unwrap();

    let stranger = at_home(&server.url, "tandem_sk_guessed").await;
    let trouble = call(&stranger, "list_calls", json!({})).await.unwrap_err();
    assert_eq!(trouble["code"], "unknown_key");
    assert!(trouble["what_to_do"].as_str().unwrap().contains("TANDEM_KEY"), "{trouble}");
    stranger.cancel().await.unwrap();

    drop(server);
    let nowhere = at_home("http://127.0.0.1:1", OPERATOR).await;
    let trouble = call(&nowhere, "list_calls", json!({})).await.unwrap_err();
    assert_eq!(trouble["code"], "server_not_reached");
    nowhere.cancel().await.unwrap();
}
