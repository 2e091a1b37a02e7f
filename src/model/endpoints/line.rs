//! A session's line with an eye on what becomes of it: tells the place's health, and turns what
//! is final at one place into what is tried again, at another.

use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tandem_actors::leg::{self, Broken};
use tandem_actors::model::{Command, Condition, Ending, Event, Line, Loss, Refusal};

use tokio::time::Instant;

use super::{Endpoints, Place, TELLING};

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// A socket and nothing more.
    Opened,
    /// It has taken its configuration.
    Configured,
    /// A response has come of it.
    Proved,
}

/// A line that is watched.
pub(super) struct Watched {
    line: Line,
    endpoints: Endpoints,
    at: usize,
    opened: Instant,
    proof: Proof,
    /// Told before anything that is read.
    next: Option<Event>,
}

impl Watched {
    pub(super) fn new(line: Line, endpoints: Endpoints, at: usize) -> Self {
        Self { line, endpoints, at, opened: Instant::now(), proof: Proof::Opened, next: None }
    }

    fn place(&self) -> &Place {
        &self.endpoints.places[self.at]
    }

    fn seen(&mut self, event: Event) -> Event {
        if let Event::Responded { response, ending, usage } = event {
            self.endpoints.counts.used(usage.as_deref());
            return Event::Responded { response, ending: self.responded(ending), usage };
        }
        match event.condition() {
            Some(Condition::Ready) => {
                if self.proof == Proof::Opened {
                    self.proof = Proof::Configured;
                }
            }
            Some(Condition::Fatal(loss)) => return Event::Fatal(self.fatal(loss.clone())),
            Some(Condition::Refused(Refusal::Other(code))) if self.proof == Proof::Opened => {
                return self.refused_configuration(code.clone());
            }
            Some(Condition::Exhausted(_)) => {
                self.endpoints.counts.exhausted.fetch_add(1, Ordering::Relaxed);
            }
            Some(Condition::Expires(_) | Condition::Refused(_)) | None => {}
        }
        event
    }

    fn responded(&mut self, ending: Ending) -> Ending {
        match ending {
            Ending::Failed(loss) => {
                let helps = self.lost(loss.clone());
                if self.endpoints.should_move(self.at) {
                    self.next = Some(Event::Fatal(Loss::Passing(code_of(loss))));
                }
                Ending::Failed(helps)
            }
            Ending::Completed | Ending::Cancelled => {
                if self.proof != Proof::Proved {
                    self.proof = Proof::Proved;
                    self.place().worked();
                }
                ending
            }
        }
    }

    fn fatal(&mut self, loss: Loss) -> Loss {
        // A session that did its work and has grown too old, or is torn by its server: whether
        // the place can be reached is seen by the next dial.
        if self.proof == Proof::Proved && matches!(loss, Loss::Passing(_)) {
            return loss;
        }
        let helps = self.lost(loss.clone());
        if self.endpoints.should_move(self.at) { Loss::Passing(code_of(loss)) } else { helps }
    }

    /// Something failed here: told to the place, and sorted by what helps now.
    fn lost(&mut self, loss: Loss) -> Loss {
        if matches!(loss, Loss::RateLimited(_)) {
            self.endpoints.counts.rate_limited.fetch_add(1, Ordering::Relaxed);
        }
        self.place().failed(&loss);
        // What comes next must prove itself again.
        self.proof = Proof::Configured;
        self.endpoints.helps(loss)
    }

    /// A configuration that one server refuses another may take. It may also be this call's own
    /// fault, so the place is not condemned for it.
    fn refused_configuration(&mut self, code: String) -> Event {
        if self.endpoints.places.len() == 1 {
            return Event::Refused(Refusal::Other(code));
        }
        let loss = Loss::Passing(code);
        self.place().failed(&loss);
        self.proof = Proof::Configured;
        Event::Fatal(loss)
    }

    /// The line has ended. Once it was configured that says nothing about the place.
    fn broke(&mut self) {
        if self.proof == Proof::Opened {
            self.proof = Proof::Configured;
            self.place().failed(&Loss::Passing("ended before it began".to_owned()));
        }
    }
}

fn code_of(loss: Loss) -> String {
    match loss {
        Loss::Passing(code) | Loss::Final(code) => code,
        Loss::RateLimited(_) => "rate_limited".to_owned(),
    }
}

impl leg::Line for Watched {
    type Event = Event;
    type Command = Command;

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Broken>> {
        if let Some(event) = self.next.take() {
            return Poll::Ready(Ok(event));
        }
        match ready!(self.line.poll_event(cx)) {
            Ok(event) => Poll::Ready(Ok(self.seen(event))),
            Err(broken) => {
                self.broke();
                Poll::Ready(Err(broken))
            }
        }
    }

    fn send(&mut self, command: Command) -> Result<(), Broken> {
        self.line.send(command)
    }

    fn marks(&self) -> bool {
        self.line.marks()
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.line.poll_flush(cx)
    }
}

impl Drop for Watched {
    /// A server that opens sessions and then says nothing is given up by whoever waits for it.
    fn drop(&mut self) {
        if self.opened.elapsed() >= TELLING {
            self.broke();
        }
    }
}
