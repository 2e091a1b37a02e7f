//! Sockets and ports of channels, for the tests of this crate: a test is the far end.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use crate::audio::{Format, Payload};
use crate::briefing::{Briefing, CallId, Clips, Direction, Limits, Recording, Text, Voicemail};
use crate::carrier::{self, Carrier, CarrierCallId, CarrierError, Dial, Digit, Number};
use crate::exchange::{Exchange, Setup};
use crate::leg::{Broken, Line};
use crate::model::{self, ConnectError, Loss, Model};
use crate::record::{Intent, Note, Opened, Record, RecordError};
use crate::seed::Ports;
use crate::tool::{Done, Job, Promise, Readback, Risk, Tool, Verdict};

/// Our end of a line of channels.
struct Channels<E, C> {
    events: mpsc::Receiver<E>,
    commands: mpsc::Sender<C>,
}

impl<E: Send, C: Send> Line for Channels<E, C> {
    type Event = E;
    type Command = C;

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<E, Broken>> {
        self.events.poll_recv(cx).map(|event| event.ok_or(Broken::Failed("cut".into())))
    }

    fn send(&mut self, command: C) -> Result<(), Broken> {
        self.commands.try_send(command).map_err(|_| Broken::Stuck)
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }
}

/// The far end of a line.
pub(crate) struct Far<E, C> {
    pub(crate) says: mpsc::Sender<E>,
    pub(crate) told: mpsc::Receiver<C>,
}

pub(crate) type Phone = Far<carrier::Event, carrier::Command>;
pub(crate) type Voice = Far<model::Event, model::Command>;

pub(crate) type Near<E, C> = Box<dyn Line<Event = E, Command = C>>;

pub(crate) fn line<E: Send + 'static, C: Send + 'static>() -> (Near<E, C>, Far<E, C>) {
    let (says, events) = mpsc::channel(4_096);
    let (commands, told) = mpsc::channel(100_000);
    (Box::new(Channels { events, commands }), Far { says, told })
}

/// A model whose sessions a test plays. What is scripted happens in order; then every session
/// opens.
pub(crate) struct FakeModel {
    sessions: mpsc::Sender<Voice>,
    script: Mutex<VecDeque<Dialled>>,
}

/// What becomes of a dial.
pub(crate) enum Dialled {
    /// A session that says this first, and that it is ready.
    Opens(Vec<model::Event>),
    /// None, for this reason.
    Refused(Loss),
}

impl FakeModel {
    pub(crate) fn will(&self, dialled: Dialled) {
        self.script.lock().expect("no test panics in here").push_back(dialled);
    }
}

impl Model for FakeModel {
    fn formats(&self) -> &[Format] {
        &[Format::Pcm24k]
    }

    fn connect(&self) -> BoxFuture<'static, Result<model::Line, ConnectError>> {
        let (line, far) = line();
        let next = self.script.lock().expect("no test panics in here").pop_front();
        match next.unwrap_or(Dialled::Opens(Vec::new())) {
            Dialled::Opens(events) => {
                for event in events {
                    far.says.try_send(event).expect("a fresh channel");
                }
            }
            Dialled::Refused(loss) => {
                let what = format!("{loss:?}");
                return async { Err(ConnectError { what, loss }) }.boxed();
            }
        }
        far.says.try_send(model::Event::Ready).expect("a fresh channel");
        let sessions = self.sessions.clone();
        async move {
            sessions.send(far).await.expect("the test plays the model");
            Ok(line)
        }
        .boxed()
    }
}

#[derive(Default)]
pub(crate) struct FakeCarrier {
    pub(crate) dials: AtomicUsize,
    /// How often it was told to hang up.
    pub(crate) hang_ups: AtomicUsize,
}

impl Carrier for FakeCarrier {
    fn place(&self, _: Dial) -> BoxFuture<'static, Result<CarrierCallId, CarrierError>> {
        self.dials.fetch_add(1, Ordering::SeqCst);
        async { Ok(CarrierCallId("carrier-1".into())) }.boxed()
    }

    fn hang_up(&self, _: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>> {
        self.hang_ups.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }.boxed()
    }
}

/// A record that keeps what it is told.
#[derive(Default)]
pub(crate) struct FakeRecord {
    pub(crate) notes: Mutex<Vec<Note>>,
    pub(crate) known: Arc<Mutex<HashMap<String, Option<Done>>>>,
}

impl Record for FakeRecord {
    fn open(&self, _: Opened) -> BoxFuture<'static, Result<(), RecordError>> {
        async { Ok(()) }.boxed()
    }

    fn dialing(&self, _: CallId) -> BoxFuture<'static, Result<(), RecordError>> {
        async { Ok(()) }.boxed()
    }

    fn note(&self, note: Note) {
        self.notes.lock().expect("no test panics in here").push(note);
    }

    fn intend(&self, job: &Job) -> BoxFuture<'static, Result<Intent, RecordError>> {
        let mut known = self.known.lock().expect("no test panics in here");
        let intent = match known.get(&job.id.0) {
            None => Intent::Fresh,
            Some(None) => Intent::Begun,
            Some(Some(done)) => Intent::Known(done.clone()),
        };
        known.entry(job.id.0.clone()).or_insert(None);
        async { Ok(intent) }.boxed()
    }

    fn settle(&self, job: &Job, done: &Done) -> BoxFuture<'static, Result<(), RecordError>> {
        let mut known = self.known.lock().expect("no test panics in here");
        known.insert(job.id.0.clone(), Some(done.clone()));
        async { Ok(()) }.boxed()
    }
}

/// A tool that counts its runs and takes its time.
pub(crate) struct FakeTool {
    promise: Promise,
    pub(crate) runs: Arc<AtomicUsize>,
    pub(crate) takes: Duration,
}

impl FakeTool {
    pub(crate) fn new(name: &str, risk: Risk, takes: Duration) -> Self {
        let promise = Promise {
            name: name.into(),
            description: String::new(),
            parameters: "{}".into(),
            risk,
            idempotent: false,
            deadline: Duration::from_secs(10),
            attempts: 1,
            filler: None,
            wants_scene: false,
        };
        Self { promise, runs: Arc::default(), takes }
    }
}

impl Tool for FakeTool {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        let fingerprint = job.name;
        async move {
            Some(Ok(Readback {
                question: "Shall I?".into(),
                subject: Text::default(),
                fingerprint,
            }))
        }
        .boxed()
    }

    fn run(&self, _: Job) -> BoxFuture<'static, Done> {
        let (runs, takes) = (Arc::clone(&self.runs), self.takes);
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(takes).await;
            Done { verdict: Verdict::Success, output: r#"{"status":"success"}"#.into() }
        }
        .boxed()
    }
}

/// An exchange whose far ends a test plays.
pub(crate) struct Stage {
    pub(crate) exchange: Exchange,
    pub(crate) ports: Ports,
    pub(crate) record: Arc<FakeRecord>,
    pub(crate) carrier: Arc<FakeCarrier>,
    pub(crate) model: Arc<FakeModel>,
    pub(crate) sessions: mpsc::Receiver<Voice>,
    pub(crate) tools: Vec<Promise>,
    pub(crate) human: Option<Number>,
}

impl Stage {
    pub(crate) async fn open(tools: Vec<FakeTool>) -> Self {
        let (sessions, played) = mpsc::channel(64);
        let record = Arc::new(FakeRecord::default());
        let carrier = Arc::new(FakeCarrier::default());
        let promises = tools.iter().map(|tool| tool.promise.clone()).collect();
        let shelf = tools
            .into_iter()
            .map(|tool| (tool.promise.name.clone(), Arc::new(tool) as Arc<dyn Tool>))
            .collect();
        let model = Arc::new(FakeModel { sessions, script: Mutex::default() });
        let ports = Ports {
            model: Arc::clone(&model) as _,
            carrier: Arc::clone(&carrier) as _,
            tools: Arc::new(shelf),
            record: Arc::clone(&record) as _,
            live: Exchange::channel(),
        };
        let exchange = Exchange::open(Setup { limit: 8, ports: ports.clone() }).await;
        Self {
            exchange,
            ports,
            record,
            carrier,
            model,
            sessions: played,
            tools: promises,
            human: None,
        }
    }

    /// An inbound call whose phone and model the test plays.
    pub(crate) async fn call(&mut self, name: &str) -> (CallId, Phone, Voice) {
        self.call_of(self.briefing(name, Direction::Inbound)).await
    }

    /// The same with a briefing of the test's own.
    pub(crate) async fn call_of(&mut self, briefing: Briefing) -> (CallId, Phone, Voice) {
        let call = briefing.call.clone();
        self.exchange.admit(briefing, nowhere(), None).expect("there is room");
        let phone = self.phone(&call).await;
        let voice = self.sessions.recv().await.expect("a session is opened");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let response = model::ResponseId("greeting".into());
        let begun = model::Event::Responding { response: response.clone(), tag: None };
        let ended =
            model::Event::Responded { response, ending: model::Ending::Completed, usage: None };
        voice.says.send(begun).await.expect("the session is open");
        voice.says.send(ended).await.expect("the session is open");
        (call, phone, voice)
    }

    /// Gives a call its phone.
    pub(crate) async fn phone(&self, call: &CallId) -> Phone {
        let (line, phone) = line();
        self.exchange.attach(call, line).expect("a live call without a phone");
        phone.says.send(carrier::Event::Started).await.expect("the line is open");
        drop(tokio::spawn(silence(phone.says.clone())));
        phone
    }

    pub(crate) fn briefing(&self, name: &str, direction: Direction) -> Briefing {
        Briefing {
            call: CallId::new(name),
            direction,
            remote: Number::new("+15550100"),
            local: Number::new("+15550199"),
            task: "test".into(),
            instructions: "test".into(),
            greeting: "greet".into(),
            voice: "marin".into(),
            format: Format::Pcm24k,
            tools: self.tools.clone(),
            limits: Limits {
                total: Duration::from_mins(10),
                silence: Duration::from_mins(5),
                ringing: Duration::from_secs(30),
                session: Duration::from_mins(55),
            },
            clips: Arc::new(Clips {
                bridge: vec![frame(900_001)],
                apology: vec![frame(900_002)],
                goodbye: vec![frame(900_003)],
                enter_pin: vec![frame(900_006)],
                wrong_pin: vec![frame(900_007)],
                turned_away: vec![frame(900_008)],
                hand_over: vec![frame(900_004)],
                keys: Digit::new('1').map(|key| (key, vec![frame(900_005)])).into_iter().collect(),
            }),
            voicemail: Voicemail::LeaveMessage("leave it".into()),
            human: self.human.clone(),
            door: None,
            discloses: false,
            recording: Recording::FromTheStart,
            pin: None,
            language: None,
            own: |_, _| None,
            before: None,
        }
    }
}

/// What a phone sends while nobody speaks into it; a real one sends it every 20 ms.
pub(crate) const SILENCE: u64 = 0xFFFF;

async fn silence(says: mpsc::Sender<carrier::Event>) {
    while says.send(carrier::Event::Heard(frame(SILENCE))).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// 20 ms of audio that carries a number in its first characters.
pub(crate) fn frame(number: u64) -> Payload {
    let text = format!("{number:08}{}", "A".repeat(1_272));
    Payload::from_base64(Bytes::from(text)).expect("base64")
}

pub(crate) fn number(payload: &Payload) -> u64 {
    payload.as_str()[..8].parse().expect("a frame of these tests")
}

/// Addresses for a carrier that does not use them.
pub(crate) fn nowhere() -> carrier::Addresses {
    carrier::Addresses { media: String::new(), events: String::new() }
}
