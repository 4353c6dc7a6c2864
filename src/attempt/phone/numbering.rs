//! Numbering plans: what libphonenumber's metadata says about the digits behind a plus, as tables.
//!
//! One automaton for each calling code answers, for the digits behind it and for how many they are, what
//! libphonenumber's rules come to. Where libphonenumber might drop a national prefix, the tables do not guess: they
//! say [`Classified::Ask`].

#![expect(
    deprecated,
    reason = "rlibphonenumber marks the fields that its own wrapper empties; this is the collection before that"
)]

use std::collections::{BTreeMap, VecDeque};

use rlibphonenumber::{PhoneMetadata, PhoneMetadataCollection};

use super::automaton::{Automaton, AutomatonError, Matches, Patterns};
use super::reader::ReaderError;
use super::rules::{Classified, N_LENGTHS, Rules, classify, has_length, possible_lengths, unwrapped};
use crate::attempt::country::Country;

/// The plans of all calling codes.
pub(super) struct Numbering {
    plans: Box<[Option<Box<Plan>>]>,
}

/// What is known about one calling code.
pub(super) struct Plan {
    calling_code: u16,
    main_country: Country,
    countries: Box<[Country]>,
    /// Bit `n` is set if a number of `n` national digits is possible.
    lengths: u32,
    automaton: Automaton<[Classified; N_LENGTHS]>,
}

// === impl Numbering ===

impl Numbering {
    pub(super) fn new(collection: &PhoneMetadataCollection) -> Result<Self, ReaderError> {
        let mut plans: Vec<Option<Box<Plan>>> = Vec::new();
        plans.resize_with(N_CODES, || None);
        for (code, regions) in by_calling_code(collection)? {
            if let Some(slot) = plans.get_mut(usize::from(code)) {
                *slot = Some(Box::new(Plan::new(code, &regions)?));
            }
        }
        Ok(Self { plans: plans.into() })
    }

    /// The plan that the digits belong to, and the national digits. No calling code starts another one.
    pub(super) fn split<'d>(&self, digits: &'d [u8]) -> Option<(&Plan, &'d [u8])> {
        let mut code = 0;
        for (n_digits, digit) in (1..=3).zip(digits) {
            code = code * 10 + u16::from(digit.wrapping_sub(b'0'));
            if let Some(plan) = self.plan(code) {
                return Some((plan, digits.get(n_digits..)?));
            }
        }
        None
    }

    pub(super) fn plan(&self, calling_code: u16) -> Option<&Plan> {
        self.plans.get(usize::from(calling_code))?.as_deref()
    }

    #[cfg(test)]
    pub(super) fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter().flatten().map(|plan| &**plan)
    }
}

type Regions<'m> = VecDeque<(Country, &'m PhoneMetadata)>;

fn by_calling_code(collection: &PhoneMetadataCollection) -> Result<BTreeMap<u16, Regions<'_>>, ReaderError> {
    let mut codes = BTreeMap::<u16, Regions<'_>>::new();
    for metadata in &collection.metadata {
        let code = u16::try_from(metadata.country_code()).ok().filter(|code| (1..1000).contains(code));
        let code = code.ok_or_else(|| ReaderError::CallingCode(metadata.id.clone()))?;
        let country = match metadata.id.as_str() {
            "001" => Country::from_non_geographic(code),
            id => Country::from_iso(id),
        };
        let country = country.ok_or_else(|| ReaderError::Region(metadata.id.clone()))?;
        let regions = codes.entry(code).or_default();
        if metadata.main_country_for_code() {
            regions.push_front((country, metadata));
        } else {
            regions.push_back((country, metadata));
        }
    }
    Ok(codes)
}

// === impl Plan ===

impl Plan {
    fn new(calling_code: u16, regions: &Regions<'_>) -> Result<Self, ReaderError> {
        let mut patterns = Patterns::default();
        let rules: Vec<Rules> =
            regions.iter().map(|region| Rules::new(region, &mut patterns)).collect::<Result<_, _>>()?;
        let (main_country, main) = regions.front().ok_or_else(|| ReaderError::Region(calling_code.to_string()))?;
        if let Some(pattern) = main.national_prefix_for_parsing.as_deref() {
            patterns.trap(unwrapped(pattern)?);
        }
        let lengths = main.general_desc.as_ref().map_or(0, possible_lengths);
        let answer = |matches: &Matches| std::array::from_fn(|length| classify(&rules, lengths, matches, length));
        let automaton = Automaton::new(&patterns, answer)?;
        let countries = regions.iter().map(|(country, _)| *country).collect();
        Ok(Self { calling_code, main_country: *main_country, countries, lengths, automaton })
    }

    pub(super) fn calling_code(&self) -> u16 {
        self.calling_code
    }

    pub(super) fn main_country(&self) -> Country {
        self.main_country
    }

    /// The countries that share the calling code, the main one first.
    pub(super) fn countries(&self) -> &[Country] {
        &self.countries
    }

    pub(super) fn is_possible(&self, n_national: usize) -> bool {
        has_length(self.lengths, n_national)
    }

    pub(super) fn classify(&self, national: &[u8]) -> Classified {
        let answers = self.automaton.feed(national);
        let answer = answers.and_then(|answers| answers.get(national.len()));
        answer.copied().unwrap_or(Classified::NotPossible)
    }

    #[cfg(test)]
    pub(super) fn n_bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.countries) + self.automaton.n_bytes()
    }
}

// === impl ReaderError ===

impl From<AutomatonError> for ReaderError {
    fn from(error: AutomatonError) -> Self {
        Self::Table(error.to_string())
    }
}

const N_CODES: usize = 1000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;

    use super::*;
    use crate::attempt::country::{NON_GEOGRAPHIC, REGIONS};
    use crate::attempt::phone::reader::METADATA;

    #[test]
    fn the_known_countries_are_those_of_the_metadata() {
        let collection = PhoneMetadataCollection::decode(METADATA).unwrap();
        let regions = collection.metadata.iter().map(|metadata| metadata.id.as_str()).filter(|id| *id != "001");
        let regions: BTreeSet<&str> = regions.collect();
        assert_eq!(regions.into_iter().collect::<String>().as_bytes(), REGIONS);
        let networks = collection.metadata.iter().filter(|metadata| metadata.id == "001");
        let networks: BTreeSet<i32> = networks.map(PhoneMetadata::country_code).collect();
        assert_eq!(networks.into_iter().collect::<Vec<_>>(), NON_GEOGRAPHIC.map(i32::from));
    }

    #[test]
    fn the_tables_stay_small() {
        let numbering = Numbering::new(&PhoneMetadataCollection::decode(METADATA).unwrap()).unwrap();
        let n_bytes: usize = numbering.plans().map(Plan::n_bytes).sum();
        eprintln!("{n_bytes} bytes in {} plans", numbering.plans().count());
        assert!(n_bytes < 1_000_000, "{n_bytes} bytes");
    }
}
