//! The door of the simulated service: takes connections, reads requests whole, and breaks a
//! connection when it is told to, which servers made for real use do not offer.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::Hall;
use super::rest::{Answered, answer};

/// The largest body that is read.
const BODY: usize = 64 * 1024;

/// Takes connections until it is closed.
pub(super) async fn serve(listener: TcpListener, hall: Arc<Hall>, closed: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closed.cancelled() => return,
        };
        if let Ok((stream, _)) = accepted {
            drop(tokio::spawn(connection(stream, Arc::clone(&hall), closed.clone())));
        }
    }
}

async fn connection(stream: TcpStream, hall: Arc<Hall>, closed: CancellationToken) {
    let broken = closed.child_token();
    let service = service_fn(|request| {
        let (hall, broken) = (Arc::clone(&hall), broken.clone());
        async move { Ok::<Response, Infallible>(serve_one(&hall, request, &broken).await) }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A client that breaks off is its own affair.
        _ended = served => {}
        () = broken.cancelled() => {}
    }
}

async fn serve_one(
    hall: &Arc<Hall>,
    request: Request<Incoming>,
    broken: &CancellationToken,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match answer(hall, &parts, &body) {
        Answered::With(response) => response,
        Answered::NotAtAll => {
            broken.cancel();
            std::future::pending().await
        }
    }
}
