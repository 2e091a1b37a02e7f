//! A browser as far as the server sees one: it speaks the softphone's contract and knows nothing
//! else. Whoever sits at it talks and listens as the people of a rehearsal do.

use std::future::poll_fn;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tandem::rehearsal::callee::{OnThePhone, Person, Report, Role};
use tandem::rehearsal::phone::{self, Dialled};
use tandem::socket::dial::{self, DialError};
use tandem::socket::{Limits, Message, Socket};
use tandem_actors::leg::Broken;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Whatever a browser waits for comes by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// A socket of the server's API.
pub(crate) async fn connect(
    url: &str,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<Socket<dial::Dialled>, DialError> {
    let url = format!("{url}{path}").replacen("http", "ws", 1);
    let header = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::try_from(*value).unwrap())
    };
    let headers: HeaderMap = headers.iter().map(header).collect();
    dial::connect(&url, headers, Limits { message_bytes: 16 * 1024 }).await
}

/// The status with which a socket was refused, or 101.
pub(crate) fn refused<T>(answer: Result<T, DialError>) -> u16 {
    match answer {
        Err(DialError::Refused { status, .. }) => status,
        Err(error) => panic!("{error}"),
        Ok(_) => 101,
    }
}

/// The next JSON of a socket; audio is passed over.
pub(crate) async fn text(socket: &mut Socket<dial::Dialled>) -> Result<Value, Broken> {
    let next = async {
        loop {
            match poll_fn(|cx| socket.poll_message(cx)).await? {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Binary(_) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.expect("waited in vain")
}

pub(crate) async fn send(socket: &mut Socket<dial::Dialled>, message: &Value) {
    socket.send_text(message.to_string()).unwrap();
    poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
}

/// A browser that stands in for a number. It answers pings whatever its page does.
pub(crate) struct Browser {
    pub(crate) url: String,
    says: mpsc::Sender<Value>,
    told: mpsc::Receiver<Result<Value, Broken>>,
}

impl Browser {
    /// Stands in for it, and has been told so.
    pub(crate) async fn at(url: &str, number: &str) -> Self {
        let mut socket = connect(url, &path(number), &[]).await.unwrap();
        let ready = text(&mut socket).await.unwrap();
        assert_eq!(ready, json!({ "type": "ready", "number": number }));
        let ((says, words), (hears, told)) = (mpsc::channel(1), mpsc::channel(64));
        drop(tokio::spawn(stay(socket, words, hears)));
        Self { url: url.to_owned(), says, told }
    }

    /// What it is told next, or how its socket ended.
    pub(crate) async fn next(&mut self) -> Result<Value, Broken> {
        let next = tokio::time::timeout(PATIENCE, self.told.recv()).await;
        next.expect("waited in vain").expect("the end is told once")
    }

    /// What it is told next.
    pub(crate) async fn told(&mut self) -> Value {
        self.next().await.unwrap()
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        // Who was turned away says the rest to nobody.
        drop(self.says.send(message.clone()).await);
    }

    /// Stands in no more, and the server has seen it.
    pub(crate) async fn go(self) {
        let Self { says, mut told, .. } = self;
        drop(says);
        while let Some(Ok(_)) = told.recv().await {}
    }

    /// Answers what it was told that rings, as somebody who behaves like this.
    pub(crate) async fn answer(&self, ring: &Value, role: Role) -> OnThePhone {
        assert_eq!(ring["type"], "ring", "{ring}");
        pick_up(&self.url, ring["media"].as_str().unwrap(), role).await
    }
}

async fn stay(
    mut socket: Socket<dial::Dialled>,
    mut words: mpsc::Receiver<Value>,
    hears: mpsc::Sender<Result<Value, Broken>>,
) {
    let mut stays = true;
    loop {
        tokio::select! {
            message = poll_fn(|cx| socket.poll_message(cx)) => {
                let told = message.map(|message| match message {
                    Message::Text(text) => serde_json::from_str(&text).unwrap(),
                    Message::Binary(_) => panic!("bytes on a socket of words"),
                });
                let ends = told.is_err();
                let is_news = told.as_ref().map_or(true, |told: &Value| told["type"] != "alive");
                if is_news {
                    drop(hears.send(told).await);
                }
                if ends {
                    return;
                }
            }
            word = words.recv(), if stays => {
                drop(match &word {
                    Some(word) => socket.send_text(word.to_string()),
                    None => socket.close(1_001, ""),
                });
                stays = word.is_some();
            }
        }
        // How it fails is told by reading.
        drop(poll_fn(|cx| socket.poll_flush(cx)).await);
    }
}

/// The address at which a browser stands in for a number.
pub(crate) fn path(number: &str) -> String {
    format!("/v1/softphone?number={}", number.replace('+', "%2B"))
}

/// Opens a media socket, as somebody who behaves like this.
pub(crate) async fn pick_up(url: &str, media: &str, role: Role) -> OnThePhone {
    Person::new(role).pick_up(dialled(url, media)).await.unwrap()
}

pub(crate) fn dialled(url: &str, media: &str) -> Dialled {
    Dialled {
        url: format!("{url}{media}").replacen("http", "ws", 1),
        dialect: phone::Dialect::Softphone,
        carrier_call: "softphone".to_owned(),
        parameters: Vec::new(),
        token: None,
        bridged: None,
    }
}

/// Talks until the line is over.
pub(crate) async fn talk(person: OnThePhone) -> Report {
    let (_nobody, keys) = mpsc::channel(1);
    person.converse(CancellationToken::new(), keys).await
}
