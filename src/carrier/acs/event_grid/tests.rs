//! Event Grid's deliveries, as documented and as nobody documents them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const FIXTURES: &str = include_str!("../../../../tests/fixtures/acs/event_grid.jsonl");

fn fixture(line: usize) -> Vec<Told> {
    read(FIXTURES.lines().nth(line).unwrap().as_bytes()).unwrap()
}

fn rings(told: &[Told]) -> &Incoming {
    match told {
        [Told::Rings(incoming)] => incoming,
        other => panic!("not one ringing phone but {other:?}"),
    }
}

#[test]
fn a_subscription_wants_its_code_back() {
    let code = "512d38b6-c7b8-40c8-89fe-f46f9e9622b6".to_owned();
    assert_eq!(fixture(0), [Told::Confirm(code)]);
}

#[test]
fn a_ringing_phone_is_told_with_all_that_answering_takes() {
    let told = fixture(1);
    let incoming = rings(&told);
    assert_eq!(incoming.event, "e1");
    assert_eq!(incoming.correlation.as_deref(), Some("8c1d"));
    assert_eq!(incoming.context, IncomingContext("eyJhbGciOi".to_owned()));
    assert_eq!(incoming.from.as_str(), "+12065550100");
    assert_eq!(incoming.to.as_ref().unwrap().as_str(), "+12065550199");
    assert_eq!(incoming.at, Some("2026-11-21T10:00:00Z".parse().unwrap()));
    let shown = format!("{incoming:?}");
    assert!(!shown.contains("2065550100") && !shown.contains("eyJhbGciOi"), "{shown}");
}

#[test]
fn a_raw_id_is_a_number_and_an_anonymous_caller_rings_like_any_other() {
    let told = fixture(2);
    let incoming = rings(&told);
    assert_eq!(incoming.from.as_str(), "anonymous");
    assert_eq!(incoming.to.as_ref().unwrap().as_str(), "+12065550199");
    assert_eq!(incoming.correlation, None);
}

#[test]
fn cloud_events_and_users_of_an_app_are_understood() {
    let told = fixture(3);
    let incoming = rings(&told);
    assert_eq!(incoming.from.as_str(), "8:acs:res_user");
    assert_eq!(incoming.to, None);
}

#[test]
fn a_recording_that_is_finished_is_told_in_either_schema() {
    let location = "https://us-storage.asm.skype.com/v1/objects/0-wus-d1/content/acscomposite";
    for line in [6, 7] {
        let told = fixture(line);
        let [Told::Recorded(recorded)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(recorded.names, ["eyJQ", "aHR0cHM6", "8c1d"]);
        let [piece] = &recorded.pieces[..] else { panic!("{told:?}") };
        assert_eq!((piece.index, piece.location.as_str()), (0, location));
    }
}

#[test]
fn what_is_broken_does_not_spoil_the_rest() {
    let other = Told::Other("Microsoft.Communication.CallEnded".to_owned());
    assert_eq!(fixture(4), [other, Told::Broken, Told::Broken, Told::Broken]);
    assert_eq!(fixture(5), []);
    let good = FIXTURES.lines().nth(1).unwrap().trim_matches(['[', ']']);
    let many = vec!["{}"; 4_999].join(",");
    let told = read(format!("[{many},{good}]").as_bytes()).unwrap();
    assert_eq!(told.len(), 5_000);
    assert!(matches!(told.last(), Some(Told::Rings(_))));
}

#[test]
fn a_caller_of_strange_length_or_letters_is_broken() {
    for from in ["", "4:", &"9".repeat(PARTY_MAX + 1), "4:+1206\n5550100"] {
        let event = json!({ "id": "e", "eventType": "Microsoft.Communication.IncomingCall",
            "data": { "to": { "rawId": "4:+1" }, "from": { "rawId": from },
                "incomingCallContext": "x" } });
        assert_eq!(read(event.to_string().as_bytes()), Ok(vec![Told::Broken]), "{from:?}");
    }
}

#[test]
fn a_minute_after_the_event_nobody_waits_any_more() {
    let told = fixture(1);
    let incoming = rings(&told);
    let after = |seconds| incoming.at.unwrap() + Duration::from_secs(seconds);
    assert!(!incoming.is_over(after(0)) && !incoming.is_over(after(60)));
    assert!(incoming.is_over(after(61)));
    let early = incoming.at.unwrap() - Duration::from_secs(3_600);
    assert!(!incoming.is_over(early), "a clock that is behind loses no call");
}

#[test]
fn what_is_no_list_of_events_is_malformed() {
    let deep = "[".repeat(100_000);
    for body in ["", "7", "null", "\"x\"", "[", "{", "[{}", "\u{feff}[]", "<html>", &deep] {
        assert_eq!(read(body.as_bytes()), Err(Malformed), "{:.20}", body);
    }
    assert_eq!(read(b"[\"\xff\"]"), Err(Malformed));
}

proptest! {
    #[test]
    fn no_body_is_more_than_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _told = read(&body);
    }
}
