//! What a killed run has left at its carrier: each of its calls is asked about, and then ended with
//! what the carrier says, gone on with, or hung up. Beside everything else, and nobody is rung.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::{FutureExt as _, StreamExt as _, stream};
use tandem_actors::briefing::{CallId, Direction, Lifecycle, Outcome};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{Addresses, Carrier, CarrierCallId, CarrierError, Dial, Standing};
use tokio_util::sync::CancellationToken;

use crate::http::Desk;
use crate::store::{Archive as _, End, Orphan, With};

/// Calls asked about at once: a carrier serves a handful of requests of one account well, and a
/// killed run may have had hundreds.
const AT_ONCE: usize = 8;

/// For one call, from the first question to the last order.
const EACH: Duration = Duration::from_secs(40);

/// A carrier that gives no answer is asked again after these pauses: it may be the network of this
/// machine that has just come up.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// The reason of a call that ended before anybody was back.
const MEANWHILE: &str = "ended_meanwhile";

/// What an earlier run has left.
#[derive(Debug)]
pub struct Left {
    /// Calls that it had given to the carrier.
    pub orphans: Vec<Orphan>,
    /// Lines of calls that are over, of people who talked with a browser: nobody speaks there now.
    pub bridges: Vec<(CallId, CarrierCallId)>,
}

/// What becomes of an orphan.
enum Fate {
    /// It is a live call again.
    GoesOn,
    /// It is over.
    Ends(End),
}

/// Sees to all of them, or stops.
pub async fn see_to(left: Left, desk: Desk, carrier: Arc<dyn Carrier>, stop: CancellationToken) {
    let orphans = left.orphans.into_iter().map(|orphan| {
        let (desk, carrier) = (desk.clone(), Arc::clone(&carrier));
        async move { one(&orphan, &desk, carrier.as_ref()).await }.boxed()
    });
    let bridges = left.bridges.into_iter().map(|(call, name)| {
        let desk = desk.clone();
        async move {
            // Who cannot be reached is left to the next start.
            tokio::time::timeout(EACH, part(call, name, &desk)).await.unwrap_or_default();
        }
        .boxed()
    });
    let all = stream::iter(bridges.chain(orphans)).for_each_concurrent(AT_ONCE, |each| each);
    tokio::select! {
        () = all => {}
        // What is left then is found by the next run.
        () = stop.cancelled() => {}
    }
}

async fn one(orphan: &Orphan, desk: &Desk, carrier: &dyn Carrier) {
    let call = &orphan.call.id;
    let fate = tokio::time::timeout(EACH, fate(orphan, desk, carrier)).await;
    // One that is live again ends by its own limits, however slow the carrier was.
    let late = || match desk.exchange.calls().contains(call) {
        true => Fate::GoesOn,
        false => Fate::Ends(orphan.lost()),
    };
    match fate.unwrap_or_else(|_elapsed| late()) {
        Fate::GoesOn => tracing::warn!(%call, "a call of an earlier run goes on"),
        Fate::Ends(end) => {
            let (outcome, reason) = (end.outcome.word(), end.reason.clone());
            tracing::warn!(%call, outcome, reason, "settled a call of an earlier run");
            if let Err(error) = desk.store.end_orphan(call.clone(), end).await {
                tracing::error!(%call, %error, "its end is not written; the next start does it");
            }
        }
    }
}

/// Hangs up whom that run had put through to a browser.
async fn part(call: CallId, name: CarrierCallId, desk: &Desk) {
    let mut pauses = AGAIN.into_iter();
    while !desk.softphones.part(&call, name.clone()).await {
        let Some(pause) = pauses.next() else { return };
        tokio::time::sleep(pause).await;
    }
    tracing::warn!(%call, "hung up whom an earlier run had put through to a browser");
}

async fn fate(orphan: &Orphan, desk: &Desk, carrier: &dyn Carrier) -> Fate {
    let Some(name) = name(orphan, carrier).await else { return Fate::Ends(orphan.lost()) };
    match standing(&orphan.call.id, &name, carrier).await {
        Some(Standing::Over { outcome, reason, talked }) => {
            Fate::Ends(ended(orphan, outcome, reason, talked))
        }
        // Nobody knows how it ended; or two humans talk, and it is not ours to end.
        Some(Standing::Gone) => Fate::Ends(orphan.lost()),
        Some(Standing::Live) if orphan.with == With::Human => Fate::Ends(orphan.lost()),
        Some(Standing::Live) if carrier.reconnects() => go_on(orphan, name, desk, carrier).await,
        Some(Standing::Live | Standing::Ringing) | None => {
            hang_up(&orphan.call.id, name, carrier).await;
            Fate::Ends(orphan.lost())
        }
    }
}

/// The carrier's name for it, which is looked for where the answer to the order was lost.
async fn name(orphan: &Orphan, carrier: &dyn Carrier) -> Option<CarrierCallId> {
    let row = &orphan.call;
    if let Some(name) = &row.carrier_call {
        return Some(name.clone());
    }
    if row.direction == Direction::Inbound {
        return None;
    }
    let ordered = u64::try_from(row.dialing_ms?).ok()?;
    let ordered = SystemTime::UNIX_EPOCH + Duration::from_millis(ordered);
    let nowhere = Addresses { media: String::new(), events: String::new() };
    carrier.find(dial(orphan, nowhere), ordered).await.ok().flatten()
}

fn dial(orphan: &Orphan, addresses: Addresses) -> Dial {
    let row = &orphan.call;
    let (call, to, from) = (row.id.clone(), row.remote.clone(), row.local.clone());
    Dial { call, to, from, addresses }
}

/// How a call stands; nothing when the carrier does not say.
async fn standing(call: &CallId, name: &CarrierCallId, carrier: &dyn Carrier) -> Option<Standing> {
    let mut pauses = AGAIN.into_iter();
    loop {
        let error = match carrier.look(name.clone()).await {
            Ok(standing) => return Some(standing),
            Err(error) => error,
        };
        tracing::warn!(%call, %error, "asked the carrier about a call of an earlier run");
        let pause = match error {
            CarrierError::NotOffered(_) => return None,
            CarrierError::Refused(_) | CarrierError::Unknown(_) => pauses.next()?,
        };
        tokio::time::sleep(pause).await;
    }
}

fn ended(orphan: &Orphan, outcome: Outcome, reason: String, talked: Option<Duration>) -> End {
    if !outcome.is_talk() {
        return End { outcome, reason, talk_ms: 0 };
    }
    let talked = talked.and_then(|talked| u64::try_from(talked.as_millis()).ok());
    let talk_ms = talked.unwrap_or_else(|| orphan.talk_ms());
    End { outcome, reason: MEANWHILE.to_owned(), talk_ms }
}

/// Makes it a live call again and has its media brought here.
async fn go_on(orphan: &Orphan, name: CarrierCallId, desk: &Desk, carrier: &dyn Carrier) -> Fate {
    let call = &orphan.call.id;
    let made = match desk.reception.resume(orphan).await {
        Ok(made) => made,
        Err(error) => {
            tracing::error!(%call, %error, "a call of an earlier run cannot go on");
            hang_up(call, name, carrier).await;
            return Fate::Ends(orphan.lost());
        }
    };
    desk.exchange.tell(call, Input::Placed(name.clone()));
    match carrier.reconnect(name, dial(orphan, made.addresses)).await {
        Ok(()) => {}
        Err(CarrierError::Refused(outcome)) => {
            desk.exchange.tell(call, Input::Ended(outcome, MEANWHILE.to_owned()));
        }
        // The media comes, or the call waits for it in vain and hangs up.
        Err(error @ (CarrierError::Unknown(_) | CarrierError::NotOffered(_))) => {
            tracing::warn!(%call, %error, "media of a call of an earlier run");
        }
    }
    Fate::GoesOn
}

async fn hang_up(call: &CallId, name: CarrierCallId, carrier: &dyn Carrier) {
    if let Err(error) = carrier.hang_up(name).await {
        tracing::warn!(%call, %error, "hang-up of a call of an earlier run");
    }
}

impl Orphan {
    /// The end of one of which nobody says how it ended.
    fn lost(&self) -> End {
        let (outcome, reason) = (Outcome::SystemError, "node_lost".to_owned());
        End { outcome, reason, talk_ms: self.talk_ms() }
    }

    /// They talked at least until the last thing that was written down.
    pub(crate) fn talk_ms(&self) -> u64 {
        let until = self.last_ms.filter(|_| self.call.lifecycle == Lifecycle::Answered);
        let talked = self.call.answered_ms.zip(until).map_or(0, |(from, to)| to - from);
        u64::try_from(talked).unwrap_or_default()
    }
}
