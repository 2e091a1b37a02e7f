//! The architecture as a test: reads the files and keeps true what ARCHITECTURE.md states as
//! absences.

use std::fs;
use std::path::{Path, PathBuf};

const LINES: usize = 400;
const COLUMNS: usize = 100;

/// Words that say nothing about what a thing is.
const EMPTY_WORDS: [&str; 7] =
    ["manager", "helper", "util", "utils", "common", "processor", "misc"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for top in ["src", "actors", "loadtest", "tests"] {
        collect(&root().join(top), &mut found);
    }
    assert!(found.len() > 40, "the sources were not found");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder of the tree") {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            let path = path.strip_prefix(root()).expect("below the root").to_owned();
            found.push((path, text));
        }
    }
}

/// The lines that are code: neither comment nor test module.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..tests]
        .lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Every place where a file that `concerns` holds one of the words.
fn places(concerns: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let path = path.to_string_lossy().into_owned();
        if path.ends_with("tidy.rs") || !concerns(&path) {
            continue;
        }
        for (n, line) in code(&text) {
            for word in words.iter().filter(|word| line.contains(**word)) {
                found.push(format!("{path}:{n} has `{word}`"));
            }
        }
    }
    found
}

fn none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn files_are_small_and_say_what_they_own() {
    let mut wrong = Vec::new();
    let mut lengths = Vec::new();
    for (path, text) in sources() {
        let path = path.display();
        let lines = text.lines().count();
        lengths.push(lines);
        if lines > LINES {
            wrong.push(format!("{path} has {lines} lines"));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{path} does not say what it owns"));
        }
        for (n, line) in text.lines().enumerate() {
            // A wire message stands on one line as on the wire; a test's case as rustfmt leaves it.
            let quoted = line.contains("r#\"") || line.trim_start().starts_with("#[case(");
            if line.chars().count() > COLUMNS && !quoted {
                wrong.push(format!("{path}:{} is too wide", n + 1));
            }
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 160, "the median file has {median} lines");
    none(&wrong);
}

#[test]
fn ractor_is_named_in_one_manifest_and_one_crate() {
    let text = fs::read_to_string(root().join("loadtest/Cargo.toml")).expect("a manifest");
    assert!(!text.contains("ractor"), "the load test depends on ractor");
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let own = text.split("[package]").nth(1).expect("the root package");
    assert!(!own.contains("\nractor"), "the root package depends on ractor");
    none(&places(|path| !path.starts_with("actors/"), &["ractor::", "use ractor"]));
}

#[test]
fn a_call_knows_no_json_socket_or_vendor() {
    let words =
        ["serde", "axum", "hyper", "reqwest", "tungstenite", "sqlx", "TcpStream", "std::net"];
    none(&places(|path| path.starts_with("actors/"), &words));
    let vendors = ["twilio", "Twilio", "openai", "OpenAi", "Azure", "acs::"];
    none(&places(|path| path.starts_with("actors/"), &vendors));
}

#[test]
fn pure_files_hold_no_task_socket_or_clock() {
    let pure = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        (path.starts_with("actors/call/") && !path.contains("tests"))
            || (!path.starts_with("src/rehearsal/")
                && ["wire.rs", "codec.rs", "signature.rs"].contains(&name))
    };
    let words = ["tokio::", "ractor", "Instant::now", "SystemTime::now", "spawn(", "clock::now"];
    none(&places(pure, &words));
}

#[test]
fn only_config_reads_the_environment() {
    none(&places(|path| !path.starts_with("src/config"), &["env::var"]));
}

#[test]
fn nothing_is_unbounded() {
    none(&places(|_| true, &["unbounded_channel", "unbounded()"]));
}

#[test]
fn nothing_is_left_for_later() {
    none(&places(|_| true, &["todo!", "unimplemented!", "#[ignore", "FIXME", "TODO"]));
}

#[test]
fn names_mean_something() {
    let mut wrong = Vec::new();
    for (path, _) in sources() {
        let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
        if EMPTY_WORDS.contains(&name.as_str()) {
            wrong.push(path.display().to_string());
        }
    }
    none(&wrong);
}

#[test]
fn the_architecture_names_every_folder() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut wrong = Vec::new();
    for (path, _) in sources() {
        let folder = path.parent().expect("below a folder").to_string_lossy().into_owned();
        // What lies deeper belongs to the file of its name.
        let short = folder.split('/').take(2).collect::<Vec<_>>().join("/");
        if !text.contains(&format!("{short}/")) {
            wrong.push(format!("ARCHITECTURE.md does not name {short}/"));
        }
    }
    wrong.sort();
    wrong.dedup();
    none(&wrong);
}

#[test]
fn migrations_are_numbered_one_after_the_other() {
    let folder = fs::read_dir(root().join("src/store/migrations")).expect("migrations");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = folder.map(|entry| name(entry.expect("readable"))).collect();
    names.sort();
    for (place, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", place + 1)), "{name} is number {}", place + 1);
    }
}

#[test]
fn the_page_listens_to_every_kind_of_event() {
    let facts = fs::read_to_string(root().join("src/store/facts.rs")).expect("facts.rs");
    let page = fs::read_to_string(root().join("page/call.js")).expect("call.js");
    let (described, _) = facts.split_once("\n}\n").expect("its first function");
    let words = described.split('"').skip(1).step_by(2).zip(described.split('"').step_by(2));
    // A kind is the first of a pair: it stands behind an opening bracket.
    let is_kind = |before: &str| before.trim_end().ends_with('(') && !before.ends_with("json!(");
    let kinds: Vec<&str> =
        words.filter(|(_, before)| is_kind(before)).map(|(word, _)| word).collect();
    assert!(kinds.len() > 20, "{kinds:?}");
    for kind in kinds {
        assert!(page.contains(&format!("'{kind}'")), "page/call.js does not listen to {kind:?}");
    }
}

#[test]
fn every_setting_is_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let config = fs::read_to_string(root().join("src/config.rs")).expect("config.rs");
    let mut section = String::new();
    let mut wrong = Vec::new();
    for line in config.lines() {
        if let Some(name) = line.strip_prefix("pub struct ") {
            section = name.trim_end_matches(" {").to_lowercase();
        }
        let Some((name, _)) = line.strip_prefix("    pub ").and_then(|rest| rest.split_once(':'))
        else {
            continue;
        };
        if section != "config" && !readme.contains(&format!("`{section}.{name}`")) {
            wrong.push(format!("README.md does not tell of `{section}.{name}`"));
        }
    }
    none(&wrong);
}
