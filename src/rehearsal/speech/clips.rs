//! Recordings of the phrases that are said in every rehearsal, as µ-law at 8 kHz, made once by
//! the script `clips/make` from `clips/index.tsv` and embedded.

use super::Voice;

/// Voice, file and text of each recording, one a line, separated by tabs.
const INDEX: &str = include_str!("clips/index.tsv");

/// A phrase in our own side's voice: G.711 µ-law, 8,000 samples a second, without code; for
/// players that need no listener to check them.
#[must_use]
pub fn clip(text: &str) -> Option<&'static [u8]> {
    find(text, &Voice::agent())
}

/// The recording of a text in a voice.
pub(super) fn find(text: &str, voice: &Voice) -> Option<&'static [u8]> {
    let (_, file, _) = index().find(|(by, _, said)| *by == voice.flite() && *said == text)?;
    FILES.iter().find_map(|(name, bytes)| (*name == file).then_some(*bytes))
}

fn index() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    INDEX.lines().filter_map(|line| {
        let mut fields = line.splitn(3, '\t');
        Some((fields.next()?, fields.next()?, fields.next()?))
    })
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("clips/", $name, ".ulaw")))),*]
    };
}

const FILES: &[(&str, &[u8])] = files! {
    "one-moment"
    "apology"
    "thank-you"
    "agent-table"
    "agent-name"
    "agent-no"
    "agent-greeting"
    "agent-added-milk"
    "agent-added-bank"
    "agent-two-tasks"
    "agent-shall-delete"
    "agent-deleted"
    "agent-one-task"
    "agent-goodbye"
    "agent-hand-over"
    "enter-pin"
    "wrong-pin"
    "turned-away"
    "luigi-evening"
    "luigi-seven"
    "luigi-booked"
    "luigi-again"
    "luigi-hello"
    "callee-goodbye"
    "caller-milk"
    "caller-bank"
    "caller-list"
    "caller-delete"
    "caller-yes"
    "caller-now"
    "caller-goodbye"
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_index_has_its_recording_and_no_recording_is_left_over() {
        let mut named: Vec<&str> = index().map(|(_, file, _)| file).collect();
        let mut stored: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        named.sort_unstable();
        stored.sort_unstable();
        assert_eq!(named, stored);
        assert_eq!(INDEX.lines().count(), named.len(), "a line without three fields");
        for (name, bytes) in FILES {
            assert!((4_000..80_000).contains(&bytes.len()), "{name} is no phrase");
        }
    }

    #[test]
    fn a_phrase_is_found_by_voice_and_words() {
        assert!(clip("One moment, please.").is_some());
        assert!(clip("Something never recorded.").is_none());
        let line = "Luigi's, good evening.";
        assert!(find(line, &Voice::callee()).is_some() && find(line, &Voice::agent()).is_none());
    }
}
