use proptest::prelude::*;
use serde_json::json;

use crate::anchor::AnchorError;
use crate::kb_jwt::KbJwtError;
use crate::registry::{
    Accredit, Anchor, AnchorKind, EndAccreditation, KeyUse, Operation, Role, Schema, ServiceType, Update, schema_key,
};
use crate::sample::ledger::START;
use crate::sample::parties::{Party, entry, key};
use crate::sample::world::{INDEX, LIST, NOW, PURPOSE, VCT, World, accredit, anchor, query};
use crate::sd_jwt::SdJwtError;
use crate::sd_jwt_vc::CredentialError;
use crate::status::{Status as ListStatus, StatusError};
use crate::time::UnixSeconds;
use crate::verdict::as_of::Reading;
use crate::verdict::{
    AnchorRule, EvidenceError, Excess, Fault, OnUndetermined, PreparedEvidence, Refusal, Status, StatusDoubt, judge,
    needs, standing,
};

/// Changes the world, and gives the refusal that it must now meet.
fn refused(change: impl FnOnce(&mut World)) -> Refusal {
    let mut world = World::new();
    change(&mut world);
    world.judge().expect_err("must be refused")
}

/// As [`refused`], for changes on the ledger: presents and fetches again.
fn refused_later(change: impl FnOnce(&mut World)) -> Refusal {
    refused(|world| {
        change(world);
        world.ledger.seal(NOW.0 - 200);
        world.present();
        world.fetch();
    })
}

#[test]
fn what_holds_is_verified_and_says_what_was_checked() {
    let world = World::new();
    let verified = world.judge().unwrap();
    let credential = &verified.credentials()["id"][0];
    assert_eq!(credential.credential_type, VCT);
    assert_eq!((&credential.issuer, &credential.issuer_address), (&world.issuer.did(), &world.issuer.address()));
    assert_eq!(credential.anchor.as_ref().unwrap().index(), world.anchored);
    assert_eq!(credential.status, Status::Valid);
    assert_eq!(verified.evidence_as_of(), UnixSeconds(NOW.0 - 100));
    let claims = credential.claims.as_map();
    assert_eq!((&claims["name"], &claims["valid_until"]), (&json!("样本甲"), &json!("2030-01-01")));
    for kept_back in ["sex", "cnf", "status", "_sd"] {
        assert!(!claims.contains_key(kept_back), "{kept_back}");
    }
    assert_eq!(format!("{:?}", credential.claims), format!("Claims({} withheld)", claims.len()));
}

#[test]
fn the_same_evidence_gives_the_same_verdict_again() {
    let mut world = World::new();
    let saved = serde_json::to_vec(&world.evidence).unwrap();
    world.evidence = serde_json::from_slice(&saved).unwrap();
    assert!(world.judge().is_ok());
}

#[test]
fn a_checkpoint_is_certified_once() {
    let mut world = World::new();
    world.anchors = Some([("id".to_owned(), vec![json!(world.anchor_proof_at(NOW.0 - 90))])].into());
    let mut prepared = world.prepared();
    let judged = |evidence: &PreparedEvidence| judge(&world.presentation(), evidence, &world.policy, NOW).unwrap();
    let first = judged(&prepared);
    assert_eq!(first.newly_certified().len(), 1);
    prepared.remember(first.newly_certified()[0].clone());
    let again = judged(&prepared);
    assert!(again.newly_certified().is_empty());
    assert_eq!(again.credentials()["id"][0].anchor, first.credentials()["id"][0].anchor);
}

#[test]
fn needs_lists_what_judge_wants_and_missing_what_is_not_there() {
    let world = World::new();
    let wanted = needs(&world.presentation(), &world.policy).unwrap();
    assert_eq!((wanted.states.len(), wanted.status_lists.len()), (6, 1));
    assert_eq!(wanted.status_lists[LIST], world.issuer.did());
    assert!(wanted.states.values().any(|index| *index == world.anchored));
    let (freshness, prepared) = (world.policy.evidence, world.prepared());
    assert_eq!(prepared.missing(&wanted, freshness, NOW), crate::verdict::Needs::default());
    let later = UnixSeconds(NOW.0 + 7200);
    assert_eq!(prepared.missing(&wanted, freshness, later), wanted);
    let known = world.anchored + 1;
    let wanted_at = |index: u64| {
        let states = wanted.states.keys().map(|key| (key.clone(), index)).collect();
        crate::verdict::Needs { states, ..crate::verdict::Needs::default() }
    };
    assert_eq!(prepared.missing(&wanted_at(known), freshness, NOW), crate::verdict::Needs::default());
    assert_eq!(prepared.missing(&wanted_at(known + 1), freshness, NOW), wanted_at(known + 1));
    let mut forgetful = prepared;
    forgetful.forget_stale(freshness, later);
    let verdict = judge(&world.presentation(), &forgetful, &world.policy, NOW);
    assert_eq!(verdict.err(), Some(Refusal::Evidence(EvidenceError::Missing)));
}

#[test]
fn every_step_alone_makes_the_whole_refused() {
    let stripped = refused(|w| {
        let text = w.token["id"][0].rsplit_once('~').map(|(bound, _)| format!("{bound}~")).unwrap();
        w.token.insert("id".to_owned(), vec![text]);
    });
    assert_eq!(stripped, Refusal::Holder(KbJwtError::Missing));
    let swapped = refused(|w| {
        let text = w.shown(&key(8, 9));
        w.token.insert("id".to_owned(), vec![text]);
    });
    assert!(matches!(swapped, Refusal::Holder(KbJwtError::Jws(_) | KbJwtError::Signature)));
    assert_eq!(refused(|w| w.now = UnixSeconds(NOW.0 + 400)), Refusal::Holder(KbJwtError::TooOld));
    let expired = refused(|w| w.now = UnixSeconds(START + 2_000_000));
    assert!(matches!(expired, Refusal::Evidence(EvidenceError::Stale)), "stale evidence says nothing about keys");
    assert_eq!(refused(|w| w.anchors = None), Refusal::AnchorMissing);
    let broken = refused(|w| w.anchors.as_mut().unwrap().get_mut("id").unwrap()[0]["batch"]["index"] = json!(0));
    assert_eq!(broken, Refusal::Anchor(AnchorError::NotInBatch));
    let doubled = refused(|w| {
        let proofs = w.anchors.as_mut().unwrap().get_mut("id").unwrap();
        proofs.push(proofs[0].clone());
    });
    assert_eq!(doubled, Refusal::AnchorCount);
    assert_eq!(refused(|w| w.token.clear()), Refusal::Empty);
    assert_eq!(refused(|w| w.policy.types.clear()), Refusal::TypeNotAccepted);
}

#[test]
fn an_expired_credential_is_refused_whatever_its_status() {
    let refusal = refused(|world| {
        world.now = UnixSeconds(START + 1_000_100);
        world.policy.evidence.max_age = 10_000_000;
    });
    assert_eq!(refusal, Refusal::Credential(CredentialError::Expired));
}

#[test]
fn status_has_three_values() {
    let with = |status: ListStatus| {
        refused(|world| {
            let token = world.status_list(status, &world.issuer);
            world.list(&token);
        })
    };
    assert_eq!(with(ListStatus::Invalid), Refusal::Revoked);
    assert_eq!(with(ListStatus::Suspended), Refusal::Suspended);
    assert_eq!(with(ListStatus::Other(3)), Refusal::StatusForeign);
    for (status, code) in [
        (ListStatus::Invalid, "credential.status.revoked"),
        (ListStatus::Suspended, "credential.status.suspended"),
        (ListStatus::Other(3), "credential.status.application_specific"),
    ] {
        assert_eq!(with(status).code().as_str(), code);
    }
}

#[test]
fn an_undetermined_status_is_never_called_revoked() {
    type Change<'c> = &'c dyn Fn(&mut World);
    let doubts: [(StatusDoubt, Change<'_>); 5] = [
        (StatusDoubt::NoList, &|w| w.evidence.status_lists.clear()),
        (StatusDoubt::OtherSigner, &|w| {
            let token = w.status_list(ListStatus::Invalid, &w.asker);
            w.list(&token);
        }),
        (StatusDoubt::SignerUnknown, &|w| {
            let token = w.status_list(ListStatus::Invalid, &w.authority);
            w.list(&token);
        }),
        (StatusDoubt::Stale, &|w| w.evidence.status_lists.get_mut(LIST).unwrap().fetched_at = UnixSeconds(NOW.0 - 700)),
        (StatusDoubt::List(StatusError::Subject), &|w| {
            let list = w.evidence.status_lists.remove(LIST).unwrap();
            w.evidence.status_lists.insert("https://d2.example/status/2".to_owned(), list.clone());
            w.evidence.status_lists.insert(LIST.to_owned(), other_list(w));
        }),
    ];
    for (doubt, change) in doubts {
        let refusal = refused(|world| change(world));
        assert_eq!(refusal, Refusal::StatusUndetermined(doubt));
        assert_eq!((refusal.code().as_str(), refusal.fault()), ("credential.status.undetermined", Fault::Evidence));
        let mut world = World::new();
        change(&mut world);
        world.policy.undetermined_for.insert(PURPOSE.to_owned(), OnUndetermined::Accept);
        let verified = world.judge().unwrap();
        assert_eq!(verified.credentials()["id"][0].status, Status::Undetermined(doubt));
    }
}

/// A genuine list of the issuer's, published elsewhere.
fn other_list(world: &World) -> crate::verdict::FetchedList {
    use crate::status::{Bits, StatusList, Validity, sign};
    let list = StatusList::new(Bits::One, 1 << 17).unwrap();
    let validity = Validity { issued_at: UnixSeconds(NOW.0 - 60), expires: UnixSeconds(NOW.0 + 600), ttl: 600 };
    let elsewhere = "https://d2.example/status/other";
    let token = sign(&list, elsewhere, validity, &world.issuer.key_name("assert-1"), &world.issuer.asserter()).unwrap();
    crate::verdict::FetchedList { token, fetched_at: UnixSeconds(NOW.0 - 30) }
}

#[test]
fn an_index_outside_the_list_is_not_valid() {
    let refusal = refused(|world| {
        use crate::status::{Bits, StatusList, Validity, sign};
        let list = StatusList::from_bytes(Bits::One, vec![0; INDEX / 8]).unwrap();
        let validity = Validity { issued_at: NOW, expires: UnixSeconds(NOW.0 + 600), ttl: 600 };
        let signer = (world.issuer.key_name("assert-1"), world.issuer.asserter());
        let token = sign(&list, LIST, validity, &signer.0, &signer.1).unwrap();
        world.list(&token);
    });
    assert_eq!(refusal, Refusal::StatusIndex(StatusError::OutOfRange));
}

fn replace_key(world: &mut World) {
    let update = Update {
        add_keys: vec![entry("assert-2", 2, 11, KeyUse::AssertionMethod)],
        remove_keys: vec!["assert-1".to_owned()],
        ..Update::default()
    };
    world.ledger.act(&world.issuer, &Operation::Update(update));
    world.ledger.seal(NOW.0 - 200);
    world.present();
    world.fetch();
    // The list is signed by the new key from now on.
    let mut list = crate::status::StatusList::new(crate::status::Bits::One, 1 << 17).unwrap();
    list.set(0, ListStatus::Invalid).unwrap();
    let validity = crate::status::Validity { issued_at: NOW, expires: UnixSeconds(NOW.0 + 600), ttl: 600 };
    let name = world.issuer.key_name("assert-2");
    let token = crate::status::sign(&list, LIST, validity, &name, &key(2, 11)).unwrap();
    world.list(&token);
}

#[test]
fn a_key_counts_as_of_the_anchor_and_without_one_only_while_current() {
    let mut world = World::new();
    replace_key(&mut world);
    assert!(world.judge().is_ok(), "anchored before the key was replaced");
    world.anchors = None;
    world.policy.anchor = AnchorRule::Optional;
    assert_eq!(world.judge().err(), Some(Refusal::IssuerKeyReplaced));
    let mut unanchored = World::new();
    unanchored.anchors = None;
    unanchored.policy.anchor = AnchorRule::Optional;
    let verified = unanchored.judge().unwrap();
    assert_eq!(verified.credentials()["id"][0].anchor, None);
}

#[test]
fn a_credential_back_dated_with_a_replaced_key_is_refused() {
    let refusal = refused_later(|world| {
        replace_key(world);
        // Anchored again, now, although the key that signed it is gone.
        world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&world.credential).1));
    });
    assert_eq!(refusal, Refusal::IssuerKeyEnded);
}

#[test]
fn only_the_issuers_own_anchor_counts_and_only_as_a_credential() {
    let by_other = refused_later(|world| {
        world.anchored = world.ledger.act(&world.asker, &Operation::Anchor(anchor(&world.credential).1));
    });
    assert_eq!(by_other, Refusal::AnchorSender);
    let notarised = refused_later(|world| {
        let (tree, _) = anchor(&world.credential);
        let as_digest = Anchor::new(AnchorKind::Notarised, tree.root(), tree.count());
        world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(as_digest));
    });
    assert_eq!(notarised, Refusal::Anchor(AnchorError::OtherKind));
}

#[test]
fn evidence_must_be_there_fresh_and_newer_than_the_anchor() {
    assert_eq!(refused(|w| w.evidence.states.clear()), Refusal::Evidence(EvidenceError::Missing));
    for place in 0..World::new().evidence.states.len() {
        let missing = refused(|world| {
            world.evidence.states.remove(place);
        });
        let unknown_signer = Refusal::StatusUndetermined(StatusDoubt::SignerUnknown);
        assert!(missing == Refusal::Evidence(EvidenceError::Missing) || missing == unknown_signer);
    }
    let early = refused(|w| w.now = UnixSeconds(NOW.0 - 1000));
    assert!(matches!(early, Refusal::Evidence(EvidenceError::FromTheFuture) | Refusal::Holder(_)));
    let older = refused(|world| {
        let before = world.evidence.clone();
        world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&world.credential).1));
        world.ledger.seal(NOW.0 - 150);
        world.present();
        world.evidence = before;
    });
    assert_eq!(older, Refusal::Evidence(EvidenceError::OlderThanAnchor));
}

#[test]
fn freshness_has_exact_edges() {
    let world = World::new();
    let (evidence, freshness, asker) = (world.prepared(), world.policy.evidence, world.asker.did());
    let as_of = NOW.0 - 100;
    let at = |seconds: i64| {
        let now = UnixSeconds(seconds);
        standing(&asker, &asked(&["name"]), Some(PURPOSE), &evidence, freshness, now).map(|standing| standing.as_of)
    };
    let (earliest, latest) = (as_of - freshness.leeway, as_of + freshness.max_age + freshness.leeway);
    assert_eq!(at(earliest - 1), Err(EvidenceError::FromTheFuture));
    assert_eq!(at(earliest), Ok(UnixSeconds(as_of)));
    assert_eq!(at(latest), Ok(UnixSeconds(as_of)));
    assert_eq!(at(latest + 1), Err(EvidenceError::Stale));
}

#[test]
fn accreditations_are_read_as_of_the_anchor() {
    let end = |world: &mut World, subject: &dyn Fn(&World) -> &Party, accreditation: u64| {
        let operation = Operation::EndAccreditation(EndAccreditation { subject: subject(world).did(), accreditation });
        world.ledger.act(&world.authority, &operation);
        world.ledger.seal(NOW.0 - 200);
        world.present();
        world.fetch();
    };
    let grant = |world: &World, by_operation: &str| {
        (0..world.anchored).find(|index| payload_of(world, *index).contains(by_operation)).unwrap()
    };
    let mut world = World::new();
    let issuers = grant(&world, "\"role\":\"issuer\"");
    end(&mut world, &|w| &w.issuer, issuers);
    assert!(world.judge().is_ok(), "it was accredited when the credential was anchored");
    world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&world.credential).1));
    world.ledger.seal(NOW.0 - 150);
    world.present();
    world.fetch();
    assert_eq!(world.judge().err(), Some(Refusal::IssuerNotAccredited));
    let mut world = World::new();
    let askers = grant(&world, "\"role\":\"verifier\"");
    end(&mut world, &|w| &w.asker, askers);
    assert_eq!(world.judge().err(), Some(Refusal::AskerType), "an asker must be accredited now");
}

fn payload_of(world: &World, index: u64) -> String {
    let payload = world.ledger.leaf(index).split('.').nth(1).map(crate::encoding::base64url::decode);
    payload.and_then(Result::ok).map(|bytes| String::from_utf8(bytes).unwrap()).unwrap_or_default()
}

#[test]
fn the_type_must_be_the_one_that_was_registered() {
    let refusal = refused(|world| {
        let other = format!("{{\"vct\":\"{VCT}\"}}");
        world.policy.types = vec![crate::verdict::AcceptedType::parse(other.as_bytes()).unwrap()];
    });
    assert_eq!(refusal, Refusal::TypeNotRegistered);
    let mut world = World::new();
    let newer = Schema { vct: VCT.to_owned(), digest: ledger_digest(b"a newer version") };
    world.ledger.act(&world.authority, &Operation::Schema(newer));
    world.ledger.seal(NOW.0 - 200);
    world.present();
    world.fetch();
    assert!(world.judge().is_ok(), "the credential keeps the version of its own time");
}

fn ledger_digest(bytes: &[u8]) -> ::ledger::Hash {
    ::ledger::sha256(bytes)
}

#[test]
fn an_asker_is_held_to_its_accreditation() {
    assert_eq!(refused(|w| w.ask(query(&["name", "sex"]))), Refusal::AskerClaims);
    assert_eq!(refused(|w| w.ask_for(Some("advertising"))), Refusal::AskerPurpose);
    assert_eq!(refused(|w| w.ask_for(None)), Refusal::AskerPurpose);
    let narrow = refused_later(|world| {
        // A second accreditation for the other claim does not add up with the first to a wider one.
        let other = Accredit { claims: vec![vec!["sex".to_owned()]], ..accredit(&world.asker, Role::Verifier) };
        world.ledger.act(&world.authority, &Operation::Accredit(other));
        world.ask(query(&["name", "sex"]));
    });
    assert_eq!(narrow, Refusal::AskerClaims);
}

#[test]
fn a_wallet_sees_who_asks_and_where_the_question_goes_too_far() {
    let world = World::new();
    let (evidence, freshness) = (world.prepared(), world.policy.evidence);
    let ask = |did, claims: &[&str], purpose| {
        standing(did, &asked(claims), purpose, &evidence, freshness, NOW).map(|standing| standing.excess)
    };
    let asker = world.asker.did();
    assert_eq!(ask(&asker, &["name"], Some(PURPOSE)), Ok(Vec::new()));
    let query_id = || "id".to_owned();
    let claims = vec![crate::sd_jwt::ClaimPath::top("sex")];
    assert_eq!(ask(&asker, &["name", "sex"], Some(PURPOSE)), Ok(vec![Excess::Claims { query_id: query_id(), claims }]));
    assert_eq!(ask(&asker, &["name"], None), Ok(vec![Excess::Purpose { query_id: query_id() }]));
    let issuer = world.issuer.did();
    assert_eq!(ask(&issuer, &["name"], None), Ok(vec![Excess::Type { query_id: query_id() }]));
    let stranger = Party::new(9, ServiceType::Verifier).did();
    assert_eq!(ask(&stranger, &["name"], None), Err(EvidenceError::Missing));
    let known = standing(&asker, &asked(&["name"]), Some(PURPOSE), &evidence, freshness, NOW).unwrap();
    assert_eq!(known.label.unwrap().zh, "示例部门");
}

#[test]
fn a_stranger_is_proven_to_be_one() {
    let stranger = Party::new(9, ServiceType::Verifier);
    let mut world = World::new();
    for state_key in [crate::registry::did_key(&stranger.did()), crate::registry::accreditation_key(&stranger.did())] {
        world.evidence.states.push(world.ledger.state_proof(&state_key, NOW.0 - 100));
    }
    let (evidence, freshness) = (world.prepared(), world.policy.evidence);
    let standing = standing(&stranger.did(), &asked(&["name"]), Some(PURPOSE), &evidence, freshness, NOW).unwrap();
    assert_eq!(standing.label, None);
    assert_eq!(standing.excess, vec![Excess::Type { query_id: "id".to_owned() }]);
}

#[test]
fn of_several_refusals_the_most_telling_is_reported() {
    let refusal = refused(|world| {
        world.ask_for(Some("advertising"));
        world.evidence.status_lists.clear();
        let mut forged = world.token["id"][0].clone();
        forged.insert(forged.find('.').unwrap() + 5, 'A');
        world.token.insert("id".to_owned(), vec![forged]);
    });
    assert!(matches!(refusal, Refusal::SdJwt(_) | Refusal::Credential(_) | Refusal::Anchor(_)), "{refusal:?}");
    let beside = |change: &dyn Fn(&mut World)| {
        refused(|world| {
            world.ask_for(Some("advertising"));
            change(world);
        })
    };
    let revoked = beside(&|world| world.list(&world.status_list(ListStatus::Invalid, &world.issuer)));
    assert_eq!(revoked, Refusal::Revoked, "says more than what the asker may not");
    let undetermined = beside(&|world| world.evidence.status_lists.clear());
    assert_eq!(undetermined, Refusal::AskerPurpose, "says more than what nobody can say");
}

#[test]
fn a_wrong_key_name_is_refused_before_anything_is_fetched() {
    let world = World::new();
    let refuse = |text: &str| {
        let mut world = World::new();
        world.token.insert("id".to_owned(), vec![text.to_owned()]);
        needs(&world.presentation(), &world.policy).expect_err("must be refused")
    };
    assert_eq!(refuse("nonsense"), Refusal::SdJwt(SdJwtError::NoTilde));
    let header = crate::encoding::base64url::encode(br#"{"alg":"EdDSA","typ":"dc+sd-jwt","kid":"did:key:z6Mk#z6Mk"}"#);
    let rest = world.token["id"][0].split_once('.').unwrap().1;
    assert!(matches!(refuse(&format!("{header}.{rest}")), Refusal::IssuerName(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever character of the presentation is changed: refused, never accepted with other content.
    #[test]
    fn no_changed_character_of_the_presentation_is_accepted(at: prop::sample::Index, with in "[A-Za-z0-9_.~-]") {
        let mut world = World::new();
        let text = world.token["id"][0].clone();
        let at = at.index(text.len());
        let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        prop_assume!(changed != text);
        world.token.insert("id".to_owned(), vec![changed]);
        prop_assert!(world.judge().is_err());
    }

    /// Whatever byte of the evidence is changed: the proof fails, or the verdict is refused.
    #[test]
    fn no_changed_byte_of_a_proven_value_is_accepted(place: prop::sample::Index, at: prop::sample::Index) {
        let mut world = World::new();
        let value = place.get_mut(&mut world.evidence.states).value.as_mut().unwrap();
        let at = at.index(value.len());
        value[at] ^= 1;
        prop_assert!(world.judge().is_err());
    }
}

#[test]
fn a_ledger_that_shows_two_histories_is_relied_on_for_nothing() {
    let mut world = World::new();
    let mut fork = world.ledger.clone();
    world.ledger.seal(NOW.0 - 200);
    fork.seal(NOW.0 - 201);
    world.fetch();
    world.present();
    assert!(world.judge().is_ok());
    // The same validators certified another last entry at the same size.
    std::mem::swap(&mut world.ledger, &mut fork);
    world.present();
    assert_eq!(world.judge().unwrap_err(), Refusal::Anchor(AnchorError::SplitView));
    world.evidence.states.push(world.ledger.state_proof(&schema_key(VCT), NOW.0 - 100));
    assert_eq!(world.judge().unwrap_err(), Refusal::Evidence(EvidenceError::SplitView));
}

#[test]
fn a_history_is_held_against_all_that_were_seen_not_the_last_one_alone() {
    let mut world = World::new();
    let mut fork = world.ledger.clone();
    world.ledger.seal(NOW.0 - 200);
    fork.seal(NOW.0 - 201);
    let state_key = schema_key(VCT);
    let mut evidence = PreparedEvidence::new(world.ledger.trust_root());
    evidence.add_state(&world.ledger.state_proof(&state_key, NOW.0 - 100)).unwrap();
    world.ledger.seal(NOW.0 - 150);
    evidence.add_state(&world.ledger.state_proof(&state_key, NOW.0 - 100)).unwrap();
    let of_the_fork = evidence.add_state(&fork.state_proof(&state_key, NOW.0 - 100));
    assert_eq!(of_the_fork, Err(EvidenceError::SplitView));
}

#[test]
fn older_knowledge_never_replaces_newer() {
    let mut world = World::new();
    let state_key = schema_key(VCT);
    let before = world.ledger.state_proof(&state_key, NOW.0 - 100);
    world.ledger.seal(NOW.0 - 200);
    // The log has grown, and then its checkpoint was cosigned once more.
    let after = world.ledger.state_proof(&state_key, NOW.0 - 100);
    let again = world.ledger.state_proof(&state_key, NOW.0 - 90);
    let known = |proofs: [&::ledger::StateProof; 2]| {
        let mut evidence = PreparedEvidence::new(world.ledger.trust_root());
        proofs.iter().for_each(|proof| evidence.add_state(proof).unwrap());
        let known = evidence.credential_type(VCT, Reading::fresh(world.policy.evidence, NOW)).unwrap();
        (known.until, known.as_of)
    };
    let (grown, size_before) = (world.anchored + 2, world.anchored + 1);
    assert_eq!(known([&before, &before]), (size_before, UnixSeconds(NOW.0 - 100)));
    for proofs in [[&before, &after], [&after, &before]] {
        assert_eq!(known(proofs), (grown, UnixSeconds(NOW.0 - 100)));
    }
    for proofs in [[&after, &again], [&again, &after]] {
        assert_eq!(known(proofs), (grown, UnixSeconds(NOW.0 - 90)));
    }
}

fn asked(claims: &[&str]) -> crate::dcql::Query {
    crate::dcql::Query::from_json(&query(claims)).unwrap()
}
