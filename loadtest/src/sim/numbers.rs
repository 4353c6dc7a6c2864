//! Numbers that tollgate can read: mobile ones of a country, blocks of adjacent ones, and how people spell them.
//!
//! A country's numbers begin with the prefixes that its carriers hold; where those are not known, with any digits that
//! its numbering plan assigns to mobile lines. Nobody here knows whether a number is in service, and none is texted.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tollgate::attempt::country::Country;
use tollgate::attempt::phone::{Kind, Number, Reader, ReaderKind, Region};
use tollgate::risk::Destinations;

use super::block::Block;
use super::dice::{Dice, hash};

/// Makes and reads numbers. Takes about 100 ms to make, so it is shared.
pub(crate) struct Numbers {
    reader: Reader,
    prices: Destinations,
    calling_codes: HashMap<String, u16>,
    plans: Mutex<HashMap<&'static str, Arc<Plan>>>,
}

/// A number as a form receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) phone: String,
    pub(crate) region: Option<&'static str>,
}

/// The mobile numbers of a country.
#[derive(Debug)]
struct Plan {
    country: Country,
    calling_code: u16,
    stems: Vec<(usize, f64)>,
    blocks: Vec<Block>,
}

// === impl Numbers ===

impl Numbers {
    pub(crate) fn new() -> Result<Self, String> {
        let reader = Reader::builtin(ReaderKind::Google).map_err(|error| error.to_string())?;
        let prices = Destinations::builtin().map_err(|error| error.to_string())?;
        let mut calling_codes = HashMap::new();
        for code in 1..1000 {
            for country in reader.regions_of(code) {
                calling_codes.entry(country.to_string()).or_insert(code);
            }
        }
        Ok(Self { reader, prices, calling_codes, plans: Mutex::default() })
    }

    /// A mobile number of the country.
    pub(crate) fn mobile(&self, iso: &'static str, dice: &mut Dice) -> String {
        let plan = self.plan(iso);
        loop {
            let block = &plan.blocks[dice.weighted(&plan.stems)];
            let phone = block.random(dice);
            if self.is_mobile(&phone, plan.country) {
                return phone;
            }
        }
    }

    /// The block of `10^n_free` numbers around a mobile number of the country.
    pub(crate) fn block(&self, iso: &'static str, n_free: usize, dice: &mut Dice) -> Block {
        Block::around(&self.mobile(iso, dice), n_free)
    }

    /// All numbers of one of the country's carrier prefixes.
    pub(crate) fn carrier_block(&self, iso: &'static str, dice: &mut Dice) -> Block {
        let plan = self.plan(iso);
        plan.blocks[dice.weighted(&plan.stems)].clone()
    }

    /// A number of the block, a mobile one if they are not rare there.
    pub(crate) fn within(&self, block: &Block, dice: &mut Dice) -> String {
        let mut phone = block.random(dice);
        for _ in 0..N_TRIES {
            if self.read(&phone, None).is_some_and(|number| receives_texts(number.kind())) {
                break;
            }
            phone = block.random(dice);
        }
        phone
    }

    /// A spelling: national, where that share of people uses it and it can be read; else E.164, at times with spaces.
    pub(crate) fn typed(&self, phone: &str, iso: &'static str, national: f64, dice: &mut Dice) -> Typed {
        let plan = self.plan(iso);
        let draw = dice.between(0.0, 1.0);
        let spelling = if draw < national {
            self.national(phone, iso, &plan)
        } else if SPACED < draw {
            self.spaced(phone, &plan)
        } else {
            None
        };
        spelling.unwrap_or_else(|| Typed { phone: phone.to_owned(), region: None })
    }

    /// The same spelling with one of the last four digits wrong, if it still can be read.
    pub(crate) fn mistyped(&self, typed: &Typed, dice: &mut Dice) -> Option<Typed> {
        let digits = typed.phone.char_indices().filter(|(_, character)| character.is_ascii_digit());
        let places: Vec<usize> = digits.map(|(at, _)| at).collect();
        let at = dice.pick(places.get(places.len().checked_sub(4)?..)?);
        let digit = dice.below(10).to_string();
        let mut wrong = typed.clone();
        wrong.phone.replace_range(at..=at, &digit);
        let differs = wrong.phone != typed.phone;
        (differs && self.read(&wrong.phone, wrong.region).is_some()).then_some(wrong)
    }

    pub(crate) fn read(&self, phone: &str, region: Option<&str>) -> Option<Number> {
        let region = region.map(str::parse::<Region>).transpose().ok()?;
        self.reader.read(phone, region).ok()
    }

    /// Dollars for a message; a spoken one costs four times as much where the number belongs to a country.
    pub(crate) fn price(&self, phone: &str, region: Option<&str>, is_voice: bool) -> f64 {
        let Some(number) = self.read(phone, region) else {
            return 0.0;
        };
        let text = self.prices.price(number).micros() as f64 / 1e6;
        if is_voice && !number.country().is_non_geographic() { text * 4.0 } else { text }
    }

    /// Dollars for a text to a mobile number of the country.
    pub(crate) fn country_price(&self, iso: &'static str) -> f64 {
        self.price(&self.mobile(iso, &mut Dice::new(0, &["price", iso])), None, false)
    }

    fn national(&self, phone: &str, iso: &'static str, plan: &Plan) -> Option<Typed> {
        let rest = phone.get(1 + plan.n_code()..)?;
        let grouped = match plan.calling_code {
            1 => format!("({}) {}-{}", rest.get(..3)?, rest.get(3..6)?, rest.get(6..)?),
            _ if WITHOUT_TRUNK.contains(&iso) => in_groups(rest),
            _ => format!("0{}", in_groups(rest)),
        };
        self.same(phone, Typed { phone: grouped, region: Some(iso) })
    }

    fn spaced(&self, phone: &str, plan: &Plan) -> Option<Typed> {
        let (code, rest) = phone.split_at_checked(1 + plan.n_code())?;
        self.same(phone, Typed { phone: format!("{code} {}", in_groups(rest)), region: None })
    }

    fn same(&self, phone: &str, typed: Typed) -> Option<Typed> {
        let read = self.read(&typed.phone, typed.region)?;
        (self.read(phone, None)?.digits() == read.digits()).then_some(typed)
    }

    fn is_mobile(&self, phone: &str, country: Country) -> bool {
        self.read(phone, None).is_some_and(|number| number.country() == country && receives_texts(number.kind()))
    }

    fn plan(&self, iso: &'static str) -> Arc<Plan> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(plans.entry(iso).or_insert_with(|| Arc::new(self.make_plan(iso))))
    }

    fn make_plan(&self, iso: &'static str) -> Plan {
        let (Ok(country), Some(&calling_code)) = (iso.parse(), self.calling_codes.get(iso)) else {
            unreachable!("the simulator's tables name no country `{iso}`, as a test says");
        };
        let mut blocks = self.blocks_of(country, &carrier_prefixes(calling_code));
        if blocks.is_empty() {
            // Too short to be a carrier's in some countries, and then they hold more numbers than they should.
            let (n_digits, code) = (if calling_code == 1 { 3 } else { 2 }, calling_code);
            let prefixes: Vec<String> =
                (0..10_u32.pow(n_digits)).map(|nth| format!("{code}{nth:0n$}", n = n_digits as usize)).collect();
            blocks = self.blocks_of(country, &prefixes);
        }
        assert!(!blocks.is_empty(), "{iso} has mobile numbers");
        // A few prefixes hold most subscribers; which ones is made up, and the same in every run.
        let mut order: Vec<usize> = (0..blocks.len()).collect();
        order.sort_by_key(|&at| hash(&[&blocks[at].prefix]));
        let stems = order.into_iter().zip(1..).map(|(at, rank)| (at, f64::from(rank).powf(-0.9))).collect();
        Plan { country, calling_code, stems, blocks }
    }

    /// Those prefixes that hold mobile numbers of the country, each with the length most usual there.
    fn blocks_of(&self, country: Country, prefixes: &[String]) -> Vec<Block> {
        let mut dice = Dice::new(0, &["plan", &country.to_string()]);
        let lengths: Vec<Vec<usize>> = prefixes
            .iter()
            .map(|prefix| {
                let holds = |&length: &usize| {
                    let block = Block { prefix: format!("+{prefix}"), n_free: length - prefix.len() };
                    (0..2).all(|_| self.is_mobile(&block.random(&mut dice), country))
                };
                (prefix.len() + 2..=MOST_DIGITS).filter(holds).collect()
            })
            .collect();
        let votes = |length: usize| lengths.iter().filter(|these| these.contains(&length)).count();
        let ranking: Vec<usize> = (0..=MOST_DIGITS).map(votes).collect();
        let best = |these: &Vec<usize>| these.iter().copied().max_by_key(|&length| ranking[length]);
        let usual = lengths.iter().map(best);
        let blocks = prefixes.iter().zip(usual).filter_map(|(prefix, length)| {
            Some(Block { prefix: format!("+{prefix}"), n_free: length? - prefix.len() })
        });
        blocks.collect()
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Numbers").field(&self.reader).finish()
    }
}

// === impl Plan ===

impl Plan {
    fn n_code(&self) -> usize {
        self.calling_code.to_string().len()
    }
}

fn receives_texts(kind: Kind) -> bool {
    matches!(kind, Kind::Mobile | Kind::FixedLineOrMobile)
}

fn carrier_prefixes(calling_code: u16) -> Vec<String> {
    let code = calling_code.to_string();
    let prefixes = CARRIERS.lines().filter_map(|line| line.split_once(',')).map(|(prefix, _)| prefix);
    prefixes
        .filter(|prefix| prefix.starts_with(&code) && prefix.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// `123 456 7890`: threes, and four at the end where one digit would be left over.
fn in_groups(digits: &str) -> String {
    let n_cuts = digits.len().saturating_sub(2) / 3;
    let mut grouped = String::with_capacity(digits.len() + n_cuts);
    for (at, digit) in digits.char_indices() {
        if at % 3 == 0 && 0 < at && at / 3 <= n_cuts {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

const CARRIERS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/carriers.csv"));

/// Where a national number is written without a leading zero.
const WITHOUT_TRUNK: &[&str] = &[
    "HK", "MO", "SG", "ES", "IT", "MX", "BR", "CO", "PE", "CL", "PT", "DK", "NO", "PL", "CZ", "GR", "IN", "CN", "UZ",
    "CR", "GT", "HN", "TN",
];
/// Draws above it spell an international number with spaces.
const SPACED: f64 = 0.8;
const MOST_DIGITS: usize = 15;
/// Numbers of a block that are tried before one is taken that may not be a mobile one.
const N_TRIES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::tests::numbers;

    #[test]
    fn mobile_numbers_are_those_of_their_country() {
        let mut dice = Dice::new(1, &[]);
        for iso in ["US", "CA", "HK", "GB", "DE", "IN", "UZ", "ID", "BR", "MX", "CN", "PE", "LK"] {
            for _ in 0..50 {
                let phone = numbers().mobile(iso, &mut dice);
                let number = numbers().read(&phone, None).unwrap();
                assert_eq!((number.country().to_string().as_str(), receives_texts(number.kind())), (iso, true));
            }
        }
    }

    #[test]
    fn however_it_is_typed_it_is_the_same_number() {
        let mut dice = Dice::new(2, &[]);
        for iso in ["US", "HK", "GB", "DE", "IN", "BR", "CN"] {
            let mut n_national = 0;
            for _ in 0..50 {
                let phone = numbers().mobile(iso, &mut dice);
                let typed = numbers().typed(&phone, iso, 0.5, &mut dice);
                let read = numbers().read(&typed.phone, typed.region).unwrap();
                assert_eq!(format!("+{}", read.digits()), phone, "{typed:?}");
                n_national += usize::from(typed.region.is_some());
            }
            assert!((12..40).contains(&n_national), "{iso}: {n_national}");
        }
    }

    #[test]
    fn a_slip_changes_one_digit_and_stays_readable() {
        let mut dice = Dice::new(3, &[]);
        let typed = Typed { phone: "(212) 555-0123".to_owned(), region: Some("US") };
        let slips: Vec<_> = (0..50).filter_map(|_| numbers().mistyped(&typed, &mut dice)).collect();
        assert!(20 < slips.len());
        for slip in slips {
            let n_differ = slip.phone.bytes().zip(typed.phone.bytes()).filter(|(one, other)| one != other).count();
            assert_eq!(n_differ, 1);
            assert!(numbers().read(&slip.phone, slip.region).is_some());
        }
    }

    #[test]
    fn satellites_are_dear_and_spoken_codes_too() {
        let price = |phone, is_voice| numbers().price(phone, None, is_voice);
        assert!(1.0 < price("+881612345678", false));
        assert_eq!(price("+447400123456", true), 4.0 * price("+447400123456", false));
    }

    #[test]
    fn groups_leave_no_digit_alone() {
        assert_eq!(
            ["12345678", "1234567890", "123456789", "1234567"].map(in_groups),
            ["123 456 78", "123 456 7890", "123 456 789", "123 4567"]
        );
    }
}
