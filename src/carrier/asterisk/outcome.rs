//! What a hang-up cause means for a call. Pure; the causes are those of ITU-T Q.850, as
//! Asterisk's `causes.h` numbers them and its SIP channel maps answers to them.

use tandem_actors::briefing::Outcome;

/// Normal clearing: somebody has hung up.
pub const NORMAL: u32 = 16;

/// The outcome of a call that was never answered and ended with this cause.
#[must_use]
pub const fn of(cause: u32) -> Outcome {
    match cause {
        17 => Outcome::Busy,
        21 => Outcome::Rejected,
        // Undefined, normal clearing, no user responding, no answer: it rang, and that was all.
        0 | 16 | 18 | 19 => Outcome::NoAnswer,
        // Unallocated, number changed, invalid format.
        1 | 22 | 28 => Outcome::InvalidNumber,
        // No route to network or destination, subscriber absent, destination out of order.
        2 | 3 | 20 | 27 => Outcome::Unreachable,
        // No circuit, out of order, temporary failure, congestion, no channel, no resource.
        34 | 38 | 41 | 42 | 44 | 47 => Outcome::NetworkError,
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[17], Outcome::Busy)]
    #[case(&[19, 18, 16, 0], Outcome::NoAnswer)]
    #[case(&[21], Outcome::Rejected)]
    #[case(&[1, 22, 28], Outcome::InvalidNumber)]
    #[case(&[3, 20, 27], Outcome::Unreachable)]
    #[case(&[34, 38, 41, 42], Outcome::NetworkError)]
    #[case(&[127, 9_999], Outcome::Failed)]
    fn every_cause_has_its_outcome(#[case] causes: &[u32], #[case] outcome: Outcome) {
        for cause in causes {
            assert_eq!(of(*cause), outcome, "{cause}");
        }
    }
}
