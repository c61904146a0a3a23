use ledger::batch::BatchTree;
use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::ed25519;
use ledger::policy::{Validator, ValidatorSet};
use ledger::sha256;
use ledger::tree::{leaf_hash, node_hash};

use super::*;

use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::registry::{Envelope, Operation, make_transaction};

const ORIGIN: &str = "xinfu/sample/0000";

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[seed; 32]).unwrap()
}

fn validator() -> Validator {
    let public = |seed| {
        let bytes: [u8; 32] = key(seed).public_key().bytes().try_into().unwrap();
        ed25519::PublicKey::from_bytes(&bytes).unwrap()
    };
    Validator::new(ORIGIN, "solo", public(1), public(2)).unwrap()
}

fn trust_root() -> TrustRoot {
    let set = ValidatorSet::new(ORIGIN, vec![validator()]).unwrap();
    TrustRoot::parse(&set.to_policy_text()).unwrap()
}

fn sender() -> Did {
    Did::xinfu("sample", b"sample payload").unwrap()
}

fn transaction(origin: &str, operation: &Operation) -> String {
    let envelope = Envelope { aud: origin.into(), seq: 1, exp: 9_999_999_999 };
    make_transaction(&envelope, operation, &sender(), "invoke-1", &key(3)).unwrap()
}

/// A proof of the second of three digests, in a log of two entries, the transaction first.
fn proof_of(transaction: &str, tree: &BatchTree) -> AnchorProof {
    let seal = leaf_hash(b"{}");
    let root = node_hash(&leaf_hash(transaction.as_bytes()), &seal);
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size: 2, root };
    let validator = validator();
    let signature = checkpoint.sign(&validator.log, |bytes| key(1).sign(bytes).unwrap()).unwrap();
    let cosignature = cosign(&checkpoint, &validator.witness, 1, |bytes| key(2).sign(bytes).unwrap()).unwrap();
    let note = checkpoint.to_note([signature, cosignature]).unwrap().to_string();
    let proof = LogProof { index: 0, path: vec![seal], note, extra: None }.to_string();
    let batch = BatchPath { index: 1, count: tree.count(), path: tree.path(1).unwrap() };
    AnchorProof { batch, transaction: transaction.to_owned(), proof }
}

fn digests() -> [Hash; 3] {
    [sha256(b"a"), sha256(b"b"), sha256(b"c")]
}

fn good() -> AnchorProof {
    let tree = BatchTree::new(&digests()).unwrap();
    let anchor = Anchor::new(AnchorKind::Credential, tree.root(), tree.count());
    proof_of(&transaction(ORIGIN, &Operation::Anchor(anchor)), &tree)
}

fn verify(proof: &AnchorProof) -> Result<AnchoredAt, AnchorError> {
    proof.verify(&digests()[1], AnchorKind::Credential, &trust_root())
}

#[test]
fn a_good_proof_says_when_and_who() {
    let bytes = serde_json::to_vec(&good()).unwrap();
    let anchored = verify(&AnchorProof::parse(&bytes).unwrap()).unwrap();
    assert_eq!((anchored.index(), anchored.sender(), anchored.key_id()), (0, &sender(), "invoke-1"));
    assert_eq!((anchored.kind(), anchored.checkpoint_size(), anchored.receipt()), (AnchorKind::Credential, 2, None));
}

#[test]
fn every_broken_link_is_named() {
    let with = |change: &dyn Fn(&mut AnchorProof)| {
        let mut proof = good();
        change(&mut proof);
        verify(&proof).unwrap_err()
    };
    assert_eq!(with(&|p| p.batch.index = 0), AnchorError::NotInBatch);
    assert_eq!(with(&|p| p.batch.count = 4), AnchorError::Count);
    assert_eq!(with(&|p| p.batch.path.clear()), AnchorError::NotInBatch);
    assert_eq!(with(&|p| p.transaction.clear()), AnchorError::NotAnAnchor);
    assert_eq!(with(&|p| p.transaction = transaction(ORIGIN, &Operation::Deactivate)), AnchorError::NotAnAnchor);
    assert_eq!(with(&|p| p.proof.clear()), AnchorError::LogProof);
    assert_eq!(with(&|p| p.proof = p.proof.replace("\n2\n", "\n3\n")), AnchorError::NotCertified);
    assert_eq!(with(&|p| p.proof = p.proof.replace("index 0", "index 1")), AnchorError::NotInLog);
    // Another transaction with the same root, never accepted by the ledger.
    let tree = BatchTree::new(&digests()).unwrap();
    let other = |kind, origin: &str| transaction(origin, &Operation::Anchor(Anchor::new(kind, tree.root(), 3)));
    let mut later = good();
    later.transaction = other(AnchorKind::Credential, ORIGIN);
    assert!(verify(&later).is_ok(), "EdDSA signatures are deterministic");
    assert_eq!(with(&|p| p.transaction = other(AnchorKind::Receipt, ORIGIN)), AnchorError::OtherKind);
    assert_eq!(with(&|p| p.transaction = other(AnchorKind::Credential, "xinfu/x/1")), AnchorError::OtherLedger);
    assert_eq!(good().verify(&sha256(b"z"), AnchorKind::Credential, &trust_root()), Err(AnchorError::NotInBatch));
}

#[test]
fn no_changed_byte_of_the_transaction_is_accepted() {
    let good = good();
    for place in 0..good.transaction.len() {
        let mut bytes = good.transaction.clone().into_bytes();
        bytes[place] ^= 1;
        let changed = AnchorProof { transaction: String::from_utf8(bytes).unwrap(), ..good.clone() };
        assert!(verify(&changed).is_err(), "byte {place}");
    }
}
