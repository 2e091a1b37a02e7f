//! One connection: the socket, the handshake and the loop that carries messages between the
//! socket and the session. One task, woken by the socket, by the session's next deadline, or by
//! the server's owner.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::behaviour::{Behaviour, Fault};
use super::door::{Door, Guest, Refusal};
use super::server::{Hall, Seat};
use super::session::{Opening, Session, ToRender};
use super::wire::{Complaint, End, Outbox, Outgoing};
use crate::rehearsal::pacer::sleep_until;

/// The protocol allows appends of 15 MiB.
const MESSAGE_MAX: usize = 16 << 20;

/// Small, because a thousand sessions live in one process.
const READ_BUFFER: usize = 8 << 10;

/// How long a client may take to answer a close before the connection is dropped.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// How long a client may take with its handshake.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<TcpStream>;

/// Serves a connection until it ends.
pub(super) async fn serve(stream: TcpStream, hall: &Arc<Hall>) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let faults = hall.handshake_faults();
    for fault in &faults {
        if let Fault::SlowHandshake(delay) = fault {
            tokio::time::sleep(*delay).await;
        }
    }
    let refusal = faults.iter().find_map(|fault| {
        let Fault::RefuseHandshake { status, retry_after_s } = fault else { return None };
        Some(Refusal { status: *status, retry_after_s: *retry_after_s })
    });
    let mut door = Door { key: &hall.behaviour.key, refusal, guest: None };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let handshake =
        tokio_tungstenite::accept_hdr_async_with_config(stream, &mut door, Some(config));
    let mut socket = timeout(HANDSHAKE_WAIT, handshake)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    match door.guest.expect("a handshake that succeeded was looked at") {
        Guest::Unwelcome { code, message, close } => {
            let mut out = Outbox::default();
            out.event("error", Complaint::new(code, message).body(""));
            send(&mut socket, out.messages).await?;
            let reason = format!("invalid_request_error.{code}");
            finish(socket, End::Close(close, reason)).await;
            Ok(())
        }
        Guest::Welcome { model } => {
            let seat = hall.seat(|index, faults| {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let probes = hall.probes.clone();
                let unix_s = since.as_secs();
                let opening = Opening { index, model, unix_s, faults, probes };
                Session::open(opening, &hall.behaviour, Instant::now())
            });
            let seated = Seated { seat, hall: Arc::clone(hall) };
            converse(socket, hall, &seated.seat).await
        }
    }
}

/// A session's place for as long as its connection lasts, however that ends.
struct Seated {
    seat: Arc<Seat>,
    hall: Arc<Hall>,
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.hall.keep(self.seat.end());
    }
}

/// What the session wants next.
struct Wish {
    messages: Vec<Outgoing>,
    lines: Vec<ToRender>,
    end: Option<End>,
    wakes_at: Instant,
    stalled_until: Option<Instant>,
}

async fn converse(mut socket: Socket, hall: &Arc<Hall>, seat: &Arc<Seat>) -> Result<(), Error> {
    let mut armed = Instant::now();
    let mut deadline = std::pin::pin!(sleep_until(armed));
    let mut bell = std::pin::pin!(seat.bell.notified());
    loop {
        let wish = seat.with(look_at).expect("a session is open while its connection is");
        for lines in wish.lines {
            tokio::spawn(render(lines, Arc::clone(hall), Arc::clone(seat)));
        }
        send(&mut socket, wish.messages).await?;
        if let Some(end) = wish.end {
            finish(socket, end).await;
            return Ok(());
        }
        let stalled = wish.stalled_until.filter(|until| *until > Instant::now());
        let wakes_at = stalled.unwrap_or(wish.wakes_at);
        if wakes_at != armed {
            armed = wakes_at;
            deadline.set(sleep_until(armed));
        }
        tokio::select! {
            biased;
            () = &mut bell => bell.set(seat.bell.notified()),
            message = socket.next(), if stalled.is_none() => match message {
                Some(Ok(Message::Text(text))) => {
                    seat.with(|session| session.take(&text, Instant::now()));
                }
                Some(Ok(Message::Binary(_))) => {
                    seat.with(Session::take_binary);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Err(error)) => return Err(error),
            },
            () = &mut deadline => {}
        }
    }
}

/// Renders the lines of a response, which may take a program's time, and gives them back.
async fn render(lines: ToRender, hall: Arc<Hall>, seat: Arc<Seat>) {
    let Behaviour { speech, voice, .. } = &hall.behaviour;
    for line in &lines.lines {
        let utterance = speech.render_async(line, voice, lines.rate).await;
        seat.change(|session| session.speak(&lines.response, utterance, Instant::now()));
    }
}

/// Does what is due, unless the session is stalled, and asks what it wants.
fn look_at(session: &mut Session) -> Wish {
    let now = Instant::now();
    let stalled_until = session.stalled_until();
    if stalled_until.is_none_or(|until| until <= now) && session.wakes_at() <= now {
        session.tick(now);
    }
    Wish {
        messages: session.drain(),
        lines: session.drain_lines(),
        end: session.out.end.clone(),
        wakes_at: session.wakes_at(),
        stalled_until: session.stalled_until(),
    }
}

async fn send(socket: &mut Socket, messages: Vec<Outgoing>) -> Result<(), Error> {
    if messages.is_empty() {
        return Ok(());
    }
    for message in messages {
        socket
            .feed(match message {
                Outgoing::Text(text) => Message::text(text),
                Outgoing::Binary(bytes) => Message::binary(bytes),
            })
            .await?;
    }
    socket.flush().await
}

/// Ends the connection from this side.
async fn finish(mut socket: Socket, end: End) {
    let End::Close(code, reason) = end else { return };
    let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
    let close = async {
        socket.close(Some(frame)).await?;
        while socket.next().await.transpose()?.is_some() {}
        Ok::<(), Error>(())
    };
    // A client that does not answer, or has gone already, is dropped all the same.
    if timeout(CLOSE_WAIT, close).await.is_err() {
        tracing::debug!("a client did not answer a close");
    }
}
