//! Idle connections to the upstream: the youngest is used first, the oldest are let go.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;

#[derive(Debug)]
pub(super) struct Pool {
    idle: Mutex<VecDeque<(Instant, Connection)>>,
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
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.lock();
        let now = Instant::now();
        while idle.front().is_some_and(|(since, _)| self.idle_timeout <= now.duration_since(*since)) {
            idle.pop_front();
        }
        while let Some((_, mut connection)) = idle.pop_back() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for later, unless there are enough.
    #[expect(clippy::disallowed_methods, reason = "a connection's idleness is nobody's attempt")]
    pub(super) fn give_back(&self, mut connection: Connection) {
        if !connection.is_ready() {
            return;
        }
        let mut idle = self.lock();
        if idle.len() < self.max_idle {
            idle.push_back((Instant::now(), connection));
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
