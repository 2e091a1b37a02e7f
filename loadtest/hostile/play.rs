//! Plays one script against the real runtime: an exchange of its own with all calls of the script,
//! on one thread, in virtual time, so that a minute of calls takes milliseconds and the same
//! script takes the same course.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tandem::tool::{own, tasks};
use tandem_actors::audio::Payload;
use tandem_actors::briefing::{Briefing, CallId, Clips, Direction, Limits, Recording, Voicemail};
use tandem_actors::call::consent::Pin;
use tandem_actors::call::event::{Input, Order};
use tandem_actors::carrier::{Addresses, Answerer, Event, Number};
use tandem_actors::exchange::{Exchange, Setup};
use tandem_actors::seed::Ports;
use tandem_actors::tool::{Promise, Tool};
use tokio::sync::mpsc;

use super::book::Book;
use super::deeds::{self, Paces};
use super::human::{Human, PIN};
use super::lines::{Network, Sessions, Stages, line, ring};
use super::model::Player;
use super::script::{Attack, Callee, Script};
use super::stage::{FORMAT, Stage, clip};
use super::truth::{Truth, Wrong};

/// A call that has not ended by then does not end: longer than any script takes.
const CALL: Duration = Duration::from_secs(900);

/// A call that is told to end has done so by then.
const ENDED: Duration = Duration::from_secs(60);

/// What tools still do after the calls have ended is waited for.
const LATE: Duration = Duration::from_secs(20);

/// A phone is heard this often: a call takes one that is silent for five seconds for gone.
const SILENCE: Duration = Duration::from_secs(2);

/// What came of a script.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) seed: u64,
    pub(crate) calls: usize,
    pub(crate) truth: Truth,
    /// Each tool call of each attack, with what it was told.
    pub(crate) ends: BTreeMap<(Attack, String), u64>,
}

/// Plays a script to its end. `told` when its story is wanted.
pub(crate) fn play(script: Script, told: bool) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets has nothing that could be refused");
    runtime.block_on(run(script, told))
}

async fn run(script: Script, told: bool) -> Played {
    let script = Arc::new(script);
    let truth = Arc::new(Mutex::new(Truth::new(told)));
    let (book, paces) = (Book::new(Arc::clone(&truth)), Paces::default());
    let clock: tasks::Clock =
        Arc::new(|| jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC));
    let mut shelf = tasks::all(&book, &clock);
    shelf.extend(deeds::tools(&truth, &paces));
    let promises: Vec<Promise> = shelf
        .iter()
        .map(|tool| tool.promise().clone())
        .chain(own::promises(own::House::default()))
        .collect();
    let named = |tool: Arc<dyn Tool>| (tool.promise().name.clone(), tool);
    let stages = Stages::default();
    let ports = Ports {
        model: Arc::new(Sessions(Arc::clone(&stages))),
        carrier: Arc::new(Network),
        tools: Arc::new(shelf.into_iter().map(named).collect()),
        record: Arc::new(book.clone()),
        live: Exchange::channel(),
    };
    let exchange = Exchange::open(Setup { limit: script.calls.len(), ports }).await;
    let mut players = Vec::new();
    let mut all = Vec::new();
    for (n, plan) in script.calls.iter().enumerate() {
        let call = CallId::new(&format!("call-{n}"));
        book.give(&call, &script.tasks);
        paces.lock().unwrap_or_else(PoisonError::into_inner).insert(call.clone(), plan.pace);
        let (truth, script) = (Arc::clone(&truth), Arc::clone(&script));
        let stage = Arc::new(Stage::new(call.clone(), plan.clone(), script, truth));
        let known = Arc::clone(&stage);
        stages.lock().unwrap_or_else(PoisonError::into_inner).insert(call.to_string(), known);
        begin(&exchange, &stage, &promises);
        let (exchange, known) = (exchange.clone(), Arc::clone(&stage));
        let player = Player { stage: known, exchange };
        players.push(tokio::spawn(tokio::time::timeout(CALL, player.play())));
        all.push(stage);
    }
    for player in players {
        // One that waits for ever is found by its call, which does not end.
        drop(player.await);
    }
    end(&exchange, &all).await;
    gather(script.seed, &all, &truth)
}

/// Admits a call and picks up its phone.
fn begin(exchange: &Exchange, stage: &Arc<Stage>, promises: &[Promise]) {
    let addresses = Addresses { media: String::new(), events: String::new() };
    let briefing = briefing(stage, promises);
    exchange.admit(briefing, addresses, None).expect("the exchange has room for the script");
    if stage.plan.discloses {
        stage.truth().must_disclose(&stage.call);
    }
    let (near, far) = line();
    exchange.attach(&stage.call, near).expect("the call has no phone yet");
    far.says.try_send(Event::Started).expect("a fresh line takes an event");
    if stage.plan.callee == Callee::Machine {
        exchange.tell(&stage.call, Input::Detected(Answerer::Machine));
    }
    drop(tokio::spawn(silence(far.says.clone())));
    drop(tokio::spawn(ring(Arc::clone(stage), far.told)));
    let human = Human { stage: Arc::clone(stage), says: far.says };
    drop(tokio::spawn(human.live()));
}

async fn silence(says: mpsc::Sender<Event>) {
    let frame = Payload::from_base64(Bytes::from("/".repeat(216))).expect("base64");
    while says.send(Event::Heard(frame.clone())).await.is_ok() {
        tokio::time::sleep(SILENCE).await;
    }
}

fn briefing(stage: &Stage, promises: &[Promise]) -> Briefing {
    let plan = &stage.plan;
    Briefing {
        call: stage.call.clone(),
        direction: if plan.outbound { Direction::Outbound } else { Direction::Inbound },
        remote: Number::new("+15550100"),
        local: Number::new("+15550199"),
        task: "hostile".into(),
        instructions: stage.call.to_string().as_str().into(),
        greeting: "Greet.".into(),
        voice: String::new(),
        format: FORMAT,
        tools: promises.to_vec(),
        limits: Limits {
            total: Duration::from_secs(600),
            silence: Duration::from_secs(12),
            ringing: Duration::from_secs(30),
            session: Duration::from_secs(3_300),
        },
        clips: Arc::new(Clips {
            bridge: clip(),
            apology: clip(),
            goodbye: clip(),
            enter_pin: clip(),
            wrong_pin: clip(),
            turned_away: clip(),
            hand_over: clip(),
            keys: Vec::new(),
        }),
        voicemail: match plan.waits_on_machines {
            true => Voicemail::Wait,
            false => Voicemail::LeaveMessage("Leave it.".into()),
        },
        door: None,
        discloses: plan.discloses,
        recording: Recording::FromTheStart,
        pin: Pin::new(PIN),
        language: plan.english.then(|| "en".to_owned()),
        human: None,
        own: own::read,
        before: None,
    }
}

/// Ends what has not ended.
async fn end(exchange: &Exchange, stages: &[Arc<Stage>]) {
    for stage in stages {
        exchange.tell(&stage.call, Input::Order(Order::HangUp));
    }
    if tokio::time::timeout(ENDED, exchange.emptied()).await.is_err() {
        for stage in stages.iter().filter(|stage| exchange.calls().contains(&stage.call)) {
            stage.truth().accuse(Wrong::Endless, format!("{} does not end", stage.call));
        }
    }
    tokio::time::sleep(LATE).await;
}

fn gather(seed: u64, stages: &[Arc<Stage>], truth: &Mutex<Truth>) -> Played {
    let mut ends = BTreeMap::new();
    for stage in stages {
        let state = stage.state();
        for (attack, id) in &state.tried {
            let told = state.answers.get(id).map_or("no answer", String::as_str);
            *ends.entry((*attack, told.to_owned())).or_default() += 1;
        }
    }
    let truth = std::mem::take(&mut *truth.lock().unwrap_or_else(PoisonError::into_inner));
    Played { seed, calls: stages.len(), truth, ends }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seed: u64) -> Played {
        play(Script::draw(seed), true)
    }

    #[test]
    fn the_same_seed_takes_the_same_course() {
        for seed in 1..4 {
            let story = told(seed).truth.story.expect("it was asked for");
            assert!(story.len() > 100, "{} lines", story.len());
            let again = told(seed).truth.story.expect("it was asked for");
            let other = story.iter().zip(&again).find(|(one, two)| one != two);
            assert_eq!(other, None, "seed {seed}");
        }
    }

    #[test]
    fn what_is_approved_is_done_and_nothing_else() {
        let played: Vec<Played> = (100..140).map(|seed| play(Script::draw(seed), false)).collect();
        let done: u64 = played.iter().map(|played| played.truth.rightly_done).sum();
        assert!(done > 20, "{done} effects");
        for played in &played {
            assert_eq!(played.truth.wrong, [], "script {}", played.seed);
        }
    }
}
