//! All patterns of one calling code as one table: one look-up per digit, whatever the count of patterns.
//!
//! A pattern is either a whole pattern, which has to match all digits, or a prefix pattern, which has to match some
//! digits at the start. One prefix pattern, the trap, ends the walk: once it has matched at least one digit, nothing
//! else matters. Refuses to know what the patterns mean.

use std::collections::HashMap;
use std::hash::Hash;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

/// The patterns to compile, each without anchors of its own.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    texts: Vec<String>,
    prefixes: Vec<usize>,
    trap: Option<usize>,
}

/// The set of patterns that match: `None` if the trap did.
pub(super) type Matches = Option<Vec<usize>>;

/// A minimal deterministic automaton over digits; `T` is what it says about the digits it was fed.
pub(super) struct Automaton<T> {
    next: Box<[[u16; 10]]>,
    answers: Box<[u16]>,
    values: Box<[T]>,
}

/// Patterns that cannot be compiled, or only to a table of more than 65,535 states or 63 prefixes.
#[derive(Debug, thiserror::Error)]
pub(super) enum AutomatonError {
    #[error(transparent)]
    Build(#[from] Box<dense::BuildError>),
    #[error(transparent)]
    Start(#[from] regex_automata::dfa::StartError),
    #[error("the numbering plan needs too large a table")]
    TooLarge,
}

// === impl Patterns ===

impl Patterns {
    /// Adds a pattern that has to match all digits. Equal patterns share an index.
    pub(super) fn whole(&mut self, text: &str) -> usize {
        let known = (0..self.texts.len())
            .find(|index| self.texts.get(*index).is_some_and(|known| known == text) && !self.is_prefix(*index));
        known.unwrap_or_else(|| self.push(text))
    }

    /// Adds a pattern that has to match at the start, be it nothing.
    pub(super) fn prefix(&mut self, text: &str) -> usize {
        let index = self.push(text);
        self.prefixes.push(index);
        index
    }

    /// Sets the pattern that ends the walk if it matches at least one digit at the start.
    pub(super) fn trap(&mut self, text: &str) {
        self.trap = Some(self.push(text));
    }

    fn push(&mut self, text: &str) -> usize {
        self.texts.push(text.to_owned());
        self.texts.len() - 1
    }

    fn is_prefix(&self, index: usize) -> bool {
        self.prefixes.contains(&index) || self.trap == Some(index)
    }

    fn compile(&self) -> Result<dense::DFA<Vec<u32>>, AutomatonError> {
        let config = dense::Config::new().match_kind(MatchKind::All).start_kind(StartKind::Anchored).accelerate(false);
        let dfa = dense::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false).which_captures(thompson::WhichCaptures::None))
            .build_many(&self.texts);
        Ok(dfa.map_err(Box::new)?)
    }
}

// === impl Automaton ===

impl<T: Clone + Eq + Hash> Automaton<T> {
    /// Compiles the patterns. `value` turns the patterns that match into what the automaton answers.
    pub(super) fn new(patterns: &Patterns, value: impl Fn(&Matches) -> T) -> Result<Self, AutomatonError> {
        let dfa = patterns.compile()?;
        let table = Walk::new(patterns, &dfa)?.table()?;
        let mut values = Interner::default();
        let answers: Vec<usize> = table.matches.iter().map(|matches| values.intern(value(matches))).collect();
        let classes = minimized(&table.next, &answers);
        Self::pack(&table.next, &answers, &classes, values.items)
    }

    fn pack(
        next: &[[usize; 10]],
        answers: &[usize],
        classes: &[usize],
        values: Vec<T>,
    ) -> Result<Self, AutomatonError> {
        let n_classes = classes.iter().max().map_or(0, |last| last + 1);
        let mut packed = vec![([0; 10], 0); n_classes];
        for ((row, answer), class) in next.iter().zip(answers).zip(classes) {
            let Some(slot) = packed.get_mut(*class) else {
                continue;
            };
            slot.1 = narrow(*answer)?;
            for (target, state) in slot.0.iter_mut().zip(row) {
                *target = narrow(classes.get(*state).copied().unwrap_or_default())?;
            }
        }
        let (next, answers): (Vec<_>, Vec<_>) = packed.into_iter().unzip();
        Ok(Self { next: next.into(), answers: answers.into(), values: values.into() })
    }
}

impl<T> Automaton<T> {
    /// Feeds ASCII digits; `None` for anything else.
    pub(super) fn feed(&self, digits: &[u8]) -> Option<&T> {
        let mut state = 0_u16;
        for digit in digits {
            let row = self.next.get(usize::from(state))?;
            state = *row.get(usize::from(digit.wrapping_sub(b'0')))?;
        }
        let answer = self.answers.get(usize::from(state))?;
        self.values.get(usize::from(*answer))
    }

    /// The memory that the tables take, in bytes.
    #[cfg(test)]
    pub(super) fn n_bytes(&self) -> usize {
        size_of_val(&*self.next) + size_of_val(&*self.answers) + size_of_val(&*self.values)
    }
}

fn narrow(index: usize) -> Result<u16, AutomatonError> {
    u16::try_from(index).map_err(|_| AutomatonError::TooLarge)
}

/// Walks the compiled patterns over digits only, remembering which prefix patterns have matched on the way.
struct Walk<'a> {
    patterns: &'a Patterns,
    dfa: &'a dense::DFA<Vec<u32>>,
    places: Interner<Place>,
}

/// Where a walk stands: the state, the prefix patterns seen, and whether a digit was fed.
#[derive(Clone, Eq, Hash, PartialEq)]
enum Place {
    Walking { state: StateID, seen: u64, fed: bool },
    Trapped,
}

/// Every reachable place, the first one being the start.
struct Table {
    next: Vec<[usize; 10]>,
    matches: Vec<Matches>,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    fn new(patterns: &'a Patterns, dfa: &'a dense::DFA<Vec<u32>>) -> Result<Self, AutomatonError> {
        if u64::BITS as usize <= patterns.prefixes.len() {
            return Err(AutomatonError::TooLarge);
        }
        let state = dfa.start_state(&start::Config::new().anchored(Anchored::Yes))?;
        let mut places = Interner::default();
        places.intern(Place::Walking { state, seen: 0, fed: false });
        Ok(Self { patterns, dfa, places })
    }

    fn table(mut self) -> Result<Table, AutomatonError> {
        let mut table = Table { next: Vec::new(), matches: Vec::new() };
        while let Some(place) = self.places.items.get(table.next.len()).cloned() {
            table.matches.push(self.matches(&place));
            let mut row = [0; 10];
            for (target, digit) in row.iter_mut().zip(b'0'..=b'9') {
                *target = self.places.intern(self.step(&place, digit));
            }
            table.next.push(row);
            narrow(table.next.len())?;
        }
        Ok(table)
    }

    fn step(&self, place: &Place, digit: u8) -> Place {
        let &Place::Walking { state, seen, fed } = place else {
            return Place::Trapped;
        };
        // A match is reported one byte late: what `next` reports ended before this digit.
        let next = self.dfa.next_state(state, digit);
        let ended: Vec<usize> = self.ended(next).collect();
        if fed && ended.iter().any(|index| self.patterns.trap == Some(*index)) {
            return Place::Trapped;
        }
        Place::Walking { state: next, seen: seen | self.seen(&ended), fed: true }
    }

    fn matches(&self, place: &Place) -> Matches {
        let &Place::Walking { state, seen, fed } = place else {
            return None;
        };
        let ended: Vec<usize> = self.ended(self.dfa.next_eoi_state(state)).collect();
        if fed && ended.iter().any(|index| self.patterns.trap == Some(*index)) {
            return None;
        }
        let seen = seen | self.seen(&ended);
        let whole = ended.iter().copied().filter(|index| !self.patterns.is_prefix(*index));
        let prefixes = self.patterns.prefixes.iter().enumerate();
        let prefixes = prefixes.filter(|(bit, _)| seen & (1 << bit) != 0).map(|(_, index)| *index);
        Some(whole.chain(prefixes).collect())
    }

    fn ended(&self, state: StateID) -> impl Iterator<Item = usize> + '_ {
        let n_matches = if self.dfa.is_match_state(state) { self.dfa.match_len(state) } else { 0 };
        (0..n_matches).map(move |index| self.dfa.match_pattern(state, index).as_usize())
    }

    fn seen(&self, ended: &[usize]) -> u64 {
        let prefixes = self.patterns.prefixes.iter().enumerate();
        prefixes.filter(|(_, index)| ended.contains(index)).fold(0, |seen, (bit, _)| seen | 1 << bit)
    }
}

/// Gives equal items equal indices, in the order of their arrival.
struct Interner<T> {
    items: Vec<T>,
    indices: HashMap<T, usize>,
}

// === impl Interner ===

impl<T: Clone + Eq + Hash> Interner<T> {
    fn intern(&mut self, item: T) -> usize {
        let index = self.items.len();
        *self.indices.entry(item).or_insert_with_key(|item| {
            self.items.push(item.clone());
            index
        })
    }
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { items: Vec::new(), indices: HashMap::new() }
    }
}

/// Splits states by what they answer, then by where they lead, until nothing splits: equal classes are one state.
fn minimized(next: &[[usize; 10]], answers: &[usize]) -> Vec<usize> {
    let mut classes = answers.to_vec();
    let mut n_classes = 0;
    loop {
        let class = |state: &usize| classes.get(*state).copied().unwrap_or_default();
        let mut split = Interner::default();
        let refined = next.iter().zip(&classes);
        let refined: Vec<usize> = refined.map(|(row, own)| split.intern((*own, row.each_ref().map(class)))).collect();
        if split.items.len() == n_classes {
            return refined;
        }
        n_classes = split.items.len();
        classes = refined;
    }
}
