//! Addresses that can and cannot work.

use rstest::rstest;

use super::*;

#[rstest]
#[case("wss://api.openai.com/v1/realtime", "wss://api.openai.com/v1/realtime?model=m")]
#[case(
    "wss://r.openai.azure.com/openai/v1/realtime",
    "wss://r.openai.azure.com/openai/v1/realtime?model=m"
)]
#[case("ws://10.0.0.1:8000/rt?tenant=a", "ws://10.0.0.1:8000/rt?tenant=a&model=m")]
#[case("ws://gateway/rt?api-version=1", "ws://gateway/rt?api-version=1&model=m")]
fn an_address_is_that_of_the_model(#[case] url: &str, #[case] expected: &str) {
    assert_eq!(address(url, "m").unwrap().as_str(), expected);
}

#[rstest]
#[case("https://api.openai.com/v1/realtime", SettingsError::Url)]
#[case("realtime", SettingsError::Url)]
#[case("wss://api.openai.com/v1/realtime?model=x", SettingsError::ModelInUrl)]
#[case("wss://r.openai.azure.com/openai/realtime?deployment=d", SettingsError::Preview)]
#[case(
    "wss://r.openai.azure.com/openai/v1/realtime?api-version=2025-04-01",
    SettingsError::ApiVersion
)]
#[case("wss://gateway.example.com/openai/v1/realtime?api-version=1", SettingsError::ApiVersion)]
#[case("wss://r.cognitiveservices.azure.com/x?api-version=1", SettingsError::ApiVersion)]
fn an_address_that_cannot_work_is_refused(#[case] url: &str, #[case] expected: SettingsError) {
    assert_eq!(address(url, "m"), Err(expected));
}

#[rstest]
#[case("wss://api.openai.com/v1/realtime", Some(60))]
#[case("wss://eu.api.openai.com/v1/realtime", Some(60))]
#[case("wss://r.openai.azure.com/openai/v1/realtime", Some(30))]
#[case("wss://r.cognitiveservices.azure.com/openai/v1/realtime", Some(30))]
#[case("wss://notapi.openai.com/v1/realtime", None)]
#[case("ws://127.0.0.1/v1/realtime", None)]
fn each_provider_has_its_own_longest_session(#[case] url: &str, #[case] minutes: Option<u64>) {
    let url = address(url, "m").unwrap();
    assert_eq!(session_life(&url), minutes.map(Duration::from_mins));
}
