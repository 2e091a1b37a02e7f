//! What is to be done next in a search: whom to ring, whom to hang up, when to look again, and
//! whether it is over. Pure: what stands in the record and the time go in.

use std::time::Duration;

use tandem_actors::briefing::Outcome;

/// A target is rung this often at most: once, and once more.
const ATTEMPTS_MAX: u32 = 2;

/// Before a target is rung once more after the network failed.
const AFTER_A_FAILURE: Duration = Duration::from_secs(2);

/// Before somebody is rung once more who was busy, did not pick up or declined: soon enough for
/// whoever waits, and long enough for a short talk to end.
const AFTER_A_REFUSAL: Duration = Duration::from_secs(60);

/// What whoever ordered the search has set.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The most calls at once.
    pub at_once: usize,
    /// So many offers are enough.
    pub enough: Option<usize>,
    /// After these a target is rung once more.
    pub again: Vec<Outcome>,
}

/// A target as the plan sees it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// How often it was rung.
    pub attempts: u32,
    /// Where it stands.
    pub standing: Standing,
}

/// Where a target stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was not rung.
    Waiting,
    /// It may not be rung, or its call is not known any more.
    Closed,
    /// Its call is not over.
    Live,
    /// Its call is over.
    Over {
        /// What the phone network made of it.
        outcome: Outcome,
        /// Why it ended.
        reason: String,
        /// When, in milliseconds since 1970.
        at_ms: i64,
        /// Whether what was asked for can be had there.
        offers: bool,
    },
}

/// What is to be done now. Targets by their place in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// These are rung.
    pub ring: Vec<usize>,
    /// Enough was found: these calls are ended.
    pub hang_up: Vec<usize>,
    /// Nothing will come any more.
    pub over: bool,
    /// When somebody may be rung once more, in milliseconds since 1970, unless something happens
    /// before.
    pub look_again_ms: Option<i64>,
}

/// The plan for this moment.
#[must_use]
pub fn next(rules: &Rules, targets: &[Asked], now_ms: i64) -> Plan {
    let is_live = |target: &Asked| target.standing == Standing::Live;
    let places = |wanted: &dyn Fn(&Asked) -> bool| {
        let found = targets.iter().enumerate().filter(|(_, target)| wanted(target));
        found.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let live = places(&is_live);
    let offers = targets.iter().filter(|target| has_offered(target)).count();
    if rules.enough.is_some_and(|enough| offers >= enough) {
        return Plan { over: live.is_empty(), hang_up: live, ..Plan::default() };
    }
    let due: Vec<Option<i64>> = targets.iter().map(|target| due_ms(rules, target)).collect();
    let is_due = |place: &usize| due[*place].is_some_and(|at| at <= now_ms);
    let free = rules.at_once.saturating_sub(live.len());
    // Who was not rung yet comes before who is rung once more.
    let mut ring: Vec<usize> = (0..targets.len()).filter(is_due).collect();
    ring.sort_by_key(|place| targets[*place].attempts);
    ring.truncate(free);
    let later = due.iter().flatten().filter(|at| **at > now_ms).min().copied();
    let over = live.is_empty() && due.iter().all(Option::is_none);
    Plan { ring, hang_up: Vec::new(), over, look_again_ms: later }
}

fn has_offered(target: &Asked) -> bool {
    matches!(target.standing, Standing::Over { offers: true, .. })
}

/// When a target may be rung; never, when it was or may not be.
fn due_ms(rules: &Rules, target: &Asked) -> Option<i64> {
    match &target.standing {
        Standing::Waiting => Some(0),
        Standing::Closed | Standing::Live => None,
        Standing::Over { outcome, reason, at_ms, .. } => {
            let pause = pause(rules, *outcome, reason)?;
            let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            (target.attempts < ATTEMPTS_MAX).then(|| at_ms.saturating_add(pause_ms))
        }
    }
}

/// How long to wait after this end before ringing once more, if that may be done. A call that was
/// lost with its server is not repeated: the phone may have rung.
fn pause(rules: &Rules, outcome: Outcome, reason: &str) -> Option<Duration> {
    match outcome {
        Outcome::NetworkError => Some(AFTER_A_FAILURE),
        Outcome::Cancelled if reason == "not_admitted" => Some(AFTER_A_FAILURE),
        Outcome::NoAnswer | Outcome::Busy | Outcome::Rejected => {
            rules.again.contains(&outcome).then_some(AFTER_A_REFUSAL)
        }
        Outcome::Answered
        | Outcome::InvalidNumber
        | Outcome::Unreachable
        | Outcome::Cancelled
        | Outcome::SystemError
        | Outcome::Failed => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn rules(at_once: usize, enough: Option<usize>) -> Rules {
        Rules { at_once, enough, again: vec![Outcome::Busy] }
    }

    fn waiting() -> Asked {
        Asked { attempts: 0, standing: Standing::Waiting }
    }

    fn over(outcome: Outcome, reason: &str) -> Asked {
        let (at_ms, offers) = (1_000, outcome == Outcome::Answered);
        let standing = Standing::Over { outcome, reason: reason.to_owned(), at_ms, offers };
        Asked { attempts: 1, standing }
    }

    #[rstest]
    #[case(Outcome::NetworkError, "timeout", Some(3_000))]
    #[case(Outcome::Cancelled, "not_admitted", Some(3_000))]
    #[case(Outcome::Busy, "486", Some(61_000))]
    #[case(Outcome::NoAnswer, "480", None)]
    #[case(Outcome::Rejected, "603", None)]
    #[case(Outcome::SystemError, "node_lost", None)]
    #[case(Outcome::Cancelled, "node_lost", None)]
    #[case(Outcome::InvalidNumber, "404", None)]
    fn what_is_tried_once_more_and_when(
        #[case] outcome: Outcome,
        #[case] reason: &str,
        #[case] due: Option<i64>,
    ) {
        let mut target = over(outcome, reason);
        let plan = next(&rules(4, None), std::slice::from_ref(&target), 1_000);
        assert_eq!((plan.look_again_ms, plan.over), (due, due.is_none()));
        if let Some(due) = due {
            let plan = next(&rules(4, None), std::slice::from_ref(&target), due);
            assert_eq!(plan.ring, [0]);
        }
        target.attempts = ATTEMPTS_MAX;
        assert!(next(&rules(4, None), &[target], i64::MAX).over, "and not a third time");
    }

    #[test]
    fn enough_ends_the_rest() {
        let live = Asked { attempts: 1, standing: Standing::Live };
        let targets = [over(Outcome::Answered, "goodbye"), live, waiting()];
        let plan = next(&rules(1, Some(1)), &targets, 2_000);
        assert_eq!(plan, Plan { hang_up: vec![1], ..Plan::default() });
        let plan = next(&rules(2, Some(2)), &targets, 2_000);
        assert_eq!(plan.ring, [2]);
        let targets = [over(Outcome::Answered, "goodbye"), waiting()];
        assert!(next(&rules(1, Some(1)), &targets, 2_000).over);
    }

    #[test]
    fn who_may_not_be_rung_is_passed_over() {
        let closed = Asked { attempts: 0, standing: Standing::Closed };
        assert!(next(&rules(4, None), std::slice::from_ref(&closed), 0).over);
        assert_eq!(next(&rules(4, None), &[closed, waiting()], 0).ring, [1]);
    }

    const ENDS: [Outcome; 5] = [
        Outcome::Answered,
        Outcome::Busy,
        Outcome::NoAnswer,
        Outcome::NetworkError,
        Outcome::SystemError,
    ];

    proptest! {
        #[test]
        fn never_too_many_at_once_and_nobody_too_often(
            count in 2_usize..=10,
            at_once in 1_usize..=4,
            enough in proptest::option::of(1_usize..4),
            ends in proptest::collection::vec((0_usize..10, 0_usize..ENDS.len()), 60),
        ) {
            let rules = rules(at_once, enough);
            let mut targets = vec![waiting(); count];
            let (mut now_ms, mut talked) = (0, vec![0; count]);
            for (which, end) in ends {
                let plan = next(&rules, &targets, now_ms);
                for place in plan.ring {
                    prop_assert_ne!(&targets[place].standing, &Standing::Live);
                    targets[place].standing = Standing::Live;
                    targets[place].attempts += 1;
                }
                let is_live = |target: &&mut Asked| target.standing == Standing::Live;
                let live: Vec<&mut Asked> = targets.iter_mut().filter(is_live).collect();
                prop_assert!(live.len() <= at_once);
                prop_assert!(!plan.over || live.is_empty());
                now_ms += 10_000;
                let place = which % count;
                if targets[place].standing == Standing::Live {
                    let (outcome, at_ms) = (ENDS[end], now_ms);
                    let offers = outcome == Outcome::Answered;
                    talked[place] += i32::from(offers);
                    let reason = String::new();
                    targets[place].standing = Standing::Over { outcome, reason, at_ms, offers };
                }
            }
            prop_assert!(targets.iter().all(|target| target.attempts <= ATTEMPTS_MAX));
            prop_assert!(talked.iter().all(|times| *times <= 1), "who was talked to is left alone");
        }

        #[test]
        fn every_search_ends(count in 2_usize..=10, end in 0_usize..ENDS.len()) {
            let mut targets = vec![waiting(); count];
            let (rules, mut now_ms) = (rules(3, None), 0);
            for _ in 0..=count * 2 {
                let plan = next(&rules, &targets, now_ms);
                for place in plan.ring {
                    now_ms += 1_000;
                    let (outcome, at_ms, offers) = (ENDS[end], now_ms, false);
                    let reason = String::new();
                    targets[place].standing = Standing::Over { outcome, reason, at_ms, offers };
                    targets[place].attempts += 1;
                }
                now_ms = plan.look_again_ms.unwrap_or(now_ms).max(now_ms);
            }
            prop_assert!(next(&rules, &targets, now_ms).over);
        }
    }
}
