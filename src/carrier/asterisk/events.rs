//! Listens to what Asterisk tells of our channels, for as long as the server lives: one socket
//! that is opened again whenever it is lost, after which live calls are looked up.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tandem_actors::leg::Broken;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::ari::{self, Event, Malformed};
use super::control::Control;
use super::names;
use crate::socket::dial::{self, Dialled};
use crate::socket::{Limits, Message, Socket};

/// The pause before the first try after a loss, doubled with every failure.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// No pause is longer: callers ring meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// After this long without a word Asterisk is asked whether it is there: its event socket sends
/// no pings, and a machine that is gone closes nothing.
const QUIET: Duration = Duration::from_secs(15);

/// Events worked on at once. Each is a few orders of a millisecond; more than this many at a
/// time wait in the socket.
const AT_ONCE: usize = 128;

/// Why the socket of events is lost.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Dial(#[from] dial::DialError),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    Rest(#[from] super::rest::RestError),
}

/// Where events are had.
#[derive(Clone, Debug)]
pub struct Source {
    /// `http://…/ari`.
    pub ari_url: String,
    /// The ARI user.
    pub user: String,
    /// Their password.
    pub password: SecretString,
}

/// Listens until told to stop. Whatever goes wrong, even a panic, it begins again.
pub async fn watch(control: Control, source: Source, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let (control, source) = (control.clone(), source.clone());
        let mut listening = tokio::spawn(async move {
            let mut socket = open(&source).await?;
            control.resume().await?;
            tracing::info!("asterisk tells us of its channels");
            Ok::<_, Lost>(listen(&mut socket, &control).await)
        });
        let ended = tokio::select! {
            ended = &mut listening => ended,
            () = stop.cancelled() => return listening.abort(),
        };
        match ended {
            Ok(Ok(lost)) => {
                pause = FIRST_PAUSE;
                tracing::warn!(%lost, "events of asterisk lost");
            }
            Ok(Err(error)) => tracing::warn!(%error, "no events of asterisk"),
            Err(_panic) => tracing::error!("listening to asterisk failed; it begins again"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))) => {}
            () = stop.cancelled() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn open(source: &Source) -> Result<Socket<Dialled>, Lost> {
    let http = source.ari_url.trim_end_matches('/');
    // `http` becomes `ws` and `https` becomes `wss`.
    let address = http.strip_prefix("http").unwrap_or(http);
    let url = format!("ws{address}/events?app={}&subscribeAll=false", names::APP);
    let pair = format!("{}:{}", source.user, source.password.expose_secret());
    let mut shown = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
        .expect("base64 is visible ascii");
    shown.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, shown)]);
    Ok(dial::connect(&url, headers, Limits::CARRIER).await?)
}

/// Hands on events until the socket is lost; says why.
async fn listen(socket: &mut Socket<Dialled>, control: &Control) -> Lost {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let text = match tokio::time::timeout(QUIET, poll_fn(|cx| socket.poll_message(cx))).await {
            Ok(Ok(Message::Text(text))) => text,
            Ok(Ok(Message::Binary(_))) => continue,
            Ok(Err(broken)) => return broken.into(),
            Err(_elapsed) => match control.ping().await {
                Ok(()) => continue,
                Err(error) => return error.into(),
            },
        };
        match ari::read(&text) {
            Ok(Event::Other) => {}
            Ok(event) => {
                let place = Arc::clone(&places).acquire_owned().await;
                let control = control.clone();
                drop(tokio::spawn(async move {
                    control.handle(event).await;
                    drop(place);
                }));
            }
            Err(Malformed) => tracing::debug!("an event of asterisk is not understood"),
        }
    }
}
