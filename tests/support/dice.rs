//! A small generator (xorshift64*), so that whatever is left to chance can be told by its seed.

/// See the module.
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64) -> Self {
        // No seed leaves it at nothing, where it would stay.
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(word).unwrap() % sides
    }

    /// The same of other numbers.
    pub fn number(&mut self, below: i64) -> i64 {
        i64::try_from(self.roll(usize::try_from(below).unwrap())).unwrap()
    }

    /// A time shorter than that, in milliseconds: whole seconds, of which no part is kept of a use.
    pub fn moment(&mut self, below: i64) -> i64 {
        self.number(below / 1_000) * 1_000
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }
}
