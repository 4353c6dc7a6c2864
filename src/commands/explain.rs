//! `tollgate explain`: what policy makes of a number before anything has happened.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;

use super::{fail, load};
use crate::app::Judge;
use crate::attempt::Attempt;
use crate::attempt::Verdict;
use crate::attempt::client::Client;
use crate::attempt::phone::Region;
use crate::config::Config;
use crate::proxy::caller::Clock;
use crate::risk::Exceeded;

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
}

/// Explains with the configuration at `path` and a state that remembers nothing.
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
    let Judge { reader, geo, engine, policy } = materials.into_judge(&config);
    let number = match reader.read(&options.number, region) {
        Ok(number) => number,
        Err(unreadable) => {
            println!("verdict   block (422)\nreason    unreadable: {unreadable}");
            return ExitCode::SUCCESS;
        }
    };
    let origin = options.ip.map(|ip| geo.lookup(ip)).unwrap_or_default();
    let client = options.ip.map(Client::new);
    let attempt = Attempt { client, origin, ..Attempt::new(Clock::start().now(), number) };
    let assessment = policy.rule(number).unwrap_or_else(|| engine.assess(&attempt));
    let verdict = policy.judge(&assessment);
    println!("number    {} ({}, {})", number.masked(), number.country(), number.kind());
    println!("price     {} a message", engine.price(&attempt));
    println!("verdict   {} (score {}, mode {})", verdict.as_str(), assessment.score.get(), policy.mode().as_str());
    for evidence in &assessment.evidence {
        let detail = evidence.fact.to_string();
        println!("  {:+6.1}  {:<15} {detail}", evidence.points.decibans(), evidence.signal.as_str());
    }
    match engine.would_reserve(&attempt) {
        Err(Exceeded::UsedUp { dimension, wait, .. }) => {
            println!("limits    {} used up for {wait:?}", dimension.as_str())
        }
        Err(Exceeded::Overspent(overspent)) => println!("budget    of the {} used up", overspent.scope.as_str()),
        Err(Exceeded::Full(dimension)) => println!("limits    the table of {}s is full", dimension.as_str()),
        Ok(()) if verdict == Verdict::Allow => println!("limits    room in all of them"),
        Ok(()) => {}
    }
    println!("This is what a first attempt meets; what a running proxy has seen since is in its block log.");
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
