//! Two lines of the same format put together: what one hears the other says. Decides nothing; ends
//! when either side does.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use tandem_actors::carrier::{Command, Event, Line};
use tandem_actors::leg::Broken;
use tokio::time::{Instant, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Two people may talk for so long: the longest that a server that goes away waits by itself.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A side that sends nothing for this long, not even silence, is gone: both send a frame every
/// 20 ms.
const STARVED: Duration = Duration::from_secs(5);

/// Events taken from one side before the other gets its turn.
const BATCH: usize = 64;

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// One of the two.
struct Side {
    line: Line,
    heard: Instant,
}

/// Two people on the line.
pub(super) struct Bridge {
    sides: [Side; 2],
}

impl Bridge {
    /// Puts them together; what was said to the first before and is not played yet is not.
    pub(super) fn between(mut one: Line, other: Line) -> Self {
        // A side that is broken is found so at the first look.
        let _flushed = one.send(Command::Flush);
        let heard = Instant::now();
        Self { sides: [one, other].map(|line| Side { line, heard }) }
    }

    /// Lets them talk until one of them goes, time is up or it is told to stop; then ends both
    /// lines.
    pub(super) async fn run(mut self, stop: &CancellationToken) {
        let mut look = interval(STARVED / 5);
        let talk = async {
            loop {
                tokio::select! {
                    _broken = poll_fn(|cx| self.poll(cx)) => return,
                    _ = look.tick() => if self.is_starved() {
                        return;
                    },
                }
            }
        };
        tokio::select! {
            _over = timeout(LONGEST, talk) => {}
            () = stop.cancelled() => {}
        }
        for side in &mut self.sides {
            // One of them is gone already.
            let closed = side.line.send(Command::Close);
            let flushed = poll_fn(|cx| side.line.poll_flush(cx));
            if closed.is_ok() {
                let _in_time = timeout(FAREWELL, flushed).await;
            }
        }
    }

    fn is_starved(&self) -> bool {
        self.sides.iter().any(|side| side.heard.elapsed() > STARVED)
    }

    /// Ready when one side is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        let [one, other] = &mut self.sides;
        if let Err(broken) = pass(cx, one, other).and_then(|()| pass(cx, other, one)) {
            return Poll::Ready(broken);
        }
        for side in &mut self.sides {
            if let Poll::Ready(Err(broken)) = side.line.poll_flush(cx) {
                return Poll::Ready(broken);
            }
        }
        Poll::Pending
    }
}

/// What one says is heard by the other. Keys and marks concern nobody any more.
fn pass(cx: &mut Context<'_>, from: &mut Side, to: &mut Side) -> Result<(), Broken> {
    for _ in 0..BATCH {
        match from.line.poll_event(cx) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(Event::Heard(audio))) => {
                from.heard = Instant::now();
                to.line.send(Command::Say(audio))?;
            }
            Poll::Ready(Ok(Event::Stopped)) => {
                return Err(Broken::Closed { code: 1_000, reason: "stopped".to_owned() });
            }
            Poll::Ready(Ok(Event::Started | Event::Pressed(_) | Event::Played(_))) => {}
            Poll::Ready(Err(broken)) => return Err(broken),
        }
    }
    cx.waker().wake_by_ref();
    Ok(())
}
