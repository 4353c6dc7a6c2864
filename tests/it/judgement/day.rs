//! One company's traffic in the trace's own time: who asks, what is decided, and what becomes of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use tollgate::attempt::origin::Origin;
use tollgate::attempt::phone::{Number, Reader, ReaderKind};
use tollgate::attempt::{Attempt, Timestamp, Verdict};
use tollgate::config::Config;
use tollgate::policy::Policy;
use tollgate::risk::{Carriers, Data, Destinations, Engine, Event, Hosting, OpenId, Settings, Tag, Verified};

use super::places::{MOBILE, Place, VISITORS, home_number, number_in};
use super::random::Random;

/// What the company has told tollgate of its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// Typed codes are seen.
    pub(super) feed: bool,
    /// Databases say where clients are.
    pub(super) origin: bool,
}

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Party {
    /// An ordinary customer.
    Customer,
    /// Those whom the test is about.
    Subject,
    /// Never types a code that is not planned, and solves few challenges.
    Attacker,
}

/// What becomes of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It is typed.
    Typed,
    /// It is asked for again so many times, and typed at the last.
    Retried(u8),
    /// Nobody types it.
    Forgotten,
}

/// How many requests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) n_asked: usize,
    pub(super) n_challenged: usize,
    pub(super) n_blocked: usize,
    /// Allowed, or challenged and solved.
    pub(super) n_sent: usize,
}

pub(super) struct Day {
    setting: Setting,
    engine: Engine,
    policy: Policy,
    random: Random,
    maintained_at: Timestamp,
    due: BTreeMap<(u64, u64), Due>,
    n_due: u64,
    tallies: HashMap<Party, Tally>,
    verdicts: Vec<(Party, Verdict)>,
    /// No code arrives within it.
    outage: Range<u64>,
    /// No message leaves within it.
    unreachable: Range<u64>,
}

#[derive(Clone, Copy)]
struct Ask {
    party: Party,
    place: Place,
    number: Number,
    then: Then,
}

#[derive(Clone, Copy)]
enum Due {
    Ask(Ask),
    Solve(OpenId, Ask),
    Type(Number),
}

// === impl Setting ===

impl Setting {
    pub(super) const FULL: Self = Self { feed: true, origin: true };
    pub(super) const ALL: [Self; 4] = [
        Self::FULL,
        Self { feed: true, origin: false },
        Self { feed: false, origin: true },
        Self { feed: false, origin: false },
    ];
    pub(super) const WITH_FEED: [Self; 2] = [Self::FULL, Self { feed: true, origin: false }];
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |is_there| if is_there { "with" } else { "without" };
        write!(f, "{} codes, {} origins", said(self.feed), said(self.origin))
    }
}

// === impl Day ===

impl Day {
    /// A company that has had `hours` of ordinary traffic, and goes on having it until two days have passed.
    pub(super) fn after(hours: u64, setting: Setting) -> Self {
        let mut day = Self::empty(setting);
        day.customers(0..48 * HOUR, 60);
        day.play_until(hours * HOUR);
        day.tallies.clear();
        day.verdicts.clear();
        day
    }

    /// The first day: nobody was ever seen.
    pub(super) fn empty(setting: Setting) -> Self {
        Self::expecting(setting, "")
    }

    /// The first day, with declared events.
    pub(super) fn expecting(setting: Setting, events: &str) -> Self {
        let config = Config::parse(events).unwrap();
        // The materials of the app would compile the numbering plans anew for every day.
        let data = Data {
            destinations: Destinations::builtin().unwrap(),
            carriers: Carriers::builtin().unwrap(),
            hosting: Hosting::builtin().unwrap(),
            verified: Verified::empty(),
            tag: Tag::new(|_| [0; 8]),
        };
        Self {
            setting,
            engine: Engine::new(Settings { expected: config.expect, ..Settings::default() }, data),
            policy: Policy::new(config.policy, config.countries, config.numbers.deny_types, &READER),
            random: Random::new(1),
            maintained_at: Timestamp::default(),
            due: BTreeMap::new(),
            n_due: 0,
            tallies: HashMap::new(),
            verdicts: Vec::new(),
            outage: 0..0,
            unreachable: 0..0,
        }
    }

    /// Ordinary customers within a time, in milliseconds: most are from home, one in three came before, one in sixteen
    /// has a number of abroad, and one in eighteen never types a code.
    pub(super) fn customers(&mut self, within: Range<u64>, per_hour: u64) {
        let mut random = Random::new(within.start + 2);
        let mut known: Vec<(Place, String)> = Vec::new();
        let mut at = within.start;
        loop {
            at += random.gap(per_hour * day_curve(at) / 100);
            if within.end <= at {
                return;
            }
            let comes_back = !known.is_empty() && random.happens(33);
            let (place, phone) = if comes_back { random.pick(&known).clone() } else { customer(&mut random) };
            if !comes_back {
                known.push((place, phone.clone()));
            }
            let then = match random.below(18) {
                0 => Then::Forgotten,
                1 | 2 => Then::Retried(1),
                _ => Then::Typed,
            };
            self.ask(at, Party::Customer, place, &phone, then);
        }
    }

    /// Plans a request at a time in milliseconds.
    pub(super) fn ask(&mut self, at: u64, party: Party, place: Place, phone: &str, then: Then) {
        let number = READER.read(phone, None).unwrap();
        self.plan(at, Due::Ask(Ask { party, place, number, then }));
    }

    /// Plans so many requests of an attack, one every so many milliseconds.
    pub(super) fn attack(
        &mut self,
        at: u64,
        (n_asked, every): (u64, u64),
        mut one: impl FnMut(u64, &mut Random) -> (Place, String),
    ) {
        let mut random = Random::new(at + 3);
        for n in 0..n_asked {
            let (place, phone) = one(n, &mut random);
            self.ask(at + n * every, Party::Attacker, place, &phone, Then::Forgotten);
        }
    }

    /// No code arrives within this time.
    pub(super) fn breaks_down(&mut self, within: Range<u64>) {
        self.outage = within;
    }

    /// No message leaves within this time, since the upstream cannot be reached.
    pub(super) fn is_cut_off(&mut self, within: Range<u64>) {
        self.unreachable = within;
    }

    pub(super) fn play_until(&mut self, end: u64) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 < end) {
            let ((at, _), due) = entry.remove_entry();
            let at = Timestamp::from_millis(START + at);
            if self.maintained_at.millis() + 1000 <= at.millis() {
                self.engine.maintain(at);
                self.maintained_at = at;
            }
            match due {
                Due::Ask(ask) => self.decide(at, ask),
                Due::Solve(send, ask) => {
                    self.engine.fold(&Event::ChallengePassed { at, send });
                    self.sent(at, ask);
                }
                Due::Type(number) if self.setting.feed => self.engine.fold(&Event::Verified { at, number }),
                Due::Type(_) => {}
            }
        }
    }

    pub(super) fn tally(&self, party: Party) -> Tally {
        self.tallies.get(&party).copied().unwrap_or_default()
    }

    /// What was decided, in order.
    pub(super) fn verdicts(&self, party: Party) -> Vec<Verdict> {
        self.verdicts.iter().filter(|(whose, _)| *whose == party).map(|(_, verdict)| *verdict).collect()
    }

    fn decide(&mut self, at: Timestamp, ask: Ask) {
        let Place { client, origin, agent } = ask.place;
        let origin = if self.setting.origin { origin } else { Origin::default() };
        let attempt = Attempt { origin, agent: Some(agent), ..Attempt::new(at, ask.number).from(client) };
        let decision = self.policy.decide(&self.engine, &[attempt]);
        let tally = self.tallies.entry(ask.party).or_default();
        tally.n_asked += 1;
        self.verdicts.push((ask.party, decision.verdict));
        match decision.verdict {
            Verdict::Allow if self.unreachable.contains(&(at.millis() - START)) => {
                for send in decision.sends {
                    self.engine.fold(&Event::Unsent { at, send });
                }
                self.engine.refund(decision.reservation);
                self.plan(at.millis() - START + 90 * SECOND, Due::Ask(ask));
            }
            Verdict::Allow => self.sent(at, ask),
            Verdict::Block => tally.n_blocked += 1,
            Verdict::Challenge => {
                tally.n_challenged += 1;
                let solves = self.random.happens(if ask.party == Party::Attacker { 3 } else { 97 });
                if let (true, Some(send)) = (solves, decision.sends.first()) {
                    self.plan(at.millis() - START + 8_000, Due::Solve(*send, ask));
                }
            }
        }
    }

    /// A message is under way, and its code is typed, asked for again or forgotten.
    fn sent(&mut self, at: Timestamp, ask: Ask) {
        self.tallies.entry(ask.party).or_default().n_sent += 1;
        let at = at.millis() - START;
        let is_lost = self.outage.contains(&at);
        let (typed_at, again_at) = (at + 8_000 + self.random.gap(240), at + 45_000 + self.random.gap(240));
        match ask.then {
            Then::Typed if is_lost => self.plan(again_at, Due::Ask(Ask { then: Then::Retried(2), ..ask })),
            Then::Typed | Then::Retried(0) if !is_lost => self.plan(typed_at, Due::Type(ask.number)),
            Then::Retried(n) if 0 < n => self.plan(again_at, Due::Ask(Ask { then: Then::Retried(n - 1), ..ask })),
            Then::Typed | Then::Retried(_) | Then::Forgotten => {}
        }
    }

    fn plan(&mut self, at: u64, due: Due) {
        self.n_due += 1;
        self.due.insert((at, self.n_due), due);
    }
}

// === impl Tally ===

impl Tally {
    /// What came to it after an earlier moment.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            n_asked: self.n_asked - earlier.n_asked,
            n_challenged: self.n_challenged - earlier.n_challenged,
            n_blocked: self.n_blocked - earlier.n_blocked,
            n_sent: self.n_sent - earlier.n_sent,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_asked, n_challenged, n_blocked, n_sent } = self;
        write!(f, "of {n_asked} asked: {n_challenged} challenged, {n_blocked} blocked, {n_sent} sent")
    }
}

/// Somebody new. One number in sixteen is of another country; then its owner is there, or at home, or anywhere. One
/// owner of a home number in thirty is abroad.
fn customer(random: &mut Random) -> (Place, String) {
    let country = match random.below(160) {
        0 => random.one_of(&MOBILE).0,
        1..10 => random.one_of(&VISITORS),
        _ => HOME,
    };
    let phone = if country == HOME { home_number(random) } else { number_in(country, random) };
    let stays = random.happens(if country == HOME { 97 } else { 60 });
    let place = match random.below(4) {
        _ if stays => Place::home(country, random),
        0 => Place::proxy(random),
        1 if country == HOME => Place::home(random.one_of(&VISITORS), random),
        _ => Place::home(HOME, random),
    };
    (place, phone)
}

/// How busy an hour is, in per cent of the average: quiet at four in the night, busy in the afternoon.
fn day_curve(at: u64) -> u64 {
    [40, 30, 20, 15, 15, 25, 50, 80, 110, 130, 140, 150, 155, 160, 160, 160, 160, 160, 155, 150, 140, 120, 90, 60]
        [(at / HOUR % 24) as usize]
}

pub(super) const SECOND: u64 = 1000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;

/// Where most customers are.
const HOME: &str = "US";

/// Midnight of some day.
const START: u64 = 1_699_920_000_000;

static READER: LazyLock<Reader> = LazyLock::new(|| Reader::builtin(ReaderKind::Google).unwrap());
