//! The one writer: takes orders in their order, commits them in batches, acknowledges promises
//! after the commit, and outlasts a storage that fails. What an order means is the desk's matter.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::Connection as _;
use tandem_actors::clock::{Instant, now};
use tandem_actors::record::{Note, RecordError};
use tokio::sync::{mpsc, oneshot, watch};

use super::desk::Desk;
use super::fault::{Fault, Trouble};
use super::lock::DirLock;
use super::spool::Spool;

/// Notes wait at most this long for company: a reader is never further behind, and a hundred calls
/// share one fsync.
const COMMIT_EVERY: Duration = Duration::from_millis(100);

/// Orders in one transaction: some ten milliseconds of work, so that a promise waits no longer.
const BATCH_MAX: usize = 1_024;

/// From a failed attempt to the next when somebody waits for a promise.
const RETRY_FIRST: Duration = Duration::from_millis(100);

/// The longest pause between attempts: space that came back is noticed within it.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// A promise: something durable that somebody waits for.
pub(super) trait Work: Send {
    /// Does it, in the open transaction; keeps what came of it until the commit.
    fn apply<'a>(&'a mut self, desk: &'a mut Desk) -> BoxFuture<'a, Result<(), Fault>>;
    /// It is durable.
    fn acknowledge(self: Box<Self>);
    /// It did not happen.
    fn refuse(self: Box<Self>, fault: Fault);
}

/// What the writer is told.
pub(super) enum Order {
    Note(Note),
    Promise(Box<dyn Work>),
    /// Stop after everything before this; answered when the file is closed.
    Close(oneshot::Sender<Result<(), RecordError>>),
}

/// A [`Work`] made of a closure and the place where its answer is awaited.
pub(super) struct Promised<T, F> {
    run: Option<F>,
    result: Option<Result<T, RecordError>>,
    answer: oneshot::Sender<Result<T, RecordError>>,
}

impl<T, F> Promised<T, F> {
    pub(super) fn new(run: F, answer: oneshot::Sender<Result<T, RecordError>>) -> Self {
        Self { run: Some(run), result: None, answer }
    }
}

impl<T, F> Work for Promised<T, F>
where
    T: Send,
    F: for<'d> FnOnce(&'d mut Desk) -> BoxFuture<'d, Result<T, Trouble>> + Send,
{
    fn apply<'a>(&'a mut self, desk: &'a mut Desk) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let Some(run) = self.run.take() else { return Ok(()) };
            // A promise that is refused half-way must not leave its first half behind.
            desk.run("SAVEPOINT promise").await?;
            self.result = Some(match run(desk).await {
                Ok(kept) => Ok(kept),
                Err(Trouble::Refused(why)) => {
                    desk.run("ROLLBACK TO promise").await?;
                    Err(why)
                }
                Err(Trouble::Fault(fault)) => return Err(fault),
            });
            desk.run("RELEASE promise").await
        })
    }

    fn acknowledge(self: Box<Self>) {
        if let Some(result) = self.result {
            // Who no longer waits has given up on the answer, not on the deed.
            self.answer.send(result).ok();
        }
    }

    fn refuse(self: Box<Self>, fault: Fault) {
        self.answer.send(Err(RecordError(fault.to_string()))).ok();
    }
}

/// The last attempt, when it failed.
#[derive(Clone, Copy)]
struct Failed {
    at: Instant,
    pause: Duration,
}

/// What the writer shares with the store's handles.
pub(super) struct Shared {
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) spool: Arc<Spool>,
    pub(super) fault: watch::Sender<Option<Fault>>,
    pub(super) commits: watch::Sender<u64>,
}

/// The writer.
pub(super) struct Writer {
    desk: Desk,
    shared: Shared,
    /// Held as long as anything may still be written.
    lock: Option<DirLock>,
    pending: VecDeque<Order>,
    /// How many of the pending are promises: somebody waits for them.
    awaited: usize,
    failed: Option<Failed>,
    closing: bool,
    closers: Vec<oneshot::Sender<Result<(), RecordError>>>,
}

impl Writer {
    pub(super) fn new(desk: Desk, shared: Shared, lock: Option<DirLock>) -> Self {
        Self {
            desk,
            shared,
            lock,
            pending: VecDeque::new(),
            awaited: 0,
            failed: None,
            closing: false,
            closers: Vec::new(),
        }
    }

    /// Ends when it is told to close or when no handle of the store is left.
    pub(super) async fn run(mut self) {
        loop {
            self.gather().await;
            if !self.pending.is_empty() || self.failed.is_some() {
                self.write_pending().await;
            }
            // A storage that fails while we leave is not waited for.
            if self.closing && (self.pending.is_empty() || self.failed.is_some()) {
                return self.leave().await;
            }
        }
    }

    /// Takes orders in until it is time to write.
    async fn gather(&mut self) {
        if self.pending.is_empty() && self.failed.is_none() {
            let order = self.shared.orders.recv().await;
            self.take(order);
        }
        let company = now() + COMMIT_EVERY;
        while !self.closing {
            while let Ok(order) = self.shared.orders.try_recv() {
                self.take(Some(order));
            }
            let due = match self.failed {
                None if self.awaited > 0 || self.pending.len() >= BATCH_MAX => return,
                None => company,
                Some(failed) if self.awaited > 0 => failed.at + RETRY_FIRST.min(failed.pause),
                Some(failed) => failed.at + failed.pause,
            };
            tokio::select! {
                order = self.shared.orders.recv() => self.take(order),
                () = tokio::time::sleep_until(due) => return,
            }
        }
    }

    fn take(&mut self, order: Option<Order>) {
        match order {
            Some(Order::Note(note)) => self.pending.push_back(Order::Note(note)),
            Some(Order::Promise(work)) => {
                self.awaited += 1;
                self.pending.push_back(Order::Promise(work));
            }
            Some(Order::Close(closer)) => {
                self.closers.push(closer);
                self.shared.orders.close();
            }
            None => self.closing = true,
        }
    }

    /// Writes one batch from the front of the pending orders.
    async fn write_pending(&mut self) {
        let count = self.pending.len().min(BATCH_MAX);
        match self.try_batch(count).await {
            Ok(()) => self.written(count),
            Err(fault) => self.not_written(fault).await,
        }
    }

    async fn try_batch(&mut self, count: usize) -> Result<(), Fault> {
        self.desk.begin().await?;
        let mut outcome = Ok(());
        if self.failed.is_some() {
            // Something to write even when nothing waits: the fault ends when the storage works.
            outcome = self.desk.beat().await;
        }
        for order in self.pending.iter_mut().take(count) {
            if outcome.is_err() {
                break;
            }
            outcome = match order {
                Order::Note(note) => note_down(&mut self.desk, note).await,
                Order::Promise(work) => work.apply(&mut self.desk).await,
                Order::Close(_) => Ok(()),
            };
        }
        if outcome.is_ok() {
            outcome = self.desk.commit().await;
        }
        if outcome.is_err() {
            self.desk.roll_back().await;
        }
        outcome
    }

    fn written(&mut self, count: usize) {
        if self.failed.take().is_some() {
            self.shared.fault.send_replace(None);
            tracing::info!(waiting = self.pending.len(), "the record is written again");
        }
        self.shared.commits.send_modify(|commits| *commits += 1);
        for order in self.pending.drain(..count) {
            match order {
                Order::Note(_) => self.shared.spool.release(),
                Order::Promise(work) => {
                    self.awaited -= 1;
                    work.acknowledge();
                }
                Order::Close(_) => {}
            }
        }
    }

    /// Keeps the notes for the next attempt and tells everybody else at once.
    async fn not_written(&mut self, fault: Fault) {
        let pause = self.failed.map_or(RETRY_FIRST, |failed| (failed.pause * 2).min(RETRY_MAX));
        if self.shared.fault.send_replace(Some(fault)) != Some(fault) {
            tracing::error!(%fault, "the record cannot be written; facts wait in memory");
        }
        for order in std::mem::take(&mut self.pending) {
            match order {
                Order::Note(note) => self.pending.push_back(Order::Note(note)),
                Order::Promise(work) => work.refuse(fault),
                Order::Close(_) => {}
            }
        }
        self.awaited = 0;
        match fault {
            Fault::Full | Fault::Locked => {}
            Fault::Damaged | Fault::Unwritable | Fault::Io => self.desk.reopen().await,
        }
        self.failed = Some(Failed { at: now(), pause });
    }

    async fn leave(self) {
        let lost = self.pending.len();
        if lost > 0 {
            tracing::error!(lost, "facts of calls could not be written before the end");
        }
        // Closing moves everything from the log into the database file; failing at it loses
        // nothing, the next start does the same.
        self.desk.conn.close().await.ok();
        drop(self.lock);
        for closer in self.closers {
            let answer = match lost {
                0 => Ok(()),
                lost => Err(RecordError(format!("{lost} facts could not be written"))),
            };
            closer.send(answer).ok();
        }
    }
}

/// A note that contradicts what is written is our own fault or a late writer's: said, not kept.
async fn note_down(desk: &mut Desk, note: &Note) -> Result<(), Fault> {
    match desk.note(note).await {
        Ok(()) => Ok(()),
        Err(Trouble::Refused(why)) => {
            tracing::warn!(call = %note.call, sequence = note.sequence, %why, "a fact was refused");
            Ok(())
        }
        Err(Trouble::Fault(fault)) => Err(fault),
    }
}
