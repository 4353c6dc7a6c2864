//! Notices connections that do nothing, or too slowly, at the cost of a few relaxed stores per request.
//!
//! hyper's own header timer starts a new timer for every request; here each connection has one, which looks at what
//! happened since it was set.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one connection did last. Times are milliseconds since it was opened, plus one; zero is never.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    last: AtomicU64,
    head_since: AtomicU64,
    n_in_work: AtomicU32,
    n_answering: AtomicU32,
    protocol: Protocol,
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// One request after the other: a head that does not end holds up the connection.
    Http1,
    /// Many at once: only the silence of the whole connection counts.
    Http2,
}

/// How long a connection may take over what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) head: Duration,
    pub(super) idle: Duration,
}

/// Whether a connection has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not before so long.
    Good(Duration),
    /// Now.
    Expired,
}

/// A stream that tells of its reads and writes.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

/// One request in work, until the head of its answer is there.
#[derive(Debug)]
pub(super) struct InWork(Arc<Activity>);

/// One answer whose body is under way. It may be long, but not silent.
#[derive(Debug)]
pub(super) struct Answering(Arc<Activity>);

// === impl Activity ===

#[expect(clippy::disallowed_methods, reason = "a connection's pace is nobody's attempt")]
impl Activity {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            opened: Instant::now(),
            last: AtomicU64::new(1),
            head_since: AtomicU64::new(0),
            n_in_work: AtomicU32::new(0),
            n_answering: AtomicU32::new(0),
            protocol,
        }
    }

    /// The connection is at work until the result is dropped: other timers watch that.
    pub(super) fn work(self: &Arc<Self>) -> InWork {
        self.n_in_work.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        InWork(Arc::clone(self))
    }

    /// An answer's body is under way until the result is dropped.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        self.n_answering.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    pub(super) fn standing(&self, patience: Patience) -> Standing {
        if 0 < self.n_in_work.load(Ordering::Relaxed) {
            return Standing::Good(patience.head.min(patience.idle));
        }
        let now = self.now();
        let left =
            |since: u64, patience: Duration| patience.saturating_sub(Duration::from_millis(now.saturating_sub(since)));
        let idle = left(self.last.load(Ordering::Relaxed), patience.idle);
        let head = match self.head_since.load(Ordering::Relaxed) {
            0 => patience.head,
            since => left(since, patience.head),
        };
        let left = idle.min(head);
        if left.is_zero() { Standing::Expired } else { Standing::Good(left) }
    }

    fn touch(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    fn read(&self) {
        if 0 == self.n_in_work.load(Ordering::Relaxed) {
            let now = self.now();
            self.last.store(now, Ordering::Relaxed);
            // While an answer is under way, what comes is the rest of its request, or a request that waits for us.
            let awaits_head = self.protocol == Protocol::Http1 && 0 == self.n_answering.load(Ordering::Relaxed);
            if awaits_head && 0 == self.head_since.load(Ordering::Relaxed) {
                self.head_since.store(now, Ordering::Relaxed);
            }
        }
    }

    fn wrote(&self) {
        if 0 == self.n_in_work.load(Ordering::Relaxed) {
            self.touch();
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.n_in_work.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.n_answering.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}

// === impl Watched ===

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let watched = self.get_mut();
        let n_before = buffer.filled().len();
        ready!(Pin::new(&mut watched.stream).poll_read(cx, buffer))?;
        if n_before < buffer.filled().len() {
            watched.activity.read();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let watched = self.get_mut();
        let n_written = ready!(Pin::new(&mut watched.stream).poll_write(cx, bytes))?;
        watched.activity.wrote();
        Poll::Ready(Ok(n_written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let watched = self.get_mut();
        let n_written = ready!(Pin::new(&mut watched.stream).poll_write_vectored(cx, slices))?;
        watched.activity.wrote();
        Poll::Ready(Ok(n_written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
