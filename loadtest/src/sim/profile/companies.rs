//! The five companies in figures.

use super::{Day, Occasion, Traits};

/// Evenings are busiest.
const LEISURE: Day = Day {
    hours: [
        0.35, 0.2, 0.15, 0.12, 0.15, 0.3, 0.6, 0.9, 1.1, 1.2, 1.2, 1.25, 1.3, 1.25, 1.2, 1.2, 1.25, 1.4, 1.6, 1.75,
        1.8, 1.6, 1.2, 0.7,
    ],
    weekend: 1.15,
};

/// A rush when work begins.
pub(super) const OFFICE: Day = Day {
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

pub(super) const US_CONSUMER: Traits = Traits {
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

pub(super) const HK_BANK: Traits = Traits {
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

pub(super) const B2B_SAAS: Traits = Traits {
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

pub(super) const MARKETPLACE: Traits = Traits {
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

pub(super) const STARTUP: Traits = Traits {
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
