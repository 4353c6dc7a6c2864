//! Reads a number as the demonstration's app does, and says what a message to it costs.

use crate::attempt::phone::{Number, Reader, ReaderKind, Region};
use crate::risk::{Destinations, Money};

/// A reader and the shipped price table.
#[derive(Debug)]
pub(super) struct Tariff {
    reader: Reader,
    destinations: Destinations,
    home: Region,
}

// === impl Tariff ===

impl Tariff {
    /// What ships with tollgate.
    ///
    /// # Errors
    /// The shipped data is broken.
    pub(super) fn builtin() -> Result<Self, Vec<String>> {
        let reader = Reader::builtin(ReaderKind::Google).map_err(|error| vec![error.to_string()])?;
        let destinations = Destinations::builtin().map_err(|error| vec![error.to_string()])?;
        let home = HOME.parse().map_err(|error: crate::attempt::phone::UnknownRegion| vec![error.to_string()])?;
        Ok(Self { reader, destinations, home })
    }

    /// The number, where there is one way to read it.
    pub(super) fn read(&self, typed: &str) -> Option<Number> {
        self.reader.read(typed, Some(self.home)).ok()
    }

    /// What one message costs.
    pub(super) fn price(&self, number: Number) -> Money {
        self.destinations.price(number)
    }
}

/// Where most people who sign up live; the same as `region` in the demonstration's configuration.
const HOME: &str = "GB";
