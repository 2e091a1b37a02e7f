//! A session with the model, opened and configured as a call would, and closed again.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use tandem_actors::briefing::Text;
use tandem_actors::model::{self, Command, Loss, Model, Session};

use crate::config::Config;

/// From the open socket to the configured session. Providers take a quarter of a second.
const CONFIGURED: Duration = Duration::from_secs(10);

pub(super) async fn look(config: &Config) -> Result<String, String> {
    let key = config.model.key.clone().ok_or("TANDEM__MODEL__KEY is not set")?;
    let model = crate::model::open(&config.model, &config.model.url, &key).map_err(|error| {
        format!("{error}; set model.url to a wss:// address, and the key again")
    })?;
    let began = Instant::now();
    let mut line = model.connect().await.map_err(|error| match error.loss {
        Loss::Final(_) => format!("{error}; check TANDEM__MODEL__KEY and model.auth"),
        Loss::Passing(_) | Loss::RateLimited(_) => {
            format!("{error}; check model.url and model.name, or try again")
        }
    })?;
    let session = Session {
        instructions: Text("This is a check of the connection. Say nothing.".to_owned()),
        voice: config.model.voice.clone(),
        format: model.formats()[0],
        tools: Vec::new(),
    };
    let opened = began.elapsed().as_millis();
    let configured = tokio::time::timeout(CONFIGURED, model::configure(&mut line, session)).await;
    let waited = CONFIGURED.as_secs();
    let configured = configured.map_err(|_| format!("not configured within {waited} s; try again"));
    configured?.map_err(|error| match error.loss {
        Loss::Final(_) => format!(
            "the provider {}; check TANDEM__MODEL__KEY, model.auth and the account's quota, and \
             model.name, model.voice and model.transcription",
            error.what
        ),
        Loss::Passing(_) => format!("{}; try again", error.what),
        Loss::RateLimited(wait) => format!("{}; try again after {} s", error.what, wait.as_secs()),
    })?;
    let ready = began.elapsed().as_millis();
    // The far end may be gone by then; the session ends either way.
    let _gone = line.send(Command::Close);
    let _gone = poll_fn(|cx| line.poll_flush(cx)).await;
    Ok(format!("socket open after {opened} ms, session configured after {ready} ms"))
}
