//! Companies whose customers are simulated: where those live, how many there are, and what happens to them.

mod companies;

use clap::ValueEnum;

use companies::{B2B_SAAS, HK_BANK, MARKETPLACE, STARTUP, US_CONSUMER};

/// A kind of company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub(crate) enum Profile {
    /// An app for everybody in the United States.
    UsConsumer,
    /// A bank in Hong Kong, most of whose customers come back.
    HkBank,
    /// Software for companies: offices behind one address, working hours.
    B2bSaas,
    /// A marketplace with customers all over the world.
    Marketplace,
    /// A start-up with twenty sign-ups a day and no past.
    Startup,
}

/// What is known of a company.
#[derive(Debug)]
pub(crate) struct Traits {
    pub(crate) home: &'static str,
    /// Hours to add to UTC.
    pub(crate) utc_offset: f64,
    /// Averaged over a day.
    pub(crate) sessions_per_hour: f64,
    /// The share of sessions by customers who have been here before.
    pub(crate) returning: f64,
    /// Customers at the start.
    pub(crate) n_known: usize,
    /// The share of people who type a national number.
    pub(crate) national: f64,
    pub(crate) day: Day,
    /// Where numbers are from, by weight.
    pub(crate) markets: &'static [(&'static str, f64)],
    /// The share of people with a foreign number who live where it is from.
    pub(crate) stays: f64,
    pub(crate) n_offices: usize,
    pub(crate) occasions: &'static [Occasion],
}

/// How activity is spread over a day, and how much of it is left on a weekend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day {
    hours: [f64; 24],
    weekend: f64,
}

/// Something unusual and innocent. Hours count from the start; what would not end an hour before the run does is left
/// out.
#[derive(Debug)]
pub(crate) enum Occasion {
    /// The SMS provider delivers only that share.
    Outage { at: f64, hours: f64, delivered: f64 },
    /// The route to one country delivers only that share.
    RouteFails { country: &'static str, at: f64, hours: f64, delivered: f64 },
    /// More new customers than usual, in that country or everywhere.
    Rush { n: usize, country: Option<&'static str>, at: f64, hours: f64 },
    /// Customers who come back all at once; impatience is added to the chance of asking again.
    Return { n: usize, at: f64, hours: f64, impatience: f64 },
    /// SIM cards that were handed out together, in a block of `10^n_free` numbers.
    SimBatch { n: usize, country: &'static str, n_free: usize, shares_address: bool, at: f64, hours: f64 },
    /// A company's staff sign up: consecutive numbers behind one address.
    Company { n: usize, country: &'static str, at: f64, hours: f64 },
    /// The largest offices log in again, all of them.
    Drill { n_offices: usize, most: usize, at: f64, hours: f64 },
}

// === impl Profile ===

impl Profile {
    pub(crate) const ALL: &[Self] = &[Self::UsConsumer, Self::HkBank, Self::B2bSaas, Self::Marketplace, Self::Startup];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UsConsumer => "us-consumer",
            Self::HkBank => "hk-bank",
            Self::B2bSaas => "b2b-saas",
            Self::Marketplace => "marketplace",
            Self::Startup => "startup",
        }
    }

    pub(crate) fn traits(self) -> &'static Traits {
        match self {
            Self::UsConsumer => &US_CONSUMER,
            Self::HkBank => &HK_BANK,
            Self::B2bSaas => &B2B_SAAS,
            Self::Marketplace => &MARKETPLACE,
            Self::Startup => &STARTUP,
        }
    }
}

// === impl Day ===

impl Day {
    /// The rate at an hour of the run as a multiple of the weekday average. Runs start on a Tuesday.
    pub(crate) fn at(&self, hour: f64) -> f64 {
        let average = self.hours.iter().sum::<f64>() / 24.0;
        let is_weekend = (4.0..6.0).contains(&(hour / 24.0).rem_euclid(7.0));
        let share = if is_weekend { self.weekend } else { 1.0 };
        // The remainder is from 0 to below 24.
        self.hours[hour.rem_euclid(24.0) as usize % 24] / average * share
    }

    /// The highest that [`at`](Self::at) gets.
    pub(crate) fn peak(&self) -> f64 {
        let average = self.hours.iter().sum::<f64>() / 24.0;
        self.hours.iter().copied().fold(0.0, f64::max) / average
    }
}

// === impl Occasion ===

impl Occasion {
    /// From when to when, in hours of the run.
    pub(crate) fn hours(&self) -> (f64, f64) {
        let (&at, &hours) = match self {
            Self::Outage { at, hours, .. }
            | Self::RouteFails { at, hours, .. }
            | Self::Rush { at, hours, .. }
            | Self::Return { at, hours, .. }
            | Self::SimBatch { at, hours, .. }
            | Self::Company { at, hours, .. }
            | Self::Drill { at, hours, .. } => (at, hours),
        };
        (at, at + hours)
    }
}

#[cfg(test)]
mod tests {
    use super::companies::OFFICE;
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for &profile in Profile::ALL {
            assert_eq!(Profile::from_str(profile.name(), false), Ok(profile));
        }
        assert_eq!(Profile::ALL.len(), Profile::value_variants().len());
    }

    #[test]
    fn a_weekday_averages_one_and_offices_rest_on_saturday() {
        for &profile in Profile::ALL {
            let day = profile.traits().day;
            let average = (0..24).map(|hour| day.at(f64::from(hour))).sum::<f64>() / 24.0;
            assert!((0.999..1.001).contains(&average) && average < day.peak());
        }
        assert!(OFFICE.at(4.0 * 24.0 + 9.0) < 0.5 && 1.0 < OFFICE.at(9.0), "Tuesday is day zero");
    }

    #[test]
    fn occasions_fit_into_three_days() {
        for &profile in Profile::ALL {
            for occasion in profile.traits().occasions {
                let (from, end) = occasion.hours();
                assert!(0.0 < from && from < end && end <= 71.0, "{occasion:?}");
            }
        }
    }
}
