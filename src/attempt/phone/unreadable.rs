//! Why a text is no number. Absence of a number is never permission: policy says what it means.

/// A text with no reading, or with more than one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing but spaces.
    #[error("no number was given")]
    Empty,
    /// More than 64 bytes.
    #[error("the text is longer than any number")]
    TooLong,
    /// A character that no number needs: a letter, a foreign digit, a control character, a second plus.
    #[error("the text has a character that does not belong into a number")]
    BadCharacter,
    /// An extension, a post-dial pause or a URI parameter.
    #[error("the number has an extension")]
    Extension,
    /// `(0)` between digits: dialled by some apps, dropped by others.
    #[error("the number has a `(0)` between its digits")]
    TrunkZero,
    /// No plus, where only international numbers are read.
    #[error("the number does not start with a plus")]
    NotInternational,
    /// `00` or `011` in place of the plus.
    #[error("the number starts with an international dialling prefix in place of a plus")]
    DiallingPrefix,
    /// No country or network has this calling code.
    #[error("the calling code is unknown")]
    UnknownCallingCode,
    /// Of a length that the numbering plan does not have.
    #[error("the number is too short or too long for its numbering plan")]
    NotPossible,
    /// A national spelling of a number that is in no assigned range.
    #[error("the number is not valid in its region")]
    NotValid,
    /// Another reader might read another number.
    #[error("the number can be read in more than one way")]
    Ambiguous,
    /// The library behind the reader panicked. A fault of ours, not of the text.
    #[error("the reader of numbers failed")]
    Fault,
}

// === impl Unreadable ===

impl Unreadable {
    /// The name in logs and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::BadCharacter => "bad_character",
            Self::Extension => "extension",
            Self::TrunkZero => "trunk_zero",
            Self::NotInternational => "not_international",
            Self::DiallingPrefix => "dialling_prefix",
            Self::UnknownCallingCode => "unknown_calling_code",
            Self::NotPossible => "not_possible",
            Self::NotValid => "not_valid",
            Self::Ambiguous => "ambiguous",
            Self::Fault => "fault",
        }
    }
}
