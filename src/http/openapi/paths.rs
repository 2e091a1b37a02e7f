//! Operations as OpenAPI 3.1 tells them, with the schemas that they name.

use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema as _, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::super::once::KEY_CHARS;
use super::super::problem::{KIND, Problem};
use super::operation::{Content, Operation, Who};
use super::words::{AccountName, E164};

/// All operations as they are told.
pub(super) struct Paths {
    orders: SchemaGenerator,
    answers: SchemaGenerator,
    paths: Map<String, Value>,
}

impl Paths {
    pub(super) fn new() -> Self {
        let of = |contract: Contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract;
            });
            settings.into_generator()
        };
        let (orders, answers) = (of(Contract::Deserialize), of(Contract::Serialize));
        Self { orders, answers, paths: Map::new() }
    }

    /// Tells one more operation.
    pub(super) fn add(&mut self, tag: &str, operation: Operation) {
        let op = operation.with_the_usual();
        let mut told = json!({
            "operationId": op.id,
            "summary": op.summary,
            "tags": [tag],
            "parameters": self.parameters(&op),
            "responses": self.responses(&op),
        });
        if !op.about.is_empty() {
            told["description"] = op.about.into();
        }
        if op.who == Who::Anybody {
            told["security"] = json!([]);
        }
        if let Some(body) = &op.body {
            let schema = (body.shape)(&mut self.orders);
            told["requestBody"] = json!({
                "required": body.required,
                "content": { "application/json": { "schema": schema } },
            });
        }
        let methods = self.paths.entry(op.path).or_insert_with(|| json!({}));
        methods[op.method] = told;
    }

    fn parameters(&mut self, op: &Operation) -> Value {
        let in_path = op.path.split('/').filter_map(|part| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            let schema = match name {
                "number" => E164::json_schema(&mut self.orders),
                "account" => AccountName::json_schema(&mut self.orders),
                "until" => schemars::json_schema!({ "type": "integer", "format": "int64" }),
                _ => schemars::json_schema!({ "type": "string", "minLength": 1 }),
            };
            Some(json!({ "name": name, "in": "path", "required": true, "schema": schema }))
        });
        let mut all: Vec<Value> = in_path.collect();
        if let Some(query) = op.query {
            let schema = query(&mut self.orders).to_value();
            for (name, about) in schema["properties"].as_object().into_iter().flatten() {
                let mut schema = about.clone();
                let words = schema.as_object_mut().and_then(|schema| schema.remove("description"));
                all.push(json!({
                    "name": name,
                    "in": "query",
                    "description": words.unwrap_or_default(),
                    "schema": schema,
                }));
            }
        }
        let named = |name: &&str| json!({ "$ref": format!("#/components/parameters/{name}") });
        all.extend(op.headers.iter().map(named));
        all.into()
    }

    fn responses(&mut self, op: &Operation) -> Value {
        let mut all = Map::new();
        for answer in &op.answers {
            let mut told = json!({ "description": answer.about });
            if let Content::Of(kinds) = &answer.content {
                let kinds = kinds.iter().map(|(kind, shape)| {
                    ((*kind).to_owned(), json!({ "schema": shape(&mut self.answers) }))
                });
                told["content"] = Value::Object(kinds.collect());
            }
            if !answer.headers.is_empty() {
                told["headers"] = headers(&answer.headers);
            }
            all.insert(answer.status.to_string(), told);
        }
        let mut refused: Vec<u16> = op.refusals.keys().chain(op.faults.keys()).copied().collect();
        refused.dedup();
        for status in refused {
            let content = self.refusal(op, status);
            let (key, told) =
                (status.to_string(), json!({ "description": "", "content": content }));
            let told = all.entry(key).or_insert(told);
            told["content"] = json!(merged(&told["content"], &content));
            told["description"] = words(op, status).into();
            if status == 429 {
                told["headers"] = headers(&["Retry-After"]);
            }
        }
        all.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Edge" }));
        all.into()
    }

    fn refusal(&mut self, op: &Operation, status: u16) -> Value {
        let mut content = Map::new();
        let one_of = |all: &[&str]| {
            let mut all = all.to_vec();
            all.sort_unstable();
            all.dedup();
            json!(all)
        };
        if let Some(codes) = op.refusals.get(&status) {
            let problem = self.answers.subschema_for::<Problem>();
            let code = json!({ "properties": { "code": { "enum": one_of(codes) } } });
            content.insert(KIND.to_owned(), json!({ "schema": { "allOf": [problem, code] } }));
        }
        if let Some(codes) = op.faults.get(&status) {
            let fault = json!({ "$ref": "#/components/schemas/ClawCallError" });
            let code = json!({ "properties": { "code": { "enum": one_of(codes) } } });
            let code = json!({ "properties": { "error": code } });
            let schema = json!({ "allOf": [fault, code] });
            content.insert("application/json".to_owned(), json!({ "schema": schema }));
        }
        content.into()
    }

    /// The paths, and the schemas that they name.
    ///
    /// # Panics
    /// When two of our types have one name: they would be taken for each other.
    pub(super) fn finish(mut self) -> (Map<String, Value>, Map<String, Value>) {
        let mut schemas = self.orders.take_definitions(true);
        for (name, schema) in self.answers.take_definitions(true) {
            let before = schemas.insert(name.clone(), schema.clone());
            let same = before.is_none_or(|before| before == schema);
            assert!(same, "two schemas are called {name}; rename one of the types");
        }
        (self.paths, schemas)
    }
}

/// Content of one status that comes from several places.
fn merged(one: &Value, other: &Value) -> Map<String, Value> {
    let all = [one, other].into_iter().filter_map(Value::as_object).flatten();
    all.map(|(kind, content)| (kind.clone(), content.clone())).collect()
}

fn headers(names: &[&str]) -> Value {
    let named = |name: &&str| {
        ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))
    };
    Value::Object(names.iter().map(named).collect())
}

/// A refusal for a person: its codes.
fn words(op: &Operation, status: u16) -> String {
    let codes = op.refusals.get(&status).into_iter().chain(op.faults.get(&status)).flatten();
    let mut codes: Vec<String> = codes.map(|code| format!("`{code}`")).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.join(", ")
}

/// The parameters that are headers.
pub(super) fn header_parameters() -> Value {
    let header = |name: &str, about: &str, schema: Value| {
        json!({
            "name": name,
            "in": "header",
            "description": about,
            "schema": schema,
        })
    };
    json!({
        "Idempotency-Key": header(
            "Idempotency-Key",
            "Makes the order one that is carried out once: sent again within a day it gets the \
             same answer, and nothing is done again.",
            json!({
                "type": "string", "minLength": 1, "maxLength": KEY_CHARS, "pattern": "^[!-~]+$",
            }),
        ),
        "Last-Event-ID": header(
            "Last-Event-ID",
            "The number of the last event that was read: a stream goes on behind it.",
            json!({ "type": "string", "pattern": "^[0-9]+$" }),
        ),
        "Range": header(
            "Range",
            "Which bytes of the file are wanted (RFC 9110, 14.2).",
            json!({ "type": "string", "examples": ["bytes=0-1023"] }),
        ),
    })
}
