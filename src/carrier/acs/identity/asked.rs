//! Asks for tokens: as an application that has a secret (RFC 6749 §4.4), or as the machine, whose
//! host vouches for it (IMDS, or what App Service and Container Apps have in its place).
//!
//! Source: Azure's pages on the client credentials flow, on acquiring a token on a VM, and on
//! managed identities in App Service.

use std::net::IpAddr;
use std::time::Duration;

use form_urlencoded::Serializer;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Url, redirect};
use secrecy::{ExposeSecret as _, SecretString};

use super::answer::{self, Token};
use super::{PATIENCE, Source};
use crate::carrier::acs::access::NoToken;
use crate::carrier::acs::connection::is_loopback;
use crate::carrier::acs::rest::told;

/// What a token is for: ACS.
const RESOURCE: &str = "https://communication.azure.com";

/// Where a machine in Azure asks for a token of its own; never leaves the host.
const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// The host of [`MACHINE`], to which plain HTTP may go.
const LINK_LOCAL: &str = "169.254.169.254";

/// TCP and TLS. Outside Azure nobody is at [`MACHINE`].
const CONNECT: Duration = Duration::from_secs(2);

/// Whose token it is.
pub(in crate::carrier::acs) enum Who {
    /// An application's.
    Application {
        /// Its name in Entra.
        client_id: String,
        /// What only it knows.
        secret: SecretString,
    },
    /// This machine's.
    Machine {
        /// Which of several identities.
        client_id: Option<String>,
    },
    /// That of an app which Azure runs: App Service, Container Apps, Functions.
    App {
        /// Which of several identities.
        client_id: Option<String>,
        /// What only the app knows.
        header: SecretString,
    },
}

/// Why an address cannot be asked for tokens.
#[derive(Debug, thiserror::Error)]
pub(in crate::carrier::acs) enum NotAsked {
    /// A secret would go out readable.
    #[error("it is no https:// address")]
    NotSecure,
    /// The secret of an app would leave the machine.
    #[error("it is no http:// address of this machine (loopback or link-local)")]
    NotHere,
    /// The HTTP client cannot be made.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Whoever gives tokens, and to whom.
pub(in crate::carrier::acs) struct Asked {
    client: Client,
    url: Url,
    who: Who,
}

impl Asked {
    /// At this address, or at Azure's own when it is empty.
    pub(in crate::carrier::acs) fn at(url: &str, tenant: &str, who: Who) -> Result<Self, NotAsked> {
        let usual = match who {
            Who::Application { .. } => {
                format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token")
            }
            Who::Machine { .. } | Who::App { .. } => MACHINE.to_owned(),
        };
        let url = Url::parse(if url.is_empty() { &usual } else { url });
        let url = url.map_err(|_| NotAsked::NotSecure)?;
        let is_plain = url.scheme() == "http";
        let refusal = match who {
            Who::Application { .. } | Who::Machine { .. } => {
                let host = is_loopback(&url) || url.host_str() == Some(LINK_LOCAL);
                let secure = url.scheme() == "https" || (is_plain && host);
                (!secure).then_some(NotAsked::NotSecure)
            }
            Who::App { .. } => (!(is_plain && stays_here(&url))).then_some(NotAsked::NotHere),
        };
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, url, who })
    }

    fn request(&self) -> RequestBuilder {
        match &self.who {
            Who::Application { client_id, secret } => {
                let form = Serializer::new(String::new())
                    .append_pair("grant_type", "client_credentials")
                    .append_pair("scope", &format!("{RESOURCE}/.default"))
                    .append_pair("client_id", client_id)
                    .append_pair("client_secret", secret.expose_secret())
                    .finish();
                let kind = "application/x-www-form-urlencoded";
                self.client.post(self.url.clone()).header(CONTENT_TYPE, kind).body(form)
            }
            Who::Machine { client_id } => {
                let mut url = self.url.clone();
                url.query_pairs_mut()
                    .append_pair("api-version", "2018-02-01")
                    .append_pair("resource", RESOURCE)
                    .extend_pairs(client_id.iter().map(|id| ("client_id", id)));
                // Keeps out whoever can make this machine fetch an address, but add no header.
                self.client.get(url).header("Metadata", "true")
            }
            Who::App { client_id, header } => {
                let mut url = self.url.clone();
                url.query_pairs_mut()
                    .append_pair("api-version", "2019-08-01")
                    .append_pair("resource", RESOURCE)
                    .extend_pairs(client_id.iter().map(|id| ("client_id", id)));
                self.client.get(url).header("X-IDENTITY-HEADER", header.expose_secret())
            }
        }
    }
}

/// Whether what is sent there stays on this machine or its host: loopback by number or by the
/// name `localhost`, and link-local addresses (RFC 3927, RFC 4291 §2.5.6).
fn stays_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let link_local = host.parse().is_ok_and(|ip| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    });
    let nobody = url.username().is_empty() && url.password().is_none();
    nobody && (link_local || is_loopback(url))
}

impl Source for Asked {
    fn ask(&self) -> BoxFuture<'static, Result<Token, NoToken>> {
        let request = self.request();
        let not_reached = |error| NoToken::NotReached(told(error));
        Box::pin(async move {
            let mut response = request.send().await.map_err(not_reached)?;
            let mut body = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(not_reached)? {
                body.extend_from_slice(&piece);
                if body.len() > answer::MAX {
                    return Err(NoToken::Strange("it is too long"));
                }
            }
            answer::read(response.status(), &body, Timestamp::now())
        })
    }
}
