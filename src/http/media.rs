//! The carriers' media sockets. The address holds the call and its nonce: both are checked
//! before the upgrade is granted, and that the call's media comes this way at all, for each
//! carrier shows more than a nonce at a route of its own.

pub(super) mod asterisk;

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::Line;

use super::Desk;
use super::problem::Problem;
use crate::carrier::acs::Rate;
use crate::carrier::twilio::Start;
use crate::carrier::twilio::book::Stranger;
use crate::carrier::{acs, twilio};
use crate::config::Dialect;
use crate::socket::Limits;
use crate::socket::upgrade::{NoUpgrade, Upgrade};

/// A stream must have said whose it is by then.
const GREETING: Duration = Duration::from_secs(5);

/// Longer than any id or nonce of ours.
pub(super) const SEGMENT: usize = 128;

/// ACS dials this.
pub(super) async fn acs(
    State(desk): State<Desk>,
    Path((call, nonce)): Path<(String, String)>,
    headers: HeaderMap,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Response {
    let ours = |dialect| matches!(dialect, Dialect::Acs24k | Dialect::Acs16k);
    let (call, upgrade) = match admit(&desk, &call, &nonce, ours, upgrade) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    if let Err(refusal) = super::acs::admit_socket(&desk, &call, &headers).await {
        return refusal;
    }
    let (answer, socket) = upgrade.accept(Limits::CARRIER);
    drop(tokio::spawn(async move {
        let Ok(socket) = socket.await else { return };
        let attached = desk.reception.attach(&call, &nonce, |dialect| {
            let rate = match dialect {
                Dialect::Acs16k => Rate::Hz16000,
                Dialect::Acs24k
                | Dialect::Twilio
                | Dialect::Asterisk24k
                | Dialect::Asterisk8k
                | Dialect::Softphone => Rate::Hz24000,
            };
            (acs::line(socket, rate), rate.coding())
        });
        note(&call, attached);
    }));
    answer
}

/// Twilio dials this.
pub(super) async fn twilio(
    State(desk): State<Desk>,
    Path((call, nonce)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Response {
    let ours = |dialect| dialect == Dialect::Twilio;
    let (call, upgrade) = match admit(&desk, &call, &nonce, ours, upgrade) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    if let Some(twilio) = &desk.network.twilio {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let signature = super::twilio::the_signature(&headers);
        if !signature.is_some_and(|signature| twilio.dials(path, signature)) {
            return super::twilio::forged().into_response();
        }
    }
    let (answer, socket) = upgrade.accept(Limits::CARRIER);
    drop(tokio::spawn(async move {
        let Ok(socket) = socket.await else { return };
        match twilio::greet(socket, GREETING).await {
            Ok((start, line)) => {
                let Ok(line) = taken(&desk, &call, &start, line) else { return };
                let attached = desk.reception.attach(&call, &nonce, |_| (line, twilio::CODING));
                note(&call, attached);
            }
            Err(error) => tracing::warn!(%call, %error, "media socket"),
        }
    }));
    answer
}

/// With a real Twilio, a stream must name the call whose address it came to.
fn taken(desk: &Desk, call: &CallId, start: &Start, line: Line) -> Result<Line, Stranger> {
    let Some(twilio) = &desk.network.twilio else { return Ok(line) };
    let (line, news) = twilio
        .take_media(call, start, line)
        .inspect_err(|error| tracing::warn!(%call, %error, "media socket"))?;
    if let Some(news) = news {
        desk.exchange.tell(call, news);
    }
    Ok(line)
}

/// `ours` says which dialects come by this route.
pub(super) fn admit(
    desk: &Desk,
    call: &str,
    nonce: &str,
    ours: impl Fn(Dialect) -> bool,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Result<(CallId, Upgrade), Box<Response>> {
    if call.len() > SEGMENT || nonce.len() > SEGMENT {
        return Err(Box::new(Problem::turned_away().into_response()));
    }
    let call = CallId::new(call);
    if !desk.reception.speaks(&call, nonce).is_some_and(ours) {
        return Err(Box::new(Problem::turned_away().into_response()));
    }
    if desk.exchange.has_media(&call) {
        let detail = "the call has a live media socket; there is one at a time".to_owned();
        return Err(Box::new(Problem::conflict("media_taken", detail).into_response()));
    }
    Ok((call, upgrade.map_err(|refusal| Box::new(refusal.into_response()))?))
}

pub(super) fn note(call: &CallId, attached: Result<(), crate::reception::Turned>) {
    if let Err(error) = attached {
        tracing::warn!(%call, %error, "media socket");
    }
}
