//! Whether a token is one that Azure made out: its form, its signature, its issuer, its times.
//! Pure: the key and the time are arguments. Whom it is made out to is for the caller to judge.
//!
//! Azure sends `Authorization: Bearer <JWT>` with every callback (good for five minutes) and
//! with every media socket (good for a day), signed with RS256.

#[cfg(test)]
mod tests;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// The longest token that is looked at; Azure's have about one kilobyte.
const TOKEN_MAX: usize = 8 * 1024;

/// The longest key id that is looked up.
pub(super) const KEY_ID_MAX: usize = 128;

/// How far Azure's clock and ours may differ. Hosts keep time better than that.
const LEEWAY_S: u64 = 5;

/// A media socket's token is good for 24 hours; an hour more for whoever rounds. What claims to
/// be good for longer was not made by Azure's rules.
const LIFETIME_MAX_S: u64 = 25 * 60 * 60;

/// Why a token is not believed. Never says what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no `Authorization: Bearer` header, or more than one.
    #[error("the request carries no single bearer token")]
    Missing,
    /// Longer than any token of Azure's.
    #[error("the token is longer than {TOKEN_MAX} bytes")]
    Oversized,
    /// Not a JWT, or a claim is missing or of another type than RFC 7519 gives it.
    #[error("the token cannot be read")]
    Malformed,
    /// Not signed with RS256.
    #[error("the token is not signed with RS256")]
    Algorithm,
    /// Its header asks for something that must be understood and is not offered here.
    #[error("the token's header asks for what is not offered")]
    Header,
    /// It names no key, or one the issuer does not have.
    #[error("the token names no key of the issuer")]
    Key,
    /// It names a key that we do not know, and the issuer cannot be asked yet.
    #[error("the token names a key that is not known yet; try again")]
    KeyUnsettled,
    /// The issuer's keys cannot be had at the moment.
    #[error("the issuer's keys cannot be had; try again")]
    NoKeys,
    /// The signature is not that of the key.
    #[error("the token's signature is wrong")]
    Signature,
    /// Somebody else issued it.
    #[error("the token has another issuer")]
    Issuer,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    Early,
    /// It claims to be valid for longer than Azure's are.
    #[error("the token is valid for too long")]
    Lifetime,
    /// It is made out to somebody else.
    #[error("the token is made out to another resource")]
    Audience,
    /// It is not known yet whom tokens must be made out to.
    #[error("it is not known yet whom tokens are made out to; try again")]
    Unlearned,
}

impl Refused {
    /// The word in the metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Oversized => "token_oversized",
            Self::Malformed => "token_malformed",
            Self::Algorithm => "token_algorithm",
            Self::Header => "token_header",
            Self::Key => "token_key",
            Self::KeyUnsettled => "token_key_unsettled",
            Self::NoKeys => "token_no_keys",
            Self::Signature => "token_signature",
            Self::Issuer => "token_issuer",
            Self::Expired => "token_expired",
            Self::Early => "token_early",
            Self::Lifetime => "token_lifetime",
            Self::Audience => "token_audience",
            Self::Unlearned => "token_unlearned",
        }
    }
}

/// Whom a token is made out to. Not a secret, but an operator's own: `Debug` hides it.
pub struct Audience(Vec<String>);

impl Audience {
    /// Whether this resource is among those it is made out to, to the letter.
    #[must_use]
    pub fn includes(&self, resource: &str) -> bool {
        self.0.iter().any(|one| one == resource)
    }

    /// The one it is made out to; nobody when there are several or the name is empty.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        match self.0.as_slice() {
            [one] if !one.is_empty() => Some(one),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Audience(…)")
    }
}

/// The id of the key that is said to have signed the token. Proves nothing yet.
///
/// # Errors
/// [`Refused`] for what could not be believed with any key.
pub fn key_id(token: &str) -> Result<String, Refused> {
    if token.len() > TOKEN_MAX {
        return Err(Refused::Oversized);
    }
    let header = decode_header(token).map_err(|_| Refused::Malformed)?;
    if header.alg != Algorithm::RS256 {
        return Err(Refused::Algorithm);
    }
    // RFC 7515 §4.1.11: who does not understand a critical extension must refuse the token.
    // Keys that the header itself brings along (`jwk`, `jku`, `x5u`, `x5c`) are not looked at.
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(Refused::Header);
    }
    header.kid.filter(|id| !id.is_empty() && id.len() <= KEY_ID_MAX).ok_or(Refused::Key)
}

/// Times in seconds since 1970 (RFC 7519 §2, `NumericDate`; Azure writes whole ones).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: OneOrMany,
    exp: u64,
    nbf: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Checks everything but the audience, which is the answer. `now_s` is in seconds since 1970.
///
/// # Errors
/// [`Refused`] with the first thing that is wrong.
pub fn check(
    token: &str,
    key: &DecodingKey,
    issuer: &str,
    now_s: u64,
) -> Result<Audience, Refused> {
    key_id(token)?;
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_required_spec_claims(&["iss", "aud", "exp", "nbf"]);
    rules.set_issuer(&[issuer]);
    // The library reads the clock itself, and panics when that stands before 1970.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    let claims =
        decode::<Claims>(token, key, &rules).map_err(|error| refused(error.kind()))?.claims;
    // The library also takes a list that the issuer is among.
    if claims.iss != issuer {
        return Err(Refused::Issuer);
    }
    if now_s > claims.exp.saturating_add(LEEWAY_S) {
        return Err(Refused::Expired);
    }
    if claims.nbf > now_s.saturating_add(LEEWAY_S) {
        return Err(Refused::Early);
    }
    let lifetime = claims.exp.checked_sub(claims.nbf).ok_or(Refused::Malformed)?;
    if lifetime > LIFETIME_MAX_S {
        return Err(Refused::Lifetime);
    }
    Ok(Audience(match claims.aud {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    }))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the list is not ours and is not closed")]
fn refused(kind: &ErrorKind) -> Refused {
    match kind {
        ErrorKind::InvalidSignature => Refused::Signature,
        ErrorKind::InvalidAlgorithm => Refused::Algorithm,
        ErrorKind::InvalidIssuer => Refused::Issuer,
        _ => Refused::Malformed,
    }
}
