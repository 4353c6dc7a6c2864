//! `judge`: plays simulated companies against a scorer in a closed loop and says what got through and who was bothered.

mod closed_loop;
mod metrics;
mod scorer;
mod summary;
mod table;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::{Args, ValueEnum};

use crate::sim::{self, Event, Habits, Kind, Profile, Scenario, Setting, Simulator};
use scorer::{Program, Scorer};
use table::Runs;

pub(crate) use metrics::{Action, Metrics};
pub(crate) use table::Run;

/// Plays simulated traffic against `tollgate replay --stdio` and measures what leaked and who was bothered.
#[derive(Args, Debug)]
pub(crate) struct Judge {
    /// Profiles, comma-separated; all if left out.
    #[arg(long, value_enum, value_delimiter = ',')]
    profiles: Vec<Profile>,
    /// Scenarios, comma-separated; all if left out.
    #[arg(long, value_enum, value_delimiter = ',')]
    scenarios: Vec<Scenario>,
    /// Seeds, comma-separated.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// How long each run lasts.
    #[arg(long, default_value = "72", value_parser = sim::hours)]
    hours: f64,
    /// How hard people make it.
    #[arg(long, value_enum, default_value_t = Habits::Usual)]
    habits: Habits,
    /// What the scorer is not told.
    #[arg(long, value_enum, default_value_t = Variant::None)]
    variant: Variant,
    /// Runs at the same time; each takes a core for the scorer and half a core besides.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Judges this recording, one JSON object a line with `label` and `user_id`, instead of simulated ones.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// The configuration of the scorer.
    #[arg(long, value_name = "FILE", default_value = "loadtest/judged.toml")]
    config: PathBuf,
    /// The scorer's binary; `tollgate` beside this program if left out.
    #[arg(long, value_name = "FILE")]
    tollgate: Option<PathBuf>,
    /// Keeps the scorer's answers, reasons and all, in files of this directory; `line` is that of `simulate`.
    #[arg(long, value_name = "DIR")]
    answers: Option<PathBuf>,
    /// Prints each run as a line of JSON, the summary last.
    #[arg(long)]
    json: bool,
    /// Prints tables in Markdown, without the single runs.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// A part of the evidence that is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Variant {
    /// Nothing.
    None,
    /// Where addresses are and whose: no database.
    NoGeo,
    /// Which codes were typed.
    NoVerify,
}

/// One run to be made.
#[derive(Clone, Copy, Debug)]
struct Job {
    setting: Setting,
    scenario: Scenario,
}

// === impl Judge ===

impl Judge {
    #[expect(clippy::print_stdout, reason = "a command-line tool prints")]
    pub(crate) fn run(&self) -> Result<(), String> {
        let simulator = Simulator::new()?;
        let program = Program { tollgate: self.tollgate()?, config: self.config.clone() };
        let runs = match &self.events {
            Some(path) => vec![self.judge_recording(path, &program, &simulator)?],
            None => self.judge_all(&program, &simulator)?,
        };
        let runs = Runs(runs);
        if self.json {
            print!("{}", runs.json().map_err(|error| error.to_string())?);
        } else if self.markdown {
            print!("{}", runs.markdown());
        } else {
            print!("{runs}");
        }
        Ok(())
    }

    fn judge_recording(&self, path: &Path, program: &Program, simulator: &Simulator) -> Result<Run, String> {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        let metrics = self.judge_one(recorded(path)?, program.start(self.transcript(&name).as_deref())?, simulator)?;
        Ok(Run { profile: "recorded".to_owned(), scenario: name.into_owned(), seed: 0, metrics })
    }

    fn judge_all(&self, program: &Program, simulator: &Simulator) -> Result<Vec<Run>, String> {
        let jobs = self.jobs();
        let queue = Mutex::new(jobs.iter().copied().enumerate());
        let done: Mutex<Vec<(usize, Result<Run, String>)>> = Mutex::default();
        let work = || {
            let mut people: Option<(Setting, Vec<Event>)> = None;
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((nth, Job { setting, scenario })) = next else {
                    return;
                };
                // Jobs of one setting follow each other, and people are the same in all of them.
                let (_, people) = match people.take() {
                    Some(known) if known.0 == setting => people.insert(known),
                    Some(_) | None => people.insert((setting, simulator.people(setting))),
                };
                let events = simulator.with_attack(setting, people, scenario);
                let (profile, scenario, seed) = (setting.profile.name().to_owned(), scenario.name(), setting.seed);
                let transcript = self.transcript(&format!("{profile}.{scenario}.{seed}"));
                let scorer = program.start(transcript.as_deref());
                let metrics = scorer.and_then(|scorer| self.judge_one(events, scorer, simulator));
                let run = metrics.map(|metrics| Run { profile, scenario, seed, metrics });
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.push((nth, run));
                eprint!("\r{} of {} runs", done.len(), jobs.len());
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(work);
            }
        });
        eprintln!();
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(nth, _)| *nth);
        done.into_iter().map(|(_, run)| run).collect()
    }

    fn judge_one(&self, events: Vec<Event>, mut scorer: Scorer, simulator: &Simulator) -> Result<Metrics, String> {
        let events = self.variant.of(events);
        let actions = closed_loop::play(&events, &mut scorer)?;
        Ok(Metrics::new(&events, &actions, simulator.numbers()))
    }

    fn transcript(&self, run: &str) -> Option<PathBuf> {
        self.answers.as_ref().map(|directory| directory.join(format!("{run}.answers.jsonl")))
    }

    fn jobs(&self) -> Vec<Job> {
        let profiles = if self.profiles.is_empty() { Profile::ALL } else { &self.profiles };
        let scenarios = if self.scenarios.is_empty() { Scenario::value_variants() } else { &self.scenarios };
        let settings = self.seeds.iter().flat_map(|&seed| {
            profiles.iter().map(move |&profile| Setting { profile, seed, hours: self.hours, habits: self.habits })
        });
        settings.flat_map(|setting| scenarios.iter().map(move |&scenario| Job { setting, scenario })).collect()
    }

    fn tollgate(&self) -> Result<PathBuf, String> {
        match &self.tollgate {
            Some(path) => Ok(path.clone()),
            None => Ok(std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("tollgate")),
        }
    }
}

// === impl Variant ===

impl Variant {
    fn of(self, mut events: Vec<Event>) -> Vec<Event> {
        match self {
            Self::None => {}
            Self::NoGeo => {
                for event in &mut events {
                    event.seen.asn = None;
                    event.seen.ip_country = None;
                }
            }
            Self::NoVerify => events.retain(|event| event.seen.kind == Kind::Send),
        }
        events
    }
}

/// Reads a recording, one event a line.
pub(crate) fn recorded(path: &Path) -> Result<Vec<Event>, String> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines = BufReader::new(file).lines().zip(1..);
    let events = lines.map(|(line, number)| {
        let event = line.map_err(serde_json::Error::io).and_then(|line| serde_json::from_str(&line));
        event.map_err(|error| format!("{}:{number}: {error}", path.display()))
    });
    events.collect()
}
