//! What all lines of a run found, added up.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem::rehearsal::phone::{Direction, PhoneAccount, Probe};
use tandem::rehearsal::speech::Account;

use crate::faults::{Injected, Kind};
use crate::measure::Distribution;
use crate::report::Trouble;
use crate::transcript::Answer;

/// Troubles that are kept; a run in which everything fails must end with a report all the same.
const TROUBLES_MAX: usize = 10_000;

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// From the moment a phone was to send a frame until the model had it.
    pub(crate) uplink: Distribution,
    /// From the moment the model was to send a frame until the phone had it.
    pub(crate) downlink: Distribution,
    /// From the end of what a phone said to the first sound of the answer.
    pub(crate) reply: Distribution,
    /// By how much phones missed their own deadlines.
    pub(crate) lateness: Distribution,
    /// Silence inside speech around faults.
    pub(crate) gaps: BTreeMap<Kind, Distribution>,
    /// Until speech went on after faults.
    pub(crate) resumed: BTreeMap<Kind, Distribution>,
    /// How what the phones heard arrived.
    pub(crate) heard: Account,
    /// Frames the phones sent, silence included.
    pub(crate) sent: u64,
    /// Holes inside utterances.
    pub(crate) underruns: u64,
    /// The longest of them.
    pub(crate) underrun_longest: Duration,
    /// Messages no phone understood.
    pub(crate) odd_messages: u64,
    /// Answers that were judged.
    pub(crate) turns: u64,
    /// Those that were not right, whatever was wrong with them.
    pub(crate) wrong: u64,
    /// Those that were not finished.
    pub(crate) turns_lost: u64,
    /// Those of which something was heard twice.
    pub(crate) turns_doubled: u64,
    /// Calls that did not last.
    pub(crate) calls_lost: u64,
    /// Calls whose phone never got a line.
    pub(crate) calls: u64,
    /// How long the server says its repairs took, by part.
    pub(crate) repairs: BTreeMap<String, Distribution>,
    /// Every fault, in order.
    pub(crate) faults: Vec<Injected>,
    /// What went wrong.
    pub(crate) troubles: Vec<Trouble>,
}

impl Tally {
    /// Adds what happened on a phone's line.
    pub(crate) fn phone(&mut self, account: &PhoneAccount) {
        self.heard += Account {
            frames: account.heard,
            lost: account.lost,
            doubled: account.doubled,
            reordered: account.reordered,
            unreadable: account.unreadable,
            cut_off: account.cut_off,
        };
        self.sent += account.frames_sent;
        self.underruns += account.underruns;
        self.underrun_longest = self.underrun_longest.max(account.underrun_longest);
        self.odd_messages += account.odd_messages;
        self.lateness.merge_microseconds(&account.lateness_us);
    }

    /// Adds what a probe measured.
    pub(crate) fn probe(&mut self, probe: &Probe) {
        self.uplink.merge_microseconds(&probe.latency_us(Direction::Uplink));
        self.downlink.merge_microseconds(&probe.latency_us(Direction::Downlink));
    }

    /// Adds a judged answer.
    pub(crate) fn answer(&mut self, answer: Answer) {
        self.turns += 1;
        self.wrong += u64::from(answer != Answer::Right);
        self.turns_lost += u64::from(answer == Answer::Lost);
        self.turns_doubled += u64::from(answer == Answer::Doubled);
    }

    /// Adds what a fault cost, to the fault itself and to its kind.
    pub(crate) fn cost(&mut self, fault: usize, gap: Option<Duration>, resumed: Option<Duration>) {
        let injected = &mut self.faults[fault];
        injected.gap_ms = gap.map(ms);
        injected.resumed_ms = resumed.map(ms);
        let kind = injected.kind;
        if let Some(gap) = gap {
            self.gaps.entry(kind).or_default().record(gap);
        }
        if let Some(resumed) = resumed {
            self.resumed.entry(kind).or_default().record(resumed);
        }
    }

    /// Notes what went wrong.
    pub(crate) fn trouble(&mut self, trouble: Trouble) {
        if self.troubles.len() < TROUBLES_MAX {
            self.troubles.push(trouble);
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
