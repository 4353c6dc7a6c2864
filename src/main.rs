//! The command line: arguments in, exit codes out.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tollgate::commands::{check, demo, explain, healthcheck, replay, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Stops SMS pumping: a reverse proxy that reads the phone number, scores the attempt and refuses it before the
/// message is paid for.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long, global = true, default_value = "config.toml", value_name = "FILE")]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the proxy (what happens without a command).
    Run(run::Options),
    /// Check the configuration and every file it names; print all mistakes at once.
    Check,
    /// Show the main job in two minutes: a proxy, a counting app behind it, and an attack that is stopped.
    Demo(demo::Options),
    /// Run the engine and the policy over recorded events, in their time.
    Replay(replay::Options),
    /// Say what policy makes of a number, without remembering that it was asked.
    Explain(explain::Options),
    /// Ask the running proxy whether it is alive; for a container's HEALTHCHECK.
    Healthcheck,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = arguments.config.config;
    match arguments.command.unwrap_or_else(|| Command::Run(run::Options::default())) {
        Command::Run(options) => run::run(&config, &options),
        Command::Check => check::run(&config),
        Command::Demo(options) => demo::run(&options),
        Command::Replay(options) => replay::run(&config, &options),
        Command::Explain(options) => explain::run(&config, &options),
        Command::Healthcheck => healthcheck::run(&config),
    }
}

const AFTER_HELP: &str = "Every key of the configuration can be overridden by a variable: TOLLGATE_SECTION__KEY, for \
                          example TOLLGATE_POLICY__MODE=monitor.\nExit codes: 0 done, 1 failed, 2 wrong arguments.";
