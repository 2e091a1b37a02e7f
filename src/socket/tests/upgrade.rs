//! The upgrade under each HTTP server we may be behind, on real sockets.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::any;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rstest::rstest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tower::ServiceExt;
use tungstenite::client::IntoClientRequest;

use super::*;
use crate::socket::upgrade::{Carried, NoUpgrade, Upgrade};

/// A route that hands its sockets out.
fn route() -> (Router, mpsc::Receiver<Socket<Carried>>) {
    let (found, sockets) = mpsc::channel(1);
    let answer = move |upgrade: Result<Upgrade, NoUpgrade>| async move {
        let (response, socket) = upgrade?.speaking("audio.v1").accept(Limits::CARRIER);
        tokio::spawn(async move { found.send(socket.await.unwrap()).await.unwrap() });
        Ok::<Response, NoUpgrade>(response)
    };
    (Router::new().route("/media", any(answer)), sockets)
}

#[derive(Clone, Copy, Debug)]
enum Server {
    Axum,
    Automatic,
    Http1,
}

fn serve(server: Server, listener: TcpListener, routes: Router) {
    tokio::spawn(async move {
        if let Server::Axum = server {
            return axum::serve(listener, routes).await.unwrap();
        }
        let (stream, _) = listener.accept().await.unwrap();
        let io = TokioIo::new(stream);
        let service = TowerToHyperService::new(routes);
        if let Server::Automatic = server {
            let builder = auto::Builder::new(TokioExecutor::new());
            builder.serve_connection_with_upgrades(io, service).await.unwrap();
        } else {
            let builder = hyper::server::conn::http1::Builder::new();
            builder.serve_connection(io, service).with_upgrades().await.unwrap();
        }
    });
}

#[rstest]
#[case(Server::Axum)]
#[case(Server::Automatic)]
#[case(Server::Http1)]
#[tokio::test]
async fn an_upgraded_request_becomes_a_socket_on_the_plain_stream(#[case] server: Server) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (routes, mut sockets) = route();
    serve(server, listener, routes);
    let mut request = format!("ws://{address}/media").into_client_request().unwrap();
    let offer = "audio.v2, audio.v1".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", offer);
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut far_end, answer) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "audio.v1");

    let mut socket = sockets.recv().await.unwrap();
    assert!(matches!(socket.stream.get_ref().get_ref(), Carried::Plain(_)), "{server:?}");
    far_end.send(Frame::text("up")).await.unwrap();
    assert_eq!(next(&mut socket).await, Ok(Message::Text("up".into())));
    socket.send_text("down").unwrap();
    flush(&mut socket).await;
    assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::text("down"));
}

#[tokio::test]
async fn a_stream_of_another_kind_is_taken_as_it_is() {
    let (near, far) = tokio::io::duplex(IN_FLIGHT_BYTES);
    let (routes, mut sockets) = route();
    tokio::spawn(async move {
        let service = TowerToHyperService::new(routes);
        let builder = hyper::server::conn::http1::Builder::new();
        builder.serve_connection(TokioIo::new(near), service).with_upgrades().await.unwrap();
    });
    let (mut far_end, _) =
        tokio_tungstenite::client_async("ws://localhost/media", far).await.unwrap();
    let mut socket = sockets.recv().await.unwrap();
    assert!(matches!(socket.stream.get_ref().get_ref(), Carried::Boxed(_)));
    far_end.send(Frame::text("up")).await.unwrap();
    assert_eq!(next(&mut socket).await, Ok(Message::Text("up".into())));
}

#[rstest]
#[case::post("POST", &[], StatusCode::METHOD_NOT_ALLOWED)]
#[case::page("GET", &["upgrade", "connection"], StatusCode::UPGRADE_REQUIRED)]
#[case::no_connection("GET", &["connection"], StatusCode::UPGRADE_REQUIRED)]
#[case::no_version("GET", &["sec-websocket-version"], StatusCode::UPGRADE_REQUIRED)]
#[case::no_key("GET", &["sec-websocket-key"], StatusCode::BAD_REQUEST)]
#[case::not_upgradable("GET", &[], StatusCode::BAD_REQUEST)]
#[tokio::test]
async fn a_handshake_that_lacks_something_is_refused(
    #[case] method: &str,
    #[case] lacking: &[&str],
    #[case] expected: StatusCode,
) {
    let complete = [
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut request = Request::builder().method(method).uri("/media");
    for (name, value) in complete.iter().filter(|(name, _)| !lacking.contains(name)) {
        request = request.header(*name, *value);
    }
    let (routes, _sockets) = route();
    let answer = routes.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), expected);
    assert_eq!(
        answer.headers().contains_key("sec-websocket-version"),
        expected == StatusCode::UPGRADE_REQUIRED
    );
}
