//! What helps after every way in which a server refuses or ends a session: the one table.
//! Pure. [`Loss::Passing`] is tried again, [`Loss::RateLimited`] after a wait, [`Loss::Final`]
//! elsewhere or not at all.

use std::time::Duration;

use tandem_actors::model::Loss;

/// The pause after a 429 that names none; short, for a caller waits.
pub(super) const AFTER_429: Duration = Duration::from_secs(1);

/// The pause after `rate_limit_exceeded` when no `rate_limits.updated` has named one: token
/// limits refill over a minute, so a part of one is back soon.
pub(super) const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(2);

/// Longer announcements are cut to this: asked too early, a server says so; asked too late, a
/// caller has gone.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Codes that no second try will change: the key, the account, the money, the model's name, the
/// protocol. No list of codes is published; these have been seen.
const FINAL_CODES: [&str; 6] = [
    "insufficient_quota",
    "invalid_api_key",
    "account_deactivated",
    "billing_hard_limit_reached",
    "beta_api_shape_disabled",
    "model_not_found",
];

/// HTTP statuses of the upgrade that no second try will change: a request that is not
/// understood, the key, the money, the right, the address or the model's name.
const FINAL_STATUSES: [u16; 6] = [400, 401, 402, 403, 404, 410];

/// Characters of a provider's code that are kept; the longest seen has 40.
const CODE_CHARS: usize = 64;

/// A `response.done` with the status `failed`: quota and rate limit arrive here and not as an
/// `error` event.
pub(super) fn of_response(code: &str, pause: Duration) -> Loss {
    match code {
        "rate_limit_exceeded" => Loss::RateLimited(pause),
        code if FINAL_CODES.contains(&code) => Loss::Final(code.to_owned()),
        code => Loss::Passing(code.to_owned()),
    }
}

/// An `error` event; none when the session goes on, as after most errors.
pub(super) fn of_error(code: &str, pause: Duration) -> Option<Loss> {
    match code {
        "session_expired" | "rate_limit_exceeded" => Some(of_response(code, pause)),
        code if FINAL_CODES.contains(&code) => Some(of_response(code, pause)),
        _ => None,
    }
}

/// A close code; none when it says nothing but that the session is over, which is tried again:
/// 1000, 1001 (the longest duration is reached), 1005, 1006, 1011 and their like.
///
/// 3000 is a refusal after the handshake, its code the last part of the reason
/// (`invalid_request_error.invalid_api_key`); 4000 the refused beta protocol.
pub(super) fn of_close(code: u16, reason: &str) -> Option<Loss> {
    if !matches!(code, 3000 | 4000) {
        return None;
    }
    let word = clean(reason.rsplit('.').next().unwrap_or_default());
    Some(match of_error(&word, RATE_LIMIT_PAUSE) {
        Some(known) => known,
        None if word.is_empty() => Loss::Final(format!("closed_{code}")),
        None => Loss::Final(word),
    })
}

/// The HTTP status with which an upgrade was refused.
pub(super) fn of_status(status: u16, retry_after: Option<Duration>) -> Loss {
    let code = || format!("status_{status}");
    match status {
        429 => Loss::RateLimited(retry_after.unwrap_or(AFTER_429)),
        status if FINAL_STATUSES.contains(&status) => Loss::Final(code()),
        // A server that is being repaired may say when to come back.
        503 => retry_after.map_or_else(|| Loss::Passing(code()), Loss::RateLimited),
        _ => Loss::Passing(code()),
    }
}

/// How long nothing should be asked for, by `rate_limits.updated`: pairs of what remains and the
/// seconds until it is refilled. None while something of everything remains.
pub(super) fn of_limits(limits: impl Iterator<Item = (f64, f64)>) -> Option<Duration> {
    let exhausted = limits.filter(|(remaining, _)| *remaining <= 0.0).map(|(_, reset)| reset);
    let seconds = exhausted.fold(None, |most: Option<f64>, reset| {
        Some(most.map_or(reset, |known| known.max(reset)))
    })?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or_default().min(LONGEST_PAUSE))
}

/// A provider's code, fit for a log.
pub(super) fn clean(code: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    code.chars().filter(plain).take(CODE_CHARS).collect()
}

#[cfg(test)]
mod tests;
