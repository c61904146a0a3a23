//! The rules, refusal by refusal, and that the same blocks give the same state everywhere.

mod accreditations;
mod blocks;
mod counted;
mod dids;
mod duties;
mod envelopes;
mod epochs;
mod genesis_files;
mod growth;
mod recoveries;
mod room;
mod schedule;
mod tallies;
mod thumbprints;
mod votes;
mod world;
