//! Each role against a far end that plays the agent.

use rstest::rstest;
use tokio::time::Instant;

use super::*;
use crate::rehearsal::phone::far_end::{FarEnd, Peer, Seen};
use crate::rehearsal::phone::{Dialect, Ending};

/// Somebody takes part in a call with an agent.
async fn meet(role: Role, dialect: Dialect, agent: impl AsyncFnOnce(&mut Peer)) -> Report {
    let far = FarEnd::open(dialect).await;
    let person = Person { speech: Speech::synthetic_only(), ..Person::new(role) };
    let conversation = person.converse(far.dialled(), CancellationToken::new());
    let agent = async {
        let mut peer = far.accept().await;
        agent(&mut peer).await;
        until_the_end(&mut peer).await;
    };
    let (report, ()) = tokio::join!(conversation, agent);
    report
}

async fn until_the_end(peer: &mut Peer) {
    while !matches!(peer.next().await, Seen::Closed | Seen::Broken) {}
}

/// Hears this, then says that.
async fn answer(peer: &mut Peer, expected: &str, words: &str) {
    assert_eq!(peer.hear().await.0, expected);
    peer.say(words).await;
}

#[rstest]
#[tokio::test]
async fn the_restaurant_takes_a_reservation(
    #[values(Dialect::Acs24k, Dialect::Acs16k, Dialect::Twilio)] dialect: Dialect,
) {
    let ask = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
    let report = meet(Role::Restaurant, dialect, async |agent| {
        answer(agent, "Luigi's, good evening.", "Is this the butcher?").await;
        answer(agent, "Sorry, could you say that again?", ask).await;
        let name = "Yes, seven is fine. Under which name?";
        answer(agent, name, "Under the name Sam, please.").await;
        let booked = "Very well, Sam. A table for four at seven. Anything else?";
        answer(agent, booked, "No, that is all. Thank you, goodbye.").await;
        assert_eq!(agent.hear().await.0, "Goodbye.");
    })
    .await;
    assert_eq!(report.heard.len(), 4);
    assert_eq!(report.heard[1], ask);
    assert_eq!(report.said.len(), 5);
    assert_eq!(report.account.ending, Some(Ending::HungUp));
    assert_eq!((report.account.lost, report.account.underruns), (0, 0));
}

#[tokio::test]
async fn the_restaurant_asks_three_times_whether_anybody_is_there() {
    let report = meet(Role::Restaurant, Dialect::Twilio, async |agent| {
        let mut heard = Vec::new();
        for _ in 0..5 {
            heard.push(agent.hear().await.0);
        }
        assert_eq!(heard[1..4], ["Hello? Are you still there?"; 3]);
        assert_eq!(heard[4], "Goodbye.");
    })
    .await;
    assert!(report.heard.is_empty());
}

#[tokio::test]
async fn the_restaurant_lets_the_caller_hang_up_first() {
    let report = meet(Role::Restaurant, Dialect::Acs24k, async |agent| {
        answer(agent, "Luigi's, good evening.", "Sorry, wrong number. Goodbye.").await;
        assert_eq!(agent.hear().await.0, "Goodbye.");
        agent.close().await;
    })
    .await;
    assert_eq!(report.account.ending, Some(Ending::Remote));
}

#[tokio::test]
async fn a_caller_goes_through_the_wishes_and_waits_out_fillers() {
    let report = meet(Role::TaskCaller, Dialect::Acs24k, async |agent| {
        agent.say("Hello, this is your task line. What can I do for you?").await;
        answer(agent, "Please add a task to buy milk.", "One moment, please.").await;
        tokio::time::timeout(Duration::from_secs(4), until_the_end(agent)).await.unwrap_err();
        agent.say("I have added buy milk.").await;
        answer(agent, "Add a task to call the bank.", "I have added call the bank.").await;
        answer(agent, "What is on my list?", "You have two tasks.").await;
        answer(agent, "Delete the task buy milk.", "Shall I delete the task buy milk?").await;
        answer(agent, "Yes, delete it.", "The task buy milk is deleted.").await;
        answer(agent, "What is on my list now?", "You have one task.").await;
        answer(agent, "Thank you, goodbye.", "Goodbye.").await;
    })
    .await;
    assert_eq!(report.heard.len(), 9);
    assert_eq!(report.heard.last().map(String::as_str), Some("Goodbye."));
    assert_eq!((report.account.lost, report.account.cut_off), (0, 0));
}

#[tokio::test]
async fn a_caller_without_an_answer_repeats_the_wish_once() {
    let report = meet(Role::TaskCaller, Dialect::Twilio, async |agent| {
        agent.say("Hello.").await;
        let begun = Instant::now();
        assert_eq!(agent.hear().await.0, "Please add a task to buy milk.");
        assert_eq!(agent.hear().await.0, "Please add a task to buy milk.");
        assert!(begun.elapsed() >= Duration::from_secs(10));
        agent.say("I have added buy milk.").await;
        assert_eq!(agent.hear().await.0, "Add a task to call the bank.");
        agent.close().await;
    })
    .await;
    assert_eq!(report.said.len(), 3);
}

#[tokio::test]
async fn somebody_interrupts_and_notes_when_the_agent_gave_way() {
    let report = meet(Role::Interrupter, Dialect::Acs24k, async |agent| {
        assert_eq!(agent.hear().await.0, "Hello?");
        let long = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
        agent.say(long).await;
        while agent.next().await != Seen::Onset {}
        agent.flush().await;
        assert_eq!(agent.hear().await.0, "Wait, please. What is this about?");
        agent.say("Sorry. Goodbye.").await;
        while agent.next().await != Seen::Onset {}
        assert_eq!(agent.hear().await.0, "Wait, please. What is this about?");
        assert_eq!(agent.hear().await.0, "Goodbye.");
        agent.close().await;
    })
    .await;
    let [gave_way] = report.gave_way_after[..] else { panic!("{:?}", report.gave_way_after) };
    assert!(gave_way <= Duration::from_millis(100), "{gave_way:?}");
    assert!("Hello, I am calling for Sam.".starts_with(&report.heard[0]), "{:?}", report.heard);
}

#[tokio::test]
async fn a_machine_greets_beeps_and_records() {
    let report = meet(Role::Voicemail, Dialect::Acs16k, async |agent| {
        assert!(agent.hear().await.0.ends_with("after the tone."));
        let (beep, account) = agent.hear().await;
        assert_eq!((beep.as_str(), account.frames), ("", 0));
        assert!(account.unreadable >= 15, "{account:?}");
        agent.say("Please call back.").await;
    })
    .await;
    assert_eq!(report.heard, ["Please call back."]);
    assert_eq!(report.account.ending, Some(Ending::HungUp));
}

#[tokio::test]
async fn somebody_silent_only_listens() {
    let report = meet(Role::Silent, Dialect::Twilio, async |agent| {
        agent.say("Hello? Is anybody there?").await;
        let heard = tokio::time::timeout(Duration::from_secs(20), agent.next()).await;
        assert!(heard.is_err(), "{heard:?}");
        agent.close().await;
    })
    .await;
    assert_eq!(report.heard, ["Hello? Is anybody there?"]);
    assert!(report.said.is_empty());
}

#[tokio::test]
async fn whoever_is_told_to_hang_up_hangs_up_in_the_middle_of_a_word() {
    let far = FarEnd::open(Dialect::Twilio).await;
    let hang_up = CancellationToken::new();
    let number = Number::new(Role::Restaurant.number());
    let (_nobody, keys) = mpsc::channel(1);
    let conversation = converse(far.dialled(), &number, hang_up.clone(), keys);
    let agent = async {
        let mut peer = far.accept().await;
        while peer.next().await != Seen::Onset {}
        hang_up.cancel();
        assert_eq!(peer.next().await, Seen::Stopped);
    };
    let (report, ()) = tokio::join!(conversation, agent);
    assert_eq!(report.account.ending, Some(Ending::HungUp));
}

#[tokio::test]
async fn under_load_somebody_names_their_line_first() {
    let far = FarEnd::open(Dialect::Twilio).await;
    let person = Person {
        speech: Speech::synthetic_only(),
        first_words: Some("This is line 0427.".to_owned()),
        ..Person::new(Role::Restaurant)
    };
    let conversation = person.converse(far.dialled(), CancellationToken::new());
    let agent = async {
        let mut peer = far.accept().await;
        assert_eq!(peer.hear().await.0, "This is line 0427. Luigi's, good evening.");
        peer.close().await;
    };
    tokio::join!(conversation, agent);
}

#[tokio::test(start_paused = true)]
async fn every_number_has_its_answer_and_a_stranger_none() {
    let answer = async |number: &str| ring(&Number::new(number)).await;
    assert_eq!(answer("+15550100").await, Answer::PicksUp);
    assert_eq!(answer("+15550101").await, Answer::Refuses(Outcome::Busy));
    assert_eq!(answer("+15550102").await, Answer::Refuses(Outcome::NoAnswer));
    assert_eq!(answer("+15550103").await, Answer::Refuses(Outcome::Rejected));
    assert_eq!(answer("+15550104").await, Answer::PicksUp);
    assert_eq!(answer("+15550199").await, Answer::Refuses(Outcome::InvalidNumber));
    let numbers: std::collections::HashSet<_> = Role::ALL.map(Role::number).into();
    assert_eq!(numbers.len(), Role::ALL.len());
}
