//! The faults that wait in a session, and those that strike by the clock.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::Session;
use crate::rehearsal::realtime::behaviour::{Fault, Pace};
use crate::rehearsal::realtime::mind::Act;
use crate::rehearsal::realtime::response::Trick;
use crate::rehearsal::realtime::wire::{End, Outgoing};

/// What "too fast" means: this much audio within [`TOO_FAST_WITHIN_MS`].
const TOO_FAST_AUDIO: Duration = Duration::from_secs(10);
const TOO_FAST_WITHIN_MS: u32 = 200;

/// The tool that nobody offers.
const STRANGE_TOOL: &str = "launch_rocket";

/// Faults with the moment from which they count.
pub(super) struct Troubles {
    waiting: Vec<(Instant, Fault)>,
    stalled_until: Option<Instant>,
    exhausted_until: Option<Instant>,
}

impl Troubles {
    pub(super) fn new(faults: Vec<Fault>, now: Instant) -> Self {
        let waiting = faults.into_iter().map(|fault| (now, fault)).collect();
        Self { waiting, stalled_until: None, exhausted_until: None }
    }

    pub(super) fn add(&mut self, fault: Fault, now: Instant) {
        self.waiting.push((now, fault));
    }

    /// The life that a fault gives the session, if one does.
    pub(super) fn session_age(&self) -> Option<Duration> {
        self.waiting.iter().find_map(|(_, fault)| {
            if let Fault::SessionAge(age) = fault { Some(*age) } else { None }
        })
    }

    /// Whether the money is gone; it stays so.
    fn has_no_quota(&self) -> bool {
        self.waiting.iter().any(|(_, fault)| *fault == Fault::QuotaFailure)
    }

    /// Whether it passes over that it has to disclose itself; it stays so.
    pub(super) fn skips_disclosure(&self) -> bool {
        self.waiting.iter().any(|(_, fault)| *fault == Fault::SkipsDisclosure)
    }

    /// Takes the first fault that the choice applies to.
    fn take<T>(&mut self, choose: impl Fn(Instant, &Fault) -> Option<T>) -> Option<T> {
        let (at, chosen) = self
            .waiting
            .iter()
            .enumerate()
            .find_map(|(at, (since, fault))| Some((at, choose(*since, fault)?)))?;
        self.waiting.remove(at);
        Some(chosen)
    }

    /// Whether the connection is cut at this point of a response.
    pub(super) fn cuts_after(&mut self, audio: Duration) -> bool {
        let cuts = |fault: &Fault| matches!(fault, Fault::Cut { after } if audio >= *after);
        !audio.is_zero() && self.take(|_, fault| cuts(fault).then_some(())).is_some()
    }

    /// When the next fault strikes by the clock.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.iter().filter_map(|(since, fault)| due(*since, fault)).min()
    }
}

/// When a fault strikes by the clock; none for those that wait for something else.
fn due(since: Instant, fault: &Fault) -> Option<Instant> {
    match fault {
        Fault::Stall { after, .. } | Fault::CloseWith { after, .. } => Some(since + *after),
        Fault::Garbage | Fault::UnknownEvents | Fault::Exhausted(_) => Some(since),
        Fault::Cut { .. }
        | Fault::UnknownTool
        | Fault::SelfConfirms
        | Fault::SkipsDisclosure
        | Fault::DuplicateCall
        | Fault::TooFast
        | Fault::RefuseHandshake { .. }
        | Fault::SlowHandshake(_)
        | Fault::SessionAge(_)
        | Fault::QuotaFailure
        | Fault::RateLimit => None,
    }
}

impl Session {
    /// Lets happen what is due by the clock.
    pub(super) fn strike(&mut self, now: Instant) {
        let is_due = |since, fault: &Fault| {
            due(since, fault).is_some_and(|due| due <= now).then(|| fault.clone())
        };
        while let Some(fault) = self.troubles.take(is_due) {
            match fault {
                Fault::Stall { lasts, .. } => self.troubles.stalled_until = Some(now + lasts),
                Fault::CloseWith { code, reason, .. } => {
                    self.out.end = Some(End::Close(code, reason));
                }
                Fault::Garbage => {
                    self.out.messages.push(Outgoing::Text("<html>502</html>".to_owned()));
                    self.out.messages.push(Outgoing::Binary(vec![0xff; 64]));
                }
                Fault::UnknownEvents => {
                    self.out.event("weather.updated", json!({ "sky": ["blue"] }));
                    self.out.event("response.output_smell.delta", json!({ "delta": "AAAA" }));
                }
                Fault::Exhausted(lasts) => {
                    self.troubles.exhausted_until = Some(now + lasts);
                    self.tell_limits(now);
                }
                Fault::Cut { .. }
                | Fault::UnknownTool
                | Fault::SelfConfirms
                | Fault::SkipsDisclosure
                | Fault::DuplicateCall
                | Fault::TooFast
                | Fault::RefuseHandshake { .. }
                | Fault::SlowHandshake(_)
                | Fault::SessionAge(_)
                | Fault::QuotaFailure
                | Fault::RateLimit => {
                    unreachable!("only faults with a time are due by the clock")
                }
            }
        }
    }

    /// Until when it neither reads nor writes.
    pub(in crate::rehearsal::realtime) fn stalled_until(&self) -> Option<Instant> {
        self.troubles.stalled_until
    }

    /// How long the allowance stays used up.
    pub(super) fn exhausted_for(&self, now: Instant) -> Option<Duration> {
        self.troubles.exhausted_until?.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Bends a response that is about to begin; `claim` is how it would confirm for itself.
    pub(super) fn bend(
        &mut self,
        acts: &mut Vec<Act>,
        claim: Option<Act>,
        pace: &mut Pace,
        now: Instant,
    ) -> Trick {
        if self.exhausted_for(now).is_some() {
            return Trick::Fail("rate_limit_exceeded");
        }
        if self.troubles.has_no_quota() {
            return Trick::Fail("insufficient_quota");
        }
        let calls = acts.iter().any(|act| matches!(act, Act::Call { .. }));
        let says = acts.iter().any(|act| matches!(act, Act::Say(_)));
        let tricks = [
            (Fault::RateLimit, true, Trick::Fail("rate_limit_exceeded")),
            (Fault::DuplicateCall, calls, Trick::Twice),
            (Fault::TooFast, says, Trick::PadTo(TOO_FAST_AUDIO)),
        ];
        let bent = self.troubles.take(|_, fault| {
            let applies = |(of, fits, _): &&(Fault, bool, Trick)| of == fault && *fits;
            tricks.iter().find(applies).map(|(_, _, trick)| *trick)
        });
        if let Some(Trick::PadTo(audio)) = bent {
            let times_real_time = audio.as_millis() as u32 / TOO_FAST_WITHIN_MS;
            *pace = Pace::Burst { delta_ms: 200, times_real_time };
        }
        if let Some(claim) = claim {
            let confirms =
                self.troubles.take(|_, fault| (*fault == Fault::SelfConfirms).then_some(()));
            if confirms.is_some() {
                *acts = vec![claim];
            }
        }
        let strange = self.troubles.take(|_, fault| (*fault == Fault::UnknownTool).then_some(()));
        if strange.is_some() {
            *acts = vec![Act::Call { name: STRANGE_TOOL.to_owned(), arguments: "{}".to_owned() }];
        }
        bent.unwrap_or(Trick::None)
    }
}
