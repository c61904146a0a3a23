//! An act on the ledger: the answer of a [`Case`] with its receipt, one of a range on the log, and the bundles that show it
//! to anybody.

use std::collections::BTreeMap;

use anyhow::Context as _;
use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::bundle::{Bundle, Full};
use identity_core::oid4vp::SignedBy;
use identity_core::receipt::ChainHead;
use identity_core::registry::{Anchor, AnchorKind, Operation};
use ledger::batch::BatchTree;
use ledger::{Hash, TrustRoot, sha256};

use crate::case::Case;
use crate::standard::PRESENTED;

/// Receipts in a range that goes onto the ledger as one, and the place of ours in it, from 0.
pub(crate) const RANGE: usize = 64;
const PLACE: u64 = 31;

/// The head that our receipt follows.
pub(crate) fn before() -> ChainHead {
    ChainHead { seq: PLACE, digest: Some(digest_at(PLACE)) }
}

/// What stands at another place of the chain.
fn digest_at(seq: u64) -> Hash {
    sha256(&seq.to_be_bytes())
}

/// The files of one act.
pub(crate) struct Act {
    pub(crate) trust_root: TrustRoot,
    /// Names and digests only.
    pub(crate) plain: String,
    /// With the answer.
    pub(crate) full: String,
}

impl Act {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut case = Case::new()?;
        let key = case.asker.authenticator();
        let request = case.session.request_object(None, SignedBy::Key(case.key_name()), &key)?;
        let (receipt, _) = case.receipt(&case.verified()?, before(), &key)?;
        let receipt_proof = anchor(&mut case, &receipt)?;
        // What the ledger says of everybody is asked for later, under a checkpoint of its own.
        case.ledger.seal(PRESENTED.0 + 90);

        let trust_root = case.ledger.trust_root();
        let key_bindings = case.token.values().flatten().filter_map(|text| text.rsplit('~').next());
        let key_bindings: Vec<String> = key_bindings.map(str::to_owned).collect();
        let anchors = case.token.keys().map(|query| (query.clone(), vec![case.proof.clone()])).collect();
        let answer = Full::new(case.token.clone(), anchors, &trust_root);
        let file = |full: Option<Full>| {
            let proof = Some(receipt_proof.clone());
            whole(&case, Bundle::of(request.clone(), receipt.clone(), proof, key_bindings.clone(), full))
        };
        Ok(Self { plain: file(None)?, full: file(Some(answer))?, trust_root })
    }
}

/// The service brings the range onto the ledger that the receipt stands in.
fn anchor(case: &mut Case, receipt: &str) -> anyhow::Result<AnchorProof> {
    let last = u64::try_from(RANGE)?;
    let mine = sha256(receipt.as_bytes());
    let at = |seq: u64| if seq == PLACE + 1 { mine } else { digest_at(seq) };
    let tree = BatchTree::new(&(1..=last).map(at).collect::<Vec<_>>())?;
    let range = Anchor {
        first: Some(1),
        last: Some(last),
        head: Some(digest_at(last)),
        ..Anchor::new(AnchorKind::Receipt, tree.root(), tree.count())
    };
    let index = case.ledger.act(&case.asker, &Operation::Anchor(range));
    case.ledger.seal(PRESENTED.0 + 30);
    let path = tree.path(PLACE).context("the range is shorter")?;
    Ok(AnchorProof {
        batch: BatchPath { index: PLACE, count: tree.count(), path },
        transaction: case.ledger.leaf(index).to_owned(),
        proof: case.ledger.log_proof(index, PRESENTED.0 + 30),
    })
}

/// The file of a bundle with all that the ledger says for it.
fn whole(case: &Case, mut bundle: Bundle) -> anyhow::Result<String> {
    let trust_root = case.ledger.trust_root();
    let mut known = BTreeMap::new();
    loop {
        let missing = bundle.missing(&trust_root)?;
        if missing.is_empty() {
            return Ok(bundle.to_text());
        }
        for key in missing {
            anyhow::ensure!(known.insert(key.clone(), ()).is_none(), "the bundle wants {key} twice");
            bundle.add_state(case.ledger.state_proof(&key, PRESENTED.0 + 100));
        }
    }
}
