//! One kept connection: writes a request, reads its response, opens the next connection when this one is closed.

use std::fmt;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::target::Loopback;
use crate::wire::{self, Malformed, Response};

/// At most one open connection to one address.
#[derive(Debug)]
pub(crate) struct Client {
    address: Loopback,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    /// Times a kept connection turned out to have been closed by the other side before it took a request.
    pub(crate) n_stale: u64,
}

/// Why a request has no response.
#[derive(Debug)]
pub(crate) enum Fault {
    Connect(io::Error),
    /// Closed before the first byte of the response.
    Closed,
    Broken(io::Error),
    Malformed(Malformed),
}

// === impl Client ===

impl Client {
    pub(crate) fn new(address: Loopback) -> Self {
        Self { address, stream: None, buffer: Vec::with_capacity(N_READ), n_stale: 0 }
    }

    /// Sends one request. A kept connection that was closed meanwhile is replaced once, as every client does it.
    ///
    /// May be dropped at any time: the connection is then closed.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Response, Fault> {
        if let Some(stream) = self.stream.take() {
            match self.exchange_over(stream, request).await {
                Err(Fault::Closed) => self.n_stale += 1,
                result => return result,
            }
        }
        let stream = TcpStream::connect(self.address.socket()).await.map_err(Fault::Connect)?;
        stream.set_nodelay(true).map_err(Fault::Connect)?;
        self.exchange_over(stream, request).await
    }

    /// The body of a 200 answer to a GET.
    pub(crate) async fn fetch(&mut self, path: &str) -> Result<Vec<u8>, Fault> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        let response = self.exchange(request.as_bytes()).await?;
        let message = self.buffer.get(..response.n_bytes).unwrap_or_default();
        let n_head = message.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        Ok(message.get(n_head..).unwrap_or_default().to_vec())
    }

    async fn exchange_over(&mut self, mut stream: TcpStream, request: &[u8]) -> Result<Response, Fault> {
        self.buffer.clear();
        stream.write_all(request).await.map_err(closed_or_broken)?;
        let response = loop {
            self.buffer.reserve(N_READ);
            let n_read = stream.read_buf(&mut self.buffer).await.map_err(closed_or_broken)?;
            if n_read == 0 {
                return Err(if self.buffer.is_empty() {
                    Fault::Closed
                } else {
                    Fault::Broken(io::ErrorKind::UnexpectedEof.into())
                });
            }
            if let Some(response) = wire::response(&self.buffer).map_err(Fault::Malformed)? {
                break response;
            }
        };
        if response.keeps_alive {
            self.stream = Some(stream);
        }
        Ok(response)
    }
}

fn closed_or_broken(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Fault::Closed,
        _ => Fault::Broken(error),
    }
}

// === impl Fault ===

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Closed => f.write_str("the connection was closed before an answer"),
            Self::Broken(error) => write!(f, "the answer broke off: {error}"),
            Self::Malformed(error) => write!(f, "the answer is {error}"),
        }
    }
}

impl std::error::Error for Fault {}

const N_READ: usize = 16 * 1024;
