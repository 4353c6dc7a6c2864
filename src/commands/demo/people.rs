//! Invents people: a number that their country's plan assigns to mobiles, how they type it, and where they are.
//!
//! Addresses are taken from blocks that belong to nobody (240.0.0.0/4 and 2001:db8::/32). Numbers cannot be: they have
//! to be valid. None is ever used beyond this machine, and none is shown whole.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use fastrand::Rng;

use super::tariff::Tariff;
use crate::attempt::phone::{Kind, Number};

/// A number as somebody types it.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) number: Number,
    pub(super) text: String,
}

/// Ten thousand adjacent numbers in a dear country, rented by somebody who is paid for every message to them.
#[derive(Debug)]
pub(super) struct RentedBlock {
    leading: String,
}

/// Mobile numbers of one country: a stem, then so many free digits.
struct Market {
    calling_code: &'static str,
    stems: &'static [&'static str],
    n_free: usize,
    /// How many of a hundred sign-ups come from here.
    weight: u32,
}

/// Somebody of this market, with the number as typed.
pub(super) fn customer(rng: &mut Rng, tariff: &Tariff) -> Option<Typed> {
    let market = market(rng)?;
    (0..MOST_TRIES).find_map(|_| {
        let national = market.national(rng)?;
        let number = mobile(tariff, &format!("+{}{national}", market.calling_code))?;
        let text = market.spell(&national, rng);
        // What a person types must mean the same number to the app.
        (tariff.read(&text) == Some(number)).then_some(Typed { number, text })
    })
}

/// Where a customer is: at home, or behind a carrier's gateway with others.
pub(super) fn home(rng: &mut Rng) -> IpAddr {
    match rng.u8(..100) {
        0..8 => IpAddr::V4(Ipv4Addr::new(246, 80, 12, rng.u8(1..=254))),
        8..33 => v6(rng),
        _ => v4(rng),
    }
}

/// A residential proxy's exit: somebody's home, another one for every request.
pub(super) fn exit(rng: &mut Rng) -> IpAddr {
    if rng.u8(..5) == 0 { v6(rng) } else { v4(rng) }
}

// === impl RentedBlock ===

impl RentedBlock {
    /// One that the plan assigns to mobiles.
    pub(super) fn rent(rng: &mut Rng, tariff: &Tariff) -> Option<Self> {
        (0..MOST_TRIES).find_map(|_| {
            let block =
                Self { leading: format!("+998{}{}", rng.choice(["90", "91", "93", "94", "97"])?, digits(rng, 3)) };
            mobile(tariff, &format!("{}0000", block.leading)).map(|_| block)
        })
    }

    /// Any number of it, as a program writes it.
    pub(super) fn number(&self, rng: &mut Rng, tariff: &Tariff) -> Option<Typed> {
        let text = format!("{}{}", self.leading, digits(rng, 4));
        mobile(tariff, &text).map(|number| Typed { number, text })
    }
}

// === impl Market ===

impl Market {
    fn national(&self, rng: &mut Rng) -> Option<String> {
        let stem = rng.choice(self.stems)?;
        Some(format!("{stem}{}", digits(rng, self.n_free)))
    }

    /// As people type it: at home without the calling code, else with it, bare or in groups.
    fn spell(&self, national: &str, rng: &mut Rng) -> String {
        match (self.calling_code, rng.u8(..10)) {
            ("44", 0..5) => format!("0{}", grouped(national, &[4], ' ')),
            ("44", 5..7) => format!("0{national}"),
            (code, 7..10) => format!("+{code}{national}"),
            ("1", _) => format!("+1 {}", grouped(national, &[3, 3], '-')),
            (code, _) => format!("+{code} {}", grouped(national, &[3, 3], ' ')),
        }
    }
}

fn market(rng: &mut Rng) -> Option<&'static Market> {
    let mut ticket = rng.u32(..MARKETS.iter().map(|market| market.weight).sum::<u32>());
    MARKETS.iter().find(|market| {
        let is_drawn = ticket < market.weight;
        ticket = ticket.saturating_sub(market.weight);
        is_drawn
    })
}

fn mobile(tariff: &Tariff, text: &str) -> Option<Number> {
    tariff.read(text).filter(|number| matches!(number.kind(), Kind::Mobile | Kind::FixedLineOrMobile))
}

fn digits(rng: &mut Rng, n_digits: usize) -> String {
    (0..n_digits).map(|_| rng.digit(10)).collect()
}

/// The text with a separator after groups of these lengths.
fn grouped(text: &str, groups: &[usize], separator: char) -> String {
    let mut out = String::with_capacity(text.len() + groups.len());
    let mut rest = text;
    for length in groups {
        let Some((group, after)) = rest.split_at_checked(*length) else { break };
        out.push_str(group);
        out.push(separator);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn v4(rng: &mut Rng) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(rng.u8(240..=254), rng.u8(..), rng.u8(..), rng.u8(1..=254)))
}

fn v6(rng: &mut Rng) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(
        0x2001,
        0xdb8,
        rng.u16(..),
        rng.u16(..),
        rng.u16(..),
        rng.u16(..),
        rng.u16(..),
        rng.u16(..),
    ))
}

/// A product with a home market, neighbours, and a long tail.
const MARKETS: &[Market] = &[
    Market { calling_code: "44", stems: &["74", "75", "77", "78", "79"], n_free: 8, weight: 58 },
    Market { calling_code: "353", stems: &["83", "85", "86", "87", "89"], n_free: 7, weight: 8 },
    Market { calling_code: "33", stems: &["6"], n_free: 8, weight: 7 },
    Market { calling_code: "49", stems: &["151", "152", "157", "160"], n_free: 8, weight: 6 },
    Market { calling_code: "34", stems: &["6"], n_free: 8, weight: 5 },
    Market { calling_code: "1", stems: &["212", "305", "312", "415", "646", "713"], n_free: 7, weight: 5 },
    Market { calling_code: "39", stems: &["32", "33", "34"], n_free: 8, weight: 3 },
    Market { calling_code: "48", stems: &["50", "60", "66", "69"], n_free: 7, weight: 3 },
    Market { calling_code: "31", stems: &["61", "62", "64"], n_free: 7, weight: 3 },
    Market { calling_code: "91", stems: &["98", "99"], n_free: 8, weight: 1 },
    Market { calling_code: "234", stems: &["803", "806"], n_free: 7, weight: 1 },
];

/// A drawn number may be in a gap of its plan; then another is drawn, so many times.
const MOST_TRIES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_have_mobiles_that_the_app_reads_as_typed() {
        let (mut rng, tariff) = (Rng::with_seed(7), Tariff::builtin().unwrap());
        for _ in 0..300 {
            let typed = customer(&mut rng, &tariff).unwrap();
            assert_eq!(tariff.read(&typed.text), Some(typed.number));
        }
    }

    #[test]
    fn a_rented_block_is_ten_thousand_numbers_of_one_country() {
        let (mut rng, tariff) = (Rng::with_seed(7), Tariff::builtin().unwrap());
        let block = RentedBlock::rent(&mut rng, &tariff).unwrap();
        let numbers: Vec<_> = (0..50).map(|_| block.number(&mut rng, &tariff).unwrap().number).collect();
        let blocks: std::collections::HashSet<_> =
            numbers.iter().map(|number| number.block(crate::attempt::phone::Scale::TenThousand)).collect();
        assert_eq!(blocks.len(), 1);
        assert!(numbers.iter().all(|number| number.calling_code() == 998));
    }

    #[test]
    fn groups_lose_no_digit() {
        assert_eq!(grouped("7400123456", &[4], ' '), "7400 123456");
        assert_eq!(grouped("2125550123", &[3, 3], '-'), "212-555-0123");
        assert_eq!(grouped("12", &[3], '-'), "12");
    }
}
