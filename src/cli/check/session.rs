//! A session with the model, opened and configured as a call would, and closed again.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use tandem_actors::briefing::Text;
use tandem_actors::model::{Command, Event, Line, Loss, Model, Refusal, Session};

use crate::config::Config;
use crate::model;

/// From the open socket to the configured session. Providers take a quarter of a second.
const CONFIGURED: Duration = Duration::from_secs(10);

pub(super) async fn look(config: &Config) -> Result<String, String> {
    let Some(key) = config.model.key.clone().filter(|_| !config.model.url.is_empty()) else {
        return Ok("simulated: no model.url with a key is set".to_owned());
    };
    let model = model::open(&config.model, &config.model.url, &key).map_err(|error| {
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
    let configured = tokio::time::timeout(CONFIGURED, configure(&mut line, session)).await;
    let waited = CONFIGURED.as_secs();
    configured.unwrap_or_else(|_| Err(format!("not configured within {waited} s; try again")))?;
    let ready = began.elapsed().as_millis();
    // The far end may be gone by then; the session ends either way.
    let _gone = line.send(Command::Close);
    let _gone = poll_fn(|cx| line.poll_flush(cx)).await;
    let name = &config.model.name;
    Ok(format!("{name}: socket open after {opened} ms, session configured after {ready} ms"))
}

async fn configure(line: &mut Line, session: Session) -> Result<(), String> {
    line.send(Command::Configure(session)).map_err(|error| error.to_string())?;
    poll_fn(|cx| line.poll_flush(cx)).await.map_err(|error| error.to_string())?;
    loop {
        match poll_fn(|cx| line.poll_event(cx)).await.map_err(|error| error.to_string())? {
            Event::Ready => return Ok(()),
            Event::Refused(Refusal::Other(code)) => {
                return Err(format!(
                    "the session was refused: {code}; check model.name, model.voice and \
                     model.transcription"
                ));
            }
            Event::Fatal(loss) => {
                return Err(format!("the provider ended the session: {}", why(&loss)));
            }
            Event::Refused(Refusal::ResponseActive(_) | Refusal::NothingToCancel)
            | Event::Expires(_)
            | Event::Exhausted(_)
            | Event::CallerStarted(_)
            | Event::CallerStopped(_)
            | Event::CallerCommitted(_)
            | Event::CallerWords(..)
            | Event::CallerSaid(..)
            | Event::Responding { .. }
            | Event::Spoke { .. }
            | Event::Said { .. }
            | Event::Asked { .. }
            | Event::Responded { .. } => {}
        }
    }
}

fn why(loss: &Loss) -> String {
    match loss {
        Loss::Passing(code) => format!("{code}; try again"),
        Loss::RateLimited(wait) => format!("rate limited; try again after {} s", wait.as_secs()),
        Loss::Final(code) => {
            format!("{code}; check TANDEM__MODEL__KEY, model.auth, the quota and the account")
        }
    }
}
