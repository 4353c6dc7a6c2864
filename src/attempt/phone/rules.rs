//! libphonenumber's own rules: the possible lengths of the main country, the order in which the types of a number
//! are tried, and the choice among countries that share a calling code.

#![expect(
    deprecated,
    reason = "rlibphonenumber marks the fields that its own wrapper empties; this is the collection before that"
)]

use rlibphonenumber::{PhoneMetadata, PhoneNumberDesc};

use super::automaton::{Matches, Patterns};
use super::kind::Kind;
use super::reader::ReaderError;
use crate::attempt::country::Country;

/// What the tables say about the national digits of a number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Classified {
    /// In a range that the plan assigns.
    Assigned(Country, Kind),
    /// Of a possible length, in no assigned range.
    Unassigned,
    /// Of no possible length.
    NotPossible,
    /// A national prefix might be dropped: only the library knows.
    Ask,
}

/// How one country tells its numbers apart; patterns are indices into the plan's.
pub(super) struct Rules {
    country: Country,
    leading: Option<usize>,
    general: Description,
    /// In the order in which libphonenumber tries them.
    special: [(Kind, Description); 8],
    fixed: Description,
    mobile: Description,
    fixed_is_mobile: bool,
}

#[derive(Clone, Copy)]
struct Description {
    pattern: Option<usize>,
    /// `None` for the lengths of the general description.
    lengths: Option<u32>,
}

// === impl Rules ===

impl Rules {
    pub(super) fn new(
        (country, metadata): &(Country, &PhoneMetadata),
        patterns: &mut Patterns,
    ) -> Result<Self, ReaderError> {
        let leading = metadata.leading_digits.as_deref().map(unwrapped).transpose()?;
        let leading = leading.map(|pattern| patterns.prefix(pattern));
        let mut description = |description: &Option<PhoneNumberDesc>| Description::new(description.as_ref(), patterns);
        Ok(Self {
            country: *country,
            leading,
            general: description(&metadata.general_desc)?,
            special: [
                (Kind::PremiumRate, description(&metadata.premium_rate)?),
                (Kind::TollFree, description(&metadata.toll_free)?),
                (Kind::SharedCost, description(&metadata.shared_cost)?),
                (Kind::Voip, description(&metadata.voip)?),
                (Kind::Personal, description(&metadata.personal_number)?),
                (Kind::Pager, description(&metadata.pager)?),
                (Kind::Uan, description(&metadata.uan)?),
                (Kind::Voicemail, description(&metadata.voicemail)?),
            ],
            fixed: description(&metadata.fixed_line)?,
            mobile: description(&metadata.mobile)?,
            fixed_is_mobile: metadata.same_mobile_and_fixed_line_pattern(),
        })
    }

    /// Whether the number belongs to this country among those that share its calling code.
    fn claims(&self, matched: &[usize], n_national: usize) -> bool {
        self.leading.is_some_and(|leading| matched.contains(&leading)) || self.kind(matched, n_national).is_some()
    }

    fn kind(&self, matched: &[usize], n_national: usize) -> Option<Kind> {
        let is = |description: &Description| description.matches(matched, n_national);
        if !is(&self.general) {
            return None;
        }
        if let Some((kind, _)) = self.special.iter().find(|(_, description)| is(description)) {
            return Some(*kind);
        }
        match (is(&self.fixed), self.fixed_is_mobile, is(&self.mobile)) {
            (true, true, _) | (true, false, true) => Some(Kind::FixedLineOrMobile),
            (true, false, false) => Some(Kind::FixedLine),
            (false, false, true) => Some(Kind::Mobile),
            (false, true, _) | (false, false, false) => None,
        }
    }
}

// === impl Description ===

impl Description {
    fn new(description: Option<&PhoneNumberDesc>, patterns: &mut Patterns) -> Result<Self, ReaderError> {
        let pattern = description.and_then(|description| description.national_number_pattern.as_deref());
        let pattern = pattern.map(unwrapped).transpose()?;
        let lengths = description.map(|description| &description.possible_length);
        Ok(Self {
            pattern: pattern.map(|pattern| patterns.whole(pattern)),
            lengths: lengths.filter(|lengths| !lengths.is_empty()).map(|lengths| length_bits(lengths)),
        })
    }

    fn matches(&self, matched: &[usize], n_national: usize) -> bool {
        self.lengths.is_none_or(|lengths| has_length(lengths, n_national))
            && self.pattern.is_some_and(|pattern| matched.contains(&pattern))
    }
}

/// What the rules of the countries that share a calling code say about digits that match these patterns.
pub(super) fn classify(rules: &[Rules], lengths: u32, matches: &Matches, n_national: usize) -> Classified {
    let Some(matched) = matches else {
        return Classified::Ask;
    };
    let chosen = match rules {
        [only] => Some(only),
        shared => shared.iter().find(|rules| rules.claims(matched, n_national)),
    };
    let assigned = chosen.and_then(|rules| Some((rules.country, rules.kind(matched, n_national)?)));
    match assigned {
        Some((country, kind)) => Classified::Assigned(country, kind),
        None if has_length(lengths, n_national) => Classified::Unassigned,
        None => Classified::NotPossible,
    }
}

/// Lengths of which a number may be, those that can only be dialled inside the country left out.
pub(super) fn possible_lengths(description: &PhoneNumberDesc) -> u32 {
    length_bits(&description.possible_length) & !length_bits(&description.possible_length_local_only)
}

fn length_bits(lengths: &[i32]) -> u32 {
    lengths.iter().filter(|length| (0..32).contains(*length)).fold(0, |bits, length| bits | 1 << length)
}

/// Whether a set of lengths has this one.
pub(super) fn has_length(lengths: u32, n_digits: usize) -> bool {
    n_digits < N_LENGTHS && lengths & (1 << n_digits) != 0
}

/// The pattern without the anchors that rlibphonenumber stores around each.
pub(super) fn unwrapped(pattern: &str) -> Result<&str, ReaderError> {
    let inside = pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$"));
    inside.filter(|inside| !inside.is_empty()).ok_or_else(|| ReaderError::Pattern(pattern.to_owned()))
}

/// National digits 0 to 14: at most 15 with the calling code.
pub(super) const N_LENGTHS: usize = 15;
