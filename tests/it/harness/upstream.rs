//! An app that records what it is sent, byte for byte, and answers as it is told.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::gate::{Gate, PATIENCE, eventually};
use super::wire::{Message, Stream, Wire};

/// What happens after a request was read.
pub(crate) enum Reply {
    /// These bytes; the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, and the connection is closed without a word about it.
    Last(Vec<u8>),
    /// These bytes, once the gate is open.
    Held(Gate, Vec<u8>),
    /// The connection is closed without an answer.
    Close,
    /// Nothing, for as long as the connection lasts.
    Silence,
}

/// An upstream on loopback.
#[derive(Clone)]
pub(crate) struct Upstream {
    url: String,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    requests: Mutex<Vec<Message>>,
    n_connections: AtomicUsize,
    n_closed: AtomicUsize,
}

// === impl Upstream ===

impl Upstream {
    /// Answers 200 to everything.
    pub(crate) fn friendly() -> Self {
        Self::start(|_| Reply::Bytes(ok("sent")))
    }

    pub(crate) fn start(reply: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::serve(url, reply, move || prepared(listener.accept().ok()?.0))
    }

    /// As [`Upstream::start`], with TLS.
    pub(crate) fn tls(config: Arc<rustls::ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        Self::serve(
            url,
            |_| Reply::Bytes(ok("sent")),
            move || {
                let stream = prepared(listener.accept().ok()?.0)?;
                let connection = rustls::ServerConnection::new(Arc::clone(&config)).ok()?;
                Some(rustls::StreamOwned::new(connection, stream))
            },
        )
    }

    /// As [`Upstream::friendly`], on a socket in the file system.
    pub(crate) fn unix(path: &Path) -> Self {
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        let url = format!("unix:{}", path.display());
        Self::serve(url, |_| Reply::Bytes(ok("sent")), move || Some(listener.accept().ok()?.0))
    }

    /// Every connection is given to `serve`, which speaks for itself.
    pub(crate) fn raw(serve: impl Fn(Wire) + Send + Sync + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            while let Some(stream) = listener.accept().ok().and_then(|(stream, _)| prepared(stream)) {
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(Wire::new(stream)));
            }
        });
        address
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The requests whose `X-Case` is this.
    pub(crate) fn requests(&self, case: &str) -> Vec<Message> {
        let requests = self.log.requests.lock().unwrap();
        requests.iter().filter(|request| request.header("x-case") == Some(case)).cloned().collect()
    }

    /// The only request whose `X-Case` is this.
    pub(crate) fn request(&self, case: &str) -> Message {
        let mut requests = self.requests(case);
        assert_eq!(requests.len(), 1, "requests of {case}");
        requests.remove(0)
    }

    /// Waits until so many requests of the case have arrived.
    pub(crate) fn wait_for(&self, case: &str, n_requests: usize) -> Vec<Message> {
        eventually("requests at the upstream", || {
            Some(self.requests(case)).filter(|requests| n_requests <= requests.len())
        })
    }

    pub(crate) fn n_requests(&self) -> usize {
        self.log.requests.lock().unwrap().len()
    }

    pub(crate) fn n_connections(&self) -> usize {
        self.log.n_connections.load(Ordering::SeqCst)
    }

    /// Connections that this end has closed.
    pub(crate) fn n_closed(&self) -> usize {
        self.log.n_closed.load(Ordering::SeqCst)
    }

    fn serve<S: Stream + 'static>(
        url: String,
        reply: impl Fn(&Message) -> Reply + Send + Sync + 'static,
        mut accept: impl FnMut() -> Option<S> + Send + 'static,
    ) -> Self {
        let log = Arc::new(Log::default());
        let (ours, reply) = (Arc::clone(&log), Arc::new(reply));
        std::thread::spawn(move || {
            while let Some(stream) = accept() {
                let (log, reply) = (Arc::clone(&ours), Arc::clone(&reply));
                log.n_connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    converse(&mut Wire::new(stream), &log, &*reply);
                    log.n_closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self { url, log }
    }
}

fn converse(wire: &mut Wire, log: &Log, reply: &dyn Fn(&Message) -> Reply) {
    while let Some(request) = wire.message() {
        log.requests.lock().unwrap().push(request.clone());
        let is_well = match reply(&request) {
            Reply::Bytes(bytes) => wire.write(&bytes),
            Reply::Last(bytes) => {
                wire.write(&bytes);
                false
            }
            Reply::Held(gate, bytes) => gate.pass() && wire.write(&bytes),
            Reply::Close => false,
            Reply::Silence => {
                wire.rest();
                false
            }
        };
        if !is_well {
            return;
        }
    }
}

fn prepared(stream: TcpStream) -> Option<TcpStream> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_nodelay(true).ok()?;
    Some(stream)
}

/// A whole answer with status 200.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
