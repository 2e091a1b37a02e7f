//! Counts what a far end sends and we do not understand, within bounds.
//! Knows no message; the codec says what it made of each.

use tandem_actors::leg::Broken;

/// Different unknown names that are remembered; the rest is counted together. More than a
/// service adds between two releases of ours.
const NAMES: usize = 32;

/// Characters of an unknown name that are kept; real ones are shorter.
const NAME_CHARS: usize = 64;

/// Unusable messages without a usable one between them before the far end is given up: one
/// second of audio.
const BAD_IN_A_ROW: u32 = 50;

/// What one far end has sent that was of no use.
#[derive(Debug)]
pub(crate) struct Tally {
    far_end: &'static str,
    unknown: Vec<(String, u64)>,
    unknown_others: u64,
    bad: u64,
    bad_in_a_row: u32,
}

impl Tally {
    pub(crate) fn new(far_end: &'static str) -> Self {
        Self { far_end, unknown: Vec::new(), unknown_others: 0, bad: 0, bad_in_a_row: 0 }
    }

    /// A message was understood.
    pub(crate) fn good(&mut self) {
        self.bad_in_a_row = 0;
    }

    /// A message of a kind we do not know; the first of each kind is told.
    pub(crate) fn unknown(&mut self, name: &str) {
        let name: String = name.chars().filter(char::is_ascii_graphic).take(NAME_CHARS).collect();
        if let Some((_, count)) = self.unknown.iter_mut().find(|(known, _)| *known == name) {
            *count += 1;
        } else if self.unknown.len() < NAMES {
            tracing::debug!(far_end = self.far_end, name, "unknown message ignored");
            self.unknown.push((name, 1));
        } else {
            self.unknown_others += 1;
        }
    }

    /// A message that is not what it should be.
    ///
    /// # Errors
    /// [`Broken::Failed`] when there have been too many in a row.
    pub(crate) fn bad(&mut self, what: &'static str) -> Result<(), Broken> {
        self.bad += 1;
        self.bad_in_a_row += 1;
        if self.bad_in_a_row == 1 {
            tracing::debug!(far_end = self.far_end, what, count = self.bad, "message dropped");
        }
        if self.bad_in_a_row >= BAD_IN_A_ROW {
            return Err(Broken::Failed(format!("{BAD_IN_A_ROW} bad messages in a row: {what}")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_names_are_remembered() {
        let mut tally = Tally::new("test");
        for round in 0..3 {
            for number in 0..100 {
                tally.unknown(&format!("kind {number}\n{}", "x".repeat(round)));
            }
        }
        assert_eq!(tally.unknown.len(), NAMES);
        assert_eq!(tally.unknown_others, 300 - NAMES as u64);
    }

    #[test]
    fn a_good_message_forgives_the_bad_ones_before_it() {
        let mut tally = Tally::new("test");
        for _ in 0..49 {
            tally.bad("audio").unwrap();
        }
        tally.good();
        for _ in 0..49 {
            tally.bad("audio").unwrap();
        }
        let broken = tally.bad("audio").unwrap_err();
        assert_eq!(broken, Broken::Failed("50 bad messages in a row: audio".into()));
    }
}
