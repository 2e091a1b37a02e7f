//! Two places of channels, in virtual time: the test is both providers.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use tandem_actors::leg::{self, Broken};
use tandem_actors::model::{Command, Ending, Event, Refusal, ResponseId};
use tokio::sync::mpsc;

use super::*;
use crate::standing::State;

/// What a place does with a dial.
enum Will {
    Open,
    Refuse(Loss),
    Hang,
}

/// A place: does as scripted, then opens every session; the test speaks for the last one.
#[derive(Default)]
struct Fake {
    script: Mutex<VecDeque<Will>>,
    dials: AtomicU64,
    far: Mutex<Option<mpsc::Sender<Event>>>,
}

impl Fake {
    fn will(&self, will: Vec<Will>) {
        self.script.lock().unwrap().extend(will);
    }

    fn dials(&self) -> u64 {
        self.dials.swap(0, Ordering::Relaxed)
    }

    fn says(&self, event: Event) {
        self.far.lock().unwrap().as_ref().expect("a session").try_send(event).expect("room");
    }

    fn hangs_up(&self) {
        self.far.lock().unwrap().take();
    }
}

impl Model for Fake {
    fn formats(&self) -> &[Format] {
        &[Format::Pcm24k]
    }

    fn connect(&self) -> BoxFuture<'static, Result<Line, ConnectError>> {
        self.dials.fetch_add(1, Ordering::Relaxed);
        let will = self.script.lock().unwrap().pop_front().unwrap_or(Will::Open);
        let (says, events) = mpsc::channel(16);
        *self.far.lock().unwrap() = Some(says);
        Box::pin(async move {
            match will {
                Will::Open => Ok(Box::new(Channel(events)) as Line),
                Will::Refuse(loss) => Err(ConnectError { what: format!("{loss:?}"), loss }),
                Will::Hang => std::future::pending().await,
            }
        })
    }
}

struct Channel(mpsc::Receiver<Event>);

impl leg::Line for Channel {
    type Event = Event;
    type Command = Command;

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Broken>> {
        self.0.poll_recv(cx).map(|event| event.ok_or(Broken::Failed("cut".into())))
    }

    fn send(&mut self, _: Command) -> Result<(), Broken> {
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }
}

fn two() -> (Arc<Fake>, Arc<Fake>, Endpoints) {
    let (first, second) = (Arc::new(Fake::default()), Arc::new(Fake::default()));
    let places: Vec<(&'static str, Arc<dyn Model>)> =
        vec![("first", Arc::clone(&first) as _), ("second", Arc::clone(&second) as _)];
    (first, second, Endpoints::new(places).expect("one format"))
}

fn again(code: &str) -> Loss {
    Loss::Passing(code.into())
}

fn for_good(code: &str) -> Loss {
    Loss::Final(code.into())
}

async fn refused(model: &Endpoints) -> Loss {
    match model.connect().await {
        Ok(_) => panic!("a session"),
        Err(error) => error.loss,
    }
}

async fn next(line: &mut Line) -> Result<Event, Broken> {
    poll_fn(|cx| line.poll_event(cx)).await
}

fn failed(loss: Loss) -> Event {
    Event::Responded { response: ResponseId("r".into()), ending: Ending::Failed(loss), usage: None }
}

fn completed() -> Event {
    Event::Responded { response: ResponseId("r".into()), ending: Ending::Completed, usage: None }
}

/// Opens a session that has done its work.
async fn proved(model: &Endpoints, at: &Fake) -> Line {
    let mut line = model.connect().await.map_err(|error| error.what).expect("a session");
    for event in [Event::Ready, completed()] {
        at.says(event);
        next(&mut line).await.expect("open");
    }
    line
}

#[tokio::test(start_paused = true)]
async fn the_first_is_preferred_and_the_second_taken_at_once_when_it_fails() {
    let (first, second, model) = two();
    let states = || model.seen().into_iter().map(|place| place.seen.state).collect::<Vec<_>>();
    assert_eq!(states(), [State::NotAsked, State::NotAsked]);
    drop(proved(&model, &first).await);
    assert_eq!((first.dials(), second.dials()), (1, 0));
    assert_eq!(states(), [State::Works, State::NotAsked]);
    first.will(vec![Will::Refuse(again("status_503"))]);
    let began = Instant::now();
    let _line = model.connect().await.map_err(|error| error.what).expect("at the second");
    assert_eq!((first.dials(), second.dials()), (1, 1));
    assert_eq!(began.elapsed(), Duration::ZERO, "without a wait");
    assert_eq!(model.counts().elsewhere.load(Ordering::Relaxed), 1);
    let seen = model.seen().swap_remove(0);
    assert_eq!((seen.seen.state, seen.seen.why.as_deref()), (State::Fails, Some("status_503")));
    assert!(!seen.rests, "once may be chance");
}

#[tokio::test(start_paused = true)]
async fn one_that_refuses_for_good_is_left_alone_and_tried_by_one_session_later() {
    let (first, second, model) = two();
    first.will(vec![Will::Refuse(for_good("status_401"))]);
    drop(proved(&model, &second).await);
    drop(proved(&model, &second).await);
    assert_eq!((first.dials(), second.dials()), (1, 2), "remembered by the next call");
    tokio::time::sleep(Duration::from_mins(5)).await;
    let mut trial = model.connect().await.map_err(|error| error.what).expect("a session");
    let _meanwhile = model.connect().await.map_err(|error| error.what).expect("a session");
    assert_eq!((first.dials(), second.dials()), (1, 1), "half open: one tries");
    first.says(completed());
    next(&mut trial).await.expect("open");
    let _line = model.connect().await.map_err(|error| error.what).expect("a session");
    assert_eq!((first.dials(), second.dials()), (1, 0), "and it is back");
}

#[tokio::test(start_paused = true)]
async fn one_that_swallows_dials_costs_three_callers_a_moment_and_then_nobody() {
    let (first, second, model) = two();
    first.will(vec![Will::Hang, Will::Hang, Will::Hang, Will::Hang]);
    for calls in 0..5 {
        let began = Instant::now();
        let _line = model.connect().await.map_err(|error| error.what).expect("at the second");
        let waits = if calls < 3 { PATIENCE } else { Duration::ZERO };
        assert_eq!(began.elapsed(), waits, "call {calls}");
    }
    assert_eq!((first.dials(), second.dials()), (3, 5));
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_its_call_gives_up_counts_as_failed_unless_it_was_short() {
    let (first, second, model) = two();
    second.will(vec![Will::Refuse(for_good("status_403"))]);
    first.will(vec![Will::Refuse(again("status_500"))]);
    assert_eq!(refused(&model).await, again("status_500"), "there is hope at the first");
    first.will(vec![Will::Hang, Will::Hang, Will::Hang, Will::Hang]);
    for time in [TELLING / 2, TELLING / 2, TELLING * 3, TELLING * 3] {
        tokio::time::timeout(time, model.connect()).await.map(|_| ()).unwrap_err();
    }
    assert!(!model.places[0].health().is_well(), "three failures");
    assert_eq!(first.dials(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_end_comes_when_both_refuse_for_good_and_hope_goes_on_while_one_does_not() {
    let (first, second, model) = two();
    first.will(vec![Will::Refuse(for_good("a")), Will::Refuse(for_good("a2"))]);
    second.will(vec![Will::Refuse(again("b")), Will::Refuse(for_good("c"))]);
    assert_eq!(refused(&model).await, again("b"));
    assert_eq!(refused(&model).await, for_good("c"));
    assert_eq!((first.dials(), second.dials()), (1, 2));
    // The next call asks once more, for somebody may have put it right.
    assert_eq!(refused(&model).await, for_good("a2"));
    assert_eq!((first.dials(), second.dials()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_ends_in_the_middle_moves_the_call() {
    let (first, second, model) = two();
    let mut line = proved(&model, &first).await;
    first.says(failed(for_good("insufficient_quota")));
    let told = [next(&mut line).await, next(&mut line).await].map(Result::unwrap);
    assert!(
        matches!(&told[0], Event::Responded { ending: Ending::Failed(Loss::Passing(_)), .. }),
        "{told:?}"
    );
    assert!(matches!(&told[1], Event::Fatal(Loss::Passing(c)) if c == "insufficient_quota"));
    assert_eq!((first.dials(), second.dials()), (1, 0));
    let mut line = proved(&model, &second).await;
    assert_eq!((first.dials(), second.dials()), (0, 1));
    second.says(failed(for_good("insufficient_quota")));
    let told = next(&mut line).await.unwrap();
    let Event::Responded { ending: Ending::Failed(loss), .. } = told else { panic!("{told:?}") };
    assert_eq!(loss, for_good("insufficient_quota"), "nowhere is left");
}

#[tokio::test(start_paused = true)]
async fn a_key_refused_after_the_handshake_is_tried_elsewhere() {
    let (first, second, model) = two();
    let mut line = model.connect().await.map_err(|error| error.what).expect("a socket");
    first.says(Event::Fatal(for_good("invalid_api_key")));
    let told = next(&mut line).await.unwrap();
    assert!(matches!(&told, Event::Fatal(Loss::Passing(code)) if code == "invalid_api_key"));
    first.hangs_up();
    next(&mut line).await.unwrap_err();
    let _line = model.connect().await.map_err(|error| error.what).expect("at the second");
    assert_eq!((first.dials(), second.dials()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_out_twice_and_then_left() {
    let (first, _second, model) = two();
    let mut line = proved(&model, &first).await;
    let limited = || failed(Loss::RateLimited(Duration::from_secs(2)));
    for _ in 0..2 {
        first.says(limited());
        let told = next(&mut line).await.unwrap();
        let Event::Responded { ending: Ending::Failed(loss), .. } = told else { panic!() };
        assert_eq!(loss, Loss::RateLimited(Duration::from_secs(2)));
    }
    first.says(limited());
    next(&mut line).await.unwrap();
    let told = next(&mut line).await.unwrap();
    assert!(matches!(told, Event::Fatal(Loss::Passing(_))), "{told:?}");
    assert_eq!(model.counts().rate_limited.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn sessions_that_end_are_no_fault_of_the_place_and_sockets_that_never_become_one_are() {
    let (first, _second, model) = two();
    for _ in 0..5 {
        let mut line = proved(&model, &first).await;
        first.says(Event::Fatal(again("session_expired")));
        assert!(matches!(next(&mut line).await, Ok(Event::Fatal(_))));
        first.hangs_up();
        next(&mut line).await.unwrap_err();
    }
    assert!(model.places[0].health().is_well());
    for _ in 0..3 {
        let mut line = model.connect().await.map_err(|error| error.what).expect("a socket");
        first.hangs_up();
        next(&mut line).await.unwrap_err();
    }
    assert!(!model.places[0].health().is_well());
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_is_refused_is_tried_elsewhere_and_alone_is_final() {
    let (first, _second, model) = two();
    let refusal = || Event::Refused(Refusal::Other("unknown_parameter".into()));
    let mut line = model.connect().await.map_err(|error| error.what).expect("a socket");
    first.says(refusal());
    assert!(matches!(next(&mut line).await, Ok(Event::Fatal(Loss::Passing(_)))));
    let lonely = Endpoints::new(vec![("only", Arc::clone(&first) as _)]).expect("a format");
    let mut line = lonely.connect().await.map_err(|error| error.what).expect("a socket");
    first.says(refusal());
    assert!(matches!(next(&mut line).await, Ok(Event::Refused(_))));
}

#[tokio::test(start_paused = true)]
async fn the_only_place_is_tried_by_every_call() {
    let only = Arc::new(Fake::default());
    let model = Endpoints::new(vec![("only", Arc::clone(&only) as _)]).expect("a format");
    only.will(vec![Will::Refuse(for_good("status_401"))]);
    assert_eq!(refused(&model).await, for_good("status_401"));
    drop(proved(&model, &only).await);
    assert_eq!(only.dials(), 2);
}
