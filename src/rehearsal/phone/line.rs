//! The one task of a phone: it sends a frame and plays a frame every 20 ms, on deadlines that
//! never drift, and takes orders and messages in between.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::{self, Message};

use super::account::PhoneAccount;
use super::guest::{Guest, mixed};
use super::player::Player;
use super::probe::{Direction, Probe};
use super::wire::{Received, Socket, Wire};
use super::{Ending, Sound, Spoken};
#[cfg(not(test))]
use crate::rehearsal::pacer::sleep_until;
use crate::rehearsal::speech::pcm::Coding;
use crate::rehearsal::speech::{Perceived, Utterance};
// The tests here stop the clock, and a stopped clock moves the runtime's own timers alone.
#[cfg(test)]
use tokio::time::sleep_until;

/// One frame.
const FRAME: Duration = Duration::from_millis(20);
/// How long a server may leave its socket unread before the carrier gives up.
const SEND_PATIENCE: Duration = Duration::from_secs(5);
/// How long the farewell of a socket may take.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Places among the waiting sounds that words leave to more important ones.
const WORDS_LEAVE: usize = 64;

/// An order to a line.
#[derive(Debug)]
pub(super) enum Command {
    Say(Speaking),
    Hush,
    Press(char),
    ExpectKeys,
    Seat(Box<Guest>),
    HangUp,
    Stall(Duration),
    DropFrames(u64),
    Cut,
    Send(String),
}

/// Something that is being said.
#[derive(Debug)]
pub(super) struct Speaking {
    utterance: Arc<Utterance>,
    sent: usize,
    done: oneshot::Sender<Spoken>,
}

impl Speaking {
    pub(super) const fn new(utterance: Arc<Utterance>, done: oneshot::Sender<Spoken>) -> Self {
        Self { utterance, sent: 0, done }
    }
}

/// A phone's line.
pub(super) struct Line {
    socket: Socket,
    wire: Wire,
    player: Player,
    frame: usize,
    speaking: VecDeque<Speaking>,
    sounds: mpsc::Sender<Sound>,
    heard: Vec<Perceived>,
    /// One more human.
    guest: Option<Box<Guest>>,
    /// A key was understood in the sound that is being heard.
    keyed: bool,
    probe: Arc<Probe>,
    account: Arc<Mutex<PhoneAccount>>,
    start: Instant,
    /// The next frame's number.
    next: u64,
    /// Frames still to be dropped.
    dropping: u64,
    /// Deadlines before this were missed by order.
    excused: Instant,
}

impl Line {
    pub(super) fn new(
        socket: Socket,
        wire: Wire,
        coding: Coding,
        sounds: mpsc::Sender<Sound>,
        probe: Arc<Probe>,
        account: Arc<Mutex<PhoneAccount>>,
    ) -> Self {
        let start = Instant::now();
        let player = Player::new(coding.rate(), wire.holds());
        Self {
            socket,
            wire,
            player,
            frame: coding.rate().frame(),
            speaking: VecDeque::new(),
            sounds,
            heard: Vec::new(),
            guest: None,
            keyed: false,
            probe,
            account,
            start,
            next: 0,
            dropping: 0,
            excused: start,
        }
    }

    /// Runs until the line ends.
    pub(super) async fn run(mut self, orders: mpsc::Receiver<Command>) {
        let Err(ending) = self.talk(orders).await;
        match ending {
            Ending::HungUp => self.say_farewell().await,
            Ending::Cut => self.reset(),
            Ending::Remote | Ending::Lost | Ending::Stuck => {}
        }
        self.player.finish(&mut self.heard);
        if let Some(guest) = &mut self.guest {
            guest.finish();
        }
        self.tell();
        self.note(|account| account.ending = Some(ending));
        self.offer(Sound::Ended(ending));
    }

    async fn talk(
        &mut self,
        mut orders: mpsc::Receiver<Command>,
    ) -> Result<std::convert::Infallible, Ending> {
        for message in self.wire.opening() {
            self.send(message).await?;
        }
        self.start = Instant::now();
        let deadline = sleep_until(self.due());
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                biased;
                order = orders.recv() => self.obey(order.unwrap_or(Command::HangUp)).await?,
                () = &mut deadline => {
                    self.catch_up().await?;
                    deadline.set(sleep_until(self.due()));
                }
                message = self.socket.next() => self.receive(message).await?,
            }
        }
    }

    /// When the next frame is due: counted from the start, so that no delay adds up.
    fn due(&self) -> Instant {
        self.start + FRAME * u32::try_from(self.next).unwrap_or(u32::MAX)
    }

    async fn obey(&mut self, order: Command) -> Result<(), Ending> {
        match order {
            Command::Say(speaking) => self.speaking.push_back(speaking),
            Command::Hush => self.speaking.clear(),
            Command::Press(key) => {
                let message = self.wire.key(key);
                self.send(message).await?;
            }
            Command::ExpectKeys => self.player.expect_keys(),
            Command::Seat(guest) => self.guest = Some(guest),
            Command::HangUp => return Err(Ending::HungUp),
            Command::Stall(time) => {
                sleep(time).await;
                self.excused = Instant::now();
            }
            Command::DropFrames(frames) => self.dropping += frames,
            Command::Cut => return Err(Ending::Cut),
            Command::Send(text) => self.send(Message::text(text)).await?,
        }
        Ok(())
    }

    /// Sends and plays every frame that is due.
    async fn catch_up(&mut self) -> Result<(), Ending> {
        loop {
            let (due, now) = (self.due(), Instant::now());
            if due > now {
                return Ok(());
            }
            if due >= self.excused {
                self.note(|account| account.late(due, now));
            }
            let theirs = self.guest.as_mut().map(|guest| guest.speak(self.frame));
            let ours = self.speak(due, theirs.as_deref()).await?;
            self.next += 1;
            let played = self.player.play(now, theirs.as_deref(), &mut self.heard);
            if let Some(guest) = &mut self.guest {
                guest.hear(&mixed(&ours, &played.sound), now);
            }
            if let Some(hole) = played.hole {
                self.note(|account| account.underrun(hole));
            }
            for key in played.keys {
                self.keyed = true;
                self.offer(Sound::Key(key));
            }
            self.return_marks(played.marks).await?;
            self.tell_of_room().await?;
            self.tell();
        }
    }

    /// Sends the next frame: of what is being said, and of what a guest says. Returns our part of
    /// it when there is a guest to hear it.
    async fn speak(&mut self, due: Instant, guest: Option<&[i16]>) -> Result<Vec<i16>, Ending> {
        let drop = self.dropping > 0;
        let speaking = self.speaking.front_mut().map(|speaking| {
            let place = speaking.sent;
            speaking.sent += 1;
            (Arc::clone(&speaking.utterance), place)
        });
        let mut ours = Vec::new();
        if drop {
            self.dropping -= 1;
            self.note(|account| account.frames_dropped += 1);
        } else {
            let samples = speaking.as_ref().map(|(utterance, place)| {
                &utterance.samples[place * self.frame..(place + 1) * self.frame]
            });
            let both = guest.map(|guest| {
                ours.extend_from_slice(samples.unwrap_or_default());
                mixed(&ours, guest)
            });
            let sounding = both.as_deref().filter(|both| both.iter().any(|sample| *sample != 0));
            let message = self.wire.frame(self.next, sounding.or(samples));
            // A tone has no text and no code.
            if let Some((utterance, place)) = &speaking
                && !utterance.text.is_empty()
            {
                self.probe.sent(Direction::Uplink, Utterance::sequence(*place), due);
            }
            self.send(message).await?;
            self.note(|account| account.frames_sent += 1);
        }
        let said = |speaking: &mut Speaking| {
            speaking.sent * self.frame >= speaking.utterance.samples.len()
        };
        if let Some(speaking) = self.speaking.pop_front_if(said) {
            // Nobody waits for the end of what was said in passing.
            speaking.done.send(Spoken::Whole).ok();
        }
        Ok(ours)
    }

    async fn receive(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), Ending> {
        let message = match message {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => message,
            Some(Ok(Message::Close(_))) | None => return Err(Ending::Remote),
            // The library answers pings by itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
            Some(Err(_)) => return Err(Ending::Lost),
        };
        match self.wire.read(&message) {
            Received::Audio(samples) => {
                self.probe.message();
                let beyond = self.player.receive(samples, Instant::now());
                if !beyond.is_zero() {
                    self.note(|account| account.overflow += beyond);
                }
                self.tell_of_room().await?;
            }
            Received::Mark(name) => self.player.mark(name),
            Received::Nothing => {}
            Received::Flush => {
                let marks = self.player.flush();
                self.offer(Sound::Flushed);
                if self.wire.returns_flushed_marks() {
                    self.return_marks(marks).await?;
                }
            }
            Received::Unbearable => return Err(Ending::Lost),
            Received::Odd => self.note(|account| account.odd_messages += 1),
        }
        Ok(())
    }

    async fn return_marks(&mut self, marks: Vec<String>) -> Result<(), Ending> {
        for name in marks {
            if let Some(message) = self.wire.mark(&name) {
                self.send(message).await?;
            }
        }
        Ok(())
    }

    /// A carrier that says so says when it has no more room, and when it has again.
    async fn tell_of_room(&mut self) -> Result<(), Ending> {
        match self.wire.room(self.player.waiting()) {
            Some(message) => self.send(message).await,
            None => Ok(()),
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Ending> {
        match timeout(SEND_PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(tungstenite::Error::ConnectionClosed)) => Err(Ending::Remote),
            Ok(Err(_)) => Err(Ending::Lost),
            Err(_) => Err(Ending::Stuck),
        }
    }

    /// Passes on what was heard.
    fn tell(&mut self) {
        for perceived in std::mem::take(&mut self.heard) {
            match perceived {
                Perceived::Onset { .. } => self.offer(Sound::Onset),
                Perceived::Frame { sequence, at } => {
                    self.probe.heard(Direction::Downlink, sequence, at);
                }
                Perceived::Words(words) => {
                    if self.sounds.capacity() > WORDS_LEAVE {
                        self.offer(Sound::Words(words));
                    }
                }
                Perceived::Quiet { text, account, .. } => {
                    self.note(|all| all.heard(account));
                    // The tones of a key are nobody's turn.
                    if !(std::mem::take(&mut self.keyed) && text.is_empty()) {
                        self.offer(Sound::Said { text, account });
                    }
                }
            }
        }
    }

    /// Whoever does not listen misses it; the line does not wait.
    fn offer(&self, sound: Sound) {
        self.sounds.try_send(sound).ok();
    }

    fn note(&self, act: impl FnOnce(&mut PhoneAccount)) {
        act(&mut self.account.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends the socket as a carrier does. A server that is gone already does not mind.
    async fn say_farewell(&mut self) {
        if let Some(bridged) = self.wire.bridged() {
            bridged.hung_up.cancel();
            let read = async { while let Some(Ok(_)) = self.socket.next().await {} };
            tokio::select! {
                () = bridged.removed.cancelled() => {}
                () = read => return,
            }
        }
        let stop = self.wire.stop();
        let farewell = async {
            if let Some(stop) = stop {
                self.socket.send(stop).await?;
            }
            self.socket.close(None).await?;
            // What the server still says is read until its own close, or the kernel resets the
            // connection and the server may lose our last words.
            while self.socket.next().await.transpose()?.is_some() {}
            Ok::<(), tungstenite::Error>(())
        };
        timeout(CLOSE_PATIENCE, farewell).await.ok();
    }

    /// Makes the kernel answer with a reset instead of a farewell.
    fn reset(&self) {
        let stream = match self.socket.get_ref() {
            MaybeTlsStream::Plain(stream) => Some(stream),
            MaybeTlsStream::Rustls(tls) => Some(tls.get_ref().0),
            // The type is open to other kinds of TLS, none of which is built in.
            _ => None,
        };
        if let Some(stream) = stream {
            // It fails only on a socket that is broken already.
            stream.set_zero_linger().ok();
        }
    }
}
