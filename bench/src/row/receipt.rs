//! P29: what a receipt adds to a verification that has accepted the answer.

use std::hint::black_box;

use identity_core::crypto::SecretKey;
use identity_core::receipt::ChainHead;
use identity_core::verdict::Verified;
use ledger::batch::BatchTree;
use ledger::{Hash, sha256};

use super::{Row, Target};
use crate::act::{RANGE, before};
use crate::case::Case;
use crate::contest;
use crate::limit::SignatureLimit;

/// P29: the receipt, from the verdict and the answer to its leaf in the range that is anchored, against one signature over
/// the same bytes. What the store does with it is not in the row: it stands in the batch that is written anyway.
pub(super) fn added(rounds: u32) -> anyhow::Result<Row> {
    let case = Case::new()?;
    let verified = case.verified()?;
    let mut chain = Chain { key: case.asker.authenticator(), head: before(), range: Vec::new() };
    let limit = SignatureLimit::of(&chain.add(&case, &verified)?)?;
    let ours = || {
        black_box(chain.add(&case, black_box(&verified)).is_ok());
    };
    Ok(Row {
        id: "P29",
        what: "receipt added to a verification: 1 sign",
        outcome: contest::hold(rounds, ours, || limit.run()),
        target: Target::CostAtMost(2.0),
        last_target: Target::CostAtMost(2.0),
    })
}

/// The service's chain, and the digests of the range that goes onto the ledger next.
struct Chain {
    key: SecretKey,
    head: ChainHead,
    range: Vec<Hash>,
}

impl Chain {
    /// One more receipt; with the last of a range its tree.
    fn add(&mut self, case: &Case, verified: &Verified) -> anyhow::Result<String> {
        let (text, head) = case.receipt(verified, self.head, &self.key)?;
        self.head = head;
        // Read back from the store, so hashed again.
        self.range.push(sha256(text.as_bytes()));
        if self.range.len() == RANGE {
            black_box(BatchTree::new(&self.range)?.root());
            self.range.clear();
        }
        Ok(text)
    }
}
