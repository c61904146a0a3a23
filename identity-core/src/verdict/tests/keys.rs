//! An issuer's keys and standing as of the moment that counts: that of the anchor, or without one the newest known.

use ledger::StateProof;

use crate::crypto::{SecretKey, Signer as _};
use crate::jose::Jwk;
use crate::registry::{
    Compromise, KeyUse, Operation, Recover, RecoveryEnvelope, RecoveryOperation, Relayed, ServiceType, Update,
    accreditation_key, did_key, make_key_proof, make_recovery, schema_key, thumbprint_key,
};
use crate::sample::parties::{Party, entry, key};
use crate::sample::world::{LIST, NOW, VCT, World, anchor};
use crate::status::{Bits, StatusError, StatusList, Validity, sign};
use crate::time::UnixSeconds;
use crate::verdict::{
    AnchorRule, EvidenceError, Fault, FetchedList, Freshness, OnUndetermined, PreparedEvidence, Refusal, Status,
    StatusDoubt, judge, needs,
};

/// A change on the ledger, then everything presented and fetched again.
fn happens(world: &mut World, operation: &Operation) -> u64 {
    let index = world.ledger.act(&world.issuer, operation);
    settle(world);
    index
}

fn settle(world: &mut World) {
    world.ledger.seal(NOW.0 - 200);
    world.present();
    world.fetch();
    // Lists are a subject of their own: here the newest key's, so that none stands in the way.
    world.policy.undetermined = OnUndetermined::Accept;
}

fn report(id: &str) -> Operation {
    Operation::Compromise(Compromise { key: id.to_owned() })
}

fn rotation() -> Operation {
    Operation::Update(Update {
        add_keys: vec![entry("assert-2", 2, 11, KeyUse::AssertionMethod)],
        remove_keys: vec!["assert-1".to_owned()],
        ..Update::default()
    })
}

fn recovery(world: &World) -> Operation {
    let committed = Party::recovery_key(2);
    let envelope = RecoveryEnvelope {
        aud: world.ledger.origin().to_owned(),
        did: world.issuer.did(),
        exp: NOW.0 + 600,
        recovery_key: Jwk::new(committed.public_key().clone()),
    };
    let recover = Recover {
        keys: vec![
            entry("assert-2", 2, 11, KeyUse::AssertionMethod),
            entry("invoke-2", 2, 12, KeyUse::CapabilityInvocation),
        ],
        recovery: Jwk::new(key(2, 13).public_key().clone()).thumbprint().to_base64url(),
    };
    let act = make_recovery(&envelope, &RecoveryOperation::Recover(recover), &committed).unwrap();
    Operation::Relay(Relayed::Recovery(Box::new(act)))
}

/// The credential is anchored once more, now: the only anchor that a back-dated one could have.
fn anchor_now(world: &mut World) {
    world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&world.credential).1));
    settle(world);
}

fn without_anchor(world: &mut World) -> Option<Refusal> {
    world.anchors = None;
    world.policy.anchor = AnchorRule::Optional;
    world.judge().err()
}

#[test]
fn anchored_before_the_change_a_credential_stays_good() {
    let changes: [&dyn Fn(&World) -> Operation; 4] =
        [&|_| rotation(), &|_| report("assert-1"), &|world| recovery(world), &|_| Operation::Deactivate];
    for change in changes {
        let mut world = World::with_issuer(Party::recoverable(2, ServiceType::Issuer));
        let operation = change(&world);
        let index = happens(&mut world, &operation);
        assert!(world.anchored < index);
        let verified = world.judge().expect("it was good when it was anchored");
        assert_eq!(verified.credentials()["id"][0].anchor.as_ref().unwrap().index(), world.anchored);
    }
}

#[test]
fn anchored_after_the_change_it_is_refused_whatever_date_it_claims() {
    let cases = [
        (rotation(), Refusal::IssuerKeyEnded, "verdict.issuer.key_ended"),
        (report("assert-1"), Refusal::IssuerKeyCompromised, "verdict.issuer.key_compromised"),
    ];
    for (operation, refusal, code) in cases {
        let mut world = World::new();
        happens(&mut world, &operation);
        anchor_now(&mut world);
        assert_eq!(world.judge().err(), Some(refusal));
        assert_eq!((refusal.code().as_str(), refusal.fault()), (code, Fault::Issuer));
        assert!(!refusal.may_be_lifted(), "newer evidence says the same");
    }
}

#[test]
fn without_an_anchor_the_key_must_still_be_current() {
    type Change<'c> = &'c dyn Fn(&World) -> Operation;
    let cases: [(Change<'_>, Refusal); 4] = [
        (&|_| rotation(), Refusal::IssuerKeyReplaced),
        (&|_| report("assert-1"), Refusal::IssuerKeyCompromised),
        (&|world| recovery(world), Refusal::IssuerKeyReplaced),
        (&|_| Operation::Deactivate, Refusal::IssuerDeactivated),
    ];
    for (change, refusal) in cases {
        let mut world = World::with_issuer(Party::recoverable(2, ServiceType::Issuer));
        let operation = change(&world);
        happens(&mut world, &operation);
        assert_eq!(without_anchor(&mut world), Some(refusal));
    }
    assert_eq!(Refusal::IssuerDeactivated.code().as_str(), "verdict.issuer.deactivated");
}

#[test]
fn a_key_rotated_away_and_reported_later_is_called_stolen_only_from_the_report_on() {
    let mut world = World::new();
    happens(&mut world, &rotation());
    anchor_now(&mut world);
    let between = world.anchored;
    happens(&mut world, &report("assert-1"));
    assert_eq!((world.anchored, world.judge().err()), (between, Some(Refusal::IssuerKeyEnded)));
    anchor_now(&mut world);
    assert_eq!(world.judge().err(), Some(Refusal::IssuerKeyCompromised));
}

#[test]
fn a_key_that_came_later_or_serves_something_else_never_counts() {
    let mut world = World::new();
    // The credential's key is put into the document only after the credential was anchored.
    world.credential = resigned(&world, "assert-2", &key(2, 11));
    anchor_now(&mut world);
    let add = Update { add_keys: vec![entry("assert-2", 2, 11, KeyUse::AssertionMethod)], ..Update::default() };
    happens(&mut world, &Operation::Update(add));
    assert_eq!(world.judge().err(), Some(Refusal::IssuerKey));
    let mut world = World::new();
    world.credential = resigned(&world, "invoke-1", &key(2, 3));
    anchor_now(&mut world);
    assert_eq!(world.judge().err(), Some(Refusal::IssuerKey));
    // What became of another key says nothing about this one.
    let mut world = World::new();
    happens(&mut world, &rotation());
    for id in ["assert-9", "invoke-1"] {
        world.credential = resigned(&world, id, &key(2, 3));
        anchor_now(&mut world);
        assert_eq!(world.judge().err(), Some(Refusal::IssuerKey), "{id}");
    }
}

/// The sample credential's payload under another key and name.
fn resigned(world: &World, id: &str, key: &SecretKey) -> String {
    let (jws, disclosures) = world.credential.split_once('~').unwrap();
    let payload = crate::encoding::base64url::decode(jws.split('.').nth(1).unwrap()).unwrap();
    let name = world.issuer.key_name(id);
    let header = crate::jose::SignHeader::new(crate::jose::typ::CREDENTIAL).kid(&name);
    format!("{}~{disclosures}", crate::jose::sign_compact(header, &payload, key).unwrap())
}

#[test]
fn a_status_list_under_a_stolen_key_decides_nothing() {
    let mut world = World::new();
    happens(&mut world, &report("assert-1"));
    world.policy.undetermined = OnUndetermined::Refuse;
    let refusal = world.judge().err();
    assert_eq!(refusal, Some(Refusal::StatusUndetermined(StatusDoubt::SignerUnknown)));
    // The department publishes under its next key, and all is well again for what was anchored in time.
    let add = Update { add_keys: vec![entry("assert-2", 2, 11, KeyUse::AssertionMethod)], ..Update::default() };
    happens(&mut world, &Operation::Update(add));
    world.policy.undetermined = OnUndetermined::Refuse;
    let validity = Validity { issued_at: NOW, expires: UnixSeconds(NOW.0 + 600), ttl: 600 };
    let list = StatusList::new(Bits::One, 1 << 17).unwrap();
    let token = sign(&list, LIST, validity, &world.issuer.key_name("assert-2"), &key(2, 11)).unwrap();
    world.list(&token);
    assert!(world.judge().is_ok());
}

#[test]
fn without_an_anchor_each_history_answers_for_the_last_index_that_it_knows() {
    let issuers = |world: &World| did_key(&world.issuer.did());
    let fetched_later = |world: &mut World, key: &str| {
        let state = world.ledger.state_proof(key, NOW.0 - 100);
        *world.evidence.states.iter_mut().find(|state| state.key == key).unwrap() = state;
    };
    let mut world = World::new();
    for key in [issuers(&world), accreditation_key(&world.issuer.did()), schema_key(VCT)] {
        world.ledger.seal(NOW.0 - 200);
        fetched_later(&mut world, &key);
        assert_eq!(without_anchor(&mut world), None, "{key} knows more than the others");
    }

    // What one of them knows to be over is over, whatever the others do not know yet.
    let mut world = World::new();
    world.ledger.act(&world.issuer, &report("assert-1"));
    world.ledger.seal(NOW.0 - 200);
    let key = issuers(&world);
    fetched_later(&mut world, &key);
    assert_eq!(without_anchor(&mut world), Some(Refusal::IssuerKeyCompromised));
}

/// A service fetches lists and histories apart, and keeps both for a while.
#[test]
fn a_list_that_was_taken_in_before_its_key_was_reported_decides_nothing_after() {
    let mut world = World::new();
    let mut kept = world.prepared();
    let wanted = needs(&world.presentation(), &world.policy).unwrap();
    let freshness = world.policy.evidence;
    let lists = |kept: &PreparedEvidence| kept.missing(&wanted, freshness, NOW).status_lists.len();
    let judged = |world: &World, kept: &PreparedEvidence| {
        let verdict = judge(&world.presentation(), kept, &world.policy, NOW);
        verdict.map(|verified| verified.credentials()["id"][0].status)
    };
    assert_eq!((judged(&world, &kept), lists(&kept)), (Ok(Status::Valid), 0));

    happens(&mut world, &report("assert-1"));
    kept.add_state(&newer_history(&world)).unwrap();
    let stolen = StatusDoubt::SignerUnknown;
    assert_eq!((judged(&world, &kept), lists(&kept)), (Ok(Status::Undetermined(stolen)), 1), "and it is fetched anew");
    assert_eq!(judged(&world, &world.prepared()), judged(&world, &kept), "an auditor comes to the same");
    world.policy.undetermined = OnUndetermined::Refuse;
    assert_eq!(judged(&world, &kept), Err(Refusal::StatusUndetermined(stolen)));

    // So does a list that could not be read in the first place.
    let mut world = World::new();
    world.list(&other_subject(&world));
    world.policy.undetermined = OnUndetermined::Accept;
    let mut kept = world.prepared();
    assert_eq!(judged(&world, &kept), Ok(Status::Undetermined(StatusDoubt::List(StatusError::Subject))));
    happens(&mut world, &report("assert-1"));
    world.list(&other_subject(&world));
    kept.add_state(&newer_history(&world)).unwrap();
    assert_eq!(judged(&world, &world.prepared()), judged(&world, &kept));
}

/// Whoever has the key dates a list as late as it likes.
#[test]
fn a_list_under_a_stolen_key_takes_no_place_from_another() {
    let mut world = World::new();
    let signed_at = |issued_at, name: &str, key: &SecretKey| {
        let validity = Validity { issued_at, expires: NOW.plus(600), ttl: 600 };
        let list = StatusList::new(Bits::One, 1 << 17).unwrap();
        FetchedList { token: sign(&list, LIST, validity, name, key).unwrap(), fetched_at: NOW }
    };
    let thiefs = signed_at(NOW.plus(60), &world.issuer.key_name("assert-1"), &world.issuer.asserter());
    let [issuers, before] =
        [NOW, NOW.plus(-1)].map(|time| signed_at(time, &world.issuer.key_name("assert-2"), &key(2, 11)));
    let mut kept = world.prepared();
    assert!(kept.add_status_list(LIST, &thiefs), "nobody knows yet that it is a thief's");
    let next = Update { add_keys: vec![entry("assert-2", 2, 11, KeyUse::AssertionMethod)], ..Update::default() };
    happens(&mut world, &Operation::Update(next));
    happens(&mut world, &report("assert-1"));
    kept.add_state(&newer_history(&world)).unwrap();
    assert!(kept.add_status_list(LIST, &issuers), "although it is older");
    assert!(!kept.add_status_list(LIST, &thiefs), "although it is newer");
    assert!(!kept.add_status_list(LIST, &before));
}

/// The history of the issuer, as it is now.
fn newer_history(world: &World) -> StateProof {
    world.ledger.state_proof(&did_key(&world.issuer.did()), NOW.0 - 100)
}

/// A list of the issuer's that is published elsewhere.
fn other_subject(world: &World) -> String {
    let validity = Validity { issued_at: NOW, expires: UnixSeconds(NOW.0 + 600), ttl: 600 };
    let list = StatusList::new(Bits::One, 1 << 17).unwrap();
    sign(
        &list,
        "https://d2.example/status/other",
        validity,
        &world.issuer.key_name("assert-1"),
        &world.issuer.asserter(),
    )
    .unwrap()
}

#[test]
fn evidence_too_old_to_know_is_asked_for_again_and_not_believed() {
    // Anchored after the evidence was fetched: it cannot know what held then.
    let mut world = World::new();
    let before = world.evidence.clone();
    happens(&mut world, &report("assert-1"));
    anchor_now(&mut world);
    world.evidence = before;
    let wanted = needs(&world.presentation(), &world.policy).unwrap();
    let missing = world.prepared().missing(&wanted, world.policy.evidence, NOW);
    assert!(missing.states.contains_key(&crate::registry::did_key(&world.issuer.did())));
    assert_eq!(missing.states[&crate::registry::did_key(&world.issuer.did())], world.anchored);
    assert_eq!(world.judge().err(), Some(Refusal::Evidence(EvidenceError::OlderThanAnchor)));

    // Without an anchor only age can tell: within the greatest age the old answer counts, beyond it nothing does.
    let mut world = World::new();
    let before = world.evidence.clone();
    happens(&mut world, &report("assert-1"));
    world.evidence = before;
    assert_eq!(without_anchor(&mut world), None);
    world.policy.evidence = Freshness { max_age: 50, leeway: 0 };
    assert_eq!(world.judge().err(), Some(Refusal::Evidence(EvidenceError::Stale)));
}

#[test]
fn whose_request_key_it_is_the_evidence_says_by_thumbprint() {
    let mut world = World::new();
    let asker = world.asker.did();
    let thumbprint = Jwk::new(world.asker.authenticator().public_key().clone()).thumbprint();
    let owner = |world: &World, freshness| {
        let mut prepared = world.prepared();
        prepared.add_state(&world.ledger.state_proof(&thumbprint_key(&thumbprint), NOW.0 - 100)).unwrap();
        prepared.thumbprint_owner(&thumbprint, freshness, NOW).cloned()
    };
    let fresh = world.policy.evidence;
    assert_eq!(owner(&world, fresh), Err(EvidenceError::Absent), "proven to be nobody's");
    let unasked = world.prepared().thumbprint_owner(&thumbprint, fresh, NOW).cloned();
    assert_eq!(unasked, Err(EvidenceError::Missing));

    let proof = make_key_proof(world.ledger.origin(), &asker, "auth-1", &world.asker.authenticator()).unwrap();
    let register = Operation::Update(Update { prove_keys: vec![proof], ..Update::default() });
    world.ledger.act(&world.asker, &register);
    settle(&mut world);
    assert_eq!(owner(&world, fresh), Ok(asker));
    assert_eq!(owner(&world, Freshness { max_age: 50, leeway: 0 }), Err(EvidenceError::Stale));
    world.ledger.act(&world.asker, &report("auth-1"));
    settle(&mut world);
    assert_eq!(owner(&world, fresh), Err(EvidenceError::Absent), "a stolen key is nobody's");
}
