//! What the holder signed as an official, as the account has it.

use super::{Entry, Holdings, HoldingsError};
use crate::{duty::Word, order::Deed};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

/// What the holder signed as an official.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// When, in seconds.
    pub time: i64,
    /// The department's DID.
    pub department: String,
    /// The attestation that was signed.
    pub signed: String,
    /// What it says, as it was shown.
    pub word: Word,
}

/// What an official ordered of their department as an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// When, in seconds.
    pub time: i64,
    /// The department's DID.
    pub department: String,
    /// The order that was signed.
    pub signed: String,
    /// What it says, as it was shown.
    pub deed: Deed,
}

impl Holdings {
    /// Stores what an official signs, before it leaves the wallet.
    ///
    /// # Errors
    /// As [`Vault::append`](crate::vault::Vault::append); then nothing may leave.
    pub fn add_approval(&mut self, approval: Approval, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        self.add(Entry::Approval(approval), rng)
    }

    /// Stores what an official orders, before it leaves the wallet.
    ///
    /// # Errors
    /// As [`Vault::append`](crate::vault::Vault::append); then nothing may leave.
    pub fn add_order(&mut self, ordered: Ordered, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        self.add(Entry::Order(ordered), rng)
    }

    /// What was ordered as an official, oldest first.
    pub fn orders(&self) -> impl Iterator<Item = &Ordered> {
        self.orders.iter()
    }

    /// What was signed for as an official, oldest first.
    pub fn approvals(&self) -> impl Iterator<Item = &Approval> {
        self.approvals.iter()
    }
}
