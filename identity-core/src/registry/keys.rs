//! Keys as they stand in a DID's creation and updates.

use serde::{Deserialize, Serialize};

use super::Refused;
use crate::jose::Jwk;

/// What a key may sign. A key has exactly one use, so that a stolen one harms one thing (design §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyUse {
    /// Credentials and status lists.
    #[serde(rename = "assertionMethod")]
    AssertionMethod,
    /// Request objects, receipts and withdrawal acknowledgements.
    #[serde(rename = "authentication")]
    Authentication,
    /// Ledger transactions.
    #[serde(rename = "capabilityInvocation")]
    CapabilityInvocation,
    /// A node's own key: `relay` and `notarised` anchors only.
    #[serde(rename = "relay")]
    Relay,
}

/// One key to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// Fragment of the key's DID URL.
    pub id: String,
    /// The public key.
    pub jwk: Jwk,
    /// Exactly one use; an array on the wire because DID documents list relationships.
    #[serde(rename = "use")]
    pub uses: Vec<KeyUse>,
}

impl KeyEntry {
    /// A key with its single use.
    #[must_use]
    pub fn new(id: &str, jwk: Jwk, key_use: KeyUse) -> Self {
        Self { id: id.to_owned(), jwk, uses: vec![key_use] }
    }

    /// The key's one use.
    ///
    /// # Errors
    /// [`Refused::KeyMalformed`] when the entry has none, several, or an id that is not a fragment of ours.
    pub fn check(&self) -> Result<KeyUse, Refused> {
        if !is_fragment(&self.id) {
            return Err(Refused::KeyMalformed("id"));
        }
        match self.uses.as_slice() {
            [one] => Ok(*one),
            _ => Err(Refused::KeyMalformed("use")),
        }
    }
}

/// `[A-Za-z0-9._-]{1,64}`: safe in a URL, a path, a log line and a terminal.
pub(super) fn is_fragment(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
