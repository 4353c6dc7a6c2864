//! The decision: guarded or not, readable or not, permitted or not, in this order, before any byte goes upstream.
//!
//! 1. A request that no endpoint guards is streamed through.
//! 2. A guarded one is read whole. What cannot be read is refused, with the reason in the log.
//! 3. Every number is assessed and judged; the worst verdict counts for all.
//! 4. What is allowed takes its place in the exact limits, or is refused.
//! 5. Only then does a `Permitted` exist, which is all that `forward` accepts. It is sent once.

mod read;
mod record;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, Request, Response, Version};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use smallvec::SmallVec;
use tokio::sync::Semaphore;
use tower::Service;

use super::caller::Caller;
use super::endpoint::{Endpoint, Endpoints, Found, Role};
use super::extract::{self, Unreadable};
use super::forward::{Forward, Outgoing, Sent};
use super::headers::{self, Upgrading};
use super::rescue::{Fault, Refusal, Stopped};
use super::upgrade;
use crate::attempt::Attempt;
use crate::attempt::Verdict;
use crate::attempt::origin::Origin;
use crate::attempt::phone::{Number, Reader};
use crate::geo::Geo;
use crate::policy::{Decision, Mode, Policy};
use crate::risk::{Engine, Event, Fact, Money, Signal};
use crate::telemetry::block_log::Verified;
use crate::telemetry::metrics::{EndpointCounters, Outcome, Refused};
use crate::telemetry::{BlockLog, Metrics};
use record::Record;

pub use read::ReadConfig;

/// A request that the guard agreed to: the only thing that can be forwarded. Nothing outside this module makes one.
#[derive(Debug)]
pub(super) struct Permitted(Request<Outgoing>);

/// What the guard decides by.
#[derive(Debug)]
pub struct Rules {
    /// What is guarded.
    pub endpoints: Endpoints,
    /// The verdicts.
    pub policy: Policy,
    /// What the block log calls this policy.
    pub version: String,
    counters: Vec<EndpointCounters>,
}

/// What all threads share.
#[derive(Debug)]
pub struct Shared {
    /// What is decided by.
    pub rules: Rules,
    /// Guarded requests that may be in work at once; streamed ones are bounded by their connections.
    pub in_work: Semaphore,
    /// What is remembered.
    pub engine: Arc<Engine>,
    /// How numbers are read.
    pub reader: Reader,
    /// Where clients are.
    pub geo: Arc<Geo>,
    /// Where a trusted hop says what a client's TLS hello looks like.
    pub fingerprint_header: Option<HeaderName>,
    /// Where decisions are written.
    pub block_log: BlockLog,
    /// Where they are counted.
    pub metrics: Arc<Metrics>,
    /// How bodies are read.
    pub read: ReadConfig,
}

/// The service in the middle of the stack.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    shared: Arc<Shared>,
    forward: Forward,
}

/// What was decided about a request, and what it holds until it is sent.
struct Decided {
    decision: Decision,
    attempts: Attempts,
    refusal: Option<Refusal>,
}

type Attempts = SmallVec<[Attempt; 1]>;

// === impl Permitted ===

impl Permitted {
    /// The request, to be sent once.
    pub(super) fn into_request(self) -> Request<Outgoing> {
        self.0
    }
}

// === impl Rules ===

impl Rules {
    /// Rules whose decisions are counted in `metrics`.
    pub fn new(endpoints: Endpoints, policy: Policy, version: String, metrics: &Metrics) -> Self {
        let counters = endpoints.iter().map(|endpoint| match endpoint.role() {
            Role::Send => metrics.endpoint(endpoint.name()),
            // Nothing is decided there.
            Role::Verify => EndpointCounters::default(),
        });
        let counters = counters.collect();
        Self { endpoints, policy, version, counters }
    }
}

// === impl Guard ===

impl Guard {
    pub(super) fn new(shared: Arc<Shared>, forward: Forward) -> Self {
        Self { shared, forward }
    }

    async fn handle(self, request: Request<Incoming>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let Some(caller) = parts.extensions.remove::<Caller>() else {
            return Fault::Panicked.answer();
        };
        let rules = &self.shared.rules;
        let handled = match rules.endpoints.find(&parts.method, &parts.uri) {
            // Neither is for an app behind a proxy: one opens a tunnel, the other shows the request's own secrets.
            _ if matches!(parts.method, Method::CONNECT | Method::TRACE) => {
                self.shared.metrics.refused(Refused::Method);
                Err(Refusal::WrongMethod(Vec::new()).into())
            }
            Found::Open => self.pass(parts, body, &caller).await,
            Found::Preflight(_) if body.is_end_stream() => self.pass(parts, body, &caller).await,
            Found::Guarded(index, endpoint) => self.guard(rules, index, endpoint, parts, body, &caller).await,
            Found::Preflight(endpoint) | Found::WrongMethod(endpoint) => {
                self.shared.metrics.refused(Refused::Method);
                let refusal = Refusal::WrongMethod(endpoint.methods().to_vec());
                Err(self.refuse(rules, endpoint, &caller, refusal, "the endpoint does not take this method"))
            }
            Found::Doubtful(endpoint) => {
                self.shared.metrics.refused(Refused::Malformed);
                let why = "the target might mean this endpoint, and is not spelled like it";
                Err(self.refuse(rules, endpoint, &caller, Refusal::Malformed, why))
            }
        };
        let mut response = handled.unwrap_or_else(|stopped| stopped.answer());
        response.headers_mut().insert(super::caller::REQUEST_ID, caller.request_id);
        response
    }

    /// Streams a request that no endpoint guards.
    async fn pass(&self, mut parts: Parts, body: Incoming, caller: &Caller) -> Result<Response<Body>, Stopped> {
        self.shared.metrics.passed();
        let wants_websocket = parts.version == Version::HTTP_11
            && parts.method == Method::GET
            && headers::wants_websocket(&parts.headers);
        let upgrading = if wants_websocket { Upgrading::Keep } else { Upgrading::Strip };
        if headers::outbound(&mut parts, caller, upgrading).is_err() {
            return self.malformed();
        }
        if !body.is_end_stream() && body.size_hint().exact().is_none() {
            // hyper takes the body of a GET without a length for none.
            parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let mut request = Request::from_parts(parts, ());
        let client = wants_websocket.then(|| hyper::upgrade::on(&mut request));
        let permitted = Permitted(request.map(|()| Outgoing::stream(body)));
        let Sent { mut response, upgrade } = self.send(permitted, caller).await?;
        let Some(upstream) = upgrade else {
            headers::inbound(response.headers_mut(), Upgrading::Strip);
            return Ok(response);
        };
        let (Some(client), true) = (client, headers::names_websocket(response.headers())) else {
            // Nobody asked for what the upstream agreed to.
            return Err(Fault::Broken.into());
        };
        headers::inbound(response.headers_mut(), Upgrading::Keep);
        upgrade::join(client, upstream, self.shared.read.idle_timeout, Arc::clone(&caller.link.place));
        Ok(response)
    }

    /// Decides about a guarded request, and sends it if it may.
    async fn guard(
        &self,
        rules: &Rules,
        index: usize,
        endpoint: &Endpoint,
        mut parts: Parts,
        body: Incoming,
        caller: &Caller,
    ) -> Result<Response<Body>, Stopped> {
        let shared = &self.shared;
        let Ok(_place) = shared.in_work.try_acquire() else {
            shared.metrics.refused(Refused::Overload);
            return Err(Fault::Overloaded.into());
        };
        let body = read::whole(body, &parts.headers, &shared.read).await.map_err(|refusal| {
            let (counted, why) = match refusal {
                Refusal::TooLarge => (Refused::TooLarge, "the body is larger than server.max_body"),
                _ => (Refused::SlowBody, "the body did not arrive whole and in time"),
            };
            shared.metrics.refused(counted);
            self.refuse(rules, endpoint, caller, refusal, why)
        })?;
        if headers::outbound(&mut parts, caller, Upgrading::Strip).is_err() {
            return self.malformed();
        }
        if endpoint.role() == Role::Verify {
            return self.verify(endpoint, parts, body, caller).await;
        }
        // Parsers are the least trusted code here: one that panics costs this request and nothing else.
        let decided = catch_unwind(AssertUnwindSafe(|| self.decide(rules, endpoint, &parts, &body, caller)));
        let mut decided = decided.map_err(|_| Fault::Panicked)?;
        let reservation = std::mem::take(&mut decided.decision.reservation);
        let mut record = Record::new(shared, rules, endpoint, caller, &decided);
        let decision = &decided.decision;
        if let Some(counters) = rules.counters.get(index) {
            let country = decision.number.map(|number| number.country());
            shared.metrics.decided(counters, decision.verdict, country, record.elapsed());
        }
        if decision.verdict != Verdict::Allow && rules.policy.mode() == Mode::Enforce {
            let reason = decision.assessment.deciding().unwrap_or(Signal::Prior);
            let prices = decided.attempts.iter().map(|attempt| shared.engine.price(attempt));
            shared.metrics.stopped(decision.verdict, reason, prices.fold(Money::default(), Money::plus));
        }
        if let (Some(refusal), Mode::Enforce) = (&decided.refusal, rules.policy.mode()) {
            record.answered(refusal.status());
            return Err(refusal.clone().into());
        }
        let sent = self.send(whole(parts, body), caller).await;
        match sent {
            Ok(Sent { mut response, .. }) => {
                record.sent(response.status());
                headers::inbound(response.headers_mut(), Upgrading::Strip);
                Ok(response)
            }
            Err(fault) => {
                if fault.is_unsent() {
                    shared.engine.refund(reservation);
                    for send in &decided.decision.sends {
                        shared.engine.fold(&Event::Unsent { at: caller.at, send: *send });
                    }
                }
                record.answered(fault.status());
                Err(fault.into())
            }
        }
    }

    /// Lets a check of a code through, and learns from a good answer.
    async fn verify(
        &self,
        endpoint: &Endpoint,
        parts: Parts,
        body: Bytes,
        caller: &Caller,
    ) -> Result<Response<Body>, Stopped> {
        let shared = &self.shared;
        let read = catch_unwind(AssertUnwindSafe(|| extract::numbers(endpoint, &shared.reader, &parts, &body)));
        let Sent { mut response, .. } = self.send(whole(parts, body), caller).await?;
        if let (Ok(Ok(numbers)), true) = (read, response.status().is_success()) {
            for number in numbers {
                shared.engine.fold(&Event::Verified { at: caller.at, number });
                shared.metrics.verified();
                shared.block_log.write_verified(&Verified {
                    at: caller.at,
                    request_id: caller.request_id(),
                    endpoint: endpoint.name(),
                    client: caller.client,
                    number,
                });
            }
        }
        headers::inbound(response.headers_mut(), Upgrading::Strip);
        Ok(response)
    }

    fn decide(&self, rules: &Rules, endpoint: &Endpoint, parts: &Parts, body: &[u8], caller: &Caller) -> Decided {
        let numbers = match extract::numbers(endpoint, &self.shared.reader, parts, body) {
            Ok(numbers) => numbers,
            Err(unreadable) => return Decided::unreadable(unreadable),
        };
        let agent = caller.agent(&parts.headers, self.shared.fingerprint_header.as_ref());
        let attempt = |number: &Number| Attempt {
            at: caller.at,
            client: caller.client,
            origin: caller.client.map_or_else(Origin::default, |client| self.shared.geo.lookup(client.ip())),
            agent,
            number: *number,
            channel: endpoint.channel(),
        };
        let attempts: Attempts = numbers.iter().map(attempt).collect();
        let decision = rules.policy.decide(&self.shared.engine, &attempts);
        let refusal = match (decision.verdict, decision.exceeded) {
            (_, Some(exceeded)) => Some(Refusal::OverLimit(exceeded.wait())),
            (Verdict::Allow, None) => None,
            (Verdict::Challenge | Verdict::Block, None) => Some(Refusal::Forbidden),
        };
        Decided { decision, attempts, refusal }
    }

    async fn send(&self, permitted: Permitted, caller: &Caller) -> Result<Sent, Fault> {
        let started = caller.arrived.elapsed();
        let sent = self.forward.send(permitted, &caller.link).await;
        let outcome = match &sent {
            Ok(sent) => Outcome::Answered(sent.response.status().as_u16()),
            Err(Fault::Unreachable | Fault::Silent | Fault::Panicked | Fault::Overloaded) => Outcome::Unreachable,
            Err(Fault::TimedOut) => Outcome::TimedOut,
            Err(Fault::Broken) => Outcome::Broken,
        };
        self.shared.metrics.upstream(outcome, caller.arrived.elapsed().saturating_sub(started));
        sent
    }

    /// Refuses before any number was read, and leaves the line that says why.
    fn refuse(
        &self,
        rules: &Rules,
        endpoint: &Endpoint,
        caller: &Caller,
        refusal: Refusal,
        why: &'static str,
    ) -> Stopped {
        let decided = Decided::refused(refusal.clone(), Fact::Because(why));
        Record::new(&self.shared, rules, endpoint, caller, &decided).answered(refusal.status());
        refusal.into()
    }

    fn malformed(&self) -> Result<Response<Body>, Stopped> {
        self.shared.metrics.refused(Refused::Malformed);
        Err(Refusal::Malformed.into())
    }
}

impl Service<Request<Incoming>> for Guard {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, std::convert::Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let guard = self.clone();
        Box::pin(async move { Ok(guard.handle(request).await) })
    }
}

// === impl Decided ===

impl Decided {
    fn unreadable(unreadable: Unreadable) -> Self {
        Self::refused(Refusal::Unreadable, unreadable.fact())
    }

    fn refused(refusal: Refusal, fact: Fact) -> Self {
        Self { decision: Decision::unreadable(fact), attempts: Attempts::new(), refusal: Some(refusal) }
    }
}

fn whole(mut parts: Parts, body: Bytes) -> Permitted {
    // Written anew by hyper from the body's real length.
    parts.headers.remove(CONTENT_LENGTH);
    Permitted(Request::from_parts(parts, Outgoing::Whole(Full::new(body))))
}
