//! A simulated Azure Communication Services on real sockets: its REST interface, its callbacks,
//! its Event Grid and its media sockets, with simulated people at the phones. It checks what the
//! real one checks, and shares no code with the product's side, or both could share a mistake.
//!
//! Not simulated: groups, Teams, playing and recognizing, more than two humans on the media, and a
//! call that goes on when its first human has left.

mod connection;
mod courier;
mod door;
mod entra;
mod grid;
mod keys;
mod life;
mod people;
mod recording;
mod refusal;
mod rest;
mod result;
mod signature;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::redirect::Policy;
use secrecy::SecretString;
use serde_json::json;
use tandem_actors::carrier::Number;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use connection::{Connection, Result as Code};
use entra::Entra;
use grid::Ringing;
use keys::{Signer, WEBHOOK};
use recording::Recording;

pub use connection::{Seen, State};
pub use courier::Mischief;
pub use entra::Registered;
pub use grid::{Fate, Incoming, NotSubscribed};
pub use keys::Forgery;
pub use recording::Taped;
pub use wire::RejectReason;

/// An answer to the service takes no longer.
const ANSWER: Duration = Duration::from_secs(10);
/// What is waited for has happened by then, or never will.
const PATIENCE: Duration = Duration::from_mins(2);

/// The simulated service. Dropping it closes its door.
pub struct Azure {
    hall: Arc<Hall>,
    _open: DropGuard,
}

/// What goes wrong with the next order to make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is carried out, and then the connection breaks without an answer.
    BreaksAfter,
    /// This one and its repetitions are carried out once, and then the connection breaks without
    /// an answer.
    LosesAnswers,
    /// The connection breaks and nothing was done.
    BreaksBefore,
    /// It is refused: too many requests.
    Throttles,
}

/// What somebody shows who brings an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// A token of the service.
    Token,
    /// Nothing.
    Nothing,
    /// A token that is not right.
    Forged(Forgery),
}

/// What all parts of the service share.
struct Hall {
    /// `127.0.0.1:1234`.
    host: String,
    key: [u8; 32],
    number: Number,
    signer: Signer,
    entra: Entra,
    client: reqwest::Client,
    books: Mutex<Books>,
    changed: watch::Sender<u64>,
    /// A public address, and where it leads.
    tunnel: OnceLock<(String, SocketAddr)>,
}

/// What the service remembers.
#[derive(Default)]
struct Books {
    calls: Vec<Arc<Connection>>,
    incoming: Vec<Ringing>,
    recordings: Vec<Recording>,
    /// How many files a recording becomes; one unless it is said.
    pieces: Option<usize>,
    /// Orders that came with a name, with the date they were first sent, and what came of them.
    repeatable: HashMap<(String, String), Arc<Connection>>,
    webhook: Option<String>,
    mischief: Mischief,
    trouble: Option<Trouble>,
}

impl Azure {
    /// Starts the service, which has one phone number, on a loopback port of its own.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(number: Number) -> BoxFuture<'static, io::Result<Self>> {
        Box::pin(Self::started(number))
    }

    async fn started(number: Number) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let host = listener.local_addr()?.to_string();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(ANSWER)
            .build()
            .map_err(io::Error::other)?;
        let hall = Arc::new(Hall {
            signer: Signer::new(format!("http://{host}")),
            key: rand::random(),
            entra: Entra::new(),
            host,
            number,
            client,
            books: Mutex::default(),
            changed: watch::Sender::new(0),
            tunnel: OnceLock::new(),
        });
        let open = CancellationToken::new();
        drop(tokio::spawn(door::serve(listener, Arc::clone(&hall), open.clone())));
        Ok(Self { hall, _open: open.drop_guard() })
    }

    /// `endpoint=http://…;accesskey=…`.
    #[must_use]
    pub fn connection_string(&self) -> SecretString {
        let Hall { host, key, .. } = &*self.hall;
        format!("endpoint=http://{host}/;accesskey={}", STANDARD.encode(key)).into()
    }

    /// What it takes to get a token for it instead of signing with its key.
    #[must_use]
    pub fn registered(&self) -> Registered {
        self.hall.entra.registered(&self.hall.host)
    }

    /// How many such tokens were given.
    #[must_use]
    pub fn tokens_issued(&self) -> usize {
        self.hall.entra.issued()
    }

    /// Where a public address (`https://host`) leads: what a tunnel or a proxy is told.
    pub fn lead_to(&self, public: &str, address: SocketAddr) {
        // A tunnel has one end for its life.
        let _first = self.hall.tunnel.set((public.to_owned(), address));
    }

    /// Who issues its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.hall.signer.issuer()
    }

    /// Where the keys of its tokens are.
    #[must_use]
    pub fn keys_url(&self) -> String {
        format!("{}/calling/keys", self.issuer())
    }

    /// The resource's immutable id, which its tokens are made out to.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.hall.signer.audience()
    }

    /// Signs with a new key from now on.
    pub fn rotate_keys(&self) {
        self.hall.signer.rotate();
    }

    /// How often its keys were fetched.
    #[must_use]
    pub fn keys_fetched(&self) -> usize {
        self.hall.signer.fetched()
    }

    /// Returns when its keys have been fetched.
    ///
    /// # Panics
    /// When nobody has fetched them after two minutes.
    pub async fn keys_are_fetched(&self) {
        self.hall.until(|hall| (hall.signer.fetched() > 0).then_some(())).await;
    }

    /// What goes wrong with events from now on.
    pub fn play_mischief(&self, mischief: Mischief) {
        self.hall.books().mischief = mischief;
        self.hall.has_changed();
    }

    /// What goes wrong with the next order to make a call.
    pub fn make_trouble(&self, trouble: Trouble) {
        self.hall.books().trouble = Some(trouble);
    }

    /// Tells Event Grid where to deliver, after the handshake.
    ///
    /// # Errors
    /// [`NotSubscribed`] when the webhook does not prove itself.
    pub async fn subscribe(&self, webhook: &str) -> Result<(), NotSubscribed> {
        self.hall.subscribe(webhook).await
    }

    /// Event Grid tells nobody any more.
    pub fn unsubscribe(&self) {
        self.hall.books().webhook = None;
    }

    /// Lets these people ring the service's number; they are told of in one delivery, which has
    /// been made when this returns.
    pub async fn ring(&self, callers: &[Number]) -> Vec<Incoming> {
        self.hall.ring(callers).await
    }

    /// What became of somebody who rang, once it is known.
    ///
    /// # Panics
    /// When it is not known after two minutes.
    pub async fn fate(&self, incoming: &Incoming) -> Fate {
        self.hall.until(|hall| hall.fate(incoming)).await
    }

    /// Every call, in the order in which they were made.
    #[must_use]
    pub fn calls(&self) -> Vec<Seen> {
        self.hall.books().calls.iter().map(|call| call.look()).collect()
    }

    /// The call whose callback address holds this, as soon as there is one and it is so far.
    ///
    /// # Panics
    /// When that has not happened after two minutes.
    pub async fn call(&self, callback_holds: &str, so_far: impl Fn(&Seen) -> bool) -> Seen {
        self.hall
            .until(|hall| {
                let books = hall.books();
                let mut all = books.calls.iter().map(|call| call.look());
                all.find(|seen| seen.callback.contains(callback_holds) && so_far(seen))
            })
            .await
    }

    /// Every recording, in the order in which they were begun.
    #[must_use]
    pub fn recordings(&self) -> Vec<Taped> {
        self.hall.books().recordings.iter().map(Recording::look).collect()
    }

    /// How many files a recording becomes that is begun from now on.
    pub fn cut_recordings(&self, pieces: usize) {
        self.hall.books().pieces = Some(pieces);
    }

    /// Tells Event Grid's subscriber once more of every recording that is finished; it has been
    /// told when this returns.
    pub async fn tell_of_recordings_again(&self) {
        recording::tell_again(&self.hall).await;
    }

    /// Brings an event that says that this call is over to an address; tells the answer's status,
    /// or 0 when there was none.
    ///
    /// # Panics
    /// When there is no such call.
    pub async fn slip(&self, call: &Seen, to: &str, shows: Shows) -> u16 {
        let event = {
            let books = self.hall.books();
            let call =
                books.calls.iter().find(|known| known.id == call.id).expect("a call of ours");
            call.event(None, "CallDisconnected", Code::REMOTE_HUNG_UP, json!({}))
        };
        let token = self.token(shows);
        courier::post(&self.hall, to, token.as_deref(), &[event]).await
    }

    /// What somebody shows, as it stands after `Bearer`.
    #[must_use]
    pub fn token(&self, shows: Shows) -> Option<String> {
        let now = Timestamp::now();
        match shows {
            Shows::Token => Some(self.hall.signer.token(WEBHOOK, now)),
            Shows::Nothing => None,
            Shows::Forged(forgery) => Some(self.hall.signer.forged(forgery, now)),
        }
    }
}

impl Hall {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mischief(&self) -> Mischief {
        self.books().mischief
    }

    /// Where an address really is: one under the public address is behind the tunnel.
    fn through_the_tunnel(&self, url: &str) -> String {
        let found = self.tunnel.get().and_then(|(public, address)| {
            let host = public.strip_prefix("https://")?;
            let (scheme, rest) = url.split_once("://")?;
            let path = rest.strip_prefix(host)?;
            let scheme = if scheme == "wss" { "ws" } else { "http" };
            Some(format!("{scheme}://{address}{path}"))
        });
        found.unwrap_or_else(|| url.to_owned())
    }

    fn has_changed(&self) {
        self.changed.send_modify(|times| *times += 1);
    }

    async fn until<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        let mut changed = self.changed.subscribe();
        let happened = async {
            loop {
                if let Some(found) = look(self) {
                    return found;
                }
                changed.changed().await.expect("the sender is ours");
            }
        };
        tokio::time::timeout(PATIENCE, happened).await.expect("what is waited for happens")
    }
}
