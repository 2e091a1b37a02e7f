//! A server in rehearsal with a data directory of its own. A call left alive at the end of a
//! story fails it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tandem::config::{Config, Dialect};
use tandem::reception::{Order, Ringing, Wish};
use tandem::rehearsal::carrier::CallReport;
use tandem::server::{Server, Stagehand};
use tandem::store::Archive as _;
use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::{Fact, Note, Speaker};
use tandem_actors::tool::Tool;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

/// An address of a call with its nonce guessed almost: the last letter is another one.
pub(crate) fn guessed(address: &str) -> String {
    let (known, last) = address.split_at(address.len() - 1);
    format!("{known}{}", if last == "A" { "B" } else { "A" })
}

/// No story takes longer.
pub(crate) const STORY: Duration = Duration::from_secs(120);

pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) live: Receiver<Note>,
    dir: TempDir,
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::open_with("").await
    }

    /// With a human to whom callers are handed over.
    pub(crate) async fn open_with(human: &str) -> Self {
        let mut config = Config::default();
        config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        human.clone_into(&mut config.carrier.human);
        Self::with(config).await
    }

    /// With settings of one's own, but for the data directory.
    pub(crate) async fn with(config: Config) -> Self {
        Self::within(tempfile::tempdir().unwrap(), config, Vec::new()).await
    }

    /// With a tool beside those of the house.
    pub(crate) async fn with_tool(tool: Arc<dyn Tool>) -> Self {
        let mut config = Config::default();
        config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::within(tempfile::tempdir().unwrap(), config, vec![tool]).await
    }

    async fn within(dir: TempDir, mut config: Config, tools: Vec<Arc<dyn Tool>>) -> Self {
        config.store.dir = dir.path().to_owned();
        let server = Box::pin(Server::start_with(&config, tools)).await.unwrap();
        let live = server.desk.exchange.listen();
        Self { server, live, dir }
    }

    /// The next run, with the same data directory; no call may be left alive.
    pub(crate) async fn restarted(self, config: Config) -> Self {
        let Self { server, dir, .. } = self;
        end(server).await;
        Self::within(dir, config, Vec::new()).await
    }

    /// The data directory.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where real carriers reach us.
    pub(crate) fn door(&self) -> String {
        format!("http://{}", self.server.carriers.expect("a real carrier"))
    }

    pub(crate) fn stagehand(&self) -> &Stagehand {
        self.server.desk.stagehand.as_ref().expect("a rehearsal")
    }

    /// We ring a number.
    pub(crate) async fn place(&self, to: &str, dialect: Dialect) -> CallId {
        let task = Text("Reserve a table for four at seven tonight, for Sam.".to_owned());
        let reception = &self.server.desk.reception;
        let wish = Wish { dialect, ..reception.wish(task) };
        reception.place(Order { to: Number::new(to), wish, once: None }).await.unwrap().call
    }

    /// Somebody rings us.
    pub(crate) async fn ring(&self, from: &str, dialect: Dialect) -> CallId {
        let (from, to) = (Number::new(from), Number::new("+15550199"));
        let ringing = Ringing { from: from.clone(), to, dialect };
        let made = self.server.desk.reception.take(ringing).await.unwrap();
        self.stagehand().carrier.ring_in(made.call.clone(), made.addresses.media, from);
        made.call
    }

    /// Facts until one that is wanted, itself included.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Fact) -> bool) -> Vec<Fact> {
        self.until_of(|_| true, wanted).await
    }

    /// All facts of one of several calls, to its end.
    pub(crate) async fn finalized_of(&mut self, call: &CallId) -> Vec<Fact> {
        let ended = |fact: &Fact| matches!(fact, Fact::Finalized { .. });
        let facts = self.until_of(|of| of == call, ended).await;
        self.written().await;
        facts
    }

    /// What was told is in the record, too.
    async fn written(&self) {
        self.server.desk.store.flush().await.expect("the record is written");
    }

    async fn until_of(
        &mut self,
        ours: impl Fn(&CallId) -> bool,
        wanted: impl Fn(&Fact) -> bool,
    ) -> Vec<Fact> {
        let mut facts = Vec::new();
        let told = async {
            loop {
                let note = self.live.recv().await.expect("the exchange lives");
                if !ours(&note.call) {
                    continue;
                }
                let last = wanted(&note.fact);
                facts.push(note.fact);
                if last {
                    return;
                }
            }
        };
        let in_time = tokio::time::timeout(STORY, told).await;
        assert!(in_time.is_ok(), "waited in vain after {facts:#?}");
        facts
    }

    pub(crate) async fn finalized(&mut self) -> Vec<Fact> {
        let facts = self.until(|fact| matches!(fact, Fact::Finalized { .. })).await;
        self.written().await;
        facts
    }

    pub(crate) async fn report(&self, call: &CallId) -> CallReport {
        let reports = self.stagehand().carrier.reports(std::iter::once(call)).await;
        reports.into_iter().next().expect("the phone has a report")
    }

    /// Ends the story; nothing may be left alive.
    pub(crate) async fn close(self) {
        end(self.server).await;
    }
}

async fn end(server: Server) {
    let exchange = server.desk.exchange.clone();
    tokio::time::timeout(STORY, exchange.emptied()).await.expect("no call is left alive");
    server.stop(std::future::ready(())).await.unwrap();
}

/// How a call ended.
pub(crate) fn ending(facts: &[Fact]) -> (Outcome, &str) {
    match facts.last() {
        Some(Fact::Finalized { outcome, reason, .. }) => (*outcome, reason),
        other => panic!("not finalized but {other:?}"),
    }
}

/// Who was taken to have picked up, by whose word.
pub(crate) fn verdicts(facts: &[Fact]) -> Vec<(&str, &str)> {
    facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Answerer { who, by } => Some((*who, *by)),
            _ => None,
        })
        .collect()
}

/// How a hand-over went, by the record.
pub(crate) fn steps(facts: &[Fact]) -> Vec<&str> {
    let step = |fact: &Fact| match fact {
        Fact::HandOver { step } => Some(*step),
        _ => None,
    };
    facts.iter().filter_map(step).collect()
}

/// What the agent said and was heard to say, by the record.
pub(crate) fn said(facts: &[Fact], speaker: Speaker) -> Vec<String> {
    facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Turn(turn) if turn.speaker == speaker => Some(turn.text.as_str().to_owned()),
            _ => None,
        })
        .collect()
}

/// Words without their spacing: a sentence that was cut and continued is one sentence.
pub(crate) fn squeezed(texts: &[String]) -> String {
    texts.concat().split_whitespace().collect()
}
