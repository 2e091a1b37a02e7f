//! The accept loop: one task a connection, every wait and every count bounded. Written out
//! because `axum::serve` waits for headers for ever, and cannot say who is still connected.
//!
//! A connection that becomes a WebSocket leaves the loop: it takes no place here any more, and
//! ends with its call. Nothing a client sends is written to the log.

mod places;
mod watched;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::problem::Problem;
use super::refusals::{Reason, Refusals};
use places::{Place, Places};
use watched::Progress;

pub(crate) use watched::Watched;

/// Headers of one request together. The largest that come hold a token of two kilobytes.
const HEADER_BYTES: usize = 16 * 1024;

/// Headers of one request. Proxies add a dozen to a dozen.
const HEADERS: usize = 64;

/// A listener that cannot accept (too many open files) is tried again after this, and after
/// twice as long each time until [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Short enough for a phone that rings meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many connections there may be and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once of one address: of one /64 in IPv6. Loopback is exempt: it is where
    /// a proxy or a tunnel speaks for everybody.
    pub of_address: usize,
    /// From the first byte of a request to the end of its headers.
    pub headers: Duration,
    /// Without a request.
    pub idle: Duration,
    /// Without the client taking any of an answer.
    pub reader: Duration,
    /// For answers that are under way when the server stops.
    pub closing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A thousand calls ring in with a callback or two each, and as many again.
            connections: 4_096,
            // A proxy on another machine has this many at once at the most.
            of_address: 256,
            headers: Duration::from_secs(5),
            // Longer than proxies keep theirs (nginx 60 s): they must be the ones who close.
            idle: Duration::from_secs(75),
            reader: Duration::from_secs(10),
            closing: Duration::from_secs(5),
        }
    }
}

/// Where connections come from: a listener, or a test's.
pub trait Source: Send {
    /// The next connection.
    ///
    /// # Errors
    /// What the operating system says.
    fn next(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Source for TcpListener {
    fn next(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send {
        self.accept()
    }
}

/// Serves until told to stop; then lets answers that are under way finish and returns.
pub async fn serve(
    mut source: impl Source,
    routes: Router,
    refusals: Refusals,
    limits: Limits,
    stop: CancellationToken,
) {
    let places = Places::new(limits.connections, limits.of_address);
    let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = source.next() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            // It was gone before we came to it.
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                refusals.count(Reason::NotAccepted);
                if pause == FIRST_PAUSE {
                    tracing::warn!(%error, "no connection can be accepted");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = FIRST_PAUSE;
        match places.take(peer.ip()) {
            Ok(place) => {
                let (refusals, limits) = (refusals.clone(), limits);
                let ends = Ends { stop: stop.clone(), cut: cut.clone() };
                let connection = converse(stream, place, routes.clone(), refusals, limits, ends);
                drop(connections.spawn(connection));
            }
            Err(reason) => {
                refusals.count(reason);
                // As much as goes at once; nobody is waited for.
                let _gone = stream.try_write(&Problem::crowded().in_full());
            }
        }
    }
    drop(source);
    connections.close();
    if tokio::time::timeout(limits.closing, connections.wait()).await.is_err() {
        cut.cancel();
        connections.wait().await;
    }
}

/// The two ways a connection is told to end: after the answer under way, and now.
struct Ends {
    stop: CancellationToken,
    cut: CancellationToken,
}

#[expect(clippy::too_many_arguments, reason = "each is one thing the loop gives a connection")]
async fn converse(
    stream: TcpStream,
    place: Place,
    routes: Router,
    refusals: Refusals,
    limits: Limits,
    ends: Ends,
) {
    // Nagle's algorithm would hold a 20 ms frame back until the one before is acknowledged.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let progress = Arc::new(Progress::default());
    let stream = Watched::new(stream, limits, Arc::clone(&progress), refusals.clone());
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |request| {
        progress.begun();
        let (answer, progress) = (routes.call(request), Arc::clone(&progress));
        async move {
            let answer = answer.await;
            progress.answered();
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The library's measure begins when a request is awaited: with the idle time.
        .header_read_timeout(limits.idle)
        .max_headers(HEADERS)
        .max_header_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = ends.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = ends.cut.cancelled() => return,
            }
        }
    };
    // That a client breaks off is its own affair.
    if ended.is_err_and(|error| error.is_timeout()) {
        refusals.count(Reason::Idle);
    }
    drop(place);
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
