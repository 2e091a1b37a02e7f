//! The settings that a server starts with, and the house that they make: what is the same for every
//! call, until somebody changes it.

use std::net::SocketAddr;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tandem_actors::audio::Format;
use tandem_actors::briefing::{Limits, Text};
use tandem_actors::call::consent::Pin;
use tandem_actors::carrier::Number;
use tandem_actors::tool::Promise;
use tokio::net::TcpListener;

use crate::config::{Config, Dialect, Kind};
use crate::persona::Persona;
use crate::reception::{House, Patience};
use crate::settings::{Build, Kept};
use crate::store::Store;
use crate::tool::own;

use super::network::Network;

/// What an inbound call is for whose number has no profile.
const INBOUND: &str = "Answer the task line: keep the caller's list of tasks.";

/// The settings of this run, and the carriers' door where there is one. What was kept for the start
/// never keeps a server from starting: without a door for the carrier that was chosen over the
/// interface there is the file's.
pub(super) async fn settled(
    base: &Config,
    store: &Store,
) -> anyhow::Result<(Kept, Option<TcpListener>)> {
    let kept = Kept::read(base, store, fits).await?;
    match super::carriers_door(&kept.run).await {
        Err(error) if kept.is_changed() => {
            tracing::warn!(%error, "there is no door for the carrier that was set over the API");
            Ok((kept.set_aside(), super::carriers_door(base).await?))
        }
        opened => Ok((kept, opened?)),
    }
}

/// Whether a server can be made of settings.
fn fits(config: &Config) -> Result<(), String> {
    Network::of(config).map_err(|error| error.to_string())?;
    let model = &config.model;
    if let Some(key) = model.key.as_ref().filter(|_| !model.url.is_empty()) {
        let opened = crate::model::open(model, &model.url, key);
        opened.map_err(|error| error.to_string().replacen("configuration: ", "", 1))?;
    }
    Ok(())
}

/// Makes houses at this address, with a model that takes these formats and these tools on the
/// shelf.
pub(super) fn build(address: SocketAddr, formats: Vec<Format>, shelf: Vec<Promise>) -> Build {
    Box::new(move |config| house(config, address, formats.clone(), shelf.clone()))
}

fn house(
    config: &Config,
    address: SocketAddr,
    formats: Vec<Format>,
    mut tools: Vec<Promise>,
) -> Result<House, String> {
    tools.extend(own::promises(own::House::of(config)));
    let limits = &config.limits;
    let language = Some(config.model.language.clone()).filter(|language| !language.is_empty());
    Ok(House {
        url: match config.carrier.kind {
            Kind::Acs | Kind::Twilio => config.http.public_url.clone(),
            Kind::Asterisk if !config.http.public_url.is_empty() => config.http.public_url.clone(),
            Kind::Rehearsal | Kind::Asterisk => format!("http://{address}"),
        },
        dialect: match config.carrier.kind {
            Kind::Rehearsal => config.rehearsal.dialect,
            Kind::Acs => config.acs.audio,
            Kind::Twilio => Dialect::Twilio,
            Kind::Asterisk => config.asterisk.audio,
        },
        voice: config.model.voice.clone(),
        formats,
        tools,
        gate: config.gate()?,
        limits: Limits {
            total: Duration::from_secs(limits.total_s),
            silence: Duration::from_secs(limits.silence_s),
            ringing: Duration::from_secs(limits.ringing_s),
            session: Duration::from_secs(limits.session_min * 60),
        },
        patience: Patience {
            time: Duration::from_secs(limits.queue_s),
            callers: limits.queue_calls,
        },
        number: Number::new(config.carrier.number.as_str()),
        human: Some(config.carrier.human.as_str())
            .filter(|human| !human.is_empty())
            .map(Number::new),
        pin: config.call.pin.as_ref().and_then(|pin| Pin::new(pin.expose_secret())),
        persona: Persona::of(&config.persona, language.as_deref()),
        language,
        voicemail: config.call.voicemail,
        recording: config.store.recording_consent,
        carrier_records: config.carrier_records(),
        inbound_task: Text(INBOUND.to_owned()),
    })
}
