//! Accepts connections and speaks HTTP on them, one runtime per thread, until told to drain.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use axum_core::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig as TlsConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{BoxError, Service};

use super::activity::{Activity, InWork, Patience, Protocol, Standing, Watched};
use super::caller::{Caller, Clock, Link};
use super::ceiling::Ceiling;
use super::client_addr::{Peer, TrustedProxies};
use super::forward::Forward;
use super::guard::Shared;
use super::headers::Introduction;
use super::listen::{Bound, BoundSocket};
use super::{ForwardConfig, ServerConfig, stack};
use crate::telemetry::Metrics;

/// Everything that serving needs.
#[derive(Clone, Debug)]
pub struct Server {
    /// Timeouts, bounds and trust.
    pub config: ServerConfig,
    /// How the upstream is asked.
    pub forward: ForwardConfig,
    /// TLS of the TCP listeners.
    pub tls: Option<Arc<TlsConfig>>,
    /// The per-client ceiling.
    pub ceiling: Ceiling,
    /// What the guard decides by.
    pub shared: Arc<Shared>,
    /// What time it is.
    pub clock: Clock,
}

/// The threads that serve, and how to end them.
#[derive(Debug)]
pub struct Shutdown {
    close: watch::Sender<bool>,
    connections: Arc<Semaphore>,
    n_connections: u32,
    threads: Vec<JoinHandle<()>>,
}

/// What one thread needs for its connections.
#[derive(Clone)]
struct Worker<S> {
    service: S,
    tls: Option<TlsAcceptor>,
    trusted: Arc<TrustedProxies>,
    clock: Clock,
    patience: Patience,
    connections: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
    metrics: Arc<Metrics>,
}

/// Starts the threads.
///
/// # Errors
/// A thread or its runtime cannot be started.
pub fn serve(server: &Server, bound: Vec<Bound>) -> std::io::Result<Shutdown> {
    let n_connections = server.config.max_connections.get();
    let connections = Arc::new(Semaphore::new(n_connections as usize));
    // An HTTP/2 connection may have many requests; all together no more than there may be connections.
    let limit = GlobalConcurrencyLimitLayer::new(n_connections as usize);
    let (close, closing) = watch::channel(false);
    let mut per_thread: Vec<Vec<BoundSocket>> = Vec::new();
    for bound in bound {
        for (index, socket) in bound.sockets.into_iter().enumerate() {
            if per_thread.len() <= index {
                per_thread.push(Vec::new());
            }
            if let Some(sockets) = per_thread.get_mut(index) {
                sockets.push(socket);
            }
        }
    }
    let threads = per_thread.into_iter().enumerate().map(|(index, sockets)| {
        let forward = Forward::new(&server.config.upstream, &server.forward);
        let worker = Worker {
            service: stack(limit.clone(), server.ceiling.layer(), Arc::clone(&server.shared), forward),
            tls: server.tls.clone().map(TlsAcceptor::from),
            trusted: Arc::new(server.config.trusted_proxies.clone()),
            clock: server.clock,
            patience: Patience { head: server.config.header_timeout, idle: server.config.idle_timeout },
            connections: Arc::clone(&connections),
            closing: closing.clone(),
            metrics: Arc::clone(&server.shared.metrics),
        };
        start(index, worker, sockets)
    });
    let threads = threads.collect::<std::io::Result<_>>()?;
    Ok(Shutdown { close, connections, n_connections, threads })
}

fn start<S>(index: usize, worker: Worker<S>, sockets: Vec<BoundSocket>) -> std::io::Result<JoinHandle<()>>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = BoxError, Future: Send> + Clone + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("proxy-{index}")).spawn(move || {
        runtime.block_on(async {
            let mut closing = worker.closing.clone();
            for socket in sockets {
                tokio::spawn(worker.clone().accept(socket));
            }
            // Ends when the sender is dropped, after all connections are done or cut.
            while closing.changed().await.is_ok() {}
        });
    })
}

// === impl Shutdown ===

impl Shutdown {
    /// Closes the listeners, lets requests in work finish for at most `timeout`, and ends the threads.
    /// Says whether all finished.
    pub async fn drain(self, timeout: Duration) -> bool {
        // Nobody listens any more if every thread has ended already.
        let _closed = self.close.send(true);
        let all = self.connections.acquire_many(self.n_connections);
        let is_drained = tokio::time::timeout(timeout, all).await.is_ok();
        drop(self.close);
        for thread in self.threads {
            // A thread that panicked has lost its connections already, and said so on stderr.
            let _ended = thread.join();
        }
        is_drained
    }
}

// === impl Worker ===

impl<S> Worker<S>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = BoxError, Future: Send> + Clone + Send + 'static,
{
    async fn accept(mut self, socket: BoundSocket) {
        let mut closing = self.closing.clone();
        tokio::select! {
            () = self.accept_all(socket) => {}
            _ = closing.wait_for(|is_closing| *is_closing) => {}
        }
    }

    async fn accept_all(&mut self, socket: BoundSocket) {
        match socket {
            BoundSocket::Tcp(listener) => {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                loop {
                    match listener.accept().await {
                        Ok((stream, peer)) => {
                            let Some(place) = self.place().await else { return };
                            // Without it small answers wait for the client's acknowledgement; failing to set it only slows.
                            let _set = stream.set_nodelay(true);
                            tokio::spawn(self.clone().serve_tcp(stream, Peer::Ip(peer.ip()), place));
                        }
                        Err(error) => pause(&error).await,
                    }
                }
            }
            BoundSocket::Unix(listener) => {
                let Ok(listener) = UnixListener::from_std(listener) else { return };
                loop {
                    match listener.accept().await {
                        Ok((stream, _)) => {
                            let Some(place) = self.place().await else { return };
                            let connection = Connection::new(Peer::Unix, false, Protocol::Http1, place);
                            tokio::spawn(connection.http1(stream, self.clone()));
                        }
                        Err(error) => pause(&error).await,
                    }
                }
            }
        }
    }

    /// A place for one more connection, as soon as there is one.
    async fn place(&mut self) -> Option<Arc<Place>> {
        let permit = Arc::clone(&self.connections).acquire_owned().await.ok()?;
        self.metrics.connected();
        Some(Arc::new(Place { metrics: Arc::clone(&self.metrics), _permit: permit }))
    }

    async fn serve_tcp(self, stream: TcpStream, peer: Peer, place: Arc<Place>) {
        let is_tls = self.tls.is_some();
        let connection = |protocol| Connection::new(peer, is_tls, protocol, place);
        let mut closing = self.closing.clone();
        let opened = tokio::time::timeout(self.patience.head, Opened::from(stream, self.tls.clone()));
        let opened = tokio::select! {
            biased;
            // Whoever has not said a word yet does not hold up the end.
            _ = closing.wait_for(|is_closing| *is_closing) => return,
            opened = opened => opened,
        };
        match opened {
            Ok(Ok(Opened::Plain(stream, protocol @ Protocol::Http1))) => connection(protocol).http1(stream, self).await,
            Ok(Ok(Opened::Plain(stream, protocol @ Protocol::Http2))) => connection(protocol).http2(stream, self).await,
            Ok(Ok(Opened::Tls(stream, protocol @ Protocol::Http1))) => connection(protocol).http1(stream, self).await,
            Ok(Ok(Opened::Tls(stream, protocol @ Protocol::Http2))) => connection(protocol).http2(stream, self).await,
            Ok(Err(error)) => tracing::debug!(%error, "a connection did not open"),
            Err(_) => tracing::debug!("a connection took too long to open"),
        }
    }
}

/// A TCP connection once it is known what is spoken on it.
enum Opened {
    Plain(TcpStream, Protocol),
    Tls(Box<TlsStream<TcpStream>>, Protocol),
}

// === impl Opened ===

impl Opened {
    async fn from(stream: TcpStream, tls: Option<TlsAcceptor>) -> std::io::Result<Self> {
        let Some(acceptor) = tls else {
            let protocol = protocol_of(&stream).await?;
            return Ok(Self::Plain(stream, protocol));
        };
        let stream = acceptor.accept(stream).await?;
        let protocol =
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 };
        Ok(Self::Tls(Box::new(stream), protocol))
    }
}

/// One of the connections that may be open at once; free again when its last holder drops it.
#[derive(Debug)]
pub(super) struct Place {
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

// === impl Place ===

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

/// One open connection.
struct Connection {
    peer: Peer,
    is_tls: bool,
    link: Link,
}

/// A connection that can be asked to end after the requests it has.
trait Finish: Future {
    fn finish(self: Pin<&mut Self>);
}

impl<IO, S> Finish for http1::UpgradeableConnection<IO, S>
where
    Self: Future,
    IO: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    S: hyper::service::HttpService<Incoming, ResBody = Body>,
    S::Error: Into<BoxError>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<IO, S> Finish for http2::Connection<IO, S, TokioExecutor>
where
    Self: Future,
    IO: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: hyper::service::HttpService<Incoming, ResBody = Body>,
    S::Error: Into<BoxError>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, Body>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

// === impl Connection ===

impl Connection {
    fn new(peer: Peer, is_tls: bool, protocol: Protocol, place: Arc<Place>) -> Self {
        Self { peer, is_tls, link: Link { activity: Arc::new(Activity::new(protocol)), place } }
    }

    async fn http1<S, IO>(self, stream: IO, worker: Worker<S>)
    where
        S: Service<Request<Incoming>, Response = Response<Body>, Error = BoxError, Future: Send>
            + Clone
            + Send
            + 'static,
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&self.link.activity)));
        let service = self.service(&worker);
        let connection = http1::Builder::new()
            // Header and idle time are watched by `Activity`.
            .header_read_timeout(None)
            .max_buf_size(MOST_HEAD)
            .max_headers(MOST_HEADERS)
            .half_close(false)
            // Heads and bodies are small here: one copy costs less than a vectored write.
            .writev(false)
            .serve_connection(io, service)
            .with_upgrades();
        self.drive(connection, worker.closing, worker.patience).await;
    }

    async fn http2<S, IO>(self, stream: IO, worker: Worker<S>)
    where
        S: Service<Request<Incoming>, Response = Response<Body>, Error = BoxError, Future: Send>
            + Clone
            + Send
            + 'static,
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&self.link.activity)));
        let service = self.service(&worker);
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MOST_STREAMS)
            .max_header_list_size(MOST_HEAD_H2)
            .max_send_buf_size(MOST_HEAD)
            .keep_alive_interval(worker.patience.idle)
            .keep_alive_timeout(worker.patience.head)
            .serve_connection(io, service);
        self.drive(connection, worker.closing, worker.patience).await;
    }

    /// Serves until the client ends, does nothing for too long, or everything closes.
    async fn drive<C>(self, connection: C, mut closing: watch::Receiver<bool>, patience: Patience)
    where
        C: Finish,
    {
        let mut connection = std::pin::pin!(connection);
        let mut timer = std::pin::pin!(tokio::time::sleep(patience.head.min(patience.idle)));
        let mut is_closing = false;
        loop {
            tokio::select! {
                biased;
                // Errors here are the client's: it left, or spoke no HTTP.
                _ended = connection.as_mut() => return,
                () = timer.as_mut() => match self.link.activity.standing(patience) {
                    Standing::Expired => return,
                    Standing::Good(left) => timer.as_mut().reset(tokio::time::Instant::now() + left),
                },
                _ = closing.wait_for(|closing| *closing), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().finish();
                }
            }
        }
    }

    /// The stack as hyper calls it, with each request stamped before it enters.
    fn service<S>(&self, worker: &Worker<S>) -> Stamped<S>
    where
        S: Clone,
    {
        Stamped {
            service: worker.service.clone(),
            clock: worker.clock,
            trusted: Arc::clone(&worker.trusted),
            peer: self.peer,
            introduction: Arc::new(Introduction::new(self.peer, self.is_tls)),
            link: self.link.clone(),
        }
    }
}

/// The stack of one connection: what is known of its peer goes onto every request.
struct Stamped<S> {
    service: S,
    clock: Clock,
    trusted: Arc<TrustedProxies>,
    peer: Peer,
    introduction: Arc<Introduction>,
    link: Link,
}

// === impl Stamped ===

impl<S> hyper::service::Service<Request<Incoming>> for Stamped<S>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = BoxError> + Clone,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Working<S::Future>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let in_work = self.link.activity.work();
        let introduction = Arc::clone(&self.introduction);
        let caller =
            Caller::new(self.clock, &self.trusted, self.peer, introduction, self.link.clone(), request.headers());
        request.extensions_mut().insert(caller);
        let mut service = self.service.clone();
        // The stack sheds load and so is always ready; asking is what takes its place in the limit.
        let _ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
        Working { answer: service.call(request), _in_work: in_work }
    }
}

pin_project_lite::pin_project! {
    /// An answer in the making; while it lives, the connection is at work.
    struct Working<F> {
        #[pin]
        answer: F,
        _in_work: InWork,
    }
}

impl<F: Future> Future for Working<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().answer.poll(cx)
    }
}

/// What the client starts with: HTTP/2's preface, as clients with prior knowledge do, or anything else.
async fn protocol_of(stream: &TcpStream) -> std::io::Result<Protocol> {
    let mut start = [0; 4];
    let mut pause = Duration::from_millis(5);
    loop {
        let n_seen = stream.peek(&mut start).await?;
        // No method of HTTP/1 starts with these letters.
        match start.get(..n_seen).unwrap_or_default() {
            [b'P', b'R', b'I', b' '] => return Ok(Protocol::Http2),
            [b'P'] | [b'P', b'R'] | [b'P', b'R', b'I'] => {
                // The kernel says only that there are bytes, not that there are more.
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(500));
            }
            [..] => return Ok(Protocol::Http1),
        }
    }
}

/// Waits out what stopped an accept: a client that left at once, or no file descriptors, which only time cures.
async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "accepting a connection failed");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// The largest head of a request.
const MOST_HEAD: usize = 32 << 10;
const MOST_HEAD_H2: u32 = 32 << 10;
const MOST_HEADERS: usize = 100;

/// Requests at once on one HTTP/2 connection.
const MOST_STREAMS: u32 = 100;
