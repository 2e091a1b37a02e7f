//! One server: opens the record, settles what an earlier run left, wires ports to the exchange,
//! serves, drains. The biography of a process between its configuration and its exit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tandem_actors::briefing::{Limits, Text};
use tandem_actors::carrier::{Carrier, Number};
use tandem_actors::exchange::{Exchange, Setup};
use tandem_actors::model::Model;
use tandem_actors::seed::Ports;
use tandem_actors::tool::Promise;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clips::Stock;
use crate::config::{Auth, Config, Dialect, Kind};
use crate::http::{self, Desk};
use crate::model::openai::{self, Listening, OpenAi};
use crate::reception::{House, Reception};
use crate::recording::Recordings;
use crate::rehearsal::carrier::Simulated;
use crate::rehearsal::realtime::{Behaviour, RealtimeServer};
use crate::store::{Archive, Store};
use crate::tool::{NameTaken, Shelf, own, tasks};

/// How often tickets of ended calls are thrown away.
const TIDY: Duration = Duration::from_secs(5);

/// What an inbound call is for until inbound profiles exist.
const INBOUND: &str = "Answer the task line: keep the caller's list of tasks.";

/// The simulated world of a rehearsal.
#[derive(Clone)]
pub struct Stagehand {
    /// How the simulated carrier speaks unless told otherwise.
    pub dialect: Dialect,
    /// The simulated carrier.
    pub carrier: Arc<Simulated>,
    /// The simulated model; none when a real one, or somebody else's, is configured.
    pub model: Option<Arc<RealtimeServer>>,
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What the routes, and whoever runs the server, work with.
    pub desk: Desk,
    /// Where recordings are, when calls are recorded.
    pub recordings: Option<Recordings>,
    /// Calls an earlier run had left behind, now settled.
    pub settled: usize,
    drain: Duration,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Starts a server; it serves when this returns.
    ///
    /// # Errors
    /// When the address, the data directory or the model's settings cannot be used.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(config.http.listen).await.map_err(|error| {
            let listen = config.http.listen;
            anyhow::anyhow!(
                "cannot listen on {listen}: {error}; is another server running? Set \
                 TANDEM__HTTP__LISTEN to another address"
            )
        })?;
        let address = listener.local_addr()?;
        let store = Store::open(&config.store.dir, &config.store.node).await?;
        let settled = store.settle_orphans(config.store.node.clone()).await?;
        for call in &settled {
            let (was, outcome) = (call.was.word(), call.outcome.word());
            tracing::warn!(call = %call.id, was, outcome, "settled a call of an earlier run");
        }
        let recordings = match config.store.record_audio {
            true => Some(Recordings::new(&config.store.dir.join("recordings"))?),
            false => None,
        };
        let (model, simulated_model) = model(config).await?;
        let carrier = Arc::new(Simulated::default());
        let shelf = shelf(&store)?;
        let mut promises = shelf.promises();
        promises.extend(own::promises(!config.carrier.human.is_empty()));
        let ports = Ports {
            model: Arc::clone(&model),
            carrier: Arc::clone(&carrier) as Arc<dyn Carrier>,
            tools: Arc::new(shelf.into_tools()),
            record: Arc::new(store.clone()),
            live: Exchange::channel(),
        };
        let exchange = Exchange::open(Setup { limit: config.limits.calls, ports }).await;
        carrier.serve(exchange.clone());
        let house = house(config, address, model.formats().to_vec(), promises);
        let clips = tokio::task::spawn_blocking(Stock::render).await?;
        let reception =
            Reception::new(exchange.clone(), store.clone(), recordings.clone(), clips, house);
        let dialect = config.rehearsal.dialect;
        let stagehand = Stagehand { dialect, carrier, model: simulated_model };
        let desk =
            Desk { exchange, reception: Arc::new(reception), store, stagehand: Some(stagehand) };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(http::accept::serve(listener, http::routes(desk.clone()), stop.clone()));
        tasks.spawn(tidy(desk.clone(), stop.clone()));
        let drain = Duration::from_secs(config.limits.drain_s);
        Ok(Self { address, desk, recordings, settled: settled.len(), drain, stop, tasks })
    }

    /// Where the server is reached.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Refuses new calls, lets live ones finish, says goodbye to the rest, closes the record.
    /// `now` cuts the waiting short.
    ///
    /// # Errors
    /// When facts could not be written.
    pub async fn stop(self, now: impl Future<Output = ()>) -> anyhow::Result<()> {
        let exchange = &self.desk.exchange;
        tokio::select! {
            _left = exchange.drain(self.drain) => {}
            () = async { now.await; exchange.drain(Duration::ZERO).await; } => {}
        }
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.desk.store.close().await?;
        Ok(())
    }
}

/// The model that is configured, or a simulated one.
async fn model(config: &Config) -> anyhow::Result<(Arc<dyn Model>, Option<Arc<RealtimeServer>>)> {
    let (url, key, simulated) = match &config.model.key {
        Some(key) if !config.model.url.is_empty() => (config.model.url.clone(), key.clone(), None),
        _ => {
            let mut behaviour = Behaviour::default();
            behaviour.bind.set_port(config.rehearsal.model_port);
            let server = RealtimeServer::start(behaviour, None).await?;
            let key = SecretString::from(server.key().to_owned());
            (server.url(), key, Some(Arc::new(server)))
        }
    };
    let transcription = &config.model.transcription;
    let settings = openai::Settings {
        url,
        model: config.model.name.clone(),
        key,
        auth: match config.model.auth {
            Auth::Bearer => openai::Auth::Bearer,
            Auth::ApiKey => openai::Auth::ApiKey,
        },
        headers: Vec::new(),
        listening: Listening {
            transcription: (!transcription.is_empty()).then(|| transcription.clone()),
            ..Listening::default()
        },
    };
    Ok((Arc::new(OpenAi::new(&settings)?), simulated))
}

fn shelf(store: &Store) -> Result<Shelf, NameTaken> {
    let clock: tasks::Clock = Arc::new(jiff::Zoned::now);
    let mut shelf = Shelf::new();
    for tool in tasks::all(store, &clock) {
        shelf.put(tool)?;
    }
    Ok(shelf)
}

fn house(
    config: &Config,
    address: SocketAddr,
    formats: Vec<tandem_actors::audio::Format>,
    tools: Vec<Promise>,
) -> House {
    let limits = &config.limits;
    House {
        url: match config.carrier.kind {
            Kind::Rehearsal => format!("http://{address}"),
            Kind::Acs | Kind::Twilio | Kind::Asterisk => config.http.public_url.clone(),
        },
        dialect: match config.carrier.kind {
            Kind::Rehearsal => config.rehearsal.dialect,
            Kind::Acs => config.acs.audio,
            Kind::Twilio | Kind::Asterisk => Dialect::Twilio,
        },
        voice: config.model.voice.clone(),
        formats,
        tools,
        limits: Limits {
            total: Duration::from_secs(limits.total_s),
            silence: Duration::from_secs(limits.silence_s),
            ringing: Duration::from_secs(limits.ringing_s),
            session: Duration::from_secs(limits.session_min * 60),
        },
        number: Number::new(config.carrier.number.as_str()),
        human: Some(config.carrier.human.as_str())
            .filter(|human| !human.is_empty())
            .map(Number::new),
        inbound_task: Text(INBOUND.to_owned()),
    }
}

async fn tidy(desk: Desk, stop: CancellationToken) {
    let mut tick = tokio::time::interval(TIDY);
    loop {
        tokio::select! {
            _ = tick.tick() => desk.reception.tidy(),
            () = stop.cancelled() => return,
        }
    }
}
