//! Checks against servers that are well, and against ones that are not.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::any;
use rstest::rstest;
use tokio::net::TcpListener;

use super::*;
use crate::config::{Auth, Dialect};
use crate::http::accept;
use crate::rehearsal::realtime::{Behaviour, RealtimeServer};
use crate::rehearsal::twilio;
use crate::server::Server;
use crate::socket::upgrade::{NoUpgrade, Upgrade};

/// A provider that answers everything with this, and is asked with what `allowed` accepts.
async fn provider(
    path: &'static str,
    right: &'static str,
    good: (StatusCode, &'static str),
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |request: Request| async move {
        let shown = request.headers().get("authorization").map(|value| value.to_str().unwrap());
        match shown.is_some_and(|shown| shown.starts_with(right)) {
            true if request.uri().path() == path => good,
            true => (StatusCode::GONE, "{}"),
            false => (StatusCode::UNAUTHORIZED, "{}"),
        }
    };
    let routes = Router::new().fallback(any(answer));
    let (refusals, stop) = Default::default();
    tokio::spawn(accept::serve(listener, routes, refusals, accept::Limits::default(), stop));
    address
}

/// `user:password` of the accounts below, in base64.
const BASIC: &str = "Basic dGFuZGVtOnJpZ2h0";

fn asterisk(address: SocketAddr, password: &str) -> Config {
    let mut config = Config::default();
    config.carrier.kind = Kind::Asterisk;
    config.asterisk.ari_url = format!("http://{address}/ari");
    config.asterisk.password = Some(password.into());
    config.asterisk.media_secret = Some("media".into());
    config
}

#[tokio::test]
async fn an_asterisk_that_takes_the_user_is_good_and_one_that_does_not_is_told() {
    let address = provider("/ari/asterisk/info", BASIC, (StatusCode::OK, "{}")).await;
    let client = client().unwrap();
    assert!(account::look(&asterisk(address, "right"), &client).await.is_ok());
    let refused = account::look(&asterisk(address, "wrong"), &client).await.unwrap_err();
    assert!(refused.contains("asterisk.user") && !refused.contains("wrong"), "{refused}");
}

#[rstest]
#[case::active("right", "{\"status\":\"active\"}", None)]
#[case::suspended("right", "{\"status\":\"suspended\"}", Some("suspended"))]
#[case::not_twilio("right", "hello", Some("twilio.api_url"))]
#[case::wrong_token("wrong", "{\"status\":\"active\"}", Some("TANDEM__TWILIO__AUTH_TOKEN"))]
#[tokio::test]
async fn a_twilio_account_is_read(
    #[case] token: &str,
    #[case] body: &'static str,
    #[case] trouble: Option<&str>,
) {
    let good = (StatusCode::OK, body);
    let address = provider("/2010-04-01/Accounts/tandem.json", BASIC, good).await;
    let mut config = Config::default();
    config.carrier.kind = Kind::Twilio;
    config.twilio.account_sid = "tandem".to_owned();
    config.twilio.auth_token = Some(token.into());
    config.twilio.api_url = format!("http://{address}");
    let seen = account::look(&config, &client().unwrap()).await;
    match trouble {
        None => assert!(seen.is_ok(), "{seen:?}"),
        Some(word) => assert!(seen.as_ref().unwrap_err().contains(word), "{seen:?}"),
    }
}

#[rstest]
#[case::good("SK00", "of-the-key", None)]
#[case::not_of_this_account("SK01", "of-the-key", Some("TANDEM__TWILIO__API_SECRET"))]
#[case::wrong_secret("SK00", "of-another", Some("twilio.api_key"))]
#[tokio::test]
async fn a_twilio_api_key_is_tried_beside_the_token(
    #[case] key: &str,
    #[case] secret: &str,
    #[case] trouble: Option<&str>,
) {
    // The simulated Twilio lets a key do what the real one lets it do.
    let settings = twilio::Settings {
        account: "AC00".to_owned(),
        auth_token: "right".to_owned().into(),
        api_key: Some(("SK00".to_owned(), "of-the-key".to_owned().into())),
        number: "+15550199".to_owned(),
        public_url: "https://bridge.example.com".to_owned(),
    };
    let network = twilio::TwilioNetwork::start(settings).await.unwrap();
    let mut config = Config::default();
    config.carrier.kind = Kind::Twilio;
    config.twilio.account_sid = "AC00".to_owned();
    config.twilio.auth_token = Some("right".into());
    config.twilio.api_key = key.to_owned();
    config.twilio.api_secret = Some(secret.into());
    config.twilio.api_url = network.api_url();
    let seen = account::look(&config, &client().unwrap()).await;
    match trouble {
        None => assert!(seen.as_ref().unwrap().contains("API key"), "{seen:?}"),
        Some(word) => assert!(seen.as_ref().unwrap_err().contains(word), "{seen:?}"),
    }
}

#[rstest]
#[case::not_found(StatusCode::NOT_FOUND, None)]
#[case::refused(StatusCode::UNAUTHORIZED, Some("refuses the key"))]
#[case::forbidden(StatusCode::FORBIDDEN, Some("refuses the key"))]
#[case::not_acs(StatusCode::OK, Some("404 was expected"))]
#[tokio::test]
async fn acs_is_asked_for_a_call_that_does_not_exist(
    #[case] status: StatusCode,
    #[case] trouble: Option<&str>,
) {
    let path = "/calling/callConnections/00000000-0000-0000-0000-000000000000";
    let address = provider(path, "HMAC-SHA256 SignedHeaders=", (status, "{}")).await;
    let mut config = Config::default();
    config.carrier.kind = Kind::Acs;
    let text = format!("endpoint=http://{address}/;accesskey=c2VjcmV0");
    config.acs.connection_string = Some(text.into());
    let seen = account::look(&config, &client().unwrap()).await;
    match trouble {
        None => assert!(seen.is_ok(), "{seen:?}"),
        Some(word) => assert!(seen.as_ref().unwrap_err().contains(word), "{seen:?}"),
    }
}

#[tokio::test]
async fn acs_is_asked_with_a_token_and_who_gets_none_is_told_why() {
    use crate::rehearsal::azure::Azure;
    let azure = Azure::start(tandem_actors::carrier::Number::new("+15550199")).await.unwrap();
    let registered = azure.registered();
    let mut config = Config::default();
    config.carrier.kind = Kind::Acs;
    config.acs.endpoint = registered.endpoint;
    config.acs.tenant_id = registered.tenant_id;
    config.acs.client_id = registered.client_id;
    config.acs.client_secret = Some(registered.secret);
    config.acs.token_url = registered.token_url;
    let seen = account::look(&config, &client().unwrap()).await;
    assert_eq!(seen.as_deref(), Ok("ACS takes the token"));
    config.acs.client_secret = Some("guessed".into());
    let told = account::look(&config, &client().unwrap()).await.unwrap_err();
    assert!(told.contains("TANDEM__ACS__CLIENT_SECRET") && !told.contains("guessed"), "{told}");
    config.acs.token_url = "http://login.example.com/".to_owned();
    let told = account::look(&config, &client().unwrap()).await.unwrap_err();
    assert!(told.contains("acs.token_url"), "{told}");
}

#[tokio::test]
async fn a_session_is_opened_with_the_real_client_and_a_wrong_key_is_told() {
    let model = RealtimeServer::start(Behaviour::default(), None).await.unwrap();
    let mut config = Config::default();
    config.model.url = model.url();
    config.model.auth = Auth::Bearer;
    config.model.key = Some(model.key().into());
    let seen = session::look(&config).await.unwrap();
    assert!(seen.contains("session configured after"), "{seen}");
    config.model.key = Some("wrong".into());
    let trouble = session::look(&config).await.unwrap_err();
    assert!(trouble.contains("TANDEM__MODEL__KEY") && !trouble.contains("wrong"), "{trouble}");
}

/// The addresses of the carriers' routes, as the route tables write them.
fn carriers_routes() -> Vec<&'static str> {
    let tables = [include_str!("../http.rs"), include_str!("../http/acs.rs")];
    let named = tables.into_iter().flat_map(|table| table.split(".route(\"").skip(1));
    let paths = named.filter_map(|rest| rest.split('"').next());
    let carriers = ["/acs/", "/twilio/", "/asterisk/"];
    paths.filter(|path| carriers.iter().any(|carrier| path.starts_with(carrier))).collect()
}

/// A path with something in the place of every parameter.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What strangers find at a door with these routes.
async fn strangers_at(routes: Router) -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut http = Config::default().http;
    http.public_url = format!("http://{}", listener.local_addr().unwrap());
    let (refusals, stop) = Default::default();
    tokio::spawn(accept::serve(listener, routes, refusals, accept::Limits::default(), stop));
    door::strangers(&http, &client().unwrap()).await
}

#[tokio::test]
async fn a_stranger_is_let_in_at_no_route_of_the_carriers_unnoticed() {
    let routes = carriers_routes();
    assert!(routes.len() >= 8, "{routes:?}");
    for path in routes {
        let open = filled(path);
        let fake = Router::new().route(&open, any(|| async { StatusCode::OK }));
        let trouble = strangers_at(fake).await.unwrap_err();
        assert!(trouble.contains(&format!("{open} is answered with 200")), "{trouble}");
    }
}

#[tokio::test]
async fn a_stranger_who_asks_for_a_socket_shows_a_whole_handshake() {
    let answer = |upgrade: Result<Upgrade, NoUpgrade>| async {
        match upgrade {
            Ok(upgrade) => upgrade.accept(crate::socket::Limits::CARRIER).0,
            Err(refusal) => refusal.into_response(),
        }
    };
    let fake = Router::new().route("/asterisk/media", any(answer));
    let trouble = strangers_at(fake).await.unwrap_err();
    assert!(trouble.contains("/asterisk/media is answered with 101"), "{trouble}");
}

async fn look(config: &Config) -> Vec<Finding> {
    let within = Duration::from_mins(5);
    Look { only: &What::ALL, from: From::Outside, within }.at(config).await
}

fn failed(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.state == State::Failed).collect()
}

#[tokio::test]
async fn a_secret_that_is_missing_is_told_by_its_variable_and_time_that_is_up_too() {
    let mut config = Config::default();
    config.carrier.kind = Kind::Acs;
    config.acs.endpoint = "https://a.communication.azure.com".to_owned();
    config.model.url = "wss://api.openai.com/v1/realtime".to_owned();
    let secrets = Look { only: &[What::Secrets], from: From::Outside, within: ANSWER };
    let found = secrets.at(&config).await;
    let told: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.state)).collect();
    let events = ("TANDEM__ACS__EVENTS_SECRET", State::Skipped);
    assert_eq!(told, [events, ("TANDEM__MODEL__KEY", State::Failed)], "calls can be placed");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    config.model.url = format!("ws://{}/", silent.local_addr().unwrap());
    config.model.key = Some("k-1".into());
    let model = [What::Model];
    let look = Look { only: &model, from: From::TheServer, within: Duration::from_millis(50) };
    let found = look.at(&config).await;
    assert_eq!((found.len(), found[0].state), (1, State::Skipped), "{found:?}");
}

/// A port that was free a moment ago.
async fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_public_address_leads_to_the_door_or_somewhere_else() {
    let mut config = Config::default();
    let (client, door) = (client().unwrap(), free().await);
    config.http.carriers = door;
    config.http.public_url = format!("http://{door}");
    let seen = door::look(&config.http, &client).await;
    assert!(seen.is_ok(), "{seen:?}");
    let elsewhere = provider("/", "", (StatusCode::OK, "hello")).await;
    config.http.public_url = format!("http://{elsewhere}");
    let trouble = door::look(&config.http, &client).await.unwrap_err();
    assert!(trouble.contains(&door.to_string()), "{trouble}");
}

#[tokio::test]
async fn a_server_with_a_real_carrier_has_two_doors_and_a_check_beside_it_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let mut config =
        asterisk(provider("/ari/asterisk/info", BASIC, (StatusCode::OK, "{}")).await, "right");
    config.http.listen = free().await;
    config.http.carriers = free().await;
    config.store.dir = dir.path().to_owned();
    let server = Server::start(&config).await.unwrap();
    let (api, door) = (server.url(), server.carriers.expect("the carriers' door"));
    config.http.public_url = format!("http://{door}");
    let findings = look(&config).await;
    assert!(failed(&findings).is_empty(), "{findings:?}");
    let is_ours = |finding: &Finding| finding.detail.contains("running server's");
    assert!(findings.iter().any(is_ours), "{findings:?}");

    let client = client().unwrap();
    let status = async |url: String| client.get(url).send().await.unwrap().status();
    for path in ["/v1/calls", "/metrics", "/readyz"] {
        assert_eq!(status(format!("{api}{path}")).await, StatusCode::OK, "{path}");
        assert_eq!(status(format!("http://{door}{path}")).await, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/acs/media/a/b", "/twilio/media/a/b", "/rehearsal/incoming"] {
        let body = client.get(format!("{api}{path}")).send().await.unwrap().text().await.unwrap();
        assert!(body.contains("no_such_route"), "{path} is served by the API: {body}");
    }
    let turned = client.get(format!("http://{door}/acs/media/a/b")).send().await.unwrap();
    assert!(turned.text().await.unwrap().contains("not_expected"));
    let metrics = client.get(format!("{api}/metrics")).send().await.unwrap().text().await.unwrap();
    // The strangers of the check, and the one just now.
    let turned = carriers_routes().len() + 1;
    let counted = format!("tandem_refusals_total{{reason=\"not_expected\"}} {turned}\n");
    assert!(metrics.contains(&counted), "{metrics}");

    // Now the public address leads to the API: strangers would reach it.
    config.http.public_url = api;
    let trouble = door::strangers(&config.http, &client).await.unwrap_err();
    assert!(trouble.contains("/v1/calls"), "{trouble}");
    server.stop(std::future::ready(())).await.unwrap();
}

#[tokio::test]
async fn a_rehearsal_is_good_as_it_is_and_numbers_are_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.http.listen = free().await;
    config.store.dir = dir.path().to_owned();
    config.rehearsal.dialect = Dialect::Twilio;
    let findings = look(&config).await;
    assert!(failed(&findings).is_empty(), "{findings:?}");
    assert_eq!(findings.len(), What::ALL.len());
    config.carrier.human = "555".to_owned();
    let findings = look(&config).await;
    let [bad] = failed(&findings)[..] else { panic!("{findings:?}") };
    assert_eq!(bad.what, What::Numbers);
    assert!(bad.detail.contains("carrier.human"), "{bad:?}");
    assert!(bad.action.as_ref().unwrap().contains("+14255550123"), "{bad:?}");
}

#[test]
fn a_directory_that_cannot_be_used_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let settings = crate::config::Store { dir: file.path().join("below"), ..Default::default() };
    assert!(record::look(&settings, false).unwrap_err().contains("cannot be used"));
}

#[tokio::test]
async fn tools_that_cannot_be_reached_are_told_by_their_names() {
    let up = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // A port that only a superuser may take, and nobody does.
    let gone = SocketAddr::from(([127, 0, 0, 1], 1));
    let look = async |at: SocketAddr, more: &str| {
        let text = format!(
            "[[tools]]\nname = \"book\"\ndescription = \"Books.\"\nrisk = \"write\"\n\
             url = \"http://{at}/\"\n{more}"
        );
        let config = crate::config::of(&text, &std::collections::BTreeMap::new()).unwrap();
        tools(&config).await
    };
    let here = up.local_addr().unwrap();
    let found = look(here, "").await;
    assert_eq!((found.len(), &*found[0].name, found[0].state), (1, "book", State::Ok));
    let found = look(gone, "").await;
    assert!(found[0].state == State::Failed, "{found:?}");
    assert!(found[0].action.as_ref().unwrap().contains("is it running"), "{found:?}");
    let server = "[[mcp]]\nname = \"crm\"\ncommand = [\"/nowhere/crm\"]\n";
    let found = look(here, server).await;
    assert_eq!((&*found[1].name, found[1].state), ("crm", State::Failed), "{found:?}");
    let agent = format!("[agent]\nkind = \"http\"\nurl = \"http://{gone}/\"\n");
    let found = look(here, &agent).await;
    assert_eq!((&*found[1].name, found[1].state), ("agent", State::Failed), "{found:?}");
}

#[tokio::test]
async fn a_look_that_is_broken_off_closes_the_door() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut http = Config::default().http;
    http.carriers = free().await;
    http.public_url = format!("http://{}", silent.local_addr().unwrap());
    let client = client().unwrap();
    {
        let mut look = std::pin::pin!(door::look(&http, &client));
        let reached = tokio::select! {
            _seen = &mut look => panic!("nobody answers there"),
            reached = silent.accept() => reached,
        };
        reached.unwrap();
    }
    let closed = async {
        while TcpListener::bind(http.carriers).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), closed).await.expect("the door is left open");
}
