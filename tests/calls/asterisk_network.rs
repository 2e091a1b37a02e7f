//! Calls through an Asterisk of one's own, simulated: it rings, bridges and dials us as the real
//! one does, and keeps whatever is not removed.

use std::net::SocketAddr;
use std::time::Duration;

use rstest::rstest;
use tandem::config::{Config, Dialect, Kind};
use tandem::rehearsal::asterisk::{Asterisk, USER};
use tandem_actors::briefing::{Lifecycle, Outcome};
use tandem_actors::call::event::{Input, Order};
use tandem_actors::record::{Fact, Speaker};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::handover::{ASKER, BUSY, COLLEAGUE, NOBODY};
use crate::stage::{Stage, ending, said, squeezed, steps, verdicts};

/// Lets it ring.
pub(crate) const ABSENT: &str = "+15550102";

const SECRET: &str = "media-secret";

/// A server and its Asterisk, which know each other.
async fn open(audio: Dialect) -> (Stage, Asterisk) {
    open_with(audio, "").await
}

/// With a human to whom callers are handed over.
async fn open_with(audio: Dialect, human: &str) -> (Stage, Asterisk) {
    open_as(|config| {
        human.clone_into(&mut config.carrier.human);
        config.asterisk.audio = audio;
    })
    .await
}

/// With other settings.
pub(crate) async fn open_as(change: impl FnOnce(&mut Config)) -> (Stage, Asterisk) {
    let pbx = Asterisk::start().await.unwrap();
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config = Config::default();
    (config.http.listen, config.http.carriers) = (anywhere, anywhere);
    config.carrier.kind = Kind::Asterisk;
    config.policy.hours = Some("always".to_owned());
    config.asterisk.ari_url = pbx.ari_url();
    config.asterisk.password = Some(USER.1.to_owned().into());
    config.asterisk.media_secret = Some(SECRET.to_owned().into());
    change(&mut config);
    let stage = Stage::with(config).await;
    let door = stage.door().replace("http://", "");
    pbx.bring_media_to(format!("ws://tandem:{SECRET}@{door}/asterisk/media"));
    assert!(pbx.until(Asterisk::is_listened_to).await, "nobody listens to its events");
    (stage, pbx)
}

/// Ends the story; nothing may be left, neither here nor there.
async fn close(stage: Stage, pbx: Asterisk) {
    assert!(pbx.until(Asterisk::is_empty).await, "channels or bridges are left behind");
    stage.close().await;
}

#[rstest]
#[case(Dialect::Asterisk24k)]
#[case(Dialect::Asterisk8k)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_reserved_through_an_asterisk(#[case] audio: Dialect) {
    let (mut stage, pbx) = open(audio).await;
    stage.place("+15550100", audio).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    let agent = said(&facts, Speaker::Agent);
    assert_eq!(agent[1], "Under the name Sam, please.", "{agent:?}");
    assert_eq!(said(&facts, Speaker::Caller)[0], "Luigi's, good evening.");
    let report = pbx.report().await.expect("the phone has a report");
    assert_eq!(squeezed(&report.heard), squeezed(&agent), "heard is said");
    let account = report.account;
    assert_eq!((account.lost, account.doubled, account.reordered), (0, 0, 0));
    assert_eq!((account.odd_messages, account.overflow), (0, Duration::ZERO));
    close(stage, pbx).await;
}

#[rstest]
#[case("+15550101", Outcome::Busy, "cause_17")]
#[case("+15550102", Outcome::NoAnswer, "cause_19")]
#[case("+15550103", Outcome::Rejected, "cause_21")]
#[case("+15550177", Outcome::InvalidNumber, "cause_1")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trunks_answer_is_the_outcome(
    #[case] number: &str,
    #[case] outcome: Outcome,
    #[case] reason: &str,
) {
    let (mut stage, pbx) = open(Dialect::Asterisk24k).await;
    stage.place(number, Dialect::Asterisk24k).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (outcome, reason));
    close(stage, pbx).await;
}

#[rstest]
#[case::by_stasis(Asterisk::ring_in)]
#[case::by_dial(Asterisk::dial_in)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_rings_and_keeps_their_tasks(#[case] ring: fn(&Asterisk, &str, &str)) {
    let (mut stage, pbx) = open(Dialect::Asterisk24k).await;
    ring(&pbx, "+15550110", "+15550199");
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&"You have one task: call the bank.".to_owned()), "{agent:?}");
    let report = pbx.report().await.expect("the phone has a report");
    assert_eq!(squeezed(&report.heard), squeezed(&agent));
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_menu_behind_an_asterisk_hears_the_keys_it_sounds() {
    let (mut stage, pbx) = open(Dialect::Asterisk24k).await;
    stage.place("+15550107", Dialect::Asterisk24k).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"), "{facts:#?}");
    assert_eq!(verdicts(&facts), [("menu", "model"), ("human", "model")]);
    assert_eq!(pbx.keys(), "1");
    let callee = said(&facts, Speaker::Caller);
    assert!(callee.contains(&"Luigi's, good evening.".to_owned()), "{callee:?}");
    let report = pbx.report().await.expect("the phone has a report");
    assert_eq!(report.said[1], "Luigi's, good evening.", "the menu was read once");
    assert!(report.heard[0].starts_with("Hello"), "nothing is said to a menu: {:?}", report.heard);
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_interrupts_hears_no_more_and_that_is_remembered() {
    let (mut stage, pbx) = open(Dialect::Asterisk24k).await;
    let call = stage.place("+15550106", Dialect::Asterisk24k).await;
    let facts = stage.until(|fact| matches!(fact, Fact::BargedIn { .. })).await;
    let cut = said(&facts, Speaker::Agent).pop().expect("the cut sentence is a turn");
    // They finish what they have to say.
    stage.until(|fact| matches!(fact, Fact::Turn(turn) if turn.speaker == Speaker::Caller)).await;
    stage.server.desk.exchange.tell(&call, Input::Order(Order::HangUp));
    stage.finalized().await;
    let report = pbx.report().await.expect("the phone has a report");
    let first = std::slice::from_ref(&report.heard[0]);
    let (heard, remembered) = (squeezed(first), squeezed(std::slice::from_ref(&cut)));
    let [gave_way] = report.gave_way_after[..] else { panic!("{:?}", report.gave_way_after) };
    assert!(gave_way < Duration::from_secs(1), "{gave_way:?}");
    // The record cuts at a word; the ear loses at most the word in the mouth.
    let kept = remembered.len().min(heard.len());
    assert!(kept + 12 >= remembered.len(), "heard {heard:?}, recorded {cut:?}");
    assert!(remembered.starts_with(&heard[..kept.min(8)]), "heard {heard:?}, recorded {cut:?}");
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ended_while_nobody_told_us_is_not_waited_for() {
    let (mut stage, pbx) = open(Dialect::Asterisk24k).await;
    stage.place("+15550102", Dialect::Asterisk24k).await;
    // Asterisk has its channel before we have its answer.
    stage.until(|fact| matches!(fact, Fact::CarrierNamed(_))).await;
    pbx.cut_events();
    pbx.hang_up("+15550102");
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::NetworkError, "lost_from_sight"));
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_whose_media_channel_is_hung_up_is_not_left_in_silence() {
    let (mut stage, pbx) = open(Dialect::Asterisk24k).await;
    stage.place("+15550105", Dialect::Asterisk24k).await;
    stage.until(|fact| matches!(fact, Fact::Lifecycle(Lifecycle::Answered))).await;
    pbx.hang_up("media");
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "remote_hung_up"));
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_without_a_word_is_noticed() {
    let (mut stage, pbx) = open(Dialect::Asterisk24k).await;
    pbx.ring_in("+15550105", "+15550199");
    stage.until(|fact| matches!(fact, Fact::Lifecycle(Lifecycle::Answered))).await;
    pbx.hang_up("+15550105");
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "caller_hung_up"));
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_without_the_secret_is_refused() {
    let (stage, pbx) = open(Dialect::Asterisk24k).await;
    let url = format!("{}/asterisk/media", stage.door().replace("http", "ws"));
    for shown in [None, Some("Basic dGFuZGVtOm5v"), Some("Basic"), Some("Bearer media-secret")] {
        let mut request = url.as_str().into_client_request().unwrap();
        if let Some(shown) = shown {
            request.headers_mut().insert("authorization", shown.parse().unwrap());
        }
        let Err(Error::Http(answer)) = tokio_tungstenite::connect_async(request).await else {
            panic!("let in with {shown:?}")
        };
        assert_eq!(answer.status(), 404);
    }
    // tandem:media-secret; then a call that nobody has.
    let mut request = url.as_str().into_client_request().unwrap();
    let secret = "Basic dGFuZGVtOm1lZGlhLXNlY3JldA==".parse().unwrap();
    request.headers_mut().insert("authorization", secret);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let start = r#"{"event":"MEDIA_START","channel_id":"c","format":"slin24","channel_variables":{"TANDEM_CALL":"c","TANDEM_NONCE":"n"}}"#;
    futures_util::SinkExt::send(&mut socket, Message::text(start)).await.unwrap();
    let ended = futures_util::StreamExt::next(&mut socket).await;
    assert!(matches!(ended, None | Some(Err(_))), "{ended:?}");
    assert_eq!(stage.server.desk.exchange.live(), 0);
    let rehearsal = reqwest::Client::new()
        .post(format!("{}/rehearsal/incoming", stage.server.url()))
        .header("content-type", "application/json")
        .body(r#"{"from":"+1","to":"+2"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(rehearsal.status(), 404, "the stage door is shut");
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_a_human_behind_an_asterisk_is_bridged_with_one() {
    let (mut stage, pbx) = open_with(Dialect::Asterisk24k, COLLEAGUE).await;
    pbx.ring_in(ASKER, "+15550199");
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "transferred"), "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "done"]);
    let mut both = [ASKER.to_owned(), COLLEAGUE.to_owned()];
    both.sort();
    let alone = |pbx: &Asterisk| {
        let mut there = pbx.bridged();
        there.sort();
        there == both
    };
    assert!(pbx.until(alone).await, "{:?} are there", pbx.bridged());
    pbx.hang_up(ASKER);
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleague_who_is_busy_leaves_asterisks_caller_with_us() {
    let (mut stage, pbx) = open_with(Dialect::Asterisk8k, BUSY).await;
    pbx.ring_in(ASKER, "+15550199");
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered, "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "failed"]);
    let report = pbx.report().await.expect("the phone has a report");
    assert!(squeezed(&report.heard).contains(&squeezed(&[NOBODY.to_owned()])), "{report:?}");
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_handed_over_while_nobody_tells_us_is_handed_over_all_the_same() {
    let (mut stage, pbx) = open_with(Dialect::Asterisk24k, COLLEAGUE).await;
    pbx.ring_in(ASKER, "+15550199");
    assert!(pbx.until(|pbx| pbx.state(COLLEAGUE).is_some()).await);
    pbx.lose_events();
    assert!(pbx.until(|pbx| pbx.state(COLLEAGUE) == Some("Up")).await);
    pbx.cut_events();
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "transferred"), "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "done"]);
    pbx.hang_up(COLLEAGUE);
    close(stage, pbx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_over_that_failed_while_nobody_told_us_is_not_waited_for() {
    let (mut stage, pbx) = open_with(Dialect::Asterisk24k, ABSENT).await;
    pbx.ring_in(ASKER, "+15550199");
    assert!(pbx.until(|pbx| pbx.state(ABSENT).is_some()).await);
    pbx.lose_events();
    pbx.hang_up(ABSENT);
    pbx.cut_events();
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered, "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "failed"]);
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&NOBODY.to_owned()), "{agent:?}");
    close(stage, pbx).await;
}
