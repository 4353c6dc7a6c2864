//! Rows of numbers under two headings each.

use std::fmt;

use super::super::compare::less;
use super::super::report::Compared;

/// The headings, with what the rows are about.
pub(super) struct Head<'a>(pub(super) &'a str);

/// One row.
pub(super) struct Line<'a>(pub(super) Numbers<'a>);

/// What a row shows, old before new.
pub(super) struct Numbers<'a> {
    key: &'a str,
    n_sends: Option<u64>,
    n_stopped: [u64; 2],
    saved: [u64; 2],
    n_customers: [u64; 2],
}

impl<'a> From<&'a Compared> for Numbers<'a> {
    fn from(compared: &'a Compared) -> Self {
        let sides = [&compared.old, &compared.new];
        Self {
            key: compared.key.as_deref().unwrap_or("all"),
            n_sends: compared.sends.map(|sends| sends.n()),
            n_stopped: sides.map(|side| side.n_stopped()),
            saved: sides.map(|side| side.saved_usd_micros),
            n_customers: sides.map(|side| side.n_customers()),
        }
    }
}

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stopped, saved, customers) = ("challenged or blocked", "money saved", "customers stopped");
        writeln!(f, "\n{:<26}{stopped:>24}{saved:>29}{customers:>21}", "")?;
        writeln!(
            f,
            "{:<17}{:>9}{:>8}{:>8}{:>8}{:>9}{:>9}{:>11}{:>7}{:>7}{:>7}",
            self.0, "sends", "old", "new", "diff", "old", "new", "diff", "old", "new", "diff"
        )
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Numbers { key, n_sends, n_stopped, saved, n_customers } = &self.0;
        let n_sends = n_sends.map(|n| n.to_string()).unwrap_or_default();
        write!(f, "{key:<17}{n_sends:>9}")?;
        let [old, new] = *n_stopped;
        write!(f, "{old:>8}{new:>8}{:>+8}", less(new, old))?;
        let [old, new] = *saved;
        write!(f, "{:>9}{:>9}{:>11}", dollars(old), dollars(new), signed_dollars(less(new, old)))?;
        let [old, new] = *n_customers;
        writeln!(f, "{old:>7}{new:>7}{:>+7}", less(new, old))
    }
}

/// Dollars and cents; from ten thousand dollars on without the cents.
pub(super) fn dollars(micros: u64) -> String {
    let cents = micros.saturating_add(5_000) / 10_000;
    if cents < 1_000_000 { format!("${}.{:02}", cents / 100, cents % 100) } else { format!("${}", cents / 100) }
}

/// As [`dollars`], with a sign.
pub(super) fn signed_dollars(micros: i64) -> String {
    let sign = if micros < 0 { '-' } else { '+' };
    format!("{sign}{}", dollars(micros.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_shown_where_they_matter() {
        assert_eq!([0, 4_999, 5_000, 12_345_678].map(dollars), ["$0.00", "$0.00", "$0.01", "$12.35"]);
        assert_eq!(dollars(12_345_670_000), "$12345");
        assert_eq!([-12_345_678, 0, 10_000].map(signed_dollars), ["-$12.35", "+$0.00", "+$0.01"]);
    }
}
