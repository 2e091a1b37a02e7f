//! What is said is heard, through every line it may pass, and what a line does to it shows.

use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};
use tokio::time::Instant;

use super::pcm::{mulaw_decode, mulaw_encode};
use super::*;

const SENTENCE: &str = "Hello, I am calling for Sam. Do you have a table for four at seven?";

fn said(text: &str, rate: Rate) -> Arc<Utterance> {
    Speech::synthetic_only().render(text, &Voice::callee(), rate)
}

/// Everything perceived of the samples and the silence after them, in chunks of this size.
fn listen(rate: Rate, samples: &[i16], chunk: usize) -> Vec<Perceived> {
    let mut ear = Ear::new(rate);
    let mut heard = Vec::new();
    let silence = vec![0; rate.hz() * 6 / 10];
    for chunk in samples.chunks(chunk).chain(silence.chunks(rate.frame())) {
        ear.push(chunk, Instant::now(), &mut heard);
    }
    heard
}

/// The one utterance that was heard.
fn only(heard: &[Perceived]) -> (String, Account) {
    let onsets = heard.iter().filter(|it| matches!(it, Perceived::Onset { .. })).count();
    assert_eq!(onsets, 1, "{heard:?}");
    match heard.last() {
        Some(Perceived::Quiet { text, account, .. }) => (text.clone(), *account),
        other => panic!("no end: {other:?}"),
    }
}

fn hear_once(rate: Rate, samples: &[i16]) -> (String, Account) {
    only(&listen(rate, samples, rate.frame()))
}

fn all_frames(samples: &[i16], rate: Rate) -> Account {
    Account { frames: (samples.len() / rate.frame()) as u64, ..Account::default() }
}

/// A line that resamples frame by frame as a carrier does.
fn resampled(samples: &[i16], from: Rate, to: Rate) -> Vec<i16> {
    let mut resampler =
        Fft::<f32>::new(from.hz(), to.hz(), from.frame(), 1, FixedSync::Both).unwrap();
    let mut out = Vec::new();
    for frame in samples.chunks_exact(from.frame()) {
        let frame: Vec<f32> = frame.iter().map(|&sample| f32::from(sample)).collect();
        let input = InterleavedSlice::new(&frame, 1, frame.len()).unwrap();
        let converted = resampler.process(&input, None).unwrap().take_data();
        out.extend(converted.iter().map(|&sample| sample.round() as i16));
    }
    out
}

#[rstest]
fn what_is_said_is_heard(
    #[values(Rate::Hz24000, Rate::Hz16000, Rate::Hz8000)] rate: Rate,
    #[values(SENTENCE, "Hi", "Ein Käsekästchen für 7 € – 日本", "x")] text: &str,
) {
    let utterance = said(text, rate);
    let (heard, account) = hear_once(rate, &utterance.samples);
    assert_eq!(heard, text);
    assert_eq!(account, all_frames(&utterance.samples, rate));
}

#[test]
fn speech_has_the_pace_of_speech() {
    let frames = said(SENTENCE, Rate::Hz8000).frames().len();
    let a_second = SENTENCE.len() * FRAMES_PER_SECOND / frames;
    assert!((13..=15).contains(&a_second), "{a_second} characters a second");
}

#[rstest]
fn recordings_carry_the_code_through_mulaw(
    #[values(Rate::Hz24000, Rate::Hz16000, Rate::Hz8000)] rate: Rate,
) {
    for text in ["One moment, please.", "You have two tasks: buy milk and call the bank."] {
        let utterance = Speech::NoPrograms.render(text, &Voice::agent(), rate);
        assert_eq!(utterance.source(), Source::Clip);
        let line = mulaw_decode(&mulaw_encode(&utterance.samples));
        let (heard, account) = hear_once(rate, &line);
        assert_eq!((heard.as_str(), account), (text, all_frames(&line, rate)));
    }
}

#[rstest]
#[case::through_16_khz(Rate::Hz16000, false)]
#[case::through_8_khz(Rate::Hz8000, false)]
#[case::through_8_khz_mulaw(Rate::Hz8000, true)]
fn resampling_there_and_back_keeps_the_words(#[case] between: Rate, #[case] mulaw: bool) {
    for voice in [Voice::callee(), Voice::agent()] {
        let mut sent = Speech::NoPrograms.render(SENTENCE, &voice, Rate::Hz24000).samples.clone();
        let frames = sent.len() / Rate::Hz24000.frame();
        // The delay of two resamplers comes out behind the end.
        sent.extend([0; 3 * 480]);
        let mut line = resampled(&sent, Rate::Hz24000, between);
        if mulaw {
            line = mulaw_decode(&mulaw_encode(&line));
        }
        let back = resampled(&line, between, Rate::Hz24000);
        let (heard, account) = hear_once(Rate::Hz24000, &back);
        assert_eq!(heard, SENTENCE);
        assert_eq!(account, Account { frames: frames as u64, ..Account::default() });
    }
}

/// The frame that carries a byte of the text at this place.
fn carrier_of(byte: usize, utterance: &Utterance) -> usize {
    let frames = utterance.frames().len();
    (0..frames).find(|&n| bytes_carried(utterance.text.len(), frames, n + 1) > byte).unwrap()
}

#[test]
fn a_dropped_frame_is_missed_in_the_text_and_in_the_account() {
    let utterance = said("abcdefghij", Rate::Hz24000);
    let mut samples = utterance.samples.clone();
    let gone = carrier_of(4, &utterance) * 480;
    samples.drain(gone..gone + 480);
    let (heard, account) = hear_once(Rate::Hz24000, &samples);
    assert_eq!(heard, "abcdfghij");
    assert_eq!(account, Account { lost: 1, ..all_frames(&samples, Rate::Hz24000) });
}

#[test]
fn a_doubled_frame_is_counted_and_its_letter_written_once() {
    let utterance = said("abcdefghij", Rate::Hz24000);
    let mut samples = utterance.samples.clone();
    let twice = carrier_of(4, &utterance) * 480;
    let frame = samples[twice..twice + 480].to_vec();
    samples.splice(twice..twice, frame);
    let (heard, account) = hear_once(Rate::Hz24000, &samples);
    assert_eq!(heard, "abcdefghij");
    assert_eq!(account, Account { doubled: 1, ..all_frames(&utterance.samples, Rate::Hz24000) });
}

#[test]
fn swapped_frames_are_counted() {
    let utterance = said("abcdefghij", Rate::Hz24000);
    let mut samples = utterance.samples.clone();
    let (first, second) = samples[10 * 480..12 * 480].split_at_mut(480);
    first.swap_with_slice(second);
    let (_, account) = hear_once(Rate::Hz24000, &samples);
    assert_eq!(account, Account { reordered: 1, ..all_frames(&samples, Rate::Hz24000) });
}

#[test]
fn silence_in_place_of_frames_is_a_loss_and_the_utterance_goes_on() {
    let utterance = said(SENTENCE, Rate::Hz24000);
    let mut samples = utterance.samples.clone();
    samples[30 * 480 + 100..34 * 480 + 100].fill(0);
    let (heard, account) = hear_once(Rate::Hz24000, &samples);
    assert!(SENTENCE.len() - heard.len() <= 3, "{heard}");
    assert_eq!(account.lost + account.unreadable, 5, "{account:?}");
    assert_eq!(account.frames, utterance.frames().len() as u64 - 5);
}

#[test]
fn what_is_cut_off_is_a_beginning_in_proportion() {
    let utterance = said(SENTENCE, Rate::Hz8000);
    let frames = utterance.frames().len();
    for done in [1, 10, frames / 2, frames - 1] {
        let (heard, account) = hear_once(Rate::Hz8000, &utterance.samples[..done * 160]);
        assert_eq!(heard, SENTENCE[..bytes_carried(SENTENCE.len(), frames, done)]);
        let expected = Account { frames: done as u64, cut_off: 1, ..Account::default() };
        assert_eq!(account, expected);
        let share = SENTENCE.len() as f64 * done as f64 / frames as f64;
        assert!((heard.len() as f64 - share).abs() <= 1.5, "{} of {share}", heard.len());
    }
}

#[test]
fn an_utterance_that_follows_without_a_pause_is_another_one() {
    let first = said("Never mind the", Rate::Hz16000);
    let second = said("Stop.", Rate::Hz16000);
    let mut samples = first.samples[..40 * 320].to_vec();
    samples.extend(&second.samples);
    let heard = listen(Rate::Hz16000, &samples, 320);
    let texts: Vec<(&str, u64)> = heard
        .iter()
        .filter_map(|it| match it {
            Perceived::Quiet { text, account, .. } => Some((text.as_str(), account.cut_off)),
            Perceived::Onset { .. } | Perceived::Frame { .. } | Perceived::Words(_) => None,
        })
        .collect();
    let begun = &first.text[..bytes_carried(first.text.len(), first.frames().len(), 40)];
    assert_eq!(texts, [(begun, 1), ("Stop.", 0)]);
}

#[test]
fn after_a_gap_the_code_is_found_again_wherever_it_goes_on() {
    let utterance = said(SENTENCE, Rate::Hz24000);
    let (before, after) = utterance.samples.split_at(30 * 480 + 77);
    let mut ear = Ear::new(Rate::Hz24000);
    let mut heard = Vec::new();
    ear.push(before, Instant::now(), &mut heard);
    assert!(ear.inside());
    ear.gap();
    ear.push(after, Instant::now(), &mut heard);
    ear.push(&[0; 24_000], Instant::now(), &mut heard);
    assert!(!ear.inside());
    let (text, account) = only(&heard);
    // The frame that was torn apart cannot be read; all others are.
    let frames = utterance.frames().len() as u64 - 1;
    assert_eq!(account, Account { frames, unreadable: 1, ..Account::default() });
    assert!(SENTENCE.len() - text.len() <= 1);
}

#[test]
fn a_frame_is_dated_by_the_arrival_of_its_last_sample() {
    let utterance = said("Hello", Rate::Hz24000);
    let start = Instant::now();
    let due = |n: u64| start + Duration::from_millis(20 * n);
    let mut ear = Ear::new(Rate::Hz24000);
    let mut heard = Vec::new();
    let silence = [0; 480];
    for n in 0..100_usize {
        let frame = n.checked_sub(7).and_then(|n| utterance.frames().nth(n));
        ear.push(frame.unwrap_or(&silence), due(n as u64), &mut heard);
    }
    assert_eq!(heard[0], Perceived::Onset { at: due(7) });
    let frames: Vec<_> =
        heard.iter().filter(|it| matches!(it, Perceived::Frame { .. })).cloned().collect();
    let count = utterance.frames().len();
    let expected: Vec<_> =
        (0..count as u64).map(|n| Perceived::Frame { sequence: n as u8, at: due(n + 7) }).collect();
    assert_eq!(frames, expected);
    let (_, account) = only(&heard);
    let end = Perceived::Quiet { text: "Hello".into(), at: due(6 + count as u64), account };
    assert_eq!(heard.last(), Some(&end));
}

#[rstest]
fn silence_is_not_heard(#[values(Rate::Hz24000, Rate::Hz16000, Rate::Hz8000)] rate: Rate) {
    assert_eq!(listen(rate, &vec![0; rate.hz()], 100), []);
    let faint: Vec<i16> = (0..rate.hz()).map(|n| (n % 7) as i16 - 3).collect();
    assert_eq!(listen(rate, &faint, 100), []);
}

#[rstest]
#[case::sine(|n| ((n as f64 * 0.1).sin() * 8_000.0) as i16)]
#[case::noise(|n| ((n as u32).wrapping_mul(2_654_435_761).rotate_left(n as u32 % 31) >> 19) as i16)]
fn sound_without_code_is_heard_and_has_no_words(#[case] wave: fn(usize) -> i16) {
    for rate in [Rate::Hz24000, Rate::Hz8000] {
        let samples: Vec<i16> = (0..rate.hz()).map(wave).collect();
        let (text, account) = hear_once(rate, &samples);
        assert_eq!((text.as_str(), account.frames), ("", 0));
        assert!((49..=51).contains(&account.unreadable), "{account:?}");
    }
}

#[test]
fn words_grow_while_they_are_spoken() {
    let utterance = said(SENTENCE, Rate::Hz8000);
    let mut last = String::new();
    for it in listen(Rate::Hz8000, &utterance.samples, 160) {
        if let Perceived::Words(words) = it {
            assert!(words.len() > last.len() && words.starts_with(&last));
            last = words;
        }
    }
    assert_eq!(last, SENTENCE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_of_any_size_and_silence_of_any_length_change_nothing(
        text in "[ -~]{1,40}",
        pause in 0_usize..2_000,
        sizes in prop::collection::vec(1_usize..2_000, 1..20),
    ) {
        let utterance = said(&text, Rate::Hz24000);
        let mut stream = vec![0; pause];
        stream.extend(&utterance.samples);
        stream.extend([0; 14_400]);
        let mut ear = Ear::new(Rate::Hz24000);
        let mut heard = Vec::new();
        let mut rest = stream.as_slice();
        for size in sizes.iter().cycle() {
            let (chunk, more) = rest.split_at((*size).min(rest.len()));
            ear.push(chunk, Instant::now(), &mut heard);
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        let (words, account) = only(&heard);
        prop_assert_eq!(words, text);
        prop_assert_eq!(account, all_frames(&utterance.samples, Rate::Hz24000));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exactly_the_frames_that_were_dropped_are_missing(
        dropped in prop::collection::vec(prop::bool::weighted(0.2), 240),
        chunk in 1_usize..1_000,
    ) {
        let utterance = said(SENTENCE, Rate::Hz8000);
        let count = utterance.frames().len();
        let kept: Vec<usize> = (0..count).filter(|&n| !dropped[n]).collect();
        let arrived = |n: usize| utterance.frames().nth(n).unwrap().to_vec();
        let samples: Vec<i16> = kept.iter().flat_map(|&n| arrived(n)).collect();
        let (text, account) = only(&listen(Rate::Hz8000, &samples, chunk));
        let letters = (0..SENTENCE.len()).filter(|&byte| !dropped[carrier_of(byte, &utterance)]);
        let expected: String = letters.map(|byte| char::from(SENTENCE.as_bytes()[byte])).collect();
        prop_assert_eq!(text, expected);
        let last = kept.last().copied().unwrap();
        prop_assert_eq!(account, Account {
            frames: kept.len() as u64,
            lost: (last + 1 - kept.len()) as u64,
            cut_off: u64::from(last + 1 < count),
            ..Account::default()
        });
    }

    #[test]
    fn no_damage_makes_more_of_an_utterance_than_it_was(
        cuts in prop::collection::vec((0_usize..60_000, 1_usize..3_000), 0..6),
        gaps in prop::collection::vec(0_usize..400, 0..4),
        noise in 0_usize..60_000,
    ) {
        let utterance = said(SENTENCE, Rate::Hz8000);
        let mut samples = utterance.samples.clone();
        let faults = (cuts.len() + gaps.len() + 1) as u64;
        for (from, length) in cuts {
            let from = from % samples.len();
            samples.drain(from..(from + length).min(samples.len() - 1));
        }
        let from = noise % samples.len();
        for (n, sample) in samples[from..].iter_mut().take(160).enumerate() {
            *sample = (n as i16).wrapping_mul(7_919);
        }
        let mut ear = Ear::new(Rate::Hz8000);
        let mut heard = Vec::new();
        for (n, chunk) in samples.chunks(100).enumerate() {
            if gaps.contains(&n) {
                ear.gap();
            }
            ear.push(chunk, Instant::now(), &mut heard);
        }
        ear.finish(&mut heard);
        let mut all = Account::default();
        for it in &heard {
            if let Perceived::Quiet { account, .. } = it {
                all += *account;
            }
        }
        let sounding = samples.len().div_ceil(160) as u64;
        prop_assert!(all.frames + all.doubled + all.unreadable <= sounding + 2, "{:?}", all);
        // Each fault spoils the frames it touches, and at most one more is missed in the search.
        prop_assert!(all.frames + 4 * faults >= sounding, "{:?} of {}", all, sounding);
    }
}
