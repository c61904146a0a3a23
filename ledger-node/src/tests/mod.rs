//! The node as a whole: over HTTP, with a store that breaks, and with bytes that were flipped.

mod batches;
pub(crate) mod boundaries;
mod console;
mod crashes;
mod flipped;
mod frozen;
mod hostile;
mod identifiers;
mod pruned;
mod relaying;
mod serving;
mod statistics;
mod submitting_early;
mod terms;
pub(crate) mod world;
