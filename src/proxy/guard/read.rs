//! Reads the body of a guarded request whole, within a size and a time.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

use super::super::rescue::Refusal;

/// How much is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct ReadConfig {
    /// The largest guarded body, in bytes.
    pub max_body: usize,
    /// From the request's head to the end of its body.
    pub body_timeout: Duration,
    /// How long an upgraded connection may be silent.
    pub idle_timeout: Duration,
}

/// The whole body, or why there is none.
pub(super) async fn whole(body: Incoming, headers: &HeaderMap, config: &ReadConfig) -> Result<Bytes, Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| (config.max_body as u64) < length) {
        return Err(Refusal::TooLarge);
    }
    let collected = Limited::new(body, config.max_body).collect();
    match tokio::time::timeout(config.body_timeout, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Ok(Err(_)) => Err(Refusal::Malformed),
        Err(_) => Err(Refusal::SlowBody),
    }
}
