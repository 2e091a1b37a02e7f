//! Whether the carrier takes our credentials: one read that changes nothing and costs nothing.

use jiff::Timestamp;
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::ExposeSecret as _;

use super::{bare, door};
use crate::carrier::acs::NoToken;
use crate::carrier::acs::connection::Connection;
use crate::carrier::acs::signature::Signable;
use crate::config::{self, Config, Kind};

/// A call that does not exist. With the right key ACS says so (404), with a wrong one 401.
const NO_CALL: &str = "00000000-0000-0000-0000-000000000000";

/// Bytes of an answer that are read: an account has two thousand.
const ANSWER: usize = 64 << 10;

pub(super) async fn look(config: &Config, client: &Client) -> Result<String, String> {
    match config.carrier.kind {
        Kind::Rehearsal => Ok("simulated".to_owned()),
        Kind::Acs => acs(&config.acs, client).await,
        Kind::Twilio => twilio(&config.twilio, client).await,
        Kind::Asterisk => asterisk(&config.asterisk, client).await,
    }
}

async fn acs(settings: &config::Acs, client: &Client) -> Result<String, String> {
    let (what, cure) = match settings.connection_string {
        Some(_) => ("key", "copy the connection string again (portal: Keys)"),
        None => ("token", "give the identity a role on the resource (portal: Access control)"),
    };
    let connection = Connection::of(settings).map_err(|error| error.to_string())?;
    let version = &settings.api_version;
    let target = format!("/calling/callConnections/{NO_CALL}?api-version={version}");
    let url = connection.endpoint().join(&target).map_err(|error| error.to_string())?;
    let host = connection.host();
    let signable = Signable { method: "GET", path_and_query: &target, host: &host, body: b"" };
    let authorized = connection.authorize(client.get(url), signable, Timestamp::now()).await;
    let request = authorized.map_err(no_token)?;
    let answer = request.send().await.map_err(|error| not_reached("ACS", "its endpoint", error))?;
    match answer.status() {
        StatusCode::NOT_FOUND => Ok(format!("ACS takes the {what}")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(format!(
            "ACS refuses the {what} with {}; {cure}, and check this machine's clock",
            answer.status().as_u16()
        )),
        status => Err(format!(
            "ACS answered {} where 404 was expected; check its endpoint and acs.api_version",
            status.as_u16()
        )),
    }
}

/// The number in a refusal tells what is wrong with who asks.
fn no_token(error: NoToken) -> String {
    let cure = match &error {
        NoToken::Refused { code, .. } => match code.rsplit(' ').next().unwrap_or_default() {
            "AADSTS7000215" => "TANDEM__ACS__CLIENT_SECRET is wrong; use the secret's value",
            "AADSTS7000222" => "the secret has expired; make a new one",
            "AADSTS700016" => "acs.client_id is no application of the tenant",
            "AADSTS90002" => "acs.tenant_id is no tenant",
            _ => "check acs.tenant_id, acs.client_id and TANDEM__ACS__CLIENT_SECRET",
        },
        NoToken::NotReached(_) => {
            "check the network; without acs.tenant_id, only a machine in Azure gets tokens"
        }
        NoToken::Failing(_) => "try again in a minute",
        NoToken::Strange(_) => "check acs.token_url",
    };
    format!("{error}; {cure}")
}

async fn twilio(settings: &config::Twilio, client: &Client) -> Result<String, String> {
    const SECRET: &str = "TANDEM__TWILIO__AUTH_TOKEN";
    let token = settings.auth_token.as_ref().ok_or_else(|| format!("{SECRET} is not set"))?;
    let sid = &settings.account_sid;
    let url = format!("{}/2010-04-01/Accounts/{sid}.json", settings.api_url);
    let url = Url::parse(&url).map_err(|error| format!("twilio.api_url: {error}"))?;
    let request = client.get(url).basic_auth(sid, Some(token.expose_secret()));
    let answer =
        request.send().await.map_err(|error| not_reached("Twilio", "twilio.api_url", error))?;
    if !answer.status().is_success() {
        return Err(format!(
            "Twilio refuses the account with {}; check twilio.account_sid and {SECRET}",
            answer.status().as_u16()
        ));
    }
    match word(answer, "status").await.as_deref() {
        Some("active") if settings.api_key.is_empty() => Ok("Twilio takes the account".to_owned()),
        Some("active") => twilio_key(settings, client).await,
        Some(status) => Err(format!("the Twilio account is {status:?}, not active")),
        None => Err("Twilio's answer names no status; check twilio.api_url".to_owned()),
    }
}

/// An API key may not read the account itself; one that may not read calls cannot place any.
async fn twilio_key(settings: &config::Twilio, client: &Client) -> Result<String, String> {
    const SECRET: &str = "TANDEM__TWILIO__API_SECRET";
    let (key, secret) = settings.access().ok_or_else(|| format!("{SECRET} is not set"))?;
    let (url, sid) = (&settings.api_url, &settings.account_sid);
    let request = client
        .get(format!("{url}/2010-04-01/Accounts/{sid}/Calls.json?PageSize=1"))
        .basic_auth(key, Some(secret.expose_secret()));
    let answer =
        request.send().await.map_err(|error| not_reached("Twilio", "twilio.api_url", error))?;
    if answer.status().is_success() {
        return Ok("Twilio takes the account and the API key".to_owned());
    }
    Err(format!(
        "Twilio refuses the API key with {}; check that twilio.api_key is one of this account \
         which may read and make calls, and {SECRET}",
        answer.status().as_u16()
    ))
}

async fn asterisk(settings: &config::Asterisk, client: &Client) -> Result<String, String> {
    const SECRET: &str = "TANDEM__ASTERISK__PASSWORD";
    let password = settings.password.as_ref().ok_or_else(|| format!("{SECRET} is not set"))?;
    let url = format!("{}/asterisk/info", settings.ari_url.trim_end_matches('/'));
    let url = Url::parse(&url).map_err(|error| format!("asterisk.ari_url: {error}"))?;
    let request = client.get(url).basic_auth(&settings.user, Some(password.expose_secret()));
    let answer =
        request.send().await.map_err(|error| not_reached("Asterisk", "asterisk.ari_url", error))?;
    match answer.status() {
        StatusCode::OK => Ok("Asterisk takes the user".to_owned()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(format!(
            "Asterisk refuses the user; check asterisk.user and {SECRET} against its ari.conf"
        )),
        status => Err(format!(
            "Asterisk answered {} where 200 was expected; check asterisk.ari_url (it ends in \
             /ari) and that ari.conf has enabled=yes",
            status.as_u16()
        )),
    }
}

/// A field of a JSON answer, when it is a short word.
async fn word(answer: Response, field: &str) -> Option<String> {
    let body = door::read(answer, ANSWER).await.ok()?;
    let body: serde_json::Value = serde_json::from_str(&body).ok()?;
    let word = body.get(field)?.as_str()?;
    Some(word.chars().take(32).collect())
}

fn not_reached(who: &str, setting: &str, error: reqwest::Error) -> String {
    format!("{who} is not reached: {}; check {setting} and the network", bare(error))
}
