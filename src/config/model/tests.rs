//! Settings of the model that can and cannot work.

use rstest::rstest;

use super::*;

fn model(text: &str) -> Model {
    toml_of(text).expect("settings")
}

fn toml_of(text: &str) -> Result<Model, config::ConfigError> {
    let file = config::File::from_str(text, config::FileFormat::Toml);
    config::Config::builder().add_source(file).build()?.try_deserialize()
}

#[test]
fn the_defaults_are_good() {
    assert_eq!(check(&Model::default()), Ok(()));
    assert_eq!(model("").noise_reduction, NoiseReduction::NearField);
}

#[rstest]
#[case("speed = 1.6", "model.speed is 1.6; it must be from 0.25 to 1.5")]
#[case("speed = nan", "model.speed is NaN; it must be from 0.25 to 1.5")]
#[case("turns.threshold = 1.5", "model.turns.threshold is 1.5; it must be from 0 to 1")]
#[case(
    "turns.prefix_padding_ms = 2001",
    "model.turns.prefix_padding_ms is 2001; it must be from 0 to 2000"
)]
#[case(
    "turns.silence_duration_ms = 99",
    "model.turns.silence_duration_ms is 99; it must be from 100 to 10000"
)]
#[case(
    "turns.idle_timeout_ms = 4999",
    "model.turns.idle_timeout_ms is 4999; it must be from 5000 to 30000"
)]
#[case(
    "turns.eagerness = 'low'",
    "model.turns.eagerness is set, which is for model.turns.by = semantic, and \
     model.turns.by is server; change one of them"
)]
#[case(
    "turns = { by = 'semantic', threshold = 0.5 }",
    "model.turns.threshold is set, which is for model.turns.by = server, and \
     model.turns.by is semantic; change one of them"
)]
#[case(
    "language = 'english'",
    "model.language is `english`; it must be two letters of ISO 639-1 such as en, or empty"
)]
#[case("voice = ''", "model.voice is empty; use a voice of the provider's such as marin")]
#[case("formats = 'pcm24k, opus'", "model.formats holds `opus`; there are pcm24k and pcmu8k")]
#[case("second.formats = ''", "model.second.formats is empty; name at least one of pcm24k, pcmu8k")]
#[case(
    "url = 'wss://h'",
    "model.url is set but there is no key: set TANDEM__MODEL__KEY or TANDEM__MODEL__KEY_FILE"
)]
#[case(
    "second.url = 'wss://h'",
    "model.second.url is set but there is no key: set TANDEM__MODEL__SECOND__KEY or \
     TANDEM__MODEL__SECOND__KEY_FILE"
)]
fn what_cannot_work_is_named_with_its_value_and_its_range(
    #[case] text: &str,
    #[case] expected: &str,
) {
    assert_eq!(check(&model(text)), Err(expected.to_owned()));
}

#[test]
fn what_is_within_its_bounds_is_taken() {
    let text = "speed = 0.25\nlanguage = 'de'\nformats = 'pcmu8k'\n[turns]\nthreshold = 1\n\
                prefix_padding_ms = 0\nsilence_duration_ms = 10000\nidle_timeout_ms = 5000\n";
    assert_eq!(check(&model(text)), Ok(()));
    let text = "turns = { by = 'semantic', eagerness = 'high' }\nnoise_reduction = 'off'";
    assert_eq!(check(&model(text)), Ok(()));
}

#[test]
fn a_second_model_needs_a_first() {
    let mut lonely = model("second.url = 'wss://h'");
    lonely.second.key = Some("sk".into());
    assert!(check(&lonely).unwrap_err().contains("set model.url"));
}

#[test]
fn a_word_that_is_none_is_refused_and_headers_are_not_shown() {
    for text in ["noise_reduction = 'loud'", "turns.by = 'me'", "auth = 'basic'"] {
        assert!(toml_of(text).is_err(), "{text}");
    }
    let model = model("[headers]\nX-Gateway-Key = 'hidden'\n");
    assert_eq!(model.headers.0["X-Gateway-Key"], "hidden");
    assert!(!format!("{model:?}").contains("hidden"));
}
