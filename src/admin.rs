//! The operator's side door: `/livez`, `/readyz` and `/metrics`, on a listener of its own.
//!
//! It shows no number, no address and no token. It refuses to stand on a public address without a token.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::constant_time;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// The `[admin]` section.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// Where: an address and port.
    pub listen: SocketAddr,
    /// Asked for as `Authorization: Bearer …` on `/metrics`.
    pub token: Option<Token>,
}

/// A secret of at least 16 characters.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(String);

/// A secret that could be guessed.
#[derive(Debug, thiserror::Error)]
#[error("a token needs at least 16 characters, as from `openssl rand -hex 16`, this one has {0}")]
pub struct TokenError(usize);

/// Whether new traffic is wanted. Shared with whoever drains.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

/// What is served.
pub struct Admin {
    token: Option<Token>,
    readiness: Readiness,
    metrics: Box<dyn Fn() -> String + Send + Sync>,
}

// === impl Admin ===

impl Admin {
    /// An admin side whose `/metrics` are rendered by `metrics`.
    pub fn new(config: &AdminConfig, readiness: Readiness, metrics: Box<dyn Fn() -> String + Send + Sync>) -> Self {
        Self { token: config.token.clone(), readiness, metrics }
    }

    /// Serves until it is dropped.
    pub async fn serve(self, listener: TcpListener) {
        let admin = Arc::new(self);
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok(permit) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let admin = Arc::clone(&admin);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let response = admin.answer(&request);
                    async move { Ok::<_, Infallible>(response) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(Duration::from_secs(10))
                    .serve_connection(TokioIo::new(stream), service);
                // A client that breaks off a page of metrics has its own reasons.
                let _ended = tokio::time::timeout(LONGEST, connection).await;
                drop(permit);
            });
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
        }
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "alive\n".to_owned()),
            "/readyz" if self.readiness.is_ready() => text(StatusCode::OK, "ready\n".to_owned()),
            "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned()),
            "/metrics" if self.is_let_in(request) => {
                let mut response = text(StatusCode::OK, (self.metrics)());
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
                response
            }
            "/metrics" => text(StatusCode::UNAUTHORIZED, "a bearer token is needed\n".to_owned()),
            _ => text(StatusCode::NOT_FOUND, "there are /livez, /readyz and /metrics\n".to_owned()),
        }
    }

    fn is_let_in(&self, request: &Request<Incoming>) -> bool {
        let Some(Token(token)) = &self.token else { return true };
        let given = request.headers().get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        given.is_some_and(|given| constant_time::verify_slices_are_equal(given, token.as_bytes()).is_ok())
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("token", &self.token).field("readiness", &self.readiness).finish_non_exhaustive()
    }
}

// === impl Readiness ===

impl Readiness {
    /// Whether new traffic is wanted.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes it.
    pub fn set(&self, is_ready: bool) {
        self.0.store(is_ready, Ordering::Relaxed);
    }
}

// === impl Token ===

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, TokenError> {
        if text.len() < 16 { Err(TokenError(text.len())) } else { Ok(Self(text)) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9090)), token: None }
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

const MOST_CONNECTIONS: usize = 64;
const LONGEST: Duration = Duration::from_secs(60);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
