//! What a database says of one network, in the layouts that databases have.
//!
//! A country is `country.iso_code` and, without one, `registered_country.iso_code` (MaxMind, DB-IP), or a text in
//! `country_code` or `country` (ip-location-db, IPinfo). A network is `autonomous_system_number`, or `asn` as a number
//! or as `AS64496`. Everything else is skipped, and what is of another type says nothing.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::attempt::country::Country;
use crate::attempt::origin::{Asn, Origin};

/// The few fields of a record that are looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    country: Field<'a>,
    #[serde(borrow)]
    registered_country: Field<'a>,
    #[serde(borrow)]
    country_code: Field<'a>,
    #[serde(borrow)]
    autonomous_system_number: Field<'a>,
    #[serde(borrow)]
    asn: Field<'a>,
}

/// A field of any type.
#[derive(Clone, Copy, Debug, Default)]
enum Field<'a> {
    /// A text, or the `iso_code` of a map.
    Text(&'a str),
    Number(u64),
    #[default]
    Other,
}

struct FieldVisitor;

// === impl Record ===

impl Record<'_> {
    pub(super) fn origin(&self) -> Origin {
        let country = [self.country, self.registered_country, self.country_code];
        Origin {
            country: country.into_iter().find_map(Field::country),
            asn: self.autonomous_system_number.asn().or_else(|| self.asn.asn()),
        }
    }
}

// === impl Field ===

impl Field<'_> {
    fn country(self) -> Option<Country> {
        match self {
            Self::Text(text) => Country::from_iso(text),
            Self::Number(_) | Self::Other => None,
        }
    }

    fn asn(self) -> Option<Asn> {
        match self {
            Self::Text(text) => Asn::new(text.strip_prefix("AS").unwrap_or(text).parse().ok()?),
            Self::Number(number) => Asn::new(u32::try_from(number).ok()?),
            Self::Other => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

// === impl FieldVisitor ===

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a country or a network")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
        Ok(Field::Number(number))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
        let mut found = Field::Other;
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "iso_code" => found = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }
}
