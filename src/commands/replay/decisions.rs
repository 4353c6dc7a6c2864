//! One policy over a recording as it stands: a decision for every send, in order, and a summary.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;

use super::event::{Event, Phone, Send, Verify};
use super::gate::{Gate, Judged};
use super::reason::Reason;
use super::recording::Recording;
use super::stand_ins::StandIns;
use super::summary::Summary;
use super::{BUFFER, Options};
use crate::app::Judge;
use crate::attempt::{Attempt, Timestamp, Verdict};
use crate::risk::{Assessment, Fact, OpenId, Signal};

/// One answer.
#[derive(Serialize)]
struct Decision {
    line: u64,
    action: &'static str,
    score: u8,
    reasons: Vec<Reason>,
}

/// The gate, and what replay itself must remember.
struct Replay {
    gate: Gate,
    stand_ins: StandIns,
    /// Challenged sends that may still be solved, oldest first.
    challenged: HashMap<u64, (Attempt, OpenId)>,
    order: VecDeque<u64>,
    summary: Summary,
}

/// Plays the recording and answers nothing.
pub(super) fn remembered(gate: Gate, events: &Path) -> Result<(Judge, Timestamp), String> {
    let mut recording = Recording::open(events)?;
    let mut replay = Replay::new(gate);
    while let Some((number, event)) = recording.next()? {
        let played = replay.play(event, number);
        played.map_err(|why| recording.problem(why))?;
    }
    Ok(replay.gate.into_judge())
}

/// Answers every send of the recording.
pub(super) fn replay(gate: Gate, options: &Options) -> Result<Summary, String> {
    let mut recording = Recording::open(&options.events)?;
    let written = |error: io::Error| format!("{}: {error}", options.decisions.display());
    let mut output = create(&options.decisions).map_err(written)?;
    let shows_progress = !options.stdio && io::stderr().is_terminal();
    let mut replay = Replay::new(gate);
    while let Some((number, event)) = recording.next()? {
        let played = replay.play(event, number);
        if let Some(decision) = played.map_err(|why| recording.problem(why))? {
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
    Ok(replay.ended())
}

// === impl Replay ===

impl Replay {
    fn new(gate: Gate) -> Self {
        Self {
            gate,
            stand_ins: StandIns::default(),
            challenged: HashMap::new(),
            order: VecDeque::new(),
            summary: Summary::default(),
        }
    }

    fn play(&mut self, event: Event<'_>, number: u64) -> Result<Option<Decision>, &'static str> {
        self.gate.tick(event.at());
        self.summary.unreadable_client(event.has_unreadable_client());
        match event {
            Event::Send(send) => self.send(&send, number).map(Some),
            Event::Verify(verify) => {
                self.verify(&verify);
                Ok(None)
            }
            Event::ChallengePassed { at, send_line } => {
                self.challenge_passed(at, send_line);
                Ok(None)
            }
        }
    }

    fn send(&mut self, send: &Send<'_>, number: u64) -> Result<Decision, &'static str> {
        let line = send.line.unwrap_or(number);
        let judged = match &send.phone {
            Some(phone) => self.judge(send, phone),
            None if send.request_id.is_some() => unreadable("the log has no number of this request"),
            None => return Err("a send needs `phone`"),
        };
        let verdict = judged.verdict();
        Ok(match judged {
            Judged::Unguarded => decision(line, verdict, &Assessment::default()),
            Judged::Unreadable(assessment) => {
                self.summary.decided(verdict, None, &assessment, None);
                decision(line, verdict, &assessment)
            }
            Judged::Decided(attempt, decided) => {
                if let (Verdict::Challenge, Some(send)) = (verdict, decided.sends.first()) {
                    self.remember(line, attempt, *send);
                }
                let price = self.gate.judge.engine.price(&attempt);
                self.summary.decided(verdict, Some(attempt.number.country()), &decided.assessment, Some(price));
                decision(line, verdict, &decided.assessment)
            }
        })
    }

    fn judge(&mut self, send: &Send<'_>, phone: &Phone<'_>) -> Judged {
        match phone {
            Phone::Whole(text) => self.gate.send(&send.ask, &send.place, text),
            Phone::Masked(masked) => match self.stand_ins.resolve(masked, &self.gate.judge.reader) {
                Some(number) => self.gate.send(&send.ask, &send.place, &number.e164()),
                None => unreadable("no number can stand for the masked one"),
            },
        }
    }

    fn verify(&mut self, verify: &Verify<'_>) {
        let number = match &verify.phone {
            None => None,
            Some(Phone::Whole(text)) => self.gate.judge.reader.read(text, verify.region).ok(),
            Some(Phone::Masked(masked)) => self.stand_ins.resolve(masked, &self.gate.judge.reader),
        };
        if let (Some(number), true) = (number, verify.is_right) {
            self.gate.verified(verify.at, number);
        }
    }

    /// Nobody waits for the answer where the limits are used up by now.
    fn challenge_passed(&mut self, at: Timestamp, send_line: Option<u64>) {
        if let Some((attempt, send)) = send_line.and_then(|line| self.challenged.remove(&line)) {
            self.gate.challenge_passed(at, attempt, send);
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

    fn ended(mut self) -> Summary {
        self.summary.stand_ins(&self.stand_ins);
        self.summary
    }
}

fn unreadable(why: &'static str) -> Judged {
    Judged::Unreadable(Box::new(Assessment::certain(Signal::Unreadable, Fact::Because(why))))
}

fn decision(line: u64, verdict: Verdict, assessment: &Assessment) -> Decision {
    Decision {
        line,
        action: verdict.as_str(),
        score: assessment.score.get(),
        reasons: assessment.evidence.iter().map(Reason::from).collect(),
    }
}

fn create(path: &Path) -> io::Result<Box<dyn Write>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufWriter::with_capacity(BUFFER, io::stdout().lock())));
    }
    Ok(Box::new(BufWriter::with_capacity(BUFFER, File::create(path)?)))
}

/// Challenges that can still be reported as passed.
const MOST_CHALLENGED: usize = 100_000;
