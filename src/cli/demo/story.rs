//! What happens in the demo, ordered over the API as anybody would order it.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tandem_actors::briefing::{CallId, Direction};
use tandem_actors::carrier::Number;

use super::Role;
use crate::cli::client::Client;
use crate::reception::Ringing;
use crate::rehearsal::callee;
use crate::server::{Server, Stagehand};
use crate::store::{Archive as _, SearchArchive as _, Store};

/// How often the server is asked what is new.
const LOOK: Duration = Duration::from_millis(200);

/// How long after the beginning the scheduled call is due.
const SOON: Duration = Duration::from_secs(3);

const TASK: &str = "Reserve a table for four at seven tonight at Luigi's, for Sam.";
const QUESTION: &str = "Do you have a table for four at seven tonight?";
const LINE: &str = "+15550199";

/// The orders that were given.
pub(super) struct Story {
    client: Client,
    store: Store,
    task_line: CallId,
    search: String,
    schedule: String,
    began_ms: i64,
}

/// What came of them, as the API shows it.
#[derive(Debug, Serialize)]
pub(super) struct Ending {
    /// The search with its comparison.
    pub(super) search: Value,
    /// The call to the one that was chosen.
    pub(super) chosen: Value,
    /// The schedule with its history.
    pub(super) schedule: Value,
}

impl Story {
    /// Somebody rings here, a call is scheduled, three restaurants are asked.
    pub(super) async fn begin(server: &Server, stage: &Stagehand) -> anyhow::Result<Self> {
        let client = Client::at(&server.url(), server.desk.key.as_deref())?;
        let now = Timestamp::now();
        let caller = Number::new(callee::Role::TaskCaller.number());
        let ringing =
            Ringing { from: caller.clone(), to: Number::new(LINE), dialect: stage.dialect };
        let taken = server.desk.reception.take(ringing).await?;
        stage.carrier.ring_in(taken.call.clone(), taken.addresses.media, caller);
        let order = json!({
            "to": callee::Role::Restaurant.number(),
            "task": TASK,
            "at": now + SOON,
            // One that a killed demo left behind rings nobody in the next.
            "grace_s": 5,
        });
        let schedule = id(&client.post("/v1/schedules", order).await?)?;
        let to = |role: callee::Role, name| json!({ "to": role.number(), "name": name });
        let order = json!({
            "question": QUESTION,
            "targets": [
                to(callee::Role::Bistro, "Bistro"),
                to(callee::Role::Trattoria, "Trattoria"),
                to(callee::Role::FullHouse, "Full House"),
            ],
        });
        let search = id(&client.post("/v1/searches", order).await?)?;
        let store = server.desk.store.clone();
        let began_ms = now.as_millisecond();
        Ok(Self { client, store, task_line: taken.call, search, schedule, began_ms })
    }

    /// Takes the best offer when all have answered, and waits for every order to be done.
    pub(super) async fn tell(&self) -> anyhow::Result<Ending> {
        let search = format!("/v1/searches/{}", self.search);
        let found = self.until(&search, |search| search["state"] != "running").await?;
        let best = &found["comparison"][0]["number"];
        let choice = json!({ "number": best, "token": found["token"] });
        let call = self.client.post(&format!("{search}/choose"), choice).await?;
        let call = call["call"].as_str().context("nobody was chosen")?.to_owned();
        let over = |call: &Value| call["outcome"].is_string();
        let chosen = self.until(&format!("/v1/calls/{call}"), over).await?;
        let schedule = format!("/v1/schedules/{}", self.schedule);
        let schedule = self.until(&schedule, |schedule| schedule["history"] != json!([])).await?;
        Ok(Ending { search: found, chosen, schedule })
    }

    async fn until(&self, path: &str, is: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        loop {
            let shown = self.client.get(path).await?;
            if is(&shown) {
                return Ok(shown);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Which call this is; none of this story's, where the record cannot tell.
    pub(super) async fn role(&self, call: &CallId) -> Option<Role> {
        let row = self.store.call(call).await.ok()??;
        if row.direction == Direction::Inbound {
            return (*call == self.task_line).then_some(Role::TaskLine);
        }
        if row.remote.as_str() == callee::Role::Restaurant.number() {
            return (row.queued_ms >= self.began_ms).then_some(Role::Scheduled);
        }
        let search = self.store.search(&self.search).await.ok()??;
        if search.chosen.is_some_and(|(_, chosen)| chosen == *call) {
            return Some(Role::Chosen);
        }
        let asked = search.targets.iter().position(|target| target.call.as_ref() == Some(call))?;
        [Role::Bistro, Role::Trattoria, Role::FullHouse].get(asked).copied()
    }
}

fn id(made: &Value) -> anyhow::Result<String> {
    made["id"].as_str().map(str::to_owned).context("the server gave no id")
}
