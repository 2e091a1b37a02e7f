//! The tools of a task list: create, list, complete, reschedule, delete, clear. The list lies in
//! the record, so that an effect and its entry in the ledger are one; what to do is decided by
//! pure functions.

mod arguments;
mod day;
mod decide;
mod due;
mod promises;
mod spoken;
mod summary;
#[cfg(test)]
mod tests;
mod which;

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Zoned;
use tandem_actors::tool::{Done, Job, Promise, Readback, Tool};

use crate::store::{TaskList, Unkept};

use arguments::{Clearing, Identified, Listing, NewTask, Rescheduled};
use day::Day;
use promises::Kind;

/// Tells the time where the callers are: "today" is theirs.
pub type Clock = Arc<dyn Fn() -> Zoned + Send + Sync>;

/// The tools on one list.
#[must_use]
pub fn all(keeper: &impl TaskList, clock: &Clock) -> Vec<Arc<dyn Tool>> {
    let tool = |kind| -> Arc<dyn Tool> {
        let (keeper, clock) = (keeper.clone(), clock.clone());
        Arc::new(TaskTool { kind, promise: promises::promise(kind), keeper, clock })
    };
    Kind::ALL.map(tool).into()
}

struct TaskTool<K> {
    kind: Kind,
    promise: Promise,
    keeper: K,
    clock: Clock,
}

impl<K: TaskList> Tool for TaskTool<K> {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        let (kind, keeper, day) = (self.kind, self.keeper.clone(), self.day());
        async move { read_back(kind, &keeper, job, day).await.transpose() }.boxed()
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        let (kind, keeper, day) = (self.kind, self.keeper.clone(), self.day());
        async move {
            match run(kind, &keeper, job, day).await {
                Ok(done) | Err(done) => done,
            }
        }
        .boxed()
    }
}

impl<K> TaskTool<K> {
    fn day(&self) -> Day {
        let now = (self.clock)();
        Day { today: now.date(), now_ms: now.timestamp().as_millisecond() }
    }
}

async fn run(kind: Kind, keeper: &impl TaskList, job: Job, day: Day) -> Result<Done, Done> {
    let performed = match kind {
        Kind::Create => {
            let new = NewTask::parse(&job.arguments, day)?;
            keeper.perform(job, move |book| decide::create(book, new, day)).await
        }
        Kind::List => {
            let listing = Listing::parse(&job.arguments)?;
            keeper.perform(job, move |book| decide::list(book, listing, day)).await
        }
        Kind::Complete => {
            let said = Identified::parse(&job.arguments)?;
            keeper.perform(job, move |book| decide::complete(book, &said, day)).await
        }
        Kind::Reschedule => {
            let asked = Rescheduled::parse(&job.arguments, day)?;
            keeper.perform(job, move |book| decide::reschedule(book, &asked, day)).await
        }
        Kind::Delete | Kind::Clear => keeper.perform(job, decide::delete).await,
    };
    performed.map_err(|unkept| not_kept(&unkept))
}

/// The exact effect of what is asked about first.
async fn read_back(
    kind: Kind,
    keeper: &impl TaskList,
    job: Job,
    day: Day,
) -> Result<Option<Readback>, Done> {
    let resolved = match kind {
        Kind::Create | Kind::List | Kind::Complete | Kind::Reschedule => return Ok(None),
        Kind::Delete => {
            let said = Identified::parse(&job.arguments)?;
            keeper.resolve(job, move |book| decide::deletion(book, &said, day)).await
        }
        Kind::Clear => {
            let clearing = Clearing::parse(&job.arguments)?;
            keeper.resolve(job, move |book| decide::clearing(book, clearing, day)).await
        }
    };
    resolved.map_err(|unkept| not_kept(&unkept))?.map(Some)
}

fn not_kept(unkept: &Unkept) -> Done {
    tracing::warn!(%unkept, "a tool could not reach the task list");
    match unkept {
        Unkept::Refused(_) => spoken::unreachable(),
        Unkept::Unknown(_) => spoken::unknown(),
    }
}

impl<K> fmt::Debug for TaskTool<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.promise.name)
    }
}
