//! Calls, as they are documented.

use super::super::calls::events::{After, Happened};
use super::super::calls::listen::{Ticket, Way};
use super::super::calls::order::Place;
use super::super::calls::view::{CallPage, CallView, Ending, PlacedCall, Told, Transcript};
use super::super::calls::{Listing, Press, Say};
use super::super::floor::Floor;
use super::super::searches::FollowUp;
use super::operation::{Operation, delete, event, get, post, shape, text};

pub(super) const TAG: (&str, &str) = ("Calls", "Ring somebody, look, speak through it, hang up.");

pub(super) fn operations() -> Vec<Operation> {
    let mut all = orders();
    all.extend(told());
    all
}

/// What is done with calls.
fn orders() -> Vec<Operation> {
    let no_call = &["call_not_found"];
    let on_the_line = &["nobody_on_the_line"];
    vec![
        post("/v1/calls", "placeCall", "Ring somebody")
            .about("Answers before anything slow happens; `GET` the call, or follow its events.")
            .once()
            .takes::<Place>()
            .rings()
            .answers::<PlacedCall>(202, "It is written down and will be made.")
            .with(&["Location", "Idempotent-Replayed"]),
        get("/v1/calls", "listCalls", "Calls, newest first")
            .asks::<Listing>()
            .refuses(400, &["invalid_field"])
            .answers::<CallPage>(200, "A page of them."),
        get("/v1/calls/{id}", "showCall", "One call")
            .refuses(404, no_call)
            .answers::<CallView>(200, "As far as it is."),
        delete("/v1/calls/{id}", "forgetCall", "Forget a call that is over")
            .about("Its recording and all that is written of it.")
            .refuses(404, no_call)
            .refuses(409, &["call_is_live"])
            .silent(204, "It is forgotten."),
        post("/v1/calls/{id}/hangup", "hangUp", "End a call")
            .about("One that is over already is a success.")
            .refuses(404, no_call)
            .answers::<Ending>(202, "It is over, or is being ended."),
        post("/v1/calls/{id}/say", "say", "Have the agent say something")
            .takes_just::<Say>()
            .refuses(400, &["invalid_field"])
            .refuses(404, no_call)
            .refuses(409, on_the_line)
            .answers::<Told>(202, "It is said as soon as can be."),
        post("/v1/calls/{id}/dtmf", "pressKeys", "Press keys")
            .takes_just::<Press>()
            .refuses(400, &["invalid_field"])
            .refuses(404, no_call)
            .refuses(409, on_the_line)
            .answers::<Told>(202, "They are pressed."),
        post("/v1/calls/{id}/transfer", "transfer", "Bring the human of the settings in")
            .refuses(404, no_call)
            .refuses(409, &["nobody_to_hand_over_to", "nobody_on_the_line"])
            .answers::<Told>(202, "They are rung."),
        post("/v1/calls/{id}/follow-up", "followUp", "Ring the other party of a call again")
            .about("The agent says that it is a follow-up, and knows what was said.")
            .once()
            .takes::<FollowUp>()
            .rings()
            .refuses(404, &["call_not_found", "campaign_not_found"])
            .refuses(409, &["not_over"])
            .answers::<PlacedCall>(202, "The call is written down and will be made.")
            .with(&["Location", "Idempotent-Replayed"]),
    ]
}

/// What is heard and read of them.
fn told() -> Vec<Operation> {
    let no_call = &["call_not_found"];
    vec![
        get("/v1/calls/{id}/recording", "getRecording", "The recording of a call that is over")
            .about("A two-channel WAV file, the caller left, the agent right; also in ranges.")
            .hears("Range")
            .refuses(404, &["call_not_found", "recording_not_available"])
            .refuses(416, &["bad_request"])
            .shows(200, "The whole file.", vec![("audio/wav", text)])
            .with(&["Accept-Ranges", "Recording-Offset-Ms"])
            .shows(206, "The bytes that were asked for.", vec![("audio/wav", text)])
            .with(&["Content-Range", "Recording-Offset-Ms"])
            .silent(304, "It has not changed since the time that was given."),
        get("/v1/calls/{id}/listen", "listen", "Listen to a call that is live")
            .about(
                "A WebSocket: a text message with `call`, `sample_rate` and `lanes`, then binary \
                 messages of 20 ms (16-bit little-endian samples, the caller left, the agent \
                 right), text messages with `lost_ms` where its reader was too slow, and at the \
                 end one with `ended`.",
            )
            .asks::<Way>()
            .refuses(400, &["bad_request"])
            .refuses(404, no_call)
            .refuses(409, &["call_is_over"])
            .refuses(426, &["websocket_only"])
            .refuses(429, &["too_many_listeners"])
            .silent(101, "The socket is open."),
        post("/v1/calls/{id}/listen", "listenTicket", "A ticket to listen, for browsers")
            .about("It is good once and for half a minute, where a key cannot be shown.")
            .looks()
            .refuses(404, no_call)
            .refuses(409, &["call_is_over"])
            .refuses(429, &["too_many_tickets"])
            .answers::<Ticket>(200, "Where to connect."),
        get("/v1/calls/{id}/transcript", "getTranscript", "What was said")
            .refuses(404, no_call)
            .answers::<Transcript>(200, "So far."),
        get("/v1/calls/{id}/events", "getCallEvents", "Everything that happened, in order")
            .about(
                "As a list of at most 5,000; to whoever accepts `text/event-stream` as it happens, \
                 until the end of the call. Each event of the stream has the number of the event \
                 as `id`, its kind as `event` and the same JSON as `data`. Where none comes for \
                 5 s there is `alive`, which has no `id`: whoever misses it has lost the stream.",
            )
            .asks::<After>()
            .hears("Last-Event-ID")
            .refuses(404, no_call)
            .shows(
                200,
                "Behind the number that was given.",
                vec![("application/json", shape::<Vec<Happened>>), ("text/event-stream", event)],
            ),
        get("/v1/floor", "showFloor", "Every live call at a glance")
            .about(
                "To whoever accepts `text/event-stream` for as long as it is read: an event \
                 `floor` with the whole, then `change` with what is new and which are over; \
                 `alive` where nothing comes for 5 s.",
            )
            .shows(
                200,
                "As it is now.",
                vec![("application/json", shape::<Floor>), ("text/event-stream", text)],
            ),
    ]
}
