//! `tollgate demo`.
use std::process::ExitCode;
/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {}
/// Runs.
pub fn run(_options: &Options) -> ExitCode {
    ExitCode::SUCCESS
}
