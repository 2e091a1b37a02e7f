//! Asterisk's media sockets. One address for every call, opened by the secret; whose media it
//! is, the channel says afterwards. In a rehearsal also an address of each call.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use tandem_actors::briefing::CallId;
use tandem_actors::call::event::Input;
use tandem_actors::carrier::Line;

use super::{GREETING, admit, note};
use crate::carrier::asterisk::{self, Start, Whose};
use crate::config::Dialect;
use crate::http::Desk;
use crate::http::problem::Problem;
use crate::reception::Ringing;
use crate::socket::Limits;
use crate::socket::upgrade::{Accepted, NoUpgrade, Upgrade};

/// Asterisk dials this for every call.
pub(in crate::http) async fn any_call(
    State(desk): State<Desk>,
    headers: HeaderMap,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Response {
    if !desk.network.asterisk.as_ref().is_some_and(|door| door.opens(&headers)) {
        tracing::warn!("a media socket without the secret of asterisk was refused");
        return Problem::turned_away().into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.speaking(asterisk::PROTOCOL),
        Err(refusal) => return refusal.into_response(),
    };
    let (answer, socket) = upgrade.accept(Limits::CARRIER);
    drop(tokio::spawn(async move {
        let Some((start, line)) = greeted(socket.await).await else { return };
        match start.whose() {
            Whose::Call(call, nonce) => attach(&desk, &call, &nonce, start, line),
            Whose::Caller { from, to, channel } => {
                let dialect = desk.reception.dialect();
                match desk.reception.take(Ringing { from, to, dialect }).await {
                    Ok(made) => {
                        desk.exchange.tell(&made.call, Input::Placed(channel));
                        let nonce = made.addresses.media.rsplit('/').next().unwrap_or_default();
                        attach(&desk, &made.call, nonce, start, line);
                    }
                    Err(error) => tracing::warn!(%error, "a caller was not taken"),
                }
            }
            Whose::Nobody => {
                let channel = &start.channel.0;
                tracing::warn!(channel, "a media socket that says neither call nor caller");
            }
        }
    }));
    answer
}

/// The address of one call: what the simulated carrier dials.
pub(in crate::http) async fn one_call(
    State(desk): State<Desk>,
    Path((call, nonce)): Path<(String, String)>,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Response {
    let ours = |dialect| matches!(dialect, Dialect::Asterisk24k | Dialect::Asterisk8k);
    let (call, upgrade) = match admit(&desk, &call, &nonce, ours, upgrade) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let (answer, socket) = upgrade.speaking(asterisk::PROTOCOL).accept(Limits::CARRIER);
    drop(tokio::spawn(async move {
        if let Some((start, line)) = greeted(socket.await).await {
            attach(&desk, &call, &nonce, start, line);
        }
    }));
    answer
}

async fn greeted(socket: Accepted) -> Option<(Start, Line)> {
    asterisk::greet(socket.ok()?, GREETING)
        .await
        .inspect_err(|error| tracing::warn!(%error, "media socket of asterisk"))
        .ok()
}

fn attach(desk: &Desk, call: &CallId, nonce: &str, start: Start, line: Line) {
    let attached = desk.reception.attach(call, nonce, |_| (line, start.coding));
    note(call, attached);
}
