//! `record_approval`: the one tool of a call that has an operation approved. Its effect is the
//! acceptance in the record, and nothing brings it about but the guard's yes to our question.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Job, Promise, Readback, Risk, Tool, Verdict};

use crate::approval::{Approval, TOOL, Verify};
use crate::store::{Approvals as _, Store, Unkept};

/// Longer than the record lets anyone wait.
const DEADLINE: Duration = Duration::from_secs(8);

/// What the tool promises, by what accepts the operation.
#[must_use]
pub fn promise(verify: Verify) -> Promise {
    Promise {
        name: TOOL.to_owned(),
        description:
            "Asks for the approval and, when the human has given it, writes it down: call \
                      it at once for the question, and again after they have accepted."
                .to_owned(),
        parameters: r#"{"type":"object","properties":{}}"#.to_owned(),
        risk: match verify {
            Verify::Yes => Risk::Destructive,
            Verify::Pin => Risk::Sensitive,
        },
        idempotent: false,
        deadline: DEADLINE,
        attempts: 1,
        filler: None,
        wants_scene: false,
    }
}

/// The tool.
pub(super) struct ApprovalTool {
    store: Store,
    promise: Promise,
}

impl ApprovalTool {
    pub(super) fn new(store: Store) -> Self {
        Self { store, promise: promise(Verify::Yes) }
    }
}

impl Tool for ApprovalTool {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        let store = self.store.clone();
        async move {
            let read = match store.approval(&job.call).await {
                Ok(Some(approval)) => Ok(readback(&approval)),
                Ok(None) => {
                    Err(Done::fault(Verdict::Permanent, "nothing_to_approve", "", "leave it"))
                }
                Err(_) => Err(unreachable_now()),
            };
            Some(read)
        }
        .boxed()
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        let store = self.store.clone();
        async move {
            match store.accept(&job.call).await {
                Ok(()) => Done::success("It is accepted."),
                Err(Unkept::Refused(_)) => {
                    let words = "That came too late, so nothing will be done.";
                    Done::fault(Verdict::User, "too_late", words, "say goodbye")
                }
                Err(Unkept::Unknown(_)) => unreachable_now(),
            }
        }
        .boxed()
    }
}

fn readback(approval: &Approval) -> Readback {
    let subject = approval.subject();
    Readback {
        question: Text(approval.question()),
        fingerprint: format!("{TOOL} {subject}"),
        subject: Text(subject),
    }
}

fn unreachable_now() -> Done {
    let words = "I could not write that down, so nothing will be done.";
    Done::fault(Verdict::Temporary, "unavailable", words, "say goodbye")
}
