//! Makes the tape: reads every event, puts all in order, and finds the send of every typed code.
//!
//! A code belongs to the send that it names, or else to the last send to its number that may have been sent.

use std::collections::HashMap;
use std::path::Path;

use super::super::event::{Event, Fate, Phone, Place, Send, Verify};
use super::super::gate::Gate;
use super::super::recording::Recording;
use super::super::stand_ins::{StandIns, shows_range};
use super::{Code, Knowledge, Moment, Outcome, Sent, Tape};
use crate::attempt::Timestamp;
use crate::attempt::phone::{Number, Region};

struct Taping<'g> {
    tape: Tape,
    gate: &'g Gate,
    stand_ins: StandIns,
    places: HashMap<Place<'static>, u32>,
    /// Of each send.
    fates: Vec<Fate>,
    n_spoilt: u64,
}

/// A number as it is put on the tape.
struct Read {
    phone: Box<str>,
    number: Option<Number>,
    knowledge: Knowledge,
}

pub(super) fn load(path: &Path, gate: &Gate) -> Result<Tape, String> {
    let mut recording = Recording::open(path)?;
    let mut taping = Taping::new(gate);
    while let Some((number, event)) = recording.next()? {
        let taken = taping.take(event, number);
        taken.map_err(|why| recording.problem(why))?;
    }
    Ok(taping.finish())
}

// === impl Taping ===

impl<'g> Taping<'g> {
    fn new(gate: &'g Gate) -> Self {
        Self {
            tape: Tape::default(),
            gate,
            stand_ins: StandIns::default(),
            places: HashMap::new(),
            fates: Vec::new(),
            n_spoilt: 0,
        }
    }

    fn take(&mut self, event: Event<'_>, number: u64) -> Result<(), &'static str> {
        self.tape.notes.n_unreadable_clients += u64::from(event.has_unreadable_client());
        match event {
            Event::Send(send) => self.send(send, number),
            Event::Verify(verify) => {
                self.verify(&verify);
                Ok(())
            }
            // Whether a policy's challenge is passed follows from the code that was typed.
            Event::ChallengePassed { .. } => Ok(()),
        }
    }

    fn send(&mut self, send: Send<'_>, line: u64) -> Result<(), &'static str> {
        let Some(phone) = &send.phone else {
            if send.request_id.is_none() {
                return Err("a send needs `phone`");
            }
            self.tape.notes.n_without_number += 1;
            return Ok(());
        };
        let Some(read) = self.read(phone, send.ask.region, &send.place) else { return Ok(()) };
        let place = self.place(&send.place);
        self.tape.notes.n_several_numbers += u64::from(1 < send.n_numbers);
        self.tape.moments.push(Moment::Send(index(self.tape.sends.len())));
        self.fates.push(send.fate);
        self.tape.sends.push(Sent {
            ask: send.ask,
            phone: read.phone,
            place,
            line: send.line.unwrap_or(line),
            request_id: send.request_id.map(|id| id.as_ref().into()),
            number: read.number,
            knowledge: read.knowledge,
            outcome: Outcome::Unknown,
        });
        Ok(())
    }

    fn verify(&mut self, verify: &Verify<'_>) {
        let Some(phone) = verify.phone.as_ref().filter(|_| verify.is_right) else { return };
        let Some(read) = self.read(phone, verify.region, &verify.place) else { return };
        let place = self.place(&verify.place);
        self.tape.moments.push(Moment::Code(index(self.tape.codes.len())));
        self.tape.codes.push(Code {
            at: verify.at,
            phone: read.phone,
            region: verify.region,
            place,
            number: read.number,
            send_line: verify.send_line,
            send: None,
        });
    }

    /// `None` where no number can stand for a masked one.
    fn read(&mut self, phone: &Phone<'_>, region: Option<Region>, place: &Place<'_>) -> Option<Read> {
        match phone {
            Phone::Whole(text) => {
                let number = self.gate.read(text, region, place).ok();
                Some(Read { phone: text.as_ref().into(), number, knowledge: Knowledge::Whole })
            }
            Phone::Masked(masked) => {
                let number = self.stand_ins.resolve(masked, &self.gate.judge.reader);
                self.n_spoilt += u64::from(number.is_none());
                let knowledge = if shows_range(&masked.shown) { Knowledge::Range } else { Knowledge::Prefix };
                number.map(|number| Read { phone: (*number.e164()).into(), number: Some(number), knowledge })
            }
        }
    }

    fn place(&mut self, place: &Place<'_>) -> u32 {
        let place = place.to_static();
        let Self { places, tape, .. } = self;
        *places.entry(place).or_insert_with_key(|place| {
            tape.places.push(place.clone());
            index(tape.places.len() - 1)
        })
    }

    fn finish(self) -> Tape {
        let Self { mut tape, stand_ins, fates, n_spoilt, .. } = self;
        let Tape { sends, codes, moments, .. } = &mut tape;
        moments.sort_by_key(|moment| at(sends, codes, *moment));
        assign(sends, codes, moments, &fates);
        for (sent, fate) in sends.iter_mut().zip(&fates) {
            match (sent.outcome, fate) {
                (Outcome::Unknown, Fate::Sent) => sent.outcome = Outcome::Unconverted,
                (Outcome::Converted | Outcome::Unconverted, _) | (Outcome::Unknown, Fate::Doubtful | Fate::Refused) => {
                }
            }
        }
        tape.notes.n_codes_without_send = tape.codes.iter().filter(|code| code.send.is_none()).count() as u64;
        tape.notes.n_stand_ins = stand_ins.n_numbers() as u64;
        tape.notes.warnings = warnings(&tape, &stand_ins, n_spoilt);
        tape
    }
}

/// Finds whose code each was.
fn assign(sends: &mut [Sent], codes: &mut [Code], moments: &[Moment], fates: &[Fate]) {
    let by_line: HashMap<u64, usize> = if codes.iter().any(|code| code.send_line.is_some()) {
        sends.iter().enumerate().map(|(index, sent)| (sent.line, index)).collect()
    } else {
        HashMap::new()
    };
    let mut last: HashMap<u64, usize> = HashMap::new();
    for moment in moments {
        match *moment {
            Moment::Send(index) => {
                let index = index as usize;
                let number = sends.get(index).and_then(|sent| sent.number);
                if let (Some(number), Some(Fate::Sent | Fate::Doubtful)) = (number, fates.get(index)) {
                    last.insert(number.digits(), index);
                }
            }
            Moment::Code(index) => {
                let Some(code) = codes.get_mut(index as usize) else { continue };
                let named = code.send_line.and_then(|line| by_line.get(&line));
                code.send = named.or_else(|| last.get(&code.number?.digits())).copied();
                if let Some(sent) = code.send.and_then(|index| sends.get_mut(index)) {
                    sent.outcome = Outcome::Converted;
                }
            }
        }
    }
}

fn at(sends: &[Sent], codes: &[Code], moment: Moment) -> Timestamp {
    let at = match moment {
        Moment::Send(index) => sends.get(index as usize).map(|sent| sent.ask.at),
        Moment::Code(index) => codes.get(index as usize).map(|code| code.at),
    };
    at.unwrap_or_default()
}

fn warnings(tape: &Tape, stand_ins: &StandIns, n_spoilt: u64) -> Vec<String> {
    let notes = &tape.notes;
    let mut warnings = stand_ins.warnings();
    if 0 < n_spoilt {
        warnings.push(format!("{n_spoilt} events are left out, since no number can stand for the masked one"));
    }
    if 0 < notes.n_unreadable_clients {
        warnings.push(format!("{} events with an unreadable client address", notes.n_unreadable_clients));
    }
    if 0 < notes.n_without_number {
        warnings.push(format!("{} requests without a readable number are left out", notes.n_without_number));
    }
    if 0 < notes.n_several_numbers {
        warnings.push(format!(
            "{} requests named several numbers, and only the one that decided is in the log",
            notes.n_several_numbers
        ));
    }
    if 0 < notes.n_codes_without_send {
        warnings.push(format!("{} typed codes belong to no send of the recording", notes.n_codes_without_send));
    }
    if tape.codes.is_empty() {
        warnings
            .push("no code was typed in the recording: all sends count as unanswered, customers' as well".to_owned());
    }
    warnings
}

/// Four thousand million events fit; memory does not hold so many.
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
