//! Plays the script against the proxy, everybody at their time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::client::Client;
use super::script::{Habit, Pace, Script, Visit};

/// A play that is under way; dropping it leaves it running.
#[derive(Debug)]
pub(super) struct Traffic {
    director: JoinHandle<()>,
    n_failed: Arc<AtomicU64>,
}

// === impl Traffic ===

impl Traffic {
    pub(super) fn start(script: &Arc<Script>, proxy: SocketAddr, started: Instant) -> Self {
        let n_failed = Arc::default();
        let director = tokio::spawn(direct(Arc::clone(script), proxy, started, Arc::clone(&n_failed)));
        Self { director, n_failed }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.director.is_finished()
    }

    /// Stops whatever still runs. Says how many requests were not answered at all.
    pub(super) fn end(self) -> u64 {
        self.director.abort();
        self.n_failed.load(Ordering::Relaxed)
    }
}

/// Starts every visit at its time, and ends, with whoever is still waiting, when the story does.
async fn direct(script: Arc<Script>, proxy: SocketAddr, started: Instant, n_failed: Arc<AtomicU64>) {
    let mut people = JoinSet::new();
    for (index, visit) in script.visits.iter().enumerate() {
        tokio::time::sleep_until(started + script.pace.played(visit.at)).await;
        let client = Client { proxy, ip: visit.client, request_id: visit.party.request_id(index) };
        let (script, n_failed) = (Arc::clone(&script), Arc::clone(&n_failed));
        people.spawn(async move {
            let Some(visit) = script.visits.get(index) else { return };
            if live(&client, visit, script.pace).await.is_err() {
                n_failed.fetch_add(1, Ordering::Relaxed);
            }
        });
        while people.try_join_next().is_some() {}
    }
    tokio::time::sleep_until(started + script.pace.length()).await;
}

/// One person: asks, and types the code if there is one. Who is refused has none.
async fn live(client: &Client, visit: &Visit, pace: Pace) -> Result<(), tower::BoxError> {
    let mut habit = visit.habit;
    loop {
        let status = client.post(SEND, &visit.phone).await?;
        match (status, habit) {
            (StatusCode::OK, Habit::TypesCode(after)) => {
                tokio::time::sleep(pace.played(after)).await;
                client.post(VERIFY, &visit.phone).await?;
                return Ok(());
            }
            (StatusCode::OK, Habit::AsksAgain(after)) => {
                tokio::time::sleep(pace.played(after)).await;
                habit = Habit::TypesCode(after);
            }
            _ => return Ok(()),
        }
    }
}

pub(super) const SEND: &str = "/api/auth/send-otp";
pub(super) const VERIFY: &str = "/api/auth/verify-otp";
