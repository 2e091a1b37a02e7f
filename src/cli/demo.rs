//! `tandem demo`: a rehearsal on a stage of its own. Two calls are made, every part of them is
//! broken in the middle, and the verdict is whether anybody on the line could tell.

mod director;
mod screen;
mod verdict;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::Note;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::config::{Config, Kind};
use crate::reception::{Order, Ringing};
use crate::server::{Server, Stagehand};
use crate::telemetry;
use director::Director;
use screen::Screen;
use verdict::Ledger;

/// Both calls together; they take about a minute.
const LONGEST: Duration = Duration::from_secs(150);

const RESTAURANT: &str = "+15550100";
const TASK: &str = "Reserve a table for four at seven tonight at Luigi's, for Sam.";
const CALLER: &str = "+15550110";
const LINE: &str = "+15550199";

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
    config.store.dir = config.store.dir.join("demo");
    config.log.filter = "off".to_owned();
    telemetry::install(&config.log);
    let screen = Screen::new(options.json);
    let server = Server::start(&config).await?;
    let stage = server.desk.stagehand.clone().context("the demo needs a rehearsal")?;
    screen.open(&server);
    let mut live = server.desk.exchange.listen();
    let calls = begin(&server, &stage).await?;
    let mut ledger = Ledger::new(&calls);
    let mut director = Director::new(&calls, options.calm);
    let told = follow(&mut live, &mut ledger, &mut director, &screen, &server);
    let in_time = tokio::time::timeout(LONGEST, told).await.is_ok();
    for report in stage.carrier.reports(calls.iter().map(|(_, id)| id)).await {
        ledger.heard(report);
    }
    if let Some(recordings) = &server.desk.recordings {
        for (_, call) in &calls {
            recordings.finished(call).await;
            ledger.recorded(call, recordings.path(call)?);
        }
    }
    server.stop(std::future::ready(())).await?;
    let verdict = ledger.verdict(in_time, &director);
    screen.close(&verdict);
    Ok(if verdict.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Which of the two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// We ring a restaurant.
    Restaurant,
    /// Somebody rings our task line.
    TaskLine,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Restaurant => "restaurant",
            Self::TaskLine => "task line",
        }
    }
}

async fn begin(server: &Server, stage: &Stagehand) -> anyhow::Result<Vec<(Role, CallId)>> {
    let reception = &server.desk.reception;
    let dialect = stage.dialect;
    let wish = reception.wish(Text(TASK.to_owned()));
    let placed = reception.place(Order { to: Number::new(RESTAURANT), wish, once: None }).await?;
    let (from, to) = (Number::new(CALLER), Number::new(LINE));
    let taken = reception.take(Ringing { from, to, dialect }).await?;
    let calls = vec![(Role::Restaurant, placed.call), (Role::TaskLine, taken.call.clone())];
    stage.carrier.ring_in(taken.call, taken.addresses.media, Number::new(CALLER));
    Ok(calls)
}

/// Tells the screen, the ledger and the director every fact until both calls are over.
async fn follow(
    live: &mut broadcast::Receiver<Note>,
    ledger: &mut Ledger,
    director: &mut Director,
    screen: &Screen,
    server: &Server,
) {
    while !ledger.is_complete() {
        let note = match live.recv().await {
            Ok(note) => note,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Some(role) = ledger.take(&note) else { continue };
        screen.fact(role, &note.fact);
        if let Some(said) = director.direct(role, &note.fact, &server.desk.exchange) {
            screen.direction(role, said);
        }
    }
}
