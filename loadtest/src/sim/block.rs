//! Blocks of adjacent numbers, which is what attackers rent and what companies and carriers hand out.

use super::dice::Dice;

/// Adjacent numbers: all that begin with the same digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// With the plus.
    pub(super) prefix: String,
    pub(super) n_free: usize,
}

// === impl Block ===

impl Block {
    pub(crate) fn around(phone: &str, n_free: usize) -> Self {
        let (prefix, _) = phone.split_at(phone.len() - n_free);
        Self { prefix: prefix.to_owned(), n_free }
    }

    /// All numbers with that prefix, plus included, and so many more digits.
    pub(crate) fn of((prefix, n_free): (&str, usize)) -> Self {
        Self { prefix: prefix.to_owned(), n_free }
    }

    /// The `nth` number; wraps at the end of the block.
    pub(crate) fn nth(&self, nth: usize) -> String {
        let size = 10_usize.pow(u32::try_from(self.n_free).unwrap_or_default());
        format!("{}{:0n$}", self.prefix, nth % size, n = self.n_free)
    }

    /// Any number, of whatever kind.
    pub(crate) fn random(&self, dice: &mut Dice) -> String {
        let mut phone = self.prefix.clone();
        phone.extend((0..self.n_free).map(|_| dice.pick(&['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])));
        phone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_walked_in_order_and_wraps() {
        let block = Block::around("+12025550123", 2);
        assert_eq!([block.nth(7), block.nth(107)], ["+12025550107", "+12025550107"]);
        assert!(block.random(&mut Dice::new(4, &[])).starts_with("+120255501"));
    }
}
