//! The proxy: listeners, the stack that every request goes through, and the guard in its middle.
//!
//! One thread per core, each with its own runtime, its own share of the connections and its own upstream connections:
//! a request never changes threads. What is counted about clients and numbers is shared by all of them.

pub mod caller;
pub mod ceiling;
pub mod client_addr;
pub mod endpoint;
pub mod forward;
pub mod guard;

mod activity;
mod extract;
mod headers;
mod listen;
mod rescue;
mod serve;
mod upgrade;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum_core::body::Body;
use bytesize::ByteSize;
use http::HeaderName;
use http::{Request, Response};
use hyper::body::Incoming;
use serde::{Deserialize, Deserializer};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{Service, ServiceBuilder};

use crate::tls::Identity;
use ceiling::CeilingLayer;
use client_addr::TrustedProxies;
use forward::{Forward, Upstream};
use guard::{Guard, Shared};

pub use forward::ForwardConfig;
pub use listen::{BindError, Bound, Listen, ListenError};
pub use serve::{Server, Shutdown, serve};

/// The `[server]` section.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Where clients connect: one place or several.
    pub listen: OneOrMany<Listen>,
    /// Where permitted requests go.
    pub upstream: Upstream,
    /// The hops whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
    /// The header in which a trusted hop says what a client's TLS hello looks like, such as its JA4.
    pub fingerprint_header: Option<FieldName>,
    /// With it, every TCP listener speaks TLS.
    pub tls: Option<Identity>,
    /// Threads that serve; 0 is one per core.
    pub threads: usize,
    /// Client connections open at once; further ones wait in the kernel's queue.
    pub max_connections: NonZeroU32,
    /// Guarded requests in work at once; further ones are answered 503.
    pub max_in_flight: NonZeroU32,
    /// The largest body of a guarded request.
    pub max_body: ByteSize,
    /// From the first byte of a request's head, or of a TLS handshake, to the last.
    #[serde(with = "duration")]
    pub header_timeout: Duration,
    /// From a guarded request's head to the end of its body.
    #[serde(with = "duration")]
    pub body_timeout: Duration,
    /// How long a connection may be silent between requests, or inside an upgraded one.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// After SIGTERM: how long readiness is off before listeners close, so that load balancers notice.
    #[serde(with = "duration")]
    pub drain_delay: Duration,
    /// After SIGTERM: how long requests in work may take before they are cut.
    #[serde(with = "duration")]
    pub drain_timeout: Duration,
}

/// One value or a list of them.
#[derive(Clone, Debug)]
pub struct OneOrMany<T>(pub Vec<T>);

/// The name of a header field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FieldName(pub HeaderName);

/// A text that names no header field.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the name of a header, expected letters, digits and dashes, such as \"X-JA4\"")]
pub struct NotAFieldName(String);

impl TryFrom<String> for FieldName {
    type Error = NotAFieldName;

    fn try_from(text: String) -> Result<Self, NotAFieldName> {
        HeaderName::from_bytes(text.as_bytes()).map(Self).map_err(|_| NotAFieldName(text))
    }
}

/// The stack on one screen: what every request goes through, from the outside in.
fn stack(
    limit: GlobalConcurrencyLimitLayer,
    ceiling: CeilingLayer,
    shared: Arc<Shared>,
    forward: Forward,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = tower::BoxError, Future: Send> + Clone {
    let metrics = Arc::clone(&shared.metrics);
    ServiceBuilder::new()
        // Outside everything that can fail, so that every error becomes a response here.
        .map_result(move |result: Result<Response<Body>, tower::BoxError>| {
            Ok::<_, tower::BoxError>(result.unwrap_or_else(|error| rescue::answer(&error, &metrics)))
        })
        // Before any body is read: an overload costs nothing but this check.
        .load_shed()
        // Shared by all threads: what the process takes on at once. Guarded requests, whose bodies are held, have a
        // bound of their own in the guard, so that trickling uploads elsewhere cannot shut them out.
        .layer(limit)
        // Per client, and cheap: floods stop before their bodies are read.
        .layer(ceiling)
        // Everything that is ours: read, decide, forward.
        .service(Guard::new(shared, forward))
}

// === impl ServerConfig ===

impl Default for ServerConfig {
    fn default() -> Self {
        let Ok(upstream) = "http://127.0.0.1:3000".parse() else { unreachable!("a constant that parses") };
        let most = |n: u32| NonZeroU32::MIN.saturating_add(n - 1);
        Self {
            listen: OneOrMany(vec![Listen::loopback(8080)]),
            upstream,
            trusted_proxies: TrustedProxies::default(),
            fingerprint_header: None,
            tls: None,
            threads: 0,
            max_connections: most(10_000),
            max_in_flight: most(2_000),
            max_body: ByteSize::kib(64),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMany<T>, E> {
                T::deserialize(serde::de::value::StrDeserializer::new(text)).map(|one| OneOrMany(vec![one]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut elements: A) -> Result<OneOrMany<T>, A::Error> {
                let mut many = Vec::new();
                while let Some(element) = elements.next_element()? {
                    many.push(element);
                }
                if many.is_empty() {
                    return Err(serde::de::Error::invalid_length(0, &"at least one"));
                }
                Ok(OneOrMany(many))
            }
        }

        deserializer.deserialize_any(Visitor(std::marker::PhantomData))
    }
}

/// Durations as strings with units, `250ms` to `1d`.
mod duration {
    use std::fmt;
    use std::time::Duration;

    use serde::de::{Deserializer, Error, Visitor};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_str(Text)
    }

    struct Text;

    impl Visitor<'_> for Text {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string such as \"500ms\", \"10s\" or \"2m\", at most \"1d\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            match humantime::parse_duration(text) {
                Ok(duration) if duration <= Duration::from_hours(24) => Ok(duration),
                Ok(_) | Err(_) => Err(E::custom(format_args!(
                    "`{text}` is not a duration, expected something like \"500ms\", \"10s\" or \"2m\", at most \"1d\""
                ))),
            }
        }
    }
}
