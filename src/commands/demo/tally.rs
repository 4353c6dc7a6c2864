//! Counts what the block log says, for each party.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::log::{Line, Verdict};
use super::party::Party;
use super::script::Script;
use crate::risk::Money;

/// Everything counted.
#[derive(Debug)]
pub(super) struct Tally {
    script: Arc<Script>,
    ordinary: Row,
    attack: Row,
    visitors: Row,
    latest: VecDeque<Line>,
    seconds: Vec<Second>,
    /// Of every visit of the attack, whether it was let through.
    passed: BTreeMap<usize, bool>,
}

/// One party's requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    pub(super) n_requests: u64,
    pub(super) n_sent: u64,
    pub(super) n_challenged: u64,
    pub(super) n_blocked: u64,
    /// What all of them would have cost.
    pub(super) asked: Money,
    /// What the refused ones would have cost.
    pub(super) saved: Money,
}

/// A second of the story.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Second {
    pub(super) n_ordinary: u64,
    pub(super) n_attack: u64,
    pub(super) n_attack_sent: u64,
}

/// How far the attack came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstStop {
    /// Nothing was stopped, of so many requests.
    Never(usize),
    /// So many messages got through before the first was stopped.
    After(usize),
}

// === impl Tally ===

impl Tally {
    pub(super) fn new(script: Arc<Script>) -> Self {
        Self {
            script,
            ordinary: Row::default(),
            attack: Row::default(),
            visitors: Row::default(),
            latest: VecDeque::new(),
            seconds: Vec::new(),
            passed: BTreeMap::new(),
        }
    }

    /// Counts one decision, seen so long after the start.
    pub(super) fn count(&mut self, line: Line, elapsed: Duration) {
        let (party, index) = Party::of(&line.request_id);
        let visit = index.and_then(|index| self.script.visits.get(index));
        // What a visitor asks for is not in the script, so nobody here knows its price.
        let price = visit.map_or_else(Money::default, |visit| visit.price);
        self.row_mut(party).count(line.verdict, price);
        let is_sent = line.verdict == Verdict::Allow;
        if let (Party::Attack, Some(index)) = (party, index) {
            self.passed.insert(index, is_sent);
        }
        self.second(elapsed).count(party, is_sent);
        self.latest.push_back(line);
        if N_LATEST < self.latest.len() {
            self.latest.pop_front();
        }
    }

    pub(super) fn row(&self, party: Party) -> &Row {
        match party {
            Party::Ordinary => &self.ordinary,
            Party::Attack => &self.attack,
            Party::Visitor => &self.visitors,
        }
    }

    /// The last decisions, oldest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Line> {
        self.latest.iter()
    }

    /// The last minute of the story, a second each.
    pub(super) fn last_minute(&self, elapsed: Duration) -> Vec<Second> {
        let now = self.index_of(elapsed);
        let from = (now + 1).saturating_sub(MINUTE);
        (from..=now).map(|index| self.seconds.get(index).copied().unwrap_or_default()).collect()
    }

    /// How many messages of the attack got through before one was stopped, in the order in which they were asked for.
    pub(super) fn first_stop(&self) -> FirstStop {
        let n_before = self.passed.values().take_while(|is_sent| **is_sent).count();
        if n_before == self.passed.len() { FirstStop::Never(n_before) } else { FirstStop::After(n_before) }
    }

    /// What the refused messages would have cost.
    pub(super) fn saved(&self) -> Money {
        Party::ALL.iter().fold(Money::default(), |sum, party| sum.plus(self.row(*party).saved))
    }

    fn row_mut(&mut self, party: Party) -> &mut Row {
        match party {
            Party::Ordinary => &mut self.ordinary,
            Party::Attack => &mut self.attack,
            Party::Visitor => &mut self.visitors,
        }
    }

    fn second(&mut self, elapsed: Duration) -> &mut Second {
        let index = self.index_of(elapsed);
        if self.seconds.len() <= index {
            self.seconds.resize(index + 1, Second::default());
        }
        let Some(second) = self.seconds.get_mut(index) else { unreachable!("there was room made for it") };
        second
    }

    fn index_of(&self, elapsed: Duration) -> usize {
        let second = self.script.pace.second().as_micros().max(1);
        usize::try_from(elapsed.as_micros() / second).unwrap_or(MOST_SECONDS).min(MOST_SECONDS)
    }
}

// === impl Row ===

impl Row {
    pub(super) fn n_refused(&self) -> u64 {
        self.n_challenged + self.n_blocked
    }

    fn count(&mut self, verdict: Verdict, price: Money) {
        self.n_requests += 1;
        self.asked = self.asked.plus(price);
        match verdict {
            Verdict::Allow => self.n_sent += 1,
            Verdict::Challenge => self.n_challenged += 1,
            Verdict::Block => self.n_blocked += 1,
        }
        if verdict != Verdict::Allow {
            self.saved = self.saved.plus(price);
        }
    }
}

// === impl Second ===

impl Second {
    fn count(&mut self, party: Party, is_sent: bool) {
        match party {
            Party::Ordinary | Party::Visitor => self.n_ordinary += 1,
            Party::Attack => {
                self.n_attack += 1;
                self.n_attack_sent += u64::from(is_sent);
            }
        }
    }
}

const N_LATEST: usize = 5;
const MINUTE: usize = 60;

/// Longer than any demonstration goes on after its story.
const MOST_SECONDS: usize = 600;

#[cfg(test)]
mod tests {
    use super::super::script::{Pace, STORY};
    use super::super::tariff::Tariff;
    use super::*;

    fn tally() -> Tally {
        Tally::new(Arc::new(Script::write(1, Pace::over(STORY), &Tariff::builtin().unwrap())))
    }

    fn line(request_id: &str, verdict: &str) -> Line {
        let json = format!(
            r#"{{"ts":"2026-01-01T00:00:00.000Z","request_id":"{request_id}","verdict":"{verdict}","score":7,"reasons":[]}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn the_first_stop_is_found_in_the_order_of_asking() {
        let mut tally = tally();
        for (request_id, verdict) in [("attack-12", "block"), ("attack-11", "allow"), ("attack-10", "allow")] {
            tally.count(line(request_id, verdict), Duration::ZERO);
        }
        assert_eq!(tally.first_stop(), FirstStop::After(2));
    }

    #[test]
    fn parties_are_counted_apart() {
        let mut tally = tally();
        for (request_id, verdict) in [("ordinary-1", "allow"), ("attack-2", "challenge"), ("9f", "block")] {
            tally.count(line(request_id, verdict), Duration::from_secs(1));
        }
        assert_eq!(tally.row(Party::Ordinary).n_sent, 1);
        assert_eq!(tally.row(Party::Attack).n_challenged, 1);
        assert_eq!(tally.row(Party::Visitor).n_blocked, 1);
        assert_eq!(tally.last_minute(Duration::from_secs(1)).len(), 2);
    }
}
