//! One file per kind of operation: its own rules, after sender, signature and sequence have been checked.

pub(super) mod accredit;
pub(super) mod anchor;
pub(super) mod delegate;
pub(super) mod did;
pub(super) mod membership;
mod ownership;
pub(super) mod recovery;
pub(super) mod schema;
pub(super) mod tally;
pub(super) mod validators;
pub(super) mod voting;
