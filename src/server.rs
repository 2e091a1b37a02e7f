//! One server: opens the record, settles what an earlier run left, wires ports to the exchange,
//! serves, drains. The biography of a process between its configuration and its exit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::SecretString;
use tandem_actors::briefing::{Limits, Text};
use tandem_actors::carrier::{Carrier, Number};
use tandem_actors::exchange::{Exchange, Setup};
use tandem_actors::model::Model;
use tandem_actors::seed::Ports;
use tandem_actors::tool::{HANG_UP, Promise, Risk};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::carrier::acs;
use crate::carrier::acs::control::Control;
use crate::carrier::acs::guard::Guard;
use crate::carrier::acs::inbox::Inbox;
use crate::carrier::acs::keys::{Keys, Published};
use crate::clips::Stock;
use crate::config::{Auth, Config, Dialect, Kind};
use crate::http::refusals::Refusals;
use crate::http::{self, Desk, accept};
use crate::model::openai::{self, Listening, OpenAi};
use crate::reception::{House, Reception};
use crate::recording::Recordings;
use crate::rehearsal::carrier::Simulated;
use crate::rehearsal::realtime::{Behaviour, RealtimeServer};
use crate::store::{Archive, Store};
use crate::tool::{NameTaken, Shelf, tasks};

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
    /// Where the carriers' door is, when the carrier is a real one.
    pub carriers: Option<SocketAddr>,
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
        let listener = listen(config.http.listen, "TANDEM__HTTP__LISTEN").await?;
        let address = listener.local_addr()?;
        let carriers = match config.carrier.kind {
            Kind::Rehearsal => None,
            Kind::Acs | Kind::Twilio | Kind::Asterisk => {
                Some(listen(config.http.carriers, "TANDEM__HTTP__CARRIERS").await?)
            }
        };
        let door = carriers.as_ref().map(TcpListener::local_addr).transpose()?;
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
        let acs = acs(config)?;
        let network = match &acs {
            Some(control) => Arc::new(control.clone()) as Arc<dyn Carrier>,
            None => Arc::clone(&carrier) as Arc<dyn Carrier>,
        };
        let shelf = shelf(&store)?;
        let mut promises = shelf.promises();
        promises.push(hang_up());
        let ports = Ports {
            model: Arc::clone(&model),
            carrier: network,
            tools: Arc::new(shelf.into_tools()),
            record: Arc::new(store.clone()),
            live: Exchange::channel(),
        };
        let exchange = Exchange::open(Setup { limit: config.limits.calls, ports }).await;
        carrier.serve(exchange.clone());
        let house = house(config, door.unwrap_or(address), model.formats().to_vec(), promises);
        let clips = tokio::task::spawn_blocking(Stock::render).await?;
        let reception =
            Reception::new(exchange.clone(), store.clone(), recordings.clone(), clips, house);
        let dialect = config.rehearsal.dialect;
        let stagehand = Stagehand { dialect, carrier, model: simulated_model };
        let rehearses = config.carrier.kind == Kind::Rehearsal;
        let acs = match acs {
            Some(control) => Some(inbox(config, control, &store).await?),
            None => None,
        };
        let desk = Desk {
            exchange,
            reception: Arc::new(reception),
            store,
            refusals: Refusals::default(),
            stagehand: rehearses.then_some(stagehand),
            acs,
        };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for (door, routes) in doors(listener, carriers, &desk) {
            let (refusals, limits) = (desk.refusals.clone(), accept::Limits::default());
            tasks.spawn(accept::serve(door, routes, refusals, limits, stop.clone()));
        }
        tasks.spawn(tidy(desk.clone(), stop.clone()));
        let drain = Duration::from_secs(config.limits.drain_s);
        let settled = settled.len();
        Ok(Self { address, carriers: door, desk, recordings, settled, drain, stop, tasks })
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

async fn listen(on: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(on).await.map_err(|error| {
        anyhow::anyhow!(
            "cannot listen on {on}: {error}; is another server running? Set {setting} to another \
             address"
        )
    })
}

/// What is served where: with a real carrier its routes have a listener of their own.
fn doors(
    api: TcpListener,
    carriers: Option<TcpListener>,
    desk: &Desk,
) -> Vec<(TcpListener, axum::Router)> {
    let Some(carriers) = carriers else { return vec![(api, http::routes(desk.clone()))] };
    vec![(api, http::api_routes(desk.clone())), (carriers, http::carrier_routes(desk.clone()))]
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
    Ok((Arc::new(OpenAi::new(&settings(config, url, key))?), simulated))
}

/// The model's settings as its client takes them, with this address and key.
pub(crate) fn settings(config: &Config, url: String, key: SecretString) -> openai::Settings {
    let transcription = &config.model.transcription;
    openai::Settings {
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
    }
}

/// Azure Communication Services, when it is the carrier.
fn acs(config: &Config) -> anyhow::Result<Option<Control>> {
    let (Kind::Acs, Some(text)) = (config.carrier.kind, &config.acs.connection_string) else {
        return Ok(None);
    };
    let settings = acs::control::Settings {
        connection: acs::connection::Connection::parse(text)
            .context("TANDEM__ACS__CONNECTION_STRING")?,
        api_version: config.acs.api_version.clone(),
        number: Number::new(config.carrier.number.as_str()),
        rate: match config.acs.audio {
            Dialect::Acs16k => acs::Rate::Hz16000,
            Dialect::Acs24k | Dialect::Twilio => acs::Rate::Hz24000,
        },
    };
    Ok(Some(Control::new(settings)?))
}

/// What ACS tells, and the check of who tells it.
async fn inbox(config: &Config, control: Control, store: &Store) -> anyhow::Result<Arc<Inbox>> {
    let guard = match config.acs.check_tokens {
        true => {
            let keys = Keys::new(Published::at(&config.acs.keys_url)?);
            keys.renew();
            Some(Guard::new(&config.acs, keys, store.clone()).await?)
        }
        false => {
            tracing::warn!("acs.check_tokens is off: only nonces tell who speaks for Azure");
            None
        }
    };
    if config.acs.events_secret.is_none() {
        tracing::warn!("TANDEM__ACS__EVENTS_SECRET is not set: no phone can ring here");
    }
    let number = Number::new(config.carrier.number.as_str());
    Ok(Arc::new(Inbox::new(control, guard, number, config.acs.events_secret.clone())))
}

fn shelf(store: &Store) -> Result<Shelf, NameTaken> {
    let clock: tasks::Clock = Arc::new(jiff::Zoned::now);
    let mut shelf = Shelf::new();
    for tool in tasks::all(store, &clock) {
        shelf.put(tool)?;
    }
    Ok(shelf)
}

/// The one tool that the call performs itself.
fn hang_up() -> Promise {
    Promise {
        name: HANG_UP.to_owned(),
        description: "End the call. Say goodbye first, in the same response.".to_owned(),
        parameters: r#"{"type":"object","properties":{}}"#.to_owned(),
        risk: Risk::Write,
        idempotent: true,
        deadline: Duration::from_secs(1),
    }
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
            Kind::Acs | Kind::Twilio => config.http.public_url.clone(),
            Kind::Asterisk if !config.http.public_url.is_empty() => config.http.public_url.clone(),
            Kind::Rehearsal | Kind::Asterisk => format!("http://{address}"),
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
