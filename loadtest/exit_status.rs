//! The program as a script sees it: its exit status is the verdict, and what it says is JSON.

use std::process::{Command, Output};

use tandem::loads::{Entry, Loads, PAGE, State, TEXT, Word};

fn run(words: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem-loadtest"))
        .args(words.split_whitespace())
        .output()
        .expect("the program starts")
}

#[test]
fn what_is_wrongly_asked_ends_with_two_and_names_the_wrong_word() {
    for (words, named) in [
        ("--faults leafs=1", "unknown fault \"leafs\""),
        ("--for 30", "has no unit"),
        ("--bridge ws://127.0.0.1:1/ --model-port 0 --faults pump", "no pump to break"),
    ] {
        let output = run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}: {said}");
        assert!(said.contains(named), "{words}: {said}");
    }
}

#[test]
fn calls_that_never_come_up_end_with_one_and_stand_in_the_report() {
    let report = std::env::temp_dir().join(format!("tandem-loadtest-{}.json", std::process::id()));
    let nobody = "--bridge ws://127.0.0.1:1/ --model-port 0 --calls 2 --for 100ms --ramp 100ms";
    let output = run(&format!("{nobody} --keep none --json {}", report.display()));
    let text = std::fs::read_to_string(&report).expect("a report is written");
    std::fs::remove_file(&report).expect("the report can be removed");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("FAILED\n"));
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["verdict"]["word"], "failed");
    assert_eq!(report["verdict"]["checks"][0]["quantity"], "calls lost");
    assert_eq!(report["verdict"]["checks"][0]["value"], 2.0);
    assert_eq!(report["troubles"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_run_is_kept_with_its_verdict_and_its_reports() {
    let dir = std::env::temp_dir().join(format!("tandem-loads-{}", std::process::id()));
    let words = "--bridge ws://127.0.0.1:1/ --model-port 0 --calls 2 --for 100ms --ramp 100ms";
    run(&format!("{words} --keep {}", dir.display()));
    run(&format!("hostile --scripts 3 --keep {}", dir.display()));
    let loads = Loads::new(&dir);
    let mut kept = loads.newest().expect("the folder can be read");
    kept.sort_by_key(|entry| entry.report);
    let told = |entry: &Entry| {
        let run = entry.run.as_ref().expect("it can be read");
        (entry.state, run.mode.clone(), run.verdict.as_ref().expect("it is over").word)
    };
    let (page, text) = (&kept[0], &kept[1]);
    assert_eq!(told(page), (State::Finished, "bridge".to_owned(), Word::Failed));
    assert_eq!(told(text), (State::Finished, "hostile".to_owned(), Word::Passed));
    let why = &page.run.as_ref().expect("it can be read").verdict.as_ref().expect("over").why;
    assert!(why.contains(&"calls lost: 2.00, at most 0".to_owned()), "{why:?}");
    let (file, bytes) = loads.report(&page.id).expect("a report");
    assert_eq!(file, PAGE);
    assert!(bytes.starts_with(b"<!doctype html>"));
    assert_eq!(loads.report(&text.id).expect("a report").0, TEXT);
    std::fs::remove_dir_all(&dir).expect("the folder can be removed");
}
