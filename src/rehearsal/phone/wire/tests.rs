//! The messages against the carriers' documented ones.

use serde_json::Value;

use super::*;

fn wire(dialect: Dialect) -> Wire {
    let parameters = vec![("token".to_owned(), "a \"quoted\" one".to_owned())];
    let url = "ws://localhost/media".to_owned();
    let carrier_call = "CA00".to_owned();
    Wire::new(Dialled { url, dialect, carrier_call, parameters, token: None, bridged: None })
}

fn parsed(message: &Message) -> Value {
    json_of(message.to_text().expect("a text message"))
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("a message is JSON")
}

#[test]
fn acs_opens_with_its_metadata_and_dates_its_frames() {
    let mut wire = wire(Dialect::Acs24k);
    let opening = parsed(&wire.opening()[0]);
    assert_eq!(opening["kind"], "AudioMetadata");
    assert_eq!(opening["audioMetadata"]["sampleRate"], 24_000);
    assert_eq!(opening["audioMetadata"]["length"], 960);
    let (first, second) = (parsed(&wire.frame(0, None)), parsed(&wire.frame(1, Some(&[1; 480]))));
    let time = |frame: &Value| -> Timestamp {
        let written = frame["audioData"]["timestamp"].as_str().expect("a time");
        assert_eq!(written.len(), "2026-11-21T10:00:06.020Z".len());
        written.parse().expect("RFC 3339")
    };
    assert_eq!((time(&second) - time(&first)).get_milliseconds(), 20);
    assert_eq!(
        (&first["audioData"]["silent"], &second["audioData"]["silent"]),
        (&true.into(), &false.into())
    );
    assert_eq!(second["kind"], "AudioData");
    assert_eq!(second["audioData"]["data"].as_str().map(str::len), Some(1_280));
    assert!(second["audioData"].get("participantRawID").is_none());
    assert_eq!(parsed(&wire.key('#')), json_of(r##"{"kind":"DtmfData","dtmfData":{"data":"#"}}"##));
}

#[test]
fn acs_takes_all_three_spellings() {
    let wire = wire(Dialect::Acs16k);
    let one = Received::Audio(vec![1]);
    for text in [
        r#"{"Kind":"AudioData","AudioData":{"Data":"AQA="},"StopAudio":null}"#,
        r#"{"kind":"audioData","audioData":{"data":"AQA=","isSilent":false},"stopAudio":{}}"#,
        r#"{"kind":"AudioData","audioData":{"data":"AQA="}}"#,
    ] {
        assert_eq!(wire.read(&Message::text(text)), one, "{text}");
    }
    for text in [
        r#"{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}"#,
        r#"{"kind":"stopAudio","stopAudio":{}}"#,
        r#"{"kind":"StopAudio","stopAudio":{}}"#,
    ] {
        assert_eq!(wire.read(&Message::text(text)), Received::Flush, "{text}");
    }
    for text in ["", "[]", r#"{"kind":"Other"}"#, r#"{"kind":"AudioData"}"#] {
        assert_eq!(wire.read(&Message::text(text)), Received::Odd, "{text}");
    }
}

#[test]
fn twilio_numbers_its_messages_from_one_and_names_its_stream_in_each() {
    let mut wire = wire(Dialect::Twilio);
    let opening: Vec<Value> = wire.opening().iter().map(parsed).collect();
    let connected = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;
    assert_eq!(opening[0], json_of(connected));
    let start = &opening[1];
    let stream = start["streamSid"].as_str().expect("a stream").to_owned();
    assert_eq!((start["sequenceNumber"].as_str(), stream.len()), (Some("1"), 34));
    assert_eq!(start["start"]["callSid"], "CA00");
    assert_eq!(start["start"]["customParameters"]["token"], "a \"quoted\" one");
    let media = parsed(&wire.frame(1, None));
    assert_eq!(media["media"]["payload"].as_str().map(str::len), Some(216));
    assert_eq!(
        (&media["media"]["chunk"], &media["media"]["timestamp"]),
        (&"2".into(), &"40".into())
    );
    let rest = [
        wire.key('5'),
        wire.mark("item_7:200").expect("Twilio has marks"),
        wire.stop().expect("Twilio says stop"),
    ];
    for (text, sequence) in rest.iter().zip(3..) {
        let message = parsed(text);
        assert_eq!(message["sequenceNumber"], sequence.to_string());
        assert_eq!(message["streamSid"], stream);
    }
    assert_eq!(parsed(&rest[0])["dtmf"]["digit"], "5");
    assert_eq!(parsed(&rest[1])["mark"]["name"], "item_7:200");
}

#[test]
fn twilio_takes_media_marks_and_clear_for_its_own_stream_alone() {
    let wire = wire(Dialect::Twilio);
    let read = |text: &str| wire.read(&Message::text(text.replace("MZ", &wire.stream)));
    let media = r#"{"event":"media","streamSid":"MZ","media":{"payload":"//8="}}"#;
    assert_eq!(read(media), Received::Audio(vec![0, 0]));
    let mark = r#"{"event":"mark","streamSid":"MZ","mark":{"name":"a"}}"#;
    assert_eq!(read(mark), Received::Mark("a".into()));
    assert_eq!(read(r#"{"event":"clear","streamSid":"MZ"}"#), Received::Flush);
    assert_eq!(wire.read(&Message::text(media)), Received::Odd);
    assert_eq!(read(r#"{"event":"stop","streamSid":"MZ"}"#), Received::Odd);
}
