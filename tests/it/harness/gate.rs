//! Waiting for events, with a deadline that fails the test instead of hanging it.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Closed until somebody opens it.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

// === impl Gate ===

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Says whether it was opened in time.
    pub(crate) fn pass(&self) -> bool {
        let is_open = self.0.0.lock().unwrap();
        *self.0.1.wait_timeout_while(is_open, PATIENCE, |is_open| !*is_open).unwrap().0
    }
}

/// Asks again and again until there is an answer.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
