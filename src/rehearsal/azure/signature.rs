//! Whether a request is signed with the resource's access key, as the service checks it. Facts:
//! Azure's page on authenticating requests to Communication Services.

use aws_lc_rs::{digest, hmac};
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

use super::refusal::Refusal;

/// How far the clocks of both sides may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What comes before the signature.
const SCHEME: &str = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=";

/// A request as it came over the wire.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path_and_query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// Checks date, host, hash and signature, in this order.
///
/// # Errors
/// 401 for what is missing or stale, 403 with 7509 for a signature that does not match.
pub(super) fn check(
    request: &Request<'_>,
    key: &[u8],
    host: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let date = one(request.headers, "x-ms-date")?;
    let sent = rfc1123(date)
        .ok_or_else(|| Refusal::denied("x-ms-date is not a date as RFC 1123 has it"))?;
    if now.duration_since(sent).abs() > SKEW {
        return Err(Refusal::denied("x-ms-date is too far from now"));
    }
    if one(request.headers, "host")? != host {
        return Err(Refusal::denied("host is not this resource's"));
    }
    let hash = one(request.headers, "x-ms-content-sha256")?;
    if hash != STANDARD.encode(digest::digest(&digest::SHA256, request.body)) {
        return Err(Refusal::denied("x-ms-content-sha256 is not the hash of the body"));
    }
    let signature = one(request.headers, "authorization")?
        .strip_prefix(SCHEME)
        .ok_or_else(|| Refusal::denied("authorization does not sign date, host and hash"))?;
    let signature = STANDARD.decode(signature).map_err(|_| Refusal::wrong_signature())?;
    let Request { method, path_and_query, .. } = request;
    let text = format!("{method}\n{path_and_query}\n{date};{host};{hash}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&key, text.as_bytes(), &signature).map_err(|_| Refusal::wrong_signature())
}

/// A date such as `Sat, 21 Nov 2026 10:00:00 GMT`.
pub(super) fn rfc1123(date: &str) -> Option<Timestamp> {
    date.ends_with(" GMT").then_some(())?;
    DateTimeParser::new().parse_timestamp(date).ok()
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => Ok(value),
        (Some(Ok(_)), Some(_)) => Err(Refusal::denied(format!("{name} stands there twice"))),
        (Some(Err(_)), _) => Err(Refusal::denied(format!("{name} is not readable"))),
        (None, _) => Err(Refusal::denied(format!("{name} is missing"))),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use rstest::rstest;

    use super::*;

    const HOST: &str = "contoso.communication.azure.com";
    const DATE: &str = "Sat, 21 Nov 2026 10:00:00 GMT";
    const PATH: &str = "/calling/callConnections?api-version=2026-03-12";
    const BODY: &[u8] = br#"{"targets":[]}"#;
    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
    /// Computed outside of this crate from the four values above (Python's `hmac`).
    const HASH: &str = "z4WahGMo9W39T9J5N+YtL0ZnauDLX6NDtbHaKreR+RI=";
    const SIGNATURE: &str = "/NHM7m7lZMkwit52m9rJAj8CJTepakOWwwaPnS0mUGY=";

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name, value: &str| {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        };
        put("x-ms-date", DATE);
        put("host", HOST);
        put("x-ms-content-sha256", HASH);
        put("authorization", &format!("{SCHEME}{SIGNATURE}"));
        headers
    }

    fn checked(headers: &HeaderMap, method: &str, path: &str, body: &[u8], at: &str) -> u16 {
        let request = Request { method, path_and_query: path, headers, body };
        let refused = check(&request, KEY, HOST, at.parse().unwrap()).err();
        refused.map_or(200, |refusal| refusal.status.as_u16())
    }

    const NOW: &str = "2026-11-21T10:00:07Z";

    #[test]
    fn a_signature_made_elsewhere_is_accepted() {
        assert_eq!(checked(&headers(), "POST", PATH, BODY, NOW), 200);
    }

    #[rstest]
    #[case::another_method("DELETE", PATH, BODY, NOW, 403)]
    #[case::another_path("POST", "/calling/callConnections?api-version=2025-05-15", BODY, NOW, 403)]
    #[case::another_body("POST", PATH, b"{}", NOW, 401)]
    #[case::too_late("POST", PATH, BODY, "2026-11-21T10:15:01Z", 401)]
    #[case::too_early("POST", PATH, BODY, "2026-11-21T09:44:59Z", 401)]
    fn a_signature_of_another_request_is_refused(
        #[case] method: &str,
        #[case] path: &str,
        #[case] body: &[u8],
        #[case] at: &str,
        #[case] status: u16,
    ) {
        assert_eq!(checked(&headers(), method, path, body, at), status);
    }

    #[rstest]
    #[case("x-ms-date", "2026-11-21T10:00:00Z")]
    #[case("x-ms-date", "Sat, 21 Nov 2026 10:00:00 +0000")]
    #[case("host", "fabrikam.communication.azure.com")]
    #[case("authorization", "HMAC-SHA256 SignedHeaders=host&Signature=AA==")]
    fn every_header_is_needed_as_it_is_written(#[case] name: &'static str, #[case] wrong: &str) {
        let mut wrongly = headers();
        wrongly.insert(name, HeaderValue::from_str(wrong).unwrap());
        assert_eq!(checked(&wrongly, "POST", PATH, BODY, NOW), 401);
        let mut without = headers();
        without.remove(name);
        assert_eq!(checked(&without, "POST", PATH, BODY, NOW), 401);
        let mut twice = headers();
        twice.append(name, headers()[name].clone());
        assert_eq!(checked(&twice, "POST", PATH, BODY, NOW), 401);
    }
}
