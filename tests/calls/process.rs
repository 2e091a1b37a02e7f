//! The process is killed, or asked to go.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// A server in a process of its own.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    pub(crate) fn start(dir: &std::path::Path) -> Self {
        Self::start_with(dir, &[])
    }

    /// With settings of one's own, as the environment has them.
    pub(crate) fn start_with(dir: &std::path::Path, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(["serve", "--json"])
            .env("TANDEM__HTTP__LISTEN", "127.0.0.1:0")
            .env("TANDEM__STORE__DIR", dir)
            .env("TANDEM__LIMITS__DRAIN_S", "1")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { child, url: ready["listening"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().json().await.unwrap()
    }

    /// Places a call and waits until it is answered.
    async fn place(&self) -> String {
        let order = json!({"to": "+15550100", "task": "Reserve a table."});
        let answer =
            reqwest::Client::new().post(format!("{}/v1/calls", self.url)).json(&order).send();
        let placed: Value = answer.await.unwrap().json().await.unwrap();
        let id = placed["id"].as_str().unwrap().to_owned();
        let answered = async {
            while self.get(&format!("/v1/calls/{id}")).await["lifecycle"] != "answered" {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), answered).await.expect("answered");
        id
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_leaves_no_call_in_the_air_and_dials_nobody_again() {
    let dir = tempfile::tempdir().unwrap();
    let id = {
        let first = Process::start(dir.path());
        let id = first.place().await;
        first.signal("-KILL");
        id
    };
    let second = Process::start(dir.path());
    let call = second.get(&format!("/v1/calls/{id}")).await;
    assert_eq!(call["lifecycle"], "finalized");
    assert_eq!((&call["outcome"], &call["reason"]), (&json!("system_error"), &json!("node_lost")));
    let metrics = reqwest::get(format!("{}/metrics", second.url)).await.unwrap().text().await;
    assert!(metrics.unwrap().contains("tandem_calls_started_total 0"), "nobody is rung again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_asked_to_go_says_goodbye_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start(dir.path());
    let id = process.place().await;
    let client = reqwest::Client::new();
    process.signal("-TERM");
    // A signal is delivered before it is heard.
    let ready = format!("{}/readyz", process.url);
    let mut seen = Vec::new();
    while let Ok(answer) = client.get(&ready).send().await {
        seen.push(answer.status().as_u16());
        if answer.status() == 503 {
            break;
        }
    }
    assert_eq!(seen.last(), Some(&503), "it says that it goes");
    let ended = tokio::task::spawn_blocking(move || {
        let status = process.child.wait().unwrap();
        drop(process);
        status
    });
    let status = tokio::time::timeout(Duration::from_secs(30), ended).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    let after = Process::start(dir.path());
    let call = after.get(&format!("/v1/calls/{id}")).await;
    assert_eq!((&call["outcome"], &call["reason"]), (&json!("answered"), &json!("drained")));
}

#[test]
fn two_processes_do_not_share_a_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Process::start(dir.path());
    let second = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .arg("serve")
        .env("TANDEM__HTTP__LISTEN", "127.0.0.1:0")
        .env("TANDEM__STORE__DIR", dir.path())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(words.contains(&dir.path().display().to_string()), "{words}");
}
