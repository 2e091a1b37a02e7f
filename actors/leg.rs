//! The vault: where a socket lies so that whoever works on it may die.
//! Knows nothing of what lies in it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A message socket with its codec, as an adapter hands it over.
///
/// All three verbs are polled by one task at a time. `send` only encodes into the out buffer, a
/// whole message at once, so a panic between calls never leaves half a message on the wire.
pub trait Line: Send {
    /// What the far end says.
    type Event;
    /// What it is told.
    type Command;

    /// Returns the next event. After an error the line is of no more use.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Event, Broken>>;

    /// Encodes one command into the out buffer.
    ///
    /// # Errors
    /// [`Broken::Stuck`] when the far end has not read for so long that the buffer is full.
    fn send(&mut self, command: Self::Command) -> Result<(), Broken>;

    /// Whether the far end returns marks when playback reaches them.
    fn marks(&self) -> bool {
        false
    }

    /// Writes the out buffer to the socket.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>>;
}

/// Why a line ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The far end closed it in order. WebSocket close codes; 1005 when it gave none.
    #[error("closed by the far end with code {code}: {reason}")]
    Closed {
        /// RFC 6455 §7.4 close code.
        code: u16,
        /// The far end's words, shortened by the adapter.
        reason: String,
    },
    /// The socket or the protocol failed.
    #[error("failed: {0}")]
    Failed(String),
    /// The far end stopped reading and the out buffer is full.
    #[error("stuck: the far end does not read")]
    Stuck,
}

/// Holds at most one thing and lends it to one holder at a time.
///
/// The thing comes back when its [`Lease`] is dropped, also while a panic unwinds. Taking is
/// level-triggered: a taker polls until the thing is there, so no message can be lost.
pub struct Vault<T>(Arc<Mutex<Slot<T>>>);

struct Slot<T> {
    held: Option<T>,
    /// A newer thing replaces an older one: a lease of an older number is not put back.
    number: u64,
    lent: bool,
    waker: Option<Waker>,
}

impl<T> Vault<T> {
    /// Puts a thing in, replacing what was there; a holder of the old one keeps it until it
    /// drops it, and it does not come back.
    pub fn put(&self, thing: T) {
        let mut slot = self.slot();
        slot.number += 1;
        slot.held = Some(thing);
        slot.lent = false;
        if let Some(waker) = slot.waker.take() {
            waker.wake();
        }
    }

    /// Takes the thing as soon as it is there.
    pub fn poll_take(&self, cx: &Context<'_>) -> Poll<Lease<T>> {
        let mut slot = self.slot();
        if let Some(thing) = slot.held.take() {
            slot.lent = true;
            return Poll::Ready(Lease {
                thing: Some(thing),
                number: slot.number,
                vault: Self(Arc::clone(&self.0)),
            });
        }
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes the thing if it is there, and out for good; nobody waits for it to come back.
    #[must_use]
    pub fn take_out(&self) -> Option<T> {
        let mut slot = self.slot();
        let thing = slot.held.take()?;
        slot.number += 1;
        Some(thing)
    }

    /// Waits for the thing and takes it.
    pub async fn take(&self) -> Lease<T> {
        std::future::poll_fn(|cx| self.poll_take(cx)).await
    }

    /// Whether there is a thing, here or lent.
    #[must_use]
    pub fn is_stocked(&self) -> bool {
        let slot = self.slot();
        slot.held.is_some() || slot.lent
    }

    /// The number of what was put in last. No two things have the same.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.slot().number
    }

    /// Throws away what is here; what is lent will not come back.
    pub fn empty(&self) {
        let mut slot = self.slot();
        slot.number += 1;
        slot.held = None;
        slot.lent = false;
    }

    fn slot(&self) -> MutexGuard<'_, Slot<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Vault<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Slot { held: None, number: 0, lent: false, waker: None })))
    }
}

impl<T> Clone for Vault<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Vault<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault(stocked: {})", self.is_stocked())
    }
}

/// The right to work on the thing; returns it when dropped.
pub struct Lease<T> {
    thing: Option<T>,
    number: u64,
    vault: Vault<T>,
}

impl<T> Lease<T> {
    /// Keeps the thing from going back: it is of no more use.
    pub fn discard(mut self) {
        self.thing = None;
        let mut slot = self.vault.slot();
        if slot.number == self.number {
            slot.lent = false;
        }
    }

    /// Takes the thing out of the vault for good.
    #[must_use]
    pub fn keep(mut self) -> T {
        let thing = self.thing.take().expect("a lease holds its thing until it is dropped");
        self.discard();
        thing
    }

    /// The thing's number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whether a newer thing has been put in since this one was taken.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.vault.slot().number != self.number
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        let Some(thing) = self.thing.take() else { return };
        let mut slot = self.vault.slot();
        if slot.number != self.number {
            return;
        }
        slot.held = Some(thing);
        slot.lent = false;
        if let Some(waker) = slot.waker.take() {
            waker.wake();
        }
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("a lease holds its thing until it is dropped")
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("a lease holds its thing until it is dropped")
    }
}

impl<T> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease(number: {})", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lease_returns_itself_while_a_panic_unwinds() {
        let vault = Vault::default();
        vault.put(vec![1]);
        let holder = vault.clone();
        let worked = tokio::spawn(async move {
            let mut lease = holder.take().await;
            lease.push(2);
            panic!("injected");
        });
        assert!(worked.await.is_err());
        assert_eq!(*vault.take().await, vec![1, 2]);
    }

    #[tokio::test]
    async fn a_replaced_thing_does_not_come_back() {
        let vault = Vault::default();
        vault.put("old");
        let old = vault.take().await;
        vault.put("new");
        assert!(old.is_outdated());
        drop(old);
        assert_eq!(*vault.take().await, "new");
    }

    #[tokio::test]
    async fn a_discarded_thing_leaves_the_vault_empty() {
        let vault = Vault::default();
        vault.put(1);
        vault.take().await.discard();
        assert!(!vault.is_stocked());
    }

    #[tokio::test]
    async fn what_is_taken_out_does_not_come_back() {
        let vault = Vault::default();
        vault.put(1);
        let lease = vault.take().await;
        assert_eq!(vault.take_out(), None, "it is lent");
        assert_eq!((lease.keep(), vault.is_stocked()), (1, false));
        vault.put(2);
        assert_eq!((vault.take_out(), vault.is_stocked()), (Some(2), false));
    }
}
