//! Digests reach the ledger once, whatever fails on the way.

use identity_core::anchor::AnchorProof;
use identity_core::registry::{Operation, Transaction};
use ledger::sha256;
use service_kit::anchoring::RENEW_AGAIN;
use service_kit::store::faulty::Fault;

use super::world::{Mood, World};
use crate::job::anchor::round;
use crate::store::{Page, Search};

/// Runs rounds until one anchors nothing, as the job does; answers how many failed.
async fn settle(world: &World) -> usize {
    let mut failed = 0;
    for _ in 0..20 {
        match round(&world.service, &*world.ledger).await {
            Ok(0) => return failed,
            Ok(_) => {}
            Err(_) => failed += 1,
        }
    }
    panic!("never settles");
}

/// Every credential has a proof whose path leads to the root that the ledger accepted.
async fn assert_all_anchored(world: &World) {
    let records = world.service.records.credentials(Search::All, Page { after: None, limit: 100 }).await.unwrap();
    assert!(!records.is_empty());
    for record in records {
        let reply = world.get(&format!("/anchors/{}", record.digest.to_base64url())).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let proof: AnchorProof = serde_json::from_slice(&reply.body).unwrap();
        assert!(world.ledger.accepted.lock().unwrap().contains(&proof.transaction));
        let transaction = Transaction::parse(&proof.transaction).unwrap();
        let Operation::Anchor(anchor) = transaction.operation() else { panic!("not an anchor") };
        let batch = &proof.batch;
        assert_eq!(batch.count, anchor.count);
        ledger::batch::verify(&record.digest, batch.index, batch.count, &batch.path, &anchor.root).unwrap();
    }
    assert!(world.service.records.pending(10).await.unwrap().is_empty());
    assert!(world.service.records.open_batches().await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_proof_is_waited_for_and_then_served() {
    let world = World::new().await;
    world.issue(&[1, 2, 3]).await;
    let digest = world.service.records.pending(1).await.unwrap()[0].to_base64url();
    let waiting = world.get(&format!("/anchors/{digest}")).await;
    assert_eq!((waiting.status, waiting.headers["retry-after"].as_str()), (202, "1"));
    assert_eq!(settle(&world).await, 0);
    assert_all_anchored(&world).await;
    world.issue(&[4]).await;
    assert_eq!(settle(&world).await, 0);
    assert_all_anchored(&world).await;
    assert_eq!(world.ledger.accepted.lock().unwrap().len(), 2);
}

#[actix_web::test]
async fn proofs_are_by_the_validators_in_force() {
    let world = World::new().await;
    world.issue(&[1]).await;
    let digest = world.service.records.pending(1).await.unwrap()[0].to_base64url();
    assert_eq!(settle(&world).await, 0);
    let path = format!("/anchors/{digest}");
    let proof = async || {
        let reply = world.get(&path).await;
        (reply.status, serde_json::from_slice::<AnchorProof>(&reply.body).map(|proof| proof.proof).unwrap_or_default())
    };
    assert_eq!(proof().await, (200, "proof of 0 by 0".to_owned()));
    *world.ledger.validators.lock().unwrap() = 1;
    *world.ledger.silent.lock().unwrap() = true;
    for _ in 0..5 {
        assert_eq!(proof().await.0, 202, "what no longer holds is not given out");
    }
    assert_eq!(world.ledger.proofs(), 1, "whoever asks us has no say in how often we ask the ledger");
    *world.ledger.silent.lock().unwrap() = false;
    assert_eq!(proof().await.0, 202, "not yet");
    world.clock.advance(RENEW_AGAIN);
    assert_eq!(proof().await, (200, "proof of 0 by 1".to_owned()));
    *world.ledger.silent.lock().unwrap() = true;
    assert_eq!(proof().await, (200, "proof of 0 by 1".to_owned()), "the new one is kept");
}

#[actix_web::test]
async fn an_unreachable_ledger_stops_nothing_but_readiness() {
    let world = World::new().await;
    world.issue(&[1]).await;
    world.ledger.will(&[Mood::Down, Mood::Down]);
    assert!(round(&world.service, &*world.ledger).await.is_err());
    assert!(!world.service.anchoring.is_ledger_reachable());
    assert_eq!(world.issue(&[2]).await.status, 200);
    settle(&world).await;
    assert!(world.service.anchoring.is_ledger_reachable());
    assert_all_anchored(&world).await;
}

#[actix_web::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_bytes() {
    let world = World::new().await;
    world.issue(&[1]).await;
    world.ledger.will(&[Mood::AnswerLost, Mood::AnswerLost]);
    assert_eq!(settle(&world).await, 2);
    assert_all_anchored(&world).await;
    assert_eq!(world.ledger.accepted.lock().unwrap().len(), 1);
    assert_eq!(world.ledger.submissions(), 3);
}

#[actix_web::test]
async fn a_refused_transaction_is_made_anew() {
    let world = World::new().await;
    world.issue(&[1]).await;
    world.ledger.will(&[Mood::Refuses]);
    world.clock.advance(1);
    assert_eq!(settle(&world).await, 0);
    assert_all_anchored(&world).await;
}

#[actix_web::test]
async fn every_write_may_break_at_every_step_and_a_restart_goes_on() {
    for fault in Fault::ALL {
        for step in 0..4 {
            let world = World::new().await;
            world.issue(&[1, 2]).await;
            world.store.break_after(step, fault);
            let first = round(&world.service, &*world.ledger).await;
            // What was in memory is gone; the store and the ledger are as they are.
            let world = world.restarted().await;
            assert_eq!(settle(&world).await, 0, "{fault:?} {step} {first:?}");
            assert_all_anchored(&world).await;
            assert_eq!(world.ledger.accepted.lock().unwrap().len(), 1, "{fault:?} {step}");
        }
    }
}

#[actix_web::test]
async fn a_batch_says_nothing_about_the_order_of_issuing() {
    let world = World::new().await;
    let mut issued = Vec::new();
    for seed in 1..=8 {
        let reply = world.issue(&[seed]).await.json();
        let text = reply["credentials"][0]["credential"].as_str().unwrap().to_owned();
        issued.push(sha256(text.split('~').next().unwrap().as_bytes()));
    }
    settle(&world).await;
    let order = world.service.records.batch_digests(1).await.unwrap();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_ne!(order, issued);
    assert_ne!(order, sorted);
}
