//! A telephone with the carrier's side of its media socket: it dials the product's media URL as
//! a carrier does, sends what is said into it frame by frame, plays what it gets in real time and
//! listens to what is played. Shares no codec with the product, or both could share a mistake.

mod account;
#[cfg(test)]
pub(super) mod far_end;
mod guest;
mod line;
mod player;
mod probe;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use account::PhoneAccount;
pub use guest::{Heard, Seat};
pub use probe::{Direction, Probe, Probes};

use super::speech::pcm::Coding;
use super::speech::{Account, Speech, Utterance, Voice};
use line::{Command, Line, Speaking};
use wire::Wire;

/// The carrier's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Azure Communication Services, PCM at 24 kHz.
    Acs24k,
    /// Azure Communication Services, PCM at 16 kHz.
    Acs16k,
    /// Twilio Media Streams, µ-law at 8 kHz.
    Twilio,
    /// Asterisk's `chan_websocket`, PCM at 24 kHz.
    Asterisk24k,
    /// Asterisk's `chan_websocket`, µ-law at 8 kHz.
    Asterisk8k,
    /// A browser that is the phone, PCM at 24 kHz.
    Softphone,
}

impl Dialect {
    /// How its samples are coded.
    #[must_use]
    pub const fn coding(self) -> Coding {
        match self {
            Self::Acs24k | Self::Asterisk24k | Self::Softphone => Coding::Pcm24k,
            Self::Acs16k => Coding::Pcm16k,
            Self::Twilio | Self::Asterisk8k => Coding::Mulaw8k,
        }
    }
}

/// A call whose media is to be connected.
#[derive(Clone, Debug)]
pub struct Dialled {
    /// The product's media URL, `ws://` or `wss://`. What Asterisk is to show as user name and
    /// password stands in front of the host.
    pub url: String,
    /// The carrier's protocol.
    pub dialect: Dialect,
    /// The carrier's name for the call: ACS `callConnectionId`, Twilio `CallSid`, the id of
    /// Asterisk's channel.
    pub carrier_call: String,
    /// Twilio's `customParameters`, the variables of Asterisk's channel; ACS has none.
    pub parameters: Vec<(String, String)>,
    /// What shows who dials: ACS's bearer token, Twilio's signature. Without one there is no such
    /// header.
    pub token: Option<SecretString>,
    /// In an Asterisk's bridge: the socket is the media channel's and not the phone's.
    pub bridged: Option<Bridged>,
}

/// A socket that a phone leaves open when it hangs up.
#[derive(Clone, Debug)]
pub struct Bridged {
    /// Told when the phone has hung up.
    pub hung_up: CancellationToken,
    /// Until then the socket stays, without a frame.
    pub removed: CancellationToken,
}

/// Why there is no media.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// The URL or the name of the call cannot stand in a request.
    #[error("media request cannot be written")]
    Request,
    /// Nobody answered in time.
    #[error("media socket not answered within {CONNECT_PATIENCE:?}")]
    Slow,
    /// The server refused, or is not there.
    #[error("media socket refused")]
    Refused(#[source] Box<tungstenite::Error>),
}

/// What is heard on the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Somebody begins to speak.
    Onset,
    /// What was said so far.
    Words(String),
    /// They have finished.
    Said {
        /// All of it, as it was heard.
        text: String,
        /// How its frames arrived.
        account: Account,
    },
    /// The other side has pressed a key, as its tones say; told to those who expect keys.
    Key(char),
    /// The carrier was told to throw away what was not yet played.
    Flushed,
    /// The line is over; nothing follows.
    Ended(Ending),
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The phone hung up.
    HungUp,
    /// The other side closed the socket.
    Remote,
    /// The socket broke.
    Lost,
    /// A script cut the line.
    Cut,
    /// The other side did not read for longer than a carrier waits.
    Stuck,
}

/// Whether somebody could say it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// The last frame was sent.
    Whole,
    /// It was hushed, or the line ended before.
    Cut,
}

/// How long a media socket may take to open; a carrier gives up about then.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Orders to a phone that wait; a script gives one at a time.
const COMMANDS_MAX: usize = 16;
/// Sounds that wait for whoever listens: about ten utterances with all their words.
const SOUNDS_MAX: usize = 256;

/// A telephone with an open line. Dropping it hangs up.
#[derive(Debug)]
pub struct Phone {
    commands: mpsc::Sender<Command>,
    account: Arc<Mutex<PhoneAccount>>,
    line: JoinHandle<()>,
    voice: Voice,
    speech: Speech,
    coding: Coding,
}

impl Phone {
    /// Dials the media URL and starts the line.
    ///
    /// The sounds end with [`Sound::Ended`]. Whoever does not take them misses words first and
    /// whole utterances later; the line itself never waits.
    ///
    /// # Errors
    ///
    /// The media socket could not be opened within five seconds.
    pub async fn connect(
        dialled: Dialled,
        voice: Voice,
        probe: Arc<Probe>,
    ) -> Result<(Self, mpsc::Receiver<Sound>), PhoneError> {
        let coding = dialled.dialect.coding();
        let socket = timeout(CONNECT_PATIENCE, wire::connect(&dialled))
            .await
            .map_err(|_| PhoneError::Slow)??;
        let (commands, orders) = mpsc::channel(COMMANDS_MAX);
        let (sounds, heard) = mpsc::channel(SOUNDS_MAX);
        let account = Arc::new(Mutex::new(PhoneAccount::default()));
        let line = Line::new(socket, Wire::new(dialled), coding, sounds, probe, account.clone());
        let line = tokio::spawn(line.run(orders));
        let speech = Speech::default();
        Ok((Self { commands, account, line, voice, speech, coding }, heard))
    }

    /// Sets which sources its voice may use.
    #[must_use]
    pub fn speaking(mut self, speech: Speech) -> Self {
        self.speech = speech;
        self
    }

    /// Says something after what is being said; returns when its last frame was sent.
    pub async fn say(&self, text: &str) -> Spoken {
        let utterance = self.speech.render_async(text, &self.voice, self.coding.rate()).await;
        self.play(utterance).await
    }

    /// Sounds the tone of an answering machine.
    pub async fn beep(&self) -> Spoken {
        const HZ: f32 = 1_000.0;
        const LASTING: Duration = Duration::from_millis(400);
        self.play(Arc::new(Utterance::tone(HZ, LASTING, self.coding.rate()))).await
    }

    /// Plays music.
    pub async fn play_music(&self, lasting: Duration) -> Spoken {
        self.play(Arc::new(Utterance::melody(lasting, self.coding.rate()))).await
    }

    async fn play(&self, utterance: Arc<Utterance>) -> Spoken {
        let (done, spoken) = oneshot::channel();
        self.order(Command::Say(Speaking::new(utterance, done))).await;
        spoken.await.unwrap_or(Spoken::Cut)
    }

    /// A place on the line for one more human. It does not keep the line open.
    #[must_use]
    pub fn seat(&self) -> Seat {
        Seat::new(self.commands.downgrade(), self.coding, self.speech)
    }

    /// Falls silent in the middle of a word and forgets what was to be said.
    pub async fn hush(&self) {
        self.order(Command::Hush).await;
    }

    /// Presses a key.
    pub async fn press(&self, key: char) {
        self.order(Command::Press(key)).await;
    }

    /// Understands the tones of keys from here on, as an automatic menu does.
    pub async fn expect_keys(&self) {
        self.order(Command::ExpectKeys).await;
    }

    /// Hangs up as a caller does; returns the final account.
    pub async fn hang_up(self) -> PhoneAccount {
        self.order(Command::HangUp).await;
        self.ended().await
    }

    /// Waits for the end of the line; returns the final account.
    pub async fn ended(self) -> PhoneAccount {
        self.line.await.expect("a line neither panics nor is aborted");
        self.account.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happened on the line until now.
    #[must_use]
    pub fn account(&self) -> PhoneAccount {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A fault: the carrier neither sends, reads nor plays for this long, then catches up.
    pub async fn stall(&self, time: Duration) {
        self.order(Command::Stall(time)).await;
    }

    /// A fault: the next frames are not sent.
    pub async fn drop_frames(&self, frames: u64) {
        self.order(Command::DropFrames(frames)).await;
    }

    /// A fault: the connection is reset without a word.
    pub async fn cut(self) -> PhoneAccount {
        self.order(Command::Cut).await;
        self.ended().await
    }

    /// A fault: sends any text as a message.
    pub async fn send_raw(&self, text: impl Into<String>) {
        self.order(Command::Send(text.into())).await;
    }

    /// An order to a line that has ended is as good as carried out.
    async fn order(&self, command: Command) {
        self.commands.send(command).await.ok();
    }
}
