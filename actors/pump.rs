//! The one task that moves a call's audio: carrier socket to model socket and back.
//! Takes leases, decides nothing; what is not audio it hands to the actor it concerns.

mod order;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use crate::call::event::{Clip, Generation, Phone, Unfinished};
use crate::call::playout::Source;
use crate::carrier;
use crate::clock::{self, Instant};
use crate::desk::Desk;
use crate::leg::{Broken, Lease};
use crate::model;
use crate::realtime_link::Seen;
use crate::seed::Seed;

pub use order::{Order, Taker};

/// Events taken from one socket before the other gets its turn: more than a healthy wake-up
/// brings, few enough that a burst on one leg cannot starve the other.
const BATCH: usize = 64;

/// A phone that sends nothing for this long, not even silence, is gone: carriers send a frame
/// every 20 ms.
const STARVED: Duration = Duration::from_secs(5);

/// The pump of one call. Runs until it is dropped.
pub struct Pump {
    seed: Arc<Seed>,
    // Before `phone`, so that on the way down the model's leg is back first.
    voice: Option<Lease<model::Line>>,
    phone: Option<Lease<carrier::Line>>,
    desk: Option<Lease<Desk>>,
    sleep: Pin<Box<Sleep>>,
    armed: Option<Instant>,
}

impl std::fmt::Debug for Pump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pump").field("call", &self.seed.call).finish_non_exhaustive()
    }
}

impl Pump {
    /// A pump that holds nothing yet.
    #[must_use]
    pub fn new(seed: Arc<Seed>) -> Self {
        let sleep = Box::pin(tokio::time::sleep(STARVED));
        Self { seed, voice: None, phone: None, desk: None, sleep, armed: None }
    }

    /// Takes what is to be had. The desk comes first; without it nothing can be accounted for.
    fn take(&mut self, cx: &Context<'_>, now: Instant) -> Poll<()> {
        if self.desk.is_none() {
            let mut desk = ready!(self.seed.desk.poll_take(cx));
            if let Some(last) = desk.attended {
                self.seed.losses.push(&self.seed.heard, Phone::Resumed(now - last));
            }
            desk.attended = Some(now);
            self.desk = Some(desk);
        }
        if self.phone.is_none()
            && let Poll::Ready(line) = self.seed.phone.poll_take(cx)
        {
            self.phone = Some(line);
        }
        if self.voice.is_none()
            && let Poll::Ready(line) = self.seed.voice.poll_take(cx)
        {
            self.voice = Some(line);
        }
        Poll::Ready(())
    }

    fn obey(&mut self, cx: &Context<'_>, now: Instant) {
        while let Poll::Ready(order) = self.seed.pump.poll_pop(cx) {
            match order {
                Order::Flush(generation) => self.flush(generation, now),
                Order::Play(clip) => self.play_clip(clip),
                Order::Tell(session, command) => self.tell(session, command),
                Order::Swap => {
                    if self.voice.as_ref().is_some_and(Lease::is_outdated) {
                        self.voice = None;
                        // It may have heard the first sounds of a turn it will never tell of.
                        let desk = self.desk.as_mut().expect("the desk is taken first");
                        desk.ring.rewind();
                    }
                    // `take` has run: look again for what the vault now holds.
                    if self.voice.is_none()
                        && let Poll::Ready(line) = self.seed.voice.poll_take(cx)
                    {
                        self.voice = Some(line);
                    }
                }
                Order::Cut(why) if self.voice.is_some() => {
                    self.voice_lost(&Broken::Failed(why));
                }
                // It has ended by itself meanwhile.
                Order::Cut(_) => {}
                Order::Listen(listening) => self.desk().listen(listening),
                Order::Tape(tape) => self.desk().tape(tape),
                Order::Mute => self.desk().mute(),
                Order::Unmute => self.desk().unmute(),
                Order::Record(on) => self.desk().record(on),
                Order::Give(taker) => self.give_phone(taker),
                Order::Close => self.close_phone(),
                Order::Panic => panic!("injected fault"),
            }
        }
    }

    fn desk(&mut self) -> &mut Desk {
        self.desk.as_mut().expect("the desk is taken first")
    }

    fn flush(&mut self, generation: Generation, now: Instant) {
        let desk = self.desk.as_mut().expect("the desk is taken first");
        let was_speaking = desk.playout.is_speaking();
        let flushed = desk.flush(generation, now);
        if let Some(phone) = &mut self.phone
            && phone.send(carrier::Command::Flush).is_err()
        {
            return;
        }
        if was_speaking {
            self.seed.losses.push(&self.seed.heard, Phone::Flushed(flushed));
        }
    }

    fn play_clip(&mut self, clip: Clip) {
        let clips = Arc::clone(&self.seed.briefing.clips);
        let desk = self.desk();
        for piece in clips.of(clip) {
            desk.playout.push(&Source::Clip, piece.clone());
        }
    }

    /// Without a session the command is dropped: a fresh one is given the whole conversation.
    fn tell(&mut self, session: u64, command: model::Command) {
        if let Some(voice) = &mut self.voice
            && voice.number() == session
            && let Err(broken) = voice.send(command)
        {
            self.voice_lost(&broken);
        }
    }

    /// Without a line the taker learns that there is none.
    fn give_phone(&mut self, taker: Taker) {
        let Some(lease) = self.phone.take() else { return };
        match taker.0.send(lease.keep()) {
            Ok(()) => {
                self.desk().last_heard = None;
                let reason = "given away".to_owned();
                let gone = Phone::Gone(Broken::Closed { code: 1000, reason });
                self.seed.losses.push(&self.seed.heard, gone);
            }
            // They have not waited for it.
            Err(line) => self.seed.phone.put(line),
        }
    }

    fn close_phone(&mut self) {
        if let Some(phone) = &mut self.phone {
            // The socket is done for either way; what matters is that the far end is told.
            let _told = phone.send(carrier::Command::Close);
        }
    }

    /// Phone to ring.
    fn hear(&mut self, cx: &mut Context<'_>, now: Instant) {
        let Some(phone) = &mut self.phone else { return };
        let desk = self.desk.as_mut().expect("the desk is taken first");
        for _ in 0..BATCH {
            let event = match phone.poll_event(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(event)) => event,
                Poll::Ready(Err(broken)) => return self.phone_lost(broken),
            };
            let told = match event {
                carrier::Event::Heard(audio) => match desk.heard(&audio, now) {
                    Some(noticed) => Phone::Noticed(noticed),
                    None => continue,
                },
                carrier::Event::Played(mark) => {
                    desk.playout.played(mark, now);
                    continue;
                }
                carrier::Event::Started => {
                    desk.last_heard = Some(now);
                    Phone::Started
                }
                carrier::Event::Pressed(digit) if desk.takes_key(now) => Phone::Pressed(digit),
                carrier::Event::Pressed(_) => {
                    if desk.counts.keys_dropped == 1 {
                        tracing::warn!(call = %self.seed.call, "keys come too fast to be taken");
                    }
                    continue;
                }
                carrier::Event::Stopped => {
                    let reason = "the carrier stopped the media".to_owned();
                    return self.phone_lost(Broken::Closed { code: 1000, reason });
                }
            };
            self.seed.losses.push(&self.seed.heard, told);
        }
        cx.waker().wake_by_ref();
    }

    fn phone_lost(&mut self, broken: Broken) {
        if let Some(lease) = self.phone.take() {
            lease.discard();
        }
        if let Some(desk) = &mut self.desk {
            desk.last_heard = None;
        }
        self.seed.losses.push(&self.seed.heard, Phone::Gone(broken));
    }

    /// Ring to model.
    fn feed(&mut self) {
        let Some(voice) = &mut self.voice else { return };
        let desk = self.desk.as_mut().expect("the desk is taken first");
        // On hold nobody listens: the ring keeps the last of it.
        if desk.is_on_hold() {
            return;
        }
        while let Some(audio) = desk.ring.take() {
            desk.counts.forwarded += 1;
            if let Err(broken) = voice.send(model::Command::Hear(audio)) {
                return self.voice_lost(&broken);
            }
        }
    }

    /// Model to playout.
    fn listen(&mut self, cx: &mut Context<'_>, now: Instant) {
        let Some(voice) = &mut self.voice else { return };
        let desk = self.desk.as_mut().expect("the desk is taken first");
        for _ in 0..BATCH {
            match voice.poll_event(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(event)) => {
                    if let Some(event) = desk.take(event) {
                        let seen = Seen::Event(event, desk.generation, now);
                        self.seed.losses.push(&self.seed.said, seen);
                    }
                }
                Poll::Ready(Err(broken)) => return self.voice_lost(&broken),
            }
        }
        cx.waker().wake_by_ref();
    }

    fn voice_lost(&mut self, broken: &Broken) {
        if let Some(lease) = self.voice.take() {
            lease.discard();
        }
        let desk = self.desk.as_mut().expect("the desk is taken first");
        desk.playout.cut_unworded();
        let unfinished = if desk.ring.rewind() { Unfinished::Turn } else { Unfinished::Nothing };
        self.seed.losses.push(&self.seed.said, Seen::Lost(broken.clone(), unfinished));
    }

    /// Playout to phone.
    fn play(&mut self, now: Instant) {
        let desk = self.desk.as_mut().expect("the desk is taken first");
        let marks = self.phone.as_ref().is_some_and(|phone| phone.marks());
        while let Some(due) = desk.playout.due(now, marks) {
            desk.played(&due.audio, due.at);
            if let Some(source) = due.begins {
                self.seed.losses.push(&self.seed.heard, Phone::Began(source, due.at));
            }
            // While the phone is away our speech runs on unheard, as on any lost line.
            let Some(phone) = &mut self.phone else { continue };
            let sent = phone.send(carrier::Command::Say(due.audio));
            let marked = due.mark.map(|mark| phone.send(carrier::Command::Mark(mark)));
            if let Err(broken) = sent.and(marked.unwrap_or(Ok(()))) {
                return self.phone_lost(broken);
            }
        }
        if let Some(spoken) = desk.playout.drained(now) {
            self.seed.losses.push(&self.seed.heard, Phone::Drained(spoken));
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        let phone = self.phone.as_mut().map(|phone| phone.poll_flush(cx));
        if let Some(Poll::Ready(Err(broken))) = phone {
            self.phone_lost(broken);
        }
        let voice = self.voice.as_mut().map(|voice| voice.poll_flush(cx));
        if let Some(Poll::Ready(Err(broken))) = voice {
            self.voice_lost(&broken);
        }
    }

    /// Arms the one timer: the next piece of speech, or a phone that sends nothing.
    fn rest(&mut self, cx: &mut Context<'_>, now: Instant) {
        let desk = self.desk.as_mut().expect("the desk is taken first");
        if desk.last_heard.is_some_and(|then| now >= then + STARVED) {
            return self.phone_lost(Broken::Failed("no audio from the phone".to_owned()));
        }
        desk.attended = Some(now);
        let speech = desk.playout.deadline();
        // Not re-armed for every frame: when it fires early, the rest is waited for then.
        let starved = match (desk.last_heard, self.armed) {
            (Some(_), Some(armed)) if armed > now => Some(armed),
            (Some(then), _) => Some(then + STARVED),
            (None, _) => None,
        };
        let Some(next) = speech.into_iter().chain(starved).min() else { return };
        if self.armed == Some(next) && next > now {
            return;
        }
        self.armed = Some(next);
        self.sleep.as_mut().reset(next);
        if self.sleep.as_mut().poll(cx).is_ready() {
            self.armed = None;
            cx.waker().wake_by_ref();
        }
    }
}

impl Future for Pump {
    type Output = std::convert::Infallible;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let pump = &mut *self;
        let now = clock::now();
        ready!(pump.take(cx, now));
        pump.obey(cx, now);
        pump.hear(cx, now);
        pump.feed();
        pump.listen(cx, now);
        pump.play(now);
        pump.write(cx);
        pump.rest(cx, now);
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker_ref;

    use super::*;
    use crate::briefing::Direction;
    use crate::fake::{Stage, line, nowhere};
    use crate::model::{Command, Entry};

    #[tokio::test(start_paused = true)]
    async fn what_was_meant_for_the_lost_session_is_not_told_to_its_successor() {
        let stage = Stage::open(vec![]).await;
        let briefing = stage.briefing("c", Direction::Inbound);
        let seed = Arc::new(Seed::new(briefing, nowhere(), stage.ports.clone(), None));
        let note = |words: &str| Command::Remember(Entry::Note(words.into()));
        let tell = |words| {
            let order = Order::Tell(seed.voice.number(), note(words));
            seed.pump.push(order).expect("there is room");
        };
        let mut pump = Pump::new(Arc::clone(&seed));
        let mut poll = || Pin::new(&mut pump).poll(&mut Context::from_waker(noop_waker_ref()));
        let (first, lost) = line();
        seed.voice.put(first);
        drop(lost);
        assert!(poll().is_pending());
        // All of this before the pump's next turn: the conversation holds the note already.
        tell("in the conversation");
        let (second, mut far) = line();
        seed.voice.put(second);
        seed.pump.push(Order::Swap).expect("there is room");
        tell("new");
        assert!(poll().is_pending());
        let told: Vec<Command> = std::iter::from_fn(|| far.told.try_recv().ok()).collect();
        let [Command::Remember(Entry::Note(words))] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(words.as_str(), "new");
    }
}
