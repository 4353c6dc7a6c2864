//! The app behind the proxy, pretended: takes every send, sends nothing, and counts what it would have paid.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::party::Party;
use super::tariff::Tariff;
use super::traffic::{SEND, VERIFY};
use crate::risk::Money;

/// A running app.
#[derive(Debug)]
pub(super) struct Upstream {
    address: SocketAddr,
    ledger: Arc<Mutex<Delivered>>,
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// What the app was asked to send.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delivered {
    pub(super) ordinary: Bill,
    pub(super) attack: Bill,
    pub(super) visitors: Bill,
    /// Codes typed.
    pub(super) n_codes: u64,
}

/// Messages and their price.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bill {
    pub(super) n_messages: u64,
    pub(super) spent: Money,
}

#[derive(Clone, Debug)]
struct App {
    tariff: Arc<Tariff>,
    ledger: Arc<Mutex<Delivered>>,
}

#[derive(Deserialize)]
struct Asked {
    phone: String,
}

// === impl Upstream ===

impl Upstream {
    /// Listens on a loopback port that the system chooses, on a thread of its own.
    pub(super) fn start(tariff: &Arc<Tariff>) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let ledger = Arc::default();
        let app = App { tariff: Arc::clone(tariff), ledger: Arc::clone(&ledger) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("demo-app".into()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = serve(listener, app) => {}
                    _ = ended => {}
                }
            });
        })?;
        Ok(Self { address, ledger, end, thread })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn delivered(&self) -> Delivered {
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it, and says what it was asked to send in all.
    pub(super) fn close(self) -> Delivered {
        let delivered = self.delivered();
        // The thread may have ended by itself; then there is nobody to tell.
        let _told = self.end.send(());
        let _ended = self.thread.join();
        delivered
    }
}

async fn serve(listener: TcpListener, app: App) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let app = app.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let app = app.clone();
                async move { Ok::<_, Infallible>(app.answer(request).await) }
            });
            // What breaks off here shows in what the proxy answers.
            let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

// === impl App ===

impl App {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let is_post = parts.method == Method::POST;
        match parts.uri.path() {
            SEND if is_post => {
                let request_id = parts.headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
                let (party, _) = Party::of(request_id);
                match Limited::new(body, MOST_BYTES).collect().await {
                    Ok(body) => self.send(party, &body.to_bytes()),
                    Err(_) => answer(StatusCode::BAD_REQUEST, r#"{"error":"unreadable"}"#),
                }
            }
            VERIFY if is_post => {
                self.ledger.lock().unwrap_or_else(PoisonError::into_inner).n_codes += 1;
                answer(StatusCode::OK, r#"{"status":"verified"}"#)
            }
            SEND | VERIFY => answer(StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"only POST"}"#),
            _ => answer(StatusCode::NOT_FOUND, r#"{"error":"there is nothing here"}"#),
        }
    }

    fn send(&self, party: Party, body: &[u8]) -> Response<Full<Bytes>> {
        let asked: Option<Asked> = serde_json::from_slice(body).ok();
        let Some(number) = asked.and_then(|asked| self.tariff.read(&asked.phone)) else {
            return answer(StatusCode::BAD_REQUEST, r#"{"error":"no number"}"#);
        };
        let price = self.tariff.price(number);
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).of_mut(party).add(price);
        answer(StatusCode::OK, r#"{"status":"sent"}"#)
    }
}

// === impl Delivered ===

impl Delivered {
    pub(super) fn of(&self, party: Party) -> Bill {
        match party {
            Party::Ordinary => self.ordinary,
            Party::Attack => self.attack,
            Party::Visitor => self.visitors,
        }
    }

    /// Everybody's.
    pub(super) fn all(&self) -> Bill {
        let n_messages = Party::ALL.iter().map(|party| self.of(*party).n_messages).sum();
        let spent = Party::ALL.iter().fold(Money::default(), |sum, party| sum.plus(self.of(*party).spent));
        Bill { n_messages, spent }
    }

    fn of_mut(&mut self, party: Party) -> &mut Bill {
        match party {
            Party::Ordinary => &mut self.ordinary,
            Party::Attack => &mut self.attack,
            Party::Visitor => &mut self.visitors,
        }
    }
}

// === impl Bill ===

impl Bill {
    fn add(&mut self, price: Money) {
        self.n_messages += 1;
        self.spent = self.spent.plus(price);
    }
}

fn answer(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

const MOST_BYTES: usize = 64 << 10;
