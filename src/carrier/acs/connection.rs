//! The connection string of an ACS resource: where it is and with which key its requests are
//! signed. What is wrong with one is told without showing any part of it that may be the key.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

/// An ACS resource and its key.
#[derive(Clone)]
pub struct Connection {
    endpoint: Url,
    key: SecretSlice<u8>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// Why a connection string cannot be used. The portal shows the right one under "Keys".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// A piece between two `;` that is not `name=value`.
    #[error("piece {0} of the connection string is not name=value; copy the whole string again")]
    NotAPair(usize),
    /// A name that must be there is not, or has no value.
    #[error("the connection string has no {0}; it reads endpoint=https://…;accesskey=…")]
    Missing(&'static str),
    /// A name that stands there more than once.
    #[error("the connection string has more than one {0}; keep one resource's string")]
    Twice(&'static str),
    /// The endpoint is not an address of a host.
    #[error("the endpoint in the connection string is not an address such as https://host/")]
    NotAnAddress,
    /// The endpoint is more than a scheme and a host.
    #[error("the endpoint in the connection string has a path, user or query; use https://host/")]
    NotAHost,
    /// Signed requests would go out readable.
    #[error("the endpoint in the connection string is not https:// (http:// is for loopback only)")]
    NotSecure,
    /// The key is not base64.
    #[error("the accesskey in the connection string is not base64; copy the whole string again")]
    KeyUnreadable,
}

impl Connection {
    /// Reads `endpoint=https://<resource>.communication.azure.com/;accesskey=<base64>`: pairs
    /// between `;`, each split at its first `=` (the key ends in `=`), names in any case, other
    /// names ignored, the endpoint with or without its last `/`. An endpoint that is not https
    /// is taken on a loopback address only: that is a simulated one.
    ///
    /// # Errors
    /// [`ConnectionError`] with the first thing that is wrong.
    pub fn parse(text: &SecretString) -> Result<Self, ConnectionError> {
        let (mut endpoint, mut key) = (None, None);
        for (n, piece) in text.expose_secret().split(';').enumerate() {
            let piece = piece.trim();
            if piece.is_empty() {
                continue;
            }
            let (name, value) = piece.split_once('=').ok_or(ConnectionError::NotAPair(n + 1))?;
            let (name, value) = (name.trim(), value.trim());
            let (place, known) = match name {
                _ if name.eq_ignore_ascii_case("endpoint") => (&mut endpoint, "endpoint"),
                _ if name.eq_ignore_ascii_case("accesskey") => (&mut key, "accesskey"),
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(ConnectionError::Twice(known));
            }
        }
        let filled = |value: Option<&'_ str>, name| match value {
            Some(value) if !value.is_empty() => Ok(value.to_owned()),
            Some(_) | None => Err(ConnectionError::Missing(name)),
        };
        let endpoint = address(&filled(endpoint, "endpoint")?)?;
        let key = STANDARD
            .decode(filled(key, "accesskey")?)
            .map_err(|_| ConnectionError::KeyUnreadable)?;
        Ok(Self { endpoint, key: key.into() })
    }

    /// Where the resource is: a scheme and a host, path `/`.
    #[must_use]
    pub const fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The host as it is signed: with the port when that is not the scheme's own.
    #[must_use]
    pub fn host(&self) -> String {
        host(&self.endpoint)
    }

    /// The key that signs, decoded.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.key.expose_secret()
    }
}

/// The host of an address as the `host` header has it.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether the address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn address(text: &str) -> Result<Url, ConnectionError> {
    let url = Url::parse(text).map_err(|_| ConnectionError::NotAnAddress)?;
    if !url.has_host() {
        return Err(ConnectionError::NotAnAddress);
    }
    let plain = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        return Err(ConnectionError::NotAHost);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(ConnectionError::NotSecure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "YSBrZXkgdGhhdCBvcGVucyBub3RoaW5nIGF0IGFsbC4=";

    fn parse(text: &str) -> Result<Connection, ConnectionError> {
        Connection::parse(&text.to_owned().into())
    }

    #[test]
    fn the_portals_string_is_taken() {
        let url = "https://tandem-test.unitedstates.communication.azure.com";
        let texts = [
            format!("endpoint={url}/;accesskey={KEY}"),
            format!("endpoint={url};accesskey={KEY}"),
            format!("AccessKey={KEY};Endpoint={url}/;"),
            format!(" ENDPOINT = {url}/ ; extra=1 ; ACCESSKEY = {KEY} \n"),
        ];
        for text in texts {
            let connection = parse(&text).unwrap();
            assert_eq!(connection.host(), "tandem-test.unitedstates.communication.azure.com");
            assert_eq!(connection.endpoint().path(), "/");
            assert_eq!(connection.key(), b"a key that opens nothing at all.");
        }
    }

    #[test]
    fn an_unusual_port_is_part_of_the_host() {
        let with = |url: &str| parse(&format!("endpoint={url};accesskey={KEY}")).unwrap().host();
        assert_eq!(with("http://127.0.0.1:9000/"), "127.0.0.1:9000");
        assert_eq!(with("https://a.example:443/"), "a.example");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        use ConnectionError as E;
        let https = "endpoint=https://a.communication.azure.com/";
        let cases = [
            (String::new(), E::Missing("endpoint")),
            (KEY.replace('=', ""), E::NotAPair(1)),
            (format!("{https};{}", KEY.replace('=', "")), E::NotAPair(2)),
            (https.to_owned(), E::Missing("accesskey")),
            (format!("{https};accesskey="), E::Missing("accesskey")),
            (format!("accesskey={KEY}"), E::Missing("endpoint")),
            (format!("{https};accesskey={KEY};accesskey={KEY}"), E::Twice("accesskey")),
            (format!("{https};{https};accesskey={KEY}"), E::Twice("endpoint")),
            (format!("endpoint={KEY};accesskey={KEY}"), E::NotAnAddress),
            (format!("endpoint=mailto:a@example.com;accesskey={KEY}"), E::NotAnAddress),
            (format!("{https}calling;accesskey={KEY}"), E::NotAHost),
            (format!("{https}?key={KEY};accesskey={KEY}"), E::NotAHost),
            (format!("endpoint=https://a:{KEY}@b.example/;accesskey={KEY}"), E::NotAHost),
            (format!("endpoint=https://a:b@c.example/;accesskey={KEY}"), E::NotAHost),
            (format!("endpoint=http://a.example/;accesskey={KEY}"), E::NotSecure),
            (format!("endpoint=ftp://a.example/;accesskey={KEY}"), E::NotSecure),
            (format!("{https};accesskey=!{KEY}"), E::KeyUnreadable),
        ];
        for (text, expected) in cases {
            let error = parse(&text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains(&KEY[..8]), "{error}");
        }
    }

    #[test]
    fn debug_shows_the_host_and_not_the_key() {
        let text = format!("endpoint=https://a.communication.azure.com/;accesskey={KEY}");
        let shown = format!("{:?}", parse(&text).unwrap());
        assert_eq!(shown, r#"Connection { host: "a.communication.azure.com", .. }"#);
    }
}
