//! What goes on when a server is killed, and at which moment of it: drawn from a seed. Pure.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Whom to ring: a restaurant that talks, and a phone that rings on.
const CALLEES: [&str; 2] = ["+15550100", "+15550102"];

/// A line that is engaged: its call is over as soon as it is made.
const BUSY: &str = "+15550101";

/// Somebody who rings and keeps a list of tasks.
const CALLER: &str = "+15550110";

/// Somebody who rings and has a booking cancelled by a tool.
const CUSTOMER: &str = "+15550113";

/// The step of a call that the kill falls into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An order is written down and dialled.
    Placing,
    /// Somebody may have picked up.
    Talking,
    /// A phone rings here and is answered.
    Answering,
    /// A tool with an effect has been asked for.
    Tool,
    /// The end of a call is told.
    Telling,
}

impl Step {
    pub(super) const ALL: [Self; 5] =
        [Self::Placing, Self::Talking, Self::Answering, Self::Tool, Self::Telling];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Placing => "while an order is written and dialled",
            Self::Talking => "while it rings or somebody talks",
            Self::Answering => "while a phone that rings here is answered",
            Self::Tool => "while a tool with an effect runs",
            Self::Telling => "while an end is told",
        }
    }

    /// Of thirty-two kills so many: most fall where most can go wrong, few where a conversation
    /// has to come to it first.
    const fn share(self) -> u32 {
        match self {
            Self::Placing => 18,
            Self::Talking => 6,
            Self::Answering => 5,
            Self::Tool => 1,
            Self::Telling => 2,
        }
    }

    /// The kill comes within so much of the beginning of the step.
    const fn within(self) -> Duration {
        match self {
            Self::Placing => Duration::from_millis(60),
            Self::Talking => Duration::from_millis(1_500),
            Self::Answering => Duration::from_millis(400),
            Self::Tool => Duration::from_millis(30),
            Self::Telling => Duration::from_millis(10),
        }
    }
}

/// One kill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) step: Step,
    /// How long after the beginning of the step.
    pub(super) moment: Duration,
    /// Who rings or is rung.
    pub(super) other: &'static str,
}

impl Scene {
    pub(super) fn of(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut drawn = chance.random_range(0..Step::ALL.iter().map(|step| step.share()).sum());
        let step = Step::ALL.into_iter().find(|step| match drawn.checked_sub(step.share()) {
            Some(rest) => {
                drawn = rest;
                false
            }
            None => true,
        });
        let step = step.expect("what is drawn is below the sum");
        let most = u64::try_from(step.within().as_micros()).unwrap_or(u64::MAX);
        let moment = Duration::from_micros(chance.random_range(0..most));
        let other = match step {
            Step::Placing | Step::Talking => CALLEES[chance.random_range(0..CALLEES.len())],
            Step::Answering => CALLER,
            Step::Tool => CUSTOMER,
            Step::Telling => BUSY,
        };
        Self { step, moment, other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_scene_and_every_step_comes() {
        let drawn: Vec<Scene> = (0..200).map(Scene::of).collect();
        for step in Step::ALL {
            assert!(drawn.iter().any(|scene| scene.step == step), "{step:?}");
        }
        for (seed, scene) in drawn.iter().enumerate() {
            let again = Scene::of(seed as u64);
            assert_eq!((again.step, again.moment), (scene.step, scene.moment));
            assert!(scene.moment < scene.step.within());
        }
    }
}
