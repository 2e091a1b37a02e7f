//! Who calls the API. Whoever runs the server has one key from the environment and may do all; a
//! key that was made is good for its account. Where no key is set, the API is on loopback alone
//! and whoever reaches it runs the server.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tandem_actors::briefing::CallId;

use super::Desk;
use super::problem::Problem;
use super::session;
use crate::account::Account;
use crate::store::{Archive as _, CallRow, KeyRow, Keys as _, Scope, Store};

/// The other header that may bring a key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// No key of ours is longer.
const KEY_BYTES: usize = 256;

/// Somebody who may look.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Whose calls they see.
    pub(super) account: Account,
    /// Whether they run the server: then they see everybody's.
    pub(super) runs_it: bool,
    scope: Scope,
}

/// Somebody who may do something.
#[derive(Clone, Debug)]
pub(super) struct Writer(pub(super) Caller);

/// Whoever runs the server.
#[derive(Clone, Debug)]
pub(super) struct Operator;

impl Caller {
    fn operator() -> Self {
        Self { account: Account::house(), runs_it: true, scope: Scope::All }
    }

    /// Who this is.
    pub(super) async fn of(headers: &HeaderMap, desk: &Desk) -> Result<Self, Problem> {
        match (shown(headers), &desk.key) {
            (Some(shown), _) => match key(shown, desk).await? {
                Key::Operator => Ok(Self::operator()),
                Key::Made(row) => Ok(Self::with(row)),
            },
            (None, Some(key)) => Self::in_session(headers, desk, key).await,
            (None, None) => by_themselves(headers).map(|()| Self::operator()),
        }
    }

    /// Somebody in a browser.
    async fn in_session(
        headers: &HeaderMap,
        desk: &Desk,
        key: &SecretString,
    ) -> Result<Self, Problem> {
        let stranger = || Problem::unknown_caller("this server asks for a key");
        let name = session::shown(headers, key).ok_or_else(stranger)?;
        if name == session::OPERATOR {
            return Ok(Self::operator());
        }
        Ok(Self::with(desk.store.key_of_id(&name).await?.ok_or_else(stranger)?))
    }

    /// What a session of whoever shows this key is called.
    pub(super) async fn named(shown: &str, desk: &Desk) -> Result<String, Problem> {
        Ok(match key(shown, desk).await? {
            Key::Operator => session::OPERATOR.to_owned(),
            Key::Made(row) => row.id,
        })
    }

    fn with(row: KeyRow) -> Self {
        Self { account: row.account, runs_it: false, scope: row.scope }
    }

    /// Whoever holds an address that was signed for them.
    pub(super) fn holder() -> Self {
        Self::operator()
    }

    /// Whoever holds a ticket that was good. Where no key keeps pages from elsewhere out, their
    /// origin does.
    pub(super) fn holding(headers: &HeaderMap, desk: &Desk) -> Result<Self, Problem> {
        if desk.key.is_none() {
            by_themselves(headers)?;
        }
        Ok(Self::holder())
    }

    /// Whether a request shows a key at all.
    pub(super) fn shows_key(headers: &HeaderMap) -> bool {
        shown(headers).is_some()
    }

    /// Whose calls they see; nobody's in particular when they see all.
    pub(super) fn sees(&self) -> Option<Account> {
        (!self.runs_it).then(|| self.account.clone())
    }

    /// Whether what is this account's is theirs to see.
    pub(super) fn may_see(&self, account: &Account) -> bool {
        self.runs_it || self.account == *account
    }

    /// A call that they may see. What is somebody else's is not told from what is not there.
    pub(super) async fn call(&self, store: &Store, id: &str) -> Result<CallRow, Problem> {
        let row = store.call(&CallId::new(id)).await?;
        row.filter(|row| self.may_see(&row.account)).ok_or_else(|| Problem::no_call(id))
    }
}

/// What a key that is good turns out to be.
enum Key {
    Operator,
    Made(KeyRow),
}

async fn key(shown: &str, desk: &Desk) -> Result<Key, Problem> {
    if desk.key.as_ref().is_some_and(|key| is_the_same(key, shown)) {
        return Ok(Key::Operator);
    }
    let row = if shown.len() <= KEY_BYTES { desk.store.key(shown).await? } else { None };
    row.map(Key::Made).ok_or_else(|| Problem::unknown_caller("this key is none, or was revoked"))
}

/// The key that a request shows.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).map(|value| {
        let text = value.to_str().unwrap_or_default();
        let (scheme, key) = text.split_once(' ').unwrap_or_default();
        if scheme.eq_ignore_ascii_case("bearer") { key.trim() } else { "" }
    });
    bearer.or_else(|| headers.get(API_KEY).map(|value| value.to_str().unwrap_or_default()))
}

/// Without a key, a page from elsewhere must not give orders through a browser on this machine,
/// nor one that has given its own name our address.
fn by_themselves(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let ours = name == "localhost" || name.parse::<IpAddr>().is_ok();
    let from_here = text(ORIGIN).is_none_or(|origin| origin == format!("http://{host}"));
    if ours && from_here {
        return Ok(());
    }
    let detail = "without a key this server answers to localhost and to addresses in figures, and \
                  to no page from elsewhere; set TANDEM__HTTP__KEY and send it as a bearer token";
    Err(Problem::of(StatusCode::FORBIDDEN, "from_elsewhere", detail.to_owned()))
}

fn is_the_same(key: &SecretString, shown: &str) -> bool {
    key.expose_secret().as_bytes().ct_eq(shown.as_bytes()).into()
}

impl FromRequestParts<Desk> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        Caller::of(&parts.headers, desk).await
    }
}

impl Writer {
    /// Who this is, if they may do something.
    pub(super) async fn of(headers: &HeaderMap, desk: &Desk) -> Result<Self, Problem> {
        let caller = Caller::of(headers, desk).await?;
        match caller.scope {
            Scope::All => Ok(Self(caller)),
            Scope::Read => {
                let detail = "this key may only look; use one with the scope \"all\"".to_owned();
                Err(Problem::of(StatusCode::FORBIDDEN, "key_reads_only", detail))
            }
        }
    }
}

impl FromRequestParts<Desk> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        Self::of(&parts.headers, desk).await
    }
}

impl FromRequestParts<Desk> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        if Caller::of(&parts.headers, desk).await?.runs_it {
            return Ok(Self);
        }
        let detail = "this is for whoever runs the server: use the key in TANDEM__HTTP__KEY";
        Err(Problem::of(StatusCode::FORBIDDEN, "operator_only", detail.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[rstest]
    #[case(&[(HOST, "127.0.0.1:8080")], true)]
    #[case(&[(HOST, "localhost")], true)]
    #[case(&[(HOST, "[::1]:8080")], true)]
    #[case(&[(HOST, "localhost:8080"), (ORIGIN, "http://localhost:8080")], true)]
    #[case(&[(HOST, "evil.example:8080")], false)]
    #[case(&[(HOST, "localhost:8080"), (ORIGIN, "http://evil.example")], false)]
    #[case(&[(HOST, "localhost:8080"), (ORIGIN, "null")], false)]
    #[case(&[], false)]
    fn without_a_key_no_page_from_elsewhere_gives_orders(
        #[case] pairs: &[(HeaderName, &str)],
        #[case] taken: bool,
    ) {
        assert_eq!(by_themselves(&headers(pairs)).is_ok(), taken);
    }

    #[rstest]
    #[case(&[(AUTHORIZATION, "Bearer abc")], Some("abc"))]
    #[case(&[(AUTHORIZATION, "bearer abc")], Some("abc"))]
    #[case(&[(API_KEY, "abc")], Some("abc"))]
    #[case(&[(AUTHORIZATION, "Basic abc")], Some(""))]
    #[case(&[], None)]
    fn a_key_comes_in_either_header(
        #[case] pairs: &[(HeaderName, &str)],
        #[case] key: Option<&str>,
    ) {
        assert_eq!(shown(&headers(pairs)), key);
    }
}
