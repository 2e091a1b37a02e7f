//! What every script does: say something, and wait for what is said. Ends a script as soon as
//! the line is over, wherever it is.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Report;
use crate::rehearsal::phone::{Phone, Sound, Spoken};

/// The line is over, or was told to be.
#[derive(Debug)]
pub(super) struct Over;

/// A pause in which somebody may go on before it is our turn.
const TURN_GAP: Duration = Duration::from_millis(300);
/// What is said to bridge a wait is no answer.
const FILLER: &str = "one moment";
/// The last words of a polite call.
const GOODBYE: &str = "goodbye";
/// Utterances a report keeps; calls have dozens.
const REPORT_MAX: usize = 200;

/// Somebody's side of a conversation.
pub(super) struct Talk {
    phone: Phone,
    sounds: Receiver<Sound>,
    keys: Receiver<char>,
    told_to_hang_up: CancellationToken,
    first_words: Option<String>,
    heard: Vec<String>,
    said: Vec<String>,
    gave_way_after: Vec<Duration>,
}

impl Talk {
    pub(super) fn new(
        phone: Phone,
        sounds: Receiver<Sound>,
        keys: Receiver<char>,
        told_to_hang_up: CancellationToken,
        first_words: Option<String>,
    ) -> Self {
        let (heard, said, gave_way_after) = (Vec::new(), Vec::new(), Vec::new());
        Self { phone, sounds, keys, told_to_hang_up, first_words, heard, said, gave_way_after }
    }

    /// Says it to the end, whatever the other side does meanwhile.
    pub(super) async fn say(&mut self, words: &str) -> Result<(), Over> {
        let words = match self.first_words.take() {
            Some(first) => format!("{first} {words}"),
            None => words.to_owned(),
        };
        let spoken = tokio::select! {
            spoken = self.phone.say(&words) => spoken,
            () = self.told_to_hang_up.cancelled() => Spoken::Cut,
        };
        if self.said.len() < REPORT_MAX {
            self.said.push(words);
        }
        match spoken {
            Spoken::Whole => Ok(()),
            Spoken::Cut => Err(Over),
        }
    }

    /// Says it while the other side speaks and notes how long that takes to give way; tells what
    /// it finished saying meanwhile.
    pub(super) async fn say_over(&mut self, words: &str) -> Result<Option<String>, Over> {
        let begun = Instant::now();
        let mut gave_way = None;
        let mut finished = None;
        {
            let speaking = self.phone.say(words);
            tokio::pin!(speaking);
            loop {
                tokio::select! {
                    spoken = &mut speaking => match spoken {
                        Spoken::Whole => break,
                        Spoken::Cut => return Err(Over),
                    },
                    () = self.told_to_hang_up.cancelled() => return Err(Over),
                    sound = self.sounds.recv() => match sound {
                        Some(Sound::Flushed) => {
                            gave_way.get_or_insert_with(|| begun.elapsed());
                        }
                        Some(Sound::Said { text, .. }) => {
                            keep(&mut self.heard, text.clone());
                            finished = Some(text);
                        }
                        Some(Sound::Onset | Sound::Words(_) | Sound::Key(_)) => {}
                        Some(Sound::Ended(_)) | None => return Err(Over),
                    },
                }
            }
        }
        self.said.push(words.to_owned());
        self.gave_way_after.extend(gave_way);
        Ok(finished)
    }

    /// The tone of an answering machine.
    pub(super) async fn beep(&self) -> Result<(), Over> {
        match self.phone.beep().await {
            Spoken::Whole => Ok(()),
            Spoken::Cut => Err(Over),
        }
    }

    /// Plays music into the line, whoever listens.
    pub(super) async fn play_music(&self, lasting: Duration) -> Result<(), Over> {
        let played = tokio::select! {
            played = self.phone.play_music(lasting) => played,
            () = self.told_to_hang_up.cancelled() => Spoken::Cut,
        };
        match played {
            Spoken::Whole => Ok(()),
            Spoken::Cut => Err(Over),
        }
    }

    /// Presses these keys.
    pub(super) async fn press(&self, keys: &str) {
        for key in keys.chars() {
            self.phone.press(key).await;
        }
    }

    /// Understands the tones of keys from here on.
    pub(super) async fn expect_keys(&self) {
        self.phone.expect_keys().await;
    }

    /// The next key that the other side presses, by the carrier or by its tones; what
    /// is said meanwhile is not listened to.
    pub(super) async fn key(&mut self, patience: Duration) -> Result<Option<char>, Over> {
        let until = Instant::now() + patience;
        loop {
            tokio::select! {
                biased;
                Some(key) = self.keys.recv() => return Ok(Some(key)),
                () = self.told_to_hang_up.cancelled() => return Err(Over),
                sound = timeout_at(until, self.sounds.recv()) => match sound {
                    Err(_) => return Ok(None),
                    Ok(None | Some(Sound::Ended(_))) => return Err(Over),
                    Ok(Some(Sound::Said { text, .. })) => keep(&mut self.heard, text),
                    Ok(Some(Sound::Key(key))) => return Ok(Some(key)),
                    Ok(Some(Sound::Onset | Sound::Words(_) | Sound::Flushed)) => {}
                },
            }
        }
    }

    /// The next sound before the deadline.
    pub(super) async fn sound(&mut self, until: Instant) -> Result<Option<Sound>, Over> {
        let sound = tokio::select! {
            sound = timeout_at(until, self.sounds.recv()) => sound,
            () = self.told_to_hang_up.cancelled() => return Err(Over),
        };
        match sound {
            Err(_) => Ok(None),
            Ok(None | Some(Sound::Ended(_))) => Err(Over),
            Ok(Some(sound)) => {
                if let Sound::Said { text, .. } = &sound {
                    keep(&mut self.heard, text.clone());
                }
                Ok(Some(sound))
            }
        }
    }

    /// Waits until the other side has had its turn; nothing when it says nothing for so long.
    pub(super) async fn hear(&mut self, patience: Duration) -> Result<Option<String>, Over> {
        let mut turn = String::new();
        let mut until = Instant::now() + patience;
        loop {
            match self.sound(until).await? {
                None => return Ok(Some(turn).filter(|turn| !turn.is_empty())),
                // Somebody is speaking: it is not the time to lose patience.
                Some(Sound::Onset | Sound::Words(_)) => until = Instant::now() + patience,
                Some(Sound::Said { text, .. }) => {
                    let wait = if is_filler(&text) { patience } else { TURN_GAP };
                    until = Instant::now() + wait;
                    if !is_filler(&text) {
                        // What could not be made out was still a turn.
                        turn = format!("{turn} {text}");
                    }
                }
                Some(Sound::Flushed | Sound::Key(_)) => {}
                Some(Sound::Ended(_)) => return Err(Over),
            }
        }
    }

    /// Waits until the other side hangs up, but not for longer than this.
    pub(super) async fn wait_for_the_end(&mut self, patience: Duration) -> Result<(), Over> {
        let until = Instant::now() + patience;
        while self.sound(until).await?.is_some() {}
        Ok(())
    }

    /// Hangs up, if the line is not over, and tells all.
    pub(super) async fn hang_up(mut self) -> Report {
        let account = self.phone.hang_up().await;
        while let Ok(sound) = self.sounds.try_recv() {
            if let Sound::Said { text, .. } = sound {
                keep(&mut self.heard, text);
            }
        }
        let Self { heard, said, gave_way_after, .. } = self;
        Report { heard, said, gave_way_after, account, not_connected: None }
    }
}

/// Whether words are a farewell.
pub(super) fn is_goodbye(words: &str) -> bool {
    words.to_lowercase().contains(GOODBYE)
}

fn is_filler(words: &str) -> bool {
    words.to_lowercase().starts_with(FILLER)
}

fn keep(heard: &mut Vec<String>, text: String) {
    if heard.len() < REPORT_MAX {
        heard.push(text);
    }
}
