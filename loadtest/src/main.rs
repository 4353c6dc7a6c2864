//! Plays sign-up and attack traffic against tollgate and reports what got through and who was bothered.
//!
//! | module                | subject                                                    |
//! |-----------------------|------------------------------------------------------------|
//! | `sim`                 | labelled traffic of simulated companies, and attacks       |
//! | `judge`               | that traffic against the engine, in a closed loop          |
//! | `live`                | that traffic over HTTP, in compressed time                 |
//! | `run`, `report`       | sign-ups and an attack, played and reported                |
//! | `agent`               | slices of even load for `bench.py`                         |
//! | `upstream`, `counts`  | the pretended application and what it counts               |
//! | `play`                | one load, open or closed loop, over some connections       |
//! | `traffic`, `number`   | who asks for which number                                  |
//! | `arrivals`            | when requests are due                                      |
//! | `client`, `wire`      | HTTP/1.1, as little of it as that needs                    |
//! | `tally`, `histogram`  | counts and latencies                                       |
//! | `target`              | loopback addresses, the only ones that load is sent to     |

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::time;

use crate::target::Loopback;

mod agent;
mod arrivals;
mod client;
mod counts;
mod histogram;
mod judge;
mod live;
mod number;
mod play;
mod report;
mod run;
mod sim;
mod tally;
mod target;
mod traffic;
mod upstream;
mod wire;

/// Load for tollgate, on this machine only.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Upstream(Upstream),
    Run(run::Run),
    Simulate(sim::Simulate),
    Judge(judge::Judge),
    Live(live::Live),
    Agent(agent::Agent),
}

/// Pretends to be the application: answers every send with 200 and counts it; GET /_stats shows the counts.
#[derive(Args, Debug)]
struct Upstream {
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: Loopback,
    /// Ends by itself after so long.
    #[arg(long, default_value_t = 3600)]
    max_seconds: u64,
}

fn main() -> ExitCode {
    match block_on(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tollgate-loadtest: {error}");
            ExitCode::from(2)
        }
    }
}

fn block_on(command: Command) -> Result<(), String> {
    // One thread: it costs less than several, and the proxy needs the other cores.
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let result = runtime.block_on(async {
        match command {
            Command::Upstream(upstream) => upstream.serve().await,
            Command::Run(run) => play(&run).await,
            Command::Agent(agent) => agent.serve().await,
            Command::Simulate(simulate) => simulate.write(),
            Command::Judge(judge) => judge.run(),
            Command::Live(live) => play_live(&live).await,
        }
    });
    // Not dropped, which would wait for a reader of stdin.
    runtime.shutdown_background();
    result
}

#[expect(clippy::print_stdout, reason = "a command-line tool prints")]
async fn play(run: &run::Run) -> Result<(), String> {
    let report = run.play().await?;
    if run.json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command-line tool prints")]
async fn play_live(live: &live::Live) -> Result<(), String> {
    let report = live.play().await?;
    if live.json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    Ok(())
}

// === impl Upstream ===

impl Upstream {
    #[expect(clippy::print_stdout, reason = "a command-line tool prints")]
    async fn serve(&self) -> Result<(), String> {
        let listener =
            TcpListener::bind(self.listen.socket()).await.map_err(|error| format!("{}: {error}", self.listen))?;
        let counts = upstream::Shared::default();
        println!("listening on {}, for {} seconds at most", self.listen, self.max_seconds);
        tokio::select! {
            () = upstream::serve(listener, Arc::clone(&counts)) => {}
            () = time::sleep(Duration::from_secs(self.max_seconds)) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        println!("{}", upstream::lock(&counts).json());
        Ok(())
    }
}
