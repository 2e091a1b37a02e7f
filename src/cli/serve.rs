//! `tandem serve`: the server, until the operating system wishes otherwise.

use std::process::ExitCode;

use clap::Args;

use super::say;
use crate::config::Config;
use crate::rehearsal::speech;
use crate::server::{Server, Stagehand};
use crate::shutdown::Shutdown;

#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Options {
    /// Print one JSON line when ready instead of the greeting; for programs that start it.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: &Options, config: &Config) -> anyhow::Result<ExitCode> {
    let mut shutdown = Shutdown::listen()?;
    let server = Server::start(config).await?;
    greet(options, config, &server);
    shutdown.wished().await;
    tracing::info!(live = server.desk.exchange.live(), "draining");
    server.stop(shutdown.wished()).await?;
    Ok(ExitCode::SUCCESS)
}

fn greet(options: &Options, config: &Config, server: &Server) {
    let url = server.url();
    if options.json {
        say(&serde_json::json!({ "listening": url }).to_string());
        return;
    }
    say(&format!("tandem serves on {url}   (stop with ctrl-c)"));
    match config.http.key {
        Some(_) => {
            let once = server.desk.invitation.renew();
            say(&format!("the page, once by this address, then with a key: {url}{once}"));
        }
        None => say(&format!("the page: {url}/")),
    }
    if let Some(door) = server.carriers {
        say(&format!("carriers are served on http://{door}; see tandem check"));
    }
    if let Some(stage) = &server.desk.stagehand {
        introduce(stage, &url);
    }
    if server.settled > 0 {
        say(&format!("settled {} call(s) that an earlier run had left behind", server.settled));
    }
}

/// Who can be rung in a rehearsal.
fn introduce(stage: &Stagehand, url: &str) {
    match &stage.model {
        Some(model) => say(&format!(
            "rehearsal: the phone network and the model ({}) are simulated, no phone can ring; \
             speech: {}",
            model.url(),
            speech::available().word()
        )),
        None => {
            say("rehearsal: the phone network is simulated, the model is not");
        }
    }
    say("place a call:");
    say("  tandem place +15550100 --task \"Ask for a table for four at seven tonight.\"");
    say(&format!(
        "  curl {url}/v1/calls -H 'content-type: application/json' \\\n       -d \
         '{{\"to\":\"+15550100\",\"task\":\"Ask for a table for four at seven tonight.\"}}'"
    ));
    say("numbers: +15550100 restaurant, 0101 busy, 0102 no answer, 0103 rejects, 0104 voicemail");
}
