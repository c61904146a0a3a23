//! Repeatable chance for samples: SplitMix64. Never for keys.

/// A stream of numbers that a seed fixes for all time, on every machine and with every library version.
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of one row, so that a row does not depend on those before it.
    pub(super) fn of_row(seed: u64, row: u64) -> Self {
        let mut start = Self(seed);
        let mixed = start.next();
        Self(mixed ^ row.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included. The bias of the remainder does not matter for samples.
    pub(super) fn between(&mut self, low: u16, high: u16) -> u16 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + u16::try_from(self.next() % span).unwrap_or_default()
    }

    /// One of the list; `None` if it is empty.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let length = u64::try_from(list.len()).ok().filter(|length| *length > 0)?;
        list.get(usize::try_from(self.next() % length).ok()?)
    }
}
