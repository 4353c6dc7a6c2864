//! One judgement for everybody: the live guard and replay decide by the same steps, in the same order.
//!
//! 1. A number at its own limit tells nothing new and costs next to nothing: refused before it is scored.
//! 2. Rules, then the score, for each number; the worst verdict counts for all.
//! 3. What is allowed takes its place in the exact limits and budgets, all or nothing.
//! 4. The engine learns from what was decided.

use smallvec::SmallVec;

use super::{Mode, Policy};
use crate::attempt::phone::Number;
use crate::attempt::{Attempt, Verdict};
use crate::risk::{Assessment, Engine, Exceeded, Fact, Fate, OpenId, Reservation, Signal};

/// What was decided about one request, and what it holds until it is sent.
#[derive(Debug)]
pub struct Decision {
    /// The worst of all its numbers.
    pub verdict: Verdict,
    /// Why, about the number that decided.
    pub assessment: Assessment,
    /// The number that decided.
    pub number: Option<Number>,
    /// The limit or budget that is used up.
    pub exceeded: Option<Exceeded>,
    /// Places taken in limits, if it may be sent.
    pub reservation: Reservation,
    /// Its messages, for what happens to them.
    pub sends: SmallVec<[OpenId; 1]>,
}

// === impl Policy ===

impl Policy {
    /// Decides about the numbers of one request.
    pub fn decide(&self, engine: &Engine, attempts: &[Attempt]) -> Decision {
        let mut decision = Decision::allowed();
        let mut judged: SmallVec<[(&Attempt, Assessment, Verdict); 1]> = SmallVec::new();
        for attempt in attempts {
            if let Err(exceeded) = engine.check_number(attempt) {
                decision.worsen(Verdict::Block, &Assessment::default(), attempt.number);
                decision.exceed(exceeded);
                return decision;
            }
            let assessment = self.rule(attempt.number).unwrap_or_else(|| engine.assess(attempt));
            let verdict = self.judge(&assessment);
            decision.worsen(verdict, &assessment, attempt.number);
            judged.push((attempt, assessment, verdict));
        }
        if decision.verdict == Verdict::Allow {
            match engine.reserve(attempts) {
                Ok(reservation) => decision.reservation = reservation,
                Err(exceeded) => {
                    decision.exceed(exceeded);
                    return decision;
                }
            }
        }
        let fate = match (decision.verdict, self.mode()) {
            (Verdict::Allow, _) | (_, Mode::Monitor) => Fate::Sent,
            (Verdict::Challenge, Mode::Enforce) if self.can_ask => Fate::Asked,
            (Verdict::Challenge | Verdict::Block, Mode::Enforce) => Fate::Refused,
        };
        // What would have been allowed, but stands in one request with what is not, is not sent and teaches nothing.
        let teaches = |verdict: &Verdict| fate == Fate::Sent || *verdict != Verdict::Allow;
        for (attempt, assessment, verdict) in judged.iter().filter(|(_, _, verdict)| teaches(verdict)) {
            decision.sends.extend(engine.record(attempt, assessment, *verdict, fate));
        }
        decision
    }
}

// === impl Decision ===

impl Decision {
    /// A refusal that needs no number, with its reason.
    pub fn unreadable(fact: Fact) -> Self {
        let assessment = Assessment::certain(Signal::Unreadable, fact);
        Self { verdict: Verdict::Block, assessment, ..Self::allowed() }
    }

    fn allowed() -> Self {
        Self {
            verdict: Verdict::Allow,
            assessment: Assessment::default(),
            number: None,
            exceeded: None,
            reservation: Reservation::default(),
            sends: SmallVec::new(),
        }
    }

    /// Takes over a verdict that is worse, or as bad on a higher score.
    fn worsen(&mut self, verdict: Verdict, assessment: &Assessment, number: Number) {
        let worst = (self.verdict, self.assessment.score);
        if self.number.is_none() || worst < (verdict, assessment.score) {
            self.verdict = verdict;
            self.assessment = assessment.clone();
            self.number = Some(number);
        }
    }

    fn exceed(&mut self, exceeded: Exceeded) {
        self.verdict = Verdict::Block;
        self.assessment.evidence.push(exceeded.evidence());
        self.exceeded = Some(exceeded);
    }
}
