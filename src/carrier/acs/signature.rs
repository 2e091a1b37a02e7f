//! How a request to ACS is signed with the resource's key: HMAC-SHA256 over the method, the path
//! with its query, the date, the host and the hash of the body. Pure; time is an argument.
//!
//! Shown by every line of `tests/fixtures/acs/orders.jsonl`, which Azure's own library wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use sha2::{Digest as _, Sha256};

/// What is signed of a request.
#[derive(Clone, Copy)]
pub struct Signable<'a> {
    /// In capitals.
    pub method: &'a str,
    /// The path with its query, percent-encoded exactly as it goes on the wire.
    pub path_and_query: &'a str,
    /// The resource's host, also when the request goes to another one (a recording's storage).
    pub host: &'a str,
    /// The bytes that are sent; empty when there are none.
    pub body: &'a [u8],
}

/// The headers that carry the signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    /// `x-ms-date`.
    pub date: String,
    /// `x-ms-content-sha256`; sent for an empty body too.
    pub content_hash: String,
    /// `Authorization`.
    pub authorization: String,
}

/// Signs a request with the decoded key. The service takes a signature for some minutes around
/// `at`, so each attempt is signed anew.
#[must_use]
pub fn sign(key: &[u8], request: Signable<'_>, at: Timestamp) -> Signature {
    let Signable { method, path_and_query, host, body } = request;
    let date = http_date(at);
    let content_hash = STANDARD.encode(Sha256::digest(body));
    let text = format!("{method}\n{path_and_query}\n{date};{host};{content_hash}");
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let authorization = format!(
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
    );
    Signature { date, content_hash, authorization }
}

/// A date as HTTP writes it (RFC 9110): `Sat, 21 Nov 2026 10:00:00 GMT`.
#[must_use]
pub fn http_date(at: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .expect("no clock stands before the year 0")
}

#[cfg(test)]
mod tests {
    use reqwest::Url;
    use serde::Deserialize;
    use std::collections::HashMap;

    use super::*;

    /// Written by `make-orders` beside it: Azure's library for Python, version 1.6.0.
    const ORDERS: &str = include_str!("../../../tests/fixtures/acs/orders.jsonl");

    #[derive(Deserialize)]
    struct Head {
        key: String,
        host: String,
    }

    #[derive(Deserialize)]
    struct Order {
        order: String,
        method: String,
        url: String,
        headers: HashMap<String, String>,
        body: String,
    }

    fn ten_o_clock() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn requests_are_signed_as_azures_own_library_signs_them() {
        let mut lines = ORDERS.lines();
        let head: Head = serde_json::from_str(lines.next().unwrap()).unwrap();
        let key = STANDARD.decode(head.key).unwrap();
        let mut checked = 0;
        for line in lines {
            let order: Order = serde_json::from_str(line).unwrap();
            let url = Url::parse(&order.url).unwrap();
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            let request = Signable {
                method: &order.method,
                path_and_query: &format!("{}{query}", url.path()),
                host: &head.host,
                body: order.body.as_bytes(),
            };
            let signed = sign(&key, request, ten_o_clock());
            let name = &order.order;
            assert_eq!(signed.date, order.headers["x-ms-date"], "{name}");
            assert_eq!(signed.content_hash, order.headers["x-ms-content-sha256"], "{name}");
            assert_eq!(signed.authorization, order.headers["Authorization"], "{name}");
            checked += 1;
        }
        assert_eq!(checked, 16);
    }

    /// Computed with Python's `hmac` and `hashlib` alone.
    #[test]
    fn a_query_that_is_percent_encoded_is_signed_as_it_is_sent() {
        let request = Signable {
            method: "GET",
            path_and_query: "/calling/callConnections/c/participants/4%3A%2B12065550111?a=b%20c",
            host: "a.communication.azure.com",
            body: b"",
        };
        let signed = sign(b"secret", request, ten_o_clock());
        let signature = signed.authorization.split_once("&Signature=").unwrap().1;
        assert_eq!(signature, "AWZECHJPknn8gOq//SF8+kmPJaWCduMOrNmc/FPbnd0=");
    }
}
