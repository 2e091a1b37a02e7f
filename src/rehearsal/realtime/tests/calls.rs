//! Tool calls.

use super::*;

const TASKS: &str = "Task: answer the task line.";

#[tokio::test]
async fn a_tool_is_called_answered_and_reported() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, TASKS, &["create_task"]).await;
    client.speak("Add a task to buy milk.").await;
    let events = client.until("response.done").await;
    let find = |kind: &str| events.iter().find(|event| event["type"] == kind).expect(kind);
    let arguments = find("response.function_call_arguments.done");
    assert_eq!(arguments["name"], "create_task");
    assert_eq!(arguments["arguments"], r#"{"title":"buy milk"}"#);
    let item = &find("response.output_item.done")["item"];
    assert_eq!(item["type"], "function_call");
    assert_eq!(item["call_id"], arguments["call_id"]);
    let done = find("response.done");
    assert_eq!(done["response"]["output"][0]["call_id"], arguments["call_id"]);

    let output = json!({ "type": "function_call_output", "call_id": arguments["call_id"],
        "output": r#"{"success":true}"# });
    client.remember(output.clone()).await;
    client.send(json!({ "type": "conversation.item.create", "item": output })).await;
    let error = client.until_one("error").await;
    assert_eq!(error["error"]["code"], "invalid_tool_call_id");
    client.send(json!({ "type": "response.create" })).await;
    assert_eq!(client.listen().await.0, "I have added buy milk.");
}

#[tokio::test]
async fn words_and_a_call_may_share_a_response() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, TASKS, &["hang_up"]).await;
    client.speak("Goodbye.").await;
    let (heard, done) = client.listen().await;
    assert_eq!(heard, "Goodbye.");
    assert_eq!(done["response"]["output"][0]["type"], "message");
    assert_eq!(done["response"]["output"][1]["name"], "hang_up");
}

#[tokio::test]
async fn a_doubled_call_has_the_same_id_twice() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, TASKS, &["create_task"]).await;
    server.misbehave(Whom::Session(0), Fault::DuplicateCall);
    client.speak("Add a task to buy milk.").await;
    let (_, done) = client.listen().await;
    let output = done["response"]["output"].as_array().expect("items").clone();
    assert_eq!(output.len(), 2);
    assert_eq!(output[0]["call_id"], output[1]["call_id"]);
    assert_ne!(output[0]["id"], output[1]["id"]);
}

#[tokio::test]
async fn a_strange_tool_is_asked_for_and_the_answer_follows_all_the_same() {
    let server =
        serve(Behaviour { faults: vec![(Whom::Next, Fault::UnknownTool)], ..quick() }).await;
    let mut client = Client::open(&server, "Be brief.", &["look_up"]).await;
    client.speak("line 0003 hello").await;
    let (_, done) = client.listen().await;
    let call = &done["response"]["output"][0];
    assert_eq!(call["name"], "launch_rocket");
    client
        .remember(json!({ "type": "function_call_output", "call_id": call["call_id"],
            "output": r#"{"error":"unknown tool"}"# }))
        .await;
    client.send(json!({ "type": "response.create" })).await;
    assert_eq!(client.listen().await.0, "You said: line 0003 hello.");
}
