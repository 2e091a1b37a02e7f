//! The ports of a call on channels: the phone's line, the model's sessions, a carrier that takes
//! every order. The far ends are the harness.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tandem_actors::audio::Format;
use tandem_actors::carrier::{self, Carrier, CarrierCallId, CarrierError, Dial};
use tandem_actors::clock;
use tandem_actors::leg::{Broken, Line};
use tandem_actors::model::{self, Loss};
use tandem_actors::model::{Command, ConnectError, Ending, Entry, Event, Model, Refusal};
use tokio::sync::mpsc;

use super::stage::{FORMAT, Pending, Stage};
use super::truth::Wrong;

/// More than anybody here is ever behind.
const BEHIND: usize = 4_096;

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

type Near<E, C> = Box<dyn Line<Event = E, Command = C>>;

pub(crate) fn line<E: Send + 'static, C: Send + 'static>() -> (Near<E, C>, Far<E, C>) {
    let (says, events) = mpsc::channel(BEHIND);
    let (commands, told) = mpsc::channel(BEHIND);
    (Box::new(Channels { events, commands }), Far { says, told })
}

/// A carrier that takes every order.
pub(crate) struct Network;

impl Carrier for Network {
    fn place(&self, dial: Dial) -> BoxFuture<'static, Result<CarrierCallId, CarrierError>> {
        async move { Ok(CarrierCallId(dial.call.to_string())) }.boxed()
    }

    fn hang_up(&self, _: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>> {
        async { Ok(()) }.boxed()
    }
}

/// Plays the phone's socket until it is closed.
pub(crate) async fn ring(stage: Arc<Stage>, mut told: mpsc::Receiver<carrier::Command>) {
    while let Some(command) = told.recv().await {
        match command {
            carrier::Command::Say(audio) => {
                if let Some(heard) = stage.change(|state| state.play(&audio)) {
                    stage.truth().discloses(&stage.call, heard);
                }
            }
            carrier::Command::Flush => {
                stage.truth().cut(&stage.call);
                stage.change(|state| state.flush());
            }
            carrier::Command::Mark(_) => {}
            carrier::Command::Close => break,
        }
    }
    stage.change(|state| state.over = true);
}

/// The calls by name, as a session's instructions tell it.
pub(crate) type Stages = Arc<Mutex<HashMap<String, Arc<Stage>>>>;

/// Where sessions of the hostile model are opened.
pub(crate) struct Sessions(pub(crate) Stages);

impl Model for Sessions {
    fn formats(&self) -> &[Format] {
        &[FORMAT]
    }

    fn connect(&self) -> BoxFuture<'static, Result<model::Line, ConnectError>> {
        let stages = Arc::clone(&self.0);
        async move {
            let (line, far) = line();
            if far.says.try_send(Event::Ready).is_err() {
                let loss = Loss::Passing("closed".into());
                return Err(ConnectError { what: "closed".into(), loss });
            }
            drop(tokio::spawn(serve(stages, far)));
            Ok(line)
        }
        .boxed()
    }
}

/// A session: knows its call by its instructions, and keeps what it is told.
async fn serve(stages: Stages, far: Far<Event, Command>) {
    let Far { says, mut told } = far;
    let Some(Command::Configure(session)) = told.recv().await else { return };
    let call = session.instructions.as_str();
    let stage = stages.lock().unwrap_or_else(PoisonError::into_inner).get(call).cloned();
    let Some(stage) = stage else { return };
    let number = stage.change(|state| {
        (state.says, state.pending, state.active) = (Some(says), None, false);
        state.session += 1;
        state.session
    });
    let mut answered = HashSet::new();
    while let Some(command) = told.recv().await {
        if stage.state().session != number {
            return;
        }
        match command {
            Command::Remember(Entry::Answered { id, output }) => {
                stage.tell(|| format!("told {}: {}", id.0, output.as_str()));
                if !answered.insert(id.clone()) {
                    let line = format!("{}: tool call {} answered again", stage.call, id.0);
                    stage.truth().accuse(Wrong::AnsweredTwice, line);
                }
                let word = in_a_word(output.as_str());
                stage.change(|state| state.answers.insert(id.0, word));
            }
            Command::Respond { tag, instructions } => {
                asked_to_respond(&stage, tag, instructions.is_some());
            }
            Command::Aside { tag, .. } => aside(&stage, tag),
            Command::Cancel => {
                stage.change(|state| state.send(Event::Refused(Refusal::NothingToCancel)));
            }
            Command::Configure(_)
            | Command::Hear(_)
            | Command::Remember(
                Entry::Caller(_) | Entry::Agent(_) | Entry::Note(_) | Entry::Asked { .. },
            )
            | Command::CancelAside(_)
            | Command::Truncate { .. }
            | Command::Forget(_) => {}
            Command::Close => break,
        }
    }
    stage.change(|state| {
        if state.session == number {
            state.says = None;
        }
    });
}

fn asked_to_respond(stage: &Stage, tag: u64, guided: bool) {
    stage.change(|state| {
        if state.active {
            state.send(Event::Refused(Refusal::ResponseActive(Some(tag))));
        } else {
            state.pending = Some(Pending { tag, guided, since: clock::now() });
        }
    });
}

fn aside(stage: &Stage, tag: u64) {
    stage.change(|state| {
        if state.active {
            state.send(Event::Refused(Refusal::ResponseActive(Some(tag))));
            return;
        }
        state.pending = Some(Pending { tag, guided: true, since: clock::now() });
        let response = state.respond();
        state.speak(&response, "One moment, please.", None);
        state.responded(response, Ending::Completed);
    });
}

/// What a tool's output comes to.
fn in_a_word(output: &str) -> String {
    let output: serde_json::Value = serde_json::from_str(output).unwrap_or_default();
    let word = |key: &str| output.get(key).and_then(serde_json::Value::as_str);
    match word("status") {
        Some("success") => "done".to_owned(),
        Some("confirmation_required") => "asked the human".to_owned(),
        Some(_) | None => word("reason").unwrap_or("unreadable").to_owned(),
    }
}
