//! The `phonenumber` crate as a reader, for apps that read numbers with it: its own validity, types and countries.
//!
//! Only the possible lengths come from the shared metadata, because the crate does not tell them.

use std::fmt::Write as _;

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, PhoneNumber, Type, country};

use super::kind::Kind;
use super::numbering::Plan;
use super::region::Region;
use super::rules::Classified;
use super::unreadable::Unreadable;
use crate::attempt::country::Country;

/// Classifies `+` and digits, if they are read as the digits that they are.
pub(super) fn classify(e164: &str, plan: &Plan, n_national: usize) -> Result<Classified, Unreadable> {
    let number = phonenumber::parse(None, e164).map_err(|_| Unreadable::NotPossible)?;
    if spelled(&number)? != e164 {
        return Err(Unreadable::Ambiguous);
    }
    Ok(match assigned(&number, plan) {
        Some((country, kind)) => Classified::Assigned(country, kind),
        None if plan.is_possible(n_national) => Classified::Unassigned,
        None => Classified::NotPossible,
    })
}

/// Reads a national spelling and returns its E.164.
pub(super) fn national(digits: &str, region: Region) -> Result<String, Unreadable> {
    let region: country::Id = region.to_string().parse().map_err(|_| Unreadable::NotValid)?;
    let number = phonenumber::parse(Some(region), digits).map_err(|_| Unreadable::NotPossible)?;
    if !number.is_valid() {
        return Err(Unreadable::NotValid);
    }
    spelled(&number)
}

/// Makes the crate load its metadata, which its first use would do otherwise.
pub(super) fn warm() {
    drop(phonenumber::parse(None, "+15550100123"));
}

fn spelled(number: &PhoneNumber) -> Result<String, Unreadable> {
    let mut text = String::with_capacity(16);
    write!(text, "{}", number.format().mode(Mode::E164)).map_err(|_| Unreadable::NotPossible)?;
    Ok(text)
}

fn assigned(number: &PhoneNumber, plan: &Plan) -> Option<(Country, Kind)> {
    if !number.is_valid() {
        return None;
    }
    let country = match number.country().id() {
        Some(id) => Country::from_iso(id.as_ref()),
        None => Country::from_non_geographic(plan.calling_code()),
    };
    Some((country?, kind(number.number_type(&DATABASE))?))
}

fn kind(kind: Type) -> Option<Kind> {
    Some(match kind {
        Type::FixedLine => Kind::FixedLine,
        Type::Mobile => Kind::Mobile,
        Type::FixedLineOrMobile => Kind::FixedLineOrMobile,
        Type::TollFree => Kind::TollFree,
        Type::PremiumRate => Kind::PremiumRate,
        Type::SharedCost => Kind::SharedCost,
        Type::PersonalNumber => Kind::Personal,
        Type::Voip => Kind::Voip,
        Type::Pager => Kind::Pager,
        Type::Uan => Kind::Uan,
        Type::Voicemail => Kind::Voicemail,
        Type::Emergency
        | Type::ShortCode
        | Type::StandardRate
        | Type::Carrier
        | Type::NoInternational
        | Type::Unknown => return None,
    })
}
