//! The block log: one JSON line per decision on a guarded endpoint, enough to explain it alone, and one per typed code.
//!
//! Lines go into a bounded buffer that a thread of its own writes twenty times a second, so a slow disk or a stopped
//! reader costs lines, which are counted, and never a request. docs/block-log.md describes the fields.

mod line;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;

use super::Pseudonyms;
use crate::attempt::Timestamp;
use crate::attempt::agent::Agent;
use crate::attempt::client::Client;
use crate::attempt::origin::Origin;
use crate::attempt::phone::Number;
use crate::attempt::{Channel, Verdict};
use crate::policy::Mode;
use crate::risk::{Assessment, Money};
use line::Lines;

/// The `[block_log]` section.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlockLogConfig {
    /// `-` for stdout, or a file that is appended to and reopened when it was moved away.
    pub path: PathBuf,
    /// How numbers are shown.
    pub numbers: Masking,
    /// A file with at least 32 random bytes that keys `number_hash`; without it pseudonyms change at every start.
    pub hash_key: Option<PathBuf>,
}

/// How numbers are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Masking {
    /// Calling code and last two digits.
    #[default]
    Masked,
    /// Everything but the last four digits: enough to see ranges, and to replay the log.
    Range,
    /// Whole: only where law and policy allow it.
    Full,
}

/// Everything about one decision.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// When the request arrived.
    pub at: Timestamp,
    /// The request's name across logs.
    pub request_id: &'a str,
    /// The guarded endpoint's name.
    pub endpoint: &'a str,
    /// What was decided.
    pub verdict: Verdict,
    /// Whether it was carried out.
    pub mode: Mode,
    /// Why.
    pub assessment: &'a Assessment,
    /// Who asked.
    pub client: Option<Client>,
    /// Where the client's address is used, as far as it is known.
    pub origin: Origin,
    /// What the client's software looks like.
    pub agent: Option<Agent>,
    /// How the code would be delivered.
    pub channel: Channel,
    /// The number that decided: the worst of several.
    pub number: Option<Number>,
    /// What the request's messages cost together, where numbers were read.
    pub price: Option<Money>,
    /// How many numbers the request names.
    pub n_numbers: usize,
    /// Which policy decided.
    pub policy_version: &'a str,
    /// What the client was answered, if it waited for it.
    pub status: Option<u16>,
    /// What the upstream answered, if it was asked and did.
    pub upstream_status: Option<u16>,
    /// From arrival to answer.
    pub latency: Duration,
}

/// A code that was typed: an endpoint that checks codes answered 2xx.
#[derive(Clone, Debug)]
pub struct Verified<'a> {
    /// When the request arrived.
    pub at: Timestamp,
    /// The request's name across logs.
    pub request_id: &'a str,
    /// The name of the endpoint that checks codes.
    pub endpoint: &'a str,
    /// Who typed it.
    pub client: Option<Client>,
    /// Whose code it was.
    pub number: Number,
}

/// Where decisions are written.
#[derive(Debug)]
pub struct BlockLog {
    shared: Arc<Shared>,
    pseudonyms: Arc<Pseudonyms>,
    masking: Masking,
}

/// The thread that writes; ends, with everything written, when it is closed.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Buffer {
    lines: Lines,
    n_lost: u64,
    is_closed: bool,
    is_done: bool,
}

#[derive(Debug)]
enum Sink {
    Stdout,
    File { path: PathBuf, file: File },
}

// === impl BlockLog ===

impl BlockLog {
    /// Opens the log and starts its writer.
    ///
    /// # Errors
    /// The file cannot be opened for appending.
    pub fn open(config: &BlockLogConfig, pseudonyms: Arc<Pseudonyms>) -> io::Result<(Self, Writer)> {
        let mut sink = Sink::open(&config.path)?;
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("block-log".into()).spawn(move || ours.write(&mut sink))?;
        let log = Self { shared: Arc::clone(&shared), pseudonyms, masking: config.numbers };
        Ok((log, Writer { shared, thread: Some(thread) }))
    }

    /// Writes one line about a decision, soon.
    pub fn write(&self, decision: &Decision<'_>) {
        // Outside the lock: it is the dear part.
        let pseudonym = decision.number.map(|number| self.pseudonyms.of(number));
        self.append(|lines| lines.decision(decision, pseudonym.as_deref(), self.masking));
    }

    /// Writes one line about a typed code, soon.
    pub fn write_verified(&self, verified: &Verified<'_>) {
        let pseudonym = self.pseudonyms.of(verified.number);
        self.append(|lines| lines.verified(verified, &pseudonym, self.masking));
    }

    /// Lines lost so far, because the sink was slower than the decisions.
    pub fn n_lost(&self) -> u64 {
        self.shared.lock().n_lost
    }

    fn append(&self, render: impl FnOnce(&mut Lines)) {
        let mut buffer = self.shared.lock();
        if MOST_BUFFERED < buffer.lines.bytes.len() {
            buffer.n_lost += 1;
        } else {
            render(&mut buffer.lines);
        }
    }
}

// === impl Writer ===

impl Writer {
    /// Writes what is left and ends. A sink that takes nothing for two seconds is given up: a stopped reader must not
    /// keep the process from ending.
    pub fn close(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let mut buffer = self.shared.lock();
        buffer.is_closed = true;
        self.shared.wake.notify_all();
        let waited = self.shared.wake.wait_timeout_while(buffer, LAST_WRITE, |buffer| !buffer.is_done);
        let is_done = waited.unwrap_or_else(PoisonError::into_inner).0.is_done;
        if is_done {
            // It has nothing left to do but to end.
            let _ended = thread.join();
        } else {
            tracing::error!("block log: the last lines are lost, nobody takes them");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

// === impl Shared ===

impl Shared {
    fn write(&self, sink: &mut Sink) {
        let mut batch = Vec::new();
        loop {
            let is_closed = {
                let buffer = self.lock();
                let waited = self.wake.wait_timeout_while(buffer, PERIOD, |buffer| !buffer.is_closed);
                let (mut buffer, _) = waited.unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut batch, &mut buffer.lines.bytes);
                buffer.is_closed
            };
            if let Err(error) = sink.write(&batch) {
                let n_lines = batch.iter().filter(|byte| **byte == b'\n').count();
                self.lock().n_lost += n_lines as u64;
                tracing::error!(%error, n_lines, "block log: lines lost");
            }
            batch.clear();
            if is_closed {
                self.lock().is_done = true;
                self.wake.notify_all();
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Sink ===

impl Sink {
    fn open(path: &std::path::Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self::File { path: path.to_owned(), file })
    }

    /// Writes the batch piece by piece, and lets others have the core in between: on a single core one write of a
    /// megabyte is milliseconds that requests wait for.
    fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        if let Self::File { path, file } = self
            && !batch.is_empty()
            && was_moved(path, file)
        {
            *file = OpenOptions::new().create(true).append(true).open(&path)?;
        }
        for piece in batch.chunks(PIECE) {
            match self {
                Self::Stdout => io::stdout().lock().write_all(piece)?,
                Self::File { file, .. } => file.write_all(piece)?,
            }
            std::thread::yield_now();
        }
        match self {
            Self::Stdout => io::stdout().lock().flush(),
            Self::File { .. } => Ok(()),
        }
    }
}

/// Whether log rotation took the file away from its name.
fn was_moved(path: &std::path::Path, file: &File) -> bool {
    match (std::fs::metadata(path), file.metadata()) {
        (Ok(named), Ok(open)) => (named.dev(), named.ino()) != (open.dev(), open.ino()),
        (Err(_), Ok(_) | Err(_)) | (Ok(_), Err(_)) => true,
    }
}

// === impl BlockLogConfig ===

impl Default for BlockLogConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("-"), numbers: Masking::Masked, hash_key: None }
    }
}

/// How long the sink may take over the last lines.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// How much is written at once.
const PIECE: usize = 32 << 10;

/// How long a line may wait for the writer.
const PERIOD: Duration = Duration::from_millis(50);

/// About ten thousand lines: more than a second at full load.
const MOST_BUFFERED: usize = 8 << 20;
