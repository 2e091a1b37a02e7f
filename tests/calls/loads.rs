//! Runs of the load test, as they lie in the data directory and are shown to whoever runs the
//! server: how far each is, its report, and what else may lie there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::loads::{self, Counts, FOLDER, RUN, Run, SHOWN, Tick, Verdict, Word};

use crate::api::{Api, OPERATOR, locked};
use crate::stage::Stage;

fn run(verdict: Option<Word>) -> Run {
    let why = vec!["calls lost: 2, at most 0".to_owned()];
    Run {
        mode: "talk".to_owned(),
        asked: "50 calls, 30 s, acs24k, seed 1".to_owned(),
        began_ms: 1_700_000_000_000,
        seen_ms: 1_700_000_009_000,
        phase: "talking".to_owned(),
        counts: Counts { live: 50, turns: 7, ..Counts::default() },
        timeline: vec![Tick { at_s: 1.0, live: 50, cpu_percent: 9.0, rss_mib: 20.0, fds: 9 }],
        verdict: verdict.map(|word| Verdict { word, why }),
    }
}

/// A folder of a run, with this in it.
fn keep(loads: &Path, id: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = loads.join(id);
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

fn written(run: &Run) -> String {
    serde_json::to_string(run).unwrap()
}

async fn listed(api: &Api<'_>) -> Vec<Value> {
    let (status, mut body) = api.get("/v1/loads").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["loads"].as_array_mut().unwrap().drain(..).collect()
}

#[tokio::test]
async fn runs_are_shown_newest_first_with_how_far_they_are() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    assert_eq!(listed(&api).await, Vec::<Value>::new(), "no folder is no run");
    let loads = stage.dir().join(FOLDER);
    let done = written(&run(Some(Word::Failed)));
    keep(&loads, "20260101T000000Z-talk-7", &[(RUN, &done), ("report.html", "<h1>failed</h1>")]);
    keep(&loads, "20260102T000000Z-talk-8", &[(RUN, &written(&run(None)))]);
    let held = loads::hold(&loads.join("20260103T000000Z-talk-9")).unwrap();
    keep(&loads, "20260103T000000Z-talk-9", &[(RUN, &written(&run(None)))]);

    let all = listed(&api).await;
    let states: Vec<&Value> = all.iter().map(|load| &load["state"]).collect();
    assert_eq!(states, ["running", "broken_off", "finished"], "{all:?}");
    assert_eq!((&all[0]["counts"]["turns"], &all[0]["timeline"]), (&json!(7), &Value::Null));
    assert_eq!(all[0]["began_at"], "2023-11-14T22:13:20Z");
    assert_eq!(all[2]["verdict"]["word"], "failed");
    let (_, one) = api.get("/v1/loads/20260103T000000Z-talk-9").await;
    assert_eq!(one["timeline"][0]["live"], 50, "{one}");
    // Its process is gone, however it went; a child that is just being started has the file too.
    held.unlock().unwrap();
    assert_eq!(listed(&api).await[0]["state"], "broken_off");

    let page = all[2]["report"].as_str().unwrap();
    let answer = api.to(Method::GET, page).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("sandbox allow-scripts; default-src 'none'"), "{policy}");
    assert_eq!(answer.text().await.unwrap(), "<h1>failed</h1>");
    stage.close().await;
}

#[tokio::test]
async fn what_is_no_run_is_told_and_leads_nowhere_else() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let loads = stage.dir().join(FOLDER);
    fs::write(stage.dir().join(RUN), written(&run(Some(Word::Passed)))).unwrap();
    keep(&loads, "1-damaged", &[(RUN, r#"{"mode":"talk""#), ("report.html", "x")]);
    keep(&loads, "2-foreign", &[("notes.txt", "somebody else's")]);
    keep(&loads, "3-endless", &[(RUN, &" ".repeat(600 << 10))]);
    symlink(stage.dir(), loads.join("4-elsewhere")).unwrap();
    symlink("/etc/hostname", keep(&loads, "5-lent", &[]).join(RUN)).unwrap();
    fs::write(loads.join("6-file"), "").unwrap();
    keep(&loads, "7 not a name", &[]);
    let done = written(&run(Some(Word::Passed)));
    let lends = keep(&loads, "8-lends", &[(RUN, &done)]);
    symlink("/etc/hostname", lends.join("report.html")).unwrap();

    let all = listed(&api).await;
    let told = |id: &str| all.iter().find(|load| load["id"] == id).unwrap();
    for id in ["1-damaged", "2-foreign", "3-endless", "4-elsewhere", "5-lent", "6-file"] {
        assert_eq!(told(id)["state"], "unreadable", "{id}");
        assert!(told(id)["detail"].is_string() && told(id)["mode"].is_null(), "{id}");
    }
    assert_eq!(told("7 not a name")["state"], "unreadable");
    assert_eq!(
        (&told("8-lends")["state"], &told("8-lends")["report"]),
        (&json!("finished"), &Value::Null)
    );
    let (status, problem) = api.get("/v1/loads/8-lends/report").await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("report_not_found")));
    for id in ["..", "%2e%2e", "..%2f..", "1-damaged%2f", "7%20not%20a%20name", "nothing", "%00"] {
        let (status, body) = api.get(&format!("/v1/loads/{id}")).await;
        assert!(status.is_client_error(), "{id}: {status} {body}");
        let (status, body) = api.get(&format!("/v1/loads/{id}/report")).await;
        assert!(status.is_client_error(), "{id}: {status} {body}");
    }
    for n in 0..SHOWN {
        keep(&loads, &format!("9-{n:04}"), &[(RUN, &done)]);
    }
    let all = listed(&api).await;
    assert_eq!((all.len(), &all[0]["id"]), (SHOWN, &json!(format!("9-{:04}", SHOWN - 1))));
    stage.close().await;
}

#[tokio::test]
async fn only_whoever_runs_the_server_sees_them() {
    let stage = locked().await;
    let operator = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let done = written(&run(Some(Word::Passed)));
    let loads = stage.dir().join(FOLDER);
    keep(&loads, "1-talk", &[(RUN, &done), ("report.txt", "PASSED")]);
    assert_eq!(listed(&operator).await.len(), 1);
    let made = operator.post("/v1/keys", &json!({ "account": "shop" })).await.1;
    let shop = Api { stage: &stage, key: made["key"].as_str().map(str::to_owned) };
    let nobody = Api { stage: &stage, key: None };
    for path in ["/v1/loads", "/v1/loads/1-talk", "/v1/loads/1-talk/report"] {
        assert_eq!(shop.get(path).await.0, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(nobody.get(path).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    stage.close().await;
}
