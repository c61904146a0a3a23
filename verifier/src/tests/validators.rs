//! Other validators come into force while the service runs.

use identity_core::registry::GenesisValidator;
use identity_core::sample::ledger::validator;
use identity_core::sample::world::NOW;
use identity_core::status::Status;
use ledger::Hash;

use super::world::{Bench, LEDGER};

impl Bench {
    /// Members vote other keys in for the validator; ledger and way are served as it certifies them.
    fn change_validators(&mut self) {
        let from = self.world.ledger.trust_root().digest();
        let world = &mut self.world;
        let next = GenesisValidator { name: "solo".to_owned(), ..validator(7, None) };
        world.ledger.rotate(&[&world.authority, &world.issuer], next, NOW.0 - 600);
        self.serve_walk(&from);
        self.serve_evidence(Status::Valid);
    }

    fn serve_walk(&self, from: &Hash) {
        let url = format!("{LEDGER}/trust/walk?from={}", from.to_base64url());
        let walk = serde_json::to_vec(&self.world.ledger.walk(NOW.0 - 100)).unwrap();
        self.fetch.answer(&url, 200, "application/json", walk);
    }
}

#[actix_web::test]
async fn a_running_service_follows_and_believes_their_predecessors_no_more() {
    let mut bench = Bench::new().await;
    let first = bench.ask("strict").await;
    let before = bench.honest(&first);
    assert_eq!(bench.answer(&first, &before).await.status, 200);

    bench.change_validators();
    bench.verifier.evidence.refresh(bench.verifier.clock.now()).await;
    assert_eq!(*bench.verifier.evidence.trust_root(), bench.world.ledger.trust_root());
    let second = bench.ask("strict").await;
    assert_eq!(bench.answer(&second, &bench.honest(&second)).await.status, 200);

    // A wallet that has not looked since brings a proof by those before them.
    let third = bench.ask("strict").await;
    let mut form = bench.honest(&third);
    form.insert("xinfu_anchor".to_owned(), before["xinfu_anchor"].clone());
    let answered = bench.answer(&third, &form).await;
    assert_eq!((answered.status, answered.code()), (400, "registry.proof.not_certified"));
}
