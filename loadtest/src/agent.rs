//! `agent`: load generator and application in one thread, for `bench.py`.
//!
//! Reads one command per line, answers each with one line of JSON. Connections are kept between commands. While it
//! plays, it polls instead of sleeping: waking this thread up would otherwise be charged to the proxy.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::net::TcpListener;
use tokio::task;
use tokio::time;

use crate::arrivals::{Arrivals, Pace, Rates};
use crate::client::Client;
use crate::play::{self, Plan, Waiting};
use crate::target::Loopback;
use crate::traffic::{Even, Mix, Traffic};
use crate::upstream::{self, Shared};

/// Application and load generator in one thread, driven by commands on stdin (see bench.py).
#[derive(Args, Debug)]
pub(crate) struct Agent {
    /// Where the pretended application listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: Loopback,
    /// Ends by itself when no command has come for so long.
    #[arg(long, default_value_t = 300)]
    idle_seconds: u64,
}

/// One command: a slice of load.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Command {
    /// Port of the proxy on 127.0.0.1.
    port: u16,
    #[arg(long, default_value = "/api/auth/send-otp")]
    path: String,
    #[arg(long, value_enum, default_value_t = Mix::Spread)]
    mix: Mix,
    /// Index of the first request; whoever wants fresh numbers moves it on.
    #[arg(long, default_value_t = 0)]
    offset: u64,
    /// Requests per second, open loop; 0: closed loop.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=200_000), default_value_t = 0)]
    rate: u32,
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000), default_value_t = 200_000)]
    requests: u64,
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=60_000), default_value_t = 700)]
    milliseconds: u64,
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000), default_value_t = 64)]
    connections: u16,
}

// === impl Agent ===

impl Agent {
    /// Serves commands until stdin ends or falls silent.
    #[expect(clippy::print_stdout, reason = "its answers go to stdout")]
    pub(crate) async fn serve(&self) -> Result<(), String> {
        let listener =
            TcpListener::bind(self.listen.socket()).await.map_err(|error| format!("{}: {error}", self.listen))?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let counts = Shared::default();
        tokio::spawn(upstream::serve(listener, Arc::clone(&counts)));
        println!("{}", json!({ "upstream": port }));
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        let mut pool = HashMap::new();
        while let Some(line) = self.next_line(&mut lines).await {
            let answer = match Command::try_parse_from(line.split_whitespace()) {
                Ok(command) => command.play(&mut pool, &counts).await,
                Err(error) => json!({ "error": error.to_string() }),
            };
            println!("{answer}");
        }
        Ok(())
    }

    async fn next_line(&self, lines: &mut Lines<BufReader<Stdin>>) -> Option<String> {
        time::timeout(Duration::from_secs(self.idle_seconds), lines.next_line()).await.ok()?.ok()?
    }
}

// === impl Command ===

impl Command {
    async fn play(self, pool: &mut HashMap<u16, Vec<Client>>, counts: &Shared) -> Value {
        let address = Loopback::port(self.port);
        let mut clients = pool.remove(&self.port).unwrap_or_default();
        clients.resize_with(usize::from(self.connections), || Client::new(address));
        let pace = if self.rate == 0 { Pace::Closed } else { Pace::Open };
        let rates = Rates { legitimate: f64::from(self.rate.max(1)), attack: 0.0 };
        let seconds = Duration::from_millis(self.milliseconds).as_secs_f64();
        let plan = Plan {
            address,
            path: self.path,
            arrivals: Arrivals::new(self.offset, rates, pace, seconds, self.requests),
            traffic: Traffic::Even(Even { mix: self.mix, next: self.offset }),
            patience: PATIENCE,
            waiting: Waiting::Polling,
        };
        let n_before = upstream::lock(counts).n_requests;
        let spinner = task::spawn(spin());
        let (outcome, clients) = play::play(plan, clients).await;
        spinner.abort();
        pool.insert(self.port, clients);
        let mut answer = outcome.legitimate.json(outcome.elapsed.as_secs_f64());
        answer["seconds"] = json!(outcome.elapsed.as_secs_f64());
        answer["sent_late_us"] = crate::tally::quantiles_json(&outcome.lateness);
        answer["upstream"] = json!(upstream::lock(counts).n_requests - n_before);
        answer["stale"] = json!(outcome.n_stale);
        answer["fault"] = json!(outcome.fault);
        answer
    }
}

/// Keeps the thread from ever waiting in the kernel.
async fn spin() {
    loop {
        task::yield_now().await;
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slice_reaches_the_application_and_keeps_its_connections() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Shared::default();
        tokio::spawn(upstream::serve(listener, Arc::clone(&counts)));
        let mut pool = HashMap::new();
        for line in [
            format!("{port} --requests 100 --connections 4"),
            format!("{port} --requests 50 --rate 5000 --connections 4"),
        ] {
            let command = Command::try_parse_from(line.split_whitespace()).unwrap();
            let n_requests = command.requests;
            let answer = command.play(&mut pool, &counts).await;
            assert_eq!(answer["statuses"]["200"], n_requests, "{answer}");
            assert_eq!(answer["upstream"], n_requests);
        }
        assert_eq!(pool[&port].len(), 4);
    }

    #[test]
    fn a_command_that_is_out_of_bounds_is_refused() {
        for line in ["", "99999", "80 --connections 5000", "80 --requests 0", "80 --host example.test"] {
            assert!(Command::try_parse_from(line.split_whitespace()).is_err(), "{line}");
        }
    }
}
