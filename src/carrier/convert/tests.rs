//! What comes out is what went in: pitch, level, silence, order, and a bounded delay.

use std::collections::VecDeque;
use std::f32::consts::TAU;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use tandem_actors::audio::Payload;
use tandem_actors::carrier::{Digit, Mark};

use super::*;

const TONE_HZ: f32 = 1_000.0;
const HALF_SCALE: f32 = 0.5;

fn seconds(samples: usize, coding: Coding) -> f32 {
    samples as f32 / coding.rate_hz() as f32
}

fn tone(coding: Coding, samples: usize) -> Vec<f32> {
    (0..samples).map(|n| HALF_SCALE * (TAU * TONE_HZ * seconds(n, coding)).sin()).collect()
}

fn encode(coding: Coding, samples: &[f32]) -> Payload {
    let samples = samples.iter().map(|sample| (sample * 32_768.0) as i16);
    let bytes: Vec<u8> = match coding {
        Coding::Pcmu8k => samples.map(audio_codec_algorithms::encode_ulaw).collect(),
        Coding::Pcm16k | Coding::Pcm24k => samples.flat_map(i16::to_le_bytes).collect(),
    };
    Payload::from_base64(STANDARD.encode(bytes).into()).unwrap()
}

fn bytes(payload: &Payload) -> Vec<u8> {
    STANDARD.decode(payload.as_str()).unwrap()
}

fn decode(coding: Coding, payload: &Payload) -> Vec<f32> {
    let bytes = bytes(payload);
    let samples: Vec<i16> = match coding {
        Coding::Pcmu8k => bytes.into_iter().map(audio_codec_algorithms::decode_ulaw).collect(),
        Coding::Pcm16k | Coding::Pcm24k => {
            bytes.as_chunks().0.iter().map(|&sample| i16::from_le_bytes(sample)).collect()
        }
    };
    samples.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect()
}

/// Sends samples through in pieces; every frame that comes out is 20 ms.
fn through(from: Coding, to: Coding, samples: &[f32], piece: usize) -> Vec<f32> {
    let mut stream = Stream::new(from, to);
    let mut out = Vec::new();
    for piece in samples.chunks(piece) {
        stream.push(&encode(from, piece));
        while let Some(frame) = stream.pull() {
            let frame = decode(to, &frame);
            assert_eq!(frame.len(), to.rate_hz() / 50);
            out.extend(frame);
        }
    }
    out
}

/// How strong one frequency is, as the amplitude of its sine; over whole periods.
fn amplitude(samples: &[f32], coding: Coding, hz: f32) -> f32 {
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let angle = TAU * hz * seconds(n, coding);
        sine += sample * angle.sin();
        cosine += sample * angle.cos();
    }
    2.0 * f32::hypot(sine, cosine) / samples.len() as f32
}

#[rstest]
#[case::acs_to_model(Coding::Pcm16k, Coding::Pcm24k)]
#[case::model_to_acs(Coding::Pcm24k, Coding::Pcm16k)]
#[case::twilio_to_model(Coding::Pcmu8k, Coding::Pcm24k)]
#[case::model_to_twilio(Coding::Pcm24k, Coding::Pcmu8k)]
#[case::acs_to_mulaw(Coding::Pcm16k, Coding::Pcmu8k)]
fn a_tone_keeps_its_pitch_and_level(#[case] from: Coding, #[case] to: Coding) {
    let second = from.rate_hz();
    // 20 ms as carriers send, 7 ms and 30 ms as nobody promised not to, and all at once.
    for piece in [second / 50, second * 7 / 1_000, second * 3 / 100, 2 * second] {
        let out = through(from, to, &tone(from, 2 * second), piece);
        assert!(out.len() >= 2 * to.rate_hz() - to.rate_hz() / 50, "audio was lost");
        let steady = &out[to.rate_hz() / 2..][..to.rate_hz()];
        let level = amplitude(steady, to, TONE_HZ);
        let decibels = 20.0 * (level / HALF_SCALE).log10();
        assert!(decibels.abs() < 0.5, "{decibels} dB in pieces of {piece}");
        // All there is, is the tone: 30 dB below it is µ-law's own noise.
        let power = steady.iter().map(|sample| sample * sample).sum::<f32>();
        let rest = power / steady.len() as f32 - level * level / 2.0;
        assert!(rest < HALF_SCALE * HALF_SCALE / 2.0 / 1_000.0, "noise of {rest}");
    }
}

#[rstest]
#[case(Coding::Pcm16k, Coding::Pcm24k)]
#[case(Coding::Pcm24k, Coding::Pcm16k)]
#[case(Coding::Pcmu8k, Coding::Pcm24k)]
#[case(Coding::Pcm24k, Coding::Pcmu8k)]
fn the_delay_is_ten_milliseconds(#[case] from: Coding, #[case] to: Coding) {
    let mut click = vec![0.0; from.rate_hz() / 5];
    let at = click.len() / 2;
    click[at] = 0.9;
    let out = through(from, to, &click, from.rate_hz() / 50);
    let loudest = (0..out.len()).max_by(|&a, &b| out[a].abs().total_cmp(&out[b].abs())).unwrap();
    let delay = seconds(loudest, to) - seconds(at, from);
    assert!((delay - 0.010).abs() < 0.0005, "{delay} s");
}

#[test]
fn silence_stays_silence() {
    let mut inward = Stream::new(Coding::Pcmu8k, Coding::Pcm24k);
    let silence = Payload::from_base64(STANDARD.encode([0xFF; 160]).into()).unwrap();
    inward.push(&silence);
    assert_eq!(bytes(&inward.pull().unwrap()), [0; 960]);
    assert_eq!(inward.pull(), None);

    let mut outward = Stream::new(Coding::Pcm24k, Coding::Pcmu8k);
    outward.push(&Payload::from_base64(STANDARD.encode([0; 960]).into()).unwrap());
    assert_eq!(outward.pull(), Some(silence));
}

#[test]
fn what_is_too_loud_is_cut_off_and_does_not_turn_over() {
    let square: Vec<f32> =
        tone(Coding::Pcm16k, 3_200).iter().map(|sample| sample.signum() * 0.999).collect();
    let out = through(Coding::Pcm16k, Coding::Pcm24k, &square, 320);
    // A sign that turned over would show as a jump over the whole scale and back.
    let spikes = out.windows(3).filter(|w| (w[1] - w[0]).abs() > 1.8 && (w[2] - w[1]).abs() > 1.8);
    assert_eq!(spikes.count(), 0);
}

/// A line of events made up beforehand that remembers what it is told.
struct Scripted {
    events: VecDeque<Event>,
    told: Arc<Mutex<Vec<Command>>>,
}

impl leg::Line for Scripted {
    type Event = Event;
    type Command = Command;

    fn poll_event(&mut self, _: &mut Context<'_>) -> Poll<Result<Event, Broken>> {
        Poll::Ready(self.events.pop_front().ok_or(Broken::Stuck))
    }

    fn send(&mut self, command: Command) -> Result<(), Broken> {
        self.told.lock().unwrap().push(command);
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn marks(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_line_converts_audio_and_keeps_everything_in_order() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let two_frames = encode(Coding::Pcmu8k, &tone(Coding::Pcmu8k, 320));
    let events = VecDeque::from([
        Event::Started,
        Event::Heard(two_frames),
        Event::Pressed(Digit::new('5').unwrap()),
        Event::Stopped,
    ]);
    let inner = Box::new(Scripted { events, told: Arc::clone(&told) });
    let mut line = line(inner, Coding::Pcmu8k, Format::Pcm24k);
    assert!(line.marks());

    let mut heard = Vec::new();
    while let Ok(event) = poll_fn(|cx| line.poll_event(cx)).await {
        heard.push(format!("{event:?}"));
    }
    let frame = "Heard(Payload(960 bytes))";
    assert_eq!(heard, ["Started", frame, frame, "Pressed(Digit(*))", "Stopped"]);

    line.send(Command::Say(encode(Coding::Pcm24k, &tone(Coding::Pcm24k, 1_200)))).unwrap();
    line.send(Command::Mark(Mark(1))).unwrap();
    line.send(Command::Flush).unwrap();
    line.send(Command::Say(encode(Coding::Pcm24k, &[0.0; 480]))).unwrap();
    line.send(Command::Close).unwrap();
    let told = std::mem::take(&mut *told.lock().unwrap());
    let words: Vec<String> = told.iter().map(|command| format!("{command:?}")).collect();
    let frame = "Say(Payload(160 bytes))";
    assert_eq!(words, [frame, frame, "Mark(Mark(1))", "Flush", frame, "Close"]);
    let Command::Say(after_flush) = &told[4] else { panic!("not said") };
    assert_eq!(bytes(after_flush), [0xFF; 160], "something of before the flush was heard");
}

#[test]
fn a_line_in_the_calls_format_is_left_alone() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let inner = Box::new(Scripted { events: VecDeque::new(), told: Arc::clone(&told) });
    let mut line = line(inner, Coding::Pcm24k, Format::Pcm24k);
    let audio = encode(Coding::Pcm24k, &tone(Coding::Pcm24k, 7));
    line.send(Command::Say(audio.clone())).unwrap();
    let told = told.lock().unwrap();
    assert!(matches!(&told[..], [Command::Say(said)] if *said == audio));
}
