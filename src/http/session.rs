//! Whoever looks at the page in a browser: a cookie in place of a key, since a browser's streams
//! and sockets cannot show one. It names who they are and until when, sealed with the key of
//! whoever runs the server: a change of that key ends every session. Without a key there are none.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::Desk;
use super::caller::Caller;
use super::problem::Problem;

/// A session lasts a working day.
const HOURS: i64 = 12;

const NAME: &str = "tandem_session";

/// What the session of whoever runs the server is called; the others have the id of their key.
pub(super) const OPERATOR: &str = "operator";

/// Says whether the browser reached a proxy by TLS.
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The word that opens the page once, to be told whoever starts the server.
#[derive(Clone, Default)]
pub struct Invitation(Arc<Mutex<Option<String>>>);

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invitation(…)")
    }
}

impl Invitation {
    /// A fresh one; the one before is none any more. It is a path.
    #[must_use]
    pub fn renew(&self) -> String {
        let word = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let path = format!("/session/{word}");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(word);
        path
    }

    /// Whether this is the word; it is none afterwards.
    fn take(&self, word: &str) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = held.as_ref().is_some_and(|held| held.as_bytes().ct_eq(word.as_bytes()).into());
        if is_it {
            *held = None;
        }
        is_it
    }
}

/// `GET /session/{word}`: opens the page for whoever has the address that the server printed.
pub(super) async fn accept(
    State(desk): State<Desk>,
    Path(word): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if desk.key.is_some() && !desk.invitation.take(&word) {
        let detail = "this address was used before, or is of an earlier start of the server; open \
                      the page at / and enter a key";
        return Err(Problem::of(StatusCode::FORBIDDEN, "no_invitation", detail.to_owned()));
    }
    let page = [(LOCATION, "/")];
    Ok(match &desk.key {
        Some(key) => {
            let session = [(SET_COOKIE, cookie(key, OPERATOR, &headers))];
            (StatusCode::SEE_OTHER, page, session).into_response()
        }
        None => (StatusCode::SEE_OTHER, page).into_response(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Show {
    key: SecretString,
}

/// `POST /session`: a session for whoever shows a key.
pub(super) async fn open(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: Result<Json<Show>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Show { key: shown }) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let name = Caller::named(shown.expose_secret(), &desk).await?;
    Ok(match &desk.key {
        Some(key) => {
            (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie(key, &name, &headers))]).into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// `DELETE /session`: ends the browser's session.
pub(super) async fn close() -> Response {
    let gone = format!("{NAME}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    (StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response()
}

/// Whose session a request shows: [`OPERATOR`], or the id of a key. A page from elsewhere has none.
pub(super) fn shown(headers: &HeaderMap, key: &SecretString) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let pairs = text(COOKIE)?.split(';');
    let session = pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == NAME)?.1;
    if let Some(origin) = text(ORIGIN) {
        let authority = origin.split_once("://").map_or(origin, |(_scheme, authority)| authority);
        if text(HOST) != Some(authority) {
            return None;
        }
    }
    read(session, key, Timestamp::now())
}

fn read(session: &str, key: &SecretString, now: Timestamp) -> Option<String> {
    let [name, until, seal] = session.split('.').collect::<Vec<_>>()[..] else { return None };
    let until: i64 = until.parse().ok()?;
    let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
    let is_ours = sealed(key, name, until).verify_slice(&seal).is_ok();
    (is_ours && now.as_second() <= until).then(|| name.to_owned())
}

fn session(key: &SecretString, name: &str, now: Timestamp) -> String {
    let until = now.as_second() + HOURS * 3_600;
    let seal = URL_SAFE_NO_PAD.encode(sealed(key, name, until).finalize().into_bytes());
    format!("{name}.{until}.{seal}")
}

fn cookie(key: &SecretString, name: &str, headers: &HeaderMap) -> String {
    let session = session(key, name, Timestamp::now());
    let tls = headers.get(PROTO).is_some_and(|proto| proto == "https");
    let secure = if tls { "; Secure" } else { "" };
    let age = HOURS * 3_600;
    format!("{NAME}={session}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

fn sealed(key: &SecretString, name: &str, until: i64) -> Hmac<Sha256> {
    let key = key.expose_secret().as_bytes();
    let mut seal = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    seal.update(format!("session {until} {name}").as_bytes());
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_session_is_good_for_whom_it_was_made_out_to_for_a_day_under_its_key() {
        let (key, other) = (SecretString::from("k".repeat(32)), SecretString::from("another"));
        let made = session(&key, OPERATOR, at(1_000));
        assert_eq!(read(&made, &key, at(1_000)).as_deref(), Some(OPERATOR));
        assert_eq!(read(&made, &key, at(1_000 + HOURS * 3_600 + 1)), None, "it has run out");
        assert_eq!(read(&made, &other, at(1_000)), None, "the key was changed");
        let forged = made.replacen("operator", "0199", 1);
        assert_eq!(read(&forged, &key, at(1_000)), None);
        let longer = made.replacen(&(1_000 + HOURS * 3_600).to_string(), "99999999999", 1);
        assert_eq!(read(&longer, &key, at(1_000)), None);
        for broken in ["", ".", "operator", "operator.x.y", "a.1.b.c"] {
            assert_eq!(read(broken, &key, at(0)), None, "{broken:?}");
        }
    }

    #[test]
    fn a_session_counts_only_where_its_own_page_asks() {
        let key = SecretString::from("k".repeat(32));
        let made = session(&key, OPERATOR, Timestamp::now());
        let asks = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, format!("a=b; {NAME}={made}").parse().unwrap());
            headers.insert(HOST, "calls.example:8080".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            shown(&headers, &key)
        };
        assert_eq!(asks(None).as_deref(), Some(OPERATOR));
        assert_eq!(asks(Some("https://calls.example:8080")).as_deref(), Some(OPERATOR));
        assert_eq!(asks(Some("https://evil.example")), None);
        assert_eq!(asks(Some("null")), None);
    }

    #[test]
    fn an_invitation_is_taken_once() {
        let invitation = Invitation::default();
        assert!(!invitation.take(""), "there is none before one is made");
        let path = invitation.renew();
        let word = path.strip_prefix("/session/").unwrap();
        assert!(!invitation.take("guessed"));
        assert!(invitation.take(word));
        assert!(!invitation.take(word), "only once");
    }
}
