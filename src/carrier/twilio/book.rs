//! The calls of ours that Twilio knows: which name belongs to which, what has been told of each,
//! and who is with the caller, we or a human. Knows no socket; the lock is held for no longer
//! than a look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{Addresses, CarrierCallId, Number};
use tokio::sync::oneshot;

use super::outcome::{Callback, Heard, Told};
use super::twiml;

/// The calls.
#[derive(Debug, Default)]
pub(super) struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    calls: BTreeMap<CallId, Entry>,
    /// Calls that ring here and are being made calls of ours.
    arriving: BTreeSet<String>,
}

#[derive(Debug)]
struct Entry {
    /// Twilio's name, once it is known.
    name: Option<CarrierCallId>,
    /// Who waits for the name: whoever ordered the call.
    waiting: Option<oneshot::Sender<CarrierCallId>>,
    addresses: Addresses,
    /// Our number in this call.
    own: Number,
    heard: Heard,
    with: With,
    leaving: Leaving,
    /// Its media has come once.
    has_begun: bool,
}

/// Who is with the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    /// We are.
    Us,
    /// Nobody: a human's phone rings, and the caller hears it ring.
    Ringing,
    /// A human; the call is no longer ours to end.
    Human,
}

/// Whether the media of a call ends because the caller is handed over, and not because they
/// hang up. Shared with the call's line.
#[derive(Clone, Debug, Default)]
pub struct Leaving(Arc<AtomicBool>);

impl Leaving {
    /// Whether they are being handed over.
    #[must_use]
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, so: bool) {
        self.0.store(so, Ordering::Relaxed);
    }
}

/// What follows from a callback.
#[derive(Debug, Default)]
pub struct News {
    /// What the call is to be told, in this order.
    pub inputs: Vec<Input>,
    /// The answer, when one is waited for.
    pub twiml: Option<String>,
}

/// The callback or the media is about another call than its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it names another call than its address")]
pub struct Stranger;

/// A call that rings here.
#[derive(Debug)]
pub(super) enum Arrival {
    /// It has not been seen before; it is until [`Book::arrived`] or [`Book::turned_away`].
    New,
    /// It is a call of ours already.
    Known(CallId, Addresses),
    /// It is being made one at this moment.
    Arriving,
}

impl Book {
    /// We ring somebody; Twilio's name for the call is not known yet. A callback may tell it
    /// before the order is answered.
    pub(super) fn dialled(
        &self,
        call: CallId,
        own: Number,
        addresses: Addresses,
    ) -> oneshot::Receiver<CarrierCallId> {
        let (waiting, name) = oneshot::channel();
        let entry = Entry { waiting: Some(waiting), ..Entry::new(None, own, addresses) };
        self.lock().calls.insert(call, entry);
        name
    }

    /// A call rings here.
    pub(super) fn arrives(&self, name: &str) -> Arrival {
        let mut pages = self.lock();
        let mut all = pages.calls.iter();
        if let Some((call, entry)) = all.find(|(_, entry)| entry.is(name)) {
            return Arrival::Known(call.clone(), entry.addresses.clone());
        }
        if pages.arriving.insert(name.to_owned()) { Arrival::New } else { Arrival::Arriving }
    }

    /// The call that rings here has become this one.
    pub(super) fn arrived(&self, call: CallId, name: &str, own: Number, addresses: Addresses) {
        let mut pages = self.lock();
        pages.arriving.remove(name);
        let known = CarrierCallId(name.to_owned());
        pages.calls.insert(call, Entry::new(Some(known), own, addresses));
    }

    /// The call that rings here was not taken.
    pub(super) fn turned_away(&self, name: &str) {
        self.lock().arriving.remove(name);
    }

    /// Twilio's name for a call of ours has become known. `true` when nobody waits to be told
    /// it, so that it is news.
    pub(super) fn named(&self, call: &CallId, name: &CarrierCallId) -> Result<bool, Stranger> {
        let mut pages = self.lock();
        let Some(entry) = pages.calls.get_mut(call) else { return Ok(false) };
        entry.named(&name.0)
    }

    /// Whether this is a call that is known here.
    pub(super) fn has(&self, name: &CarrierCallId) -> bool {
        self.lock().calls.values().any(|entry| entry.is(&name.0))
    }

    /// What says whether the caller is being handed over, for the line of the call's media.
    pub(super) fn leaving(&self, call: &CallId) -> Option<Leaving> {
        self.lock().calls.get(call).map(|entry| entry.leaving.clone())
    }

    /// Media has come; where the call's callbacks go, if it is the first.
    pub(super) fn first_media(&self, call: &CallId) -> Option<String> {
        let mut pages = self.lock();
        let entry = pages.calls.get_mut(call)?;
        let is_first = !std::mem::replace(&mut entry.has_begun, true);
        is_first.then(|| entry.addresses.events.clone())
    }

    /// A human is about to be rung: from here on the end of the media is not the caller's.
    pub(super) fn hand_over(&self, name: &CarrierCallId) -> Option<(Number, Addresses)> {
        let mut pages = self.lock();
        let entry = pages.calls.values_mut().find(|entry| entry.is(&name.0))?;
        entry.with = With::Ringing;
        entry.leaving.set(true);
        Some((entry.own.clone(), entry.addresses.clone()))
    }

    /// No human was rung.
    pub(super) fn stay(&self, name: &CarrierCallId) {
        if let Some(entry) = self.lock().calls.values_mut().find(|entry| entry.is(&name.0)) {
            entry.stay();
        }
    }

    /// Whether a human is with the caller.
    pub(super) fn is_with_human(&self, name: &CarrierCallId) -> bool {
        let pages = self.lock();
        pages.calls.values().any(|entry| entry.is(&name.0) && entry.with == With::Human)
    }

    /// Takes a callback that was posted to this call's address. One about a call that is over
    /// changes nothing.
    pub(super) fn hear(&self, call: &CallId, callback: Callback<'_>) -> Result<News, Stranger> {
        let mut pages = self.lock();
        match pages.calls.get_mut(call) {
            Some(entry) => entry.hear(call, callback),
            None => {
                let waits = matches!(callback.told, Told::HandedOver | Told::NotHandedOver(_));
                Ok(News { inputs: Vec::new(), twiml: waits.then(twiml::hang_up) })
            }
        }
    }

    /// Forgets calls that are not live any more. It asks for the live ones, in order, or a call
    /// that is just being entered would be taken for one that is over.
    pub(super) fn keep(&self, live: impl FnOnce() -> Vec<CallId>) {
        let mut pages = self.lock();
        let live = live();
        pages.calls.retain(|call, _| live.binary_search(call).is_ok());
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(name: Option<CarrierCallId>, own: Number, addresses: Addresses) -> Self {
        let (heard, leaving) = (Heard::default(), Leaving::default());
        Self {
            name,
            waiting: None,
            addresses,
            own,
            heard,
            with: With::Us,
            leaving,
            has_begun: false,
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|known| known.0 == name)
    }

    fn stay(&mut self) {
        self.with = With::Us;
        self.leaving.set(false);
    }

    fn named(&mut self, name: &str) -> Result<bool, Stranger> {
        match &self.name {
            Some(known) if known.0 == name => Ok(false),
            Some(_) => Err(Stranger),
            None => {
                let name = CarrierCallId(name.to_owned());
                self.name = Some(name.clone());
                let told = self.waiting.take().is_some_and(|waiting| waiting.send(name).is_ok());
                Ok(!told)
            }
        }
    }

    fn hear(&mut self, call: &CallId, callback: Callback<'_>) -> Result<News, Stranger> {
        let Callback { call: name, told, is_over } = callback;
        let mut news = News::default();
        if self.named(name)? {
            // The answer to our order to dial was lost.
            news.inputs.push(Input::Placed(CarrierCallId(name.to_owned())));
        }
        let is_new = self.heard.is_news(&told);
        match told {
            Told::Goes | Told::HumanElse => {}
            Told::Ended(outcome, reason) if is_new => {
                news.inputs.push(Input::Ended(outcome, reason));
            }
            Told::Detected(answerer) if is_new => news.inputs.push(Input::Detected(answerer)),
            Told::Ended(..) | Told::Detected(_) => {}
            Told::HumanThere => news.inputs.extend(is_new.then(|| self.human_there()).flatten()),
            Told::HandedOver => {
                news.twiml = Some(twiml::hang_up());
                if is_new {
                    news.inputs.extend(self.human_there());
                    news.inputs.push(self.over("handed_over"));
                }
            }
            Told::NotHandedOver(_) if is_over || self.with == With::Human || !is_new => {
                news.twiml = Some(twiml::hang_up());
                if is_new {
                    news.inputs.push(self.over("completed"));
                }
            }
            Told::NotHandedOver(why) => {
                news.twiml = Some(stream(call, &self.addresses));
                if self.with == With::Ringing {
                    self.stay();
                    // `no-answer` is `no_answer` in our words.
                    news.inputs.push(Input::Transferred(Err(why.replace('-', "_"))));
                }
            }
        }
        Ok(news)
    }

    fn human_there(&mut self) -> Option<Input> {
        let rang = self.with == With::Ringing;
        rang.then(|| {
            self.with = With::Human;
            Input::Transferred(Ok(()))
        })
    }

    fn over(&mut self, reason: &str) -> Input {
        let (outcome, reason) = (Outcome::Answered, reason.to_owned());
        let _first = self.heard.is_news(&Told::Ended(outcome, reason.clone()));
        Input::Ended(outcome, reason)
    }
}

/// The TwiML that connects a call with its media socket here. The call's name goes along, to be
/// compared with the address.
pub(super) fn stream(call: &CallId, addresses: &Addresses) -> String {
    twiml::stream(&addresses.media, &[(CALL, &call.0)])
}

/// The stream's parameter that holds our name for the call.
pub(super) const CALL: &str = "call";

#[cfg(test)]
mod tests;
