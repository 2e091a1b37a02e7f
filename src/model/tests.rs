//! Settings as models, and as nothing when they cannot be.

use tandem_actors::model::Model as _;

use super::*;

fn open(model: &config::Model) -> Result<Endpoints, Unusable> {
    super::open(model, "wss://api.openai.com/v1/realtime", &"sk-1".into())
}

fn with_second() -> config::Model {
    let mut model = config::Model::default();
    model.second.url = "wss://r.openai.azure.com/openai/v1/realtime".to_owned();
    model.second.key = Some("sk-2".into());
    model
}

#[test]
fn a_call_is_spoken_in_what_both_models_speak() {
    assert_eq!(open(&with_second()).unwrap().formats(), [Format::Pcm24k, Format::Pcmu8k]);
    let mut poor = with_second();
    poor.second.formats = Some("pcmu8k".to_owned());
    assert_eq!(open(&poor).unwrap().formats(), [Format::Pcmu8k]);
    poor.formats = "pcm24k".to_owned();
    assert!(open(&poor).unwrap_err().to_string().contains("model.second.formats"));
}

#[test]
fn a_setting_that_cannot_work_is_named_with_its_section() {
    let mut model = with_second();
    model.second.url.push_str("?api-version=2025-04-01-preview");
    let error = open(&model).unwrap_err().to_string();
    assert!(error.starts_with("configuration: model.second.url has `api-version`"), "{error}");
}

#[test]
fn what_is_left_out_is_not_said_to_the_server() {
    let mut settings = config::Model { speed: 1.25, ..config::Model::default() };
    settings.turns = config::Turns { by: By::Semantic, ..config::Turns::default() };
    settings.turns.eagerness = Some(config::Eagerness::High);
    let said = manner(&settings, "", true);
    assert_eq!((said.transcription, said.language, said.speed), (None, None, Some(1.25)));
    assert_eq!(said.turns, Turns::Semantic { eagerness: Some("high") });
    assert_eq!(manner(&config::Model::default(), "t", true).speed, None);
}
