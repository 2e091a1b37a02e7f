//! The API by its own document: it is served with a page that needs nobody else, and what it says
//! of keys holds at every address that it names.

use reqwest::header::CONTENT_SECURITY_POLICY;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Map, Value, json};
use tandem::rehearsal::callee::Role;

use crate::api::{Api, OPERATOR, locked};
use crate::stage::Stage;

/// A number that somebody has on their lists, and one that nobody has.
const LISTED: &str = "+15550177";
const UNLISTED: &str = "+15550178";

/// One operation of the document.
struct Operation {
    method: Method,
    path: String,
    told: Value,
}

impl Operation {
    fn is_open(&self) -> bool {
        self.told["security"] == json!([])
    }

    fn names_one(&self) -> bool {
        self.path.contains('{')
    }

    /// Whether it tells that keys which only look are refused.
    fn is_for_writers(&self) -> bool {
        let said = self.told["responses"]["403"]["description"].as_str();
        said.is_some_and(|codes| codes.contains("key_reads_only"))
    }

    /// Its address, each part in braces filled in.
    fn at(&self, fill: impl Fn(&str, &str) -> String) -> String {
        let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}'))
        {
            Some(name) => fill(self.path.as_str(), name),
            None => part.to_owned(),
        };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// The smallest body that fits.
    fn body(&self, document: &Value) -> Option<Value> {
        let schema = &self.told["requestBody"]["content"]["application/json"]["schema"];
        schema.is_object().then(|| smallest(document, schema))
    }
}

fn smallest(document: &Value, schema: &Value) -> Value {
    if let Some(place) = schema["$ref"].as_str() {
        return smallest(document, document.pointer(place.trim_start_matches('#')).unwrap());
    }
    if let Some(example) = schema["examples"].get(0) {
        return example.clone();
    }
    let kind = schema["type"].as_str().unwrap_or("string");
    match kind {
        "object" => {
            let required = schema["required"].as_array().into_iter().flatten();
            let fields = required
                .map(|name| name.as_str().unwrap())
                .map(|name| (name.to_owned(), smallest(document, &schema["properties"][name])));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        "array" => json!([smallest(document, &schema["items"])]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "boolean" => json!(false),
        _ if schema["pattern"].as_str().is_some_and(|pattern| pattern.starts_with("^\\+")) => {
            json!("+15550102")
        }
        _ => json!("x"),
    }
}

async fn document(stage: &Stage) -> Value {
    let (status, document) = Api { stage, key: None }.get("/openapi.json").await;
    assert_eq!((status, &document["openapi"]), (StatusCode::OK, &json!("3.1.0")));
    document
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, told) in methods.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            all.push(Operation { method, path: path.clone(), told: told.clone() });
        }
    }
    all
}

/// What somebody is told: the status, and the code of a refusal in either envelope.
async fn told(api: &Api<'_>, method: &Method, path: &str, body: Option<&Value>) -> (u16, Value) {
    let mut request = api.to(method.clone(), path);
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    let code = if body["error"].is_object() { &body["error"]["code"] } else { &body["code"] };
    (status, code.clone())
}

/// What an account has, by the beginning of the addresses that lead to it.
struct Belongings(Vec<(&'static str, String)>);

impl Belongings {
    /// A bit of everything.
    async fn of(api: &Api<'_>) -> Self {
        let made = async |path: &str, body: Value| {
            let (status, made) = api.post(path, &body).await;
            assert!(status.is_success(), "{path}: {made}");
            made
        };
        let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
        let (to, task) = (Role::NoAnswer.number(), "Ask when they open.");
        let call = id(&made("/v1/calls", json!({ "to": to, "task": task })).await);
        let targets = json!([{ "to": Role::Busy.number() }, { "to": Role::Rejects.number() }]);
        let asked = json!({ "question": "When do you open?", "targets": targets });
        let search = id(&made("/v1/searches", asked).await);
        let at = "2099-01-01T09:00:00Z";
        let later = json!({ "to": to, "task": task, "at": at });
        let schedule = id(&made("/v1/schedules", later).await);
        let webhook = id(&made("/v1/webhooks", json!({ "url": "http://127.0.0.1:9/" })).await);
        let test = made(&format!("/v1/webhooks/{webhook}/test"), json!({})).await;
        for (list, field) in [("do-not-call", "reason"), ("consents", "source")] {
            let request = api.to(Method::PUT, &format!("/v1/{list}/{LISTED}"));
            let answer = request.json(&json!({ field: "a form" })).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{list}");
        }
        Self(vec![
            ("/v1/calls/", call.clone()),
            ("/call/", call),
            ("/v1/searches/", search),
            ("/v1/schedules/", schedule),
            ("/v1/webhooks/", webhook),
            ("delivery", test["delivery"].as_str().unwrap().to_owned()),
        ])
    }

    /// What stands for this name in this address.
    fn fill(&self, path: &str, name: &str) -> String {
        let of = |name: &str| self.0.iter().find(|(begins, _)| *begins == name);
        match name {
            "number" => LISTED.to_owned(),
            "until" => "99999999999".to_owned(),
            "delivery" => of("delivery").unwrap().1.clone(),
            _ => {
                let found = self.0.iter().find(|(begins, _)| path.starts_with(begins));
                found.map_or_else(|| "none".to_owned(), |(_, id)| id.clone())
            }
        }
    }
}

fn nobodys(_path: &str, name: &str) -> String {
    match name {
        "number" => UNLISTED.to_owned(),
        "until" => "99999999999".to_owned(),
        _ => "nobody".to_owned(),
    }
}

async fn key(operator: &Api<'_>, account: &str, scope: &str) -> String {
    let wanted = json!({ "account": account, "scope": scope });
    let (status, made) = operator.post("/v1/keys", &wanted).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["key"].as_str().unwrap().to_owned()
}

/// Everything that an account can see of what is its own, but for what changes by itself.
async fn seen(api: &Api<'_>, all: &[Operation], own: &Belongings) -> Vec<(String, u16)> {
    let mut seen = Vec::new();
    let looks = |operation: &&Operation| {
        operation.method == Method::GET
            && operation.names_one()
            && !operation.path.ends_with("/events")
            // Its call may have rung long enough by then.
            && !operation.path.ends_with("/listen")
            && !operation.is_open()
    };
    for operation in all.iter().filter(looks) {
        let path = operation.at(|path, name| own.fill(path, name));
        let (status, _) = told(api, &Method::GET, &path, None).await;
        seen.push((path, status));
    }
    seen
}

#[tokio::test]
async fn what_is_somebody_elses_is_answered_as_what_is_not_there() {
    let stage = locked().await;
    let document = document(&stage).await;
    let all = operations(&document);
    let operator = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let ann = Api { stage: &stage, key: Some(key(&operator, "ann", "all").await) };
    let ann_looks = Api { stage: &stage, key: Some(key(&operator, "ann", "read").await) };
    let bob = Api { stage: &stage, key: Some(key(&operator, "bob", "all").await) };
    let stranger = Api { stage: &stage, key: None };
    let own = Belongings::of(&ann).await;
    let before = seen(&ann, &all, &own).await;
    let found = before.iter().filter(|(_, status)| *status == 200).count();
    assert!(found >= 8, "ann sees what is hers: {before:?}");

    let mut asked = 0;
    for operation in &all {
        let Operation { method, path, .. } = operation;
        let body = operation.body(&document);
        let hers = operation.at(|path, name| own.fill(path, name));
        if !operation.is_open() {
            let (status, _) = told(&stranger, method, &hers, body.as_ref()).await;
            assert_eq!(status, 401, "{method} {path} without a key");
        }
        if operation.is_for_writers() {
            let (status, code) = told(&ann_looks, method, &hers, body.as_ref()).await;
            assert_eq!((status, code), (403, json!("key_reads_only")), "{method} {path}");
        }
        if !operation.names_one() {
            continue;
        }
        let theirs = told(&bob, method, &hers, body.as_ref()).await;
        let missing = told(&bob, method, &operation.at(nobodys), body.as_ref()).await;
        assert_eq!(theirs, missing, "{method} {path}: the two are told apart");
        // A number is on a list of one's own; everything else is there for one account alone.
        let is_of_lists = ["/v1/do-not-call/", "/v1/consents/"].iter().any(|at| path.contains(at));
        assert!(is_of_lists || [403, 404].contains(&theirs.0), "{method} {path}: {theirs:?}");
        asked += 1;
    }
    assert!(asked > 30, "{asked} addresses name something");
    assert_eq!(seen(&ann, &all, &own).await, before, "and nothing of hers has changed");

    let search = own.fill("/v1/searches/", "id");
    ann.post(&format!("/v1/searches/{search}/stop"), &json!({})).await;
    for call in stage.server.desk.exchange.calls() {
        operator.post(&format!("/v1/calls/{call}/hangup"), &json!({})).await;
    }
    stage.close().await;
}

#[tokio::test]
async fn the_page_of_the_document_is_served_to_anybody_and_needs_nobody_else() {
    let stage = locked().await;
    document(&stage).await;
    let url = stage.server.url();
    let page = Client::new().get(format!("{url}/docs")).send().await.unwrap();
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let text = page.text().await.unwrap();
    assert!(!text.contains("https://") && !text.contains(OPERATOR), "{text}");
    let [script] = text.split("src=\"").skip(1).collect::<Vec<_>>()[..] else { panic!("{text}") };
    let script = script.split('"').next().unwrap();
    let script = Client::new().get(format!("{url}{script}")).send().await.unwrap();
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert!(script.text().await.unwrap().len() > 100_000);
    stage.close().await;
}
