//! Receipts reach the ledger once, whatever fails on the way; and the audit knows whether they did.

use std::sync::Arc;

use actix_web::test::TestRequest;
use identity_core::anchor::AnchorProof;
use identity_core::did::Did;
use identity_core::problem::Lang;
use identity_core::receipt::{ChainFault, ChainHead};
use identity_core::registry::{Anchor, AnchorKind, GenesisValidator, Operation};
use identity_core::sample::ledger::validator;
use identity_core::sample::world::NOW;
use ledger::{Hash, sha256};
use service_kit::anchoring::RENEW_AGAIN;
use service_kit::clock::Clock as _;
use service_kit::messages::Catalogue;
use service_kit::store::faulty::{Fault, FaultyStore};
use service_kit::store::memory::MemoryStore;
use service_kit::store::{Batch, Range, Store};

use super::node::{Mood, SampleNode, beside_a_ledger};
use super::world::{Answered, Bench, settled};
use crate::flow::receipt_audit::{ReceiptsRead, Unasked, ask, read};
use crate::job::anchor::{RoundFailure, all, round, waiting};
use crate::store::VerifierStore;

/// A service whose ledger takes transactions.
struct Scene {
    bench: Bench,
    node: Arc<SampleNode>,
    store: Arc<FaultyStore>,
}

impl Scene {
    async fn new() -> Self {
        let (bench, node, store) = beside_a_ledger().await;
        Self { bench, node, store }
    }

    /// A service with so many receipts, and their digests.
    async fn with(receipts: usize) -> (Self, Vec<Hash>) {
        let scene = Self::new().await;
        let mut digests = Vec::new();
        for _ in 0..receipts {
            digests.push(scene.answered().await);
        }
        (scene, digests)
    }

    /// Processes one more answer; gives the digest of its receipt.
    async fn answered(&self) -> Hash {
        let request = self.bench.ask("strict").await;
        let answered = self.bench.answer(&request, &self.bench.honest(&request)).await;
        sha256(answered.body["xinfu_receipt"].as_str().expect("a receipt").as_bytes())
    }

    async fn round(&self) -> Result<bool, RoundFailure> {
        round(&self.bench.verifier, self.bench.verifier.receipts.submitter.as_ref().unwrap()).await
    }

    async fn all(&self) -> Result<(), RoundFailure> {
        all(&self.bench.verifier, self.bench.verifier.receipts.submitter.as_ref().unwrap()).await
    }

    async fn settle(&self) -> usize {
        settled(async || self.round().await).await
    }

    async fn get(&self, digest: &Hash) -> Answered {
        let uri = format!("/receipts/{}", digest.to_base64url());
        self.bench.call(TestRequest::get().uri(&uri)).await
    }

    /// Each has a proof that holds under the validators in force, in the place of its number.
    async fn assert_proven(&self, digests: &[Hash]) {
        let trust_root = self.bench.verifier.evidence.trust_root();
        for (place, digest) in (1..).zip(digests) {
            let answered = self.get(digest).await;
            assert_eq!(answered.status, 200, "{answered:?}");
            let proof = AnchorProof::from_value(&answered.body).unwrap();
            let anchored = proof.verify(digest, AnchorKind::Receipt, &trust_root).unwrap();
            assert_eq!((anchored.sender(), anchored.receipt()), (&self.service(), Some(place)));
        }
    }

    fn service(&self) -> Did {
        self.bench.world.asker.did()
    }

    /// What the audit says of the receipts after a change of a copy of the data.
    async fn audited(&self, change: Batch) -> Result<ReceiptsRead, ChainFault> {
        let copy = Arc::new(MemoryStore::new());
        let entries = self.store.scan(Range::all(), usize::MAX).await.unwrap();
        let copied = entries.into_iter().fold(Batch::new(), |batch, (key, value)| batch.put(key, value));
        copy.commit(copied).await.unwrap();
        copy.commit(change).await.unwrap();
        let store = VerifierStore::new(copy, self.bench.clock.clone(), 3600, 3600);
        let view = ask(self.bench.verifier.evidence.ledger(), &self.service()).await;
        read(&store, &self.service(), view, self.bench.clock.now()).await.unwrap()
    }
}

fn receipt_key(seq: u64) -> String {
    format!("receipt/{seq:020}")
}

#[actix_web::test]
async fn a_proof_is_waited_for_and_then_served() {
    let (scene, mut digests) = Scene::with(3).await;
    let waiting = scene.get(&digests[0]).await;
    assert_eq!((waiting.status, waiting.code()), (503, "receipt.waiting"));
    assert_eq!(scene.settle().await, 0);
    scene.assert_proven(&digests).await;
    digests.push(scene.answered().await);
    assert_eq!(scene.settle().await, 0);
    scene.assert_proven(&digests).await;
    assert_eq!((scene.node.taken(), scene.node.sent().len()), (2, 2), "those that wait together share a transaction");
    assert_eq!(scene.get(&sha256(b"another")).await.code(), "receipt.unknown");
}

#[actix_web::test]
async fn every_write_may_break_at_every_step_and_a_restart_goes_on() {
    for fault in Fault::ALL {
        for step in 0..4 {
            let (mut scene, digests) = Scene::with(2).await;
            scene.store.break_after(step, fault);
            let first = scene.round().await;
            // What was in memory is gone; the store and the ledger are as they are.
            scene.bench.restart().await;
            assert_eq!(scene.settle().await, 0, "{fault:?} {step} {first:?}");
            scene.assert_proven(&digests).await;
            assert_eq!(scene.node.taken(), 1, "{fault:?} {step}");
        }
    }
}

#[actix_web::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_bytes() {
    let (mut scene, digests) = Scene::with(1).await;
    scene.node.will(&[Mood::Down, Mood::AnswerLost]);
    assert!(scene.round().await.is_err());
    scene.bench.restart().await;
    assert_eq!(scene.settle().await, 1);
    scene.assert_proven(&digests).await;
    let sent = scene.node.sent();
    assert_eq!((sent.len(), scene.node.taken()), (3, 1));
    assert!(sent.iter().all(|text| *text == sent[0]));
}

#[actix_web::test]
async fn a_transaction_that_expired_is_made_anew_for_the_same_range() {
    let (scene, mut digests) = Scene::with(1).await;
    scene.node.will(&[Mood::Down]);
    assert!(scene.round().await.is_err());
    digests.push(scene.answered().await);
    scene.bench.clock.advance(400);
    scene.node.seal(NOW.0 + 400);
    assert_eq!(scene.settle().await, 0);
    scene.assert_proven(&digests).await;
    assert_eq!(scene.node.taken(), 2);
}

#[actix_web::test]
async fn a_number_is_not_used_twice_while_the_public_state_lags_behind() {
    let (scene, mut digests) = Scene::with(1).await;
    scene.node.lag(true);
    assert_eq!(scene.settle().await, 0);
    digests.push(scene.answered().await);
    assert_eq!(scene.settle().await, 0);
    assert_eq!((scene.node.sent().len(), scene.node.taken()), (2, 2), "nothing was refused");
    scene.node.lag(false);
    scene.assert_proven(&digests).await;
}

#[actix_web::test]
async fn a_range_whose_place_our_node_does_not_keep_holds_up_nothing() {
    for has_expired in [false, true] {
        let (scene, mut digests) = Scene::with(2).await;
        scene.node.will(&[Mood::AnswerLost]);
        assert!(scene.round().await.is_err());
        // Meanwhile the node was made anew from a snapshot.
        scene.node.knows_places(false);
        if has_expired {
            scene.bench.clock.advance(400);
            scene.node.seal(NOW.0 + 400);
        }
        digests.push(scene.answered().await);
        assert_eq!(scene.settle().await, 0);
        assert_eq!(scene.node.taken(), 2, "the ledger took the range once, and the next one");
        let sent = scene.node.sent().len();
        for _ in 0..5 {
            let waiting = scene.get(&digests[0]).await;
            assert_eq!((waiting.status, waiting.code()), (503, "receipt.waiting"));
        }
        assert_eq!(scene.node.sent().len(), sent + 1, "whoever asks us has no say in how often we ask the ledger");
        scene.node.knows_places(true);
        scene.bench.clock.advance(RENEW_AGAIN);
        scene.assert_proven(&digests).await;
    }
}

#[actix_web::test]
async fn before_a_key_ends_all_comes_onto_the_ledger_or_it_is_said_how_much_waits() {
    let (scene, mut digests) = Scene::with(2).await;
    assert_eq!(scene.settle().await, 0);
    digests.push(scene.answered().await);
    scene.node.will(&[Mood::Down]);
    assert!(scene.all().await.is_err());
    digests.push(scene.answered().await);
    assert_eq!(waiting(&scene.bench.verifier).await.unwrap(), 2, "one on its way, and one behind it");
    scene.all().await.unwrap();
    assert_eq!(waiting(&scene.bench.verifier).await.unwrap(), 0);
    scene.assert_proven(&digests).await;
}

#[actix_web::test]
async fn a_ledger_that_has_other_receipts_of_ours_is_not_argued_with() {
    let (scene, _) = Scene::with(1).await;
    let other = sha256(b"another receipt");
    let anchor =
        Anchor { first: Some(1), last: Some(1), head: Some(other), ..Anchor::new(AnchorKind::Receipt, other, 1) };
    scene.node.act(&scene.bench.world.asker, &Operation::Anchor(anchor));
    for _ in 0..2 {
        let failure = scene.round().await.unwrap_err();
        assert!(matches!(failure, RoundFailure::OtherReceipts { last: 1 }), "{failure}");
    }
    assert_eq!((scene.node.sent().len(), scene.node.taken()), (2, 0), "the same bytes, nothing new signed");
    assert_eq!(scene.audited(Batch::new()).await, Err(ChainFault::Altered { seq: 1 }));
}

#[actix_web::test]
async fn a_proof_that_is_renewed_leaves_the_range_open_that_is_on_its_way() {
    let (scene, mut digests) = Scene::with(1).await;
    assert_eq!(scene.settle().await, 0);
    digests.push(scene.answered().await);
    scene.node.will(&[Mood::Down]);
    assert!(scene.round().await.is_err());
    let world = &scene.bench.world;
    let next = GenesisValidator { name: "solo".to_owned(), ..validator(7, None) };
    scene.node.change(|ledger| ledger.rotate(&[&world.authority, &world.issuer], next, NOW.0 - 200));
    scene.bench.verifier.evidence.refresh(scene.bench.clock.now()).await;
    scene.assert_proven(&digests[..1]).await;
    assert_eq!(scene.settle().await, 0);
    scene.assert_proven(&digests).await;
    assert_eq!(scene.node.taken(), 2);
}

#[actix_web::test]
async fn the_audit_holds_the_receipts_against_the_ledger() {
    let (scene, digests) = Scene::with(2).await;
    assert_eq!(scene.settle().await, 0);
    let whole = scene.audited(Batch::new()).await.unwrap();
    assert_eq!((whole.head, &whole.anchored), (ChainHead { seq: 2, digest: Some(digests[1]) }, &Ok(2)));
    scene.answered().await;
    let waiting = scene.audited(Batch::new()).await.unwrap();
    assert_eq!((waiting.head.seq, &waiting.anchored), (3, &Ok(2)));
    assert_eq!(waiting.told(&Catalogue::new(Lang::En)), "3 receipts, each as it was signed; 1 wait for the ledger.");

    let texts = scene.bench.verifier.store.receipts_after(0, 3).await.unwrap();
    let head = serde_json::to_vec(&ChainHead::after(1, &texts[0].1)).unwrap();
    let cut_off = Batch::new().delete(receipt_key(2)).delete(receipt_key(3)).put("receipt-head", head);
    assert_eq!(scene.audited(cut_off).await, Err(ChainFault::CutOff { seq: 2 }));
    let gone = Batch::new().delete(receipt_key(1));
    assert_eq!(scene.audited(gone.clone()).await, Err(ChainFault::Gap { seq: 1 }));
    let misplaced = Batch::new().put(receipt_key(1), texts[1].1.clone());
    assert_eq!(scene.audited(misplaced).await, Err(ChainFault::Misplaced { seq: 1 }));
    let (forged, _) = texts[0].1.rsplit_once('.').unwrap();
    let (_, signature) = texts[1].1.rsplit_once('.').unwrap();
    let forged = Batch::new().put(receipt_key(1), format!("{forged}.{signature}"));
    assert_eq!(scene.audited(forged.clone()).await, Err(ChainFault::Signature { seq: 1 }));

    scene.node.cut_off(true);
    let unasked = scene.audited(Batch::new()).await.unwrap();
    assert!(matches!(unasked.anchored, Err(Unasked::Ledger(_))), "{unasked:?}");
    assert!(!unasked.told(&Catalogue::new(Lang::En)).contains("as it was signed"));
    assert_eq!(scene.audited(gone).await, Err(ChainFault::Gap { seq: 1 }), "that needs no ledger");
    assert_eq!(scene.audited(forged).await, Err(ChainFault::Altered { seq: 1 }), "by the one that followed it");
}
