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
//! knows while the receipt waits; the same histories tell how everybody stood at any other moment before the bundle was made
//! ([`Bundle::check_at`]). Without [`Full`] a bundle holds names and digests, and no claim value but those that the
//! question itself named.
//!
//! # What this does not check
//! Whether the credential was in force: status lists are not kept. Whether the service answered others likewise: that
//! is an audit's question, over all its receipts.

mod ahead;
mod chain;
mod check;
mod error;
mod holder;
mod past;
mod request;
mod states;
#[cfg(test)]
mod tests;
mod withdrawn;

use std::collections::BTreeMap;

use ledger::{PastMoment, StateProof, TrustRoot, sha256};
use serde::{Deserialize, Serialize};

use crate::anchor::AnchorProof;
use crate::encoding::digested::{self, Damage};
use crate::encoding::json::{self, Limits};
use crate::registry::AnchorKind;

pub use chain::{Link, Named};
pub use check::{Checked, Moment};
pub use error::BundleError;
pub use holder::Holder;
pub use past::{Change, Lack, Standing, Stood, Then, What, Who};
pub use withdrawn::{Acknowledged, Notarised, TakenBack, Withdrawn};

/// The name of this format, in the file.
pub const FORMAT: &str = "xinfu-evidence-1";
/// The largest bundle read, in bytes. One of a short chain has some 60 KiB; histories grow with a department's age, to a
/// megabyte each at most, and a chain of accreditations has a few.
pub const MAX_BUNDLE_BYTES: usize = 8 * 1024 * 1024;
/// The file, a list, a proof, its path, the list of siblings, and some room.
const LIMITS: Limits = Limits { bytes: MAX_BUNDLE_BYTES, depth: 8 };
/// How far the clocks of a service and of the validators may differ, in seconds.
const LEEWAY: i64 = 300;

/// The evidence of one act. Nothing in it is believed before [`Self::check`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// That the holder took the sharing back, and what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawal: Option<TakenBack>,
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

/// A question may name values, and an answer has them: of neither anything is shown.
impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.states.iter().map(|proof| &proof.key).collect::<Vec<_>>();
        let anchored = self.receipt_proof.is_some();
        f.debug_struct("Bundle")
            .field("states", &keys)
            .field("anchored", &anchored)
            .field("full", &self.full)
            .field("withdrawn", &self.withdrawal.is_some())
            .finish_non_exhaustive()
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
        let (format, states, withdrawal) = (FORMAT.to_owned(), Vec::new(), None);
        Self { format, request, receipt, receipt_proof, states, key_bindings, full, withdrawal }
    }

    /// The same where the holder took the sharing back.
    #[must_use]
    pub fn with_withdrawal(self, withdrawal: TakenBack) -> Self {
        Self { withdrawal: Some(withdrawal), ..self }
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

    /// Whether it holds the answer.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full.is_some()
    }

    /// Whether it holds claim values: an answer, or a question that names those it looks for.
    #[must_use]
    pub fn has_values(&self) -> bool {
        self.is_full() || request::names_values(&self.request)
    }

    /// The file: one JSON object that ends with the digest of everything before it.
    ///
    /// The digest shows a file that was damaged. It proves nothing: the signatures do.
    #[must_use]
    pub fn to_text(&self) -> String {
        // A struct of texts and numbers cannot fail to be written.
        digested::close(serde_json::to_string(self).unwrap_or_default())
    }

    /// Parses a file.
    ///
    /// # Errors
    /// [`BundleError::Malformed`]; [`BundleError::Changed`] if it is not the file that was written.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let text = digested::open(bytes, MAX_BUNDLE_BYTES).map_err(|damage| match damage {
            Damage::Malformed => BundleError::Malformed,
            Damage::Changed => BundleError::Changed,
        })?;
        let bundle: Self = json::read(text.as_bytes(), LIMITS).map_err(|_| BundleError::Malformed)?;
        let is_whole = bundle.withdrawal.as_ref().is_none_or(TakenBack::is_whole);
        if bundle.format == FORMAT && is_whole { Ok(bundle) } else { Err(BundleError::Malformed) }
    }

    /// Checks that everything in it holds under `trust_root`, as of the moment of the act. Pure: the same bytes give the
    /// same answer, today and in ten years.
    ///
    /// # Errors
    /// [`BundleError`], by the first thing that does not hold.
    pub fn check(&self, trust_root: &TrustRoot) -> Result<Checked, BundleError> {
        check::check(self, trust_root)
    }

    /// As [`Self::check`]; and how those whom the bundle names stood at `moment`, verified under the same trust root, and
    /// what changed since.
    ///
    /// # Errors
    /// As [`Self::check`]; [`BundleError::BehindMoment`] if the bundle was made before that moment.
    pub fn check_at(&self, trust_root: &TrustRoot, moment: &PastMoment) -> Result<(Checked, Stood), BundleError> {
        check::check_at(self, trust_root, moment)
    }
}
