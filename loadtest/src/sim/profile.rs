//! Companies whose customers are simulated: where those live, how many there are, and what happens to them.

use clap::ValueEnum;

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

/// Evenings are busiest.
const LEISURE: Day = Day {
    hours: [
        0.35, 0.2, 0.15, 0.12, 0.15, 0.3, 0.6, 0.9, 1.1, 1.2, 1.2, 1.25, 1.3, 1.25, 1.2, 1.2, 1.25, 1.4, 1.6, 1.75,
        1.8, 1.6, 1.2, 0.7,
    ],
    weekend: 1.15,
};

/// A rush when work begins.
const OFFICE: Day = Day {
    hours: [
        0.05, 0.03, 0.03, 0.03, 0.05, 0.1, 0.4, 1.5, 3.2, 3.0, 2.2, 1.9, 1.6, 2.0, 1.9, 1.7, 1.4, 1.0, 0.5, 0.3, 0.2,
        0.15, 0.1, 0.08,
    ],
    weekend: 0.15,
};

/// Somebody is always awake.
const WORLD: Day = Day {
    hours: [
        0.9, 0.85, 0.85, 0.8, 0.8, 0.8, 0.85, 0.9, 0.95, 1.0, 1.0, 1.05, 1.1, 1.15, 1.2, 1.2, 1.2, 1.15, 1.1, 1.1,
        1.05, 1.0, 1.0, 0.95,
    ],
    weekend: 1.1,
};

const US_CONSUMER: Traits = Traits {
    home: "US",
    utc_offset: -6.0,
    sessions_per_hour: 250.0,
    returning: 0.35,
    n_known: 3000,
    national: 0.55,
    day: LEISURE,
    markets: &[
        ("US", 0.955),
        ("CA", 0.012),
        ("MX", 0.006),
        ("IN", 0.006),
        ("GB", 0.004),
        ("PH", 0.003),
        ("DO", 0.003),
        ("BR", 0.003),
        ("CO", 0.002),
        ("NG", 0.001),
        ("KR", 0.001),
        ("DE", 0.001),
        ("PK", 0.001),
        ("FR", 0.001),
        ("VN", 0.001),
    ],
    stays: 0.35,
    n_offices: 0,
    occasions: &[
        Occasion::Outage { at: 40.2, hours: 25.0 / 60.0, delivered: 0.12 },
        Occasion::SimBatch { n: 30, country: "US", n_free: 3, shares_address: false, at: 43.0, hours: 1.0 },
        // A television advertisement: twelve minutes of new customers.
        Occasion::Rush { n: 1200, country: Some("US"), at: 52.0, hours: 0.2 },
        Occasion::RouteFails { country: "MX", at: 62.0, hours: 3.0, delivered: 0.3 },
    ],
};

const HK_BANK: Traits = Traits {
    home: "HK",
    utc_offset: 8.0,
    sessions_per_hour: 120.0,
    returning: 0.8,
    n_known: 6000,
    national: 0.7,
    day: LEISURE,
    markets: &[
        ("HK", 0.93),
        ("CN", 0.035),
        ("MO", 0.01),
        ("GB", 0.008),
        ("SG", 0.005),
        ("CA", 0.004),
        ("AU", 0.003),
        ("TW", 0.003),
        ("PH", 0.001),
        ("ID", 0.001),
    ],
    stays: 0.8,
    n_offices: 0,
    occasions: &[
        Occasion::SimBatch { n: 80, country: "HK", n_free: 3, shares_address: true, at: 38.0, hours: 2.0 },
        // The bank itself is down: whoever was logged in asks again and again.
        Occasion::Outage { at: 45.1, hours: 0.33, delivered: 0.15 },
        Occasion::Return { n: 200, at: 45.1, hours: 0.33, impatience: 0.35 },
        // Salaries are paid.
        Occasion::Return { n: 700, at: 57.0, hours: 2.0, impatience: 0.0 },
        Occasion::RouteFails { country: "CN", at: 62.0, hours: 3.0, delivered: 0.3 },
    ],
};

const B2B_SAAS: Traits = Traits {
    home: "US",
    utc_offset: -5.0,
    sessions_per_hour: 90.0,
    returning: 0.85,
    n_known: 2500,
    national: 0.4,
    day: OFFICE,
    markets: &[
        ("US", 0.62),
        ("GB", 0.12),
        ("DE", 0.08),
        ("IN", 0.07),
        ("CA", 0.05),
        ("NL", 0.02),
        ("SG", 0.02),
        ("AU", 0.02),
    ],
    stays: 0.8,
    n_offices: 30,
    occasions: &[
        Occasion::SimBatch { n: 40, country: "IN", n_free: 4, shares_address: false, at: 30.0, hours: 1.5 },
        Occasion::Company { n: 160, country: "GB", at: 34.0, hours: 0.5 },
        Occasion::Outage { at: 41.0, hours: 25.0 / 60.0, delivered: 0.12 },
        Occasion::Drill { n_offices: 3, most: 600, at: 54.0, hours: 0.25 },
        Occasion::RouteFails { country: "GB", at: 62.0, hours: 3.0, delivered: 0.3 },
    ],
};

const MARKETPLACE: Traits = Traits {
    home: "US",
    utc_offset: 0.0,
    sessions_per_hour: 200.0,
    returning: 0.3,
    n_known: 3000,
    national: 0.5,
    day: WORLD,
    markets: &[
        ("US", 0.22),
        ("IN", 0.13),
        ("BR", 0.09),
        ("ID", 0.07),
        ("MX", 0.06),
        ("GB", 0.06),
        ("PH", 0.05),
        ("NG", 0.05),
        ("DE", 0.04),
        ("PK", 0.035),
        ("VN", 0.03),
        ("TR", 0.03),
        ("BD", 0.02),
        ("EG", 0.02),
        ("FR", 0.02),
        ("KE", 0.02),
        ("CO", 0.015),
        ("ZA", 0.015),
        ("TH", 0.011),
        ("UA", 0.01),
        ("LK", 0.005),
        ("MA", 0.005),
        ("UZ", 0.004),
    ],
    stays: 0.8,
    n_offices: 0,
    occasions: &[
        Occasion::SimBatch { n: 50, country: "BR", n_free: 4, shares_address: false, at: 41.0, hours: 2.0 },
        Occasion::Outage { at: 44.0, hours: 25.0 / 60.0, delivered: 0.12 },
        // A launch in a country that nobody has signed up from.
        Occasion::Rush { n: 120, country: Some("PE"), at: 50.0, hours: 6.0 },
        Occasion::RouteFails { country: "PH", at: 62.0, hours: 3.0, delivered: 0.3 },
    ],
};

const STARTUP: Traits = Traits {
    home: "DE",
    utc_offset: 1.0,
    sessions_per_hour: 1.2,
    returning: 0.3,
    n_known: 30,
    national: 0.4,
    day: LEISURE,
    markets: &[
        ("DE", 0.6),
        ("AT", 0.1),
        ("CH", 0.08),
        ("US", 0.08),
        ("GB", 0.06),
        ("FR", 0.03),
        ("PL", 0.03),
        ("IN", 0.02),
    ],
    stays: 0.6,
    n_offices: 0,
    occasions: &[
        Occasion::Outage { at: 36.0, hours: 25.0 / 60.0, delivered: 0.12 },
        // Somebody well read wrote about it.
        Occasion::Rush { n: 60, country: None, at: 43.0, hours: 3.0 },
        Occasion::Company { n: 12, country: "AT", at: 58.0, hours: 0.5 },
    ],
};

#[cfg(test)]
mod tests {
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
