//! One policy over the tape, in its own closed loop: it sees only what would have happened under it.
//!
//! 1. What it allows is sent.
//! 2. What it blocks never was, so nobody types its code.
//! 3. What it challenges is sent eight seconds later to those whose code was typed at the time: they are people. Nobody
//!    else passes. Their codes are typed eight seconds later as well.

use std::collections::VecDeque;
use std::time::Duration;

use super::event::Place;
use super::gate::{Gate, Judged};
use super::tape::{Code, Outcome, Played, Sent, Tape};
use super::worst::Worst;
use crate::attempt::phone::Number;
use crate::attempt::{Attempt, Timestamp, Verdict};
use crate::risk::{Assessment, Money, OpenId, Signal};

/// What one policy made of the tape.
#[derive(Debug)]
pub(super) struct Outturn {
    /// Of each send, in the tape's order.
    pub(super) rulings: Vec<Ruling>,
    pub(super) worst: Worst,
}

/// What became of one send under the policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ruling {
    pub(super) verdict: Verdict,
    /// Whether the message left, at once or after a challenge.
    pub(super) is_sent: bool,
    /// What decided against it, if anything did.
    pub(super) signal: Signal,
    /// By this policy's prices; nothing where it could not read the number.
    pub(super) price: Money,
}

#[derive(Debug)]
struct Session {
    gate: Gate,
    outturn: Outturn,
    /// What happens once challenges are passed, in the order of time, since all of it waits equally long.
    delayed: VecDeque<(Timestamp, Delayed)>,
}

#[derive(Debug)]
enum Delayed {
    Passed(usize, Box<Attempt>, OpenId),
    Typed(usize, Number),
}

/// Plays the tape to the end.
pub(super) fn play(tape: &Tape, gate: Gate) -> Outturn {
    let mut session = session(tape, gate);
    session.play(tape);
    session.outturn
}

fn session(tape: &Tape, gate: Gate) -> Session {
    let unsent = Ruling { verdict: Verdict::Block, is_sent: false, signal: Signal::Prior, price: Money::default() };
    let outturn = Outturn { rulings: vec![unsent; tape.sends.len()], worst: Worst::default() };
    Session { gate, outturn, delayed: VecDeque::new() }
}

// === impl Session ===

impl Session {
    fn play(&mut self, tape: &Tape) {
        for played in tape.play() {
            self.catch_up(played.at());
            self.gate.tick(played.at());
            match played {
                Played::Send(index, sent, place) => self.send(index, sent, place),
                Played::Code(code, place) => self.code(code, place),
            }
        }
        self.catch_up(Timestamp::from_millis(u64::MAX));
    }

    fn send(&mut self, index: usize, sent: &Sent, place: &Place<'_>) {
        let judged = self.gate.send(&sent.ask, place, &sent.phone);
        let verdict = judged.verdict();
        let nothing = Assessment::default();
        let (price, assessment) = match &judged {
            Judged::Unguarded => (Money::default(), &nothing),
            Judged::Unreadable(assessment) => (Money::default(), &**assessment),
            Judged::Decided(attempt, decision) => {
                self.challenge(index, sent, attempt, verdict, decision.sends.first().copied());
                (self.gate.judge.engine.price(attempt), &decision.assessment)
            }
        };
        let signal = assessment.deciding().unwrap_or(Signal::Prior);
        let ruling = Ruling { verdict, is_sent: verdict == Verdict::Allow, signal, price };
        self.outturn.worst.consider(index, sent, &ruling, assessment);
        self.set(index, ruling);
    }

    /// A person passes a challenge.
    fn challenge(&mut self, index: usize, sent: &Sent, attempt: &Attempt, verdict: Verdict, send: Option<OpenId>) {
        if let (Verdict::Challenge, Outcome::Converted, Some(send)) = (verdict, sent.outcome, send) {
            let due = sent.ask.at.after(TO_PASS);
            self.delayed.push_back((due, Delayed::Passed(index, Box::new(*attempt), send)));
        }
    }

    fn code(&mut self, code: &Code, place: &Place<'_>) {
        let Ok(number) = self.gate.read(&code.phone, code.region, place) else { return };
        let ruling = code.send.and_then(|index| self.outturn.rulings.get(index));
        match (code.send, ruling.map(|ruling| ruling.verdict)) {
            (Some(index), Some(Verdict::Challenge)) => {
                self.delayed.push_back((code.at.after(TO_PASS), Delayed::Typed(index, number)));
            }
            (Some(_), Some(Verdict::Block)) => {}
            (Some(_), Some(Verdict::Allow)) | (Some(_), None) | (None, _) => self.gate.verified(code.at, number),
        }
    }

    /// Does what was delayed until now.
    fn catch_up(&mut self, now: Timestamp) {
        while self.delayed.front().is_some_and(|(due, _)| *due <= now)
            && let Some((due, delayed)) = self.delayed.pop_front()
        {
            self.gate.tick(due);
            match delayed {
                Delayed::Passed(index, attempt, send) => {
                    let is_sent = self.gate.challenge_passed(due, *attempt, send);
                    if let Some(ruling) = self.outturn.rulings.get_mut(index) {
                        ruling.is_sent = is_sent;
                    }
                }
                Delayed::Typed(index, number) => {
                    if self.outturn.rulings.get(index).is_some_and(|ruling| ruling.is_sent) {
                        self.gate.verified(due, number);
                    }
                }
            }
        }
    }

    fn set(&mut self, index: usize, ruling: Ruling) {
        if let Some(slot) = self.outturn.rulings.get_mut(index) {
            *slot = ruling;
        }
    }
}

/// What a person takes to pass a challenge.
const TO_PASS: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests;
