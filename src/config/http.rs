//! What is wrong with how the server is reached.

use secrecy::ExposeSecret as _;

use super::Http;

/// The shortest key of whoever runs the server: one that is made by `openssl rand -hex 12`.
const KEY_CHARS: usize = 24;

pub(super) fn check(http: &Http) -> Result<(), String> {
    let key = http.key.as_ref().map(|key| key.expose_secret());
    match key {
        None if !http.listen.ip().is_loopback() => Err(format!(
            "http.listen is {}, which strangers can reach, and there is no key to refuse them; \
             set TANDEM__HTTP__KEY, or use a loopback address such as 127.0.0.1:8080",
            http.listen
        )),
        Some(key) if key.len() < KEY_CHARS || !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(format!(
                "TANDEM__HTTP__KEY can be guessed or cannot be sent; use {KEY_CHARS} visible \
                 characters or more, for example of `openssl rand -hex 32`"
            ))
        }
        _ => Ok(()),
    }
}
