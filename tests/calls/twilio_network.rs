//! Whole calls over Twilio: its REST interface, its webhooks and its media socket, against a
//! simulated one that signs and reads everything by itself.

pub(crate) mod network;

use reqwest::StatusCode;
use rstest::rstest;
use tandem::carrier::twilio::recording::ENDING;
use tandem::rehearsal::twilio::recording::audio;
use tandem::rehearsal::twilio::{Delivery, Status, sign};
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::carrier::{Carrier, CarrierCallId, Number};
use tandem_actors::record::{Fact, Speaker};

use crate::handover::{ASKER, BUSY, COLLEAGUE, NOBODY};
use crate::stage::{ending, guessed, said, squeezed, steps};
use network::{KEY, Network, PUBLIC, SECRET, STORY, TOKEN};

/// What the simulated model has a human told.
const WHISPER: &str = "Somebody is calling & wants to speak to a human, not to <me>.";

/// A call to Luigi's from the first ring to the goodbye; everything that was said was heard.
async fn reserve(network: &mut Network) -> CallId {
    let call = network.place("+15550100").await;
    let facts = network.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    let agent = said(&facts, Speaker::Agent);
    let record = network.ended().await;
    assert_eq!(squeezed(&record.heard), squeezed(&agent), "heard is said");
    assert_eq!(record.spoilt_frames, 0);
    assert_eq!(record.status, Status::Completed);
    assert!(record.answers.iter().all(|status| *status == 204), "{:?}", record.answers);
    let callee = said(&facts, Speaker::Caller);
    assert_eq!(callee[0], "Luigi's, good evening.");
    call
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_reserves_a_table() {
    let mut network = Network::open().await;
    reserve(&mut network).await;
    assert_eq!(network.twilio.orders(), 1);
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_key_opens_twilio_and_the_token_still_tells_who_speaks() {
    let mut network = Network::with(|config| {
        config.twilio.api_key = KEY.to_owned();
        config.twilio.api_secret = Some(SECRET.to_owned().into());
    })
    .await;
    reserve(&mut network).await;
    assert_eq!(network.twilio.users(), [KEY], "the token opens nothing");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_may_tell_everything_late_twice_and_in_disorder() {
    let mut network = Network::open().await;
    network.twilio.deliver(Delivery::Shuffled);
    reserve(&mut network).await;
    let told = network.ended().await.answers.len();
    assert!(told > 12, "told {told} times");
    network.close().await;
}

#[rstest]
#[case("+15550101", Outcome::Busy, "busy (486)")]
#[case("+15550102", Outcome::NoAnswer, "no-answer (487)")]
#[case("+15550103", Outcome::Rejected, "busy (603)")]
#[case("+15550177", Outcome::InvalidNumber, "failed (404)")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_says_why_there_is_no_conversation(
    #[case] number: &str,
    #[case] outcome: Outcome,
    #[case] reason: &str,
) {
    let mut network = Network::open().await;
    network.twilio.deliver(Delivery::Shuffled);
    network.place(number).await;
    let facts = network.finalized().await;
    assert_eq!(ending(&facts), (outcome, reason));
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_refuses_an_order_and_the_call_says_why() {
    // Not a number of the account.
    let other =
        |config: &mut tandem::config::Config| config.carrier.number = "+15550198".to_owned();
    let mut network = Network::with(other).await;
    network.place("+15550100").await;
    let facts = network.finalized().await;
    assert_eq!(ending(&facts), (Outcome::SystemError, "system_error"));
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_says_who_answered() {
    let mut network = Network::open().await;
    let call = network.place("+15550104").await;
    let name = network.placed().await;
    let record = network.twilio.until(&name, |record| record.detected.is_some()).await.unwrap();
    assert_eq!(record.detected, Some("machine_end_beep"));
    assert!(record.answers.iter().all(|status| *status == 204), "{:?}", record.answers);
    network.hang_up(&call).await;
    network.finalized().await;
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_menu_behind_twilio_which_presses_no_keys_hears_their_tones() {
    let mut network = Network::open().await;
    network.place("+15550107").await;
    let facts = network.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"), "{facts:#?}");
    assert_eq!(facts.iter().filter(|fact| matches!(fact, Fact::Keyed)).count(), 1);
    let callee = said(&facts, Speaker::Caller);
    assert!(callee.contains(&"Luigi's, good evening.".to_owned()), "{callee:?}");
    let record = network.ended().await;
    let heard = record.heard;
    assert!(heard[0].starts_with("Hello"), "nothing is said to a menu: {heard:?}");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_brings_a_caller_with_tasks() {
    let mut network = Network::open().await;
    let name = network.twilio.ring_in("+15550110");
    let facts = network.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&"You have one task: call the bank.".to_owned()), "{agent:?}");
    let record = network.twilio.ended(&name).await.unwrap();
    assert_eq!(squeezed(&record.heard), squeezed(&agent));
    assert_eq!(record.answers, [200]);
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_hears_busy_when_the_house_is_full() {
    let mut network = Network::with(|config| config.limits.calls = 1).await;
    let call = network.place("+15550105").await;
    let name = network.twilio.ring_in("+15550110");
    let record = network.twilio.ended(&name).await.unwrap();
    assert_eq!((record.status, record.streams), (Status::Busy, 0));
    assert_eq!(record.answers, [200], "a webhook is answered, or Twilio tells of an error");
    network.hang_up(&call).await;
    network.finalized().await;
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_rings_once_when_its_answer_is_lost() {
    let mut network = Network::open().await;
    network.twilio.fall_mute();
    network.twilio.deliver(Delivery::Shuffled);
    reserve(&mut network).await;
    assert_eq!(network.twilio.orders(), 1);
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_twilio_did_not_send_is_refused_and_the_call_goes_on() {
    let mut network = Network::open().await;
    let call = network.place("+15550100").await;
    let other = network.place("+15550105").await;
    network.answered(&[&call, &other]).await;
    let name = network.name_of(&call);
    let (events, others) = (network.events(&name), network.events(&network.name_of(&other)));
    let over = [("CallSid", name.as_str()), ("CallStatus", "completed")];

    // No signature, a wrong one, that of another address, and of other words.
    let good = network.signed(&events, &over);
    let elsewhere = network.signed(&others, &over);
    let other_words = network.signed(&events, &[("CallSid", &name), ("CallStatus", "busy")]);
    for signature in ["", "AAAA", &elsewhere, &other_words] {
        assert_eq!(network.post(&events, &over, signature).await, StatusCode::FORBIDDEN);
    }
    // A wrong nonce, the media's nonce, no such call: signed, and still not expected.
    let guessed = guessed(&events);
    let unknown = events.replace(&call.to_string(), "nobody");
    let media = network.media(&name).replace("/media/", "/events/");
    for address in [guessed, unknown, media.replacen("wss://", "https://", 1)] {
        let signature = network.signed(&address, &over);
        assert_eq!(network.post(&address, &over, &signature).await, StatusCode::NOT_FOUND);
    }
    // The end of a talk with a human may be told when nobody remembers the call.
    let talked = [("CallSid", name.as_str()), ("DialCallStatus", "completed")];
    let gone = events.replace(&call.to_string(), "nobody");
    let signature = network.signed(&gone, &talked);
    assert_eq!(network.post(&gone, &talked, &signature).await, StatusCode::OK);
    assert_eq!(network.post(&gone, &talked, "AAAA").await, StatusCode::NOT_FOUND);
    // Another call's words at this call's address.
    let swapped = network.signed(&others, &over);
    assert_eq!(network.post(&others, &over, &swapped).await, StatusCode::CONFLICT);
    // Too much, and nothing that was asked for.
    let huge = [("CallSid", name.as_str()), ("CallStatus", &"x".repeat(70_000))];
    let signature = network.signed(&events, &huge);
    assert_eq!(network.post(&events, &huge, &signature).await, StatusCode::PAYLOAD_TOO_LARGE);
    let odd = [("CallSid", name.as_str()), ("StreamEvent", "stream-stopped")];
    let signature = network.signed(&events, &odd);
    assert_eq!(network.post(&events, &odd, &signature).await, StatusCode::BAD_REQUEST);
    let forged = network.post(&format!("{PUBLIC}/twilio/incoming"), &over, "AAAA").await;
    assert_eq!(forged, StatusCode::FORBIDDEN);
    let whisper = format!("{PUBLIC}/twilio/whisper/x");
    assert_eq!(network.post(&whisper, &over, "AAAA").await, StatusCode::FORBIDDEN);
    let signature = network.signed(&whisper, &over);
    assert_eq!(network.post(&whisper, &over, &signature).await, StatusCode::OK, "without a word");
    assert_eq!(network.server.desk.exchange.live(), 2, "both calls go on");

    network.hang_up(&other).await;
    let ends_by_itself = network.finalized_call(&call).await;
    assert_eq!(ending(&ends_by_itself), (Outcome::Answered, "goodbye"));
    // What is late is taken, and changes nothing.
    assert_eq!(network.post(&events, &over, &good).await, StatusCode::NO_CONTENT);
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_media_socket_that_twilio_did_not_sign_is_not_let_in() {
    let mut network = Network::open().await;
    // Their phone rings for a while: the call waits for its media.
    let call = network.place("+15550102").await;
    let name = network.placed().await;
    let media = network.media(&name);
    let path = media.strip_prefix("wss://bridge.example.com").unwrap();
    for signature in [None, Some("AAAA".to_owned()), Some(sign::upgrade("stolen?", &media))] {
        assert_eq!(network.dial(path, signature).await.err(), Some(StatusCode::FORBIDDEN));
    }
    let https = media.replacen("wss://", "https://", 1);
    let refused = network.dial(path, Some(sign::upgrade(TOKEN, &https))).await;
    assert_eq!(refused.err(), Some(StatusCode::FORBIDDEN), "signed for another scheme");
    network.hang_up(&call).await;
    assert_eq!(ending(&network.finalized().await).0, Outcome::Cancelled, "nobody was let in");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_names_another_call_is_not_attached() {
    let mut network = Network::open().await;
    let call = network.place("+15550102").await;
    let name = network.placed().await;
    let media = network.media(&name);
    for (start_name, parameter) in [("CA99", call.to_string()), (&*name, "another".to_owned())] {
        network.start_stream(&media, start_name, &parameter).await;
        assert!(!network.server.desk.exchange.has_media(&call));
    }
    network.hang_up(&call).await;
    assert_eq!(ending(&network.finalized().await).0, Outcome::Cancelled, "nobody was let in");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_handed_over_to_a_human_stays_on_the_line() {
    let mut network = Network::open().await;
    let name = network.twilio.ring_in("+15550110");
    network.until_said().await;
    let twilio = network.server.desk.network.twilio.clone().unwrap();
    let at_twilio = CarrierCallId(name.clone());
    twilio.transfer(at_twilio.clone(), Number::new("+15550105"), "Kim.".into()).await.unwrap();
    let record = network.twilio.until(&name, |record| record.with_human.is_some()).await.unwrap();
    assert_eq!(record.with_human.as_deref(), Some("+15550105"));
    assert_eq!(record.status, Status::InProgress, "the end of the stream is not the caller's");
    // Whatever ends the call here, the two who talk are left alone.
    twilio.hang_up(at_twilio).await.unwrap();
    let record = network.twilio.ended(&name).await.unwrap();
    assert_eq!((record.ended_by_order, record.streams), (false, 1));
    let facts = network.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_whom_no_human_answers_talks_on_with_us() {
    let mut network = Network::open().await;
    let name = network.twilio.ring_in("+15550110");
    let mut facts = network.until_said().await;
    let twilio = network.server.desk.network.twilio.clone().unwrap();
    let busy = Number::new("+15550101");
    twilio.transfer(CarrierCallId(name.clone()), busy, "Kim.".into()).await.unwrap();
    facts.extend(network.finalized().await);
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let back = facts.iter().any(|fact| matches!(fact, Fact::Repaired { part: "carrier", .. }));
    assert!(back, "the media came back");
    let record = network.twilio.ended(&name).await.unwrap();
    assert_eq!((record.streams, record.with_human), (2, None));
    network.close().await;
}

#[rstest]
#[case::placed(false)]
#[case::taken(true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_twilio_records_lies_beside_our_own_recording(#[case] rings: bool) {
    let mut network = Network::with(|config| config.twilio.record = true).await;
    network.twilio.deliver(Delivery::Shuffled);
    let twilio = network.server.desk.network.twilio.clone().unwrap();
    let mut kept = twilio.kept().unwrap();
    let name = match rings {
        true => network.twilio.ring_in("+15550110"),
        false => {
            network.place("+15550100").await;
            network.placed().await
        }
    };
    let call = network.last().await.call;
    tokio::time::timeout(STORY, kept.wait_for(|kept| *kept == 1)).await.unwrap().unwrap();
    let record = network.twilio.call(&name).unwrap();
    let [recording] = &record.recordings[..] else { panic!("{:?}", record.recordings) };
    assert_eq!((recording.runs, recording.fetched), (false, 1), "told twice, fetched once");
    let recordings = network.server.desk.recordings.clone().unwrap();
    let theirs = std::fs::read(recordings.theirs(&call, ENDING).unwrap()).unwrap();
    assert_eq!(theirs, audio(&recording.name));
    assert!(recordings.path(&call).unwrap().exists(), "our own");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_records_nothing_unless_it_is_told_to() {
    let mut network = Network::open().await;
    reserve(&mut network).await;
    assert!(network.ended().await.recordings.is_empty());
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_a_human_at_twilio_gets_one() {
    let mut network = Network::with(|config| config.carrier.human = COLLEAGUE.to_owned()).await;
    let name = network.twilio.ring_in(ASKER);
    let facts = network.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "transferred"), "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "done"]);
    let record = network.twilio.ended(&name).await.unwrap();
    assert_eq!(record.with_human.as_deref(), Some(COLLEAGUE));
    assert_eq!((record.ended_by_order, record.streams), (false, 1), "the two are left alone");
    // The human alone is told who is calling.
    assert_eq!(record.whispered, [WHISPER]);
    let heard = squeezed(&record.heard);
    assert!(!heard.contains(&squeezed(&[WHISPER.to_owned()])), "{heard}");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleague_who_is_busy_leaves_twilios_caller_with_us() {
    let mut network = Network::with(|config| config.carrier.human = BUSY.to_owned()).await;
    let name = network.twilio.ring_in(ASKER);
    let facts = network.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered, "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "failed"]);
    let record = network.twilio.ended(&name).await.unwrap();
    assert_eq!((record.streams, record.with_human.as_deref()), (2, None));
    assert!(record.whispered.is_empty(), "nobody was there: {record:?}");
    assert!(squeezed(&record.heard).contains(&squeezed(&[NOBODY.to_owned()])), "{record:?}");
    network.close().await;
}
