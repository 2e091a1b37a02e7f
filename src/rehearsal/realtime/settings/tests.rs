//! What a session takes as a change and what it refuses.

use rstest::rstest;

use super::*;

fn fresh() -> Settings {
    Settings::new("sess_1", "gpt-realtime-2.1", 1_795_270_000)
}

#[test]
fn a_change_is_partial_and_shown_whole() {
    let mut settings = fresh();
    let change = json!({ "type": "realtime", "instructions": "Task: reservation",
        "audio": { "input": { "format": { "type": "audio/pcmu" },
                "transcription": { "model": "gpt-live-transcribe" },
                "turn_detection": { "type": "server_vad", "silence_duration_ms": 240 } },
            "output": { "voice": "cedar" } },
        "tools": [{ "type": "function", "name": "hang_up", "parameters": {} }] });
    settings.update(&change, false).expect("all of it is known");
    assert_eq!(settings.input, Format::Pcmu8k);
    assert_eq!(settings.output, Format::Pcm24k);
    assert_eq!(settings.tools, ["hang_up"]);
    assert!(settings.transcribes);
    assert_eq!(
        settings.turns,
        Turns::Detected {
            prefix: Duration::from_millis(300),
            silence: Duration::from_millis(240),
            create: true,
            interrupt: true,
            idle: None
        }
    );
    let shown = settings.document();
    assert_eq!(shown["audio"]["input"]["format"], json!({ "type": "audio/pcmu" }));
    assert_eq!(shown["audio"]["input"]["turn_detection"]["threshold"], 0.5);
    assert_eq!(shown["audio"]["output"]["format"]["rate"], 24_000);

    let manual = json!({ "type": "realtime", "audio": { "input": { "turn_detection": null } } });
    settings.update(&manual, false).expect("manual turns");
    assert_eq!(settings.turns, Turns::Manual);
    assert_eq!(settings.instructions, "Task: reservation");
}

#[rstest]
#[case(json!({ "instructions": "x" }), "missing_required_parameter", "session.type")]
#[case(json!({ "type": "transcription" }), "invalid_value", "session.type")]
#[case(json!({ "type": "realtime", "voice": "alloy" }), "unknown_parameter", "session.voice")]
#[case(json!({ "type": "realtime", "temperature": 1 }), "unknown_parameter", "session.temperature")]
#[case(json!({ "type": "realtime", "model": "other" }), "invalid_value", "session.model")]
#[case(
    json!({ "type": "realtime", "output_modalities": ["audio", "text"] }),
    "invalid_value", "session.output_modalities"
)]
#[case(
    json!({ "type": "realtime", "audio": { "input": { "turn_detection": { "type": "vad" } } } }),
    "invalid_value", "session.audio.input.turn_detection.type"
)]
#[case(
    json!({ "type": "realtime",
        "audio": { "input": { "format": { "type": "audio/pcm", "rate": 16_000 } } } }),
    "invalid_value", "session.audio.input.format.rate"
)]
#[case(
    json!({ "type": "realtime",
        "tools": [{ "type": "function", "function": { "name": "nested" } }] }),
    "unknown_parameter", "session.tools[0].function"
)]
#[case(
    json!({ "type": "realtime", "tools": [{ "type": "function" }] }),
    "missing_required_parameter", "session.tools[0].name"
)]
fn a_wrong_change_is_refused_whole(
    #[case] mut change: Value,
    #[case] code: &str,
    #[case] param: &str,
) {
    let mut settings = fresh();
    let before = settings.document().clone();
    if change["instructions"].is_null() {
        change["instructions"] = "never taken".into();
    }
    let complaint = settings.update(&change, false).expect_err("it is wrong");
    assert_eq!((complaint.code, complaint.param.as_deref()), (code, Some(param)));
    assert_eq!(*settings.document(), before);
}

#[test]
fn the_voice_is_fixed_once_it_was_heard() {
    let change = json!({ "type": "realtime", "audio": { "output": { "voice": "cedar" } } });
    let mut settings = fresh();
    let refused = settings.update(&change, true).expect_err("it has spoken");
    assert_eq!(refused.code, "cannot_update_voice");
    settings.update(&change, false).expect("it has not spoken");
    settings.update(&change, true).expect("the same voice again");
}
