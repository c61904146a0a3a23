//! The store port: a small ordered key-value store with atomic, durable batches.
//!
//! A service says everything it must not lose as one [`Batch`]: what must be true beforehand
//! ([`Batch::require_absent`], [`Batch::require_equals`]) and what is written. Preconditions and writes hold all
//! or none, and when [`Store::commit`] answers `Ok` they survive a power cut. That is enough to take a code once,
//! to allocate an index once, and to resume after a crash anywhere.
//!
//! Keys are plain bytes in one ordered space; services name areas by prefix (`offer/…`, `nonce/…`). Nothing here
//! knows what a value means, and no error text carries a value.
//!
//! Implementations: [`memory`] (strictest, for tests and throw-away worlds), [`redb`] (on disk), and
//! with the feature of its name `sled` (on disk, not durable on power loss); [`choice`] opens what is configured, and
//! [`migrate`] moves data from one into the other. [`contract`] is the suite that all of them pass; [`faulty`] breaks writes
//! on purpose.

mod batch;
pub mod choice;
pub mod closable;
#[cfg(any(test, feature = "testing"))]
pub mod contract;
#[cfg(any(test, feature = "testing"))]
pub mod faulty;
pub mod memory;
pub mod migrate;
pub mod place;
mod range;
pub mod redb;
#[cfg(feature = "sled")]
pub mod sled;

use std::{future::Future, pin::Pin};

use identity_core::problem::Code;

pub use batch::{Batch, MAX_BATCH_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES, Precondition, Write};
pub use range::Range;

/// A key with its value, as [`Store::scan`] lists them.
pub type Entry = (Vec<u8>, Vec<u8>);

/// A store call under way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What a service needs of a store.
///
/// # Contract
/// - A `get` or `scan` that starts after a `commit` answered `Ok` sees that commit.
/// - Commits are atomic and happen in one order; a batch sees all commits before it and none after.
/// - `commit` answering `Ok` means durable. [`StoreError::Precondition`], [`StoreError::Misused`] and
///   [`StoreError::Full`] mean nothing of the batch was written. [`StoreError::Broken`] means *unknown*: the batch
///   may be there or not, whole either way, so callers must be able to repeat themselves.
/// - What a read answers is durable, so reading tells how an unknown commit ended. A store that does not know that of what
///   it has, after a sync that failed, answers [`StoreError::Broken`] to reads too.
/// - Futures need no particular runtime; blocking work happens on the store's own thread.
pub trait Store: Send + Sync {
    /// The value at `key`, if any.
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>>;

    /// Up to `limit` entries of `range`, in its order.
    fn scan(&self, range: Range, limit: usize) -> Answer<'_, Vec<Entry>>;

    /// Applies `batch` if its preconditions hold: all or none, durable on `Ok`.
    fn commit(&self, batch: Batch) -> Answer<'_, ()>;
}

/// Why a store call failed. No variant carries a value; keys stay out of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A precondition did not hold; nothing was written.
    #[error("precondition {which} of the batch does not hold")]
    Precondition {
        /// Place of the precondition in the batch, counted from 0 in the order they were required.
        which: usize,
        /// The key it spoke of.
        key: Vec<u8>,
    },
    /// No space left; nothing was written. The same call succeeds once there is space.
    #[error("the disk is full")]
    Full,
    /// The bytes on disk are not what was written.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// Reading or writing failed; the outcome of a commit is unknown.
    #[error("the store cannot be read or written: {0}")]
    Broken(String),
    /// The caller broke a rule of the port: a mistake in our code.
    #[error("the store was misused: {0}")]
    Misused(&'static str),
}

impl StoreError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Precondition { .. } => Code::StoreConflict,
            Self::Full => Code::StoreFull,
            Self::Corrupt(_) => Code::StoreCorrupt,
            Self::Broken(_) => Code::StoreBroken,
            Self::Misused(_) => Code::StoreMisused,
        }
    }

    /// True when the batch lost a race or a thing was taken already: an answer, not a fault.
    #[must_use]
    pub fn is_precondition(&self) -> bool {
        matches!(self, Self::Precondition { .. })
    }
}
