//! Chance, in the few forms that stories and questions need.

use rand::RngExt;
use rand::rngs::StdRng;

/// One of these.
pub(crate) fn one<T: Clone>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())].clone()
}

/// Each of these with this chance, in percent; perhaps none.
pub(crate) fn each<T: Clone>(rng: &mut StdRng, of: &[T], percent: u32) -> Vec<T> {
    of.iter().filter(|_| chance(rng, percent)).cloned().collect()
}

/// As [`each`], but at least one.
pub(crate) fn some<T: Clone>(rng: &mut StdRng, of: &[T], percent: u32) -> Vec<T> {
    let found = each(rng, of, percent);
    if found.is_empty() { vec![one(rng, of)] } else { found }
}

/// Whether something happens that does in this many of a hundred cases.
pub(crate) fn chance(rng: &mut StdRng, percent: u32) -> bool {
    rng.random_ratio(percent, 100)
}
