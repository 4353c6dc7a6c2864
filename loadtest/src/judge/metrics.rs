//! What decisions came to: how much of an attack got through and for how long, and who else was bothered.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::sim::{Event, Kind, Label, Numbers};

/// What became of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Allow,
    Challenge,
    Block,
}

/// One run in figures. Messages are expected ones: a challenge lets 3 % of bots through and loses 3 % of people.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Metrics {
    pub(crate) attack: Attack,
    pub(crate) people: People,
}

/// The attack's side.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Attack {
    /// Messages asked for.
    pub(crate) messages: u64,
    pub(crate) leaked: f64,
    /// Those of them before containment; all, where there was none.
    pub(crate) leaked_before: f64,
    /// Seconds from the first message to containment: the first moment from which at most 5 % of the rest gets
    /// through, and at most 5 % of the next forty.
    pub(crate) contained_after: Option<f64>,
    pub(crate) dollars_leaked: f64,
    pub(crate) dollars_asked: f64,
}

/// The people's side.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct People {
    pub(crate) sends: u64,
    pub(crate) challenged: u64,
    pub(crate) blocked: u64,
    pub(crate) people: u64,
    /// Who was blocked once counts whole, who was challenged 3 %.
    pub(crate) lost: f64,
}

/// One message of an attack, as far as containment is concerned.
#[derive(Clone, Copy, Debug)]
struct Message {
    ts: f64,
    leaked: f64,
}

// === impl Metrics ===

impl Metrics {
    /// Counts events with the actions taken on them; what was never decided (a verify) has none.
    pub(crate) fn new(events: &[Event], actions: &[Option<Action>], numbers: &Numbers) -> Self {
        let mut metrics = Self::default();
        let mut messages = Vec::new();
        let mut losses: HashMap<&str, f64> = HashMap::new();
        for (event, action) in events.iter().zip(actions) {
            let (Kind::Send, Some(action)) = (event.seen.kind, action) else {
                continue;
            };
            match event.label {
                Label::Attack => {
                    let seen = &event.seen;
                    let price = numbers.price(&seen.phone, seen.region.as_deref(), seen.is_voice());
                    let leaked = action.leaks();
                    metrics.attack.dollars_asked += price;
                    metrics.attack.dollars_leaked += price * leaked;
                    messages.push(Message { ts: seen.ts, leaked });
                }
                Label::Legit => {
                    metrics.people.count(*action);
                    let loss = losses.entry(&event.user_id).or_default();
                    *loss = loss.max(action.loses());
                }
            }
        }
        metrics.people.people = losses.len() as u64;
        // Summed in whole percents, since a map has no order and sums of fractions depend on it.
        let percents: u64 = losses.values().map(|loss| (loss * 100.0).round() as u64).sum();
        metrics.people.lost = percents as f64 / 100.0;
        metrics.attack.contain(&messages);
        metrics
    }
}

// === impl Attack ===

impl Attack {
    /// The share of the attack's cost that was paid, in per cent.
    pub(crate) fn percent_of_dollars(&self) -> f64 {
        100.0 * self.dollars_leaked / self.dollars_asked.max(f64::MIN_POSITIVE)
    }

    fn contain(&mut self, messages: &[Message]) {
        self.messages = messages.len() as u64;
        self.leaked = sum(messages);
        let contained = containment(messages);
        self.leaked_before = contained.map_or(self.leaked, |at| sum(&messages[..at]));
        self.contained_after = contained.map(|at| messages[at].ts - messages[0].ts);
    }
}

// === impl People ===

impl People {
    pub(crate) fn challenged_per_mille(&self) -> f64 {
        per_mille(self.challenged as f64, self.sends)
    }

    pub(crate) fn blocked_per_mille(&self) -> f64 {
        per_mille(self.blocked as f64, self.sends)
    }

    pub(crate) fn lost_per_mille(&self) -> f64 {
        per_mille(self.lost, self.people)
    }

    /// The sums over several runs.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            sends: self.sends + other.sends,
            challenged: self.challenged + other.challenged,
            blocked: self.blocked + other.blocked,
            people: self.people + other.people,
            lost: self.lost + other.lost,
        }
    }

    fn count(&mut self, action: Action) {
        self.sends += 1;
        match action {
            Action::Allow => {}
            Action::Challenge => self.challenged += 1,
            Action::Block => self.blocked += 1,
        }
    }
}

// === impl Action ===

impl Action {
    /// The share of a bot's messages that are sent after all.
    fn leaks(self) -> f64 {
        match self {
            Self::Allow => 1.0,
            Self::Challenge => BOTS_PASS,
            Self::Block => 0.0,
        }
    }

    /// The share of people who give up.
    fn loses(self) -> f64 {
        match self {
            Self::Allow => 0.0,
            Self::Challenge => 1.0 - PEOPLE_PASS,
            Self::Block => 1.0,
        }
    }
}

/// The first message from which at most 5 % of the rest leaks, and at most 5 % of the next forty. An attack whose last
/// forty were not looked at whole is not contained; one shorter than that is looked at as it is.
fn containment(messages: &[Message]) -> Option<usize> {
    let window = WINDOW.min(messages.len()).max(1);
    let mut rest = sum(messages);
    for at in 0..messages.len() {
        let next = messages.get(at..at + window)?;
        let n_rest = (messages.len() - at) as f64;
        if rest <= CONTAINED * n_rest + ROUNDING && sum(next) <= CONTAINED * window as f64 + ROUNDING {
            return Some(at);
        }
        rest -= messages[at].leaked;
    }
    None
}

fn sum(messages: &[Message]) -> f64 {
    messages.iter().fold(0.0, |sum, message| sum + message.leaked)
}

fn per_mille(part: f64, whole: u64) -> f64 {
    1000.0 * part / whole.max(1) as f64
}

/// How many in a hundred solve a challenge.
pub(crate) const BOTS_PASS: f64 = 0.03;
pub(crate) const PEOPLE_PASS: f64 = 0.97;

const WINDOW: usize = 40;
const CONTAINED: f64 = 0.05;
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::tests::{event, numbers};

    fn messages(leaks: impl IntoIterator<Item = f64>) -> Vec<Message> {
        (0..).zip(leaks).map(|(second, leaked)| Message { ts: f64::from(second), leaked }).collect()
    }

    fn repeated(leaked: f64, n: usize) -> impl Iterator<Item = f64> {
        std::iter::repeat_n(leaked, n)
    }

    #[test]
    fn an_attack_is_contained_when_little_of_the_rest_gets_through() {
        assert_eq!(containment(&messages(repeated(1.0, 7).chain(repeated(0.03, 93)))), Some(7));
        assert_eq!(containment(&messages(repeated(0.0, 100))), Some(0));
        assert_eq!(containment(&messages(repeated(1.0, 100))), None);
    }

    #[test]
    fn a_leak_within_the_next_forty_postpones_containment() {
        let leaks = repeated(1.0, 3).chain(repeated(0.0, 20)).chain(repeated(1.0, 5)).chain(repeated(0.0, 200));
        // Two of forty are 5 %, so all but two of the five have to be over.
        assert_eq!(containment(&messages(leaks)), Some(26));
    }

    #[test]
    fn the_last_forty_have_to_be_seen() {
        assert_eq!(containment(&messages(repeated(1.0, 63).chain(repeated(0.0, 37)))), None);
        assert_eq!(containment(&messages(repeated(0.0, 5))), Some(0), "a short attack is its own window");
    }

    #[test]
    fn a_hand_made_run_comes_to_the_figures_one_expects() {
        let send = |ts, label, user, phone| event(ts, Kind::Send, label, user, phone);
        let events = [
            send(0.0, Label::Legit, "ann", "+12025550123"),
            send(1.0, Label::Attack, "attacker", "+998901234567"),
            send(2.0, Label::Legit, "bob", "+12025550124"),
            event(3.0, Kind::Verify, Label::Legit, "ann", "+12025550123"),
            send(4.0, Label::Attack, "attacker", "+998901234568"),
            send(5.0, Label::Legit, "bob", "+12025550124"),
            send(6.0, Label::Attack, "attacker", "+998901234569"),
        ];
        let actions = [
            Some(Action::Allow),
            Some(Action::Allow),
            Some(Action::Challenge),
            None,
            Some(Action::Challenge),
            Some(Action::Block),
            Some(Action::Block),
        ];
        let Metrics { attack, people } = Metrics::new(&events, &actions, numbers());
        assert_eq!((attack.messages, attack.leaked), (3, 1.03));
        assert_eq!((attack.contained_after, attack.leaked_before), (None, 1.03));
        assert!((34.0..35.0).contains(&attack.percent_of_dollars()), "{attack:?}");
        assert_eq!((people.sends, people.challenged, people.blocked), (3, 1, 1));
        assert_eq!((people.people, people.lost), (2, 1.0), "bob is lost once, though challenged before");
    }
}
