//! The command line against a running server: what it prints, for people and for programs, and
//! what its exit status says.

use std::process::{Command, Output};

use serde_json::{Value, json};
use tandem::rehearsal::callee::Role;

use crate::process::Process;

const OPERATOR: &str = "of-whoever-runs-the-server";

struct Shell {
    server: Process,
    key: String,
}

impl Shell {
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(arguments)
            .env("TANDEM_SERVER", &self.server.url)
            .env("TANDEM_KEY", &self.key)
            .output()
            .unwrap()
    }

    /// What it prints when all is well.
    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", errors(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.prints(&arguments)).unwrap()
    }

    /// What it complains of, and its exit status.
    fn fails(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        (output.status.code(), errors(&output))
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn locked(dir: &tempfile::TempDir) -> Shell {
    let server = Process::start_with(dir.path(), &[("TANDEM__HTTP__KEY", OPERATOR)]);
    Shell { server, key: OPERATOR.to_owned() }
}

#[test]
fn the_document_of_the_api_is_printed_without_a_server() {
    let program = || Command::new(env!("CARGO_BIN_EXE_tandem"));
    for arguments in [&["openapi"][..], &["openapi", "--json"]] {
        let output = program().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(document["paths"]["/v1/calls"]["post"].is_object(), "{document}");
    }
}

#[test]
fn a_call_is_placed_listed_and_shown_and_the_exit_status_tells_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let shell = locked(&dir);
    let task = "Reserve a table for four at seven tonight, for Sam.";
    let followed = shell.prints(&["place", Role::Restaurant.number(), "--task", task]);
    assert!(followed.contains("· finalized: answered"), "{followed}");
    assert!(followed.contains("they   ") && followed.contains("agent  "), "{followed}");

    let busy = shell.run(&["place", Role::Busy.number(), "--task", task, "--json"]);
    assert_eq!(busy.status.code(), Some(4), "{}", errors(&busy));
    let call: Value = serde_json::from_slice(&busy.stdout).unwrap();
    assert_eq!(call["outcome"], "busy");
    let (status, words) = shell.fails(&["place", "555", "--task", task]);
    assert_eq!(status, Some(1));
    assert!(words.contains("not placed") && words.contains("E.164"), "{words}");

    let listed = shell.prints(&["calls"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let answered = shell.json(&["calls", "--outcome", "answered"]);
    let id = answered["calls"][0]["id"].as_str().unwrap();
    assert_eq!(answered["calls"].as_array().unwrap().len(), 1);
    let shown = shell.prints(&["show", id]);
    assert!(shown.contains(task) && shown.contains("outcome    answered"), "{shown}");
    let shown = shell.json(&["show", id]);
    assert!(shown["transcript"].as_array().unwrap().len() > 2, "{shown}");
    assert!(shell.prints(&["hangup", id]).contains("had ended already"));
    let (status, words) = shell.fails(&["show", "nobody"]);
    assert_eq!(status, Some(1));
    assert!(words.contains("call_not_found"), "{words}");
    assert_eq!(shell.fails(&["calls", "--outcome", "perhaps"]).0, Some(2), "is no outcome");
    assert_eq!(shell.fails(&["show"]).0, Some(2), "names no call");
}

#[test]
fn an_operation_is_approved_and_the_exit_status_is_the_decision() {
    let dir = tempfile::tempdir().unwrap();
    let shell = locked(&dir);
    let (status, words) = shell.fails(&["approve", "Pay Ann"]);
    assert_eq!(status, Some(1));
    assert!(words.contains("nobody was asked") && words.contains("tandem phone"), "{words}");
    shell.prints(&["phone", Role::Approver.number()]);
    let pay = ["approve", "Pay Ann", "--arguments", r#"{"amount": "20 EUR"}"#];
    let accepted = shell.json(&pay);
    assert_eq!((&accepted["state"], &accepted["reason"]), (&json!("accepted"), &Value::Null));
    assert_eq!(accepted["arguments"], json!({ "amount": "20 EUR" }));
    let to = ["approve", "Pay Bob", "--to", Role::Rejects.number()];
    let declined = shell.run(&to);
    assert_eq!(declined.status.code(), Some(3), "{}", errors(&declined));
    let told = String::from_utf8(declined.stdout).unwrap();
    assert!(told.contains("pending") && told.ends_with("declined rejected\n"), "{told}");
    let (status, words) = shell.fails(&["approve", "Pay Eve", "--arguments", "20 EUR"]);
    assert_eq!(status, Some(1));
    assert!(words.contains("--arguments is not JSON"), "{words}");
    assert_eq!(shell.fails(&["approve"]).0, Some(2), "approves nothing");
}

#[test]
fn keys_and_the_phone_are_kept_at_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = locked(&dir);
    let key = shell.prints(&["keys", "add", "ann", "--label", "laptop"]);
    let listed = shell.json(&["keys", "list"]);
    let id = listed["keys"][0]["id"].as_str().unwrap().to_owned();
    assert!(shell.prints(&["keys", "list"]).contains("laptop"));

    shell.key = key.trim().to_owned();
    assert!(shell.prints(&["phone"]).contains("none"));
    let (status, words) = shell.fails(&["place", "--task", "Wake me up."]);
    assert_eq!(status, Some(1));
    assert!(words.contains("tandem phone"), "{words}");
    assert_eq!(shell.prints(&["phone", Role::Rejects.number()]).trim(), Role::Rejects.number());
    assert_eq!(shell.fails(&["place", "--task", "Wake me up."]).0, Some(5), "rejected");
    assert_eq!(shell.json(&["phone", "--forget"])["number"], Value::Null);
    let (status, words) = shell.fails(&["keys", "list"]);
    assert_eq!(status, Some(1));
    assert!(words.contains("operator_only"), "{words}");

    OPERATOR.clone_into(&mut shell.key);
    assert!(shell.prints(&["keys", "revoke", &id]).contains("revoked"));
    shell.key = key.trim().to_owned();
    let (status, words) = shell.fails(&["calls"]);
    assert_eq!(status, Some(1));
    assert!(words.contains("TANDEM_KEY") && words.contains("unknown_key"), "{words}");
}

#[test]
fn calls_are_scheduled_listed_and_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let shell = locked(&dir);
    let to = Role::NoAnswer.number();
    let cron = ["--cron", "0 9 * * 1-5", "--time-zone", "Europe/Berlin"];
    let add = [&["schedule", "add", "--task", "Wake me up.", "--to", to], &cron[..]].concat();
    let made = shell.json(&add);
    let id = made["id"].as_str().unwrap();
    assert!(shell.prints(&["schedule", "list"]).contains("Wake me up."));
    assert!(shell.prints(&["schedule", "remove", id]).contains("rings no more"));
    assert_eq!(shell.prints(&["schedule", "list"]), "");
    let twice = [&add[..], &["--at", "2030-01-01T00:00:00Z"]].concat();
    assert_eq!(shell.fails(&twice).0, Some(2), "once or again, not both");
    let only_if = ["--condition", "http://127.0.0.1:1/x", "--pointer", "/queue", "--is", "above"];
    let halfway = [&add[..], &only_if[..]].concat();
    assert_eq!(shell.fails(&halfway).0, Some(2), "above what");
    let made = shell.json(&[&halfway[..], &["--value", "3"]].concat());
    let condition =
        json!({ "url": "http://127.0.0.1:1/x", "pointer": "/queue", "is": "above", "value": 3 });
    assert_eq!(made["condition"], condition);
    let never = ["schedule", "add", "--task", "x", "--to", to];
    assert_eq!(shell.fails(&never).0, Some(2), "at no time");
}

#[test]
fn without_a_server_it_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["calls", "--server", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("no server answers"), "{}", errors(&output));
}
