//! A phone against the far end of its media socket: what is said is heard both ways, and every
//! fault shows where it should.

use std::time::Duration;

use rstest::rstest;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use super::far_end::{FarEnd, Peer, Seen};
use super::*;

const SENTENCE: &str = "Yes, seven is fine. Under which name?";

async fn call(dialect: Dialect) -> (Phone, Receiver<Sound>, Peer) {
    call_measured(dialect, Arc::new(Probe::silent())).await
}

async fn call_measured(dialect: Dialect, probe: Arc<Probe>) -> (Phone, Receiver<Sound>, Peer) {
    let far = FarEnd::open(dialect).await;
    let phone = Phone::connect(far.dialled(), Voice::callee(), probe);
    let (phone, peer) = tokio::join!(phone, far.accept());
    let (phone, sounds) = phone.expect("the far end takes every call");
    (phone.speaking(Speech::synthetic_only()), sounds, peer)
}

/// The next utterance on the phone.
async fn said(sounds: &mut Receiver<Sound>) -> (String, Account) {
    loop {
        match sounds.recv().await.expect("the line is over") {
            Sound::Said { text, account } => return (text, account),
            Sound::Onset | Sound::Words(_) | Sound::Key(_) | Sound::Flushed => {}
            Sound::Ended(ending) => panic!("{ending:?}"),
        }
    }
}

/// Reads the far end's socket until time is up or the line is over.
async fn read_for(peer: &mut Peer, time: Duration) -> Vec<(Seen, Instant)> {
    let until = Instant::now() + time;
    let mut seen = Vec::new();
    while let Ok(it) = tokio::time::timeout_at(until, peer.next()).await {
        let over = it == Seen::Broken;
        seen.push((it, Instant::now()));
        if over {
            break;
        }
    }
    seen
}

#[rstest]
#[tokio::test]
async fn what_is_said_is_heard_both_ways(
    #[values(
        Dialect::Acs24k,
        Dialect::Acs16k,
        Dialect::Twilio,
        Dialect::Asterisk24k,
        Dialect::Asterisk8k,
        Dialect::Softphone
    )]
    dialect: Dialect,
) {
    let (phone, mut sounds, mut peer) = call(dialect).await;
    let (spoken, (text, account)) = tokio::join!(phone.say(SENTENCE), peer.hear());
    assert_eq!((spoken, text.as_str()), (Spoken::Whole, SENTENCE));
    assert_eq!((account.lost, account.cut_off), (0, 0));
    peer.say("Under the name Sam, please.").await;
    let ((text, account), _) =
        tokio::join!(said(&mut sounds), read_for(&mut peer, Duration::from_secs(4)));
    assert_eq!(text, "Under the name Sam, please.");
    let (all, _) = tokio::join!(phone.hang_up(), read_for(&mut peer, Duration::from_secs(1)));
    assert_eq!((all.heard, all.lost, all.underruns), (account.frames, 0, 0));
    assert_eq!(all.frames_sent, all.lateness_us.len(), "every frame has its deadline");
    assert_eq!(all.ending, Some(Ending::HungUp));
}

#[tokio::test]
async fn a_browser_says_what_has_been_played_and_loses_the_marks_of_a_flush() {
    let (phone, mut sounds, mut peer) = call(Dialect::Softphone).await;
    peer.say(SENTENCE).await;
    peer.mark("7").await;
    read_for(&mut peer, Duration::from_millis(500)).await;
    peer.flush().await;
    peer.mark("8").await;
    phone.press('5').await;
    let mut seen: Vec<Seen> =
        read_for(&mut peer, Duration::from_secs(1)).await.into_iter().map(|(it, _)| it).collect();
    seen.sort_by_key(|seen| matches!(seen, Seen::Key(_)));
    assert_eq!(seen, [Seen::Mark("8".into()), Seen::Key("5".into())]);
    let (text, account) = said(&mut sounds).await;
    assert!(SENTENCE.starts_with(&text) && account.cut_off == 1, "{text}");
}

#[tokio::test]
async fn acs_names_its_call_in_the_headers() {
    let (_phone, _sounds, peer) = call(Dialect::Acs24k).await;
    assert_eq!(peer.headers["x-ms-call-connection-id"], "call-1");
    assert_eq!(peer.headers["x-ms-call-correlation-id"].len(), 36);
    assert_eq!(peer.opening[0]["kind"], "AudioMetadata");
}

#[tokio::test]
async fn twilio_gives_its_parameters_at_the_start() {
    let (_phone, _sounds, peer) = call(Dialect::Twilio).await;
    assert_eq!(peer.opening[0]["event"], "connected");
    assert_eq!(peer.opening[1]["start"]["callSid"], "call-1");
    assert_eq!(peer.opening[1]["start"]["customParameters"]["token"], "t");
}

#[tokio::test]
async fn asterisk_gives_its_variables_and_loses_the_marks_of_a_flush() {
    let (_phone, mut sounds, mut peer) = call(Dialect::Asterisk24k).await;
    assert_eq!(peer.headers["sec-websocket-protocol"], "media");
    assert_eq!(peer.opening[0]["event"], "MEDIA_START");
    assert_eq!(peer.opening[0]["channel_variables"]["token"], "t");
    peer.say(SENTENCE).await;
    peer.mark("one").await;
    read_for(&mut peer, Duration::from_millis(500)).await;
    peer.flush().await;
    peer.mark("two").await;
    let seen: Vec<Seen> =
        read_for(&mut peer, Duration::from_secs(1)).await.into_iter().map(|(it, _)| it).collect();
    assert_eq!(seen, [Seen::Mark("two".into())]);
    let (text, account) = said(&mut sounds).await;
    assert!(SENTENCE.starts_with(&text) && account.cut_off == 1, "{text}");
}

#[tokio::test]
async fn asterisk_asks_for_a_pause_when_nine_hundred_frames_wait() {
    let (_phone, _sounds, mut peer) = call(Dialect::Asterisk8k).await;
    peer.send_audio(&vec![0; 160 * 950]).await;
    let Seen::Other(event) = peer.next().await else { panic!("no pause") };
    assert!(event.contains("MEDIA_XOFF"), "{event}");
    let asked = Instant::now();
    let Seen::Other(event) = peer.next().await else { panic!("no end of the pause") };
    assert!(event.contains("MEDIA_XON"), "{event}");
    let pause = asked.elapsed();
    assert!(pause > Duration::from_secs(2) && pause < Duration::from_secs(4), "{pause:?}");
}

#[tokio::test]
async fn frames_keep_their_pace_and_a_stall_is_caught_up_without_loss() {
    let (phone, _sounds, mut peer) = call(Dialect::Acs24k).await;
    read_for(&mut peer, Duration::from_secs(3)).await;
    assert!((149..=152).contains(&peer.frames), "{} frames in 3 s", peer.frames);
    let stalled = async {
        let stall = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            phone.stall(Duration::from_secs(1)).await;
        };
        tokio::join!(phone.say(SENTENCE), stall).0
    };
    let (spoken, (text, account)) = tokio::join!(stalled, peer.hear());
    assert_eq!((spoken, text.as_str()), (Spoken::Whole, SENTENCE));
    assert_eq!((account.lost, account.unreadable, account.cut_off), (0, 0, 0));
    let late = phone.account().lateness_us.max();
    assert!(late < 900_000, "a stall by order is not the phone's own lateness: {late} us");
}

#[tokio::test]
async fn dropped_frames_are_missed_at_the_far_end() {
    let (phone, _sounds, mut peer) = call(Dialect::Acs16k).await;
    let drop = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        phone.drop_frames(3).await;
    };
    let (_, _, (text, account)) = tokio::join!(phone.say(SENTENCE), drop, peer.hear());
    assert_ne!(text, SENTENCE);
    assert_eq!(account.lost, 3);
    assert_eq!(phone.account().frames_dropped, 3);
}

#[tokio::test]
async fn a_hushed_phone_says_the_beginning() {
    let (phone, _sounds, mut peer) = call(Dialect::Twilio).await;
    let hush = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        phone.hush().await;
    };
    let (spoken, _, (text, account)) = tokio::join!(phone.say(SENTENCE), hush, peer.hear());
    assert_eq!((spoken, account.cut_off), (Spoken::Cut, 1));
    assert!((8..20).contains(&text.len()) && SENTENCE.starts_with(&text), "{text}");
}

#[tokio::test]
async fn marks_return_when_playing_reaches_them() {
    let (_phone, mut sounds, mut peer) = call(Dialect::Twilio).await;
    let utterance = peer.utterance(SENTENCE);
    let (first, second) = utterance.samples.split_at(8_000);
    let start = Instant::now();
    peer.send_audio(first).await;
    peer.mark("one").await;
    peer.send_audio(second).await;
    peer.mark("two").await;
    let seen = read_for(&mut peer, Duration::from_secs(5)).await;
    let (marks, times): (Vec<Seen>, Vec<Duration>) = seen
        .into_iter()
        .filter(|(seen, _)| matches!(seen, Seen::Mark(_)))
        .map(|(seen, at)| (seen, at - start))
        .unzip();
    assert_eq!(marks, [Seen::Mark("one".into()), Seen::Mark("two".into())]);
    let played = Duration::from_millis(utterance.samples.len() as u64 / 8);
    for (time, audio) in times.iter().zip([Duration::from_secs(1), played]) {
        let late = time.saturating_sub(audio);
        assert!(*time >= audio && late < Duration::from_millis(100), "{time:?} {audio:?}");
    }
    assert_eq!(said(&mut sounds).await.0, SENTENCE);
}

#[tokio::test]
async fn a_clear_throws_away_what_is_not_played_and_returns_all_marks_at_once() {
    let (_phone, mut sounds, mut peer) = call(Dialect::Twilio).await;
    peer.say(SENTENCE).await;
    peer.mark("one").await;
    peer.mark("two").await;
    assert_eq!(read_for(&mut peer, Duration::from_secs(1)).await, []);
    let cleared = Instant::now();
    peer.flush().await;
    assert_eq!(peer.next().await, Seen::Mark("one".into()));
    assert_eq!(peer.next().await, Seen::Mark("two".into()));
    assert!(cleared.elapsed() <= Duration::from_millis(20));
    read_for(&mut peer, Duration::from_secs(1)).await;
    let (text, account) = said(&mut sounds).await;
    assert!((8..20).contains(&text.len()) && SENTENCE.starts_with(&text), "{text}");
    assert_eq!(account.cut_off, 1);
}

#[rstest]
#[tokio::test]
async fn stop_audio_is_told_to_whoever_listens(
    #[values(Dialect::Acs24k, Dialect::Acs16k)] dialect: Dialect,
) {
    let (phone, mut sounds, mut peer) = call(dialect).await;
    peer.say(SENTENCE).await;
    read_for(&mut peer, Duration::from_millis(500)).await;
    peer.flush().await;
    peer.say("Sorry.").await;
    read_for(&mut peer, Duration::from_secs(2)).await;
    let mut heard = Vec::new();
    while let Ok(sound) = sounds.try_recv() {
        if matches!(sound, Sound::Flushed | Sound::Said { .. }) {
            heard.push(sound);
        }
    }
    let [Sound::Flushed, Sound::Said { text: first, .. }, Sound::Said { text: second, .. }] =
        &heard[..]
    else {
        panic!("{heard:?}")
    };
    assert!(SENTENCE.starts_with(first) && first != SENTENCE, "{first}");
    assert_eq!(second, "Sorry.");
    let account = phone.account();
    assert_eq!((account.underruns, account.lost, account.cut_off), (0, 0, 1));
}

#[tokio::test]
async fn a_hole_in_an_utterance_is_measured() {
    let (phone, mut sounds, mut peer) = call(Dialect::Acs24k).await;
    let utterance = peer.utterance(SENTENCE);
    let (first, second) = utterance.samples.split_at(24_000);
    peer.send_audio(first).await;
    read_for(&mut peer, Duration::from_millis(1_300)).await;
    peer.send_audio(second).await;
    read_for(&mut peer, Duration::from_secs(3)).await;
    let (text, account) = said(&mut sounds).await;
    assert_eq!((text.as_str(), account.lost, account.cut_off), (SENTENCE, 0, 0));
    let account = phone.account();
    assert_eq!(account.underruns, 1);
    assert!((240..=320).contains(&account.longest_gap_ms()), "{account:?}");
}

#[tokio::test]
async fn a_probe_knows_how_long_each_frame_took() {
    let probe = Arc::new(Probe::new());
    let (phone, mut sounds, mut peer) = call_measured(Dialect::Acs24k, Arc::clone(&probe)).await;
    let frames = Speech::synthetic_only()
        .render(SENTENCE, &Voice::callee(), Dialect::Acs24k.coding().rate())
        .frames()
        .len() as u64;
    let hear = async {
        loop {
            let seen = peer.next_or_frame().await;
            if let Seen::Frame(sequence, at) = seen {
                probe.heard(Direction::Uplink, sequence, at);
            } else if matches!(seen, Seen::Said(..)) {
                break;
            }
        }
    };
    tokio::join!(phone.say(SENTENCE), hear);
    let uplink = probe.latency_us(Direction::Uplink);
    assert_eq!(uplink.len(), frames);
    assert!(uplink.max() <= 41_000, "{} us", uplink.max());
    let utterance = peer.utterance("Goodbye.");
    for place in 0..utterance.frames().len() {
        probe.sent(Direction::Downlink, Utterance::sequence(place), Instant::now());
    }
    peer.send_audio(&utterance.samples).await;
    tokio::join!(said(&mut sounds), read_for(&mut peer, Duration::from_secs(2)));
    let downlink = probe.latency_us(Direction::Downlink);
    assert_eq!(downlink.len(), utterance.frames().len() as u64);
    assert!(downlink.max() <= 41_000, "arrival counts, not playing: {} us", downlink.max());
}

#[tokio::test]
async fn keys_and_raw_messages_go_out_as_they_are() {
    for dialect in [Dialect::Acs24k, Dialect::Twilio] {
        let (phone, _sounds, mut peer) = call(dialect).await;
        phone.press('7').await;
        phone.send_raw("{oddity").await;
        assert_eq!(peer.next().await, Seen::Key("7".into()));
        assert_eq!(peer.next().await, Seen::Other("{oddity".into()));
        tokio::time::resume();
    }
}

#[tokio::test]
async fn hanging_up_stops_the_stream_and_closes_the_socket() {
    let (phone, mut sounds, mut peer) = call(Dialect::Twilio).await;
    let (account, seen) =
        tokio::join!(phone.hang_up(), read_for(&mut peer, Duration::from_millis(10)));
    let seen: Vec<Seen> = seen.into_iter().map(|(seen, _)| seen).take(2).collect();
    assert_eq!(seen, [Seen::Stopped, Seen::Closed]);
    assert_eq!(account.ending, Some(Ending::HungUp));
    assert_eq!(sounds.recv().await, Some(Sound::Ended(Ending::HungUp)));
}

#[tokio::test]
async fn a_cut_line_breaks_without_a_farewell() {
    let (phone, mut sounds, mut peer) = call(Dialect::Acs24k).await;
    let account = phone.cut().await;
    assert_eq!(account.ending, Some(Ending::Cut));
    assert_eq!(peer.next().await, Seen::Broken);
    assert_eq!(sounds.recv().await, Some(Sound::Ended(Ending::Cut)));
}

#[tokio::test]
async fn a_far_end_that_closes_ends_the_line_and_what_was_being_said() {
    let (phone, mut sounds, mut peer) = call(Dialect::Acs24k).await;
    let close = async {
        read_for(&mut peer, Duration::from_millis(500)).await;
        peer.close().await;
    };
    let (spoken, ()) = tokio::join!(phone.say(SENTENCE), close);
    assert_eq!(spoken, Spoken::Cut);
    assert_eq!(phone.ended().await.ending, Some(Ending::Remote));
    assert_eq!(sounds.recv().await, Some(Sound::Ended(Ending::Remote)));
}

#[tokio::test]
async fn a_url_nobody_answers_is_an_error() {
    let far = FarEnd::open(Dialect::Twilio).await;
    let dialled = far.dialled();
    drop(far);
    let refused = Phone::connect(dialled.clone(), Voice::callee(), Arc::default()).await;
    assert!(matches!(refused, Err(PhoneError::Refused(_))));
    let nonsense = Dialled { url: "not a url".into(), ..dialled };
    let refused = Phone::connect(nonsense, Voice::callee(), Arc::default()).await;
    assert!(matches!(refused, Err(PhoneError::Request)));
}
