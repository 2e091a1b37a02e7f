//! The one connection that writes, and the transaction open on it.
//! Every write for a call passes [`Desk::require_ours`]; when to commit is the writer's matter.

use std::collections::HashMap;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use tandem_actors::briefing::{CallId, Lifecycle};
use tandem_actors::record::Opened;
use tokio::sync::watch;

use super::fault::{Fault, Trouble, fault};

/// Who writes: a node and which of its runs. Calls carry both, and only their owner may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// The node's name.
    pub node: String,
    /// Counts the node's runs, from 1.
    pub epoch: i64,
}

/// Whose a call is.
#[derive(Clone, Copy)]
enum Owner {
    Us,
    Another,
    Nobody,
}

/// The writing connection.
pub(super) struct Desk {
    pub(super) conn: SqliteConnection,
    pub(super) tenure: Tenure,
    options: SqliteConnectOptions,
    /// Answers of this transaction; nobody can change them before it ends.
    owners: HashMap<CallId, Owner>,
    /// Rings when something is to be delivered, once that is durable.
    pub(super) bell: watch::Sender<u64>,
    /// Whether this transaction has something to deliver.
    told: bool,
    /// How many pages the file may have, where a test makes the disk full; else 0.
    #[cfg(test)]
    pub(super) pages: std::sync::Arc<std::sync::atomic::AtomicU32>,
}

impl Desk {
    pub(super) fn new(
        conn: SqliteConnection,
        tenure: Tenure,
        options: SqliteConnectOptions,
    ) -> Self {
        Self {
            conn,
            tenure,
            options,
            owners: HashMap::new(),
            bell: watch::Sender::new(0),
            told: false,
            #[cfg(test)]
            pages: std::sync::Arc::default(),
        }
    }

    pub(super) async fn begin(&mut self) -> Result<(), Fault> {
        self.owners.clear();
        self.told = false;
        #[cfg(test)]
        self.limit_pages().await;
        self.run("BEGIN IMMEDIATE").await
    }

    #[cfg(test)]
    async fn limit_pages(&mut self) {
        let pages = self.pages.load(std::sync::atomic::Ordering::Relaxed);
        if pages > 0 {
            let sql = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
            sqlx::query(sql).execute(&mut self.conn).await.expect("a pragma");
        }
    }

    pub(super) async fn commit(&mut self) -> Result<(), Fault> {
        self.run("COMMIT").await?;
        if self.told {
            self.bell.send_modify(|rung| *rung += 1);
        }
        Ok(())
    }

    /// Something is to be delivered.
    pub(super) fn has_told(&mut self) {
        self.told = true;
    }

    /// Undoes the open transaction. SQLite may have done so already, which is as good.
    pub(super) async fn roll_back(&mut self) {
        self.run("ROLLBACK").await.ok();
    }

    /// One statement of transaction control; what is wrong with it is the storage.
    pub(super) async fn run(&mut self, sql: &'static str) -> Result<(), Fault> {
        match sqlx::query(sql).execute(&mut self.conn).await {
            Ok(_) => Ok(()),
            Err(error) => Err(fault(&error).unwrap_or(Fault::Io)),
        }
    }

    /// Says that this node lives.
    pub(super) async fn beat(&mut self) -> Result<(), Fault> {
        let beaten = sqlx::query("UPDATE nodes SET beat_ms = $2 WHERE node = $1")
            .bind(&self.tenure.node)
            .bind(jiff::Timestamp::now().as_millisecond())
            .execute(&mut self.conn)
            .await;
        beaten.map(drop).map_err(|error| fault(&error).unwrap_or(Fault::Io))
    }

    /// A fresh connection: after a failed fsync the old one may believe in pages that never
    /// reached the disk.
    pub(super) async fn reopen(&mut self) {
        if let Ok(fresh) = SqliteConnection::connect_with(&self.options).await {
            self.conn = fresh;
        }
    }

    /// Refuses calls that are unknown or belong to another node or run.
    pub(super) async fn require_ours(&mut self, call: &CallId) -> Result<(), Trouble> {
        let owner = match self.owners.get(call) {
            Some(&owner) => owner,
            None => self.look_up_owner(call).await?,
        };
        match owner {
            Owner::Us => Ok(()),
            Owner::Another => {
                Err(Trouble::refused(format!("call {call} belongs to another run by now")))
            }
            Owner::Nobody => Err(Trouble::refused(format!("call {call} was never opened"))),
        }
    }

    async fn look_up_owner(&mut self, call: &CallId) -> Result<Owner, Trouble> {
        let row = sqlx::query("SELECT node, epoch FROM calls WHERE id = $1")
            .bind(&*call.0)
            .fetch_optional(&mut self.conn)
            .await?;
        let owner = match row {
            None => Owner::Nobody,
            Some(row) => {
                let held: (String, i64) = (row.try_get("node")?, row.try_get("epoch")?);
                if held == (self.tenure.node.clone(), self.tenure.epoch) {
                    Owner::Us
                } else {
                    Owner::Another
                }
            }
        };
        self.owners.insert(call.clone(), owner);
        Ok(owner)
    }

    pub(super) async fn open(&mut self, call: &Opened, at_ms: i64) -> Result<(), Trouble> {
        let dialing_ms = (call.lifecycle > Lifecycle::Queued).then_some(at_ms);
        let answered_ms = (call.lifecycle > Lifecycle::Dialing).then_some(at_ms);
        let written = sqlx::query(
            "INSERT INTO calls (id, direction, remote, local, task, lifecycle, node, epoch, \
             queued_ms, dialing_ms, answered_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&*call.call.0)
        .bind(call.direction.word())
        .bind(call.remote.as_str())
        .bind(call.local.as_str())
        .bind(call.task.as_str())
        .bind(call.lifecycle.word())
        .bind(&self.tenure.node)
        .bind(self.tenure.epoch)
        .bind(at_ms)
        .bind(dialing_ms)
        .bind(answered_ms)
        .execute(&mut self.conn)
        .await?;
        if written.rows_affected() == 0 {
            return Err(Trouble::refused(format!("call {} was opened before", call.call)));
        }
        self.owners.insert(call.call.clone(), Owner::Us);
        match call.lifecycle {
            // Whoever ordered it has just been told.
            Lifecycle::Queued => Ok(()),
            come @ (Lifecycle::Dialing | Lifecycle::Answered | Lifecycle::Finalized) => {
                self.tell_of_call(&call.call, come, at_ms).await
            }
        }
    }

    /// The point of no return: succeeds once for a call, so that nobody rings twice.
    pub(super) async fn dialing(&mut self, call: &CallId, at_ms: i64) -> Result<(), Trouble> {
        self.require_ours(call).await?;
        let written = sqlx::query(
            "UPDATE calls SET lifecycle = 'dialing', dialing_ms = $2 \
             WHERE id = $1 AND lifecycle = 'queued'",
        )
        .bind(&*call.0)
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        if written.rows_affected() == 0 {
            return Err(Trouble::refused(format!("call {call} is past dialing")));
        }
        self.tell_of_call(call, Lifecycle::Dialing, at_ms).await
    }

    pub(super) async fn set(&mut self, key: &str, value: &str, at_ms: i64) -> Result<(), Trouble> {
        sqlx::query(
            "INSERT INTO settings (key, value, set_ms) VALUES ($1, $2, $3) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, set_ms = excluded.set_ms",
        )
        .bind(key)
        .bind(value)
        .bind(at_ms)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }
}
