//! A bounded queue that outlives its reader: what an actor has not yet read when it dies is read
//! by its successor. Mailboxes carry only the bell that says "look into your lane".

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A bounded queue with one reader at a time and any number of writers.
pub struct Lane<T>(Arc<Mutex<Inner<T>>>);

struct Inner<T> {
    queue: VecDeque<T>,
    bound: usize,
    bell: Bell,
}

enum Bell {
    Nobody,
    Actor(Arc<dyn Fn() + Send + Sync>),
    Task(Waker),
}

/// The lane was full; the thing comes back.
#[derive(Debug, thiserror::Error)]
#[error("lane full")]
pub struct Full<T>(pub T);

impl<T> Lane<T> {
    /// A lane that holds at most `bound` things.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        let queue = VecDeque::new();
        Self(Arc::new(Mutex::new(Inner { queue, bound, bell: Bell::Nobody })))
    }

    /// Appends; rings when the lane was empty.
    ///
    /// # Errors
    /// [`Full`] when the reader has fallen behind by the whole bound.
    pub fn push(&self, thing: T) -> Result<(), Full<T>> {
        let mut inner = self.inner();
        if inner.queue.len() >= inner.bound {
            return Err(Full(thing));
        }
        inner.queue.push_back(thing);
        if inner.queue.len() > 1 {
            return Ok(());
        }
        match std::mem::replace(&mut inner.bell, Bell::Nobody) {
            Bell::Nobody => {}
            Bell::Actor(ring) => {
                inner.bell = Bell::Actor(Arc::clone(&ring));
                drop(inner);
                ring();
            }
            Bell::Task(waker) => waker.wake(),
        }
        Ok(())
    }

    /// Takes the oldest thing. It is gone from the lane before it is looked at, so a thing that
    /// kills its reader does not kill the next one.
    #[must_use]
    pub fn pop(&self) -> Option<T> {
        self.inner().queue.pop_front()
    }

    /// Takes the oldest thing, or asks for the task to be woken by the next push.
    pub fn poll_pop(&self, cx: &Context<'_>) -> Poll<T> {
        let mut inner = self.inner();
        if let Some(thing) = inner.queue.pop_front() {
            return Poll::Ready(thing);
        }
        match &mut inner.bell {
            Bell::Task(waker) => waker.clone_from(cx.waker()),
            bell @ (Bell::Nobody | Bell::Actor(_)) => *bell = Bell::Task(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Makes `ring` the reader's bell; rings at once when something is waiting.
    pub fn attach(&self, ring: impl Fn() + Send + Sync + 'static) {
        let ring = Arc::new(ring);
        let mut inner = self.inner();
        inner.bell = Bell::Actor(Arc::clone(&ring) as _);
        let waiting = !inner.queue.is_empty();
        drop(inner);
        if waiting {
            ring();
        }
    }

    /// Forgets the reader, so that nothing of a dead one is kept alive.
    pub fn detach(&self) {
        self.inner().bell = Bell::Nobody;
    }

    /// How many things wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner().queue.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Lane<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Lane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({} waiting)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn what_a_dead_reader_left_is_read_by_the_next() {
        let lane = Lane::new(4);
        let rung = Arc::new(AtomicUsize::new(0));
        let bell = Arc::clone(&rung);
        lane.attach(|| {});
        lane.push(1).unwrap();
        lane.push(2).unwrap();
        assert_eq!(lane.pop(), Some(1));
        lane.attach(move || {
            bell.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(rung.load(Ordering::SeqCst), 1, "the new reader is told what waits");
        assert_eq!(lane.pop(), Some(2));
        lane.push(3).unwrap();
        assert_eq!(rung.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_full_lane_gives_the_thing_back() {
        let lane = Lane::new(1);
        lane.push("a").unwrap();
        let Full(back) = lane.push("b").unwrap_err();
        assert_eq!(back, "b");
    }
}
