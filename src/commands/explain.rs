//! `tollgate explain`: the evidence about a number, at the start or after recorded events.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{fail, load, replay};
use crate::app::Judge;
use crate::attempt::Attempt;
use crate::attempt::Verdict;
use crate::attempt::client::Client;
use crate::attempt::phone::Region;
use crate::config::Config;
use crate::proxy::caller::Clock;
use crate::risk::{Evidence, Exceeded};

/// What to explain.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The number, as a client would send it.
    number: String,
    /// Who would ask; without it nothing is said about clients.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// The endpoint it would come through, which may read national formats.
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// Play these first, events or a block log: then it is asked for right after the last of them.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

/// Explains with the configuration at `path`, and a state that remembers nothing but the events.
#[expect(clippy::print_stdout, reason = "what a command is asked for goes to stdout")]
pub fn run(path: &Path, options: &Options) -> ExitCode {
    let (config, materials) = match load(path) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let region = match region(&config, options.endpoint.as_deref()) {
        Ok(region) => region,
        Err(problem) => return fail(&[problem]),
    };
    let (judge, at) = match &options.events {
        Some(events) => match replay::remembered(&config, materials, events) {
            Ok(remembered) => remembered,
            Err(problem) => return fail(&[problem]),
        },
        None => (materials.into_judge(&config), Clock::start().now()),
    };
    let Judge { reader, geo, engine, policy } = judge;
    let number = match reader.read(&options.number, region) {
        Ok(number) => number,
        Err(unreadable) => {
            println!("verdict   block (422)\nreason    unreadable: {unreadable}");
            return ExitCode::SUCCESS;
        }
    };
    let origin = options.ip.map(|ip| geo.lookup(ip)).unwrap_or_default();
    let client = options.ip.map(Client::new);
    let attempt = Attempt { client, origin, ..Attempt::new(at, number) };
    let assessment = policy.rule(number).unwrap_or_else(|| engine.assess(&attempt));
    let verdict = policy.judge(&assessment);
    println!("number    {} ({}, {})", number.masked(), number.country(), number.kind());
    println!("price     {} a message", engine.price(&attempt));
    println!("verdict   {} (score {}, mode {})", verdict.as_str(), assessment.score.get(), policy.mode().as_str());
    println!("evidence  in decibans; +10 makes fraud ten times as likely");
    for Evidence { signal, points, fact } in &assessment.evidence {
        println!("  {:+6.1}  {:<16} {fact}", points.decibans(), signal.as_str());
    }
    let sum = assessment.evidence.iter().map(|evidence| evidence.points.decibans()).sum::<f32>();
    println!("  {sum:+6.1}  log-odds, {} %", assessment.score.get());
    if assessment.spares_customers && verdict == Verdict::Challenge {
        println!("          customers may share what is to blame: asked, and never refused by the score");
    }
    match engine.would_reserve(&attempt) {
        Err(Exceeded::UsedUp { dimension, wait, .. }) => {
            println!("limits    {} used up for {wait:?}", dimension.as_str())
        }
        Err(Exceeded::Overspent(overspent)) => println!("budget    that of {} is used up", overspent.scope.as_str()),
        Err(Exceeded::Full(dimension)) => println!("limits    the table of {}s is full", dimension.as_str()),
        Ok(()) if verdict == Verdict::Allow => println!("limits    room in all of them"),
        Ok(()) => {}
    }
    if options.events.is_none() {
        println!("This is what a first attempt meets; give a block log as --events for what a running proxy has seen.");
    }
    ExitCode::SUCCESS
}

fn region(config: &Config, endpoint: Option<&str>) -> Result<Option<Region>, String> {
    let Some(name) = endpoint else { return Ok(None) };
    let found = config.endpoint.iter().find(|endpoint| endpoint.name() == name);
    found.map(crate::proxy::endpoint::Endpoint::region).ok_or_else(|| {
        let names: Vec<_> = config.endpoint.iter().map(|endpoint| endpoint.name()).collect();
        format!("there is no endpoint `{name}`, expected one of {names:?}")
    })
}
