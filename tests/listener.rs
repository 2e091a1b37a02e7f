//! The call's listener on the voices of the rehearsal and on made sounds: what it takes for
//! speech and for the tone of a machine, with figures.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::f32::consts::TAU;
use std::time::Duration;

use bytes::Bytes;
use tandem::rehearsal::speech::pcm::Coding;
use tandem::rehearsal::speech::{Rate, Speech, Utterance, Voice, clip};
use tandem_actors::audio::{Format, Payload};
use tandem_actors::listener::{Listener, Listening, Noticed};

/// What is noticed, and after how much of the sound.
fn noticed(listening: Listening, samples: &[i16], coding: Coding) -> Vec<(Noticed, Duration)> {
    let format = match coding {
        Coding::Pcm24k => Format::Pcm24k,
        Coding::Mulaw8k => Format::Pcmu8k,
        Coding::Pcm16k => panic!("no call has this format"),
    };
    let mut listener = Listener::new(format);
    listener.listen(listening);
    let frames = samples.chunks(coding.rate().frame()).enumerate();
    frames
        .filter_map(|(n, frame)| {
            let audio = Payload::from_base64(Bytes::from(coding.to_base64(frame))).unwrap();
            let at = Duration::from_millis(20) * u32::try_from(n).unwrap();
            listener.hear(&audio).map(|noticed| (noticed, at))
        })
        .collect()
}

fn silence(ms: usize, rate: Rate) -> Vec<i16> {
    vec![0; rate.hz() * ms / 1_000]
}

/// Ten seconds of a sound at 8 kHz: of the time in seconds, and the place.
fn made(sound: impl Fn(f32, usize) -> f32) -> Vec<i16> {
    (0..80_000).map(|n| sound(n as f32 / 8_000.0, n) as i16).collect()
}

fn noise(n: usize) -> f32 {
    // A hash of the place: the same noise in every run.
    let mixed = (n as u32).wrapping_mul(2_654_435_761);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
    ((mixed >> 8) as f32 / 8_388_608.0 - 1.0) * 2_500.0
}

const PHRASES: [&str; 8] = [
    "Luigi's, good evening.",
    "Yes, seven is fine. Under which name?",
    "Very well, Sam. A table for four at seven. Anything else?",
    "Sorry, could you say that again?",
    "Hello? Are you still there?",
    "Please add a task to buy milk.",
    "Add a task to call the bank.",
    "Thank you, goodbye.",
];

#[test]
fn a_voice_after_music_is_noticed_within_two_seconds() {
    for coding in [Coding::Pcm24k, Coding::Mulaw8k] {
        for (phrase, gap) in PHRASES.into_iter().flat_map(|phrase| [(phrase, 0), (phrase, 1_500)]) {
            let rate = coding.rate();
            let mut samples = Utterance::melody(Duration::from_secs(4), rate).samples;
            samples.extend(silence(gap, rate));
            let begun = Duration::from_millis(20) * (samples.len() / rate.frame()) as u32;
            let said = Speech::NoPrograms.render(phrase, &Voice::callee(), rate);
            samples.extend(&said.samples);
            samples.extend(silence(2_000, rate));
            let heard = noticed(Listening::OnHold, &samples, coding);
            let [(Noticed::Speech, at)] = heard[..] else {
                panic!("{phrase} {coding:?} after {gap} ms: {heard:?}")
            };
            assert!(at >= begun, "{phrase}: noticed before it was said");
            let late = at - begun;
            assert!(late < Duration::from_secs(2), "{phrase}: {late:?} late");
        }
    }
}

#[test]
fn music_noise_and_the_tones_of_the_line_are_no_voice() {
    let wave = |hz: f32, t: f32| 5_000.0 * (TAU * hz * t).sin();
    let notes = [392.0, 440.0, 523.0, 587.0, 659.0, 523.0];
    let sounds = [
        ("chords", Utterance::melody(Duration::from_secs(10), Rate::Hz8000).samples),
        ("one voice", made(|t, n| wave(notes[n / 3_200 % 6], t))),
        (
            "plucked",
            made(|t, n| wave(notes[n / 3_200 % 6], t) * (-((n % 3_200) as f32) / 1_600.0).exp()),
        ),
        ("noise", made(|_, n| noise(n))),
        ("noise in bursts", made(|_, n| if n / 2_000 % 2 == 0 { noise(n) } else { 0.0 })),
        ("busy", made(|t, n| if n / 4_000 % 2 == 0 { wave(425.0, t) } else { 0.0 })),
        ("ringing", made(|t, n| if n % 40_000 < 8_000 { wave(425.0, t) } else { 0.0 })),
        ("silence", silence(10_000, Rate::Hz8000)),
    ];
    for (name, samples) in sounds {
        assert_eq!(noticed(Listening::OnHold, &samples, Coding::Mulaw8k), [], "{name}");
    }
}

#[test]
fn the_tone_of_a_machine_is_noticed_when_silence_follows_it() {
    for coding in [Coding::Pcm24k, Coding::Mulaw8k] {
        let rate = coding.rate();
        for hz in [400.0, 440.0, 1_000.0, 1_400.0, 1_975.0] {
            for ms in [200, 400, 1_500] {
                let mut samples = silence(130, rate);
                samples.extend(Utterance::tone(hz, Duration::from_millis(ms), rate).samples);
                let over = samples.len() * 1_000 / rate.hz();
                samples.extend(silence(500, rate));
                let heard = noticed(Listening::ForTheTone, &samples, coding);
                let [(Noticed::Tone, at)] = heard[..] else {
                    panic!("{hz} Hz, {ms} ms: {heard:?}")
                };
                assert!(at.as_millis() as usize <= over + 160, "{hz} Hz, {ms} ms: {at:?}");
            }
        }
    }
}

#[test]
fn what_is_too_short_too_long_too_low_or_not_alone_is_no_tone() {
    let rate = Rate::Hz8000;
    let tone = |hz, ms| Utterance::tone(hz, Duration::from_millis(ms), rate).samples;
    let two: Vec<i16> =
        tone(697.0, 400).iter().zip(tone(1_209.0, 400)).map(|(a, b)| a / 2 + b / 2).collect();
    for (name, sound) in [
        ("short", tone(1_000.0, 140)),
        ("long", tone(425.0, 4_000)),
        ("hum", tone(250.0, 400)),
        ("whistle", tone(2_600.0, 400)),
        ("a key", two),
    ] {
        let samples = [sound, silence(500, rate)].concat();
        assert_eq!(noticed(Listening::ForTheTone, &samples, Coding::Mulaw8k), [], "{name}");
    }
    let into_speech = [tone(1_000.0, 400), tone(700.0, 400)].concat();
    assert_eq!(noticed(Listening::ForTheTone, &into_speech, Coding::Mulaw8k), []);
}

#[test]
fn no_phrase_of_the_rehearsal_holds_a_tone() {
    for phrase in PHRASES {
        for speech in [Speech::NoPrograms, Speech::SyntheticOnly] {
            let said = speech.render(phrase, &Voice::callee(), Rate::Hz8000);
            let samples = [said.samples.clone(), silence(500, Rate::Hz8000)].concat();
            let heard = noticed(Listening::ForTheTone, &samples, Coding::Mulaw8k);
            assert_eq!(heard, [], "{phrase} {speech:?}");
        }
    }
    assert!(clip("One moment, please.").is_some(), "the recordings are there");
}

#[test]
fn nothing_is_listened_to_unasked_nor_for_the_tone_after_a_minute() {
    let beep = Utterance::tone(1_000.0, Duration::from_millis(400), Rate::Hz8000).samples;
    let samples = [beep, silence(500, Rate::Hz8000)].concat();
    assert_eq!(noticed(Listening::Nothing, &samples, Coding::Mulaw8k), []);
    let late = [silence(60_100, Rate::Hz8000), samples].concat();
    assert_eq!(noticed(Listening::ForTheTone, &late, Coding::Mulaw8k), []);
}
