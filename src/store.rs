//! The record on SQLite: one writer that commits in batches, a few readers, tables whose shape
//! fits Postgres too. Knows no HTTP and no call in progress, only what is told of them.

mod agent_tasks;
mod approvals;
mod archive;
mod bridges;
mod campaigns;
#[cfg(test)]
pub(crate) mod conformance;
mod deliveries;
mod desk;
mod facts;
mod fault;
mod floor;
mod forget;
mod inbound;
mod keys;
mod ledger;
mod lock;
mod open;
mod orders;
mod orphans;
mod phones;
mod policy;
mod read;
mod reading;
mod recordings;
mod results;
mod schedules;
mod searches;
mod spool;
mod tasks;
#[cfg(test)]
mod tests;
mod told;
mod webhooks;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::SqlitePool;
use tandem_actors::briefing::CallId;
use tandem_actors::clock;
use tandem_actors::record::{Intent, Note, Opened, Record, RecordError};
use tandem_actors::tool::{Done, Job};
use tokio::sync::{mpsc, oneshot, watch};

pub use agent_tasks::{AgentState, AgentTask, AgentTasks};
pub use approvals::Approvals;
pub use archive::{
    Answer, Archive, CallFilter, CallRow, ConfirmationRow, Cursor, End, EventRow, LedgerRow,
    LedgerState, NoCursor, Orphan, PAGE_MAX, Page, ROWS_MAX, SettledCall, TurnRow, With,
};
pub use bridges::Bridges;
pub use campaigns::{
    Campaign, CampaignArchive, CampaignChange, CampaignRow, CampaignTarget, Campaigns,
    DECISIONS_MAX, Decided, Errand,
};
pub use deliveries::DeliveryRow;
pub(crate) use deliveries::{Attempt, Deliveries, Due, Next};
pub use desk::Tenure;
pub use fault::Fault;
pub use floor::LiveRow;
pub use forget::Retention;
pub use inbound::Profiles;
pub use keys::{KEYS_MAX, KeyRow, Keys, Scope};
pub(crate) use ledger::hex_digest;
pub use open::OpenError;
pub(crate) use open::make_private;
pub use orders::{
    Bounds, Judge, NotOpened, Once, Ordered, Orders, Permit, SOON_FORGOTTEN, Terms, unmade,
};
pub use phones::Phones;
pub use policy::{List, Listed, Policies};
pub use recordings::{AwaitedFile, CarrierRecordings};
pub use results::Results;
pub use schedules::{RunRow, SCHEDULES_MAX, ScheduleRow, Schedules};
pub use searches::{
    Inquiry, NoPlace, Part, SearchArchive, SearchRow, SearchState, Searches, Target, TargetRow,
};
pub use spool::{ENDS_MAX, SPOOL_MAX};
pub use tasks::{
    Decision, Priority, Resolved, TASKS_MAX, TaskBook, TaskChange, TaskList, TaskRow, TaskStatus,
};
pub use told::{News, Telling, WAITING_MAX};
pub use webhooks::{NewWebhook, WEBHOOKS_MAX, WebhookRow, Webhooks};

use desk::Desk;
use fault::Trouble;
use lock::DirLock;
use open::Opening;
use spool::Spool;
use writer::{Order, Promised, Shared, Writer};

/// Whether the directory could be opened now; makes it if there is none, and reads nothing.
///
/// # Errors
/// [`OpenError::InUse`] or [`OpenError::Directory`].
pub fn probe(dir: &Path) -> Result<(), OpenError> {
    open::lock(dir).map(drop)
}

/// Promises that may wait at once; who finds no place waits for one. A live call waits for one or
/// two at a time.
const PROMISES_MAX: usize = 4_096;

/// How long a promise is waited for: a disk that hangs must not hang a call, and a tool must be
/// able to say within its own deadline that it does not know.
const PROMISE_DEADLINE: Duration = Duration::from_secs(5);

/// A handle to the record; clones are the same record.
///
/// Closed by [`Store::close`], or by dropping every handle, which writes what is waiting first.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    orders: mpsc::Sender<Order>,
    readers: SqlitePool,
    spool: Arc<Spool>,
    fault: watch::Receiver<Option<Fault>>,
    commits: watch::Receiver<u64>,
    told: watch::Receiver<u64>,
    tenure: Tenure,
    #[cfg(test)]
    pages: Arc<std::sync::atomic::AtomicU32>,
}

/// How the record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Why nothing can be written now; none when all is well.
    pub fault: Option<Fault>,
    /// Facts that wait to be written.
    pub waiting: usize,
    /// Facts that found no room since the start.
    pub dropped: u64,
}

/// Why a promise was not kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unkept {
    /// It did not happen.
    #[error(transparent)]
    Refused(RecordError),
    /// It may have happened, or may still.
    #[error(transparent)]
    Unknown(RecordError),
}

impl From<Unkept> for RecordError {
    fn from(unkept: Unkept) -> Self {
        match unkept {
            Unkept::Refused(error) | Unkept::Unknown(error) => error,
        }
    }
}

impl Store {
    /// Opens or makes the record in `dir` for a new run of `node`, and locks the directory.
    ///
    /// Must be called within a Tokio runtime, which the writer runs on.
    pub async fn open(dir: &Path, node: &str) -> Result<Self, OpenError> {
        let lock = open::lock(dir)?;
        Ok(Self::start(open::open(dir, node).await?, Some(lock)))
    }

    /// A second run on the same files, as another node has on a shared database.
    #[cfg(test)]
    async fn join(dir: &Path, node: &str) -> Self {
        Self::start(open::open(dir, node).await.expect("the record opens"), None)
    }

    fn start(opening: Opening, lock: Option<DirLock>) -> Self {
        // Notes are admitted by the spool, so that they never take a promise's place.
        let places = SPOOL_MAX + ENDS_MAX + PROMISES_MAX;
        let (orders, taken) = mpsc::channel(places);
        let (fault_seen, fault) = watch::channel(None);
        let (committed, commits) = watch::channel(0);
        let spool = Arc::new(Spool::new());
        let shared =
            Shared { orders: taken, spool: spool.clone(), fault: fault_seen, commits: committed };
        let Opening { desk, readers } = opening;
        let inner = Inner {
            orders,
            readers,
            spool,
            fault,
            commits,
            told: desk.bell.subscribe(),
            tenure: desk.tenure.clone(),
            #[cfg(test)]
            pages: desk.pages.clone(),
        };
        tokio::spawn(Writer::new(desk, shared, lock).run());
        Self { inner: Arc::new(inner) }
    }

    /// How it does at this moment; never waits.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            fault: *self.inner.fault.borrow(),
            waiting: self.inner.spool.held(),
            dropped: self.inner.spool.dropped(),
        }
    }

    /// Changes with every commit: whoever follows a call's events reads again then.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.inner.commits.clone()
    }

    /// Writes what is waiting, closes the file and frees the directory. Every handle is useless
    /// afterwards. Says so when facts had to be given up.
    pub async fn close(&self) -> Result<(), RecordError> {
        // Readers first: the last connection of all moves the log into the database file.
        self.inner.readers.close().await;
        let (closer, closed) = oneshot::channel();
        if self.inner.orders.send(Order::Close(closer)).await.is_err() {
            return Ok(());
        }
        closed.await.unwrap_or(Ok(()))
    }

    /// Has `run` done in the writer's order; returns when it is durable.
    fn promise<T, F>(&self, run: F) -> BoxFuture<'static, Result<T, Unkept>>
    where
        T: Send + 'static,
        F: for<'d> FnOnce(&'d mut Desk) -> BoxFuture<'d, Result<T, Trouble>> + Send + 'static,
    {
        let orders = self.inner.orders.clone();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let order = Order::Promise(Box::new(Promised::new(run, answer)));
            let due = clock::now() + PROMISE_DEADLINE;
            match tokio::time::timeout_at(due, orders.send(order)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Unkept::Refused(said("the record is closed"))),
                Err(_) => return Err(Unkept::Refused(said("too many wait for the record"))),
            }
            match tokio::time::timeout_at(due, answered).await {
                Ok(Ok(result)) => result.map_err(Unkept::Refused),
                Ok(Err(_)) => Err(Unkept::Unknown(said("the record was closed meanwhile"))),
                Err(_) => Err(Unkept::Unknown(said("the record did not answer in time"))),
            }
        })
    }
}

impl Record for Store {
    fn open(&self, call: Opened) -> BoxFuture<'static, Result<(), RecordError>> {
        let at_ms = now_ms();
        kept(self.promise(move |desk| Box::pin(async move { desk.open(&call, at_ms).await })))
    }

    fn dialing(&self, call: CallId) -> BoxFuture<'static, Result<(), RecordError>> {
        let at_ms = now_ms();
        kept(self.promise(move |desk| Box::pin(async move { desk.dialing(&call, at_ms).await })))
    }

    fn note(&self, note: Note) {
        if !self.inner.spool.admit(&note.fact) {
            return;
        }
        if self.inner.orders.try_send(Order::Note(note)).is_err() {
            // Only a closed record: the spool admits no more than there are places.
            self.inner.spool.release();
            self.inner.spool.count_dropped();
        }
    }

    fn intend(&self, job: &Job) -> BoxFuture<'static, Result<Intent, RecordError>> {
        let (job, at_ms) = (job.clone(), now_ms());
        kept(self.promise(move |desk| Box::pin(async move { desk.intend(&job, at_ms).await })))
    }

    fn settle(&self, job: &Job, done: &Done) -> BoxFuture<'static, Result<(), RecordError>> {
        let (job, done, at_ms) = (job.clone(), done.clone(), now_ms());
        kept(
            self.promise(move |desk| {
                Box::pin(async move { desk.settle(&job, &done, at_ms).await })
            }),
        )
    }
}

/// A promise as the port wants it: whether it may have happened is no matter to a fact's teller.
fn kept<T: Send + 'static>(
    promise: BoxFuture<'static, Result<T, Unkept>>,
) -> BoxFuture<'static, Result<T, RecordError>> {
    Box::pin(async move { Ok(promise.await?) })
}

fn said(what: &str) -> RecordError {
    RecordError(what.to_owned())
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
