//! Plays a plan over some connections and tallies the answers.
//!
//! Open loop: one connection at a time stands at the turnstile, waits until the next request is due, and lets the next
//! connection in before it sends. If all are busy, requests wait, and their latency runs from the moment they were due:
//! a proxy that stalls is charged for everything it delays (no coordinated omission).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as Turnstile;
use tokio::task::{self, JoinSet};
use tokio::time;

use crate::arrivals::{Arrival, Arrivals};
use crate::client::{Client, Fault};
use crate::histogram::Histogram;
use crate::tally::Tally;
use crate::target::Loopback;
use crate::traffic::{Class, Shot, Traffic};

/// What is to be sent, and when.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) address: Loopback,
    pub(crate) path: String,
    pub(crate) arrivals: Arrivals,
    pub(crate) traffic: Traffic,
    /// How long one request may take, and how long after its end an open loop still sends what was due.
    pub(crate) patience: Duration,
    pub(crate) waiting: Waiting,
}

/// How the time until the next request is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Asleep but for the last moment, for a core that others need too.
    Napping,
    /// Awake, for a core of its own.
    Polling,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) legitimate: Tally,
    pub(crate) attack: Tally,
    /// How long after it was due an open loop's request was sent: the load generator's own share of the latency.
    pub(crate) lateness: Histogram,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    pub(crate) n_stale: u64,
    /// The first fault, in words.
    pub(crate) fault: Option<String>,
}

/// Plays the plan and hands the clients back, their connections still open where the other side allowed it.
pub(crate) async fn play(plan: Plan, clients: Vec<Client>) -> (Outcome, Vec<Client>) {
    let n_stale: u64 = clients.iter().map(|client| client.n_stale).sum();
    let session = Arc::new(Session {
        started: Instant::now(),
        patience: plan.patience,
        waiting: plan.waiting,
        source: Turnstile::new(Source {
            address: plan.address,
            path: plan.path,
            arrivals: plan.arrivals,
            traffic: plan.traffic,
        }),
        outcome: Mutex::new(Outcome::new()),
    });
    let mut workers = JoinSet::new();
    for client in clients {
        workers.spawn(work(Arc::clone(&session), client));
    }
    let clients = workers.join_all().await;
    let mut outcome = session.take_outcome();
    outcome.elapsed = session.started.elapsed();
    outcome.n_stale = clients.iter().map(|client| client.n_stale).sum::<u64>() - n_stale;
    (outcome, clients)
}

struct Session {
    started: Instant,
    patience: Duration,
    waiting: Waiting,
    source: Turnstile<Source>,
    outcome: Mutex<Outcome>,
}

struct Source {
    address: Loopback,
    path: String,
    arrivals: Arrivals,
    traffic: Traffic,
}

async fn work(session: Arc<Session>, mut client: Client) -> Client {
    let mut request = Vec::with_capacity(512);
    while let Some(arrival) = session.next(&mut request).await {
        let sent = session.started.elapsed();
        let result = time::timeout(session.patience, client.exchange(&request)).await;
        let latency = session.started.elapsed().saturating_sub(arrival.due.unwrap_or(sent));
        session.update(|outcome| {
            if let Some(due) = arrival.due {
                outcome.lateness.record(sent.saturating_sub(due));
            }
            match result {
                Ok(Ok(response)) => outcome.tally(arrival.class).answered(response.status, latency),
                Ok(Err(fault)) => outcome.failed(arrival.class, &fault.to_string()),
                Err(_) => outcome.failed(arrival.class, "no answer in time"),
            }
        });
    }
    client
}

// === impl Session ===

impl Session {
    /// Waits for the next request's time and writes the request; `None` when the run is over.
    async fn next(&self, request: &mut Vec<u8>) -> Option<Arrival> {
        let mut source = self.source.lock().await;
        loop {
            let arrival = source.arrivals.next(self.started.elapsed())?;
            let Some(due) = arrival.due else {
                source.write(arrival.class, request);
                return Some(arrival);
            };
            if due + self.patience < self.started.elapsed() {
                self.update(|outcome| outcome.tally(arrival.class).n_unsent += 1);
                continue;
            }
            // Written before it is due: the work of writing is nobody's latency.
            source.write(arrival.class, request);
            wait_until(self.started, due, self.waiting).await;
            return Some(arrival);
        }
    }

    fn update(&self, change: impl FnOnce(&mut Outcome)) {
        change(&mut self.outcome.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take_outcome(&self) -> Outcome {
        std::mem::replace(&mut self.outcome.lock().unwrap_or_else(PoisonError::into_inner), Outcome::new())
    }
}

/// Comes back at that time after `started`, not at the next full millisecond, which is all that the runtime's timer
/// knows.
pub(crate) async fn wait_until(started: Instant, due: Duration, waiting: Waiting) {
    loop {
        let left = due.saturating_sub(started.elapsed());
        if left.is_zero() {
            return;
        } else if TIMER_SLACK < left {
            time::sleep(left - TIMER_SLACK).await;
        } else if NAP_SLACK < left && waiting == Waiting::Napping {
            nap(left - NAP_SLACK).await;
        } else {
            task::yield_now().await;
        }
    }
}

/// Sleeps on another thread, where sleeping is exact to some fifty microseconds.
async fn nap(duration: Duration) {
    // It cannot fail but with the runtime, and then nobody waits any more.
    drop(task::spawn_blocking(move || std::thread::sleep(duration)).await);
}

// === impl Source ===

impl Source {
    fn write(&mut self, class: Class, request: &mut Vec<u8>) {
        request.clear();
        write_request(request, self.address, &self.path, &self.traffic.shot(class));
    }
}

/// A send as a browser's sign-up form makes it.
fn write_request(request: &mut Vec<u8>, address: Loopback, path: &str, shot: &Shot) {
    use std::io::Write;

    let body_length = BODY_START.len() + shot.phone.len() + BODY_END.len();
    let head = write!(
        request,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: Mozilla/5.0 (loadtest)\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {body_length}\r\n"
    );
    let forwarded = match shot.client {
        Some(client) => write!(request, "X-Forwarded-For: {client}\r\n"),
        None => Ok(()),
    };
    let body = write!(request, "\r\n{BODY_START}{}{BODY_END}", shot.phone);
    debug_assert!(head.and(forwarded).and(body).is_ok(), "writing into memory does not fail");
}

// === impl Outcome ===

impl Outcome {
    pub(crate) fn new() -> Self {
        Self {
            legitimate: Tally::new(),
            attack: Tally::new(),
            lateness: Histogram::new(),
            elapsed: Duration::ZERO,
            n_stale: 0,
            fault: None,
        }
    }

    fn tally(&mut self, class: Class) -> &mut Tally {
        match class {
            Class::Legitimate => &mut self.legitimate,
            Class::Attack => &mut self.attack,
        }
    }

    fn failed(&mut self, class: Class, fault: &str) {
        self.tally(class).n_errors += 1;
        self.fault.get_or_insert_with(|| fault.to_owned());
    }
}

/// Says whether anything listens there.
pub(crate) async fn reach(address: Loopback) -> Result<(), Fault> {
    tokio::net::TcpStream::connect(address.socket()).await.map(drop).map_err(Fault::Connect)
}

const TIMER_SLACK: Duration = Duration::from_micros(2500);
const NAP_SLACK: Duration = Duration::from_micros(200);
const BODY_START: &str = "{\"phone\":\"";
const BODY_END: &str = "\",\"channel\":\"sms\"}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::{Pace, Rates};
    use crate::traffic::{Even, Mix};
    use crate::wire;

    #[test]
    fn a_request_is_well_formed_and_names_its_client() {
        let shot = Shot { phone: "+44 740 055 501 00".to_owned(), client: Some([5, 6, 7, 8].into()) };
        let mut request = Vec::new();
        write_request(&mut request, Loopback::port(80), "/send", &shot);
        let read = wire::request(&request).unwrap().unwrap();
        assert_eq!(read.n_bytes, request.len());
        assert_eq!(&request[read.body], b"{\"phone\":\"+44 740 055 501 00\",\"channel\":\"sms\"}");
        assert!(String::from_utf8(request).unwrap().contains("X-Forwarded-For: 5.6.7.8\r\n"));
    }

    #[tokio::test]
    async fn an_open_loop_charges_a_stalled_server_for_what_it_delayed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Loopback::port(listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let mut stall = Duration::from_millis(100);
            while stream.read(&mut buffer).await.unwrap_or(0) != 0 {
                time::sleep(std::mem::take(&mut stall)).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            }
        });
        let rates = Rates { legitimate: 500.0, attack: 0.0 };
        let plan = Plan {
            address,
            path: "/".to_owned(),
            arrivals: Arrivals::new(1, rates, Pace::Open, 0.1, 1000),
            traffic: Traffic::Even(Even { mix: Mix::Spread, next: 0 }),
            patience: Duration::from_secs(5),
            waiting: Waiting::Napping,
        };
        let (outcome, _) = play(plan, vec![Client::new(address)]).await;
        let latency = &outcome.legitimate.latency;
        assert_eq!(outcome.legitimate.n_errors, 0);
        assert!(10 < latency.n_recorded(), "{}", latency.n_recorded());
        assert!(Duration::from_millis(20) < latency.quantile(500), "half of them waited behind the stall");
    }
}
