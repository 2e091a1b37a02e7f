//! The word that a reader hears where there is nothing else to tell. A script in a browser sees
//! neither comments nor pings, and nobody tells it that a network has forgotten a connection: it
//! has to miss something.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;

/// Nothing else to say for so long, and the word is said; a stream looks then, too, whether its
/// reader may still read. The page gives a connection up after two and a half of it: short enough
/// for whoever waits to be rung.
pub(super) const ALIVE: Duration = Duration::from_secs(5);

/// The events, and `alive` where none comes. It has no id: who comes back with that of the last
/// event has missed nothing.
pub(super) fn told<S>(events: S) -> Response
where
    S: Stream<Item = Result<Event, Infallible>> + Send + 'static,
{
    // An event without data is none to a browser.
    let word = Event::default().event("alive").data("{}");
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE).event(word)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::{StreamExt as _, stream};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_says_that_it_lives_and_has_no_event_more() {
        let body = told(stream::pending()).into_body();
        let mut said = Body::into_data_stream(body);
        for _ in 0..2 {
            let since = tokio::time::Instant::now();
            assert_eq!(said.next().await.unwrap().unwrap(), "event: alive\ndata: {}\n\n");
            assert_eq!(since.elapsed(), ALIVE);
        }
    }

    #[test]
    fn the_page_knows_how_often() {
        let page = include_str!("../../page/api.js");
        assert!(page.contains(&format!("const ALIVE_MS = {};", ALIVE.as_millis())));
    }
}
