//! A whole recording in memory, in the order of its times: who asked for what, and whose codes were typed.
//!
//! Both policies are played the same tape. It knows what happened at the time, and nothing of what either would do.

mod taping;

use std::path::Path;

use super::event::{Ask, Place};
use super::gate::Gate;
use crate::attempt::Timestamp;
use crate::attempt::phone::{Number, Redacted, Region};

/// The recording.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) sends: Vec<Sent>,
    codes: Vec<Code>,
    moments: Vec<Moment>,
    places: Vec<Place<'static>>,
    pub(super) notes: Notes,
}

/// One send, as the recording has it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) ask: Ask,
    pub(super) phone: Box<str>,
    place: u32,
    pub(super) line: u64,
    pub(super) request_id: Option<Box<str>>,
    /// As the newer configuration reads it.
    pub(super) number: Option<Number>,
    pub(super) knowledge: Knowledge,
    pub(super) outcome: Outcome,
}

/// How much of a number the recording shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    Whole,
    /// All but the last four digits.
    Range,
    /// Calling code and three digits.
    Prefix,
}

/// Whether a send was answered with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Converted,
    Unconverted,
    /// It was not sent at the time, or nobody knows whether it was.
    Unknown,
}

/// A code that was typed.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) at: Timestamp,
    pub(super) phone: Box<str>,
    pub(super) region: Option<Region>,
    place: u32,
    number: Option<Number>,
    send_line: Option<u64>,
    /// The send whose code it was, if it is on the tape.
    pub(super) send: Option<usize>,
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Send(u32),
    Code(u32),
}

/// What happens next, in full.
#[derive(Debug)]
pub(super) enum Played<'t> {
    /// With the send's index.
    Send(usize, &'t Sent, &'t Place<'static>),
    Code(&'t Code, &'t Place<'static>),
}

/// What the recording is like.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub(super) n_codes_without_send: u64,
    pub(super) n_unreadable_clients: u64,
    pub(super) n_without_number: u64,
    pub(super) n_several_numbers: u64,
    pub(super) n_stand_ins: u64,
    pub(super) warnings: Vec<String>,
}

// === impl Tape ===

impl Tape {
    /// Reads the file; numbers are told apart as `gate` reads them.
    pub(super) fn load(path: &Path, gate: &Gate) -> Result<Self, String> {
        taping::load(path, gate)
    }

    /// Everything, in the order of time.
    pub(super) fn play(&self) -> impl Iterator<Item = Played<'_>> {
        self.moments.iter().filter_map(|moment| match *moment {
            Moment::Send(index) => {
                let sent = self.sends.get(index as usize)?;
                Some(Played::Send(index as usize, sent, self.place(sent.place)))
            }
            Moment::Code(index) => {
                let code = self.codes.get(index as usize)?;
                Some(Played::Code(code, self.place(code.place)))
            }
        })
    }

    pub(super) fn n_codes(&self) -> usize {
        self.codes.len()
    }

    fn place(&self, index: u32) -> &Place<'static> {
        self.places.get(index as usize).unwrap_or(&Place::Unknown)
    }
}

// === impl Sent ===

impl Sent {
    /// The number with at least four digits hidden, and none shown that was made up.
    pub(super) fn shown(&self) -> Option<Redacted> {
        let number = self.number?;
        Some(match self.knowledge {
            Knowledge::Whole | Knowledge::Prefix => number.masked(),
            Knowledge::Range => number.range(),
        })
    }
}

// === impl Played ===

impl Played<'_> {
    pub(super) fn at(&self) -> Timestamp {
        match self {
            Self::Send(_, sent, _) => sent.ask.at,
            Self::Code(code, _) => code.at,
        }
    }
}

#[cfg(test)]
mod tests;
