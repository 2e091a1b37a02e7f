//! The stream under one HTTP connection: cuts off who dribbles headers or does not read, and
//! gives the HTTP library's own refusals the form that all of ours have. An upgraded connection
//! takes the stream out of it and is watched by its call.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::Limits;
use crate::http::problem::Problem;
use crate::http::refusals::{Reason, Refusals};

/// How long what still comes in is read when we close: a close with unread bytes becomes a
/// reset, and takes our answer with it (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(1);

/// How far a connection's requests have come; told by the service, read by the stream.
#[derive(Debug, Default)]
pub(super) struct Progress {
    begun: AtomicU32,
    answered: AtomicU32,
}

impl Progress {
    /// The headers of a request are whole.
    pub(super) fn begun(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Its answer exists.
    pub(super) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    fn requests(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }

    fn is_answering(&self) -> bool {
        self.requests() != self.answered.load(Ordering::Relaxed)
    }
}

/// A stream with deadlines.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    limits: Limits,
    progress: Arc<Progress>,
    refusals: Refusals,
    /// Runs from the first byte of a request, the number of which stands beside it.
    headers: Option<(u32, Pin<Box<Sleep>>)>,
    /// Runs while the client does not read.
    reader: Option<Pin<Box<Sleep>>>,
    /// What is left of a refusal in our words.
    refusal: Option<Bytes>,
    linger: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    pub(super) fn new(
        stream: S,
        limits: Limits,
        progress: Arc<Progress>,
        refusals: Refusals,
    ) -> Self {
        let (headers, reader, refusal, linger) = (None, None, None, None);
        Self { stream, limits, progress, refusals, headers, reader, refusal, linger }
    }

    /// The stream itself.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Nothing came: whether the headers of a request have been due for too long.
    fn poll_headers(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some((request, due)) = &mut self.headers else { return Poll::Pending };
        if *request != self.progress.requests() {
            self.headers = None;
            return Poll::Pending;
        }
        ready!(due.as_mut().poll(cx));
        self.refusals.count(Reason::SlowHeaders);
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    /// Bytes came: those of a request that is not answered yet set the clock.
    fn received(&mut self) {
        let request = self.progress.requests();
        let begun = self.headers.as_ref().is_some_and(|(begun, _)| *begun == request);
        if !begun && !self.progress.is_answering() {
            self.headers = Some((request, Box::pin(sleep(self.limits.headers))));
        }
    }

    fn poll_plain_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, bytes) {
            self.reader = None;
            return Poll::Ready(written);
        }
        let limit = self.limits.reader;
        let due = self.reader.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(due.as_mut().poll(cx));
        self.refusals.count(Reason::SlowReader);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(read) => {
                if buf.filled().len() > before {
                    this.received();
                }
                Poll::Ready(read)
            }
            Poll::Pending => this.poll_headers(cx).map(Err),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.refusal.is_none() {
            let Some((reason, words)) = in_our_words(bytes) else {
                return this.poll_plain_write(cx, bytes);
            };
            this.refusals.count(reason);
            this.refusal = Some(words);
        }
        while let Some(mut words) = this.refusal.take().filter(|words| !words.is_empty()) {
            match this.poll_plain_write(cx, &words) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => words.advance(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    this.refusal = Some(words);
                    return Poll::Pending;
                }
            }
            this.refusal = Some(words);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let due = this.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut thrown_away = [0; 1024];
        loop {
            if due.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buf = ReadBuf::new(&mut thrown_away);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// What the HTTP library refuses by itself it answers with bare headers. An answer of ours with
/// such a status always has a `Content-Type`, so one without is the library's.
fn in_our_words(bytes: &[u8]) -> Option<(Reason, Bytes)> {
    let (status, reason) = match bytes.strip_prefix(b"HTTP/1.1 ")?.get(..3)? {
        b"400" => (StatusCode::BAD_REQUEST, Reason::Unparsed),
        b"414" => (StatusCode::URI_TOO_LONG, Reason::TargetTooLong),
        b"431" => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Reason::HeadersTooLarge),
        _ => return None,
    };
    let bare = !String::from_utf8_lossy(bytes).to_ascii_lowercase().contains("\r\ncontent-type:");
    bare.then(|| (reason, Problem::of_status(status).in_full().into()))
}
