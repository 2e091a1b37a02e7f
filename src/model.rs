//! The speech models: each turns a provider's socket into a [`tandem_actors::model::Line`].
//! A provider's name appears in its own folder and in the lines below that pick it.

pub mod endpoints;
pub mod openai;

use std::sync::Arc;

use secrecy::SecretString;
use tandem_actors::audio::Format;

use crate::config::{self, By};
use endpoints::{Endpoints, NoCommonFormat};
use openai::{Auth, Manner, NoiseReduction, OpenAi, Settings, SettingsError, Turns};

/// Settings from which no model can be made.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// One of them cannot work.
    #[error("configuration: {section}.{error}")]
    Setting {
        /// `model`, `model.second`.
        section: &'static str,
        /// Which and why.
        error: SettingsError,
    },
    /// A call could not go on at the second.
    #[error(
        "configuration: model.formats and model.second.formats have nothing in common, so no call \
         could go on at the second; name one format in both"
    )]
    Formats(#[from] NoCommonFormat),
}

/// The model of these settings, and the second one if there is one. The first is reached at this
/// address with this key, which in a rehearsal are not those of the settings.
///
/// # Errors
/// See [`Unusable`].
pub fn open(model: &config::Model, url: &str, key: &SecretString) -> Result<Endpoints, Unusable> {
    let first = Settings {
        url: url.to_owned(),
        model: model.name.clone(),
        key: key.clone(),
        auth: auth(model.auth),
        headers: model.headers.0.clone().into_iter().collect(),
        formats: formats(&model.formats),
        manner: manner(model, &model.transcription, model.truncate),
    };
    let mut places = vec![place("model", &first)?];
    let second = &model.second;
    if let Some(key) = second.key.as_ref().filter(|_| !second.url.is_empty()) {
        let transcription = second.transcription.as_ref().unwrap_or(&model.transcription);
        let settings = Settings {
            url: second.url.clone(),
            model: second.name.as_ref().unwrap_or(&model.name).clone(),
            key: key.clone(),
            auth: auth(second.auth),
            headers: second.headers.0.clone().into_iter().collect(),
            formats: formats(second.formats.as_ref().unwrap_or(&model.formats)),
            manner: manner(model, transcription, second.truncate.unwrap_or(model.truncate)),
        };
        places.push(place("model.second", &settings)?);
    }
    Ok(Endpoints::new(places)?)
}

fn place(
    section: &'static str,
    settings: &Settings,
) -> Result<(&'static str, Arc<dyn tandem_actors::model::Model>), Unusable> {
    match OpenAi::new(settings) {
        Ok(model) => Ok((section, Arc::new(model))),
        Err(error) => Err(Unusable::Setting { section, error }),
    }
}

/// Words were checked when the settings were read; one that slipped through is no format.
fn formats(setting: &str) -> Vec<Format> {
    config::formats(setting).unwrap_or_default()
}

const fn auth(auth: config::Auth) -> Auth {
    match auth {
        config::Auth::Bearer => Auth::Bearer,
        config::Auth::ApiKey => Auth::ApiKey,
    }
}

fn manner(model: &config::Model, transcription: &str, truncates: bool) -> Manner {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let turns = &model.turns;
    Manner {
        transcription: given(transcription),
        language: given(&model.language),
        noise_reduction: match model.noise_reduction {
            config::NoiseReduction::NearField => NoiseReduction::NearField,
            config::NoiseReduction::FarField => NoiseReduction::FarField,
            config::NoiseReduction::Off => NoiseReduction::Off,
        },
        turns: match turns.by {
            By::Server => Turns::Server {
                threshold: turns.threshold,
                prefix_padding_ms: turns.prefix_padding_ms,
                silence_duration_ms: turns.silence_duration_ms,
                idle_timeout_ms: turns.idle_timeout_ms,
            },
            By::Semantic => Turns::Semantic { eagerness: turns.eagerness.map(|it| it.word()) },
        },
        // A server that cannot speak faster need not know of it.
        speed: Some(model.speed).filter(|speed| (speed - 1.0).abs() > f32::EPSILON),
        truncates,
    }
}

#[cfg(test)]
mod tests;
