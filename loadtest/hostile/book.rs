//! The record in memory, under the contract of the one on disk: a job is known by its call and its
//! tool-call id, is written down before it is begun, and an effect and its entry are one. Each call
//! has a list of its own, with the same names, so that a slip from one to another is seen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tandem::store::{
    Decision, Priority, Resolved, TaskBook, TaskChange, TaskList, TaskRow, TaskStatus, Unkept,
};
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::record::{Fact, Intent, Note, Opened, Record, RecordError};
use tandem_actors::tool::{Done, Job, Readback, ToolCallId};

use super::deeds;
use super::truth::Truth;

/// What is kept; clones are the same.
#[derive(Clone)]
pub(crate) struct Book {
    kept: Arc<Mutex<Kept>>,
    truth: Arc<Mutex<Truth>>,
}

#[derive(Default)]
struct Kept {
    lists: HashMap<CallId, TaskBook>,
    jobs: HashMap<(CallId, ToolCallId), Entry>,
}

struct Entry {
    name: String,
    arguments: String,
    state: State,
    resolved: Vec<String>,
}

#[derive(PartialEq, Eq)]
enum State {
    Asked,
    Begun,
    Done(Done),
}

impl Book {
    pub(crate) fn new(truth: Arc<Mutex<Truth>>) -> Self {
        Self { kept: Arc::default(), truth }
    }

    /// Gives a call its list.
    pub(crate) fn give(&self, call: &CallId, titles: &[String]) {
        let task = |(n, title): (i64, &String)| TaskRow {
            id: format!("{call}-{n}"),
            title: Text(title.clone()),
            due: None,
            priority: Priority::Medium,
            status: TaskStatus::Pending,
            created_ms: n,
        };
        let tasks = (1..).zip(titles).map(task).collect();
        let book = TaskBook { tasks, ..TaskBook::default() };
        self.kept().lists.insert(call.clone(), book);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, kept: &mut Kept, job: &Job, changes: Vec<TaskChange>) {
        let Some(book) = kept.lists.get_mut(&job.call) else { return };
        for change in changes {
            match change {
                TaskChange::Add(task) => {
                    self.truth().began(&job.call, &job.id);
                    book.tasks.push(task);
                }
                TaskChange::Complete { id, .. } => {
                    self.truth().began(&job.call, &job.id);
                    for task in book.tasks.iter_mut().filter(|task| task.id == id) {
                        task.status = TaskStatus::Completed;
                    }
                }
                TaskChange::Move { id, due } => {
                    self.truth().began(&job.call, &job.id);
                    for task in book.tasks.iter_mut().filter(|task| task.id == id) {
                        task.due = due;
                    }
                }
                TaskChange::Delete { id } => {
                    let Some(at) = book.tasks.iter().position(|task| task.id == id) else {
                        continue;
                    };
                    let task = book.tasks.remove(at);
                    let deed = deeds::deed(deeds::DELETE, task.title.as_str());
                    let mut truth = self.truth();
                    truth.began(&job.call, &job.id);
                    truth.effect(&job.call, &deed);
                }
                TaskChange::Number(ids) => book.numbers = ids,
            }
        }
    }
}

impl Kept {
    fn known(&self, job: &Job) -> Result<Option<Done>, RecordError> {
        let entry = self.jobs.get(&(job.call.clone(), job.id.clone()));
        let Some(entry) = entry.filter(|entry| entry.state != State::Asked) else {
            return Ok(None);
        };
        if (entry.name.as_str(), entry.arguments.as_str()) != (&job.name, job.arguments.as_str()) {
            return Err(RecordError("that tool call is another job".to_owned()));
        }
        match &entry.state {
            State::Done(done) => Ok(Some(done.clone())),
            State::Asked | State::Begun => Ok(None),
        }
    }

    fn asked(&mut self, job: &Job) -> &mut Entry {
        self.jobs.entry((job.call.clone(), job.id.clone())).or_insert_with(|| Entry {
            name: job.name.clone(),
            arguments: job.arguments.0.clone(),
            state: State::Asked,
            resolved: Vec::new(),
        })
    }

    fn intend(&mut self, job: &Job) -> Result<Intent, RecordError> {
        let entry = self.asked(job);
        if entry.state == State::Asked {
            entry.name.clone_from(&job.name);
            entry.arguments.clone_from(&job.arguments.0);
            entry.state = State::Begun;
            return Ok(Intent::Fresh);
        }
        Ok(self.known(job)?.map_or(Intent::Begun, Intent::Known))
    }

    fn settle(&mut self, job: &Job, done: &Done) {
        let entry = self.asked(job);
        if entry.state == State::Begun {
            entry.state = State::Done(done.clone());
        }
    }

    /// The list as a job sees it.
    fn book(&self, job: &Job) -> Option<TaskBook> {
        let mut book = self.lists.get(&job.call)?.clone();
        let entry = self.jobs.get(&(job.call.clone(), job.id.clone()));
        book.resolved = entry.map_or_else(Vec::new, |entry| entry.resolved.clone());
        Some(book)
    }
}

fn no_call() -> Unkept {
    Unkept::Refused(RecordError("that call was never opened".to_owned()))
}

impl TaskList for Book {
    fn perform(
        &self,
        job: Job,
        decide: impl FnOnce(&TaskBook) -> Decision + Send + 'static,
    ) -> BoxFuture<'static, Result<Done, Unkept>> {
        let book = self.clone();
        async move {
            let mut kept = book.kept();
            if let Some(done) = kept.known(&job).map_err(Unkept::Refused)? {
                return Ok(done);
            }
            let Decision { changes, done } = decide(&kept.book(&job).ok_or_else(no_call)?);
            book.apply(&mut kept, &job, changes);
            kept.intend(&job).map_err(Unkept::Refused)?;
            kept.settle(&job, &done);
            Ok(done)
        }
        .boxed()
    }

    fn resolve(
        &self,
        job: Job,
        resolve: impl FnOnce(&TaskBook) -> Result<Resolved, Decision> + Send + 'static,
    ) -> BoxFuture<'static, Result<Result<Readback, Done>, Unkept>> {
        let book = self.clone();
        async move {
            let mut kept = book.kept();
            if let Some(done) = kept.known(&job).map_err(Unkept::Refused)? {
                return Ok(Err(done));
            }
            match resolve(&kept.book(&job).ok_or_else(no_call)?) {
                Ok(Resolved { ids, readback }) => {
                    kept.asked(&job).resolved = ids;
                    Ok(Ok(readback))
                }
                Err(Decision { changes, done }) => {
                    book.apply(&mut kept, &job, changes);
                    Ok(Err(done))
                }
            }
        }
        .boxed()
    }
}

impl Record for Book {
    fn open(&self, _: Opened) -> BoxFuture<'static, Result<(), RecordError>> {
        async { Ok(()) }.boxed()
    }

    fn dialing(&self, _: CallId) -> BoxFuture<'static, Result<(), RecordError>> {
        async { Ok(()) }.boxed()
    }

    fn note(&self, note: Note) {
        let mut truth = self.truth();
        match &note.fact {
            Fact::ConfirmationAsked { .. } => truth.count("questions put"),
            Fact::ConfirmationSettled { verdict, .. } => truth.count(&format!("  {verdict}")),
            Fact::ConfirmationStep { step, .. } => {
                if *step == "used" {
                    truth.granted(&note.call);
                }
                truth.count(&format!("  {step}"));
            }
            Fact::ToolAnswered { .. } => truth.count("tool calls answered"),
            Fact::Lost { part, .. } => truth.count(&format!("lost: {part}")),
            Fact::Finalized { reason, .. } => truth.count(&format!("ended: {reason}")),
            Fact::Lifecycle(_)
            | Fact::SubmissionUnknown
            | Fact::CarrierNamed(_)
            | Fact::Turn(_)
            | Fact::Pressed
            | Fact::Masked { .. }
            | Fact::Restricted { .. }
            | Fact::Answerer { .. }
            | Fact::Keyed
            | Fact::Recording { .. }
            | Fact::DisclosureHeard { .. }
            | Fact::HandOver { .. }
            | Fact::ToolAsked { .. }
            | Fact::ToolLate { .. }
            | Fact::Announced { .. }
            | Fact::Spoken(_)
            | Fact::BargedIn { .. }
            | Fact::Repaired { .. }
            | Fact::Replied { .. }
            | Fact::Used(_) => {}
        }
        truth.tell(&note.call, || format!("    {:?}", note.fact));
    }

    fn intend(&self, job: &Job) -> BoxFuture<'static, Result<Intent, RecordError>> {
        let intent = self.kept().intend(job);
        async { intent }.boxed()
    }

    fn settle(&self, job: &Job, done: &Done) -> BoxFuture<'static, Result<(), RecordError>> {
        self.kept().settle(job, done);
        async { Ok(()) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_begun_once_and_an_id_stands_for_one_job() {
        let mut kept = Kept::default();
        let job = |arguments: &str| Job {
            call: CallId::new("c"),
            id: ToolCallId("t".into()),
            name: "wipe".into(),
            arguments: arguments.into(),
            scene: None,
        };
        kept.asked(&job("{}"));
        assert_eq!(kept.intend(&job("{}")).unwrap(), Intent::Fresh);
        assert_eq!(kept.intend(&job("{}")).unwrap(), Intent::Begun);
        let done = Done::success("gone");
        kept.settle(&job("{}"), &done);
        kept.settle(&job("{}"), &Done::success("again"));
        assert_eq!(kept.intend(&job("{}")).unwrap(), Intent::Known(done));
        assert!(kept.intend(&job("[]")).is_err());
    }
}
