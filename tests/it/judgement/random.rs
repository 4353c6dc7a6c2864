//! Numbers that look random and are the same in every run.

pub(super) struct Random(u64);

// === impl Random ===

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(&mut self, per_cent: u64) -> bool {
        self.below(100) < per_cent
    }

    pub(super) fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len() as u64) as usize]
    }

    pub(super) fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        *self.pick(things)
    }

    /// Milliseconds until the next of events that come so many an hour, on average.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours at most")]
    pub(super) fn gap(&mut self, per_hour: u64) -> u64 {
        let uniform = (self.below(1 << 24) + 1) as f64 / (1 << 24) as f64;
        (-uniform.ln() * 3_600_000.0 / per_hour as f64) as u64
    }
}
