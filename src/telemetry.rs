//! What operators and analysts see: the block log, metrics, and the process's own log.
//!
//! Nothing here decides anything, and nothing here prints a whole number, a token or an address into a label.

pub mod block_log;
pub mod metrics;
mod pseudonym;

use std::io::IsTerminal;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

pub use block_log::{BlockLog, BlockLogConfig, Decision, Masking};
pub use metrics::Metrics;
pub use pseudonym::{KeyError, NotAPseudonym, Pseudonyms};

/// The `[log]` section: the process's own log on stderr, not the block log.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// The least important level written.
    pub level: Level,
    /// How a line looks.
    pub format: Format,
}

/// How important a line must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something broke.
    Error,
    /// Something is wrong and goes on.
    Warn,
    /// Starts, stops, reloads.
    #[default]
    Info,
    /// For finding faults.
    Debug,
}

/// How a line of the process's own log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The thread that writes the process's own log. Keep it: dropped, it writes what is left.
#[derive(Debug)]
pub struct LogWriter(#[expect(dead_code, reason = "held for its end")] tracing_appender::non_blocking::WorkerGuard);

/// Sends the process's own log to stderr, from a thread of its own: a reader that stops costs lines and never a
/// request. Later calls change nothing.
pub fn init_log(config: LogConfig) -> LogWriter {
    let level = match config.level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    // Libraries speak only when something is wrong: at debug they print headers, which hold tokens, and the reader of
    // numbers prints numbers.
    let filter = EnvFilter::new(format!("warn,rlibphonenumber=off,tollgate={level}"));
    let is_terminal = std::io::stderr().is_terminal();
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(is_terminal);
    // A second subscriber can only come from a second start in one process, as tests do.
    let _already_set = match config.format {
        Format::Text => subscriber.try_init(),
        Format::Json => subscriber.json().try_init(),
    };
    LogWriter(guard)
}
