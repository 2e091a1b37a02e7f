//! One server: opens the record, settles what an earlier run left, wires ports to the exchange,
//! serves, drains. The biography of a process between its configuration and its exit.

mod house;
mod network;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use secrecy::SecretString;
use tandem_actors::briefing::Outcome;
use tandem_actors::call::event::Input;
use tandem_actors::exchange::{Exchange, Setup};
use tandem_actors::model::Model;
use tandem_actors::seed::Ports;
use tandem_actors::tool::Tool;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aftermath::Left;
use crate::campaign;
use crate::carrier::softphone::Softphones;
use crate::clips;
use crate::config::{Config, Dialect, Kind};
use crate::http::refusals::Refusals;
use crate::http::{self, Desk, accept};
use crate::model::endpoints::Endpoints;
use crate::reception::Reception;
use crate::recording::{self, Recordings};
use crate::rehearsal::carrier::Simulated;
use crate::rehearsal::realtime::{Behaviour, RealtimeServer};
use crate::retention;
use crate::schedule;
use crate::search::{Bell, Driver};
use crate::settings::Settings;
use crate::store::{Archive, Bridges as _, Store};
use crate::tool::{self, Agent, Stock};
use crate::webhook::{Deliverer, Schedule, Webhooks};
use network::{Network, Which};

pub use network::Ends;

/// How often tickets of ended calls are thrown away.
const TIDY: Duration = Duration::from_secs(5);

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
    /// Calls an earlier run had left behind: settled, or asked about at the carrier.
    pub settled: usize,
    agent: Option<Agent>,
    drain: Duration,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// A simulated model serves as long as somebody holds it, also when the phones are real.
    _simulated_model: Option<Arc<RealtimeServer>>,
}

impl Server {
    /// Starts a server; it serves when this returns. Boxed, as all that other crates start: what
    /// they await as it is, is compiled once more in each of them, with all that it awaits.
    ///
    /// # Errors
    /// When the address, the data directory or the model's settings cannot be used.
    pub fn start(config: &Config) -> LocalBoxFuture<'_, anyhow::Result<Self>> {
        Self::start_with(config, Vec::new())
    }

    /// Starts a server whose calls have more tools than those of the house.
    ///
    /// # Errors
    /// As [`Server::start`], and when two tools want the same name.
    pub fn start_with(
        config: &Config,
        tools: Vec<Arc<dyn Tool>>,
    ) -> LocalBoxFuture<'_, anyhow::Result<Self>> {
        Box::pin(Self::started(config, tools))
    }

    async fn started(config: &Config, tools: Vec<Arc<dyn Tool>>) -> anyhow::Result<Self> {
        let listener = listen(config.http.listen, "TANDEM__HTTP__LISTEN").await?;
        let address = listener.local_addr()?;
        let store = Store::open(&config.store.dir, &config.store.node).await?;
        let (kept, carriers) = house::settled(config, &store).await?;
        let (config, door) = (Arc::clone(&kept.run), address_of(carriers.as_ref())?);
        let (settled, left) = settle(&store, &config).await?;
        let recordings = recordings(&config)?;
        let (model, simulated_model) = model(&config).await?;
        let network = Network::of(&config)?;
        let softphones = Softphones::over(network.carrier(), store.clone());
        let Stock { shelf, agent, sources } = tool::stock(&config, &store, tools).await?;
        let at = door.unwrap_or(address);
        let build = house::build(at, model.formats().to_vec(), shelf.promises());
        let (settings, house) = Settings::open(kept, &store, build, sources)?;
        let ports = Ports {
            model: Arc::new(model.clone()),
            carrier: Arc::new(softphones.clone()),
            tools: Arc::new(shelf.into_tools()),
            record: Arc::new(store.clone()),
            live: Exchange::channel(),
        };
        let exchange = Exchange::open(Setup { limit: config.limits.calls, ports }).await;
        if let Some(agent) = &agent {
            agent.announce_in(exchange.clone());
        }
        let clips = tokio::task::spawn_blocking(clips::Stock::render).await?;
        let reception =
            Reception::open(exchange.clone(), store.clone(), recordings.clone(), clips, house);
        let reach = config.webhooks.reach(config.carrier.kind);
        let (webhooks, deliverer) = Webhooks::open(store.clone(), reach, Schedule::DAYS)?;
        let desk = Desk {
            exchange,
            reception: Arc::new(reception.await?),
            network: network.ends(&config, &store).await?,
            store,
            softphones,
            model,
            recordings,
            searches: Bell::default(),
            key: config.http.key.clone().map(Arc::new),
            makes_keys: config.http.makes_keys,
            links: Default::default(),
            invitation: Default::default(),
            listeners: Default::default(),
            webhooks,
            settings: Arc::new(settings),
            target: config.call.target(),
            refusals: Refusals::default(),
            stagehand: stagehand(&config, &network, simulated_model.clone()),
        };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        network.serve(&desk, left, &tasks, &stop);
        serve(listener, carriers, &desk, &tasks, &stop);
        attend(&desk, &config, deliverer, &tasks, &stop)?;
        let drain = Duration::from_secs(config.limits.drain_s);
        Ok(Self {
            address,
            carriers: door,
            desk,
            settled,
            agent,
            drain,
            stop,
            tasks,
            _simulated_model: simulated_model,
        })
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
        let softphones = &self.desk.softphones;
        let finish = async {
            let until = Instant::now() + self.drain;
            exchange.drain(self.drain).await;
            // Those who were handed over to a browser talk on as long.
            let _in_time = tokio::time::timeout_at(until, softphones.emptied()).await;
        };
        tokio::select! {
            () = finish => {}
            () = async { now.await; exchange.drain(Duration::ZERO).await; } => {}
        }
        softphones.close().await;
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Some(agent) = &self.agent {
            agent.stop().await;
        }
        self.desk.store.close().await?;
        Ok(())
    }
}

/// Where calls are recorded, if they are.
fn recordings(config: &Config) -> std::io::Result<Option<Recordings>> {
    let folder = config.store.dir.join(recording::FOLDER);
    config.store.record_audio.then(|| Recordings::new(&folder)).transpose()
}

fn stagehand(
    config: &Config,
    network: &Network,
    model: Option<Arc<RealtimeServer>>,
) -> Option<Stagehand> {
    match &network.which {
        Which::Rehearsal(simulated) => Some(Stagehand {
            dialect: config.rehearsal.dialect,
            carrier: Arc::clone(simulated),
            model,
        }),
        // With real phones nobody may break calls from outside.
        Which::Acs(_) | Which::Twilio(_) | Which::Asterisk(_) => None,
    }
}

/// Ends the calls that an earlier run has left behind and that no carrier is to be asked about; how
/// many there were in all, and those that one is.
async fn settle(store: &Store, config: &Config) -> anyhow::Result<(usize, Left)> {
    let node = config.store.node.clone();
    let orphans = match config.carrier.kind {
        // The simulated network is gone with the process.
        Kind::Rehearsal => Vec::new(),
        Kind::Acs | Kind::Twilio | Kind::Asterisk => store.adopt_orphans(node.clone()).await?,
    };
    let settled = store.settle_orphans(node).await?;
    for call in &settled {
        let (was, outcome) = (call.was.word(), call.outcome.word());
        tracing::warn!(call = %call.id, was, outcome, "settled a call of an earlier run");
    }
    let left = Left { orphans, bridges: store.left_bridges().await? };
    Ok((settled.len() + left.orphans.len(), left))
}

async fn listen(on: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(on).await.map_err(|error| {
        anyhow::anyhow!(
            "cannot listen on {on}: {error}; is another server running? Set {setting} to another \
             address"
        )
    })
}

fn address_of(door: Option<&TcpListener>) -> std::io::Result<Option<SocketAddr>> {
    door.map(TcpListener::local_addr).transpose()
}

/// Where a real carrier comes in.
async fn carriers_door(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    match config.carrier.kind {
        Kind::Rehearsal => Ok(None),
        Kind::Acs | Kind::Twilio | Kind::Asterisk => {
            listen(config.http.carriers, "TANDEM__HTTP__CARRIERS").await.map(Some)
        }
    }
}

/// Serves until told to stop.
fn serve(
    api: TcpListener,
    carriers: Option<TcpListener>,
    desk: &Desk,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    for (door, routes) in doors(api, carriers, desk) {
        let (refusals, limits) = (desk.refusals.clone(), accept::Limits::default());
        tasks.spawn(accept::serve(door, routes, refusals, limits, stop.clone()));
    }
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
async fn model(config: &Config) -> anyhow::Result<(Endpoints, Option<Arc<RealtimeServer>>)> {
    let model = &config.model;
    if let Some(key) = model.key.as_ref().filter(|_| !model.url.is_empty()) {
        return Ok((crate::model::open(model, &model.url, key)?, None));
    }
    let mut behaviour = Behaviour::default();
    behaviour.bind.set_port(config.rehearsal.model_port);
    let server = RealtimeServer::start(behaviour, None).await?;
    let key = SecretString::from(server.key().to_owned());
    Ok((crate::model::open(model, &server.url(), &key)?, Some(Arc::new(server))))
}

/// Starts what is done beside the calls, until told to stop.
///
/// # Errors
/// When the spans of calls are to go where they cannot.
fn attend(
    desk: &Desk,
    config: &Config,
    deliverer: Deliverer,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    #[cfg(feature = "otlp")]
    if !config.log.otlp_url.is_empty() {
        let traces = crate::otlp::Traces::to(&config.log.otlp_url, &config.store.node)?;
        tasks.spawn(traces.run(desk.exchange.listen(), stop.clone()));
    }
    let keep_days = config.store.keep_days;
    if keep_days > 0 {
        let (store, recordings) = (desk.store.clone(), desk.recordings.clone());
        tasks.spawn(retention::sweep(store, recordings, keep_days, stop.clone()));
    }
    tasks.spawn(deliverer.run(stop.clone()));
    tasks.spawn(tidy(desk.clone(), stop.clone()));
    tasks.spawn(search_driver(desk).run(stop.clone()));
    tasks.spawn(campaign::run(desk.store.clone(), Arc::clone(&desk.reception), stop.clone()));
    let (record, reception) = (desk.store.clone(), Arc::clone(&desk.reception));
    let schedules = schedule::run(record, reception, desk.webhooks.reach, stop.clone());
    tasks.spawn(async move {
        if let Err(error) = schedules.await {
            tracing::error!(%error, "no call is made by a schedule");
        }
    });
    Ok(())
}

fn search_driver(desk: &Desk) -> Driver {
    let Desk { exchange, reception, store, searches, .. } = desk.clone();
    Driver { exchange, reception, store, bell: searches }
}

async fn tidy(desk: Desk, stop: CancellationToken) {
    let mut tick = tokio::time::interval(TIDY);
    loop {
        tokio::select! {
            _ = tick.tick() => {
                desk.reception.tidy();
                if let Some(twilio) = &desk.network.twilio {
                    for call in twilio.tidy(|| desk.exchange.calls()) {
                        let why = "caller_gave_up".to_owned();
                        desk.exchange.tell(&call, Input::Ended(Outcome::Cancelled, why));
                    }
                }
            }
            () = stop.cancelled() => return,
        }
    }
}
