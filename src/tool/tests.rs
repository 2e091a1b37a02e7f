//! Tools for tests, and what the shelf refuses.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::tool::{Done, Job, Promise, Readback, Risk, Tool, ToolCallId};

use super::{NotShelved, Shelf};

/// An order to run this.
pub(super) fn job(name: &str, arguments: &str) -> Job {
    Job {
        call: CallId::new("call-1"),
        id: ToolCallId("tool-1".to_owned()),
        name: name.to_owned(),
        arguments: Text(arguments.to_owned()),
        scene: None,
    }
}

fn promise(name: &str, risk: Risk, schema: &Value) -> Promise {
    Promise {
        name: name.to_owned(),
        description: "For tests.".to_owned(),
        parameters: schema.to_string(),
        risk,
        idempotent: false,
        deadline: Duration::from_secs(5),
        attempts: 1,
        filler: None,
        wants_scene: false,
    }
}

/// Says its arguments.
pub(super) struct Echo(Promise);

impl Echo {
    pub(super) fn new(name: &str, risk: Risk, schema: &Value) -> Self {
        Self(promise(name, risk, schema))
    }
}

impl Tool for Echo {
    fn promise(&self) -> &Promise {
        &self.0
    }

    fn read_back(&self, _job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        async { None }.boxed()
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        async move { Done::success(job.arguments.as_str()) }.boxed()
    }
}

/// Never answers.
pub(super) struct Hanging(Promise);

impl Hanging {
    pub(super) fn new() -> Self {
        Self(promise("hang", Risk::Read, &json!({})))
    }
}

impl Tool for Hanging {
    fn promise(&self) -> &Promise {
        &self.0
    }

    fn read_back(&self, _job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        async { None }.boxed()
    }

    fn run(&self, _job: Job) -> BoxFuture<'static, Done> {
        std::future::pending().boxed()
    }
}

#[test]
fn a_name_stands_once_on_the_shelf_and_is_none_of_the_calls_own() {
    let mut shelf = Shelf::new();
    let tool = |name| Arc::new(Echo::new(name, Risk::Read, &json!({ "type": "object" })));
    assert_eq!(shelf.put(tool("book")), Ok(()));
    for taken in ["book", "hang_up"] {
        assert_eq!(shelf.put(tool(taken)), Err(NotShelved::NameTaken(taken.to_owned())));
    }
    let odd = Arc::new(Echo::new("odd", Risk::Read, &json!({ "type": "objekt" })));
    assert!(matches!(shelf.put(odd), Err(NotShelved::Schema { .. })));
}
