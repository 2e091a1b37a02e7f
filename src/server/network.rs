//! The phone network a server is connected to: which one, what it offers to calls, and what its
//! routes work with. One line for each network in every function, and nothing else.

use std::sync::Arc;

use anyhow::Context as _;
use tandem_actors::carrier::{Carrier, Number};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aftermath::{self, Left};
use crate::carrier::acs;
use crate::carrier::acs::control::Control;
use crate::carrier::acs::guard::Guard;
use crate::carrier::acs::inbox::Inbox;
use crate::carrier::acs::keys::{Keys, Published};
use crate::carrier::asterisk::{self, Pbx};
use crate::carrier::twilio;
use crate::carrier::twilio::control::Twilio;
use crate::carrier::watched::Watched;
use crate::config::{Config, Dialect, Kind};
use crate::http::Desk;
use crate::recording::{self, Recordings};
use crate::rehearsal::carrier::Simulated;
use crate::standing::Standing;
use crate::store::{Store, With};

/// A phone network, and how it does.
pub(super) struct Network {
    pub(super) which: Which,
    seen: Arc<Standing>,
}

/// Which one it is, with what speaks to it.
pub(super) enum Which {
    /// A simulated one.
    Rehearsal(Arc<Simulated>),
    /// Azure Communication Services.
    Acs(Control),
    /// Twilio.
    Twilio(Twilio),
    /// An Asterisk of one's own.
    Asterisk(Pbx),
}

impl Network {
    /// The one that is configured. Nothing is sent yet.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let which = match config.carrier.kind {
            Kind::Rehearsal => Which::Rehearsal(Arc::default()),
            Kind::Acs => Which::Acs(acs(config)?),
            Kind::Twilio => Which::Twilio(twilio(config)?),
            Kind::Asterisk => Which::Asterisk(Pbx::of(config)?),
        };
        Ok(Self { which, seen: Arc::default() })
    }

    /// What calls order of it.
    pub(super) fn carrier(&self) -> Arc<dyn Carrier> {
        let carrier: Arc<dyn Carrier> = match &self.which {
            Which::Rehearsal(simulated) => Arc::clone(simulated) as _,
            Which::Acs(control) => Arc::new(control.clone()),
            Which::Twilio(twilio) => Arc::new(twilio.clone()),
            Which::Asterisk(pbx) => Arc::new(pbx.control.clone()),
        };
        Arc::new(Watched::new(carrier, Arc::clone(&self.seen)))
    }

    /// What its routes work with.
    pub(super) async fn ends(&self, config: &Config, store: &Store) -> anyhow::Result<Ends> {
        let mut ends = Ends { seen: Arc::clone(&self.seen), ..Ends::default() };
        match &self.which {
            Which::Rehearsal(_) => {}
            Which::Acs(control) => ends.acs = Some(inbox(config, control.clone(), store).await?),
            Which::Twilio(twilio) => ends.twilio = Some(twilio.clone()),
            Which::Asterisk(pbx) => ends.asterisk = Some(pbx.door.clone()),
        }
        Ok(ends)
    }

    /// From here on it may tell calls, and the reception, what happens. It is asked about the calls
    /// that are `left` of an earlier run.
    pub(super) fn serve(
        self,
        desk: &Desk,
        left: Left,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        desk.softphones.serve(desk.exchange.clone());
        let carrier = Arc::new(desk.softphones.clone());
        if let Which::Asterisk(pbx) = &self.which {
            // Before it tells of channels: what it does not know it removes.
            for orphan in left.orphans.iter().filter(|orphan| orphan.with != With::Human) {
                pbx.control.keep(&orphan.call.id, orphan.call.carrier_call.as_ref());
            }
        }
        tasks.spawn(aftermath::see_to(left, desk.clone(), carrier, stop.clone()));
        match self.which {
            Which::Rehearsal(simulated) => simulated.serve(desk.exchange.clone()),
            // Their routes do.
            Which::Acs(_) | Which::Twilio(_) => {}
            Which::Asterisk(Pbx { control, source, .. }) => {
                control.serve(desk.exchange.clone(), Arc::clone(&desk.reception));
                tasks.spawn(asterisk::events::watch(control, source, stop.clone()));
            }
        }
    }
}

/// What the routes of the networks work with; only those of the one that is configured are there.
#[derive(Clone, Default)]
pub struct Ends {
    /// How it does.
    pub seen: Arc<Standing>,
    /// What ACS tells and is told.
    pub acs: Option<Arc<Inbox>>,
    /// Twilio.
    pub twilio: Option<Twilio>,
    /// Knows the secret of an Asterisk's media sockets.
    pub asterisk: Option<asterisk::Door>,
}

impl Ends {
    /// The word for it in the settings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match (&self.acs, &self.twilio, &self.asterisk) {
            (Some(_), _, _) => "acs",
            (_, Some(_), _) => "twilio",
            (_, _, Some(_)) => "asterisk",
            (None, None, None) => "rehearsal",
        }
    }
}

fn acs(config: &Config) -> anyhow::Result<Control> {
    let settings = acs::control::Settings {
        connection: acs::connection::Connection::of(&config.acs)?,
        api_version: config.acs.api_version.clone(),
        number: Number::new(config.carrier.number.as_str()),
        rate: match config.acs.audio {
            Dialect::Acs16k => acs::Rate::Hz16000,
            Dialect::Acs24k
            | Dialect::Twilio
            | Dialect::Asterisk24k
            | Dialect::Asterisk8k
            | Dialect::Softphone => acs::Rate::Hz24000,
        },
    };
    Ok(Control::new(settings)?)
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
    let secret = config.acs.events_secret.clone();
    let mut inbox = Inbox::new(control, guard, number, secret);
    if config.acs.record {
        inbox = inbox.recording(store.clone(), recordings(config)?).await?;
    }
    Ok(Arc::new(inbox))
}

fn twilio(config: &Config) -> anyhow::Result<Twilio> {
    let token = config.twilio.auth_token.clone();
    let access = config.twilio.access();
    let (user, password) = access.context("TANDEM__TWILIO__API_SECRET is not set")?;
    let settings = twilio::control::Settings {
        account: config.twilio.account_sid.clone(),
        auth_token: token.context("TANDEM__TWILIO__AUTH_TOKEN is not set")?,
        access: twilio::rest::Access { user: user.to_owned(), password: password.clone() },
        api_url: config.twilio.api_url.clone(),
        public_url: config.http.public_url.clone(),
        rings_s: config.limits.ringing_s,
        detect_machines: config.twilio.detect_machines,
        record: config.twilio.record.then(|| recordings(config)).transpose()?,
    };
    Ok(Twilio::new(settings)?)
}

/// Where the recordings go that a carrier makes.
fn recordings(config: &Config) -> std::io::Result<Recordings> {
    Recordings::new(&config.store.dir.join(recording::FOLDER))
}
