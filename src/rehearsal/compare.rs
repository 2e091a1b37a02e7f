//! Whether what was heard is what was said. Lost, doubled or foreign words make the difference;
//! the beginning of a word that a cut line broke off, and that was then said whole, does not.

/// The longest beginning of a word that may be heard twice at a seam, in letters.
const FRAGMENT: usize = 14;

/// Compares letters, not pauses. `seams` is how often the speaker's line was cut: at each, the
/// beginning of one word may be heard before the word itself.
#[must_use]
pub fn is_heard_as_said(heard: &[String], said: &[String], seams: usize) -> bool {
    let letters = |texts: &[String]| -> Vec<char> {
        texts.concat().chars().filter(|c| !c.is_whitespace()).collect()
    };
    matches(&letters(heard), &letters(said), seams)
}

fn matches(heard: &[char], said: &[char], seams: usize) -> bool {
    let same = heard.iter().zip(said).take_while(|(a, b)| a == b).count();
    if same == heard.len() && same == said.len() {
        return true;
    }
    // What has just been heard may have been a fragment: the speaker goes back and says it whole.
    seams > 0
        && (1..=FRAGMENT.min(same))
            .any(|fragment| matches(&heard[same..], &said[same - fragment..], seams - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(heard: &str, said: &str, seams: usize) -> bool {
        is_heard_as_said(&[heard.to_owned()], &[said.to_owned()], seams)
    }

    #[test]
    fn a_broken_word_said_whole_is_no_difference_but_a_lost_or_doubled_one_is() {
        assert!(check("I am calling", "I am calling", 0));
        assert!(check("I am c calling", "I am calling", 1));
        assert!(!check("I am c calling", "I am calling", 0));
        assert!(!check("I am for Sam", "I am calling for Sam", 1));
        assert!(!check("I am calling for Sam, I am calling for Sam", "I am calling for Sam", 1));
        assert!(!check("I am calling", "I am calling for Sam", 2));
    }
}
