//! One connection to the upstream, driven by the request that uses it.
//!
//! hyper's connection is usually a task of its own, and every request then crosses from one task to the other and back
//! three times. Here the request's own task drives it: nothing is woken, and a request that is dropped takes its
//! connection with it. Idle connections are driven by nobody; whether one was closed meanwhile shows when it is next
//! asked.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Outgoing;

/// An idle or used connection.
pub(super) struct Connection {
    sender: SendRequest<Outgoing>,
    driver: Driver,
}

/// Reads, writes and parses; `None` when the connection has ended.
struct Driver(Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>);

type Answer = Result<Response<Incoming>, TrySendError<Request<Outgoing>>>;

// === impl Connection ===

impl Connection {
    /// A connection over a stream that is open.
    pub(super) async fn over<S>(stream: S) -> hyper::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, driver) =
            http1::Builder::new().max_buf_size(MOST_BUFFERED).writev(false).handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver: Driver(Some(Box::pin(driver.with_upgrades()))) })
    }

    /// Whether it could take a request now. Sees a close that happened while nobody drove it.
    pub(super) fn is_ready(&mut self) -> bool {
        self.rest();
        self.sender.is_ready()
    }

    /// Sends the request and waits for the head of its answer.
    pub(super) async fn exchange(&mut self, request: Request<Outgoing>) -> Answer {
        let mut answer = std::pin::pin!(self.sender.try_send_request(request));
        let driver = &mut self.driver;
        std::future::poll_fn(|cx| {
            // Only the driver can bring the answer, so only the driver needs to wake anybody.
            driver.drive(cx);
            asleep(|cx| answer.as_mut().poll(cx))
        })
        .await
    }

    /// Reads on in the answer's body.
    pub(super) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        // Asking for a frame is what makes the driver read one.
        if let Poll::Ready(frame) = asleep(|cx| Pin::new(&mut *body).poll_frame(cx)) {
            return Poll::Ready(frame);
        }
        self.driver.drive(cx);
        asleep(|cx| Pin::new(&mut *body).poll_frame(cx))
    }

    /// Lets the connection settle after an answer, so that it wakes nobody while it is idle.
    pub(super) fn rest(&mut self) {
        let _settled: Poll<()> = asleep(|cx| {
            self.driver.drive(cx);
            Poll::Ready(())
        });
    }

    /// Goes on by itself as the transport of another protocol.
    pub(super) fn detach(self) {
        if let Some(driver) = self.driver.0 {
            // The two sides of the tunnel see its end themselves.
            tokio::spawn(driver);
        }
    }
}

// === impl Driver ===

impl Driver {
    fn drive(&mut self, cx: &mut Context<'_>) {
        // Why a connection ended is told by the answer or the body that it ends.
        if self.0.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
            self.0 = None;
        }
    }
}

/// Polls what will be polled again anyway, so that it need not wake anybody. Outside tokio's budget: a poll refused for
/// being one too many would count on the wake that never comes.
fn asleep<T>(poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    let mut polled = std::pin::pin!(tokio::task::unconstrained(std::future::poll_fn(poll)));
    polled.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("sender", &self.sender).finish_non_exhaustive()
    }
}

/// The most of an answer's head that is read.
const MOST_BUFFERED: usize = 64 << 10;
