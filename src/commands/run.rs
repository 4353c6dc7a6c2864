//! `tollgate run`: serves until SIGTERM or SIGINT, then drains.

use std::num::NonZeroU32;
use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::{fail, load};
use crate::app::App;
use crate::config::Config;
use crate::policy::Mode;
use crate::proxy::caller::Clock;
use crate::telemetry;

/// How to run.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Options {
    /// Let the engine's clock run so many times as fast: for benchmarks that play days in minutes, never for traffic.
    #[arg(long, value_name = "N", default_value = "1")]
    clock_speed: Option<NonZeroU32>,
}

/// Runs the proxy with the configuration at `path`.
pub fn run(path: &Path, options: &Options) -> ExitCode {
    let (config, materials) = match load(path) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let _log = telemetry::init_log(config.log);
    let speed = options.clock_speed.unwrap_or(NonZeroU32::MIN);
    let app = match App::start_with(&config, materials, Clock::at_speed(speed)) {
        Ok(app) => app,
        Err(error) => return fail(&[error.to_string()]),
    };
    announce(&config, &app);
    if speed != NonZeroU32::MIN {
        tracing::warn!(%speed, "the clock does not show the time: this is a benchmark");
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&[error.to_string()]),
    };
    runtime.block_on(async {
        if let Err(error) = told_to_end().await {
            return fail(&[format!("cannot wait for signals: {error}")]);
        }
        tracing::info!("draining");
        if app.drain().await {
            tracing::info!("all requests finished");
        } else {
            tracing::warn!("requests were cut at the end of server.drain_timeout");
        }
        ExitCode::SUCCESS
    })
}

fn announce(config: &Config, app: &App) {
    for listen in app.listens() {
        tracing::info!(%listen, upstream = %config.server.upstream, tls = config.server.tls.is_some(), "listening");
    }
    tracing::info!(admin = %app.admin(), policy = crate::app::version(config), mode = config.policy.mode.as_str(), "ready");
    for warning in super::check::warnings(config) {
        tracing::warn!("{warning}");
    }
    if config.policy.mode == Mode::Monitor {
        tracing::warn!("policy.mode is monitor: decisions are logged and nothing is refused");
    }
}

async fn told_to_end() -> std::io::Result<()> {
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    Ok(())
}
