//! Orders to a simulated Asterisk: keys, a hand-over and what is left after each ending.

use rstest::rstest;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::carrier::Addresses;
use tokio_util::sync::CancellationToken;

use super::live::Stage;
use super::*;
use crate::carrier::asterisk::events::{Source, watch};
use crate::rehearsal::asterisk::{Asterisk, USER};

/// Picks up after a second and says nothing.
const SILENT: &str = "+15550105";
/// Picks up after three.
const HUMAN: &str = "+15550104";
const BUSY: &str = "+15550101";
/// Does not pick up.
const NOBODY: &str = "+15550102";
/// Picks up after a second.
const COLLEAGUE: &str = "+15550109";

struct Net {
    pbx: Asterisk,
    control: Control,
    stop: CancellationToken,
}

impl Drop for Net {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn net() -> Net {
    net_where_phones_ring(Duration::from_secs(30)).await
}

async fn net_where_phones_ring(ringing: Duration) -> Net {
    let pbx = Asterisk::start().await.unwrap();
    // Nothing listens there: the media channels of these calls hear nothing and go.
    pbx.bring_media_to("ws://127.0.0.1:9/".to_owned());
    let rest = Rest::new(&pbx.ari_url(), USER.0, USER.1.to_owned().into()).unwrap();
    let settings = Settings {
        endpoint: "PJSIP/{number}@trunk".to_owned(),
        connection: "tandem".to_owned(),
        dialect: Dialect::Asterisk24k,
        ringing,
        passed_rings: Duration::from_secs(2),
        number: Number::new("+15550199"),
    };
    let (control, stop) = (Control::new(rest, settings), CancellationToken::new());
    let (user, password) = (USER.0.to_owned(), USER.1.to_owned().into());
    let source = Source { ari_url: pbx.ari_url(), user, password };
    drop(tokio::spawn(watch(control.clone(), source, stop.clone())));
    assert!(pbx.until(Asterisk::is_listened_to).await);
    Net { pbx, control, stop }
}

fn dial(to: &str) -> Dial {
    let (media, events) = ("ws://x/asterisk/media/c/nonce".to_owned(), String::new());
    Dial {
        call: CallId::new("c"),
        to: Number::new(to),
        from: Number::new("+15550199"),
        addresses: Addresses { media, events },
    }
}

/// Somebody silent has picked up and is in a bridge.
async fn talking(net: &Net) -> CarrierCallId {
    let phone = net.control.place(dial(SILENT)).await.unwrap();
    assert!(net.pbx.until(|pbx| pbx.bridged().contains(&SILENT.to_owned())).await);
    phone
}

#[tokio::test]
async fn a_caller_who_is_handed_over_keeps_the_human_until_one_hangs_up() {
    let net = net().await;
    let phone = talking(&net).await;
    net.control.transfer(phone.clone(), Number::new(HUMAN), "Kim.".into()).await.unwrap();
    let both = vec![HUMAN.to_owned(), SILENT.to_owned()];
    assert!(net.pbx.until(|pbx| pbx.bridged() == both).await, "{:?}", net.pbx.bridged());
    // The call is over for us, not for them.
    while net.control.0.lives.get(&phone.0).is_some_and(|it| it.stage != Stage::HandedOver) {
        tokio::task::yield_now().await;
    }
    net.control.hang_up(phone.clone()).await.unwrap();
    // Media that was on its way when the human came does not end it.
    net.control.0.add(&phone.0, &names::media(&phone.0)).await;
    assert_eq!(net.pbx.bridged(), both);
    // Nor is it over for the next process, which knows nothing of it.
    net.control.0.lives.leave(&phone.0);
    net.control.resume().await.unwrap();
    assert_eq!(net.pbx.bridged(), both);
    net.pbx.hang_up(HUMAN);
    assert!(net.pbx.until(Asterisk::is_empty).await);
}

#[tokio::test]
async fn a_human_who_picks_up_unseen_is_joined_when_events_are_back() {
    let net = net().await;
    let phone = talking(&net).await;
    net.pbx.lose_events();
    net.control.transfer(phone, Number::new(HUMAN), "Kim.".into()).await.unwrap();
    assert!(net.pbx.until(|pbx| pbx.state(HUMAN) == Some("Up")).await);
    assert_eq!(net.pbx.bridged(), [SILENT], "nobody has told of them");
    net.pbx.cut_events();
    let both = [HUMAN, SILENT];
    assert!(net.pbx.until(|pbx| pbx.bridged() == both).await, "{:?}", net.pbx.bridged());
    net.pbx.hang_up(SILENT);
    assert!(net.pbx.until(Asterisk::is_empty).await);
}

#[rstest]
#[case::the_human(HUMAN)]
#[case::the_caller(SILENT)]
#[tokio::test]
async fn whoever_is_left_alone_unseen_is_not_left_there(
    #[case] goes: &str,
    #[values(true, false)] restarts: bool,
) {
    let net = net().await;
    let phone = talking(&net).await;
    net.control.transfer(phone.clone(), Number::new(HUMAN), "Kim.".into()).await.unwrap();
    let both = [HUMAN, SILENT];
    assert!(net.pbx.until(|pbx| pbx.bridged() == both).await, "{:?}", net.pbx.bridged());
    net.pbx.lose_events();
    net.pbx.hang_up(goes);
    if restarts {
        net.control.0.lives.leave(&phone.0);
    }
    net.pbx.cut_events();
    assert!(net.pbx.until(Asterisk::is_empty).await, "{:?} is left", net.pbx.bridged());
}

#[tokio::test]
async fn a_human_who_is_busy_leaves_the_caller_where_they_are() {
    let net = net().await;
    let phone = talking(&net).await;
    net.control.transfer(phone.clone(), Number::new(BUSY), "Kim.".into()).await.unwrap();
    assert!(net.pbx.until(|pbx| pbx.bridged() == [SILENT]).await);
    net.control.press(phone.clone(), "12#".chars().filter_map(Digit::new).collect()).await.unwrap();
    assert_eq!(net.pbx.keys(), "12#");
    net.control.hang_up(phone.clone()).await.unwrap();
    assert!(net.pbx.until(Asterisk::is_empty).await);
    net.control.hang_up(phone.clone()).await.expect("a call that is over is a success");
    let gone = net.control.press(phone.clone(), Vec::new()).await;
    assert!(matches!(gone, Err(CarrierError::Refused(_))), "{gone:?}");
    let gone = net.control.transfer(phone, Number::new(HUMAN), "Kim.".into()).await;
    assert!(matches!(gone, Err(CarrierError::NotOffered(_))), "{gone:?}");
}

#[rstest]
#[case::who_picks_up(COLLEAGUE, true)]
#[case::who_does_not(NOBODY, false)]
#[tokio::test]
async fn a_caller_who_is_put_through_does_not_ring_for_ever(
    #[case] human: &str,
    #[case] meets: bool,
) {
    let net = net().await;
    // And they do not come back.
    net.pbx.lose_events();
    net.pbx.ring_in(SILENT, "+15550199");
    let board = &net.control.0;
    let channel = board.rest.channels().await.unwrap().remove(0);
    board.lives.enter(&channel.id, Live::passed_on(CallId::new("c")));
    board.put_through(&channel, &Number::new(human)).await.unwrap();
    if meets {
        let both = [SILENT, human];
        assert!(net.pbx.until(|pbx| pbx.bridged() == both).await, "{:?}", net.pbx.bridged());
        assert_eq!(net.pbx.state(SILENT), Some("Up"));
    } else {
        assert!(net.pbx.until(Asterisk::is_empty).await, "{:?} still rings", net.pbx.bridged());
    }
}

#[tokio::test]
async fn what_an_earlier_run_left_is_removed() {
    let net = net().await;
    let phone = talking(&net).await;
    net.control.0.lives.leave(&phone.0);
    net.control.resume().await.unwrap();
    assert!(net.pbx.until(Asterisk::is_empty).await);
}

#[tokio::test]
async fn a_phone_whose_order_was_answered_too_late_is_still_this_calls() {
    let net = net().await;
    net.pbx.be_slow(true);
    let doubt = net.control.place(dial(SILENT)).await;
    assert!(matches!(doubt, Err(CarrierError::Unknown(_))), "{doubt:?}");
    assert_eq!(net.control.find(dial(SILENT), SystemTime::now()).await, Ok(None));
    net.control.resume().await.unwrap();
    net.pbx.be_slow(false);
    assert!(net.pbx.until(|pbx| pbx.bridged() == [SILENT]).await, "it may not have been asked for");
    let found = net.control.find(dial(SILENT), SystemTime::now()).await.unwrap().expect("a name");
    net.control.hang_up(found).await.unwrap();
    assert!(net.pbx.until(Asterisk::is_empty).await);
}

#[rstest]
#[tokio::test]
async fn an_order_that_nobody_answers_is_given_up_and_what_comes_of_it_later_is_removed(
    #[values(true, false)] is_told: bool,
) {
    let net = net_where_phones_ring(Duration::from_secs(2)).await;
    net.pbx.be_slow(true);
    let doubt = net.control.place(dial(SILENT)).await;
    assert!(matches!(doubt, Err(CarrierError::Unknown(_))), "{doubt:?}");
    let given_up = async {
        while !net.control.0.lives.to_look_up().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let given_up = tokio::time::timeout(Duration::from_secs(60), given_up).await;
    assert!(given_up.is_ok(), "it is kept for ever");
    if !is_told {
        net.pbx.lose_events();
    }
    net.pbx.be_slow(false);
    assert!(net.pbx.until(|pbx| pbx.state(SILENT).is_some()).await);
    if !is_told {
        assert!(net.pbx.until(|pbx| pbx.state(SILENT) == Some("Up")).await);
        net.pbx.cut_events();
    }
    assert!(net.pbx.until(Asterisk::is_empty).await, "somebody listens to silence");
}

#[tokio::test]
async fn orders_that_cannot_be_carried_out_say_so() {
    let net = net().await;
    let first = net.control.place(dial(SILENT)).await;
    assert_eq!(net.control.place(dial(SILENT)).await, first, "a call has one channel");
    let nobody = Rest::new("http://127.0.0.1:9/ari", "u", "p".to_owned().into()).unwrap();
    let control = Control::new(nobody, net.control.0.settings.clone());
    let unreachable = control.place(dial(SILENT)).await;
    assert_eq!(unreachable, Err(CarrierError::Refused(Outcome::NetworkError)));
    let stranger = Rest::new(&net.pbx.ari_url(), "u", "p".to_owned().into()).unwrap();
    let control = Control::new(stranger, net.control.0.settings.clone());
    let refused = control.place(dial(SILENT)).await;
    assert_eq!(refused, Err(CarrierError::Refused(Outcome::SystemError)));
    assert!(Rest::new("ftp://x", "u", "p".to_owned().into()).is_err());
}
