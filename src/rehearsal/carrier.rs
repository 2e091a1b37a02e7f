//! The simulated carrier: rings simulated people, by number, and lets them ring us. It reaches
//! the server the way a real one does, through the public media routes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{Carrier, CarrierCallId, CarrierError, Dial, Digit, Number};
use tandem_actors::exchange::Exchange;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::callee::{self, Answer, Report};
use super::phone::{Dialect, Dialled};

/// Calls whose report is kept; the oldest are forgotten.
const REPORTS: usize = 256;

/// A phone that is told to hang up has hung up by then; its report is waited for so long.
const HANGING_UP: Duration = Duration::from_secs(5);

/// The simulated carrier; a port of the exchange in a rehearsal.
#[derive(Default)]
pub struct Simulated {
    exchange: OnceLock<Exchange>,
    lines: Arc<Mutex<Lines>>,
}

#[derive(Default)]
struct Lines {
    live: HashMap<String, Live>,
    reports: Vec<CallReport>,
    told: watch::Sender<usize>,
}

/// A call whose phone is on the line, or rings.
struct Live {
    call: CallId,
    hang_up: CancellationToken,
    keys: mpsc::Sender<char>,
}

/// The phone's side of it.
struct Ends {
    hang_up: CancellationToken,
    keys: mpsc::Receiver<char>,
}

/// Keys that wait for somebody to look at them: one order has at most 32.
const KEYS_MAX: usize = 64;

/// From the moment a caller is taken away from us to the word that it went well.
const TAKEN: Duration = Duration::from_millis(200);

/// What the phone of a call has to say about it.
#[derive(Clone, Debug)]
pub struct CallReport {
    /// The call.
    pub call: CallId,
    /// The agent's utterances, as the phone heard them.
    pub heard: Vec<String>,
    /// What became of the frames.
    pub frames: Frames,
}

/// The phone's own account of what reached its ear.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Frames {
    /// Frames of speech heard.
    pub heard: u64,
    /// Missing inside an utterance.
    pub lost: u64,
    /// Heard twice.
    pub doubled: u64,
    /// Heard out of order.
    pub reordered: u64,
    /// The longest silence inside an utterance, in milliseconds.
    pub longest_gap_ms: u64,
}

impl Simulated {
    /// Tells the carrier whom to call back.
    pub fn serve(&self, exchange: Exchange) {
        // A carrier serves one exchange for its life.
        let _first = self.exchange.set(exchange);
    }

    /// Somebody at `from` rings this call's media address.
    pub fn ring_in(&self, call: CallId, media_url: String, from: Number) {
        let name = CarrierCallId(format!("rehearsal-{call}"));
        let ends = self.enter(&call, &name);
        self.tell(&call, Input::Placed(name.clone()));
        drop(tokio::spawn(converse(
            Arc::clone(&self.lines),
            call,
            dialled(media_url, &name),
            from,
            ends,
        )));
    }

    /// The reports of these calls, as soon as their phones have hung up.
    pub async fn reports<'a>(&self, calls: impl Iterator<Item = &'a CallId>) -> Vec<CallReport> {
        let calls: Vec<&CallId> = calls.collect();
        let mut told = self.lines().told.subscribe();
        let all = async {
            while self.known(&calls).len() < calls.len() && told.changed().await.is_ok() {}
        };
        // Whoever has not hung up by then has no report.
        let _in_time = tokio::time::timeout(HANGING_UP, all).await;
        self.known(&calls)
    }

    fn known(&self, calls: &[&CallId]) -> Vec<CallReport> {
        let lines = self.lines();
        let wanted = |report: &&CallReport| calls.contains(&&report.call);
        lines.reports.iter().filter(wanted).cloned().collect()
    }

    fn enter(&self, call: &CallId, name: &CarrierCallId) -> Ends {
        let hang_up = CancellationToken::new();
        let (presses, keys) = mpsc::channel(KEYS_MAX);
        let live = Live { call: call.clone(), hang_up: hang_up.clone(), keys: presses };
        self.lines().live.insert(name.0.clone(), live);
        Ends { hang_up, keys }
    }

    fn tell(&self, call: &CallId, input: Input) {
        if let Some(exchange) = self.exchange.get() {
            exchange.tell(call, input);
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Carrier for Simulated {
    fn place(&self, dial: Dial) -> BoxFuture<'static, Result<CarrierCallId, CarrierError>> {
        let name = CarrierCallId(format!("rehearsal-{}", dial.call));
        let ends = self.enter(&dial.call, &name);
        let exchange = self.exchange.get().cloned();
        let lines = Arc::clone(&self.lines);
        let line = dialled(dial.addresses.media, &name);
        drop(tokio::spawn(async move {
            let answer = tokio::select! {
                answer = callee::ring(&dial.to) => answer,
                () = ends.hang_up.cancelled() => return,
            };
            match answer {
                Answer::PicksUp => converse(lines, dial.call, line, dial.to, ends).await,
                Answer::Refuses(outcome) => {
                    if let Some(exchange) = exchange {
                        let reason = outcome.word().to_owned();
                        exchange.tell(&dial.call, Input::Ended(outcome, reason));
                    }
                }
            }
        }));
        Box::pin(std::future::ready(Ok(name)))
    }

    fn hang_up(&self, call: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>> {
        // A call that is over already is a success.
        if let Some(live) = self.lines().live.remove(&call.0) {
            live.hang_up.cancel();
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn press(
        &self,
        call: CarrierCallId,
        keys: Vec<Digit>,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let pressed = match self.lines().live.get(&call.0) {
            Some(live) => keys.iter().try_for_each(|key| live.keys.try_send(key.key())),
            // Whoever has hung up hears no keys.
            None => Ok(()),
        };
        let pressed = pressed.map_err(|error| CarrierError::Unknown(error.to_string()));
        Box::pin(std::future::ready(pressed))
    }

    fn transfer(
        &self,
        call: CarrierCallId,
        to: Number,
        _introduction: Text,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let line =
            self.lines().live.get(&call.0).map(|live| (live.call.clone(), live.hang_up.clone()));
        let (Some((call, taken)), Some(exchange)) = (line, self.exchange.get().cloned()) else {
            return Box::pin(std::future::ready(Err(CarrierError::Refused(Outcome::Failed))));
        };
        drop(tokio::spawn(async move {
            let result = match callee::ring(&to).await {
                Answer::PicksUp => {
                    // The two talk without us: our media ends before we are told why.
                    taken.cancel();
                    tokio::time::sleep(TAKEN).await;
                    Ok(())
                }
                Answer::Refuses(outcome) => Err(outcome.word().to_owned()),
            };
            exchange.tell(&call, Input::Transferred(result));
        }));
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The dialect follows from the address: each carrier has its own.
fn dialled(media_url: String, name: &CarrierCallId) -> Dialled {
    let dialect = match &media_url {
        url if url.contains("/twilio/") => Dialect::Twilio,
        url if url.contains("/asterisk/") => Dialect::Asterisk24k,
        url if url.ends_with("pcm16KMono") => Dialect::Acs16k,
        _ => Dialect::Acs24k,
    };
    Dialled {
        url: media_url,
        dialect,
        carrier_call: name.0.clone(),
        parameters: Vec::new(),
        token: None,
        bridged: None,
    }
}

async fn converse(
    lines: Arc<Mutex<Lines>>,
    call: CallId,
    line: Dialled,
    person: Number,
    ends: Ends,
) {
    let name = line.carrier_call.clone();
    let report = callee::converse(line, &person, ends.hang_up, ends.keys).await;
    if let Some(error) = &report.not_connected {
        tracing::warn!(%call, error = error as &dyn std::error::Error, "no media for a phone");
    }
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.live.remove(&name);
    if lines.reports.len() >= REPORTS {
        lines.reports.remove(0);
    }
    lines.reports.push(told(call, report));
    lines.told.send_modify(|told| *told += 1);
}

fn told(call: CallId, report: Report) -> CallReport {
    let account = &report.account;
    let frames = Frames {
        heard: account.heard,
        lost: account.lost,
        doubled: account.doubled,
        reordered: account.reordered,
        longest_gap_ms: account.longest_gap_ms(),
    };
    CallReport { call, heard: report.heard, frames }
}
