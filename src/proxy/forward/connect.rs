//! Makes connections to the upstream: TCP, TLS over TCP, or a Unix socket.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::super::rescue::Fault;
use super::connection::Connection;

/// Where permitted requests go.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Upstream {
    place: Place,
    tls: Option<(ServerName<'static>, Option<Arc<ClientConfig>>)>,
}

/// Not an upstream.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no upstream, expected `http://host:port`, `https://host[:port]` or `unix:/path`, without a path of its own"
)]
pub struct UpstreamError(String);

#[derive(Clone, Debug)]
enum Place {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

#[derive(Debug)]
pub(super) struct Connector {
    upstream: Upstream,
    timeout: Duration,
    complaints: Mutex<Complaints>,
}

#[derive(Debug, Default)]
struct Complaints {
    last: Option<Instant>,
    n_unsaid: u64,
}

// === impl Upstream ===

impl Upstream {
    /// Whether a TLS configuration is needed.
    pub fn wants_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The same upstream, with whom it trusts.
    #[must_use]
    pub fn trusting(mut self, config: &Arc<ClientConfig>) -> Self {
        if let Some((_, trust)) = &mut self.tls {
            *trust = Some(Arc::clone(config));
        }
        self
    }
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self { place: Place::Unix(path.into()), tls: None })
            } else {
                Err(wrong())
            };
        }
        let uri: http::Uri = text.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        if !matches!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), None | Some("" | "/")) {
            return Err(wrong());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        match uri.scheme_str() {
            Some("http") => {
                Ok(Self { place: Place::Tcp { host, port: authority.port_u16().unwrap_or(80) }, tls: None })
            }
            Some("https") => {
                let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
                let place = Place::Tcp { host, port: authority.port_u16().unwrap_or(443) };
                Ok(Self { place, tls: Some((name, None)) })
            }
            Some(_) | None => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Upstream {
    type Error = UpstreamError;

    fn try_from(text: String) -> Result<Self, UpstreamError> {
        text.parse()
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match &self.place {
            Place::Tcp { host, port } if host.contains(':') => write!(f, "{scheme}://[{host}]:{port}"),
            Place::Tcp { host, port } => write!(f, "{scheme}://{host}:{port}"),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

// === impl Connector ===

impl Connector {
    pub(super) fn new(upstream: Upstream, timeout: Duration) -> Self {
        Self { upstream, timeout, complaints: Mutex::default() }
    }

    /// A connection that can take a request. Nothing was sent on any failure.
    pub(super) async fn connect(&self) -> Result<Connection, Fault> {
        match tokio::time::timeout(self.timeout, self.open()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => {
                self.complain(&error);
                Err(Fault::Unreachable)
            }
            Err(elapsed) => {
                self.complain(&elapsed);
                Err(Fault::Silent)
            }
        }
    }

    /// Logs a failure, at most once a second with the number of those before it.
    #[expect(clippy::disallowed_methods, reason = "how often to log is nobody's attempt")]
    fn complain(&self, error: &dyn fmt::Display) {
        let mut complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        complaints.n_unsaid += 1;
        if complaints.last.is_none_or(|last| Duration::from_secs(1) <= last.elapsed()) {
            tracing::warn!(upstream = %self.upstream, n_failures = complaints.n_unsaid, %error, "upstream cannot be reached");
            *complaints = Complaints { last: Some(Instant::now()), n_unsaid: 0 };
        }
    }

    async fn open(&self) -> Result<Connection, tower::BoxError> {
        match &self.upstream.place {
            Place::Unix(path) => Ok(Connection::over(UnixStream::connect(path).await?).await?),
            Place::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                match &self.upstream.tls {
                    Some((name, Some(config))) => {
                        let stream = TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await?;
                        Ok(Connection::over(stream).await?)
                    }
                    Some((_, None)) => Err("TLS was not set up".into()),
                    None => Ok(Connection::over(stream).await?),
                }
            }
        }
    }
}
