//! What Microsoft Entra answers when it is asked for a token (RFC 6749 §5). Pure.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::carrier::acs::access::NoToken;

/// The largest answer that is read; real ones have about two kilobytes.
pub(super) const MAX: usize = 64 * 1024;

/// A token that lives shorter would be renewed all the time; Entra's live for an hour or more.
const SHORTEST: Duration = Duration::from_secs(2);

/// The longest word of a refusal that is told.
const WORD: usize = 40;

/// A token, ready to be shown.
#[derive(Debug)]
pub(in crate::carrier::acs) struct Token {
    /// `Bearer …`, marked as sensitive.
    pub(super) header: HeaderValue,
    pub(super) lifetime: Duration,
}

#[derive(Deserialize)]
struct Given {
    token_type: String,
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<Seconds>,
    /// Since 1970; App Service tells only this.
    #[serde(default)]
    expires_on: Option<Seconds>,
}

/// The machine's endpoints write numbers as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

impl Seconds {
    fn read(&self) -> Option<u64> {
        match self {
            Self::Number(seconds) => Some(*seconds),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct No {
    error: String,
    error_codes: Vec<u64>,
}

/// Reads an answer.
pub(super) fn read(status: StatusCode, body: &[u8], now: Timestamp) -> Result<Token, NoToken> {
    if status.is_success() {
        return token(body, now);
    }
    // 410: the machine's endpoint is being renewed (Azure's page asks to try again).
    let passes = [StatusCode::TOO_MANY_REQUESTS, StatusCode::GONE].contains(&status);
    if passes || status.is_server_error() {
        return Err(NoToken::Failing(status.as_u16()));
    }
    let no: No = serde_json::from_slice(body).unwrap_or_default();
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || "_-.".contains(*letter);
    let word: String = no.error.chars().filter(is_plain).take(WORD).collect();
    let numbers = no.error_codes.iter().take(3).map(|code| format!(" AADSTS{code}"));
    let code = std::iter::once(word).chain(numbers).collect::<String>();
    let code = if code.is_empty() { "without a word".to_owned() } else { code };
    Err(NoToken::Refused { status: status.as_u16(), code })
}

fn token(body: &[u8], now: Timestamp) -> Result<Token, NoToken> {
    let given: Given =
        serde_json::from_slice(body).map_err(|_| NoToken::Strange("a field is missing"))?;
    if !given.token_type.eq_ignore_ascii_case("bearer") {
        return Err(NoToken::Strange("token_type is not Bearer"));
    }
    let (within, on) = (given.expires_in.as_ref(), given.expires_on.as_ref());
    let until = |on: u64| on.checked_sub(u64::try_from(now.as_second()).ok()?);
    let seconds = within.map_or_else(|| until(on?.read()?), Seconds::read);
    // A year is longer than any lives; more would not fit a clock.
    let in_range = |seconds: &u64| (SHORTEST.as_secs()..=31_536_000).contains(seconds);
    let seconds = seconds.filter(in_range).ok_or(NoToken::Strange("it says no lifetime"))?;
    let token = given.access_token.expose_secret();
    let is_sound = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let header = HeaderValue::try_from(format!("Bearer {token}")).ok().filter(|_| is_sound);
    let mut header = header.ok_or(NoToken::Strange("access_token is no token"))?;
    header.set_sensitive(true);
    Ok(Token { header, lifetime: Duration::from_secs(seconds) })
}
