//! How hard people make it to tell them from bots.

use clap::ValueEnum;

/// What people do that looks odd, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Habits {
    /// As measured.
    #[default]
    Usual,
    /// Worse routes, more changes of mind, more travellers and VPNs: where a rule that fits the usual shows its price.
    Hard,
}

// === impl Habits ===

impl Habits {
    /// The share of otherwise delivered messages that arrive.
    pub(super) fn delivered(self) -> f64 {
        match self {
            Self::Usual => 1.0,
            Self::Hard => 0.8,
        }
    }

    /// The share that gets a code and does not type it.
    pub(super) fn changes_mind(self) -> f64 {
        match self {
            Self::Usual => 0.12,
            Self::Hard => 0.2,
        }
    }

    /// The share of sessions abroad.
    pub(super) fn abroad(self) -> f64 {
        match self {
            Self::Usual => 0.008,
            Self::Hard => 0.06,
        }
    }

    /// The share of people with a VPN.
    pub(super) fn with_vpn(self) -> f64 {
        match self {
            Self::Usual => 0.02,
            Self::Hard => 0.1,
        }
    }
}
