//! A line whose caller may be handed over to a human. Twilio ends the stream when it rings the
//! human; that is no hang-up of the caller's, who may come back.

use std::task::{Context, Poll, ready};

use tandem_actors::carrier::{Command, Event, Line};
use tandem_actors::leg::{self, Broken};

use super::book::Leaving;

/// Makes the end of this line a loss instead of a goodbye while the caller is handed over.
#[must_use]
pub(super) fn line(inner: Line, leaving: Leaving) -> Line {
    Box::new(Guarded { inner, leaving })
}

struct Guarded {
    inner: Line,
    leaving: Leaving,
}

impl leg::Line for Guarded {
    type Event = Event;
    type Command = Command;

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Broken>> {
        let event = ready!(self.inner.poll_event(cx));
        let is_end = matches!(event, Ok(Event::Stopped) | Err(Broken::Closed { .. }));
        if is_end && self.leaving.is_so() {
            return Poll::Ready(Err(Broken::Failed("the caller is handed over".to_owned())));
        }
        Poll::Ready(event)
    }

    fn send(&mut self, command: Command) -> Result<(), Broken> {
        self.inner.send(command)
    }

    fn marks(&self) -> bool {
        self.inner.marks()
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.inner.poll_flush(cx)
    }
}
