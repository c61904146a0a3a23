//! One file per act. Each loads, asks the core, saves, answers; none of them knows HTTP.

pub(crate) mod anchor_proof;
pub(crate) mod credential;
pub(crate) mod import;
pub(crate) mod offer;
pub(crate) mod order;
pub(crate) mod standing;
pub(crate) mod token;

/// How often a lost race is run again. Each time somebody else won, so many in a row mean that something is wrong.
const MAX_RACES: usize = 16;
