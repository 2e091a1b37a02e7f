//! What an agent has asked for, on its way through the API.

use std::time::Duration;

use axum::http::{HeaderMap, Method};
use rmcp::model::ProgressNotificationParam;
use rmcp::service::{RequestContext, RoleServer};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::api::{Answer, Api, Ask, end_of};
use super::trouble::Trouble;

/// How often an agent that waits is told that we live.
const ALIVE: Duration = Duration::from_secs(5);

/// One tool call or resource of an agent.
pub(super) struct Errand<'a> {
    pub(super) api: &'a dyn Api,
    /// Who asks, where that comes with each request.
    pub(super) caller: HeaderMap,
    /// The same when the same request is sent again.
    pub(super) order: String,
    pub(super) context: &'a RequestContext<RoleServer>,
}

impl Errand<'_> {
    /// Asks for what is there.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        read(self.ask(Ask::get(path)).await?.body)
    }

    /// Asks to do something that may be done again.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Value,
    ) -> Result<T, Trouble> {
        read(self.ask(Ask::post(path, body)).await?.body)
    }

    /// Changes something.
    pub(super) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Value,
    ) -> Result<T, Trouble> {
        read(self.ask(Ask::new(Method::PATCH, path, Some(body))).await?.body)
    }

    /// Gives an order, which is carried out once; whether it had been before.
    pub(super) async fn order<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Value,
    ) -> Result<(T, bool), Trouble> {
        let once = Some(self.order.clone());
        let answer = self.ask(Ask { once, ..Ask::post(path, body) }).await?;
        Ok((read(answer.body)?, answer.repeated))
    }

    /// Takes something away.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Trouble> {
        self.ask(Ask::new(Method::DELETE, path, None)).await.map(drop)
    }

    async fn ask(&self, ask: Ask) -> Result<Answer, Trouble> {
        let answer = self.api.ask(Ask { caller: self.caller.clone(), ..ask }).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(Trouble::of(&answer)) }
    }

    /// Returns when the call is over, when so long has passed, or when nobody waits any more.
    pub(super) async fn until_over(&self, call: &str, longest: Duration) {
        let ask = Ask { caller: self.caller.clone(), ..Ask::get(end_of(call)) };
        let ended = self.api.ended(ask);
        tokio::select! {
            // What became of the call is looked at next, however this went.
            _ended = ended => {}
            () = sleep(longest) => {}
            () = self.context.ct.cancelled() => {}
            () = self.tell_that_we_wait(longest) => {}
        }
    }

    /// Some hosts wait longer for who tells that it goes on. Never returns.
    async fn tell_that_we_wait(&self, longest: Duration) {
        let Some(token) = self.context.meta.get_progress_token() else {
            return std::future::pending().await;
        };
        let begun = Instant::now();
        let mut tick = interval(ALIVE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tick.tick().await;
            let told = ProgressNotificationParam::new(token.clone(), begun.elapsed().as_secs_f64())
                .with_total(longest.as_secs_f64())
                .with_message("the call is still running");
            if self.context.peer.notify_progress(told).await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, Trouble> {
    serde_json::from_value(body).map_err(|error| Trouble::unread(&error))
}
