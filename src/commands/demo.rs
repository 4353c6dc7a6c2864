//! `tollgate demo`: the main job in two minutes, on this machine and with nothing else.
//!
//! A proxy as `tollgate run` would start it, a counting app behind it, people who sign up, and an attack in the middle.
//! What is shown comes from the block log and from what the app was asked to send, never from who sent a request: the
//! proxy is not told which are which. Every connection goes to loopback.

mod client;
mod log;
mod party;
mod people;
mod screen;
mod script;
mod stage;
mod tally;
mod tariff;
mod traffic;
mod upstream;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior};

use super::fail;
use log::Log;
use screen::{Screen, View};
use script::{Pace, Script};
use stage::Stage;
use tally::Tally;
use tariff::Tariff;
use traffic::Traffic;

/// How long, and which traffic.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How long it takes; the same story is told faster in less time.
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u64).range(6..=3600))]
    seconds: u64,
    /// Which people and which attack: the same seed makes the same requests.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

/// Plays the demonstration to its end, or until it is told to end.
pub fn run(options: &Options) -> ExitCode {
    let played = Tariff::builtin().and_then(|tariff| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| vec![error.to_string()])?;
        runtime.block_on(play(options, &Arc::new(tariff)))
    });
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => fail(&problems),
    }
}

async fn play(options: &Options, tariff: &Arc<Tariff>) -> Result<(), Vec<String>> {
    let one = |error: std::io::Error| vec![error.to_string()];
    let mut terminated = signal(SignalKind::terminate()).map_err(one)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(one)?;
    let script = Arc::new(Script::write(options.seed, Pace::over(Duration::from_secs(options.seconds)), tariff));
    let stage = Stage::set(tariff)?;
    let mut tally = Tally::new(Arc::clone(&script));
    let mut log = Log::open(stage.log()).map_err(one)?;
    let mut screen = Screen::open(&stage, &script);
    let started = Instant::now();
    let traffic = Traffic::start(&script, stage.proxy(), started);
    let mut ticks = tokio::time::interval(script.pace.second().min(LONGEST_TICK));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let is_told = tokio::select! {
            _ = ticks.tick() => false,
            _ = terminated.recv() => true,
            _ = interrupted.recv() => true,
        };
        let elapsed = started.elapsed();
        log.read(|line| tally.count(line, elapsed)).map_err(one)?;
        screen.show(&View { elapsed, script: &script, tally: &tally, delivered: &stage.delivered() });
        if is_told || traffic.has_ended() {
            break;
        }
    }
    let elapsed = started.elapsed();
    let n_failed = traffic.end();
    let (path, delivered) = stage.strike().await;
    // The proxy has ended, so the log is complete.
    log.read(|line| tally.count(line, elapsed)).map_err(one)?;
    screen.end(&View { elapsed, script: &script, tally: &tally, delivered: &delivered }, n_failed, &path);
    Ok(())
}

/// The screen is drawn so often, or oftener where a second of the story is shorter.
const LONGEST_TICK: Duration = Duration::from_millis(200);
