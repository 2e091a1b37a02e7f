//! The browser as a phone, as it is documented.

use super::super::softphone::{Called, Order, StoodInFor};
use super::operation::{Operation, get, post};

pub(super) const TAG: (&str, &str) =
    ("Softphone", "A browser as a phone, for whoever runs the server.");

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("/v1/softphone", "standIn", "Stand in for a phone number")
            .about(
                "A WebSocket of JSON texts. It says `ready` and, for each call to that number, \
                 `ring` with `call`, `from`, `why` (`call`, or `hand_over` with an \
                 `introduction`) and `media`, the path whose socket answers it, then `over` with \
                 `how`; every 5 s `alive`, whose absence tells that the network has lost the \
                 socket. The browser says `reject` or `busy` with the `call`. In a rehearsal any \
                 number can be taken, with a real carrier the phone of the house and that of \
                 hand-overs.",
            )
            .for_operator()
            .asks::<StoodInFor>()
            .refuses(400, &["bad_request", "invalid_field"])
            .refuses(403, &["number_not_ours"])
            .refuses(409, &["number_taken"])
            .refuses(426, &["websocket_only"])
            .refuses(429, &["too_many_softphones"])
            .refuses(503, &["draining"])
            .silent(101, "The socket is open."),
        post("/v1/softphone/calls", "callAgent", "Call one of our numbers from a browser")
            .about("It is held as any call that rings here, and begins with its media.")
            .for_operator()
            .takes_just::<Order>()
            .refuses(400, &["invalid_field"])
            .refuses(403, &["caller_not_allowed"])
            .refuses(503, &["at_capacity", "draining"])
            .answers::<Called>(201, "Where its media is awaited."),
        get("/softphone/media/{call}/{nonce}", "bringMedia", "The browser's side of a call")
            .about(
                "A WebSocket: `start` as JSON text, then binary messages both ways (16-bit \
                 little-endian samples, mono, 24,000 a second, of 2.5 to 200 ms), and texts: \
                 `mark` with a number, which the browser answers with `played` when all that came \
                 before has been played, `flush` to throw away what has not, `key` for a pressed \
                 key. To open it answers the call, to close it hangs up.",
            )
            .for_anybody()
            .refuses(404, &["not_expected"])
            .refuses(409, &["media_taken"])
            .refuses(426, &["websocket_only"])
            .silent(101, "The socket is open."),
    ]
}
