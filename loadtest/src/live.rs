//! `live`: the traffic of a simulated company over HTTP against a running tollgate, in compressed time.
//!
//! This command is the application behind the proxy too. A request carries its line as a reference, and the
//! application keeps the references that reach it, so it is known whose messages were paid for. A refusal over HTTP
//! does not say whether it was a challenge or a block, and no challenge is solved here: every refusal counts as a block.

mod report;
mod script;
mod session;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use crate::client::Client;
use crate::counts::Counts;
use crate::judge::{self, Metrics, Run};
use crate::play;
use crate::sim::{self, Event, Habits, Kind, Label, Profile, Scenario, Setting, Simulator};
use crate::target::{Loopback, Target};
use crate::upstream::{self, Shared};
use report::{Arrived, Report};
use script::Script;

/// Plays simulated traffic over HTTP against a running tollgate and says what reached the application.
#[derive(Args, Debug)]
pub(crate) struct Live {
    /// The proxy; loopback only. It has to trust 127.0.0.1 and to run with `--clock-speed` of the same speed.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    target: Target,
    /// Where the pretended application listens: the proxy's upstream. Loopback only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: Loopback,
    /// Whose customers they are.
    #[arg(long, value_enum, default_value_t = Profile::UsConsumer)]
    profile: Profile,
    /// What the attacker does.
    #[arg(long, value_enum, default_value_t = Scenario::ResidentialBlock)]
    scenario: Scenario,
    /// The same seed gives the same traffic.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulated hours. Attacks begin in the third day, or after two thirds of less than 60 hours.
    #[arg(long, default_value = "72", value_parser = sim::hours)]
    hours: f64,
    /// How hard people make it.
    #[arg(long, value_enum, default_value_t = Habits::Usual)]
    habits: Habits,
    /// Plays this recording, one JSON object a line with `label` and `user_id`, instead of simulating.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile", "scenario", "seed", "hours", "habits"])]
    events: Option<PathBuf>,
    /// How many simulated seconds pass in one. 72 hours take 7 minutes at 600.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: u32,
    /// Connections, each with one request at a time.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=2000), default_value_t = 64)]
    connections: u16,
    /// Prints JSON instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

// === impl Live ===

impl Live {
    /// Plays to the end; takes as long as the script says and a minute more at most.
    pub(crate) async fn play(&self) -> Result<Report, String> {
        let simulator = Simulator::new()?;
        let events = self.traffic(&simulator)?;
        let script = Script::new(&events, simulator.numbers(), self.target.address, self.speed)?;
        let listener =
            TcpListener::bind(self.listen.socket()).await.map_err(|error| format!("{}: {error}", self.listen))?;
        let address = self.target.address;
        play::reach(address).await.map_err(|fault| format!("{address}: {fault}"))?;
        let counts = Shared::new(std::sync::Mutex::new(Counts::following()));
        let application = tokio::spawn(upstream::serve(listener, Arc::clone(&counts)));
        let clients = (0..self.connections).map(|_| Client::new(address)).collect();
        let outcome = session::play(script, clients).await;
        application.abort();
        let metrics = Metrics::new(&events, &outcome.actions, simulator.numbers());
        let (profile, scenario) = match &self.events {
            Some(path) => ("recorded".to_owned(), path.file_stem().unwrap_or_default().to_string_lossy().into_owned()),
            None => (self.profile.name().to_owned(), self.scenario.name()),
        };
        let run = Run { profile, scenario, seed: self.seed, metrics };
        let arrived = arrived(&events, upstream::lock(&counts).references());
        Ok(Report { run, outcome, arrived, speed: self.speed })
    }

    fn traffic(&self, simulator: &Simulator) -> Result<Vec<Event>, String> {
        if let Some(path) = &self.events {
            return judge::recorded(path);
        }
        let setting = Setting { profile: self.profile, seed: self.seed, hours: self.hours, habits: self.habits };
        Ok(simulator.with_attack(setting, &simulator.people(setting), self.scenario))
    }
}

/// How many sends of each label reached the application.
fn arrived(events: &[Event], references: &[u64]) -> Arrived {
    let references: HashSet<u64> = references.iter().copied().collect();
    let of = |label| {
        let sends = events.iter().filter(|event| event.label == label && event.seen.kind == Kind::Send);
        sends.filter(|event| references.contains(&event.seen.line)).count() as u64
    };
    Arrived { n_legitimate: of(Label::Legit), n_attack: of(Label::Attack) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        live: Live,
    }

    fn line(flags: &str) -> Result<Live, clap::Error> {
        Line::try_parse_from(["x"].into_iter().chain(flags.split_whitespace())).map(|line| line.live)
    }

    /// A proxy that lets everything through is the application itself.
    #[tokio::test]
    async fn what_nobody_stops_reaches_the_application() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let flags = format!(
            "--target http://127.0.0.1:{port} --listen 127.0.0.1:{port} --profile startup --scenario burst --hours 2 --speed 3600"
        );
        let report = line(&flags).unwrap().play().await.unwrap();
        assert_eq!(report.outcome.fault, None);
        assert!(100 < report.run.metrics.attack.messages);
        assert_eq!(report.run.metrics.attack.leaked, report.run.metrics.attack.messages as f64);
        assert_eq!(report.arrived.n_attack, report.run.metrics.attack.messages);
        assert!(report.agrees());
    }

    #[test]
    fn another_machine_is_neither_target_nor_place_to_listen() {
        for flags in ["--target http://192.0.2.7:80", "--listen 192.0.2.7:80", "--listen 0.0.0.0:80", "--speed 0"] {
            assert!(line(flags).is_err(), "{flags}");
        }
    }
}
