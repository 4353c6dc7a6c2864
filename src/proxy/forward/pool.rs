//! Idle connections to the upstream: the youngest is used first, the oldest are let go.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::SendRequest;

use super::Outgoing;

pub(super) type Sender = SendRequest<Outgoing>;

#[derive(Debug)]
pub(super) struct Pool {
    idle: Mutex<VecDeque<(Instant, Sender)>>,
    max_idle: usize,
    idle_timeout: Duration,
}

// === impl Pool ===

impl Pool {
    pub(super) fn new(max_idle: usize, idle_timeout: Duration) -> Self {
        Self { idle: Mutex::default(), max_idle, idle_timeout }
    }

    /// The connection used last that is still open.
    #[expect(clippy::disallowed_methods, reason = "a connection's idleness is nobody's attempt")]
    pub(super) fn take(&self) -> Option<Sender> {
        let mut idle = self.lock();
        let now = Instant::now();
        while idle.front().is_some_and(|(since, _)| self.idle_timeout <= now.duration_since(*since)) {
            idle.pop_front();
        }
        while let Some((_, sender)) = idle.pop_back() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    /// Keeps a connection for later, unless there are enough.
    #[expect(clippy::disallowed_methods, reason = "a connection's idleness is nobody's attempt")]
    pub(super) fn give_back(&self, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.lock();
        if idle.len() < self.max_idle {
            idle.push_back((Instant::now(), sender));
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Sender)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
