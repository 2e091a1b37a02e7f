//! A server that is killed in the middle of what it does, again and again: calls are ordered, it is
//! killed at a moment drawn from a seed (`kill -9`), started anew, and the same order comes again.
//! The phone network is a simulated Twilio in this process, which outlives every kill and knows
//! who was rung how often; so is the endpoint that is told of ends.

mod desk;
mod ear;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tandem::rehearsal::twilio::{Settings, TwilioNetwork};

use crate::cli::Crash;
use crate::verdict::Word;
use desk::{ACCOUNT, Desk, NUMBER, PUBLIC, TOKEN};
use ear::Ear;

/// Whom to ring: a restaurant that talks, and a phone that rings on.
const CALLEES: [&str; 2] = ["+15550100", "+15550102"];

/// Most kills fall into the time of ordering and dialling; the rest while somebody talks.
const EARLY_MS: u64 = 60;
const LATE_MS: u64 = 1_500;

/// What was wrong, by kind.
#[derive(Default)]
struct Findings {
    kills: u64,
    /// Orders that were acknowledged before the kill.
    acknowledged: u64,
    /// Calls that were told of to their end.
    told: usize,
    doubled: Vec<String>,
    forgotten: Vec<String>,
    unsettled: Vec<String>,
    untold: Vec<String>,
}

impl Findings {
    fn all(&self) -> [(&'static str, &[String]); 4] {
        [
            ("orders that rang somebody twice", &self.doubled),
            ("acknowledged orders that were forgotten", &self.forgotten),
            ("calls of a dead run that were left open", &self.unsettled),
            ("ends that nobody was told of", &self.untold),
        ]
    }

    fn word(&self) -> Word {
        match self.all().iter().all(|(_, wrong)| wrong.is_empty()) {
            // Kills that all came too early, or all too late, show nothing.
            true if self.acknowledged == 0 || self.told == 0 => Word::NotValid,
            true => Word::Passed,
            false => Word::Failed,
        }
    }

    fn text(&self, seed: u64, took: Duration) -> String {
        let mut out = format!("{}\n", self.word().to_string().to_uppercase());
        for (what, wrong) in self.all() {
            let mark = if wrong.is_empty() { '✓' } else { '✗' };
            let _whole = writeln!(out, "  {mark} {what:<48}{:>6}", wrong.len());
        }
        let _whole = writeln!(
            out,
            "\ncrash · {} kills · seed {seed} · {:.1} s\n{:<52}{:>6}\n{:<52}{:>6}",
            self.kills,
            took.as_secs_f64(),
            "orders acknowledged before the kill",
            self.acknowledged,
            "calls told of to their end",
            self.told,
        );
        for line in self.all().iter().flat_map(|(_, wrong)| wrong.iter()) {
            let _whole = writeln!(out, "{line}");
        }
        out
    }
}

pub(crate) fn main(asked: &Crash) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().context("runtime not built");
    match runtime.and_then(|runtime| runtime.block_on(run(asked))) {
        Ok(word) => word.exit_code(),
        Err(error) => {
            crate::complain(&error);
            Word::Failed.exit_code()
        }
    }
}

async fn run(asked: &Crash) -> anyhow::Result<Word> {
    let began = Instant::now();
    let settings = Settings {
        account: ACCOUNT.to_owned(),
        auth_token: TOKEN.to_owned().into(),
        api_key: None,
        number: NUMBER.to_owned(),
        public_url: PUBLIC.to_owned(),
    };
    let twilio = TwilioNetwork::start(settings).await.context("no simulated Twilio")?;
    let ear = Ear::open().await?;
    let mut desk = Desk::new(&twilio)?;
    twilio.lead_to(desk.door());
    desk.start().await?;
    desk.tell(&ear.url()).await?;
    let mut findings = Findings::default();
    for place in 0..asked.seeds {
        one(asked.seed.wrapping_add(place), &mut desk, &twilio, &mut findings).await?;
        if place.is_multiple_of(20) {
            let since = began.elapsed().as_secs_f64();
            // Nobody sees it when this fails.
            let _unseen = writeln!(std::io::stderr(), "{since:>6.1}s  kills {place}");
        }
    }
    settle(&desk, &ear, &mut findings).await?;
    let out = findings.text(asked.seed, began.elapsed());
    std::io::stdout().write_all(out.as_bytes()).context("nobody reads")?;
    Ok(findings.word())
}

/// Orders a call, kills the server, starts it again and orders the same.
async fn one(
    seed: u64,
    desk: &mut Desk,
    twilio: &TwilioNetwork,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let mut chance = StdRng::seed_from_u64(seed);
    let early = chance.random_ratio(3, 4);
    let most = if early { EARLY_MS } else { LATE_MS };
    let moment = Duration::from_micros(chance.random_range(0..most * 1_000));
    let to = CALLEES[chance.random_range(0..CALLEES.len())];
    let before = twilio.orders();

    let order = desk.order(seed, to);
    let acknowledged = tokio::select! {
        // The answer and the kill race as they may.
        biased;
        () = tokio::time::sleep(moment) => { None }
        acknowledged = order => {
            if let Some(rest) = moment.checked_sub(desk.since_order()) {
                tokio::time::sleep(rest).await;
            }
            acknowledged
        }
    };
    desk.kill();
    findings.kills += 1;
    desk.start().await?;

    let again = desk.order(seed, to).await.context("the order was not taken after a restart")?;
    match &acknowledged {
        Some(call) if *call != again => {
            findings.acknowledged += 1;
            let line = format!("seed {seed}: {call} was acknowledged, {again} came of it again");
            findings.forgotten.push(line);
        }
        Some(_) => findings.acknowledged += 1,
        None => {}
    }
    // A call that is new now is dialled; one of the dead run is over.
    let lifecycle = desk.past_queued(&again).await?;
    let dials = twilio.orders() - before;
    if dials > 1 {
        findings.doubled.push(format!("seed {seed}: {again} was dialled {dials} times"));
    }
    if acknowledged.is_some() && lifecycle != "finalized" {
        let line = format!("seed {seed}: {again} is {lifecycle} after its server was killed");
        findings.unsettled.push(line);
    }
    Ok(())
}

/// Ends what is live; then every call of the record is over, and its end was told.
async fn settle(desk: &Desk, ear: &Ear, findings: &mut Findings) -> anyhow::Result<()> {
    let calls = desk.hang_up_all().await?;
    findings.told = ear.heard_of(&calls).await;
    for call in calls.iter().filter(|call| !ear.knows(call)) {
        findings.untold.push(format!("nobody was told that {call} is over"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_doubled_order_fails_a_run_and_kills_that_all_came_too_early_show_nothing() {
        let mut findings = Findings { kills: 3, told: 3, ..Findings::default() };
        assert_eq!(findings.word(), Word::NotValid);
        findings.acknowledged = 2;
        assert_eq!(findings.word(), Word::Passed);
        findings.doubled.push("seed 7: it was dialled 2 times".to_owned());
        assert_eq!(findings.word(), Word::Failed);
        let text = findings.text(1, Duration::from_secs(1));
        assert!(text.starts_with("FAILED\n") && text.contains("seed 7"), "{text}");
    }
}
