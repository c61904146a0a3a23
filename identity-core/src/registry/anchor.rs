//! The `anchor` operation: a Merkle root over a batch of digests.

use ledger::Hash;
use serde::{Deserialize, Serialize};

/// Digests in one batch, at most (design §4).
pub(super) const MAX_BATCH: u64 = 65_536;

/// What the digests of a batch are digests of. A proof counts only for its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorKind {
    /// Issuer-signed JWTs of credentials.
    Credential,
    /// Sharing receipts.
    Receipt,
    /// Status list tokens.
    StatusList,
    /// Digests of others.
    Notarised,
}

/// The operation's members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// What the digests are of.
    pub kind: AnchorKind,
    /// RFC 6962 root over the batch, base64url.
    pub root: Hash,
    /// Leaves of the batch, 1 to 65,536.
    pub count: u64,
    /// Receipts only: the number of the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// Receipts only: the number of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// Receipts only: digest of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Hash>,
}

/// Value under `receipts/<did>`: how far the ledger has a member's chain of receipts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchoredReceipts {
    /// Place of the last one anchored; 0 before the first.
    pub last: u64,
    /// Its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Hash>,
}

impl Anchor {
    /// An anchor of anything but receipts.
    #[must_use]
    pub fn new(kind: AnchorKind, root: Hash, count: u64) -> Self {
        Self { kind, root, count, first: None, last: None, head: None }
    }
}
