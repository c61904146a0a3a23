//! What a service's chain is made of: a receipt for each answer, and an acknowledgement for each withdrawal.
//!
//! Both have their place in the one chain, so that neither can be left out or said later to have been something else.

use super::{ChainHead, Receipt, ReceiptError, UnverifiedReceipt};
use crate::did::Did;
use crate::jose::{UnverifiedJws, typ};
use crate::registry::DidHistory;
use crate::time::UnixSeconds;
use crate::withdrawal::{Acknowledgement, UnverifiedAcknowledgement};

/// An entry of a chain, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// What the service did with an answer.
    Receipt(Receipt),
    /// What it did upon a withdrawal.
    Acknowledgement(Acknowledgement),
}

impl Entry {
    /// Its place in the chain, from 1.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match self {
            Self::Receipt(receipt) => receipt.seq,
            Self::Acknowledgement(acknowledgement) => acknowledgement.seq,
        }
    }

    /// When it was made, by the service's clock.
    #[must_use]
    pub fn at(&self) -> UnixSeconds {
        match self {
            Self::Receipt(receipt) => receipt.iat,
            Self::Acknowledgement(acknowledgement) => acknowledgement.iat,
        }
    }

    /// The purpose of an answer that was accepted; none of every other entry.
    #[must_use]
    pub fn accepted_for(&self) -> Option<&str> {
        match self {
            Self::Receipt(receipt) if receipt.is_accepted() => Some(&receipt.purpose),
            Self::Receipt(_) | Self::Acknowledgement(_) => None,
        }
    }

    /// Whether it follows `head`.
    #[must_use]
    pub fn follows(&self, head: ChainHead) -> bool {
        let previous = match self {
            Self::Receipt(receipt) => receipt.previous,
            Self::Acknowledgement(acknowledgement) => acknowledgement.previous,
        };
        Some(self.seq()) == head.seq.checked_add(1) && previous == head.digest
    }
}

/// An entry as it travelled; only its form was looked at. The `typ` says which kind it is.
#[derive(Debug, Clone)]
pub enum UnverifiedEntry<'a> {
    /// A receipt.
    Receipt(UnverifiedReceipt<'a>),
    /// An acknowledgement.
    Acknowledgement(UnverifiedAcknowledgement<'a>),
}

impl<'a> UnverifiedEntry<'a> {
    /// Parses an entry of a chain.
    ///
    /// # Errors
    /// [`ReceiptError::Malformed`].
    pub fn parse(text: &'a str) -> Result<Self, ReceiptError> {
        let malformed = |_| ReceiptError::Malformed;
        let jws = UnverifiedJws::parse_limited(text, super::MAX_RECEIPT_BYTES).map_err(malformed)?;
        match jws.header().typ() {
            Some(typ::RECEIPT) => UnverifiedReceipt::parse(text).map(Self::Receipt),
            Some(typ::WITHDRAWAL_ACK) => {
                let parsed = UnverifiedAcknowledgement::parse(text).map_err(|_| ReceiptError::Malformed)?;
                Ok(Self::Acknowledgement(parsed))
            }
            _ => Err(ReceiptError::Malformed),
        }
    }

    /// The service that it claims to be by.
    #[must_use]
    pub fn service(&self) -> &Did {
        match self {
            Self::Receipt(receipt) => receipt.service(),
            Self::Acknowledgement(acknowledgement) => acknowledgement.service(),
        }
    }

    /// What it claims to say: for finding what it is about, and for nothing that rests on it.
    #[must_use]
    pub fn into_dangerous_claims(self) -> Entry {
        match self {
            Self::Receipt(receipt) => Entry::Receipt(receipt.into_dangerous_claims()),
            Self::Acknowledgement(acknowledgement) => Entry::Acknowledgement(acknowledgement.into_dangerous_claims()),
        }
    }

    /// Whether it is signed by the key it names, if that was ever an authentication key of this service.
    pub(super) fn is_by_any_key_of(&self, history: &DidHistory) -> bool {
        match self {
            Self::Receipt(receipt) => receipt.is_by_any_key_of(history),
            Self::Acknowledgement(acknowledgement) => acknowledgement.is_by_any_key_of(history),
        }
    }
}
