//! An ACS resource: where it is and what authorizes requests to it, from the settings. What is
//! wrong with them is told without showing any part that may be a secret.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::access::{Access, NoToken};
use super::signature::{self, Signable};
use crate::config;

/// An ACS resource and what it lets us in with.
#[derive(Clone)]
pub struct Connection {
    endpoint: Url,
    access: Access,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// Why a resource cannot be used as it is configured. The portal shows the right connection
/// string under "Keys".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// Neither a connection string nor an endpoint.
    #[error("neither TANDEM__ACS__CONNECTION_STRING nor acs.endpoint is set")]
    NotSet,
    /// The address that gives tokens cannot be asked.
    #[error("acs.token_url cannot be used: {0}")]
    TokenUrl(String),
    /// What Azure tells an app of its identity cannot be used.
    #[error("IDENTITY_ENDPOINT cannot be used: {0}")]
    IdentityEndpoint(String),
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
    #[error("the endpoint of ACS is not an address such as https://host/")]
    NotAnAddress,
    /// The endpoint is more than a scheme and a host.
    #[error("the endpoint of ACS has a path, user or query; use https://host/")]
    NotAHost,
    /// Signed requests would go out readable.
    #[error("the endpoint of ACS is not https:// (http:// is for loopback only)")]
    NotSecure,
    /// The key is not base64.
    #[error("the accesskey in the connection string is not base64; copy the whole string again")]
    KeyUnreadable,
}

impl Connection {
    /// The resource of these settings.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub fn of(settings: &config::Acs) -> Result<Self, ConnectionError> {
        match &settings.connection_string {
            Some(text) => Self::parse(text),
            None if settings.endpoint.is_empty() => Err(ConnectionError::NotSet),
            None => {
                let (endpoint, access) = (address(&settings.endpoint)?, identity(settings)?);
                Ok(Self { endpoint, access })
            }
        }
    }

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
        Ok(Self { endpoint, access: Access::Key(key.into()) })
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

    /// Puts in what authorizes a request: the signature of this moment, or a token.
    ///
    /// # Errors
    /// [`NoToken`]; never with a key.
    pub async fn authorize(
        &self,
        request: RequestBuilder,
        signable: Signable<'_>,
        at: Timestamp,
    ) -> Result<RequestBuilder, NoToken> {
        match &self.access {
            Access::Key(key) => {
                let signed = signature::sign(key.expose_secret(), signable, at);
                Ok(request
                    .header("x-ms-date", signed.date)
                    .header("x-ms-content-sha256", signed.content_hash)
                    .header(AUTHORIZATION, signed.authorization))
            }
            Access::Identity(identity) => {
                Ok(request.header(AUTHORIZATION, identity.authorization().await?))
            }
        }
    }
}

/// Who we are to Microsoft Entra: an application when there is a tenant, else the app that Azure
/// runs, when it tells where its identity is, else this machine. An address that is set goes
/// before what Azure tells.
fn identity(settings: &config::Acs) -> Result<Access, ConnectionError> {
    use super::identity::{Asked, Identity, NotAsked, Who};
    let (url, tenant) = (&settings.token_url, &settings.tenant_id);
    let client_id = settings.client_id.clone();
    let named = Some(client_id.clone()).filter(|id| !id.is_empty());
    let told = |error: NotAsked| ConnectionError::TokenUrl(error.to_string());
    let app = settings.app_identity.as_ref().filter(|_| url.is_empty());
    let asked = match (&settings.client_secret, app) {
        (Some(secret), _) => {
            let who = Who::Application { client_id, secret: secret.clone() };
            Asked::at(url, tenant, who).map_err(told)
        }
        (None, Some(app)) => {
            let who = Who::App { client_id: named, header: app.header.clone() };
            let told = |error: NotAsked| ConnectionError::IdentityEndpoint(error.to_string());
            Asked::at(&app.endpoint, "", who).map_err(told)
        }
        (None, None) => Asked::at(url, "", Who::Machine { client_id: named }).map_err(told),
    };
    Ok(Access::Identity(Identity::new(asked?)))
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
            assert!(matches!(
                &connection.access,
                Access::Key(key) if key.expose_secret() == b"a key that opens nothing at all."
            ));
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
