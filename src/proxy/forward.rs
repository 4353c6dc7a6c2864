//! Sends permitted requests to the upstream over pooled HTTP/1.1 connections, and never sends one twice.
//!
//! A request is given to a connection once. If that connection turns out to have been closed before any byte was
//! written, hyper hands the request back and a fresh connection takes it; in every other case the failure is the
//! answer, since the upstream may have sent a message already.

mod connect;
mod connection;
mod lent;
mod pool;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum_core::body::Body;
use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;

pub use connect::{Upstream, UpstreamError};

use super::caller::Link;
use super::guard::Permitted;
use super::rescue::Fault;
use connect::Connector;
use connection::Connection;
use lent::Lent;
use pool::Pool;

/// How the upstream is asked. The `[upstream]` section.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardConfig {
    /// How long connecting may take, TLS included.
    #[serde(with = "super::duration")]
    pub connect_timeout: Duration,
    /// How long the upstream may take from the whole request to the head of its answer.
    #[serde(with = "super::duration")]
    pub response_timeout: Duration,
    /// How long an idle connection is kept: below the upstream's own limit (Node closes after 5 s), so that none is
    /// used in the moment it is closed.
    #[serde(with = "super::duration")]
    pub idle_timeout: Duration,
    /// Idle connections kept per thread.
    pub max_idle: usize,
    /// The only roots trusted for an `https` upstream, as PEM; the platform's if left out.
    pub ca: Option<std::path::PathBuf>,
}

/// The way to one upstream, for one thread.
#[derive(Clone, Debug)]
pub(super) struct Forward {
    connector: Arc<Connector>,
    pool: Arc<Pool>,
    response_timeout: Duration,
}

/// What an exchange was like.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) response: Response<Body>,
    /// Whether the upstream agreed to speak another protocol: then this is its side of the connection.
    pub(super) upgrade: Option<hyper::upgrade::OnUpgrade>,
}

/// A body on its way to the upstream.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// All of it, already judged.
    Whole(Full<Bytes>),
    /// As it comes, with the time of the last piece.
    Stream(Incoming, Arc<LastPiece>),
}

/// When the last piece of a streamed body passed, in milliseconds since `started`.
#[derive(Debug)]
pub(super) struct LastPiece {
    started: Instant,
    millis: std::sync::atomic::AtomicU64,
}

// === impl Forward ===

impl Forward {
    pub(super) fn new(upstream: &Upstream, config: &ForwardConfig) -> Self {
        Self {
            connector: Arc::new(Connector::new(upstream.clone(), config.connect_timeout)),
            pool: Arc::new(Pool::new(config.max_idle, config.idle_timeout)),
            response_timeout: config.response_timeout,
        }
    }

    /// Sends the request and returns the upstream's answer as soon as its head is there.
    pub(super) async fn send(&self, permitted: Permitted, client: &Link) -> Result<Sent, Fault> {
        let mut request = permitted.into_request();
        let last_piece = match request.body() {
            Outgoing::Whole(_) => None,
            Outgoing::Stream(_, last_piece) => Some(Arc::clone(last_piece)),
        };
        loop {
            let (mut connection, is_fresh) = self.connection().await?;
            let answer = connection.exchange(request);
            match within(self.response_timeout, last_piece.as_deref(), answer).await? {
                Ok(response) => return Ok(self.receive(response, connection, client)),
                Err(mut error) => match error.take_message() {
                    // Nothing of it was written. A pooled connection may have gone stale; a fresh one has not.
                    Some(unsent) if !is_fresh => request = unsent,
                    Some(_) => return Err(Fault::Unreachable),
                    None => return Err(Fault::Broken),
                },
            }
        }
    }

    /// A connection that is ready, and whether it was made just now.
    async fn connection(&self) -> Result<(Connection, bool), Fault> {
        if let Some(connection) = self.pool.take() {
            return Ok((connection, false));
        }
        // Rare, and large with TLS in it: boxed, so that every request's future stays small.
        let connection = Box::pin(self.connector.connect()).await?;
        Ok((connection, true))
    }

    fn receive(&self, mut response: Response<Incoming>, connection: Connection, client: &Link) -> Sent {
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            let upgrade = Some(hyper::upgrade::on(&mut response));
            connection.detach();
            return Sent { response: response.map(Body::new), upgrade };
        }
        let response = response
            .map(|body| Body::new(Lent::new(body, connection, Arc::clone(&self.pool), client.activity.answer())));
        Sent { response, upgrade: None }
    }
}

/// Waits for the answer. The time starts anew with every piece of a streamed body: a long upload is no silence.
async fn within<T>(
    limit: Duration,
    last_piece: Option<&LastPiece>,
    answer: impl Future<Output = T>,
) -> Result<T, Fault> {
    let mut answer = std::pin::pin!(answer);
    let mut left = limit;
    loop {
        match tokio::time::timeout(left, answer.as_mut()).await {
            Ok(answer) => return Ok(answer),
            Err(_) => {
                let silence = last_piece.map_or(limit, LastPiece::silence);
                left = limit.saturating_sub(silence);
                if left.is_zero() {
                    return Err(Fault::TimedOut);
                }
            }
        }
    }
}

// === impl Outgoing ===

impl Outgoing {
    pub(super) fn stream(body: Incoming) -> Self {
        Self::Stream(body, Arc::new(LastPiece::now()))
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Stream(body, last_piece) => {
                let polled = Pin::new(body).poll_frame(cx);
                if polled.is_ready() {
                    last_piece.touch();
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(body, _) => body.size_hint(),
        }
    }
}

// === impl LastPiece ===

#[expect(clippy::disallowed_methods, reason = "a stream's silence is measured where it flows")]
impl LastPiece {
    fn now() -> Self {
        Self { started: Instant::now(), millis: std::sync::atomic::AtomicU64::new(0) }
    }

    fn touch(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.store(millis, std::sync::atomic::Ordering::Relaxed);
    }

    fn silence(&self) -> Duration {
        let last = Duration::from_millis(self.millis.load(std::sync::atomic::Ordering::Relaxed));
        self.started.elapsed().saturating_sub(last)
    }
}

// === impl ForwardConfig ===

impl Default for ForwardConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(4),
            max_idle: 256,
            ca: None,
        }
    }
}
