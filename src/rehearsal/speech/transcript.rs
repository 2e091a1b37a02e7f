//! What an ear makes of the symbols of one utterance: the text in the order heard, and the
//! account of what did not arrive as it was sent. Knows no samples and no time.

use std::ops::AddAssign;

use super::code::{END, FILLER, START, Symbol};
use super::utterance::SEQUENCES;

/// How the frames of what was heard arrived, from their sequence numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Read, each counted once; those that came doubled are not in here.
    pub frames: u64,
    /// Never heard, though later ones were.
    pub lost: u64,
    /// Heard again right after themselves.
    pub doubled: u64,
    /// Heard after a later one.
    pub reordered: u64,
    /// Sound in which no symbol was found: garbled on the way, or a voice without code.
    pub unreadable: u64,
    /// Utterances whose last frame was not heard.
    pub cut_off: u64,
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        self.frames += other.frames;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.unreadable += other.unreadable;
        self.cut_off += other.cut_off;
    }
}

/// The most bytes of one transcript; an utterance has at most 2,000, and more can only come from
/// a line that repeats itself. What is beyond is counted but not written down.
const BYTES_MAX: usize = 4_000;

/// Jumps up to here are losses; beyond, the frame is an old one that comes late.
const AHEAD_MAX: u8 = 127;

/// One utterance as it is heard.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    bytes: Vec<u8>,
    account: Account,
    /// The sequence number that comes next if all is well.
    expected: u8,
    /// Unreadable frames since the last readable one: they are not lost as well.
    garbled: u64,
    /// Whether the utterance's last frame was heard.
    ended: bool,
}

/// Whether a symbol belongs to the utterance that is being heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belongs {
    /// Yes, and it has been taken down.
    Here,
    /// No, it opens the next one, which follows without a pause.
    Next,
}

impl Transcript {
    /// Takes a symbol down, unless it begins another utterance.
    pub(super) fn take(&mut self, symbol: Symbol) -> Belongs {
        let ahead = symbol.sequence.wrapping_sub(self.expected);
        let heard = self.account.frames > 0;
        if heard && ahead == u8::MAX {
            self.account.doubled += 1;
            return Belongs::Here;
        }
        // The first frame may itself come one late; any other is another utterance's.
        let late = self.account.frames == 1 && ahead == u8::MAX - 1;
        if symbol.payload == START && heard && !late {
            return Belongs::Next;
        }
        self.account.frames += 1;
        if heard && ahead > AHEAD_MAX {
            self.account.reordered += 1;
            self.account.lost = self.account.lost.saturating_sub(1);
        } else {
            self.account.lost += u64::from(ahead).saturating_sub(self.garbled);
            self.expected = symbol.sequence.wrapping_add(1);
            self.garbled = 0;
        }
        match symbol.payload {
            FILLER | START => {}
            END => self.ended = true,
            byte if self.bytes.len() < BYTES_MAX => self.bytes.push(byte),
            _ => {}
        }
        Belongs::Here
    }

    /// Counts frames of sound in which no symbol was found.
    pub(super) fn unreadable(&mut self, frames: u64) {
        self.account.unreadable += frames;
        self.garbled += frames;
    }

    /// Whether its code has begun and its last frame is still to come.
    pub(super) const fn inside(&self) -> bool {
        self.account.frames > 0 && !self.ended
    }

    /// Bytes of text so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The text so far; a character that is not complete yet is left out, a broken one shows.
    pub(super) fn text(&self) -> String {
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(_) => self.bytes.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.bytes.len(),
        };
        String::from_utf8_lossy(&self.bytes[..whole]).into_owned()
    }

    /// The end of it.
    pub(super) fn close(self) -> (String, Account) {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let cut_off = u64::from(self.inside());
        (text, Account { cut_off, ..self.account })
    }
}

const _: () = assert!(SEQUENCES == u8::MAX as usize + 1, "sequence numbers wrap as bytes do");

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(sequences: &[u8]) -> Account {
        let mut transcript = Transcript::default();
        for &sequence in sequences {
            let payload = if sequence == 0 { START } else { FILLER };
            transcript.take(Symbol { sequence, payload });
        }
        transcript.close().1
    }

    #[test]
    fn numbers_that_jump_are_losses_repeats_are_doubles_and_late_ones_were_not_lost() {
        let clean = Account { frames: 5, cut_off: 1, ..Account::default() };
        assert_eq!(heard(&[0, 1, 2, 3, 4]), clean);
        assert_eq!(heard(&[0, 1, 3, 4, 5]), Account { lost: 1, ..clean });
        assert_eq!(heard(&[1, 2, 3, 4, 5]), Account { lost: 1, ..clean });
        assert_eq!(heard(&[0, 1, 1, 2, 3, 4]), Account { doubled: 1, ..clean });
        assert_eq!(heard(&[0, 1, 3, 2, 4]), Account { reordered: 1, ..clean });
        assert_eq!(heard(&[1, 0, 2, 3, 4]), Account { reordered: 1, ..clean });
    }

    #[test]
    fn one_frame_of_an_utterance_is_told_from_the_next_one() {
        let mut transcript = Transcript::default();
        transcript.take(Symbol { sequence: 42, payload: b'i' });
        let next = Symbol { sequence: 0, payload: START };
        assert_eq!(transcript.take(next), Belongs::Next);
        assert_eq!(transcript.text(), "i");
    }

    #[test]
    fn a_garbled_frame_is_not_lost_as_well() {
        let mut transcript = Transcript::default();
        transcript.take(Symbol { sequence: 0, payload: START });
        transcript.unreadable(2);
        transcript.take(Symbol { sequence: 3, payload: END });
        let account = transcript.close().1;
        assert_eq!(account, Account { frames: 2, unreadable: 2, ..Account::default() });
    }

    #[test]
    fn a_character_cut_in_two_waits_for_its_rest() {
        let mut transcript = Transcript::default();
        for (sequence, &payload) in (1..).zip("né".as_bytes()) {
            assert!(["", "n"].contains(&transcript.text().as_str()));
            transcript.take(Symbol { sequence, payload });
        }
        assert_eq!(transcript.text(), "né");
    }
}
