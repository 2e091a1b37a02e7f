//! Nothing of what people say or are called reaches the log.

use std::io::Read;
use std::process::{Command, Stdio};

/// Words that are said in the call, numbers that are rung, parts of a task.
const SECRETS: [&str; 7] =
    ["5550100", "5550199", "Luigi", "Under which name", "Sam", "Reserve", "Table for four"];

#[test]
fn the_log_of_a_whole_call_holds_no_number_and_no_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["serve", "--json"])
        .env("TANDEM__HTTP__LISTEN", "127.0.0.1:0")
        .env("TANDEM__STORE__DIR", dir.path())
        .env("TANDEM__LOG__FILTER", "warn,tandem=trace,tandem_actors=trace,ractor=info")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = server.stderr.take().unwrap();
    let logged = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    let mut ready = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(server.stdout.take().unwrap()),
        &mut ready,
    )
    .unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let placed = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["place", "+15550100", "--task", "Reserve a table for four, for Sam."])
        .args(["--server", ready["listening"].as_str().unwrap()])
        .output()
        .unwrap();
    assert!(placed.status.success(), "{}", String::from_utf8_lossy(&placed.stderr));
    let shown = String::from_utf8_lossy(&placed.stdout).into_owned();
    assert!(shown.contains("Under the name Sam"), "{shown}");
    server.kill().unwrap();
    server.wait().unwrap();
    let log = logged.join().unwrap().unwrap();
    assert!(log.contains("call="), "the log tells of the call:\n{log}");
    for secret in SECRETS {
        assert!(!log.contains(secret), "the log has {secret:?}:\n{log}");
    }
}
