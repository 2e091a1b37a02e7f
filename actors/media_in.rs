//! MediaIn: the phone side of a call. Owns the pump and tells the Call what the phone does.
//! Moves no audio itself.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::call::event::{Input, Media, Part};
use crate::part::{self, Msg, Own, Owned};
use crate::pump::{self, Pump};
use crate::seed::{Enlisted, Seed};

/// The phone side of a call.
#[derive(Debug)]
pub struct MediaIn;

/// What dies with it: nothing but its hold on the pump.
#[derive(Debug)]
pub struct State {
    seed: Arc<Seed>,
    _pump: Owned,
    _enlisted: Enlisted,
}

impl Actor for MediaIn {
    type Msg = Msg;
    type State = State;
    type Arguments = Arc<Seed>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        seed: Arc<Seed>,
    ) -> Result<State, ActorProcessingErr> {
        part::start(&seed, Part::MediaIn);
        part::listen(&seed.media, &myself);
        part::listen(&seed.heard, &myself);
        let pump = Pump::new(Arc::clone(&seed));
        let owner = myself;
        let pump = Owned::spawn(async move {
            // The future is dropped, and its leases are back, before MediaIn hears of it.
            let _fell = AssertUnwindSafe(pump).catch_unwind().await;
            let _gone = owner.cast(Msg::Own(Own::PumpFell));
        });
        Ok(State { _enlisted: seed.enlist(), seed, _pump: pump })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let seed = Arc::clone(&state.seed);
        let _busy = seed.pulses.beat(Part::MediaIn);
        match msg {
            Msg::Wake => look(&seed),
            Msg::Fault(fault) => fault.inflict().await?,
            Msg::Own(Own::PumpFell) => return Err("the pump panicked".into()),
            Msg::Own(Own::Dialled(_) | Own::Aged | Own::Expired(_)) => {}
        }
        Ok(())
    }
}

fn look(seed: &Seed) {
    while let Some(order) = seed.media.pop() {
        let order = match order {
            Media::Flush(generation) => pump::Order::Flush(generation),
            Media::Play(clip) => pump::Order::Play(clip),
            Media::Listen(listening) => pump::Order::Listen(listening),
            Media::Mute => pump::Order::Mute,
            Media::Unmute => pump::Order::Unmute,
            Media::Record(on) => pump::Order::Record(on),
            Media::Close => pump::Order::Close,
        };
        seed.losses.push(&seed.pump, order);
    }
    while let Some(heard) = seed.heard.pop() {
        seed.tell(Input::Phone(heard));
    }
}
