//! The story: who asks for a code when, and what becomes of it. Written before it is played, from a seed.

use std::net::IpAddr;
use std::time::Duration;

use fastrand::Rng;

use super::party::Party;
use super::people::{self, RentedBlock};
use super::tariff::Tariff;
use crate::risk::Money;

/// All visits in the order of their time.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) visits: Vec<Visit>,
    pub(super) pace: Pace,
}

/// One request for a code.
#[derive(Debug)]
pub(super) struct Visit {
    /// In the story's time.
    pub(super) at: Duration,
    pub(super) party: Party,
    pub(super) client: IpAddr,
    /// The number as typed.
    pub(super) phone: String,
    pub(super) price: Money,
    pub(super) habit: Habit,
}

/// What somebody does once the code is there, in the story's time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Habit {
    TypesCode(Duration),
    AsksAgain(Duration),
    Leaves,
}

/// How long the story of two minutes takes to play.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    length: Duration,
}

// === impl Script ===

impl Script {
    pub(super) fn write(seed: u64, pace: Pace, tariff: &Tariff) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut visits: Vec<_> = (0..N_SIGN_UPS).filter_map(|_| sign_up(&mut rng, tariff)).collect();
        if let Some(block) = RentedBlock::rent(&mut rng, tariff) {
            visits.extend((0..N_PUMPED).filter_map(|index| pumped(index, &block, &mut rng, tariff)));
        }
        visits.sort_by_key(|visit| visit.at);
        Self { visits, pace }
    }
}

fn sign_up(rng: &mut Rng, tariff: &Tariff) -> Option<Visit> {
    let typed = people::customer(rng, tariff)?;
    Some(Visit {
        at: LAST_SIGN_UP.mul_f64(rng.f64()),
        party: Party::Ordinary,
        client: people::home(rng),
        price: tariff.price(typed.number),
        phone: typed.text,
        habit: match rng.u8(..100) {
            0..85 => Habit::TypesCode(Duration::from_millis(rng.u64(10_000..30_000))),
            85..92 => Habit::AsksAgain(Duration::from_millis(rng.u64(20_000..40_000))),
            _ => Habit::Leaves,
        },
    })
}

fn pumped(index: u32, block: &RentedBlock, rng: &mut Rng, tariff: &Tariff) -> Option<Visit> {
    let typed = block.number(rng, tariff)?;
    Some(Visit {
        at: ATTACK_FROM + BETWEEN_PUMPED * index + BETWEEN_PUMPED.mul_f64(rng.f64()),
        party: Party::Attack,
        client: people::exit(rng),
        price: tariff.price(typed.number),
        phone: typed.text,
        habit: Habit::Leaves,
    })
}

// === impl Pace ===

impl Pace {
    /// The story in this time.
    pub(super) fn over(length: Duration) -> Self {
        Self { length }
    }

    /// How long it takes to play.
    pub(super) fn length(self) -> Duration {
        self.length
    }

    /// A second of the story as it is played.
    pub(super) fn second(self) -> Duration {
        self.played(Duration::from_secs(1))
    }

    /// A time of the story as it is played.
    pub(super) fn played(self, story: Duration) -> Duration {
        story.mul_f64(self.length.div_duration_f64(STORY))
    }
}

/// How long the story is.
pub(super) const STORY: Duration = Duration::from_secs(120);

/// When the attack begins and ends.
pub(super) const ATTACK_FROM: Duration = Duration::from_secs(40);
pub(super) const ATTACK_TO: Duration = Duration::from_secs(80);

/// Twenty a second.
const BETWEEN_PUMPED: Duration = Duration::from_millis(50);
const N_PUMPED: u32 = 800;

/// Two a second: a product that many people sign up for today.
const N_SIGN_UPS: u32 = 230;

/// Leaves the last messages time to go out.
const LAST_SIGN_UP: Duration = Duration::from_secs(115);

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    /// Building a reader takes a second without optimisation.
    static TARIFF: LazyLock<Tariff> = LazyLock::new(|| Tariff::builtin().unwrap());

    fn script(seed: u64) -> Script {
        Script::write(seed, Pace::over(STORY), &TARIFF)
    }

    #[test]
    fn a_seed_is_a_story() {
        let phones = |script: &Script| script.visits.iter().map(|visit| visit.phone.clone()).collect::<Vec<_>>();
        assert_eq!(phones(&script(3)), phones(&script(3)));
        assert_ne!(phones(&script(3)), phones(&script(4)));
    }

    #[test]
    fn everybody_comes_and_the_attack_stays_in_its_time() {
        let script = script(1);
        let attack: Vec<_> = script.visits.iter().filter(|visit| visit.party == Party::Attack).collect();
        assert_eq!(attack.len(), 800);
        assert_eq!(script.visits.len(), 1030);
        assert!(attack.iter().all(|visit| ATTACK_FROM <= visit.at && visit.at <= ATTACK_TO));
    }

    #[test]
    fn a_faster_pace_is_the_same_story_sooner() {
        assert_eq!(Pace::over(Duration::from_secs(12)).played(ATTACK_FROM), Duration::from_secs(4));
    }
}
