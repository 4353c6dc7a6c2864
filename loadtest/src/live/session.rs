//! Sends a script's requests when they are due and remembers the answers.
//!
//! A code is typed only if its message was sent, so a verify waits for the answer to its send, and does not happen if
//! that was a refusal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as Turnstile;
use tokio::task::JoinSet;
use tokio::time;

use super::script::{Cue, Script};
use crate::client::Client;
use crate::histogram::Histogram;
use crate::judge::Action;
use crate::play::{Waiting, wait_until};
use crate::sim::Label;
use crate::tally::Tally;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// For each event what became of it, if it was a send and was answered.
    pub(super) actions: Vec<Option<Action>>,
    pub(super) legitimate: Tally,
    pub(super) attack: Tally,
    /// Codes that were typed.
    pub(super) verifies: Tally,
    /// How long after it was due a request was sent, in real time.
    pub(super) lateness: Histogram,
    pub(super) elapsed: Duration,
    /// The first fault, in words.
    pub(super) fault: Option<String>,
    /// Sends that were answered, by line: whether their message was sent.
    forwarded: HashMap<u64, bool>,
}

struct Session {
    started: Instant,
    script: Script,
    next: Turnstile<usize>,
    outcome: Mutex<Outcome>,
}

/// Plays the script over these connections.
pub(super) async fn play(script: Script, clients: Vec<Client>) -> Outcome {
    let outcome = Mutex::new(Outcome::new(script.cues.len()));
    let session = Arc::new(Session { started: Instant::now(), script, next: Turnstile::new(0), outcome });
    let mut workers = JoinSet::new();
    for client in clients {
        workers.spawn(work(Arc::clone(&session), client));
    }
    workers.join_all().await;
    let mut outcome = session.update(|outcome| std::mem::replace(outcome, Outcome::new(0)));
    outcome.elapsed = session.started.elapsed();
    outcome
}

async fn work(session: Arc<Session>, mut client: Client) {
    while let Some(at) = session.next().await {
        let cue = &session.script.cues[at];
        if let Some(send_line) = cue.after
            && !session.was_sent(send_line).await
        {
            continue;
        }
        let sent = session.started.elapsed();
        let result = time::timeout(PATIENCE, client.exchange(&cue.request)).await;
        let latency = session.started.elapsed().saturating_sub(cue.due);
        session.update(|outcome| {
            outcome.lateness.record(sent.saturating_sub(cue.due));
            match result {
                Ok(Ok(response)) => outcome.answered(at, cue, response.status, latency),
                Ok(Err(fault)) => outcome.failed(cue, &fault.to_string()),
                Err(_) => outcome.failed(cue, "no answer in time"),
            }
        });
    }
}

// === impl Session ===

impl Session {
    /// Waits for the next request's time; none when all were sent, or when it is too late for the rest.
    async fn next(&self) -> Option<usize> {
        let mut next = self.next.lock().await;
        let at = *next;
        let cue = self.script.cues.get(at)?;
        if self.script.length + GRACE < self.started.elapsed() {
            *next = self.script.cues.len();
            self.update(|outcome| self.script.cues[at..].iter().for_each(|cue| outcome.tally(cue).n_unsent += 1));
            return None;
        }
        wait_until(self.started, cue.due, Waiting::Napping).await;
        *next += 1;
        Some(at)
    }

    /// Whether that send's message was sent; waits for its answer.
    async fn was_sent(&self, line: u64) -> bool {
        let deadline = self.started.elapsed() + PATIENCE;
        loop {
            if let Some(sent) = self.update(|outcome| outcome.forwarded.get(&line).copied()) {
                return sent;
            }
            if deadline < self.started.elapsed() {
                return false;
            }
            time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn update<T>(&self, change: impl FnOnce(&mut Outcome) -> T) -> T {
        change(&mut self.outcome.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Outcome ===

impl Outcome {
    fn new(n_events: usize) -> Self {
        Self {
            actions: vec![None; n_events],
            legitimate: Tally::new(),
            attack: Tally::new(),
            verifies: Tally::new(),
            lateness: Histogram::new(),
            elapsed: Duration::ZERO,
            fault: None,
            forwarded: HashMap::new(),
        }
    }

    fn answered(&mut self, at: usize, cue: &Cue, status: u16, latency: Duration) {
        self.tally(cue).answered(status, latency);
        if cue.after.is_some() {
            return;
        }
        let is_sent = (200..300).contains(&status);
        self.forwarded.insert(cue.line, is_sent);
        self.actions[at] = Some(if is_sent { Action::Allow } else { Action::Block });
    }

    fn failed(&mut self, cue: &Cue, fault: &str) {
        self.tally(cue).n_errors += 1;
        if cue.after.is_none() {
            self.forwarded.insert(cue.line, false);
        }
        self.fault.get_or_insert_with(|| fault.to_owned());
    }

    fn tally(&mut self, cue: &Cue) -> &mut Tally {
        match (cue.after, cue.label) {
            (Some(_), _) => &mut self.verifies,
            (None, Label::Legit) => &mut self.legitimate,
            (None, Label::Attack) => &mut self.attack,
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
/// How long after its end a run still sends what was due.
const GRACE: Duration = Duration::from_secs(60);
