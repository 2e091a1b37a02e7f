//! `tandem demo`: a rehearsal on a stage of its own. Six calls are made as users make them: one
//! rings here, one is scheduled, three are asked the same and one of them is chosen. Every part is
//! broken in the middle, and the verdict is whether anybody on the line could tell.

mod director;
mod screen;
mod story;
mod verdict;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use tandem_actors::record::Note;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::config::{Config, Kind, Policy};
use crate::server::Server;
use crate::telemetry;
use director::Director;
use screen::Screen;
use story::Story;
use verdict::Ledger;

/// All calls together; they take about a minute.
const LONGEST: Duration = Duration::from_secs(180);

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Options {
    /// Print one JSON document at the end and nothing else on standard output.
    #[arg(long)]
    json: bool,
    /// Break nothing: listen to the calls as they are.
    #[arg(long)]
    calm: bool,
}

pub(super) async fn run(options: &Options, mut config: Config) -> anyhow::Result<ExitCode> {
    // A stage of its own: beside a running server, and quiet but for errors.
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.carrier.kind = Kind::Rehearsal;
    config.policy = Policy::default();
    config.store.dir = config.store.dir.join("demo");
    config.log.filter = "off".to_owned();
    telemetry::install(&config.log);
    let screen = Screen::new(options.json);
    let server = Server::start(&config).await?;
    let stage = server.desk.stagehand.clone().context("the demo needs a rehearsal")?;
    screen.open(&server);
    let mut live = server.desk.exchange.listen();
    let story = Story::begin(&server, &stage).await?;
    let mut ledger = Ledger::default();
    let mut director = Director::new(options.calm);
    let told = async {
        tokio::join!(
            story.tell(),
            follow(&mut live, &story, &mut ledger, &mut director, &screen, &server)
        )
    };
    let ending = match tokio::time::timeout(LONGEST, told).await {
        Ok((ending, ())) => Some(ending?),
        Err(_elapsed) => None,
    };
    for report in stage.carrier.reports(ledger.calls().iter()).await {
        ledger.heard(report);
    }
    if let Some(recordings) = &server.desk.recordings {
        for call in ledger.calls() {
            recordings.finished(&call).await;
            ledger.recorded(&call, recordings.path(&call)?);
        }
    }
    server.stop(std::future::ready(())).await?;
    let verdict = ledger.verdict(ending, &director);
    screen.close(&verdict);
    Ok(if verdict.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Which of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    /// Somebody rings our task line.
    TaskLine,
    /// A schedule rings a restaurant.
    Scheduled,
    /// One of the three that are asked: cheap, a table at nine.
    Bistro,
    /// Another: dearer, a table at seven.
    Trattoria,
    /// The third: fully booked.
    FullHouse,
    /// The one that was chosen is rung again.
    Chosen,
}

impl Role {
    const ALL: [Self; 6] = [
        Self::TaskLine,
        Self::Scheduled,
        Self::Bistro,
        Self::Trattoria,
        Self::FullHouse,
        Self::Chosen,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::TaskLine => "task line",
            Self::Scheduled => "scheduled",
            Self::Bistro => "bistro",
            Self::Trattoria => "trattoria",
            Self::FullHouse => "full house",
            Self::Chosen => "chosen",
        }
    }
}

/// Tells the screen, the ledger and the director every fact until all calls are over.
async fn follow(
    live: &mut broadcast::Receiver<Note>,
    story: &Story,
    ledger: &mut Ledger,
    director: &mut Director,
    screen: &Screen,
    server: &Server,
) {
    let mut roles = HashMap::new();
    while !ledger.is_complete() {
        let Note { call, fact, .. } = match live.recv().await {
            Ok(note) => note,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if !roles.contains_key(&call) {
            roles.insert(call.clone(), story.role(&call).await);
        }
        // What an earlier demo had ordered and was killed over is none of this story.
        let Some(role) = roles.get(&call).copied().flatten() else { continue };
        ledger.take(role, &call, &fact);
        screen.fact(role, &fact);
        if let Some(words) = director.direct(role, &call, &fact, &server.desk.exchange) {
            screen.direction(role, words);
        }
    }
}
