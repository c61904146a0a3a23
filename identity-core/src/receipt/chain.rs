//! Reading a chain of receipts from its beginning, and naming the first entry that is not as it was signed.
//!
//! What each fault is told by: a receipt that is gone, by the number that is missing; one that was changed, by the next,
//! which holds the digest of what it followed; two that changed places, by the numbers they carry; the last ones, by the
//! head that was kept apart, and by the ledger, which nobody can make forget.

use ledger::Hash;
use thiserror::Error;

use super::{ChainHead, Entry, ReceiptError, UnverifiedEntry};
use crate::did::Did;
use crate::problem::Code;
use crate::registry::DidHistory;

/// Where a chain of receipts is not as it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainFault {
    /// A receipt cannot be read, or is another service's.
    #[error("receipt {seq} cannot be read")]
    Unreadable {
        /// Its place.
        seq: u64,
    },
    /// A receipt is not signed by a key that the service had.
    #[error("receipt {seq} is not signed by the service")]
    Signature {
        /// Its place.
        seq: u64,
    },
    /// A receipt is missing.
    #[error("receipt {seq} is missing")]
    Gap {
        /// The first that is missing.
        seq: u64,
    },
    /// At a place stands a receipt that was signed for another.
    #[error("at the place of receipt {seq} stands another")]
    Misplaced {
        /// The place.
        seq: u64,
    },
    /// A receipt is not the one that was followed.
    #[error("receipt {seq} is not the one that was followed")]
    Altered {
        /// Its place.
        seq: u64,
    },
    /// The last ones are gone.
    #[error("the receipts from {seq} on are gone")]
    CutOff {
        /// The first that is gone.
        seq: u64,
    },
}

impl ChainFault {
    /// The place that it names.
    #[must_use]
    pub const fn seq(self) -> u64 {
        match self {
            Self::Unreadable { seq }
            | Self::Signature { seq }
            | Self::Gap { seq }
            | Self::Misplaced { seq }
            | Self::Altered { seq }
            | Self::CutOff { seq } => seq,
        }
    }

    /// The stable code of this fault.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::ReceiptMalformed,
            Self::Signature { .. } => Code::ReceiptSignature,
            Self::Gap { .. } => Code::ReceiptGap,
            Self::Misplaced { .. } => Code::ReceiptMisplaced,
            Self::Altered { .. } => Code::ReceiptAltered,
            Self::CutOff { .. } => Code::ReceiptCutOff,
        }
    }
}

/// A chain of receipts being read.
#[derive(Debug)]
pub struct Chain<'a> {
    service: &'a Did,
    /// Every key that the service ever had, if the ledger could be asked: a signature is by one of them.
    keys: Option<&'a DidHistory>,
    head: ChainHead,
}

impl<'a> Chain<'a> {
    /// A chain from its beginning.
    #[must_use]
    pub fn of(service: &'a Did, keys: Option<&'a DidHistory>) -> Self {
        Self { service, keys, head: ChainHead::default() }
    }

    /// A chain from the place behind `seq`. What stands there follows an entry that is not known here.
    #[must_use]
    pub fn following(service: &'a Did, keys: &'a DidHistory, seq: u64) -> Self {
        Self { service, keys: Some(keys), head: ChainHead { seq, digest: None } }
    }

    /// How far it was read.
    #[must_use]
    pub fn head(&self) -> ChainHead {
        self.head
    }

    /// Reads what stands at the place `seq`; the places come in ascending order.
    ///
    /// # Errors
    /// [`ChainFault`], naming the entry that is not as it was signed.
    pub fn read(&mut self, seq: u64, text: &str) -> Result<Entry, ChainFault> {
        let expected = self.head.seq.saturating_add(1);
        if seq != expected {
            return Err(ChainFault::Gap { seq: expected });
        }
        let unreadable = |_: ReceiptError| ChainFault::Unreadable { seq };
        let parsed = UnverifiedEntry::parse(text).map_err(unreadable)?;
        if parsed.service() != self.service {
            return Err(ChainFault::Unreadable { seq });
        }
        // First of all: what a forgery says of its neighbours must accuse none of them.
        if self.keys.is_some_and(|history| !parsed.is_by_any_key_of(history)) {
            return Err(ChainFault::Signature { seq });
        }
        let entry = parsed.into_dangerous_claims();
        if entry.seq() != seq {
            return Err(ChainFault::Misplaced { seq });
        }
        let is_known = self.head.digest.is_some() || self.head.seq == 0;
        if is_known && !entry.follows(self.head) {
            return Err(ChainFault::Altered { seq: self.head.seq });
        }
        self.head = ChainHead::after(seq, text);
        Ok(entry)
    }

    /// Compares with what was kept apart: the service's own note of its last receipt.
    ///
    /// # Errors
    /// [`ChainFault::CutOff`], [`ChainFault::Altered`].
    pub fn ends_at(&self, noted: ChainHead) -> Result<(), ChainFault> {
        if noted.seq > self.head.seq {
            return Err(ChainFault::CutOff { seq: self.head.seq.saturating_add(1) });
        }
        if noted == self.head { Ok(()) } else { Err(ChainFault::Altered { seq: self.head.seq }) }
    }
}

/// Compares a chain that was read with what the ledger has of it: `digest_at` is the digest of the chain's receipt at a
/// place.
///
/// # Errors
/// [`ChainFault::CutOff`], if the ledger has more than the chain; [`ChainFault::Altered`], if it has another.
pub fn agrees_with_ledger(
    read: ChainHead,
    ledger: ChainHead,
    digest_at: impl FnOnce(u64) -> Option<Hash>,
) -> Result<(), ChainFault> {
    if ledger.seq > read.seq {
        return Err(ChainFault::CutOff { seq: read.seq.saturating_add(1) });
    }
    if ledger.seq == 0 || digest_at(ledger.seq) == ledger.digest {
        return Ok(());
    }
    Err(ChainFault::Altered { seq: ledger.seq })
}
