//! `tollgate replay`: the same engine and policy on recorded events, in the events' own time.
//!
//! Reads one JSON object a line, writes one decision for every send, in order, and ends with a summary.

mod event;
mod summary;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::{fail, load};
use crate::app::Judge;
use crate::attempt::Verdict;
use crate::attempt::agent::Agent;
use crate::attempt::client::Client;
use crate::attempt::origin::{Asn, Origin};
use crate::attempt::phone::Reader;
use crate::attempt::{Attempt, Channel, Timestamp};
use crate::geo::Geo;
use crate::policy::{Decision as Decided, Policy};
use crate::proxy::endpoint::{Endpoint, Endpoints, Role};
use crate::risk::{Assessment, Engine, Event as Outcome, Evidence, Fact, OpenId, Signal};
use event::{Event, Kind};
use summary::Summary;

/// What to replay, and where the decisions go.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The events, one JSON object a line; `-` is stdin.
    #[arg(long, default_value = "-", value_name = "FILE")]
    events: PathBuf,
    /// The decisions, one JSON object a line; `-` is stdout.
    #[arg(long, default_value = "-", value_name = "FILE")]
    decisions: PathBuf,
    /// Answer each send before the next line is read, for programs that wait for it.
    #[arg(long)]
    stdio: bool,
}

/// One answer.
#[derive(Serialize)]
struct Decision {
    line: u64,
    action: &'static str,
    score: u8,
    reasons: Vec<Reason>,
}

#[derive(Serialize)]
struct Reason {
    signal: &'static str,
    points: f64,
    detail: String,
}

/// The engine, and what replay itself must remember.
struct Replay {
    engine: Engine,
    policy: Policy,
    reader: Reader,
    geo: Geo,
    endpoints: Endpoints,
    /// Challenged sends that may still be solved, oldest first.
    challenged: HashMap<u64, (Attempt, OpenId)>,
    order: VecDeque<u64>,
    maintained_at: Timestamp,
    summary: Summary,
}

/// Replays with the configuration at `path`.
pub fn run(path: &Path, options: &Options) -> ExitCode {
    let (config, materials) = match load(path) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let endpoints = Endpoints::new(config.endpoint.clone());
    let Judge { reader, geo, engine, policy } = materials.into_judge(&config);
    let replay = Replay {
        engine,
        policy,
        reader,
        geo,
        endpoints,
        challenged: HashMap::new(),
        order: VecDeque::new(),
        maintained_at: Timestamp::default(),
        summary: Summary::default(),
    };
    match replay_all(replay, options) {
        Ok(summary) => {
            eprint!("{summary}");
            ExitCode::SUCCESS
        }
        Err(problem) => fail(&[problem]),
    }
}

fn replay_all(mut replay: Replay, options: &Options) -> Result<Summary, String> {
    let mut input = open(&options.events).map_err(|error| format!("{}: {error}", options.events.display()))?;
    let mut output = create(&options.decisions).map_err(|error| format!("{}: {error}", options.decisions.display()))?;
    let written = |error: io::Error| format!("{}: {error}", options.decisions.display());
    let shows_progress = !options.stdio && io::stderr().is_terminal();
    let mut line = String::new();
    for number in 1u64.. {
        line.clear();
        let n_read =
            input.read_line(&mut line).map_err(|error| format!("{}:{number}: {error}", options.events.display()))?;
        if n_read == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        let event: Event<'_> =
            serde_json::from_str(&line).map_err(|error| format!("{}:{number}: {error}", options.events.display()))?;
        if let Some(decision) = replay.play(&event, number)? {
            serde_json::to_writer(&mut output, &decision).map_err(|error| written(error.into()))?;
            output.write_all(b"\n").map_err(written)?;
            if options.stdio {
                output.flush().map_err(written)?;
            }
        }
        if shows_progress && number % 50_000 == 0 {
            eprint!("\r{number} events");
        }
    }
    if shows_progress {
        eprint!("\r");
    }
    output.flush().map_err(written)?;
    Ok(replay.summary)
}

// === impl Replay ===

impl Replay {
    fn play(&mut self, event: &Event<'_>, number: u64) -> Result<Option<Decision>, String> {
        let at = Timestamp::from_seconds(event.ts);
        if Duration::from_secs(1) <= at.since(self.maintained_at) {
            self.engine.maintain(at);
            self.maintained_at = at;
        }
        match event.kind {
            Kind::Send => self.send(event, at, number).map(Some),
            Kind::Verify => {
                self.verify(event, at);
                Ok(None)
            }
            Kind::ChallengePassed => {
                self.challenge_passed(event, at);
                Ok(None)
            }
        }
    }

    fn send(&mut self, event: &Event<'_>, at: Timestamp, number: u64) -> Result<Decision, String> {
        let line = event.line.unwrap_or(number);
        let endpoint = event.path.as_deref().and_then(|path| self.endpoints.at_path(path));
        if endpoint.is_some_and(|endpoint| endpoint.role() == Role::Verify) {
            return Ok(decision(line, Verdict::Allow, &Assessment::default()));
        }
        let phone = event.phone.as_deref().ok_or_else(|| format!("line {number}: a send needs `phone`"))?;
        let region = event.region.or_else(|| endpoint.and_then(Endpoint::region));
        let phone = match self.reader.read(phone, region) {
            Ok(phone) => phone,
            Err(unreadable) => {
                let assessment = Assessment::certain(Signal::Unreadable, Fact::BadNumber(unreadable));
                self.summary.decided(Verdict::Block, None, &assessment, None);
                return Ok(decision(line, Verdict::Block, &assessment));
            }
        };
        let attempt = Attempt {
            at,
            client: event.client_ip.map(Client::new),
            origin: self.origin(event),
            agent: agent(event),
            number: phone,
            channel: endpoint.map_or_else(|| channel(event), Endpoint::channel),
        };
        let Decided { verdict, assessment, sends, .. } = self.policy.decide(&self.engine, &[attempt]);
        if let (Verdict::Challenge, Some(send)) = (verdict, sends.first()) {
            self.remember(line, attempt, *send);
        }
        self.summary.decided(verdict, Some(phone.country()), &assessment, Some(self.engine.price(&attempt)));
        Ok(decision(line, verdict, &assessment))
    }

    fn verify(&mut self, event: &Event<'_>, at: Timestamp) {
        let read = event.phone.as_deref().map(|phone| self.reader.read(phone, event.region));
        if let (Some(Ok(number)), true) = (read, event.success) {
            self.engine.fold(&Outcome::Verified { at, number });
        }
    }

    /// A solved challenge sends the message after all, so it takes its place in the limits.
    fn challenge_passed(&mut self, event: &Event<'_>, at: Timestamp) {
        let Some((attempt, send)) = event.send_line.and_then(|line| self.challenged.remove(&line)) else { return };
        // A limit that is used up by now refuses the send that follows the solution; nobody waits for that answer.
        if self.engine.reserve(&[Attempt { at, ..attempt }]).is_ok() {
            self.engine.fold(&Outcome::ChallengePassed { at, send });
        }
    }

    /// As recorded, or else as the database has it.
    fn origin(&self, event: &Event<'_>) -> Origin {
        let recorded = Origin { asn: event.asn.and_then(Asn::new), country: event.ip_country };
        match event.client_ip {
            Some(ip) if recorded == Origin::default() => self.geo.lookup(ip),
            Some(_) | None => recorded,
        }
    }

    fn remember(&mut self, line: u64, attempt: Attempt, send: OpenId) {
        self.challenged.insert(line, (attempt, send));
        self.order.push_back(line);
        if MOST_CHALLENGED < self.order.len()
            && let Some(oldest) = self.order.pop_front()
        {
            self.challenged.remove(&oldest);
        }
    }
}

fn agent(event: &Event<'_>) -> Option<Agent> {
    let properties = [event.ja4.as_deref(), event.user_agent.as_deref()];
    let is_known = properties.iter().any(Option::is_some);
    is_known.then(|| Agent::of(properties.map(|property| property.unwrap_or_default().as_bytes())))
}

/// Where no endpoint says how a code is delivered, its path may.
fn channel(event: &Event<'_>) -> Channel {
    let path = event.path.as_deref().unwrap_or_default();
    if path.ends_with("voice") || path.ends_with("call") { Channel::Voice } else { Channel::Text }
}

fn decision(line: u64, verdict: Verdict, assessment: &Assessment) -> Decision {
    Decision {
        line,
        action: verdict.as_str(),
        score: assessment.score.get(),
        reasons: assessment.evidence.iter().map(Reason::from).collect(),
    }
}

impl From<&Evidence> for Reason {
    fn from(evidence: &Evidence) -> Self {
        Self {
            signal: evidence.signal.as_str(),
            points: f64::from(evidence.points.tenths()) / 10.0,
            detail: evidence.fact.to_string(),
        }
    }
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER, File::open(path)?)))
}

fn create(path: &Path) -> io::Result<Box<dyn Write>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufWriter::with_capacity(BUFFER, io::stdout().lock())));
    }
    Ok(Box::new(BufWriter::with_capacity(BUFFER, File::create(path)?)))
}

const BUFFER: usize = 256 << 10;

/// Challenges that can still be reported as passed.
const MOST_CHALLENGED: usize = 100_000;
