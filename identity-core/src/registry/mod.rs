//! The rules of the ledger: what a transaction may do, and what the state holds afterwards.
//!
//! ```text
//! bytes --parse--> Transaction --authenticate (before ordering)--> engine orders --> apply --> writes | refused
//!                                                            end of block --> close_block --> writes
//! ```
//!
//! [`apply`] and [`close_block`] are pure and deterministic: the same genesis and the same blocks give the same
//! state on every node. They know neither engine nor store nor clock; a block's time is an argument.
//! What they are not: a check that a transaction is in the log. That is `ledger`'s, and [`crate::trust`] reads
//! the histories written here.

use crate::encoding::json::Limits;

mod accreditation;
mod anchor;
mod apply;
mod block;
mod create;
mod delegation;
mod door;
mod genesis;
mod history;
mod key_proof;
mod keys;
mod make;
mod memory;
mod open;
mod recovery;
mod refused;
mod room;
mod rules;
mod schedule;
mod services;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod transaction;
mod validators;
mod voting;

pub use accreditation::{AccreditationHistory, Ending, Grant, Role};
pub use anchor::{Anchor, AnchorKind, AnchoredReceipts};
pub use apply::{Accepted, admit_relayed, apply, apply_remembering, key_to_admit};
pub use block::{Block, close_block};
pub use create::{Create, CreatePayload};
pub use delegation::{Delegation, DutyHistory, DutyHolder, is_duty_number};
pub use door::{authenticate, authenticate_all, keys_to_authenticate};
pub use genesis::{Genesis, GenesisBlock, GenesisError, GenesisMember, GenesisValidator, Peer};
pub use history::{
    DidHistory, KeyRecord, Member, Owner, OwnerHistory, Period, Recovery, SchemaHistory, SchemaRecord, ServiceRecord,
};
pub use keys::{KeyEntry, KeyUse};
pub use make::{make_create, make_key_proof, make_recovery, make_transaction};
pub use memory::Memory;
pub use recovery::{Recover, RecoveryAct, RecoveryEnvelope, RecoveryOperation};
pub use refused::{NotApplied, Refused};
pub use services::{Label, ServiceEntry, ServiceType};
pub use state::{
    MEMBERS, PROPOSALS, RULES, StateUnreadable, StateView, VALIDATORS, WriteSet, accreditation_key, delegations_key,
    did_key, duty_key, member_key, policy_key, proposal_key, receipts_key, schema_key, sequence_key, tallied_month_key,
    tallies_key, thumbprint_key, url_key, validator_key,
};
pub use tally::{
    Count, Counts, FEWER, FEWEST_TOLD, NotACount, TalliedDay, TalliedMonth, Tallies, Tally, tallied_purposes,
};
pub use transaction::{
    Accredit, Compromise, Delegate, EndAccreditation, EndDelegation, Envelope, Operation, Relayed, Schema, Transaction,
    Update,
};
pub use validators::{
    DEFAULT_EPOCH, MAX_EPOCH, Rules, SetRecord, ValidatorHistory, ValidatorKeys, Validators, policy_in_force,
    validator_set,
};
pub use voting::{Approval, Change, OnProposal, Proposal, Propose, VoteRule, Voters};

/// A transaction's bytes, at most (design §4).
pub const MAX_TRANSACTION_BYTES: usize = 32 * 1024;
/// Payloads nest at most: object, list of keys, key, JWK, and some room.
const LIMITS: Limits = Limits { bytes: MAX_TRANSACTION_BYTES, depth: 8 };
/// Keys a DID may ever have had by creation and updates: bounds what every reader of its history parses.
pub const MAX_KEYS: usize = 256;
/// Proofs of possession in one update: each costs a signature check on every node, and a service has a key or two.
pub const MAX_KEY_PROOFS: usize = 8;
/// Keys that one recovery may set: one of each use, and as many again.
pub const MAX_RECOVERED_KEYS: usize = 8;
/// Recoveries in a DID's life: their keys come on top of [`MAX_KEYS`].
pub const MAX_RECOVERIES: usize = 16;
/// Services a DID may ever have had.
pub const MAX_SERVICES: usize = 64;
/// Accreditations between a member and the genesis authority its chain ends in.
pub const MAX_CHAIN: u8 = 8;
/// Accreditations that one member may ever be given, of which a quarter, as of the next two limits, is for genesis
/// authorities alone: dozens are given over the years. `room.rs` says what each giver may take of it.
pub const MAX_GRANTS: usize = 256;
/// Bytes of JSON that these may come to when they are given: as [`MAX_DELEGATIONS_BYTES`].
pub const MAX_GRANTS_BYTES: usize = 512 * 1024;
/// Purposes in one tally, and so in the accreditations of one verifier: bounds what a month of tallies comes to, which
/// whoever reads one day of it parses.
pub const MAX_TALLIED_PURPOSES: usize = 128;
/// Digests that one credential type may ever have: a new one every month for twenty years. A quarter is for genesis
/// authorities alone.
pub const MAX_SCHEMA_DIGESTS: usize = 256;
/// Entries in each list of an accreditation.
pub const MAX_ACCREDITATION_ENTRIES: usize = 256;
/// Delegations that one duty number may ever have had.
pub const MAX_DELEGATIONS: usize = 256;
/// Bytes of JSON that the delegations of one duty number may ever come to: bounds what every reader of its history
/// parses, and leaves room for paths and endings in a state proof, which has 1 MiB. Some 1 KiB is usual for one.
pub const MAX_DELEGATIONS_BYTES: usize = 512 * 1024;
/// Members that a chain may ever have had: each vote looks at all of them.
pub const MAX_MEMBERS: usize = 1024;
/// Open proposals of one member.
pub const MAX_OPEN_PROPOSALS: usize = 8;
/// The furthest that a proposal's end may lie ahead: ninety days, in seconds.
pub const MAX_PROPOSAL_SECONDS: i64 = 90 * 24 * 60 * 60;
/// Longest period of an accreditation and the furthest its end may lie ahead: twenty years, in seconds.
pub const MAX_ACCREDITATION_SECONDS: i64 = 20 * 366 * 24 * 60 * 60;
