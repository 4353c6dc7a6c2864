//! `tollgate replay`: the same engine and policy on recorded events, in the events' own time.
//!
//! Events are one JSON object a line: those of a harness, or tollgate's own block log. Without `--against` one policy
//! decides about every send as it stands there, writes one decision for each, in order, and ends with a summary.
//!
//! # What if
//! With `--against` two policies are played the same events, each with its own engine and data and in its own closed
//! loop: a policy sees only what would have happened under it.
//!
//! 1. A send that it allows is sent.
//! 2. One that it blocks never was. The code that was typed for it (it names its `send_line`, or else it is the last
//!    send to its number) is withheld from this policy.
//! 3. One that it challenges is sent eight seconds later if a code was typed for it at the time: then it was a person's,
//!    who passes. Else nobody passes.
//! 4. What was refused at the time, or not taken by the app, has an unknown outcome: nobody can tell a customer who
//!    could not type a code. It is played all the same, passes no challenge, and is counted apart.
//!
//! Both are played as if they were enforced, and priced as the newer one has it.

mod compare;
mod decisions;
mod event;
mod gate;
mod reason;
mod recording;
mod report;
mod session;
mod stand_ins;
mod summary;
mod tape;
#[cfg(test)]
mod testing;
mod text;
mod what_if;
mod worst;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{fail, load};
use crate::app::{Judge, Materials};
use crate::attempt::Timestamp;
use crate::config::Config;
use gate::Gate;

/// What to replay, and where the decisions go.
#[derive(Debug, clap::Args)]
#[command(after_long_help = WHAT_IF)]
pub struct Options {
    /// The events, one JSON object a line, or tollgate's own block log; `-` is stdin.
    #[arg(long, default_value = "-", value_name = "FILE")]
    events: PathBuf,
    /// The decisions, one JSON object a line; `-` is stdout.
    #[arg(long, default_value = "-", value_name = "FILE", conflicts_with = "against")]
    decisions: PathBuf,
    /// Answer each send before the next line is read, for programs that wait for it.
    #[arg(long, conflicts_with = "against")]
    stdio: bool,
    /// The configuration in use now: report what `--config` would have done instead (see the end of `--help`).
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Report as JSON.
    #[arg(long, requires = "against")]
    json: bool,
}

/// Replays with the configuration at `path`.
pub fn run(path: &Path, options: &Options) -> ExitCode {
    match &options.against {
        Some(against) => what_if::run(path, against, options),
        None => decide(path, options),
    }
}

fn decide(path: &Path, options: &Options) -> ExitCode {
    let (config, materials) = match load(path) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    match decisions::replay(Gate::new(&config, materials), options) {
        Ok(summary) => {
            eprint!("{summary}");
            ExitCode::SUCCESS
        }
        Err(problem) => fail(&[problem]),
    }
}

/// All that decides, after it has seen the events in the file, and the time of the last of them.
///
/// # Errors
/// The file and the line that cannot be read.
pub(super) fn remembered(config: &Config, materials: Materials, events: &Path) -> Result<(Judge, Timestamp), String> {
    decisions::remembered(Gate::new(config, materials), events)
}

const BUFFER: usize = 256 << 10;

const WHAT_IF: &str = "\
What if: tollgate replay --config new.toml --against old.toml --events week.jsonl
  Both policies are played the same events, each in its own closed loop:
  1. A send that a policy allows is sent.
  2. One that it blocks never was; the code typed for it (the last send to its number, or its
     `send_line`) is withheld from this policy.
  3. One that it challenges is sent 8 seconds later if a code was typed for it at the time: then it
     was a person's, who passes. Else nobody passes.
  4. What was refused at the time has an unknown outcome and is counted apart.
  Both are played as if enforced, with the prices of --config. `TOLLGATE_` variables override both.
  Numbers are masked. The block log is best written with block_log.numbers = \"range\".";
