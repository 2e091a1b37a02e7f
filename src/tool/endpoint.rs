//! A tool behind an HTTP endpoint: one POST of JSON, signed as Standard Webhooks are, with the
//! key under which it happens at most once. Redirects are not followed and no proxy is asked.
//!
//! Source: <https://www.standardwebhooks.com>, and the draft of the `Idempotency-Key` header.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use standardwebhooks::Webhook;
use tandem_actors::tool::{Done, Job, Promise, Readback, Tool};

use super::checked::arguments;
use super::question::Question;
use super::reply::{self, NoAnswer};
use crate::config;
use crate::webhook::signature;

#[cfg(test)]
mod tests;

/// A tool that cannot be reached by then is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// Nobody waits longer for an answer that comes late; see `ToolRunner`.
const LONGEST: Duration = Duration::from_mins(5);

/// An answer; what a model reads of it is far less.
const ANSWER_BYTES: usize = 256 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Where something is asked over HTTP.
pub(super) struct Endpoint {
    client: reqwest::Client,
    url: reqwest::Url,
    proof: Proof,
}

/// How we say who we are.
enum Proof {
    None,
    /// By a signature over what is asked.
    Signed(Webhook),
    /// By a Bearer token.
    Token(SecretString),
}

impl Endpoint {
    /// At this address; signed when there is a secret. One request may take `patience`.
    ///
    /// # Errors
    /// When the secret is none of Standard Webhooks, or TLS is not to be had.
    pub(super) fn new(
        url: &str,
        secret: Option<&SecretString>,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let proof = match secret.map(signature::signer) {
            None => Proof::None,
            Some(Some(signer)) => Proof::Signed(signer),
            Some(None) => anyhow::bail!("the secret must be base64, like whsec_…"),
        };
        Self::proved(url, proof, patience)
    }

    /// At this address, where a token says who asks.
    ///
    /// # Errors
    /// When TLS is not to be had.
    pub(super) fn with_token(
        url: &str,
        token: Option<&SecretString>,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let proof = token.map_or(Proof::None, |token| Proof::Token(token.clone()));
        Self::proved(url, proof, patience)
    }

    fn proved(url: &str, proof: Proof, patience: Duration) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(patience)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, url: url.parse()?, proof })
    }

    /// Asks with this body under this key; the status and the body of the answer.
    pub(super) async fn ask(&self, key: &str, body: &Value) -> Result<(u16, Vec<u8>), NoAnswer> {
        let body = body.to_string();
        let headers = self.headers(key, &body);
        let request = self.client.post(self.url.clone()).headers(headers).body(body);
        let mut answer = request.send().await.map_err(|error| match error.is_connect() {
            true => NoAnswer::NotReached,
            false => NoAnswer::Lost,
        })?;
        let mut read = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|_| NoAnswer::Lost)? {
            if read.len() + piece.len() > ANSWER_BYTES {
                return Err(match answer.status().is_success() {
                    true => NoAnswer::TooLong,
                    false => NoAnswer::Lost,
                });
            }
            read.extend_from_slice(&piece);
        }
        Ok((answer.status().as_u16(), read))
    }

    fn headers(&self, key: &str, body: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut put = |name: HeaderName, value: &str, secret: bool| {
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(secret);
                headers.insert(name, value);
            }
        };
        put(IDEMPOTENCY_KEY, key, false);
        match &self.proof {
            Proof::None => {}
            Proof::Token(token) => {
                put(AUTHORIZATION, &format!("Bearer {}", token.expose_secret()), true);
            }
            Proof::Signed(signer) => {
                let now = jiff::Timestamp::now().as_second();
                headers.extend(signature::headers(std::slice::from_ref(signer), key, now, body));
            }
        }
        headers
    }
}

/// One tool of `[[tools]]`.
pub(super) struct HttpTool {
    promise: Promise,
    question: Question,
    endpoint: Arc<Endpoint>,
}

impl HttpTool {
    /// The tool that is told of in the settings.
    ///
    /// # Errors
    /// What is wrong with it, by its name.
    pub(super) fn new(tool: &config::Tool) -> anyhow::Result<Self> {
        let promise = Promise {
            name: tool.name.clone(),
            description: tool.description.clone(),
            parameters: Value::Object(tool.parameters.clone()).to_string(),
            risk: tool.risk.into(),
            idempotent: tool.idempotent,
            deadline: Duration::from_secs(tool.deadline_s),
            attempts: tool.attempts,
            filler: (!tool.filler.is_empty()).then(|| tool.filler.as_str().into()),
            wants_scene: false,
        };
        let question = Question::new(&tool.name, &tool.question, &tool.parameters)
            .map_err(anyhow::Error::msg)?;
        let endpoint = Endpoint::new(&tool.url, tool.secret.as_ref(), patience(&promise))
            .with_context(|| format!("tool {:?}", tool.name))?;
        Ok(Self { promise, question, endpoint: Arc::new(endpoint) })
    }
}

/// How long one attempt may take: where there are several, each gets its share of the deadline.
fn patience(promise: &Promise) -> Duration {
    match (promise.idempotent, promise.attempts) {
        (true, attempts @ 2..) => promise.deadline / attempts,
        (true, _) | (false, _) => LONGEST,
    }
}

/// The key under which a job happens at most once.
pub(super) fn key(job: &Job) -> String {
    crate::store::hex_digest(&[&job.call.to_string(), &job.id.0])
}

impl Tool for HttpTool {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        let told = self.question.if_asked(self.promise.risk, &job);
        async { told }.boxed()
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        let (endpoint, idempotent) = (Arc::clone(&self.endpoint), self.promise.idempotent);
        async move {
            match endpoint.ask(&key(&job), &body(&job)).await {
                Ok((status, body)) => reply::of(status, &body, idempotent),
                Err(why) => reply::without(why, idempotent),
            }
        }
        .boxed()
    }
}

fn body(job: &Job) -> Value {
    let arguments = arguments(&job.arguments).unwrap_or_else(|_| Map::new());
    json!({
        "call": job.call.to_string(),
        "tool_call": job.id.0,
        "name": job.name,
        "arguments": arguments,
    })
}

impl fmt::Debug for HttpTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.promise.name)
    }
}
