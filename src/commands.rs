//! What a user can ask for, one module each. Only these print.

pub mod check;
pub mod demo;
pub mod explain;
pub mod healthcheck;
pub mod replay;
pub mod run;

use std::path::Path;
use std::process::ExitCode;

use crate::app::{self, Materials};
use crate::config::Config;

/// The configuration and what it names; or every mistake on stderr, and the exit code that says so.
fn load(path: &Path) -> Result<(Config, Materials), ExitCode> {
    app::load(path).map_err(|problems| fail(&problems))
}

/// Prints what went wrong.
fn fail(problems: &[String]) -> ExitCode {
    for problem in problems {
        eprintln!("error: {problem}");
    }
    ExitCode::FAILURE
}
