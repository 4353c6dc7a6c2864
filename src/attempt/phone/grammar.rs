//! The only spellings that reach a library.
//!
//! 1. A text has at most 64 bytes. ASCII spaces around it are dropped.
//! 2. A plus may be the first character, and nowhere else.
//! 3. Spaces, `-`, `.` and parentheses around digits are dropped, but `(0)` after a digit is refused.
//! 4. What remains are ASCII digits: 8 to 15 behind a plus, 4 to 15 without one.

use super::unreadable::Unreadable;

/// Digits, and whether a plus stood before them.
#[derive(Clone, Copy)]
pub(super) enum Spelling {
    /// Calling code first, which never starts with a zero.
    International(Digits),
    /// As dialled inside one country.
    National(Digits),
}

/// Up to 15 ASCII digits, a plus before them, so that both spellings can be borrowed.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    bytes: [u8; 1 + MAX_DIGITS],
    length: usize,
}

// === impl Spelling ===

impl Spelling {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let text = trimmed(text)?;
        match text.as_bytes() {
            [] => Err(Unreadable::Empty),
            [b'+', rest @ ..] => international(scan(rest)?),
            rest => national(scan(rest)?),
        }
    }

    /// Like [`parse`](Self::parse) of the text with a plus put before it.
    pub(super) fn parse_behind_plus(text: &str) -> Result<Self, Unreadable> {
        international(scan(trimmed(text)?.as_bytes())?)
    }
}

fn trimmed(text: &str) -> Result<&str, Unreadable> {
    if text.len() <= MAX_LENGTH { Ok(text.trim_matches(' ')) } else { Err(Unreadable::TooLong) }
}

fn international(digits: Digits) -> Result<Spelling, Unreadable> {
    match digits.as_bytes() {
        [b'0', ..] => Err(Unreadable::UnknownCallingCode),
        digits if digits.len() < 8 => Err(Unreadable::NotPossible),
        _ => Ok(Spelling::International(digits)),
    }
}

fn national(digits: Digits) -> Result<Spelling, Unreadable> {
    match digits.as_bytes() {
        [b'0', b'0', ..] => Err(Unreadable::DiallingPrefix),
        digits if digits.len() < 4 => Err(Unreadable::NotPossible),
        _ => Ok(Spelling::National(digits)),
    }
}

fn scan(text: &[u8]) -> Result<Digits, Unreadable> {
    let mut digits = Digits::EMPTY;
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = match byte {
            b'0'..=b'9' => {
                digits.push(*byte)?;
                tail
            }
            b' ' | b'-' | b'.' => tail,
            b'(' => group(tail, &mut digits)?,
            b'x' | b'X' | b'e' | b'E' | b'#' | b';' | b',' if digits.length != 0 => {
                return Err(Unreadable::Extension);
            }
            _ => return Err(Unreadable::BadCharacter),
        };
    }
    Ok(digits)
}

/// Takes the digits up to the closing parenthesis and returns what follows it.
fn group<'a>(text: &'a [u8], digits: &mut Digits) -> Result<&'a [u8], Unreadable> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some((inside, [b')', rest @ ..])) = text.split_at_checked(length) else {
        return Err(Unreadable::BadCharacter);
    };
    match inside {
        [] => return Err(Unreadable::BadCharacter),
        [b'0'] if digits.length != 0 => return Err(Unreadable::TrunkZero),
        inside => inside.iter().try_for_each(|digit| digits.push(*digit))?,
    }
    Ok(rest)
}

// === impl Digits ===

impl Digits {
    const EMPTY: Self = Self { bytes: [b'+'; 1 + MAX_DIGITS], length: 0 };

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(1..=self.length).unwrap_or_default()
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(super) fn with_plus(&self) -> &str {
        let text = self.bytes.get(..=self.length).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }

    pub(super) fn value(&self) -> u64 {
        self.as_bytes().iter().fold(0, |value, digit| value * 10 + u64::from(digit & 0x0f))
    }

    /// Takes up to 15 digits, because no E.164 number has more.
    fn push(&mut self, digit: u8) -> Result<(), Unreadable> {
        let slot = self.bytes.get_mut(self.length + 1).ok_or(Unreadable::NotPossible)?;
        *slot = digit;
        self.length += 1;
        Ok(())
    }
}

const MAX_LENGTH: usize = 64;
const MAX_DIGITS: usize = 15;
