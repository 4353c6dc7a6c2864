//! Turns refusals and faults into answers: the only place that writes a response of tollgate's own.
//!
//! Every refusal has the same body, whatever the reason: an attacker learns that he was refused, and not why.

use std::time::Duration;

use axum_core::body::Body;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Response, StatusCode};
use tower::load_shed::error::Overloaded;

use crate::telemetry::Metrics;
use crate::telemetry::metrics::Refused;

/// A request that is answered by us and not by the upstream, for a good reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Policy or score.
    Forbidden,
    /// A limit is used up; with the time until a retry can succeed.
    OverLimit(Duration),
    /// No number could be read.
    Unreadable,
    /// The body is larger than allowed.
    TooLarge,
    /// The body did not arrive in time.
    SlowBody,
    /// The request cannot be forwarded safely.
    Malformed,
    /// The endpoint does not take this method.
    WrongMethod(Vec<Method>),
}

/// Something broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the upstream cannot be reached")]
    Unreachable,
    #[error("the upstream does not accept connections in time")]
    Silent,
    #[error("the upstream broke the connection")]
    Broken,
    #[error("the upstream did not answer in time")]
    TimedOut,
    #[error("deciding failed")]
    Panicked,
    #[error("too many guarded requests are in work")]
    Overloaded,
}

/// Why a request ends here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Refused(Refusal),
    Failed(Fault),
}

// === impl Stopped ===

impl Stopped {
    /// The answer to the client.
    pub(super) fn answer(&self) -> Response<Body> {
        match self {
            Self::Refused(refusal) => refusal.answer(),
            Self::Failed(fault) => fault.answer(),
        }
    }
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

// === impl Refusal ===

impl Refusal {
    /// The answer's status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::OverLimit(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unreadable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// The answer itself.
    pub(super) fn answer(&self) -> Response<Body> {
        let mut response = problem(self.status(), REFUSED);
        match self {
            Self::OverLimit(wait) => {
                response.headers_mut().insert(RETRY_AFTER, retry_after(*wait));
            }
            Self::WrongMethod(methods) => {
                let methods = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
                if let Ok(methods) = HeaderValue::from_str(&methods) {
                    response.headers_mut().insert(ALLOW, methods);
                }
            }
            Self::Forbidden | Self::Unreadable | Self::TooLarge | Self::SlowBody | Self::Malformed => {}
        }
        response
    }
}

// === impl Fault ===

impl Fault {
    /// Whether the upstream certainly saw nothing of the request.
    pub(super) fn is_unsent(self) -> bool {
        match self {
            Self::Unreachable | Self::Silent | Self::Panicked | Self::Overloaded => true,
            Self::Broken | Self::TimedOut => false,
        }
    }

    /// The answer's status.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unreachable | Self::Broken => StatusCode::BAD_GATEWAY,
            Self::Silent | Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Panicked | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The answer itself.
    pub(super) fn answer(self) -> Response<Body> {
        let mut response = problem(self.status(), FAILED);
        if self == Self::Overloaded {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// An answer to any error of the stack around the guard: too many requests at once.
pub(super) fn answer(error: &tower::BoxError, metrics: &Metrics) -> Response<Body> {
    if error.is::<Overloaded>() {
        metrics.refused(Refused::Overload);
        let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, FAILED);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        return response;
    }
    problem(StatusCode::INTERNAL_SERVER_ERROR, FAILED)
}

fn problem(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Seconds until a retry can succeed: rounded up, since a client told to come back too early is refused twice.
fn retry_after(wait: Duration) -> HeaderValue {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() != 0);
    HeaderValue::from(seconds.max(1))
}

const REFUSED: &str = r#"{"type":"about:blank","title":"Request refused","detail":"This request was not accepted. If you need a code, try again later or use another way to sign in."}"#;
const FAILED: &str = r#"{"type":"about:blank","title":"Service unavailable","detail":"The request could not be completed. It is safe to look at its outcome before trying again."}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up() {
        assert_eq!(retry_after(Duration::from_millis(1)), "1");
        assert_eq!(retry_after(Duration::from_millis(1001)), "2");
        assert_eq!(retry_after(Duration::from_secs(60)), "60");
    }
}
