//! The simulated Twilio signs as the real one, forgives nothing, and asks nobody else.

use rstest::rstest;
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../../tests/fixtures/twilio/signatures.json");

#[test]
fn it_signs_as_the_official_library_does() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let token = vectors["token"].as_str().unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let url = case["url"].as_str().unwrap();
        let body = case["body"].as_str().unwrap_or_default();
        let fields: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        assert_eq!(sign::form(token, url, &fields), case["signature"], "{}", case["name"]);
    }
}

#[rstest]
#[case("<Response><Connect><Stream url=\"wss://b/m\"/></Connect></Response>", true)]
#[case("<Response><Connect><Stream url=\"wss://b/m?a=1\"/></Connect></Response>", false)]
#[case("<Response><Connect><Stream url=\"https://b/m\"/></Connect></Response>", false)]
#[case("<Response><Connect><Stream url=\"wss://b/m\"><Say/></Stream></Connect></Response>", false)]
#[case("<Response><Connect/></Response>", false)]
#[case("<Response><Pause length=\"20\"/></Response>", true)]
#[case("<Response><Pause/></Response>", false)]
#[case("<Response><Reject reason=\"busy\"/></Response>", true)]
#[case("<Response><Reject reason=\"tired\"/></Response>", false)]
#[case("<Response><Hangup/></Response>", true)]
#[case("<Response/>", true)]
#[case("<Response><Say>Kim &amp; Sam</Say></Response>", true)]
#[case("<Response><Say><Pause/></Say></Response>", false)]
#[case("<Response><Say/></Response>", false)]
#[case("<Response><Hangup>now</Hangup></Response>", false)]
#[case("<Response><Dance/></Response>", false)]
#[case("<Response>hello</Response>", false)]
#[case("<Answer/>", false)]
#[case("<Response>", false)]
fn twiml_is_read_strictly(#[case] text: &str, #[case] good: bool) {
    assert_eq!(twiml::read(text).is_ok(), good, "{:?}", twiml::read(text));
}

async fn started() -> TwilioNetwork {
    let settings = Settings {
        account: "AC00".to_owned(),
        auth_token: "token".to_owned().into(),
        api_key: None,
        number: "+15550199".to_owned(),
        public_url: "https://bridge.example.com".to_owned(),
    };
    TwilioNetwork::start(settings).await.unwrap()
}

#[tokio::test]
async fn nothing_leaves_but_through_the_tunnel() {
    let twilio = started().await;
    let through = |url: &str| twilio.network.through_the_tunnel(url);
    assert_eq!(through("https://bridge.example.com/x"), None, "before there is one");
    twilio.lead_to("127.0.0.1:9".parse().unwrap());
    assert_eq!(through("https://bridge.example.com/x?y").unwrap(), "http://127.0.0.1:9/x?y");
    assert_eq!(through("wss://bridge.example.com/x").unwrap(), "ws://127.0.0.1:9/x");
    for other in
        ["https://bridge.example.com.evil.org/x", "https://other.org/x", "ftp://bridge", ""]
    {
        assert_eq!(through(other), None);
    }
}

#[tokio::test]
async fn a_call_is_shown_to_the_accounts_owner_only() {
    let twilio = started().await;
    let name = twilio.ring_in("+15550105");
    let calls = format!("{}/2010-04-01/Accounts/AC00/Calls", twilio.api_url());
    let get = async |name: &str, token: &str| {
        let request = reqwest::Client::new().get(format!("{calls}/{name}.json"));
        let answer = request.basic_auth("AC00", Some(token)).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, shown) = get(&name, "token").await;
    assert_eq!((status, &shown["sid"]), (200, &Value::from(name.as_str())));
    assert_eq!(shown["from"], "+15550105");
    assert_eq!(get("CA00", "token").await.1["code"], 20_404);
    assert_eq!(get(&name, "wrong").await.1["code"], 20_003);
}
