//! The accept loop: one task a connection, headers awaited only so long, every connection
//! counted. Written out because `axum::serve` waits for headers for ever.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// A client that has not sent its request line and headers by then is cut off.
const HEADERS: Duration = Duration::from_secs(10);

/// Connections at once: two sockets for each of a thousand calls, and as many again for the API.
const CONNECTIONS: usize = 4_096;

/// A listener that cannot accept (too many open files) is tried again after this.
const AFTER_ERROR: Duration = Duration::from_millis(50);

/// Serves until told to stop. Connections that have become WebSockets live on.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let service = TowerToHyperService::new(routes.clone());
        let stop = stop.clone();
        drop(tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::pin!(connection);
            tokio::select! {
                // A client that breaks off is its own affair.
                _ended = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ended = connection.await;
                }
            }
            drop(place);
        }));
    }
}

async fn pause(error: &io::Error) {
    tracing::warn!(%error, "connection not accepted");
    tokio::time::sleep(AFTER_ERROR).await;
}
