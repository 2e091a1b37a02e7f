//! The cache on a clock that stands still until it is moved, and the requests against the
//! simulated Entra.

use std::sync::Mutex as Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::StatusCode;
use secrecy::SecretString;
use tandem_actors::carrier::Number;
use tokio::time::{advance, sleep};

use super::*;
use crate::rehearsal::azure::{Azure, Registered};

const HOUR: &[u8] =
    br#"{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"eyJ0"}"#;

/// Entra, whose answer can be changed; every token is told apart by its number.
#[derive(Clone, Default)]
struct Entra(Arc<State>);

#[derive(Default)]
struct State {
    down: Cell<Option<NoToken>>,
    delay: Cell<Duration>,
    asked: AtomicU32,
    at_once: AtomicU32,
}

impl Entra {
    fn asked(&self) -> u32 {
        self.0.asked.load(Ordering::SeqCst)
    }

    fn is_down(&self, how: Option<NoToken>) {
        *self.0.down.lock().unwrap() = how;
    }
}

impl Source for Entra {
    fn ask(&self) -> BoxFuture<'static, Result<Token, NoToken>> {
        let state = Arc::clone(&self.0);
        Box::pin(async move {
            let n = state.asked.fetch_add(1, Ordering::SeqCst) + 1;
            assert_eq!(state.at_once.fetch_add(1, Ordering::SeqCst), 0, "two requests at once");
            let delay = *state.delay.lock().unwrap();
            sleep(delay).await;
            state.at_once.fetch_sub(1, Ordering::SeqCst);
            match state.down.lock().unwrap().clone() {
                Some(error) => Err(error),
                None => Ok(Token {
                    header: HeaderValue::try_from(format!("Bearer {n}")).unwrap(),
                    lifetime: Duration::from_hours(1),
                }),
            }
        })
    }
}

async fn shown(identity: &Identity) -> String {
    identity.authorization().await.unwrap().to_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_orders_at_once_cost_one_token_that_is_kept() {
    let entra = Entra::default();
    *entra.0.delay.lock().unwrap() = Duration::from_secs(1);
    let identity = Identity::new(entra.clone());
    let all = join_all((0..1_000).map(|_| shown(&identity))).await;
    assert!(all.iter().all(|header| header == "Bearer 1"));
    advance(Duration::from_mins(54)).await;
    assert_eq!((shown(&identity).await.as_str(), entra.asked()), ("Bearer 1", 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_expires_and_nobody_waits_for_that() {
    let entra = Entra::default();
    let identity = Identity::new(entra.clone());
    shown(&identity).await;
    *entra.0.delay.lock().unwrap() = Duration::from_secs(2);
    advance(Duration::from_mins(55)).await;
    let begun = clock::now();
    assert_eq!(shown(&identity).await, "Bearer 1");
    assert_eq!(shown(&identity).await, "Bearer 1");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    sleep(Duration::from_secs(3)).await;
    assert_eq!((shown(&identity).await.as_str(), entra.asked()), ("Bearer 2", 2));
}

#[tokio::test(start_paused = true)]
async fn while_entra_is_away_a_token_is_used_to_its_end_and_never_beyond() {
    let entra = Entra::default();
    let identity = Identity::new(entra.clone());
    shown(&identity).await;
    entra.is_down(Some(NoToken::Failing(503)));
    advance(Duration::from_mins(55)).await;
    for _ in 0..299 {
        assert_eq!(shown(&identity).await, "Bearer 1");
        sleep(Duration::from_secs(1)).await;
    }
    assert!((25..=31).contains(&entra.asked()), "asked {} times in five minutes", entra.asked());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(identity.authorization().await.unwrap_err(), NoToken::Failing(503));
    entra.is_down(None);
    sleep(SPACING).await;
    assert_ne!(shown(&identity).await, "Bearer 1");
}

#[tokio::test(start_paused = true)]
async fn orders_that_come_while_there_are_no_tokens_do_not_press_entra() {
    let entra = Entra::default();
    entra.is_down(Some(NoToken::Failing(500)));
    let identity = Identity::new(entra.clone());
    let all = join_all((0..100).map(|_| identity.authorization())).await;
    assert!(all.iter().all(|answer| *answer == Err(NoToken::Failing(500))));
    assert_eq!(entra.asked(), 1);
    entra.is_down(None);
    sleep(SPACING).await;
    assert_eq!(shown(&identity).await, "Bearer 2");
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_given_up_and_who_stops_waiting_stops_nobody_else() {
    let entra = Entra::default();
    *entra.0.delay.lock().unwrap() = Duration::from_hours(1);
    let identity = Identity::new(entra.clone());
    let begun = clock::now();
    let error = identity.authorization().await.unwrap_err();
    assert!(matches!(error, NoToken::NotReached(_)), "{error}");
    assert!(begun.elapsed() <= PATIENCE + Duration::from_millis(10));
    let patient = Entra::default();
    *patient.0.delay.lock().unwrap() = Duration::from_secs(1);
    let identity = Identity::new(patient.clone());
    let hasty = Duration::from_millis(10);
    assert!(tokio::time::timeout(hasty, identity.authorization()).await.is_err());
    assert_eq!((shown(&identity).await.as_str(), patient.asked()), ("Bearer 1", 1));
}

#[test]
fn an_answer_is_a_token_or_says_why_not() {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let token = answer::read(StatusCode::OK, HOUR, now).unwrap();
    assert_eq!((token.header.to_str().unwrap(), token.lifetime.as_secs()), ("Bearer eyJ0", 3_600));
    assert!(!format!("{token:?}").contains("eyJ0"), "the token is in the debug output");
    let machine = br#"{"access_token":"eyJ0","expires_in":"86399","token_type":"Bearer"}"#;
    assert_eq!(answer::read(StatusCode::OK, machine, now).unwrap().lifetime.as_secs(), 86_399);
    let app = br#"{"access_token":"eyJ0","expires_on":"1790003600","resource":"https://communication.azure.com","token_type":"Bearer"}"#;
    assert_eq!(answer::read(StatusCode::OK, app, now).unwrap().lifetime.as_secs(), 3_600);
    let refused = |status: u16, body: &[u8]| {
        answer::read(StatusCode::from_u16(status).unwrap(), body, now).unwrap_err().to_string()
    };
    let secret =
        br#"{"error":"invalid_client","error_description":"s3cret","error_codes":[7000215]}"#;
    let said = "Microsoft Entra refuses with 401, invalid_client AADSTS7000215";
    assert_eq!(refused(401, secret), said);
    assert_eq!(refused(400, b"<html>"), "Microsoft Entra refuses with 400, without a word");
    assert_eq!(refused(503, secret), "Microsoft Entra answers 503");
    assert_eq!(refused(410, b""), "Microsoft Entra answers 410");
    for strange in [
        &b"{}"[..],
        br#"{"token_type":"mac","expires_in":3600,"access_token":"eyJ0"}"#,
        br#"{"token_type":"Bearer","expires_in":0,"access_token":"eyJ0"}"#,
        br#"{"token_type":"Bearer","access_token":"eyJ0"}"#,
        br#"{"token_type":"Bearer","expires_on":"1789999999","access_token":"eyJ0"}"#,
        br#"{"token_type":"Bearer","expires_on":"soon","access_token":"eyJ0"}"#,
        br#"{"token_type":"Bearer","expires_in":-1,"access_token":"eyJ0"}"#,
        br#"{"token_type":"Bearer","expires_in":99999999999,"access_token":"eyJ0"}"#,
        br#"{"token_type":"Bearer","expires_in":3600,"access_token":""}"#,
        br#"{"token_type":"Bearer","expires_in":3600,"access_token":"a\r\nb"}"#,
    ] {
        assert!(refused(200, strange).contains("no token"));
    }
}

fn application(registered: &Registered) -> Who {
    let (client_id, secret) = (registered.client_id.clone(), registered.secret.clone());
    Who::Application { client_id, secret }
}

#[tokio::test]
async fn an_application_and_a_machine_get_a_token_and_strangers_do_not() {
    let azure = Azure::start(Number::new("+15550199")).await.unwrap();
    let registered = azure.registered();
    let ask = async |url: &str, who: Who| Asked::at(url, "", who).unwrap().ask().await;
    let token = ask(&registered.token_url, application(&registered)).await.unwrap();
    assert!(token.header.is_sensitive() && token.lifetime > Duration::from_mins(30));
    let wrong = Registered { secret: "guessed".into(), ..azure.registered() };
    let error = ask(&wrong.token_url, application(&wrong)).await.unwrap_err().to_string();
    assert!(error.contains("401") && error.contains("AADSTS7000215"), "{error}");
    let stranger = Registered { client_id: "nobody".to_owned(), ..azure.registered() };
    let error = ask(&stranger.token_url, application(&stranger)).await.unwrap_err().to_string();
    assert!(error.contains("AADSTS700016") && !error.contains("nobody"), "{error}");
    let machine = &registered.machine_url;
    ask(machine, Who::Machine { client_id: None }).await.unwrap();
    let named = Some(registered.machine_id.clone());
    ask(machine, Who::Machine { client_id: named }).await.unwrap();
    let other = Who::Machine { client_id: Some("other".to_owned()) };
    let error = ask(machine, other).await.unwrap_err();
    assert!(matches!(error, NoToken::Refused { status: 400, .. }), "{error}");
    let app = |client_id: Option<&str>, header: SecretString| Who::App {
        client_id: client_id.map(str::to_owned),
        header,
    };
    let at = &registered.app_url;
    ask(at, app(None, registered.app_header.clone())).await.unwrap();
    let token = ask(at, app(Some(&registered.machine_id), registered.app_header.clone())).await;
    assert!(token.unwrap().lifetime > Duration::from_hours(23));
    for (client_id, header, status) in
        [(None, "guessed".into(), 401), (Some("other"), registered.app_header.clone(), 400)]
    {
        let error = ask(at, app(client_id, header)).await.unwrap_err();
        assert!(
            matches!(error, NoToken::Refused { status: seen, .. } if seen == status),
            "{error}"
        );
    }
    assert_eq!(azure.tokens_issued(), 5);
    drop(azure);
    let error = ask(machine, Who::Machine { client_id: None }).await.unwrap_err();
    assert!(error.may_pass(), "{error}");
}

#[test]
fn a_secret_goes_out_on_no_readable_line() {
    let at = |url: &str| Asked::at(url, "t", Who::Machine { client_id: None }).is_ok();
    for good in ["", "https://login.example.com/t", "http://127.0.0.1:9/t", "http://[::1]:9/"] {
        assert!(at(good), "{good}");
    }
    for bad in ["http://login.example.com/t", "http://169.254.169.254.evil.com/", "ftp://::1/"] {
        assert!(!at(bad), "{bad}");
    }
    let app =
        |url: &str| Asked::at(url, "", Who::App { client_id: None, header: "h".into() }).is_ok();
    for good in [
        "http://127.0.0.1:41741/msi/token/",
        "http://localhost:42356/msi/token",
        "http://169.254.129.3:8081/msi/token",
        "http://[fe80::1]:8081/msi/token",
    ] {
        assert!(app(good), "{good}");
    }
    for bad in [
        "https://127.0.0.1/msi/token",
        "https://login.example.com/msi/token",
        "http://10.0.0.4/msi/token",
        "http://localhost.evil.com/msi/token",
        "http://a:b@127.0.0.1/msi/token",
        "127.0.0.1:41741",
    ] {
        assert!(!app(bad), "{bad}");
    }
}
