//! The line of one decision, written when the request ends, however it ends.

use std::time::Duration;

use http::StatusCode;

use super::super::caller::Caller;
use super::super::endpoint::Endpoint;
use super::{Decided, Rules, Shared};
use crate::attempt::origin::Origin;
use crate::risk::Money;
use crate::telemetry::Decision;

/// A decision on its way to the block log. Dropped with its request, it is written all the same.
pub(super) struct Record<'a> {
    shared: &'a Shared,
    rules: &'a Rules,
    endpoint: &'a Endpoint,
    caller: &'a Caller,
    decided: &'a Decided,
    status: Option<StatusCode>,
    upstream_status: Option<StatusCode>,
}

// === impl Record ===

impl<'a> Record<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        rules: &'a Rules,
        endpoint: &'a Endpoint,
        caller: &'a Caller,
        decided: &'a Decided,
    ) -> Self {
        Self { shared, rules, endpoint, caller, decided, status: None, upstream_status: None }
    }

    /// We answered.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// The upstream answered, and so did we.
    pub(super) fn sent(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.upstream_status = Some(status);
    }

    /// Since the request arrived.
    pub(super) fn elapsed(&self) -> Duration {
        self.caller.arrived.elapsed()
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let attempts = &self.decided.attempts;
        // All attempts of a request differ in nothing but their numbers.
        let attempt = attempts.first();
        let prices = attempts.iter().map(|attempt| self.shared.engine.price(attempt));
        self.shared.block_log.write(&Decision {
            at: self.caller.at,
            request_id: self.caller.request_id(),
            endpoint: self.endpoint.name(),
            verdict: self.decided.decision.verdict,
            mode: self.rules.policy.mode(),
            assessment: &self.decided.decision.assessment,
            client: self.caller.client,
            origin: attempt.map_or_else(Origin::default, |attempt| attempt.origin),
            agent: attempt.and_then(|attempt| attempt.agent),
            channel: self.endpoint.channel(),
            number: self.decided.decision.number,
            price: attempt.map(|_| prices.fold(Money::default(), Money::plus)),
            n_numbers: attempts.len(),
            policy_version: &self.rules.version,
            status: self.status.map(|status| status.as_u16()),
            upstream_status: self.upstream_status.map(|status| status.as_u16()),
            latency: self.elapsed(),
        });
    }
}
