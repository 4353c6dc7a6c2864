//! `run`: plays sign-ups and an attack against a proxy and checks with the application what got through.

use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::arrivals::{Arrivals, Pace, Rates};
use crate::client::Client;
use crate::number::{Country, DEAR_PREFIX, ORDINARY};
use crate::play::{self, Outcome, Plan, Waiting};
use crate::target::Target;
use crate::traffic::{Played, Scenario, Traffic};

/// Plays sign-ups and an attack, and reports what got through.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The proxy; loopback only.
    #[arg(long, value_name = "URL")]
    target: Target,
    /// Where sends are made.
    #[arg(long, default_value = "/api/auth/send-otp")]
    path: String,
    /// The counts of `tollgate-loadtest upstream`, to check what got through; loopback only.
    #[arg(long, value_name = "URL")]
    upstream_stats: Option<Target>,
    /// Sign-ups per second.
    #[arg(long, value_parser = rate, default_value = "50")]
    legit_rate: f64,
    /// Attack requests per second.
    #[arg(long, value_parser = rate, default_value = "50")]
    attack_rate: f64,
    /// How long requests are made.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600), default_value_t = 10)]
    seconds: u32,
    /// Stops earlier, after this many requests.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000), default_value_t = 2_000_000)]
    requests: u64,
    /// Connections, each with one request at a time.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=2000), default_value_t = 64)]
    connections: u16,
    /// How the attacker goes about it.
    #[arg(long, value_enum, default_value_t = Scenario::Range)]
    scenario: Scenario,
    /// Gives every person and every attack request an address of its own in `X-Forwarded-For`; the proxy must trust
    /// 127.0.0.0/8. Without it everybody shares 127.0.0.1 and the limit per client refuses people too.
    #[arg(long)]
    xff: bool,
    /// Country most sign-ups come from.
    #[arg(long, value_parser = country, default_value = "US", value_name = "ISO")]
    home: &'static Country,
    /// The same seed plays the same requests.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Sends as fast as the connections are answered; the rates become proportions. For throughput, not latency.
    #[arg(long)]
    closed: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A finished run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    pub(crate) closed: bool,
    /// What the application counted meanwhile, if it was asked.
    pub(crate) upstream: Option<Arrived>,
}

/// Sends that reached the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) n_legitimate: u64,
    pub(crate) n_attack: u64,
}

// === impl Run ===

impl Run {
    /// Plays to the end; takes at most `seconds` and twice the patience.
    pub(crate) async fn play(&self) -> Result<Report, String> {
        let rates = Rates { legitimate: self.legit_rate, attack: self.attack_rate };
        if rates.legitimate + rates.attack <= 0.0 {
            return Err("one of --legit-rate and --attack-rate must be above zero".to_owned());
        }
        let address = self.target.address;
        play::reach(address).await.map_err(|fault| format!("{address}: {fault}"))?;
        let before = self.arrived().await?;
        let pace = if self.closed { Pace::Closed } else { Pace::Open };
        let plan = Plan {
            address,
            path: self.path.clone(),
            arrivals: Arrivals::new(self.seed, rates, pace, f64::from(self.seconds), self.requests),
            traffic: Traffic::Played(Played::new(self.seed, self.home, self.scenario, self.xff)),
            patience: PATIENCE,
            waiting: Waiting::Napping,
        };
        let clients = (0..self.connections).map(|_| Client::new(address)).collect();
        let (outcome, _) = play::play(plan, clients).await;
        let after = self.arrived().await?;
        let upstream = after.zip(before).map(|(after, before)| Arrived {
            n_legitimate: after.n_legitimate.saturating_sub(before.n_legitimate),
            n_attack: after.n_attack.saturating_sub(before.n_attack),
        });
        Ok(Report { outcome, closed: self.closed, upstream })
    }

    async fn arrived(&self) -> Result<Option<Arrived>, String> {
        let Some(target) = &self.upstream_stats else {
            return Ok(None);
        };
        let name = |error: &dyn std::fmt::Display| format!("{}{}: {error}", target.address, target.path);
        let body = Client::new(target.address).fetch(&target.path).await.map_err(|fault| name(&fault))?;
        let stats: Value = serde_json::from_slice(&body).map_err(|error| name(&error))?;
        Arrived::read(&stats, &self.path).map(Some).ok_or_else(|| name(&"these are not an upstream's stats"))
    }
}

// === impl Arrived ===

impl Arrived {
    fn read(stats: &Value, path: &str) -> Option<Self> {
        let n_all = stats.get("paths")?.get(path).and_then(Value::as_u64).unwrap_or_default();
        let n_attack = stats.get("prefixes")?.get(DEAR_PREFIX).and_then(Value::as_u64).unwrap_or_default();
        Some(Self { n_legitimate: n_all.saturating_sub(n_attack), n_attack })
    }
}

// === impl Report ===

impl Report {
    /// Whether the application saw exactly the requests that were answered with 2xx.
    pub(crate) fn agrees(&self) -> Option<bool> {
        let answered =
            Arrived { n_legitimate: self.outcome.legitimate.n_passed(), n_attack: self.outcome.attack.n_passed() };
        self.upstream.map(|arrived| arrived == answered)
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.0..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number from 0 to 100000".to_owned()),
    }
}

fn country(text: &str) -> Result<&'static Country, String> {
    Country::find(text).ok_or_else(|| {
        let known: Vec<_> = ORDINARY.iter().map(|country| country.iso).collect();
        format!("known are {}", known.join(", "))
    })
}

const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::Parser;
    use tokio::net::TcpListener;

    use super::*;
    use crate::upstream::{Shared, serve};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        run: Run,
    }

    #[tokio::test]
    async fn what_is_not_stopped_is_found_at_the_application() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, Arc::clone(&Shared::default())));
        let text = format!(
            "x --target http://{address} --upstream-stats http://{address}/_stats --requests 200 --seconds 5 --closed --xff --scenario mixed"
        );
        let report = Line::parse_from(text.split(' ')).run.play().await.unwrap();
        assert_eq!(report.outcome.legitimate.n_passed() + report.outcome.attack.n_passed(), 200);
        assert_eq!(report.agrees(), Some(true));
    }

    #[test]
    fn another_machine_is_refused_with_a_reason() {
        let error = Line::try_parse_from(["x", "--target", "http://192.0.2.7:80"]).map(drop).unwrap_err();
        assert!(error.to_string().contains("loopback addresses"), "{error}");
    }

    #[test]
    fn bounds_are_kept() {
        for flags in [
            ["--seconds", "601"],
            ["--connections", "0"],
            ["--legit-rate", "-1"],
            ["--attack-rate", "NaN"],
            ["--home", "AZ"],
        ] {
            let line = ["x", "--target", "http://127.0.0.1:1"].into_iter().chain(flags);
            assert!(Line::try_parse_from(line).is_err(), "{flags:?}");
        }
    }
}
