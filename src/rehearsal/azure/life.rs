//! The life of a call: it rings, somebody picks up and talks, it ends; and what the service
//! tells of each.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tandem_actors::carrier::Number;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::connection::{Connection, Result, State};
use super::courier::{self, EVENTS_MAX};
use super::keys::SOCKET;
use super::recording;
use super::wire::{Media, Terms, identifier};
use super::{Books, Hall};
use crate::rehearsal::callee::{self, Answer, Person, Report, Role};
use crate::rehearsal::phone::{Dialled, Ending};

/// A human hangs up who has heard nothing for so long because the media is gone.
const DEAD_LINE: Duration = Duration::from_secs(5);

/// Makes a call whose phone is about to ring, and writes it into the books.
pub(super) fn open(
    hall: &Arc<Hall>,
    books: &mut Books,
    terms: Terms,
    party: Number,
) -> Arc<Connection> {
    let (told, events) = mpsc::channel(EVENTS_MAX);
    let connection = Arc::new(Connection::new(terms, party, hall.number.clone(), told));
    books.calls.push(Arc::clone(&connection));
    drop(tokio::spawn(courier::run(Arc::clone(hall), Arc::clone(&connection), events)));
    connection
}

/// Rings somebody.
pub(super) async fn outbound(hall: Arc<Hall>, connection: Arc<Connection>, caller_id: Number) {
    if caller_id != hall.number {
        connection.ends("CreateCallFailed", Result::CALLER_ID_NOT_ALLOWED);
        return hall.has_changed();
    }
    let answer = tokio::select! {
        answer = callee::ring(&connection.party) => answer,
        () = connection.hang_up.cancelled() => {
            connection.ends("CreateCallFailed", Result::CANCELLED);
            return hall.has_changed();
        }
    };
    match answer {
        Answer::PicksUp => connected(hall, connection).await,
        Answer::Refuses(outcome) => {
            connection.ends("CreateCallFailed", Result::of(outcome));
            hall.has_changed();
        }
    }
}

/// Somebody is on the phone, from the first word to the last.
pub(super) async fn connected(hall: Arc<Hall>, connection: Arc<Connection>) {
    connection.becomes_connected();
    connection.tell("CallConnected", Result::OK, json!({}));
    connection.tell_of_participants();
    hall.has_changed();
    loop {
        let hung_up = match connection.terms.media.clone() {
            Some(media) => talk(&hall, &connection, media).await,
            None => false,
        };
        if hung_up {
            break;
        }
        tokio::select! {
            () = connection.hang_up.cancelled() => break,
            () = connection.wanted.notified(), if !hall.mischief().mute => {}
            () = sleep(DEAD_LINE), if !hall.mischief().patient => break,
        }
    }
    let result = match connection.hang_up.is_cancelled() {
        true if connection.transferred() => Result::LEFT,
        true => Result::ENDED_BY_US,
        false => Result::REMOTE_HUNG_UP,
    };
    recording::stop_all(&hall, &connection);
    connection.ends("CallDisconnected", result);
    hall.has_changed();
}

/// Brings the media and lets the human talk; whether it was the human who hung up.
async fn talk(hall: &Hall, connection: &Connection, media: Media) -> bool {
    let line = Dialled {
        url: hall.through_the_tunnel(&media.url),
        dialect: media.dialect,
        carrier_call: connection.id.clone(),
        parameters: Vec::new(),
        token: Some(hall.signer.token(SOCKET, Timestamp::now()).into()),
        bridged: None,
    };
    let person = Person::new(Role::at(&connection.party).unwrap_or(Role::TaskCaller));
    let report = match person.pick_up(line).await {
        Ok(on_the_phone) => {
            connection.has_line(on_the_phone.seat());
            connection.tell_of_media("MediaStreamingStarted", "subscriptionStarted", Result::OK);
            on_the_phone.converse(connection.hang_up.clone(), connection.keypad()).await
        }
        Err(error) => {
            let details = "initialWebSocketConnectionFailed";
            connection.tell_of_media("MediaStreamingFailed", details, Result::NO_STREAM);
            Report::not_connected(error)
        }
    };
    let ending = report.account.ending;
    connection.has_no_line();
    connection.is_told(report);
    hall.has_changed();
    match ending {
        Some(Ending::HungUp | Ending::Cut) => true,
        Some(Ending::Remote | Ending::Lost | Ending::Stuck) => {
            let details = "streamConnectionInterrupted";
            connection.tell_of_media("MediaStreamingStopped", details, Result::OK);
            false
        }
        None => false,
    }
}

/// Rings who is to take over; when they are there, our leg leaves.
pub(super) async fn transfer(
    hall: Arc<Hall>,
    connection: Arc<Connection>,
    human: Number,
    context: Option<String>,
) {
    let answer = tokio::select! {
        answer = callee::ring(&human) => answer,
        () = connection.hang_up.cancelled() => return,
    };
    let context = context.as_deref();
    match answer {
        Answer::PicksUp if connection.state() == State::Connected => {
            let more = json!({
                "transferTarget": identifier(&human),
                "transferee": identifier(&connection.party),
            });
            connection.is_taken_over_by(human);
            connection.tell_of(context, "CallTransferAccepted", Result::OK, more);
            connection.hang_up.cancel();
        }
        Answer::PicksUp => {}
        Answer::Refuses(outcome) => {
            let result = Result::of(outcome);
            connection.tell_of(context, "CallTransferFailed", result, json!({}));
        }
    }
    hall.has_changed();
}
