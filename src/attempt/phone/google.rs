//! Google's library itself, for what the tables leave open: dropped national prefixes, and national spellings.

use rlibphonenumber::{
    NumberLengthType, PhoneMetadataCollection, PhoneNumber, PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil,
};

use super::kind::Kind;
use super::numbering::Plan;
use super::reader::ReaderError;
use super::region::Region;
use super::rules::Classified;
use super::unreadable::Unreadable;
use crate::attempt::country::Country;

/// rlibphonenumber over the same metadata as the tables.
pub(super) struct Google(PhoneNumberUtil);

// === impl Google ===

impl Google {
    pub(super) fn new(collection: PhoneMetadataCollection) -> Result<Self, ReaderError> {
        let library = PhoneNumberUtil::new_for_metadata(collection);
        library.map(Self).map_err(|error| ReaderError::Region(error.to_string()))
    }

    /// Classifies `+` and digits, if they are read as the digits that they are.
    pub(super) fn classify(&self, e164: &str, plan: &Plan) -> Result<Classified, Unreadable> {
        let number = self.0.parse(e164, None).map_err(|_| Unreadable::NotPossible)?;
        if self.0.format(&number, PhoneNumberFormat::E164) != e164 {
            return Err(Unreadable::Ambiguous);
        }
        if let Some((country, kind)) = self.assigned(&number, plan) {
            return Ok(Classified::Assigned(country, kind));
        }
        match self.0.is_possible_number_with_reason(&number) {
            Ok(NumberLengthType::IsPossible) => Ok(Classified::Unassigned),
            Ok(NumberLengthType::IsPossibleLocalOnly) | Err(_) => Ok(Classified::NotPossible),
        }
    }

    /// Reads a national spelling and returns its E.164.
    pub(super) fn national(&self, digits: &str, region: Region) -> Result<String, Unreadable> {
        let region = rlibphonenumber::Region::from_code(&region.to_string()).map_err(|_| Unreadable::NotValid)?;
        let number = self.0.parse(digits, Some(region)).map_err(|_| Unreadable::NotPossible)?;
        if !self.0.is_valid_number(&number) {
            return Err(Unreadable::NotValid);
        }
        Ok(self.0.format(&number, PhoneNumberFormat::E164).into_owned())
    }

    fn assigned(&self, number: &PhoneNumber, plan: &Plan) -> Option<(Country, Kind)> {
        if !self.0.is_valid_number(number) {
            return None;
        }
        let country = match self.0.get_region_for_number(number)? {
            rlibphonenumber::Region::World => Country::from_non_geographic(plan.calling_code()),
            region => Country::from_iso(region.as_region_str().as_str()),
        };
        Some((country?, kind(self.0.get_number_type(number))?))
    }
}

fn kind(kind: PhoneNumberType) -> Option<Kind> {
    Some(match kind {
        PhoneNumberType::FixedLine => Kind::FixedLine,
        PhoneNumberType::Mobile => Kind::Mobile,
        PhoneNumberType::FixedLineOrMobile => Kind::FixedLineOrMobile,
        PhoneNumberType::TollFree => Kind::TollFree,
        PhoneNumberType::PremiumRate => Kind::PremiumRate,
        PhoneNumberType::SharedCost => Kind::SharedCost,
        PhoneNumberType::VoIP => Kind::Voip,
        PhoneNumberType::PersonalNumber => Kind::Personal,
        PhoneNumberType::Pager => Kind::Pager,
        PhoneNumberType::UAN => Kind::Uan,
        PhoneNumberType::VoiceMail => Kind::Voicemail,
        PhoneNumberType::Unknown => return None,
    })
}
