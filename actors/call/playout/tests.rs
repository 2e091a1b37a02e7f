//! What was heard, told as scripts of time.

use bytes::Bytes;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn audio(ms: usize) -> Payload {
    // 24 kHz, 16 bit: 48 bytes or 64 base64 characters a millisecond.
    Payload::from_base64(Bytes::from("A".repeat(64 * ms))).expect("base64")
}

fn item(name: &str) -> Source {
    Source::Item(ItemId(name.to_owned()))
}

/// Sends what is due until `until`, waking as the deadline says; returns milliseconds sent.
fn run(playout: &mut Playout, from: Instant, until: Instant) -> u64 {
    let mut now = from;
    let mut sent = 0;
    loop {
        while let Some(due) = playout.due(now, false) {
            sent += due.audio.samples(Format::Pcm24k) / 24;
        }
        match playout.deadline() {
            Some(next) if next.max(now + MS) <= until => now = next.max(now + MS),
            _ => return sent,
        }
    }
}

#[test]
fn a_burst_leaves_at_most_the_lead_ahead_of_real_time() {
    let start = crate::clock::now();
    let mut playout = Playout::new(Format::Pcm24k);
    playout.push(&item("a"), audio(10_000));
    for elapsed in [0, 50, 101, 500, 999, 5_000] {
        let mut probe = Playout::new(Format::Pcm24k);
        probe.push(&item("a"), audio(10_000));
        let sent = run(&mut probe, start, start + MS * elapsed);
        assert!(sent <= u64::from(elapsed) + 200, "{sent} ms sent after {elapsed} ms");
        assert!(sent >= u64::from(elapsed) + 80, "{sent} ms sent after {elapsed} ms: starved");
    }
}

#[test]
fn frames_that_come_in_real_time_leave_at_once() {
    let start = crate::clock::now();
    let mut playout = Playout::new(Format::Pcm24k);
    for n in 0..100 {
        let now = start + MS * 20 * n;
        playout.push(&item("a"), audio(20));
        assert!(playout.due(now, false).is_some(), "frame {n} had to wait");
    }
}

#[test]
fn a_flush_tells_what_was_heard_and_no_more_than_was_received() {
    let start = crate::clock::now();
    let mut playout = Playout::new(Format::Pcm24k);
    playout.push(&item("a"), audio(300));
    playout.push(&item("b"), audio(5_000));
    playout.push(&item("c"), audio(100));
    run(&mut playout, start, start + MS * 1_000);
    let flushed = playout.flush(start + MS * 1_000);
    let cut = flushed.cut.expect("b was cut");
    assert_eq!((cut.item.0.as_str(), cut.heard_ms, cut.received_ms), ("b", 700, 5_000));
    assert_eq!(flushed.unheard, vec![ItemId("c".into())]);
    let Spoken { for_ms, said_ms, sent_ms, heard_ms } = flushed.spoken;
    assert_eq!((for_ms, said_ms, heard_ms), (1_000, 5_400, 1_000));
    assert!((1_000..=1_200).contains(&sent_ms), "at most the lead ahead: {sent_ms}");
    assert!(!playout.is_speaking());
}

#[test]
fn what_was_heard_to_its_end_is_not_cut() {
    let start = crate::clock::now();
    let mut playout = Playout::new(Format::Pcm24k);
    playout.push(&item("a"), audio(100));
    run(&mut playout, start, start + MS * 50);
    assert_eq!(playout.drained(start + MS * 199), None);
    let whole = Spoken { for_ms: 200, said_ms: 100, sent_ms: 100, heard_ms: 100 };
    assert_eq!(playout.drained(start + MS * 200), Some(whole));
    assert_eq!(playout.drained(start + MS * 300), None, "told once");
    assert_eq!(playout.flush(start + MS * 300), Flushed::default());
}

#[test]
fn an_item_that_pauses_is_counted_on_and_not_from_zero() {
    let start = crate::clock::now();
    let mut playout = Playout::new(Format::Pcm24k);
    playout.push(&item("a"), audio(100));
    run(&mut playout, start, start + MS * 200);
    assert!(playout.drained(start + MS * 200).is_some());
    let again = start + MS * 1_000;
    playout.push(&item("a"), audio(400));
    run(&mut playout, again, again + MS * 200);
    let cut = playout.flush(again + MS * 200).cut.expect("cut in its second part");
    assert_eq!((cut.heard_ms, cut.received_ms), (300, 500));
}

#[test]
fn a_word_that_a_lost_session_only_began_is_left_to_the_next() {
    let start = crate::clock::now();
    let mut playout = Playout::new(Format::Pcm24k);
    playout.push(&item("a"), audio(1_000));
    playout.worded(&ItemId("a".into()));
    playout.push(&item("a"), audio(200));
    playout.cut_unworded();
    assert_eq!(run(&mut playout, start, start + MS * 3_000), 1_000);
    let mut silent = Playout::new(Format::Pcm24k);
    silent.push(&item("a"), audio(1_000));
    silent.cut_unworded();
    assert_eq!(run(&mut silent, start, start + MS * 3_000), 1_000, "no text: nothing is known");
}

#[test]
fn marks_correct_the_account_and_flushed_marks_do_not() {
    let start = crate::clock::now();
    let mut playout = Playout::new(Format::Pcm24k);
    playout.push(&item("a"), audio(1_000));
    let mut marks = Vec::new();
    while let Some(due) = playout.due(start, true) {
        marks.extend(due.mark);
    }
    assert_eq!(marks, vec![Mark(0)], "one mark for the run of 200 ms");
    playout.played(Mark(0), start + MS * 350);
    let flushed = playout.flush(start + MS * 350);
    assert_eq!(flushed.cut.expect("cut").heard_ms, 200, "the carrier is 150 ms behind");
    playout.played(Mark(0), start + MS * 351);
    assert!(!playout.is_speaking());
}

#[test]
fn a_mark_that_a_flush_returned_says_nothing_of_what_is_said_next() {
    let start = crate::clock::now();
    let mut playout = Playout::new(Format::Pcm24k);
    playout.push(&item("a"), audio(1_000));
    let marks: Vec<_> = std::iter::from_fn(|| playout.due(start, true)).collect();
    assert_eq!(marks.last().and_then(|due| due.mark), Some(Mark(0)));
    let after = start + MS * 100;
    playout.flush(after);
    playout.push(&item("b"), audio(1_000));
    let marks: Vec<_> = std::iter::from_fn(|| playout.due(after, true)).collect();
    assert_eq!(marks.last().and_then(|due| due.mark), Some(Mark(1)), "never the same number");
    // Cleared marks come back at once, but their word travels as long as any other.
    playout.played(Mark(0), after + MS * 300);
    while playout.due(after + MS * 300, true).is_some() {}
    let cut = playout.flush(after + MS * 400).cut.expect("cut");
    assert_eq!(cut.heard_ms, 300, "nothing was late");
}

proptest::proptest! {
    #[test]
    fn heard_is_never_more_than_received(
        pushes in proptest::collection::vec((0_u8..3, 1_usize..400, 0_u64..500), 1..20),
        pause in 0_u64..3_000,
    ) {
        let mut now = crate::clock::now();
        let mut playout = Playout::new(Format::Pcm24k);
        let mut received = std::collections::HashMap::new();
        for (name, ms, wait) in pushes {
            let name = name.to_string();
            *received.entry(name.clone()).or_insert(0) += ms as u64;
            playout.push(&item(&name), audio(ms));
            let later = now + Duration::from_millis(wait);
            run(&mut playout, now, later);
            now = later;
        }
        let end = now + Duration::from_millis(pause);
        run(&mut playout, now, end);
        if let Some(cut) = playout.flush(end).cut {
            proptest::prop_assert!(cut.heard_ms <= cut.received_ms);
            proptest::prop_assert!(cut.received_ms <= received[&cut.item.0]);
        }
    }
}
