//! A server that is killed in the middle of what it does, again and again: calls are ordered,
//! phones ring here, tools run, ends are told; it is killed at a moment drawn from a seed
//! (`kill -9`) and started anew. The phone network is a simulated Twilio in this process, which
//! outlives every kill and knows who was rung how often; so do the endpoints that are told of ends
//! and of a tool.

mod desk;
mod door;
mod scene;
mod verdict;

use std::collections::HashMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tandem::loads::TEXT;
use tandem::rehearsal::twilio::{Settings, TwilioNetwork};

use crate::cli::Crash;
use crate::keep::{Keep, Kept};
use crate::progress::Board;
use crate::verdict::Word;
use desk::{ACCOUNT, Desk, NUMBER, PUBLIC, TOKEN};
use door::Door;
use scene::{Scene, Step};
use verdict::Findings;

/// How long the last news may take: an endpoint that was refused a moment is left alone for some
/// seconds.
const NEWS: Duration = Duration::from_secs(90);

/// How long a conversation may take to come to its tool, or a call to its end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A phone whose server is gone keeps the line for so long, and a little more.
const LINE: Duration = Duration::from_secs(40);

pub(crate) fn main(asked: &Crash, keep: Option<&Keep>) -> ExitCode {
    let board = Arc::new(Board::default());
    let words = format!("{} kills, seed {}", asked.seeds, asked.seed);
    let kept = Kept::begin(keep, "crash", words, &board);
    let runtime = tokio::runtime::Runtime::new().context("runtime not built");
    match runtime.and_then(|runtime| runtime.block_on(run(asked, &board))) {
        Ok((findings, text)) => {
            kept.end(findings.word(), findings.wrong(), &[(TEXT, &text)]);
            findings.word().exit_code()
        }
        Err(error) => {
            kept.broke(&error);
            crate::complain(&error);
            Word::Failed.exit_code()
        }
    }
}

/// What there is for all kills.
struct World {
    desk: Desk,
    twilio: TwilioNetwork,
    /// Is told when calls are over.
    ear: Door,
    /// Cancels bookings.
    hand: Door,
    findings: Findings,
}

async fn run(asked: &Crash, board: &Board) -> anyhow::Result<(Findings, String)> {
    let began = Instant::now();
    let settings = Settings {
        account: ACCOUNT.to_owned(),
        auth_token: TOKEN.to_owned().into(),
        api_key: None,
        number: NUMBER.to_owned(),
        public_url: PUBLIC.to_owned(),
    };
    let twilio = TwilioNetwork::start(settings).await.context("no simulated Twilio")?;
    let ear = Door::open("{}").await?;
    let hand = Door::open(r#"{"spoken_message":"It is cancelled."}"#).await?;
    let mut desk = Desk::new(&twilio, &hand.url())?;
    twilio.lead_to(desk.door());
    desk.start().await?;
    desk.tell(&ear.url()).await?;
    let mut world = World { desk, twilio, ear, hand, findings: Findings::default() };
    for place in 0..asked.seeds {
        let seed = asked.seed.wrapping_add(place);
        board.phase(format!("kill {} of {}", place + 1, asked.seeds));
        world.one(seed).await.with_context(|| format!("seed {seed}"))?;
        if place.is_multiple_of(20) {
            let since = began.elapsed().as_secs_f64();
            // Nobody sees it when this fails.
            let _unseen = writeln!(std::io::stderr(), "{since:>6.1}s  kills {place}");
        }
    }
    board.phase("every call is over, every end is told");
    world.settle().await?;
    let out = world.findings.text(asked.seed, began.elapsed());
    std::io::stdout().write_all(out.as_bytes()).context("nobody reads")?;
    Ok((world.findings, out))
}

impl World {
    /// One kill, and what the next server makes of it.
    async fn one(&mut self, seed: u64) -> anyhow::Result<()> {
        let scene = Scene::of(seed);
        match scene.step {
            Step::Placing | Step::Talking => self.order(seed, scene).await?,
            Step::Telling => self.tell(seed, scene).await?,
            Step::Answering | Step::Tool => self.ring(scene).await?,
        }
        self.findings.kills.push(scene.step);
        // Whoever is still on the line shall not be cut off by the next kill too.
        for call in self.desk.open_calls().await? {
            if self.desk.end(&call).await?.is_none() {
                self.findings.unsettled.push(format!("seed {seed}: {call} does not end"));
            }
        }
        Ok(())
    }

    async fn kill(&mut self) -> anyhow::Result<()> {
        self.desk.kill();
        self.desk.start().await
    }

    /// Orders a call, kills the server, starts it again and orders the same.
    async fn order(&mut self, seed: u64, scene: Scene) -> anyhow::Result<()> {
        let (before, moment) = (self.twilio.orders(), scene.moment);
        let order = self.desk.order(seed, scene.other);
        let acknowledged = tokio::select! {
            // The answer and the kill race as they may.
            biased;
            () = tokio::time::sleep(moment) => { None }
            acknowledged = order => {
                if let Some(rest) = moment.checked_sub(self.desk.since_order()) {
                    tokio::time::sleep(rest).await;
                }
                acknowledged
            }
        };
        self.kill().await?;
        self.ordered_again(seed, scene, before, acknowledged).await
    }

    /// The same order comes to the next server.
    async fn ordered_again(
        &mut self,
        seed: u64,
        scene: Scene,
        before: u64,
        acknowledged: Option<String>,
    ) -> anyhow::Result<()> {
        let again = self.desk.order(seed, scene.other).await;
        let again = again.context("the order was not taken after a restart")?;
        match &acknowledged {
            Some(call) if *call != again => {
                self.findings.acknowledged += 1;
                let line =
                    format!("seed {seed}: {call} was acknowledged, {again} came of it again");
                self.findings.forgotten.push(line);
            }
            Some(_) => self.findings.acknowledged += 1,
            None => {}
        }
        // A call that is new now is dialled; one of the dead run is over, or goes on.
        self.desk.past_queued(&again).await?;
        let dials = self.twilio.orders() - before;
        if dials > 1 {
            let line = format!("seed {seed}: {again} was dialled {dials} times");
            self.findings.doubled.push(line);
        }
        Ok(())
    }

    /// The end of a call is told, and the server is killed meanwhile.
    async fn tell(&mut self, seed: u64, scene: Scene) -> anyhow::Result<()> {
        let before = self.twilio.orders();
        let call = self.desk.order(seed, scene.other).await.context("the order was not taken")?;
        ensure!(self.ear.comes(NEWS, is_end_of(&call)).await, "{call}: its end is not told");
        tokio::time::sleep(scene.moment).await;
        self.kill().await?;
        self.ordered_again(seed, scene, before, Some(call)).await
    }

    /// Somebody rings here; the server is killed while it answers, or when its tool is at work.
    async fn ring(&mut self, scene: Scene) -> anyhow::Result<()> {
        let known = self.hand.requests().len();
        let name = self.twilio.ring_in(scene.other);
        if scene.step == Step::Tool {
            let began = Instant::now();
            while self.hand.requests().len() == known {
                ensure!(began.elapsed() < PATIENCE, "no tool was used on {name}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        tokio::time::sleep(scene.moment).await;
        self.kill().await
    }

    /// Ends what is live; then every call of the record is over, and its end was told.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let calls = self.desk.all_calls().await?;
        for call in &calls {
            self.findings.told += usize::from(self.ear.comes(NEWS, is_end_of(call)).await);
            if !self.ear.requests().iter().any(is_end_of(call)) {
                self.findings.untold.push(format!("nobody was told that {call} is over"));
            }
        }
        self.judge_effects().await?;
        for name in self.twilio.calls() {
            let ended = tokio::time::timeout(LINE, self.twilio.ended(&name)).await;
            if !matches!(ended, Ok(Ok(_))) {
                self.findings.unsettled.push(format!("{name} is left open at Twilio"));
            }
            let streams = self.twilio.call(&name).map_or(0, |record| record.streams);
            self.findings.went_on += u64::from(streams > 1);
        }
        Ok(())
    }

    /// No effect came twice, and what the record tells of each is so.
    async fn judge_effects(&mut self) -> anyhow::Result<()> {
        let mut done: HashMap<String, Vec<Value>> = HashMap::new();
        for said in self.hand.requests() {
            let call = said["call"].as_str().unwrap_or_default().to_owned();
            done.entry(call).or_default().push(said);
        }
        self.findings.effects = done.len();
        for (call, effects) in &done {
            if effects.len() > 1 {
                let line = format!("{call} cancelled the booking {} times", effects.len());
                self.findings.effects_doubled.push(line);
            }
        }
        for (call, verdict) in self.desk.tools_answered().await? {
            let happened = done.contains_key(&call);
            let is_wrong = match verdict.as_str() {
                "success" => !happened,
                // Nobody knows, or it may still come.
                "unknown" | "temporary" => false,
                _ => happened,
            };
            if is_wrong {
                let line = format!("{call}: told as {verdict}, and it did happen: {happened}");
                self.findings.effects_mistold.push(line);
            }
        }
        Ok(())
    }
}

fn is_end_of(call: &str) -> impl Fn(&Value) -> bool {
    move |said| said["type"] == "call.finalized" && said["data"]["id"] == call
}
