//! One call from ringing to hanging up: the phone says a sentence, listens to the answer, judges
//! it, and goes on until its course is over.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tandem::rehearsal::pacer::sleep_until;
use tandem::rehearsal::phone::{Dialect, Dialled, Ending, Phone, Probe, Spoken};
use tandem::rehearsal::speech::{Speech, Voice};

use crate::cli::Carrier;
use crate::listener::Listener;
use crate::plan::Sentences;
use crate::transcript::Answer;
use crate::world::{Live, World};

/// How long a phone waits for the greeting, and for an answer from the end of its sentence: the
/// longest answer takes six seconds, a repair with every step back-off less than the rest.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between an answer and the next sentence, so that what comes too much is noticed.
const BREATH: Duration = Duration::from_millis(400);
/// How long the server may take to write the end of a call down.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);
/// Between two looks at what it wrote.
const LOOK: Duration = Duration::from_millis(100);

/// What a line is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// Its number, unlike that of any other line of the run.
    pub(crate) line: usize,
    /// When it rings.
    pub(crate) start: Instant,
    /// What it does then.
    pub(crate) then: Then,
}

/// What a line does once it is up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// Talks; begins no further sentence after this moment.
    TalkUntil(Instant),
    /// Says so many sentences.
    Say(u32),
    /// Listens to the greeting and stays, silent, until this moment.
    StayUntil(Instant),
}

/// Holds a call; everything found is in the world's tally afterwards.
pub(crate) async fn hold(world: Arc<World>, course: Course) {
    sleep_until(course.start.into()).await;
    world.board.started.fetch_add(1, Ordering::Relaxed);
    world.tally().calls += 1;
    match Line::open(&world, course.line).await {
        Ok(line) => {
            world.board.live.fetch_add(1, Ordering::Relaxed);
            line.run(course.then).await;
            world.board.live.fetch_sub(1, Ordering::Relaxed);
        }
        Err(error) => {
            world.tally().calls_lost += 1;
            world.board.lost.fetch_add(1, Ordering::Relaxed);
            world.trouble(course.line, None, format!("never came up: {error:#}"));
        }
    }
    world.board.ended.fetch_add(1, Ordering::Relaxed);
}

struct Line {
    world: Arc<World>,
    live: Arc<Live>,
    phone: Phone,
    probe: Arc<Probe>,
    listener: Listener,
}

impl Line {
    async fn open(world: &Arc<World>, number: usize) -> anyhow::Result<Self> {
        let incoming = world.target.ring(world.carrier, number).await?;
        let probe = world.probes.add(u32::try_from(number).context("too many lines")?);
        let dialled = Dialled {
            url: incoming.media_url,
            dialect: match world.carrier {
                Carrier::Acs => Dialect::Acs24k,
                Carrier::Acs16k => Dialect::Acs16k,
                Carrier::Twilio => Dialect::Twilio,
            },
            carrier_call: incoming.carrier_call,
            parameters: incoming.parameters.into_iter().collect(),
            token: None,
            bridged: None,
        };
        let (phone, sounds) = Phone::connect(dialled, Voice::numbered(number), probe.clone())
            .await
            .with_context(|| format!("call {}", incoming.call_id))?;
        let phone = phone.speaking(Speech::SyntheticOnly);
        let live = Arc::new(Live::new(number, incoming.call_id));
        let listener = Listener::new(sounds, live.clone());
        Ok(Self { world: world.clone(), live, phone, probe, listener })
    }

    /// Does what the course demands, hangs up, and adds up.
    async fn run(mut self, then: Then) {
        let followed = self.follow(then).await;
        self.world.leave(self.live.line);
        self.listener.settle(&self.phone, &self.world);
        let account = self.phone.hang_up().await;
        {
            let mut tally = self.world.tally();
            tally.phone(&account);
            tally.probe(&self.probe);
        }
        if let Ok(line) = u32::try_from(self.live.line) {
            self.world.probes.remove(line);
        }
        let ended = ended(&self.world, &self.live.call).await;
        if let Err(error) = followed.and(ended) {
            self.world.tally().calls_lost += 1;
            self.world.board.lost.fetch_add(1, Ordering::Relaxed);
            let reason = reason(&self.world, &self.live.call).await;
            let call = Some(self.live.call.as_str());
            self.world.trouble(self.live.line, call, format!("{error:#}{reason}"));
        }
    }

    async fn follow(&mut self, then: Then) -> anyhow::Result<()> {
        self.greeting().await?;
        let mut sentences = Sentences::new(self.world.seed, self.live.line);
        let mut said = 0;
        self.world.enter(self.live.clone());
        loop {
            match then {
                Then::TalkUntil(end) if Instant::now() >= end => return Ok(()),
                Then::Say(count) if said >= count => return Ok(()),
                Then::StayUntil(end) => {
                    self.listener.listen_until(&self.phone, &self.world, end).await;
                    return self.is_up();
                }
                Then::TalkUntil(_) | Then::Say(_) => {}
            }
            let sentence = sentences.next().expect("sentences have no end");
            self.turn(&sentence).await?;
            said += 1;
        }
    }

    /// Waits until the agent has greeted.
    async fn greeting(&mut self) -> anyhow::Result<()> {
        let Self { phone, listener, world, .. } = self;
        listener.begin("");
        let give_up = Instant::now() + PATIENCE;
        while listener.pieces() == 0 && listener.ended().is_none() && Instant::now() < give_up {
            listener.listen(phone, world, give_up).await;
        }
        self.is_up()?;
        ensure!(self.listener.pieces() > 0, "nobody greeted within {PATIENCE:?}");
        Ok(())
    }

    /// Says a sentence, listens to the answer, judges it.
    async fn turn(&mut self, sentence: &str) -> anyhow::Result<()> {
        let Self { phone, listener, world, .. } = self;
        listener.begin(&format!("You said: {sentence}."));
        let spoken = {
            let saying = phone.say(sentence);
            tokio::pin!(saying);
            loop {
                tokio::select! {
                    spoken = &mut saying => break spoken,
                    () = listener.listen(phone, world, Instant::now() + PATIENCE) => {}
                }
            }
        };
        self.is_up()?;
        ensure!(spoken == Spoken::Whole, "the phone could not say its sentence");
        let Self { phone, listener, world, live, .. } = self;
        let asked = Instant::now();
        listener.asked(asked);
        while !listener.is_answered() && listener.ended().is_none() {
            if asked.elapsed() >= PATIENCE {
                break;
            }
            listener.listen(phone, world, asked + PATIENCE).await;
        }
        listener.listen_until(phone, world, Instant::now() + BREATH).await;
        listener.settle(phone, world);
        let (answer, heard) = listener.judge();
        let mut tally = world.tally();
        tally.answer(answer);
        if let Some(reply) = listener.reply() {
            tally.reply.record(reply);
        }
        drop(tally);
        world.board.turns.fetch_add(1, Ordering::Relaxed);
        if answer != Answer::Right {
            world.board.wrong.fetch_add(1, Ordering::Relaxed);
            let what = format!("{answer:?} answer to {sentence:?}: {heard:?}");
            world.trouble(live.line, Some(&live.call), what);
        }
        self.is_up()
    }

    fn is_up(&self) -> anyhow::Result<()> {
        match self.listener.ended() {
            None => Ok(()),
            Some(Ending::Remote) => Err(anyhow::anyhow!("hung up by the other side")),
            Some(ending) => Err(anyhow::anyhow!("line ended: {ending:?}")),
        }
    }
}

/// Waits until the server, when it is ours, has written the call's end down as that of a call that
/// was answered.
async fn ended(world: &World, call: &str) -> anyhow::Result<()> {
    let Some(server) = world.target.own() else { return Ok(()) };
    let give_up = Instant::now() + WRITTEN_WITHIN;
    loop {
        let state = server.call(call).await?;
        if state.lifecycle == "finalized" {
            ensure!(state.outcome.as_deref() == Some("answered"), "outcome not as it was");
            return Ok(());
        }
        ensure!(Instant::now() < give_up, "end not written within {WRITTEN_WITHIN:?}");
        tokio::time::sleep(LOOK).await;
    }
}

/// What the server has to say about the end of a call.
async fn reason(world: &World, call: &str) -> String {
    let Some(server) = world.target.own() else { return String::new() };
    match server.call(call).await {
        Ok(call) => format!(
            "; the server says {}, {}, {}",
            call.lifecycle,
            call.outcome.as_deref().unwrap_or("no outcome"),
            call.reason.as_deref().unwrap_or("no reason")
        ),
        Err(error) => format!("; the server says nothing: {error:#}"),
    }
}
