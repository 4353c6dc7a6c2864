//! What a number is for, which decides what a message or call to it can cost.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// The use that a numbering plan gives to a number.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A landline: most cannot receive a text.
    FixedLine,
    /// A mobile line.
    Mobile,
    /// The plan does not tell landline and mobile apart, as in North America.
    FixedLineOrMobile,
    /// Paid by the one who is called.
    TollFree,
    /// Pays a share of the caller's price to its owner.
    PremiumRate,
    /// Paid by both ends.
    SharedCost,
    /// A line of an internet telephony service.
    Voip,
    /// Follows a person, at a price that nobody can tell from the number.
    Personal,
    /// A pager.
    Pager,
    /// One number for all offices of a company.
    Uan,
    /// Reaches a mailbox, not a person.
    Voicemail,
    /// Of a length that the plan allows, but in no range that it assigns.
    Unassigned,
}

/// A text that names no kind of number.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown kind of number `{0}`: expected one such as `mobile` or `premium_rate`")]
pub struct UnknownKind(String);

// === impl Kind ===

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 12] = [
        Self::FixedLine,
        Self::Mobile,
        Self::FixedLineOrMobile,
        Self::TollFree,
        Self::PremiumRate,
        Self::SharedCost,
        Self::Voip,
        Self::Personal,
        Self::Pager,
        Self::Uan,
        Self::Voicemail,
        Self::Unassigned,
    ];

    /// The name in configuration, logs and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FixedLine => "fixed_line",
            Self::Mobile => "mobile",
            Self::FixedLineOrMobile => "fixed_line_or_mobile",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Voip => "voip",
            Self::Personal => "personal",
            Self::Pager => "pager",
            Self::Uan => "uan",
            Self::Voicemail => "voicemail",
            Self::Unassigned => "unassigned",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}
