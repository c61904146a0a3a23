//! What a verifier demands.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Hash, sha256};

use super::Freshness;
use crate::kb_jwt::Window;
use crate::sd_jwt_vc::{TypeError, TypeMetadata};

/// What a verifier demands. Whom it trusts stands in the trust root, with which evidence is prepared.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How old evidence from the ledger may be.
    pub evidence: Freshness,
    /// How old a holder's signature may be, and how far clocks may differ.
    pub holder: Window,
    /// How far clocks may differ when a credential's own dates are read, in seconds.
    pub leeway: i64,
    /// Whether every credential must come with an anchor proof.
    pub anchor: AnchorRule,
    /// What an undetermined status means, unless the purpose has its own rule.
    pub undetermined: OnUndetermined,
    /// What an undetermined status means for single purposes.
    pub undetermined_for: BTreeMap<String, OnUndetermined>,
    /// The credential types that are understood; all others are refused.
    pub types: Vec<AcceptedType>,
}

/// Whether an anchor proof must come along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorRule {
    /// Refused without.
    Required,
    /// Without, the credential's key must still be current.
    Optional,
}

/// What an undetermined status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUndetermined {
    /// Accepted, and said so in the verdict.
    Accept,
    /// Refused, and never called revoked.
    Refuse,
}

/// A credential type that a verifier understands: one version of its metadata.
#[derive(Clone, Debug)]
pub struct AcceptedType {
    pub(super) metadata: TypeMetadata,
    /// As it was read: credentials may state a digest of it by a hash of their choice.
    pub(super) document: Arc<[u8]>,
    pub(super) digest: Hash,
}

impl AcceptedType {
    /// Reads metadata of a type that extends none. Its digest, of these very bytes, is what the ledger must have
    /// registered.
    ///
    /// # Errors
    /// [`TypeError`].
    pub fn parse(metadata: &[u8]) -> Result<Self, TypeError> {
        Self::extending(metadata, &[])
    }

    /// Reads metadata of a type that may extend those of `bases`, with their rules. Each must state the digest of
    /// what it extends, so that the one digest on the ledger covers them all. What a type extends gives it no
    /// authority: accreditation, registration and queries go by its own name.
    ///
    /// # Errors
    /// [`TypeError`].
    pub fn extending(metadata: &[u8], bases: &[&[u8]]) -> Result<Self, TypeError> {
        let document = Arc::from(metadata);
        Ok(Self { metadata: TypeMetadata::assemble_pinned(metadata, bases)?, document, digest: sha256(metadata) })
    }
}

impl Policy {
    /// What an undetermined status means for `purpose`.
    #[must_use]
    pub fn on_undetermined(&self, purpose: Option<&str>) -> OnUndetermined {
        purpose.and_then(|purpose| self.undetermined_for.get(purpose)).copied().unwrap_or(self.undetermined)
    }
}
