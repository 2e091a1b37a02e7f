//! Breaks calls on time: chooses which, orders the fault, and writes it down whatever came of it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tandem::rehearsal::pacer::sleep_until;
use tandem::rehearsal::phone::Probes;
use tandem::rehearsal::realtime::{Entry, Fault, Role, Whom};

use crate::faults::{Injected, Kind};
use crate::plan::Due;
use crate::server::Order;
use crate::world::{Live, World};

/// How often a call may be met in a time. What fails more often ends its call by design, so that
/// would not measure a repair.
#[derive(Clone, Copy)]
struct Budget {
    hits: usize,
    within: Duration,
}

/// A part is replaced five times in ten seconds; one less and a second more, since the two clocks
/// are not the same and parts may fall together.
const OF_PARTS: Budget = Budget { hits: 4, within: Duration::from_secs(11) };
/// The call's own actor, with which all parts fall: twice in thirty seconds.
const OF_CALL: Budget = Budget { hits: 2, within: Duration::from_secs(31) };
/// How long a call is left alone after a fault before a session of its is cut: two cuts into one
/// sentence could not be told apart.
const ALONE: Duration = Duration::from_secs(5);
/// How long a fault that needs a call in mid-sentence waits for one.
const SENTENCE_WITHIN: Duration = Duration::from_secs(3);
/// Between two looks for one.
const LOOK: Duration = Duration::from_millis(20);
/// A cut comes while less than this share of the answer was heard: what was cut must be missed.
const EARLY_PERCENT: u8 = 50;
/// Any other fault that shall be heard comes before this share was heard.
const LATE_PERCENT: u8 = 90;

/// Injects what is due, counted from `zero`. What has to wait for a sentence holds up nothing
/// else.
pub(crate) async fn inject(world: Arc<World>, due: Vec<Due>, zero: Instant) {
    let (cuts, others) = due.into_iter().partition(|fault| fault.kind == Kind::ModelCut);
    let hits = Mutex::default();
    tokio::join!(in_order(&world, cuts, zero, &hits), in_order(&world, others, zero, &hits));
}

async fn in_order(world: &World, due: Vec<Due>, zero: Instant, hits: &Mutex<Hits>) {
    for fault in due {
        sleep_until((zero + fault.at).into()).await;
        let victim = match fault.kind {
            Kind::ModelCut => in_sentence(world, fault, hits).await,
            Kind::MediaIn
            | Kind::RealtimeLink
            | Kind::ToolRunner
            | Kind::Confirmation
            | Kind::Leaves
            | Kind::Call
            | Kind::Pump => any(world, fault, &mut lock(hits)),
        };
        let mut injected = Injected {
            at_s: world.at_s(Instant::now()),
            kind: fault.kind,
            call: String::new(),
            line: 0,
            gap_ms: None,
            resumed_ms: None,
            refused: None,
        };
        let Some(victim) = victim else {
            injected.refused = Some("no call that could be met".to_owned());
            world.tally().faults.push(injected);
            continue;
        };
        injected.call.clone_from(&victim.call);
        injected.line = victim.line;
        let number = {
            let mut tally = world.tally();
            tally.faults.push(injected);
            tally.faults.len() - 1
        };
        lock(hits).count(&victim, fault.kind);
        victim.wound(number, fault.kind);
        match order(world, &victim, fault.kind).await {
            Ok(()) => {
                world.board.faults.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                world.tally().faults[number].refused = Some(format!("{error:#}"));
            }
        }
    }
}

async fn order(world: &World, victim: &Live, kind: Kind) -> anyhow::Result<()> {
    if kind == Kind::ModelCut {
        let session = session_of(world, victim);
        let session = session.ok_or_else(|| anyhow::anyhow!("no open session of this call"))?;
        world.model.misbehave(Whom::Session(session), Fault::Cut { after: Duration::ZERO });
        return Ok(());
    }
    let server = world.target.own();
    let server = server.ok_or_else(|| anyhow::anyhow!("only a server of ours has parts"))?;
    server.fault(Order { call_id: &victim.call, part: kind.word(), how: "panic" }).await
}

/// The open session in which the words of this line were heard.
fn session_of(world: &World, victim: &Live) -> Option<usize> {
    let line = u32::try_from(victim.line).ok()?;
    let words = Probes::words(line);
    let names = |entry: &Entry| match entry {
        Entry::Message { role: Role::User, text } => text.contains(&words),
        Entry::Message { .. } | Entry::Call { .. } | Entry::Output { .. } => false,
    };
    let sessions = world.model.sessions();
    let session = sessions.iter().rev().find(|it| it.open && it.entries.iter().any(names))?;
    Some(session.index)
}

/// Any call; every other time of its kind one that hears an answer, if there is one, for what
/// breaks in silence is hard to hear.
fn any(world: &World, fault: Due, hits: &mut Hits) -> Option<Arc<Live>> {
    let lives = hits.spared(world.lives(), fault.kind);
    let times = hits.times.entry(fault.kind).or_default();
    *times += 1;
    if *times % 2 == 1 {
        let mut hearing = lives.clone();
        hearing.retain(|live| (1..LATE_PERCENT).contains(&live.heard_percent()));
        if let Some(victim) = choose(&hearing, fault.pick) {
            return Some(victim);
        }
    }
    choose(&lives, fault.pick)
}

/// Waits for a call that is in the first part of an answer.
async fn in_sentence(world: &World, fault: Due, hits: &Mutex<Hits>) -> Option<Arc<Live>> {
    let give_up = Instant::now() + SENTENCE_WITHIN;
    loop {
        let mut lives = lock(hits).left_alone(world.lives());
        lives.retain(|live| (1..EARLY_PERCENT).contains(&live.heard_percent()));
        if let Some(victim) = choose(&lives, fault.pick) {
            return Some(victim);
        }
        if Instant::now() >= give_up {
            return None;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn lock(hits: &Mutex<Hits>) -> MutexGuard<'_, Hits> {
    hits.lock().unwrap_or_else(PoisonError::into_inner)
}

fn choose(lives: &[Arc<Live>], pick: f64) -> Option<Arc<Live>> {
    lives.get((pick * lives.len() as f64) as usize).cloned()
}

/// Who was met lately, and with what.
#[derive(Default)]
struct Hits {
    of_line: HashMap<usize, VecDeque<(Instant, Kind)>>,
    times: BTreeMap<Kind, u32>,
}

impl Hits {
    fn count(&mut self, victim: &Live, kind: Kind) {
        let hits = self.of_line.entry(victim.line).or_default();
        hits.retain(|(at, _)| at.elapsed() < OF_CALL.within);
        hits.push_back((Instant::now(), kind));
    }

    /// Those that were not met lately at all.
    fn left_alone(&self, mut lives: Vec<Arc<Live>>) -> Vec<Arc<Live>> {
        let met = |live: &Live| self.of_line.get(&live.line).and_then(VecDeque::back);
        lives.retain(|live| met(live).is_none_or(|(at, _)| at.elapsed() >= ALONE));
        lives
    }

    /// Those that can be met with this without being met too often.
    fn spared(&self, mut lives: Vec<Arc<Live>>, kind: Kind) -> Vec<Arc<Live>> {
        let is_of_call = kind == Kind::Call;
        let budget = if is_of_call { OF_CALL } else { OF_PARTS };
        lives.retain(|live| {
            let Some(hits) = self.of_line.get(&live.line) else { return true };
            let counts = |(at, met): &&(Instant, Kind)| {
                at.elapsed() < budget.within && (!is_of_call || *met == Kind::Call)
            };
            hits.iter().filter(counts).count() < budget.hits
        });
        lives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(count: usize) -> Vec<Arc<Live>> {
        (0..count).map(|line| Arc::new(Live::new(line, format!("call {line}")))).collect()
    }

    fn lines(lives: &[Arc<Live>]) -> Vec<usize> {
        lives.iter().map(|live| live.line).collect()
    }

    #[test]
    fn nobody_is_met_more_often_than_repairs_are_allowed() {
        let mut hits = Hits::default();
        let lives = lives(3);
        for _ in 0..OF_PARTS.hits {
            assert_eq!(hits.spared(lives.clone(), Kind::Pump).len(), 3);
            hits.count(&lives[1], Kind::MediaIn);
        }
        assert_eq!(lines(&hits.spared(lives.clone(), Kind::Pump)), [0, 2]);
        assert_eq!(lines(&hits.spared(lives.clone(), Kind::Call)), [0, 1, 2]);
        for _ in 0..OF_CALL.hits {
            hits.count(&lives[0], Kind::Call);
        }
        assert_eq!(lines(&hits.spared(lives.clone(), Kind::Call)), [1, 2]);
        assert_eq!(lines(&hits.left_alone(lives)), [2]);
    }

    #[test]
    fn every_call_can_be_chosen_and_none_from_nothing() {
        let lives = lives(4);
        for (pick, line) in [(0.0, 0), (0.3, 1), (0.999_999, 3)] {
            assert_eq!(choose(&lives, pick).expect("one of four").line, line);
        }
        assert!(choose(&[], 0.5).is_none());
    }
}
