//! The socket of events: everything that happens, to everybody who listens.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;

use super::Pbx;
use crate::socket::Socket;
use crate::socket::upgrade::Carried;

/// Tells until the listener goes or the socket is cut.
pub(super) async fn tell(pbx: Arc<Pbx>, mut socket: Socket<Carried>, mut told: Receiver<String>) {
    let cut = pbx.cut().clone();
    loop {
        let event = tokio::select! {
            biased;
            () = cut.cancelled() => return,
            _anything = poll_fn(|cx| socket.poll_message(cx)) => return,
            event = told.recv() => event,
        };
        let Ok(event) = event else { return };
        if socket.send_text(event).is_err() {
            return;
        }
        if poll_fn(|cx| socket.poll_flush(cx)).await.is_err() {
            return;
        }
    }
}
