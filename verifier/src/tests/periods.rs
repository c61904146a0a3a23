//! A period of the chain of receipts, for auditors.

use identity_core::period::Period;
use identity_core::receipt::Entry;
use identity_core::registry::{Anchor, AnchorKind, Operation, receipts_key};
use identity_core::sample::world::NOW;
use identity_core::status::Status;
use ledger::batch::BatchTree;

use super::world::{Bench, state_url};
use crate::store::receipts::{RangeRecord, RangeState};

impl Bench {
    async fn answer_honestly(&self) {
        let request = self.ask("strict").await;
        assert_eq!(self.answer(&request, &self.honest(&request)).await.status, 200);
    }

    /// The ledger takes the receipts up to `last`, and answers for them.
    async fn anchor(&mut self, last: u64) {
        let digests = self.verifier.store.receipt_digests(1, last).await.unwrap();
        let tree = BatchTree::new(&digests).unwrap();
        let (root, head) = (tree.root(), digests[digests.len() - 1]);
        let anchor = Anchor::new(AnchorKind::Receipt, root, tree.count());
        let anchor = Anchor { first: Some(1), last: Some(last), head: Some(head), ..anchor };
        let index = self.world.ledger.act(&self.world.asker, &Operation::Anchor(anchor));
        self.world.ledger.seal(NOW.0 - 50);
        self.serve_receipts();
        let record = RangeRecord { first: 1, last, root, head, state: RangeState::Formed };
        self.verifier.store.form_range(&record).await.unwrap();
        let (transaction, proof) =
            (self.world.ledger.leaf(index).to_owned(), self.world.ledger.log_proof(index, NOW.0 - 40));
        let state = RangeState::Anchored { transaction, index, proof };
        self.verifier.store.advance_range(&record, state).await.unwrap();
    }

    fn serve_receipts(&self) {
        self.serve_evidence(Status::Valid);
        let key = receipts_key(&self.world.asker.did());
        let proof = serde_json::to_vec(&self.world.ledger.state_proof(&key, NOW.0 - 40)).unwrap();
        self.fetch.answer(&state_url(&key), 200, "application/json", proof);
    }
}

#[actix_web::test]
async fn a_period_is_handed_out_whole_with_what_the_ledger_has_of_it() {
    let mut bench = Bench::new().await;
    let now = bench.verifier.clock.now();
    for _ in 0..4 {
        bench.answer_honestly().await;
    }
    bench.serve_receipts();
    let root = bench.world.ledger.trust_root();
    let waiting = bench.verifier.period(now, now.plus(1)).await.unwrap().check(&root).unwrap();
    assert_eq!((waiting.entries().len(), waiting.waiting(), waiting.anchored().seq), (4, 4, 0));

    bench.anchor(3).await;
    let period = bench.verifier.period(now, now.plus(1)).await.unwrap();
    let text = period.to_text().unwrap();
    assert!(!text.contains("样本"), "names, never values");
    let checked = Period::parse(text.as_bytes()).unwrap().check(&root).unwrap();
    let places: Vec<u64> = checked.entries().iter().map(Entry::seq).collect();
    assert_eq!((places, checked.waiting()), (vec![1, 2, 3, 4], 1));

    let later = bench.verifier.period(now.plus(1), now.plus(2)).await.unwrap();
    assert!(later.before.is_some() && later.entries.is_empty() && later.after.is_none());
    assert!(!later.check(&root).unwrap().is_closed(), "receipts of it may come yet");
    let earlier = bench.verifier.period(now.plus(-9), now).await.unwrap();
    assert!(earlier.entries.is_empty() && earlier.check(&root).unwrap().is_closed());
}
