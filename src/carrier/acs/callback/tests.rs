//! Callbacks as documented, and every order in which they may come.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rstest::rstest;
use tandem_actors::call::event::Input;
use tandem_actors::clock;

use super::story::{Guest, News, Story, Taken, Transfer};
use super::*;

const FIXTURES: &str = include_str!("../../../../tests/fixtures/acs/callbacks.jsonl");

fn fixture(line: usize) -> Vec<Result<Event, Broken>> {
    read(FIXTURES.lines().nth(line).unwrap().as_bytes()).unwrap()
}

const BUSY: Meaning = Meaning { outcome: Outcome::Busy, reason: "busy" };
const NO_ANSWER: Meaning = Meaning { outcome: Outcome::NoAnswer, reason: "no_answer" };
const GIVEN_UP: Meaning = Meaning { outcome: Outcome::Cancelled, reason: "cancelled" };
const TONE: &str = "Microsoft.Communication.ContinuousDtmfRecognitionToneReceived";
const HUNG_UP: Meaning = Meaning { outcome: Outcome::Answered, reason: "remote_hung_up" };
const OVER: Meaning = Meaning { outcome: Outcome::Cancelled, reason: "call_is_over" };
const FAILED: Meaning = Meaning { outcome: Outcome::Failed, reason: "failed" };
const NOTHING: Told = codes(None, None, None);

/// ACS's own numbers.
const fn codes(code: Option<i64>, sub_code: Option<i64>, sip: Option<i64>) -> Told {
    let sip_details = match sip {
        Some(_) => Some(outcome::Detail { code: sip }),
        None => None,
    };
    Told { code, sub_code, sip_details, q850_details: None }
}

fn recording(names: &[&str], runs: bool) -> What {
    What::Recording { names: names.iter().map(|&name| name.to_owned()).collect(), runs }
}

#[rstest]
#[case::connected(0, What::Connected)]
#[case::busy(1, What::NotPlaced(BUSY, codes(Some(486), Some(560_486), Some(486))))]
#[case::hung_up(2, What::Disconnected(HUNG_UP, codes(Some(0), Some(560_000), None)))]
#[case::given_up(3, What::NotAnswered(GIVEN_UP, codes(Some(487), Some(540_487), None)))]
#[case::parties(4, What::Parties { sequence: 2, count: 1 })]
#[case::handed_over(5, What::TransferAccepted)]
#[case::not_handed_over(6, What::TransferFailed(BUSY))]
#[case::never_heard(7, What::MediaFailed(Unheard::Never))]
#[case::interrupted(8, What::MediaFailed(Unheard::ForNow))]
#[case::not_listed(9, What::Other(TONE.to_owned()))]
#[case::over_without_data(10, What::Disconnected(outcome::of(&NOTHING), NOTHING))]
#[case::failed_without_a_code(11, What::NotPlaced(FAILED, NOTHING))]
#[case::recorded(13, recording(&["eyJQ", "aHR0", "8c1d", "411f"], true))]
#[case::recorded_no_more(14, recording(&["eyJQ", "411f"], false))]
#[case::not_recorded(15, What::NotRecorded(OVER))]
#[case::joined(16, What::Added)]
#[case::not_joined(17, What::NotAdded(NO_ANSWER))]
fn an_event_is_understood(#[case] line: usize, #[case] what: What) {
    let event = fixture(line).pop().unwrap().unwrap();
    assert_eq!(event.call, CarrierCallId("411f".to_owned()));
    assert_eq!(event.id, (line + 1).to_string());
    assert_eq!(event.what, what);
}

#[test]
fn events_without_what_they_need_are_broken_and_spoil_nothing() {
    let events = fixture(12);
    assert!(events[..6].iter().all(|event| *event == Err(Broken)), "{events:?}");
    let other = What::Other("com.example.other".to_owned());
    assert_eq!(events[6].as_ref().unwrap().what, other);
}

#[test]
fn what_is_no_list_of_events_is_malformed() {
    for body in ["", "7", "null", "[", "\u{feff}[]", "id=1&type=2"] {
        assert_eq!(read(body.as_bytes()), Err(Malformed), "{body}");
    }
    assert_eq!(read(b"[]"), Ok(vec![]));
}

fn event(id: usize, what: What) -> Event {
    Event { id: id.to_string(), call: CarrierCallId("411f".to_owned()), what }
}

/// The story of these events, and what was passed on.
fn told(events: &[Event], known: Option<&CarrierCallId>) -> (Story, Vec<News>) {
    let (mut story, mut news, now) = (Story::default(), Vec::new(), clock::now());
    for event in events {
        match story.take(event.clone(), known.cloned(), now) {
            Taken::New(new) => news.extend(new),
            Taken::Again => {}
            Taken::Elsewhere => panic!("{event:?} was taken for another call's"),
        }
    }
    (story, news)
}

fn life() -> Vec<Event> {
    let whats = [
        What::Connected,
        What::Parties { sequence: 1, count: 1 },
        What::TransferFailed(BUSY),
        What::TransferAccepted,
        What::Parties { sequence: 3, count: 0 },
        What::Disconnected(HUNG_UP, NOTHING),
    ];
    whats.into_iter().enumerate().map(|(id, what)| event(id, what)).collect()
}

/// Calls `look` with every order of the events.
fn orders(events: &mut [Event], from: usize, look: &mut impl FnMut(&[Event])) {
    if from == events.len() {
        return look(events);
    }
    for chosen in from..events.len() {
        events.swap(from, chosen);
        orders(events, from + 1, look);
        events.swap(from, chosen);
    }
}

fn count(news: &[News], wanted: impl Fn(&News) -> bool) -> usize {
    news.iter().filter(|one| wanted(one)).count()
}

#[test]
fn in_every_order_of_six_events_the_same_is_known_in_the_end() {
    for length in 1..=6 {
        let mut events: Vec<Event> = life().into_iter().take(length).collect();
        let wanted = told(&events, None).0.facts().clone();
        let mut seen = 0;
        orders(&mut events, 0, &mut |order| {
            let (story, news) = told(order, None);
            assert_eq!(*story.facts(), wanted, "{order:?}");
            let ended = count(&news, |one| matches!(one, News::Ended(..)));
            assert_eq!(ended, usize::from(length == 6), "{order:?}");
            assert!(count(&news, |one| matches!(one, News::Placed(_))) <= 1);
            seen += 1;
        });
        assert_eq!(seen, (1..=length).product::<usize>());
    }
}

#[test]
fn of_endings_in_any_order_the_same_counts_and_one_is_told() {
    let declined = Meaning { outcome: Outcome::Rejected, reason: "declined" };
    let mut endings = vec![
        event(1, What::NotPlaced(BUSY, NOTHING)),
        event(2, What::NotPlaced(declined, NOTHING)),
        event(3, What::NotAnswered(FAILED, NOTHING)),
        event(4, What::Disconnected(HUNG_UP, NOTHING)),
    ];
    orders(&mut endings, 0, &mut |order| {
        let (story, news) = told(order, None);
        assert_eq!(story.facts().ending.unwrap().meaning(), BUSY);
        assert_eq!(news.len(), 1, "{news:?}");
    });
}

#[test]
fn a_thousand_doubled_and_shuffled_streams_end_in_the_same_state() {
    let mut events = life();
    events.push(event(6, What::MediaFailed(Unheard::ForNow)));
    events.push(event(7, What::Other("Microsoft.Communication.PlayStarted".to_owned())));
    let wanted = told(&events, None).0.facts().clone();
    for seed in 0..1_000 {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut stream = events.clone();
        for _ in 0..chance.random_range(0..50) {
            stream.push(events[chance.random_range(0..events.len())].clone());
        }
        stream.shuffle(&mut chance);
        let (story, news) = told(&stream, None);
        assert_eq!(*story.facts(), wanted, "seed {seed}");
        assert_eq!(count(&news, |one| matches!(one, News::Ended(..))), 1, "seed {seed}");
        let handed = count(&news, |one| *one == News::Transferred(Ok(())));
        assert!(handed <= 1, "seed {seed}");
    }
}

#[test]
fn after_the_end_nothing_is_news_but_how_a_hand_over_went() {
    let (mut story, _) = told(&[event(1, What::Disconnected(HUNG_UP, NOTHING))], None);
    for (id, what) in [What::Connected, What::NotPlaced(BUSY, NOTHING)].into_iter().enumerate() {
        let taken = story.take(event(10 + id, what), None, clock::now());
        assert_eq!(taken, Taken::New(None));
    }
    assert!(story.facts().connected);
    let accepted = |id| event(id, What::TransferAccepted);
    let news = Some(News::Transferred(Ok(())));
    assert_eq!(story.take(accepted(20), None, clock::now()), Taken::New(news));
    assert_eq!(story.take(accepted(21), None, clock::now()), Taken::New(None));
    assert_eq!(story.facts().transfer, Some(Transfer::Accepted));
}

#[test]
fn in_every_order_a_hand_over_is_told_once() {
    let whats = [What::Connected, What::TransferAccepted, What::Disconnected(HUNG_UP, NOTHING)];
    let mut events: Vec<Event> =
        whats.into_iter().enumerate().map(|(id, what)| event(id, what)).collect();
    orders(&mut events, 0, &mut |order| {
        let (_, news) = told(order, None);
        let handed = count(&news, |one| *one == News::Transferred(Ok(())));
        assert_eq!(handed, 1, "{order:?}");
    });
}

#[test]
fn an_event_of_another_call_changes_nothing() {
    let ours = CarrierCallId("411f".to_owned());
    let mut swapped = event(1, What::Disconnected(HUNG_UP, NOTHING));
    swapped.call = CarrierCallId("9999".to_owned());
    let mut story = Story::default();
    assert_eq!(story.take(swapped.clone(), Some(ours), clock::now()), Taken::Elsewhere);
    assert_eq!(*story.facts(), Story::default().facts().clone());
    let (mut story, _) = told(&[event(2, What::Connected)], None);
    assert_eq!(story.take(swapped, None, clock::now()), Taken::Elsewhere);
    assert_eq!(story.facts().ending, None);
}

#[test]
fn a_call_whose_name_is_known_is_not_named_again() {
    let ours = CarrierCallId("411f".to_owned());
    assert_eq!(told(&[event(1, What::Connected)], Some(&ours)).1, []);
    assert_eq!(told(&[event(1, What::Connected)], None).1, [News::Placed(ours)]);
}

#[test]
fn a_hand_over_that_failed_can_be_tried_again_and_one_that_succeeded_cannot_fail() {
    let failed = News::Transferred(Err("busy"));
    let tries = [event(1, What::TransferFailed(BUSY)), event(2, What::TransferFailed(BUSY))];
    assert_eq!(told(&tries, None).1, [failed, News::Transferred(Err("busy"))]);
    let late = [event(2, What::TransferAccepted), event(1, What::TransferFailed(BUSY))];
    assert_eq!(told(&late, None).1, [News::Transferred(Ok(()))]);
}

#[test]
fn in_every_order_a_human_joins_once_and_only_while_the_call_lasts() {
    let whats = [What::NotAdded(BUSY), What::Added, What::Disconnected(HUNG_UP, NOTHING)];
    let mut events: Vec<Event> =
        whats.into_iter().enumerate().map(|(id, what)| event(id, what)).collect();
    orders(&mut events, 0, &mut |order| {
        let (story, news) = told(order, None);
        assert_eq!(story.facts().guest, Some(Guest::Joined), "{order:?}");
        let place = |what: &What| order.iter().position(|event| event.what == *what);
        let in_time = place(&What::Added) < place(&What::Disconnected(HUNG_UP, NOTHING));
        let joined = count(&news, |one| *one == News::Joined(Ok(())));
        assert_eq!(joined, usize::from(in_time), "{order:?}");
    });
    let tries = [event(1, What::NotAdded(BUSY)), event(2, What::NotAdded(NO_ANSWER))];
    let failed = [News::Joined(Err("busy")), News::Joined(Err("no_answer"))];
    assert_eq!(told(&tries, None).1, failed);
    let twice = [event(1, What::Added), event(2, What::Added)];
    assert_eq!(told(&twice, None).1, [News::Joined(Ok(()))]);
}

#[test]
fn the_latest_list_of_parties_counts() {
    let list = |id, sequence, count| event(id, What::Parties { sequence, count });
    let (story, news) = told(&[list(1, 5, 2), list(2, 3, 1), list(3, 4, 9)], None);
    assert_eq!((story.facts().parties, news.len()), (Some((5, 2)), 0));
}

#[test]
fn audio_that_never_comes_is_told_once() {
    let never = || What::MediaFailed(Unheard::Never);
    let later = What::MediaFailed(Unheard::ForNow);
    let (_, news) = told(&[event(1, later), event(2, never()), event(3, never())], None);
    assert_eq!(news, [News::Unheard]);
    assert!(News::Unheard.into_input().is_none());
}

#[test]
fn news_become_what_the_call_understands() {
    let call = CarrierCallId("411f".to_owned());
    let placed = News::Placed(call.clone()).into_input();
    assert!(matches!(placed, Some(Input::Placed(named)) if named == call));
    let told = codes(Some(486), Some(560_486), None);
    let Some(Input::Ended(outcome, reason)) = News::Ended(BUSY, told).into_input() else {
        panic!("an end is not told")
    };
    assert_eq!((outcome, reason.as_str()), (Outcome::Busy, "busy (code 486, subcode 560486)"));
    let failed = News::Transferred(Err("busy")).into_input();
    assert!(matches!(failed, Some(Input::Transferred(Err(why))) if why == "busy"));
}

proptest! {
    #[test]
    fn no_body_is_more_than_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _told = read(&body);
    }
}
