//! `simulate`: labelled traffic of a company, with people and at most one attack, as lines of JSON.
//!
//! The same profile, seed and hours give the same people in every scenario, to the last digit, so that what a scenario
//! changes is the attack's doing.

mod attack;
mod block;
mod device;
mod dice;
mod event;
mod habits;
mod network;
mod numbers;
mod people;
mod profile;
#[cfg(test)]
pub(crate) mod tests;
mod world;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use attack::Campaign;
use dice::Dice;
use world::World;

pub(crate) use attack::Scenario;
pub(crate) use dice::share_of;
pub(crate) use event::{Event, Kind, Label, Seen};
pub(crate) use habits::Habits;
pub(crate) use numbers::Numbers;
pub(crate) use profile::Profile;

/// Writes labelled traffic of a simulated company as lines of JSON, in the order of time.
#[derive(Args, Debug)]
pub(crate) struct Simulate {
    /// Whose customers they are.
    #[arg(long, value_enum)]
    profile: Profile,
    /// What the attacker does.
    #[arg(long, value_enum, default_value_t = Scenario::None)]
    scenario: Scenario,
    /// The same seed gives the same traffic.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long it lasts. Attacks begin in the third day, or after two thirds of less than 60 hours.
    #[arg(long, default_value = "72", value_parser = hours)]
    hours: f64,
    /// How hard people make it.
    #[arg(long, value_enum, default_value_t = Habits::Usual)]
    habits: Habits,
    /// Where the lines go; stdout if left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Makes traffic.
#[derive(Debug)]
pub(crate) struct Simulator {
    numbers: Numbers,
}

/// One company for some hours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Setting {
    pub(crate) profile: Profile,
    pub(crate) seed: u64,
    pub(crate) hours: f64,
    pub(crate) habits: Habits,
}

// === impl Simulate ===

impl Simulate {
    pub(crate) fn write(&self) -> Result<(), String> {
        let simulator = Simulator::new()?;
        let setting = Setting { profile: self.profile, seed: self.seed, hours: self.hours, habits: self.habits };
        let people = simulator.people(setting);
        let events = simulator.with_attack(setting, &people, self.scenario);
        match &self.out {
            Some(path) => {
                let name = |error: io::Error| format!("{}: {error}", path.display());
                write_lines(&events, File::create(path).map_err(name)?).map_err(name)
            }
            None => write_lines(&events, io::stdout().lock()).or_else(|error| match error.kind() {
                // A reader such as `head` that has seen enough.
                io::ErrorKind::BrokenPipe => Ok(()),
                _ => Err(error.to_string()),
            }),
        }
    }
}

fn write_lines(events: &[Event], out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(256 << 10, out);
    for event in events {
        serde_json::to_writer(&mut out, event)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

// === impl Simulator ===

impl Simulator {
    pub(crate) fn new() -> Result<Self, String> {
        Ok(Self { numbers: Numbers::new()? })
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// What the company's customers do, in no order: for [`with_attack`](Self::with_attack).
    pub(crate) fn people(&self, setting: Setting) -> Vec<Event> {
        World::new(&self.numbers, setting).live()
    }

    /// Those customers and the attack, in the order of time.
    pub(crate) fn with_attack(&self, setting: Setting, people: &[Event], scenario: Scenario) -> Vec<Event> {
        let dice = Dice::new(setting.seed, &["attack", setting.profile.name(), &scenario.name()]);
        let campaign = Campaign::new(&self.numbers, setting.profile.traits(), setting.hours, dice);
        event::merged(people, campaign.run(scenario), setting.hours)
    }
}

pub(crate) fn hours(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(hours) if (1.0..=336.0).contains(&hours) => Ok(hours),
        _ => Err("hours are a number from 1 to 336".to_owned()),
    }
}
