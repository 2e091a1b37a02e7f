//! Sessions that come, age, refuse and go, in virtual time, with the test at both far ends.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for what it wants")]

use super::*;
use crate::briefing::{Direction, Outcome};
use crate::carrier::{self, Event as Heard};
use crate::exchange::Injury;
use crate::fake::{Dialled as Fake, Phone, SILENCE, Stage, Voice, frame, nowhere, number};
use crate::model::{Ending, ItemId, ResponseId};
use crate::part::Fault;
use crate::record::Fact;

const MINUTE: Duration = Duration::from_mins(1);
const FRAME: Duration = Duration::from_millis(20);

/// The call's own limit in these tests.
const LIMIT: Duration = Duration::from_mins(55);

#[test]
fn a_session_is_used_until_shortly_before_its_end_and_no_longer_than_the_call_allows() {
    for (left_s, used_s) in [
        (30 * 60, 28 * 60),
        (60 * 60, 55 * 60),
        (4 * 60, 3 * 60),
        (20, 15),
        // Broken clocks.
        (9, 55 * 60),
        (0, 55 * 60),
    ] {
        let left = Some(Duration::from_secs(left_s));
        assert_eq!(renewed_after(LIMIT, left), Duration::from_secs(used_s), "of {left_s} s");
    }
    assert_eq!(renewed_after(LIMIT, None), LIMIT);
}

fn speech(name: &str, audio: crate::audio::Payload) -> Event {
    let (response, item) = (ResponseId(name.into()), ItemId(format!("item-{name}")));
    Event::Spoke { response, item, audio }
}

fn responding(name: &str) -> Event {
    Event::Responding { response: ResponseId(name.into()), tag: None }
}

fn responded(name: &str, ending: Ending) -> Event {
    Event::Responded { response: ResponseId(name.into()), ending, usage: None }
}

fn heard(voice: &mut Voice) -> Vec<u64> {
    let told = std::iter::from_fn(|| voice.told.try_recv().ok());
    let numbers = told.filter_map(|command| match command {
        Command::Hear(audio) => Some(number(&audio)),
        _ => None,
    });
    numbers.filter(|number| *number != SILENCE).collect()
}

fn played(phone: &mut Phone) -> Vec<u64> {
    let told = std::iter::from_fn(|| phone.told.try_recv().ok());
    let numbers = told.filter_map(|command| match command {
        carrier::Command::Say(audio) => Some(number(&audio)),
        _ => None,
    });
    numbers.collect()
}

fn told(voice: &mut Voice) -> Vec<Command> {
    std::iter::from_fn(|| voice.told.try_recv().ok()).collect()
}

fn facts(stage: &Stage) -> Vec<Fact> {
    stage.record.notes.lock().unwrap().iter().map(|note| note.fact.clone()).collect()
}

fn ended(facts: &[Fact]) -> (Outcome, String) {
    match facts.last() {
        Some(Fact::Finalized { outcome, reason, .. }) => (*outcome, reason.clone()),
        other => panic!("not finalized but {other:?}"),
    }
}

/// A call whose limit for a session is [`LIMIT`] and whose first session says it ends in `left`.
async fn long_call(stage: &mut Stage, left: Duration) -> (crate::briefing::CallId, Phone, Voice) {
    stage.model.will(Fake::Opens(vec![Event::Expires(left)]));
    let mut briefing = stage.briefing("long", Direction::Inbound);
    briefing.limits.total = MINUTE * 300;
    briefing.limits.silence = MINUTE * 300;
    stage.call_of(briefing).await
}

#[tokio::test(start_paused = true)]
async fn a_session_is_replaced_before_its_provider_ends_it_and_no_frame_is_lost() {
    for (left, used) in [(MINUTE * 30, MINUTE * 28), (MINUTE * 60, LIMIT)] {
        let mut stage = Stage::open(vec![]).await;
        let opened = clock::now();
        let (_call, mut phone, mut first) = long_call(&mut stage, left).await;
        tokio::time::sleep_until(opened + used - MINUTE).await;
        assert!(stage.sessions.try_recv().is_err(), "too early");
        // The caller speaks across the moment: the old session goes on until they are done.
        let caller = ItemId("u".into());
        first.says.send(Event::CallerStarted(caller.clone())).await.unwrap();
        let mut n = 0;
        while clock::now() < opened + used + MINUTE / 2 {
            phone.says.send(Heard::Heard(frame(n))).await.unwrap();
            n += 1;
            tokio::time::sleep(FRAME).await;
        }
        let mut second = stage.sessions.try_recv().expect("a second session is at hand");
        assert_eq!(heard(&mut second), [], "and waits");
        first.says.send(Event::CallerStopped(caller.clone())).await.unwrap();
        first.says.send(responding("answer")).await.unwrap();
        first.says.send(Event::CallerSaid(caller, "Go on.".into())).await.unwrap();
        for word in 0..10 {
            first.says.send(speech("answer", frame(500_000 + word))).await.unwrap();
        }
        first.says.send(responded("answer", Ending::Completed)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        // Both numbers of frames: towards the model, towards the phone.
        assert_eq!(heard(&mut first), (0..n).collect::<Vec<_>>());
        assert_eq!(played(&mut phone), (500_000..500_010).collect::<Vec<_>>());
        let replayed = told(&mut second);
        let knows = |wanted: Entry| {
            replayed.iter().any(|command| matches!(command, Command::Remember(e) if *e == wanted))
        };
        assert!(knows(Entry::Caller("Go on.".into())), "{replayed:?}");
        for n in n..n + 50 {
            phone.says.send(Heard::Heard(frame(n))).await.unwrap();
            tokio::time::sleep(FRAME).await;
        }
        assert_eq!(heard(&mut second), (n..n + 50).collect::<Vec<_>>());
        assert!(first.says.is_closed(), "the old one is let go");
        let lost = facts(&stage).iter().any(|fact| matches!(fact, Fact::Lost { .. }));
        assert!(!lost, "a hand-over is no loss: {:#?}", facts(&stage));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_sounds_of_a_turn_are_heard_by_the_session_that_takes_over() {
    let mut stage = Stage::open(vec![]).await;
    let opened = clock::now();
    let (_call, phone, mut first) = long_call(&mut stage, MINUTE * 30).await;
    // The caller begins to speak at the very moment; the old session has not noticed yet.
    tokio::time::sleep_until(opened + MINUTE * 28 - FRAME * 10).await;
    for n in 0..20 {
        phone.says.send(Heard::Heard(frame(n))).await.unwrap();
        tokio::time::sleep(FRAME).await;
    }
    let mut second = stage.sessions.try_recv().expect("a second session");
    let (old, new) = (heard(&mut first), heard(&mut second));
    assert!(!old.is_empty(), "the old session heard the beginning");
    assert_eq!(new, (0..20).collect::<Vec<_>>(), "and the new one hears it too, from the start");
}

#[tokio::test(start_paused = true)]
async fn the_age_of_a_session_goes_on_when_its_watcher_dies() {
    let mut stage = Stage::open(vec![]).await;
    let opened = clock::now();
    let (call, _phone, _first) = long_call(&mut stage, MINUTE * 30).await;
    tokio::time::sleep(MINUTE * 20).await;
    stage.exchange.injure(&call, Injury::Part(Part::RealtimeLink, Fault::Panic));
    tokio::time::sleep_until(opened + MINUTE * 28 - Duration::from_secs(1)).await;
    assert!(stage.sessions.try_recv().is_err(), "too early");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(stage.sessions.try_recv().is_ok(), "in time");
}

#[tokio::test(start_paused = true)]
async fn a_model_that_refuses_for_good_ends_the_call_with_an_apology_and_the_reason() {
    let mut stage = Stage::open(vec![]).await;
    stage.model.will(Fake::Refused(Loss::Passing("status_503".into())));
    stage.model.will(Fake::Refused(Loss::Final("invalid_api_key".into())));
    let briefing = stage.briefing("refused", Direction::Inbound);
    let call = briefing.call.clone();
    stage.exchange.admit(briefing, nowhere(), None).unwrap();
    let mut phone = stage.phone(&call).await;
    stage.exchange.emptied().await;
    let facts = facts(&stage);
    assert_eq!(ended(&facts), (Outcome::SystemError, "model_lost".into()));
    let why = facts.iter().any(
        |fact| matches!(fact, Fact::Lost { part: "model", how } if how.contains("invalid_api_key")),
    );
    assert!(why, "{facts:#?}");
    assert!(stage.sessions.try_recv().is_err(), "not tried again");
    assert!(played(&mut phone).iter().all(|clip| *clip == 900_002), "nothing but the apology");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_can_only_be_had_elsewhere_is_replaced_with_the_conversation() {
    let mut stage = Stage::open(vec![]).await;
    let (_call, _phone, mut first) = stage.call("c").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let caller = ItemId("u".into());
    first.says.send(Event::CallerStarted(caller.clone())).await.unwrap();
    first.says.send(Event::CallerStopped(caller.clone())).await.unwrap();
    first.says.send(Event::CallerSaid(caller, "A table, please.".into())).await.unwrap();
    first.says.send(responding("answer")).await.unwrap();
    let failed = Ending::Failed(Loss::Passing("insufficient_quota".into()));
    first.says.send(responded("answer", failed)).await.unwrap();
    let elsewhere = Event::Fatal(Loss::Passing("insufficient_quota".into()));
    first.says.send(elsewhere).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut second = stage.sessions.try_recv().expect("a second session");
    let told = told(&mut second);
    assert!(matches!(told[0], Command::Configure(_)), "{told:?}");
    let Command::Remember(Entry::Caller(words)) = &told[1] else { panic!("{told:?}") };
    assert_eq!(words.as_str(), "A table, please.");
    let asked = told.iter().filter(|command| matches!(command, Command::Respond { .. })).count();
    assert_eq!(asked, 1, "the answer that failed is owed once: {told:?}");
    assert!(first.told.try_recv().is_ok(), "the first was in use");
    assert!(first.says.is_closed(), "and is let go");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_out_and_not_for_ever() {
    let mut stage = Stage::open(vec![]).await;
    let (_call, mut phone, mut voice) = stage.call("c").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    told(&mut voice);
    voice.says.send(Event::Exhausted(Duration::from_secs(5))).await.unwrap();
    let caller = ItemId("u".into());
    voice.says.send(Event::CallerStarted(caller.clone())).await.unwrap();
    voice.says.send(Event::CallerStopped(caller)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let asks = |voice: &mut Voice| {
        told(voice).iter().filter(|command| matches!(command, Command::Respond { .. })).count()
    };
    assert_eq!(asks(&mut voice), 0, "not before its time");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(asks(&mut voice), 1);
    let refused = Event::Fatal(Loss::RateLimited(Duration::from_secs(2)));
    voice.says.send(refused).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((asks(&mut voice), played(&mut phone)), (0, vec![900_001]), "asked to wait, once");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(asks(&mut voice), 1, "asked again");
    for n in 0..8 {
        let name = format!("r{n}");
        voice.says.send(responding(&name)).await.unwrap();
        let limited = Ending::Failed(Loss::RateLimited(Duration::from_secs(2)));
        voice.says.send(responded(&name, limited)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }
    stage.exchange.emptied().await;
    assert_eq!(ended(&facts(&stage)), (Outcome::SystemError, "model_lost".into()));
    assert!(played(&mut phone).contains(&900_002), "with an apology");
}
