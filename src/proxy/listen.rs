//! Where clients connect, and the sockets bound there: one per thread, so that the kernel spreads connections.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use socket2::{Domain, Protocol, Socket, Type};

/// One place to listen at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// An address and a port; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// Not a place to listen at.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no place to listen, expected an address and port such as `127.0.0.1:8080` or `[::]:8080`, or `unix:/path`"
)]
pub struct ListenError(String);

/// A place that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {listen}: {error}")]
pub struct BindError {
    listen: Listen,
    error: std::io::Error,
}

/// A place that is bound, with one socket per thread.
#[derive(Debug)]
pub struct Bound {
    /// Where, with the port the system chose.
    pub listen: Listen,
    pub(super) sockets: Vec<BoundSocket>,
}

#[derive(Debug)]
pub(super) enum BoundSocket {
    Tcp(std::net::TcpListener),
    Unix(StdUnixListener),
}

// === impl Listen ===

impl Listen {
    pub(super) fn loopback(port: u16) -> Self {
        Self::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// Whether somebody outside this machine could connect.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Tcp(address) => !address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => false,
        }
    }

    /// Binds `n_threads` sockets here.
    ///
    /// # Errors
    /// The place is taken, or not ours to take.
    pub fn bind(&self, n_threads: usize) -> Result<Bound, BindError> {
        let bound = match self {
            Self::Tcp(address) => bind_tcp(*address, n_threads),
            Self::Unix(path) => bind_unix(path, n_threads),
        };
        bound.map_err(|error| BindError { listen: self.clone(), error })
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let wrong = || ListenError(text.to_owned());
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err(wrong()),
            None => text.parse().map(Self::Tcp).map_err(|_| wrong()),
        }
    }
}

impl TryFrom<String> for Listen {
    type Error = ListenError;

    fn try_from(text: String) -> Result<Self, ListenError> {
        text.parse()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

fn bind_tcp(address: SocketAddr, n_threads: usize) -> std::io::Result<Bound> {
    // The first bind is without SO_REUSEPORT: a second tollgate on the same port must fail, not share its traffic.
    let probe = tcp_socket(address, false)?;
    let address = probe.local_addr()?.as_socket().unwrap_or(address);
    drop(probe);
    let sockets = (0..n_threads).map(|_| {
        let socket = tcp_socket(address, true)?;
        socket.listen(BACKLOG)?;
        Ok(BoundSocket::Tcp(socket.into()))
    });
    Ok(Bound { listen: Listen::Tcp(address), sockets: sockets.collect::<std::io::Result<_>>()? })
}

fn tcp_socket(address: SocketAddr, shares_port: bool) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shares_port)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn bind_unix(path: &Path, n_threads: usize) -> std::io::Result<Bound> {
    // A socket that nobody answers on is what a crash left behind.
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = StdUnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    let sockets = (0..n_threads).map(|_| listener.try_clone().map(BoundSocket::Unix));
    Ok(Bound { listen: Listen::Unix(path.to_owned()), sockets: sockets.collect::<std::io::Result<_>>()? })
}

/// Connections that the kernel keeps while we are busy.
const BACKLOG: i32 = 4096;
