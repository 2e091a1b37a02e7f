//! Orders to a simulated Twilio, and to one that fails in every way a network can.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::carrier::twilio::twiml;
use crate::rehearsal::twilio::{Settings, TwilioNetwork};

const ACCOUNT: &str = "AC00";
const TOKEN: &str = "token";
const KEY: &str = "SK00";
const SECRET: &str = "key-secret";
const MEDIA: &str = "wss://bridge.example.com/m";

async fn simulated() -> TwilioNetwork {
    let settings = Settings {
        account: ACCOUNT.to_owned(),
        auth_token: TOKEN.to_owned().into(),
        api_key: Some((KEY.to_owned(), SECRET.to_owned().into())),
        number: "+15550199".to_owned(),
        public_url: "https://bridge.example.com".to_owned(),
    };
    TwilioNetwork::start(settings).await.unwrap()
}

pub(crate) fn rest(url: &str, token: &str) -> Rest {
    opened_by(ACCOUNT, token, url)
}

fn opened_by(user: &str, password: &str, url: &str) -> Rest {
    let access = Access { user: user.to_owned(), password: password.into() };
    Rest::new(ACCOUNT, access, url).unwrap()
}

async fn place(rest: &Rest, to: &str) -> Result<CarrierCallId, RestError> {
    let (to, from) = (Number::new(to), Number::new("+15550199"));
    let twiml = twiml::stream(MEDIA, &[]);
    let events = "https://bridge.example.com/e";
    let order =
        Placing { to: &to, from: &from, twiml: &twiml, events, rings_s: 30, detect_machines: true };
    rest.place(order).await
}

/// A server that answers every connection with this text and hangs up; and how many there were.
pub(crate) async fn answering(text: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    drop(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4_096];
            let _read = stream.read(&mut request).await;
            let _written = stream.write_all(text.as_bytes()).await;
        }
    }));
    (url, asked)
}

#[tokio::test]
async fn an_order_is_taken_with_the_accounts_token_only() {
    let twilio = simulated().await;
    let url = twilio.api_url();
    let name = place(&rest(&url, TOKEN), "+15550105").await.unwrap();
    assert_eq!(twilio.calls(), [name.0]);
    let refused = place(&rest(&url, "another"), "+15550105").await;
    assert_eq!(refused, Err(RestError::Refused { status: 401, code: 20_003 }));
    assert_eq!(twilio.orders(), 1);
}

#[tokio::test]
async fn an_order_is_taken_with_an_api_key_and_its_own_secret() {
    let twilio = simulated().await;
    let url = twilio.api_url();
    place(&opened_by(KEY, SECRET, &url), "+15550105").await.unwrap();
    for (user, password) in [(KEY, TOKEN), ("SK01", SECRET), (ACCOUNT, SECRET)] {
        let refused = place(&opened_by(user, password, &url), "+15550105").await;
        assert_eq!(refused, Err(RestError::Refused { status: 401, code: 20_003 }), "{user}");
    }
    assert_eq!((twilio.orders(), twilio.users()), (1, vec![KEY.to_owned()]));
    assert!(!format!("{:?}", opened_by(KEY, SECRET, &url)).contains(SECRET), "in a log");
}

#[tokio::test]
async fn a_number_that_is_none_is_refused_with_twilios_code() {
    let twilio = simulated().await;
    let refused = place(&rest(&twilio.api_url(), TOKEN), "110").await.unwrap_err();
    assert_eq!(refused, RestError::Refused { status: 400, code: 21_211 });
    assert!(refused.to_string().contains("twilio.com/docs/errors/21211"));
}

#[tokio::test]
async fn ending_what_is_over_or_never_was_is_a_success() {
    let twilio = simulated().await;
    let rest = rest(&twilio.api_url(), TOKEN);
    rest.end(&CarrierCallId("CA77".into())).await.unwrap();
    let name = place(&rest, "+15550105").await.unwrap();
    rest.end(&name).await.unwrap();
    twilio.ended(&name.0).await.unwrap();
    rest.end(&name).await.unwrap();
    let twiml = twiml::hang_up();
    let refused = rest.redirect(&name, &twiml).await;
    assert_eq!(refused, Err(RestError::Refused { status: 400, code: 21_220 }));
}

#[tokio::test]
async fn an_order_without_an_answer_that_tells_is_unknown_and_never_repeated() {
    for strange in [
        "",
        "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n",
        "no http",
    ] {
        let (url, asked) = answering(strange).await;
        let placed = place(&rest(&url, TOKEN), "+15550105").await;
        assert!(matches!(placed, Err(RestError::Unknown(_))), "{strange:?}: {placed:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{strange:?}");
        let error = placed.unwrap_err().to_string();
        assert!(!error.contains(ACCOUNT) && !error.contains(&url[7..]), "{error}");
    }
}

#[tokio::test]
async fn an_order_that_nobody_took_is_tried_twice_and_known_not_to_be_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let started = tokio::time::Instant::now();
    let placed = place(&rest(&url, TOKEN), "+15550105").await;
    assert!(matches!(placed, Err(RestError::NotSent(_))), "{placed:?}");
    assert!(started.elapsed() >= AGAIN, "it was tried again");
}

#[tokio::test]
async fn a_name_that_is_none_goes_nowhere() {
    let (url, asked) = answering("").await;
    for name in ["", "../Calls", "CA00/x", "CA 0"] {
        let ended = rest(&url, TOKEN).end(&CarrierCallId(name.into())).await;
        assert!(matches!(ended, Err(RestError::NotSent(_))), "{name:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
