//! Evidence bundles: one file with which anybody checks one act offline, years on, under a trust root of their own.
//!
//! ```text
//!  Bundle::of(request, receipt, …) ── missing(trust_root) ──▶ state keys ──▶ (the caller fetches) ── add_state ─┐
//!        ▲                                                                                                      │
//!        └──────────────────────────────────────── until nothing is missing ◀───────────────────────────────────┘
//!  to_text ──▶ file ──▶ parse ──▶ check(trust_root) ──▶ Checked: who, under which duty, on whose word, what for, when
//! ```
//!
//! Everything is read as of one log index: that at which the ledger took the receipt, or the newest that the bundle
//! knows while the receipt waits. Without [`Full`] a bundle holds names and digests, and no claim value.
//!
//! # What this does not check
//! Whether the credential was in force: status lists are not kept. Whether the service answered others likewise: that
//! is an audit's question, over all its receipts.

mod chain;
mod check;
mod error;
mod holder;
mod request;
mod states;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ledger::{Hash, StateProof, TrustRoot, sha256};
use serde::{Deserialize, Serialize};

use crate::anchor::AnchorProof;
use crate::encoding::json::{self, Limits};
use crate::registry::AnchorKind;

pub use chain::{Link, Named};
pub use check::{Checked, Moment};
pub use error::BundleError;
pub use holder::Holder;

/// The name of this format, in the file.
pub const FORMAT: &str = "xinfu-evidence-1";
/// The largest bundle read, in bytes. One of a short chain has some 60 KiB; histories grow with a department's age, to a
/// megabyte each at most, and a chain of accreditations has a few.
pub const MAX_BUNDLE_BYTES: usize = 8 * 1024 * 1024;
/// The file, a list, a proof, its path, the list of siblings, and some room.
const LIMITS: Limits = Limits { bytes: MAX_BUNDLE_BYTES, depth: 8 };
/// What stands before the digest that ends a file.
const DIGEST_MEMBER: &str = r#","sha256":""#;

/// The evidence of one act. Nothing in it is believed before [`Self::check`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    format: String,
    /// The request object, as the service signed it.
    request: String,
    /// The service's receipt.
    receipt: String,
    /// That the ledger has the receipt; absent while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt_proof: Option<AnchorProof>,
    /// What the ledger holds about everybody in the chain of responsibility.
    states: Vec<StateProof>,
    /// The holder's KB-JWTs, by query id and in the order of the answer; none where they are not kept any more.
    key_bindings: Vec<String>,
    /// The answer itself, with claim values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    full: Option<Full>,
}

/// An answer as it travelled: the only part with claim values.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Full {
    /// Presentations by query id.
    pub vp_token: BTreeMap<String, Vec<String>>,
    /// Anchor proofs of the credentials, in the same order; none where the holder had none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub anchors: BTreeMap<String, Vec<AnchorProof>>,
}

impl Full {
    /// An answer with those anchor proofs that hold under `trust_root`; a query of which one does not goes without.
    #[must_use]
    pub fn new(
        vp_token: BTreeMap<String, Vec<String>>,
        mut anchors: BTreeMap<String, Vec<AnchorProof>>,
        trust_root: &TrustRoot,
    ) -> Self {
        let digest = |text: &String| sha256(text.split('~').next().unwrap_or_default().as_bytes());
        let holds = |(text, proof): (&String, &AnchorProof)| {
            proof.verify(&digest(text), AnchorKind::Credential, trust_root).is_ok()
        };
        anchors.retain(|query, proofs| {
            let texts = vp_token.get(query).map(Vec::as_slice).unwrap_or_default();
            texts.len() == proofs.len() && texts.iter().zip(proofs.iter()).all(holds)
        });
        Self { vp_token, anchors }
    }
}

impl std::fmt::Debug for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Full({} withheld)", self.vp_token.len())
    }
}

impl Bundle {
    /// A bundle over one act, with no word of the ledger's yet: [`Self::missing`] says what is wanted.
    #[must_use]
    pub fn of(
        request: String,
        receipt: String,
        receipt_proof: Option<AnchorProof>,
        key_bindings: Vec<String>,
        full: Option<Full>,
    ) -> Self {
        Self { format: FORMAT.to_owned(), request, receipt, receipt_proof, states: Vec::new(), key_bindings, full }
    }

    /// Keys of the state whose proofs are wanted next; none once the bundle is whole. Whoever accredited whom is only
    /// known once their histories are here, so ask again after each round.
    ///
    /// # Errors
    /// [`BundleError`]: the bundle does not hold anyway.
    pub fn missing(&self, trust_root: &TrustRoot) -> Result<Vec<String>, BundleError> {
        check::missing(self, trust_root)
    }

    /// Takes in a state proof, in place of an earlier one of the same key.
    pub fn add_state(&mut self, proof: StateProof) {
        self.states.retain(|known| known.key != proof.key);
        self.states.push(proof);
    }

    /// Whether it holds claim values.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full.is_some()
    }

    /// The file: one JSON object that ends with the digest of everything before it.
    ///
    /// The digest shows a file that was damaged. It proves nothing: the signatures do.
    #[must_use]
    pub fn to_text(&self) -> String {
        // A struct of texts and numbers cannot fail to be written.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.pop();
        let digest = sha256(text.as_bytes()).to_base64url();
        format!("{text}{DIGEST_MEMBER}{digest}\"}}\n")
    }

    /// Parses a file.
    ///
    /// # Errors
    /// [`BundleError::Malformed`]; [`BundleError::Changed`] if it is not the file that was written.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::Malformed);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BundleError::Malformed)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let (said, digest) = text.rsplit_once(DIGEST_MEMBER).ok_or(BundleError::Malformed)?;
        let digest = digest.strip_suffix("\"}").and_then(|digest| Hash::from_base64url(digest).ok());
        if digest.ok_or(BundleError::Malformed)? != sha256(said.as_bytes()) {
            return Err(BundleError::Changed);
        }
        let bundle: Self = json::read(format!("{said}}}").as_bytes(), LIMITS).map_err(|_| BundleError::Malformed)?;
        if bundle.format == FORMAT { Ok(bundle) } else { Err(BundleError::Malformed) }
    }

    /// Checks that everything in it holds under `trust_root`, as of the moment of the act. Pure: the same bytes give the
    /// same answer, today and in ten years.
    ///
    /// # Errors
    /// [`BundleError`], by the first thing that does not hold.
    pub fn check(&self, trust_root: &TrustRoot) -> Result<Checked, BundleError> {
        check::check(self, trust_root)
    }
}
