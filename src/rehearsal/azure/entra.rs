//! A simulated Microsoft Entra of one tenant with one application, one machine and one app that
//! Azure runs: gives tokens for the simulated service and knows which it gave. Facts: Azure's
//! pages on the client credentials flow, its error codes, on tokens for a machine (IMDS) and on
//! managed identities in App Service.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use super::refusal::Refusal;

/// Whom tokens are made out to.
const AUDIENCE: &str = "https://communication.azure.com";
/// A token of an application lives so long.
const LIFE: Duration = Duration::from_secs(3_599);
/// A token of a managed identity lives so long.
const DAY: Duration = Duration::from_secs(86_399);

const MACHINE: &str = "/metadata/identity/oauth2/token";
const APP: &str = "/msi/token";
const TOKEN: &str = "/oauth2/v2.0/token";

/// What somebody must know to get a token.
#[derive(Clone)]
pub struct Registered {
    /// The resource the tokens are good for: `http://…`.
    pub endpoint: String,
    /// The tenant.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub secret: SecretString,
    /// Where an application asks.
    pub token_url: String,
    /// Where the machine asks.
    pub machine_url: String,
    /// The name of the machine's identity, and of the app's.
    pub machine_id: String,
    /// Where the app asks (`IDENTITY_ENDPOINT`).
    pub app_url: String,
    /// What the app shows (`IDENTITY_HEADER`).
    pub app_header: SecretString,
}

/// The tenant.
pub(super) struct Entra {
    tenant_id: String,
    client_id: String,
    secret: String,
    machine_id: String,
    app_header: String,
    /// Until when each token is good.
    issued: Mutex<HashMap<String, Timestamp>>,
}

impl Entra {
    pub(super) fn new() -> Self {
        let name = || Uuid::new_v4().to_string();
        Self {
            tenant_id: name(),
            client_id: name(),
            // What a form has to escape.
            secret: format!("{}~+/&=", Uuid::new_v4().simple()),
            machine_id: name(),
            app_header: name(),
            issued: Mutex::default(),
        }
    }

    pub(super) fn registered(&self, host: &str) -> Registered {
        Registered {
            endpoint: format!("http://{host}"),
            tenant_id: self.tenant_id.clone(),
            client_id: self.client_id.clone(),
            secret: self.secret.clone().into(),
            token_url: format!("http://{host}/{}{TOKEN}", self.tenant_id),
            machine_url: format!("http://{host}{MACHINE}"),
            machine_id: self.machine_id.clone(),
            app_url: format!("http://{host}{APP}"),
            app_header: self.app_header.clone().into(),
        }
    }

    pub(super) fn issued(&self) -> usize {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Answers who asks for a token; nothing when it is asked for something else.
    pub(super) fn answer(&self, parts: &Parts, body: &[u8]) -> Option<Response> {
        let path = parts.uri.path();
        let answer = if path == MACHINE {
            self.machine(parts)
        } else if path == APP {
            self.app(parts)
        } else {
            let tenant = path.strip_suffix(TOKEN)?.strip_prefix('/')?;
            self.application(tenant, parts, body)
        };
        Some(match answer {
            Ok(token) => Json(token).into_response(),
            Err(No { status, body }) => (status, Json(body)).into_response(),
        })
    }

    /// Whether the service may do what is asked with this token.
    ///
    /// # Errors
    /// 401 for a token that it did not give or whose time is over.
    pub(super) fn check(&self, token: &str, now: Timestamp) -> Result<(), Refusal> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        match issued.get(token) {
            Some(until) if now < *until => Ok(()),
            Some(_) => Err(Refusal::denied("the token has expired")),
            None => Err(Refusal::denied("the token is not one of Entra's for this service")),
        }
    }

    fn application(&self, tenant: &str, parts: &Parts, body: &[u8]) -> Result<Value, No> {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        if parts.method != Method::POST {
            return Err(No { status: StatusCode::METHOD_NOT_ALLOWED, body: Value::Null });
        }
        if tenant != self.tenant_id {
            return Err(no(BAD, "invalid_request", 90_002));
        }
        let form: HashMap<_, _> = form_urlencoded::parse(body).into_owned().collect();
        let is_form =
            one(&parts.headers, "content-type") == Some("application/x-www-form-urlencoded");
        let field = |name: &str| {
            let value = form.get(name).filter(|_| is_form).map(String::as_str);
            value.ok_or_else(|| no(BAD, "invalid_request", 900_144))
        };
        if field("grant_type")? != "client_credentials" {
            return Err(no(BAD, "unsupported_grant_type", 70_003));
        }
        let (client_id, scope) = (field("client_id")?, field("scope")?);
        if client_id != self.client_id {
            return Err(no(BAD, "unauthorized_client", 700_016));
        }
        if field("client_secret")? != self.secret {
            return Err(no(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215));
        }
        let Some(audience) = scope.strip_suffix("/.default") else {
            return Err(no(BAD, "invalid_scope", 1_002_012));
        };
        if audience != AUDIENCE {
            return Err(no(BAD, "invalid_resource", 500_011));
        }
        let seconds = LIFE.as_secs();
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": self.issue(LIFE),
        }))
    }

    /// Numbers are written as text here.
    fn machine(&self, parts: &Parts) -> Result<Value, No> {
        let headers = &parts.headers;
        if one(headers, "metadata") != Some("true") || headers.contains_key("x-forwarded-for") {
            return refused("Required metadata header not specified");
        }
        self.managed(parts, "2018-02-01")?;
        let mut given = self.given();
        given["expires_in"] = json!(DAY.as_secs().to_string());
        Ok(given)
    }

    /// What the header is, only the app knows; how long a token lives is not said here.
    fn app(&self, parts: &Parts) -> Result<Value, No> {
        if one(&parts.headers, "x-identity-header") != Some(&self.app_header) {
            let body = json!({ "statusCode": 401, "message": "No MSI found" });
            return Err(No { status: StatusCode::UNAUTHORIZED, body });
        }
        self.managed(parts, "2019-08-01")?;
        Ok(self.given())
    }

    /// Whether what is asked of a managed identity is right.
    fn managed(&self, parts: &Parts, version: &str) -> Result<(), No> {
        if parts.method != Method::GET {
            return Err(No { status: StatusCode::METHOD_NOT_ALLOWED, body: Value::Null });
        }
        let query = parts.uri.query().unwrap_or_default();
        let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let field = |name: &str| query.get(name).map(String::as_str);
        if field("api-version") != Some(version) {
            return refused("api-version is not supported");
        }
        if field("resource").map(|resource| resource.trim_end_matches('/')) != Some(AUDIENCE) {
            return refused("AADSTS500011: the resource was not found");
        }
        if field("client_id").is_some_and(|id| id != self.machine_id) {
            return refused("Identity not found");
        }
        Ok(())
    }

    fn given(&self) -> Value {
        json!({
            "access_token": self.issue(DAY),
            "client_id": self.machine_id,
            "expires_on": (Timestamp::now() + DAY).as_second().to_string(),
            "resource": AUDIENCE,
            "token_type": "Bearer",
        })
    }

    fn issue(&self, life: Duration) -> String {
        let token = format!("eyJ0eXAiOiJKV1Qi.{}", Uuid::new_v4().simple());
        let until = Timestamp::now() + life;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.insert(token.clone(), until);
        token
    }
}

/// The token of a request that shows one instead of a signature.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    one(headers, "authorization")?.strip_prefix("Bearer ")
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

/// How Entra says no.
struct No {
    status: StatusCode,
    body: Value,
}

fn refused<T>(why: &str) -> Result<T, No> {
    let body = json!({ "error": "invalid_request", "error_description": why });
    Err(No { status: StatusCode::BAD_REQUEST, body })
}

fn no(status: StatusCode, error: &str, code: u32) -> No {
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: told in many words."),
        "error_codes": [code],
    });
    No { status, body }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use rstest::rstest;

    use super::*;

    async fn asked(entra: &Entra, request: Request<String>) -> (u16, Value) {
        let (parts, body) = request.into_parts();
        let answer = entra.answer(&parts, body.as_bytes()).unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 65_536).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn form(entra: &Entra) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("scope", format!("{AUDIENCE}/.default")),
            ("client_id", entra.client_id.clone()),
            ("client_secret", entra.secret.clone()),
        ]
    }

    async fn posted(entra: &Entra, form: &[(&str, String)]) -> (u16, Value) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(format!("/{}{TOKEN}", entra.tenant_id))
            .header("content-type", "application/x-www-form-urlencoded");
        asked(entra, request.body(body).unwrap()).await
    }

    #[rstest]
    #[case("grant_type", "password", 400, 70_003)]
    #[case("scope", "https://graph.microsoft.com/.default", 400, 500_011)]
    #[case("scope", "https://communication.azure.com", 400, 1_002_012)]
    #[case("client_id", "nobody", 400, 700_016)]
    #[case("client_secret", "guessed", 401, 7_000_215)]
    #[tokio::test]
    async fn every_field_must_be_there_and_right(
        #[case] name: &str,
        #[case] wrong: &str,
        #[case] status: u16,
        #[case] code: u32,
    ) {
        let entra = Entra::new();
        let mut wrongly = form(&entra);
        wrongly.iter_mut().find(|(field, _)| *field == name).unwrap().1 = wrong.to_owned();
        let (seen, no) = posted(&entra, &wrongly).await;
        assert_eq!((seen, &no["error_codes"][0]), (status, &json!(code)));
        wrongly.retain(|(field, _)| *field != name);
        let (seen, no) = posted(&entra, &wrongly).await;
        assert_eq!((seen, &no["error_codes"][0]), (400, &json!(900_144)), "{name} is missing");
        assert_eq!(entra.issued(), 0);
    }

    #[tokio::test]
    async fn a_token_is_good_until_its_time_is_over_and_no_other_is() {
        let entra = Entra::new();
        let (status, given) = posted(&entra, &form(&entra)).await;
        assert_eq!((status, &given["expires_in"]), (200, &json!(3_599)));
        let (token, now) = (given["access_token"].as_str().unwrap(), Timestamp::now());
        entra.check(token, now).unwrap();
        assert_eq!(entra.check(token, now + LIFE).unwrap_err().status, 401);
        assert_eq!(entra.check("eyJ0eXAiOiJKV1Qi.", now).unwrap_err().status, 401);
    }

    #[tokio::test]
    async fn a_machine_must_show_that_it_means_to_ask() {
        let entra = Entra::new();
        let address = format!("{MACHINE}?api-version=2018-02-01&resource={AUDIENCE}");
        let bare = Request::get(&address).body(String::new()).unwrap();
        assert_eq!(asked(&entra, bare).await.0, 400);
        let meant = || Request::get(&address).header("metadata", "true");
        let passed_on = meant().header("x-forwarded-for", "10.0.0.1").body(String::new());
        assert_eq!(asked(&entra, passed_on.unwrap()).await.0, 400);
        let (status, given) = asked(&entra, meant().body(String::new()).unwrap()).await;
        assert_eq!((status, &given["expires_in"]), (200, &json!("86399")));
    }

    #[tokio::test]
    async fn an_app_must_show_what_only_it_knows() {
        let entra = Entra::new();
        let address = format!("{APP}?api-version=2019-08-01&resource={AUDIENCE}");
        let bare = Request::get(&address).body(String::new()).unwrap();
        assert_eq!(asked(&entra, bare).await.0, 401);
        let known = |at: &str| Request::get(at).header("x-identity-header", &entra.app_header);
        let old = address.replace("2019-08-01", "2018-02-01");
        assert_eq!(asked(&entra, known(&old).body(String::new()).unwrap()).await.0, 400);
        let (status, given) = asked(&entra, known(&address).body(String::new()).unwrap()).await;
        assert_eq!((status, &given["expires_in"]), (200, &Value::Null));
        let until: i64 = given["expires_on"].as_str().unwrap().parse().unwrap();
        assert!(until > Timestamp::now().as_second());
    }
}
