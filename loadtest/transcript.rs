//! Whether what was heard is what had to be said, also when a fault broke the sentence in two:
//! then the rest may follow in further pieces, with an excuse between them. Pure.

/// What a bridge may say of its own while a link is repaired or a tool is slow.
pub(crate) const EXCUSES: [&str; 1] = ["one moment please"];

/// What the model says when it went on after a cut and cannot find the sentence again.
const LOST_THREAD: &str = "as i was saying";

/// One answer as it was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Whole, once, in order.
    Right,
    /// Its end was never heard.
    Lost,
    /// Some of it was heard again.
    Doubled,
    /// Other words were heard.
    Wrong,
}

/// Judges the pieces that were heard against the sentence demanded.
///
/// A sentence may only be in pieces when something was broken on this call (`disturbed`); a word
/// that was cut may be taken up from its beginning. Words are compared without case and
/// punctuation: those have no sound.
#[must_use]
pub(crate) fn judge<'a>(
    demanded: &str,
    heard: impl IntoIterator<Item = &'a str>,
    disturbed: Disturbed,
) -> Answer {
    let demanded = words(demanded);
    let mut done = Done { words: 0, letters: 0 };
    for piece in heard {
        let piece = words(piece);
        let text = piece.join(" ");
        let excused =
            disturbed == Disturbed::Yes && EXCUSES.iter().any(|excuse| excuse.starts_with(&text));
        if excused {
            continue;
        }
        match done.after(&demanded, &piece) {
            Some(after) => done = after,
            None if text == LOST_THREAD => return Answer::Lost,
            None if is_repetition(&demanded, &piece, done.words) => return Answer::Doubled,
            None => return Answer::Wrong,
        }
        if disturbed == Disturbed::No && done.words < demanded.len() {
            return Answer::Lost;
        }
    }
    if done.words == demanded.len() { Answer::Right } else { Answer::Lost }
}

/// How much of a sentence was heard: whole words, and letters of the one after them.
#[derive(Clone, Copy)]
struct Done {
    words: usize,
    letters: usize,
}

impl Done {
    /// What is done when this piece follows; none when it does not follow.
    fn after(self, demanded: &[String], piece: &[String]) -> Option<Self> {
        let mut words = self.words;
        for (n, word) in piece.iter().enumerate() {
            let whole = demanded.get(words)?;
            let is_rest = n == 0 && self.letters > 0 && whole[self.letters..] == **word;
            if word == whole || is_rest {
                words += 1;
            } else {
                let is_cut = n + 1 == piece.len() && whole.starts_with(word.as_str());
                return is_cut.then_some(Self { words, letters: word.len() });
            }
        }
        Some(Self { words, letters: 0 })
    }
}

/// Whether a fault met the call while the answer was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbed {
    /// None did.
    No,
    /// One did.
    Yes,
}

/// Whether the piece is some of the sentence that begins before where we are.
fn is_repetition(demanded: &[String], piece: &[String], done: usize) -> bool {
    (0..done).any(|from| Done { words: from, letters: 0 }.after(demanded, piece).is_some())
}

/// The words of a text as they sound.
#[must_use]
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMANDED: &str = "You said: line 0007 turn 001 amber boat.";

    fn quiet(heard: &[&str]) -> Answer {
        judge(DEMANDED, heard.iter().copied(), Disturbed::No)
    }

    fn broken(heard: &[&str]) -> Answer {
        judge(DEMANDED, heard.iter().copied(), Disturbed::Yes)
    }

    #[test]
    fn without_a_fault_the_answer_comes_whole_and_once() {
        assert_eq!(quiet(&["You said: line 0007 turn 001 amber boat."]), Answer::Right);
        assert_eq!(quiet(&["you said line 0007 turn 001 amber boat"]), Answer::Right);
        assert_eq!(quiet(&[]), Answer::Lost);
        assert_eq!(quiet(&["You said: line 0007"]), Answer::Lost);
        assert_eq!(quiet(&["You said: li"]), Answer::Lost);
        assert_eq!(quiet(&["You said: line 0007", "turn 001 amber boat."]), Answer::Lost);
        assert_eq!(quiet(&[DEMANDED, DEMANDED]), Answer::Doubled);
        assert_eq!(quiet(&["You said: line 0008 turn 001 amber boat."]), Answer::Wrong);
        assert_eq!(quiet(&["One moment, please.", DEMANDED]), Answer::Wrong);
    }

    #[test]
    fn after_a_fault_the_rest_may_follow() {
        assert_eq!(broken(&[DEMANDED]), Answer::Right);
        assert_eq!(
            broken(&["You said: line 0007", "One moment, please.", "turn 001 amber boat."]),
            Answer::Right
        );
        assert_eq!(broken(&["One moment, please.", DEMANDED]), Answer::Right);
        assert_eq!(broken(&["One mom", DEMANDED]), Answer::Right);
        assert_eq!(broken(&["Y", "You said: li", "line 0007 turn 001 amber boat."]), Answer::Right);
        assert_eq!(broken(&["You said: li", "ne 0007 turn 001 amber boat."]), Answer::Right);
        assert_eq!(broken(&["You said: li"]), Answer::Lost);
        assert_eq!(broken(&["You said: lo", "line 0007 turn 001 amber boat."]), Answer::Wrong);
        assert_eq!(broken(&["You said: line 0007", "One moment, please."]), Answer::Lost);
        assert_eq!(broken(&["You said: line 0007", "As I was saying."]), Answer::Lost);
        assert_eq!(broken(&["You said: line 0007", DEMANDED]), Answer::Doubled);
        assert_eq!(broken(&["You said: line 0007 turn", "turn 001 amber boat."]), Answer::Doubled);
        assert_eq!(broken(&["You said: line 0007", "amber boat."]), Answer::Wrong);
        assert_eq!(broken(&["You said: line 0007 turn 001 amber coat."]), Answer::Wrong);
    }
}
