//! One operation of the API as plain data. What follows from who may call, from an order's key or
//! from a path is said here once, not at every route.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::policy::Code;

/// How a shape is told.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Anybody,
    Caller,
    Writer,
    Operator,
}

/// How a body is read.
pub(super) struct Body {
    pub(super) shape: Shape,
    pub(super) required: bool,
}

/// What an answer has beside its headers.
pub(super) enum Content {
    Nothing,
    Of(Vec<(&'static str, Shape)>),
}

/// An answer that is a success.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) content: Content,
    pub(super) headers: Vec<&'static str>,
}

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) about: &'static str,
    pub(super) who: Who,
    pub(super) query: Option<Shape>,
    pub(super) headers: Vec<&'static str>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) refusals: BTreeMap<u16, Vec<&'static str>>,
    /// Refusals in ClawCall's envelope.
    pub(super) faults: BTreeMap<u16, Vec<&'static str>>,
}

/// An operation that whoever has a key may call.
pub(super) fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("get", path, id, summary, Who::Caller)
}

/// An operation that does something.
pub(super) fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("post", path, id, summary, Who::Writer)
}

/// As [`post`].
pub(super) fn put(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("put", path, id, summary, Who::Writer)
}

/// As [`post`].
pub(super) fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("patch", path, id, summary, Who::Writer)
}

/// As [`post`].
pub(super) fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("delete", path, id, summary, Who::Writer)
}

/// A body of any kind.
pub(super) fn text(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string" })
}

/// One of the server-sent events of a stream.
pub(super) fn event(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "event": { "type": "string" },
            "data": { "type": "string", "contentMediaType": "application/json" },
        },
    })
}

/// The shape of a type of ours.
pub(super) fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Operation {
    fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        who: Who,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            about: "",
            who,
            query: None,
            headers: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: BTreeMap::new(),
            faults: BTreeMap::new(),
        }
    }

    pub(super) const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    pub(super) const fn for_anybody(mut self) -> Self {
        self.who = Who::Anybody;
        self
    }

    pub(super) const fn for_operator(mut self) -> Self {
        self.who = Who::Operator;
        self
    }

    /// One that looks, whatever its method.
    pub(super) const fn looks(mut self) -> Self {
        self.who = Who::Caller;
        self
    }

    /// The query is the fields of a type.
    pub(super) fn asks<T: JsonSchema>(mut self) -> Self {
        self.query = Some(|generator| T::json_schema(generator));
        self
    }

    /// Headers of a request that mean something here.
    pub(super) fn hears(mut self, header: &'static str) -> Self {
        self.headers.push(header);
        self
    }

    /// A body that is checked field by field.
    pub(super) fn takes<T: JsonSchema>(self) -> Self {
        self.takes_shape(shape::<T>)
    }

    /// As [`Self::takes`].
    pub(super) fn takes_shape(mut self, shape: Shape) -> Self {
        self.body = Some(Body { shape, required: true });
        self.refuses(400, &["invalid_body"]).refuses(415, &["invalid_body"])
    }

    /// A body that fits a type as it comes, or does not.
    pub(super) fn takes_just<T: JsonSchema>(self) -> Self {
        self.takes::<T>().refuses(422, &["invalid_body"])
    }

    /// A body that may be left out.
    pub(super) fn may_take<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { shape: shape::<T>, required: false });
        [400, 415, 422].into_iter().fold(self, |it, status| it.refuses(status, &["invalid_body"]))
    }

    /// An order that is carried out once for its key.
    pub(super) fn once(self) -> Self {
        self.hears("Idempotency-Key")
            .refuses(400, &["invalid_field"])
            .refuses(409, &["idempotency_key_reused", "ordered_just_now"])
    }

    /// An order that names somebody to be rung later, if that may ever be.
    pub(super) fn names_callees(self) -> Self {
        self.refuses(403, &[Code::Emergency, Code::Premium, Code::Unknown].map(Code::word))
    }

    /// An order that rings somebody, if they may be rung.
    pub(super) fn rings(mut self) -> Self {
        for code in Code::ALL {
            let status = if code.is_of_amount() { 429 } else { 403 };
            self = self.refuses(status, &[code.word()]);
        }
        self.refuses(400, &["invalid_field"])
            .refuses(409, &["submission_unknown"])
            .refuses(503, &["at_capacity", "draining"])
    }

    /// A success with JSON.
    pub(super) fn answers<T: JsonSchema>(self, status: u16, about: &'static str) -> Self {
        self.shows(status, about, vec![("application/json", shape::<T>)])
    }

    /// A success with content of some kinds.
    pub(super) fn shows(
        mut self,
        status: u16,
        about: &'static str,
        content: Vec<(&'static str, Shape)>,
    ) -> Self {
        let content = Content::Of(content);
        self.answers.push(Answer { status, about, content, headers: Vec::new() });
        self
    }

    /// A success without content.
    pub(super) fn silent(mut self, status: u16, about: &'static str) -> Self {
        let content = Content::Nothing;
        self.answers.push(Answer { status, about, content, headers: Vec::new() });
        self
    }

    /// Headers of the success that was told last.
    pub(super) fn with(mut self, headers: &[&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.extend(headers);
        }
        self
    }

    /// Problems by their codes.
    pub(super) fn refuses(mut self, status: u16, codes: &[&'static str]) -> Self {
        let known = self.refusals.entry(status).or_default();
        known.extend(codes);
        self
    }

    /// The same in ClawCall's envelope.
    pub(super) fn faults(mut self, status: u16, codes: &[&'static str]) -> Self {
        self.faults.entry(status).or_default().extend(codes);
        self
    }

    /// What follows from who may call and from the path.
    pub(super) fn with_the_usual(self) -> Self {
        // Of the guard before every route.
        let mut op = self.refuses(400, &["bad_request", "host", "target_form"]);
        if op.path.contains("{number}") {
            op = op.refuses(400, &["invalid_field"]);
        }
        if op.path.contains('{') {
            op = op.refuses(404, &["no_such_route"]);
        }
        match op.who {
            Who::Anybody => return op,
            Who::Caller => {}
            Who::Writer => op = op.denies("key_reads_only"),
            Who::Operator => op = op.denies("operator_only"),
        }
        let op = op.denies("from_elsewhere");
        if op.is_clawcalls() {
            return op.faults(401, &["invalid_api_key"]).faults(503, &["record_unavailable"]);
        }
        op.refuses(401, &["unknown_key"]).refuses(503, &["record_unavailable"])
    }

    fn is_clawcalls(&self) -> bool {
        !self.faults.is_empty()
    }

    fn denies(self, code: &'static str) -> Self {
        if self.is_clawcalls() { self.faults(403, &[code]) } else { self.refuses(403, &[code]) }
    }
}
