//! Several credentials in one answer: each with its own key binding and anchor proof, and one that does not hold
//! refuses them all.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::credentials::Draft;
use crate::anchor::AnchorError;
use crate::dcql::{AnswerError, OutlineError, Query};
use crate::kb_jwt::KbJwtError;
use crate::registry::Operation;
use crate::sample::parties::twin;
use crate::sample::world::{NOW, VCT, World, anchor, holder};
use crate::verdict::{AnchorRule, Refusal, Status, needs};

/// A credential query for the sample type, with more members.
fn asked(id: &str, more: &Value) -> Value {
    let mut query =
        json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [{"path": ["name"]}]});
    query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    query
}

/// Two credentials of one holder, each with the log index of its anchor.
type Both = [(String, u64); 2];

fn both() -> (World, Both) {
    let mut world = World::new();
    let first = (world.credential.clone(), world.anchored);
    let second = Draft::good().issue(&world.issuer);
    let index = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&second).1));
    world.ledger.seal(NOW.0 - 200);
    world.fetch();
    (world, [first, (second, index)])
}

/// Asks this, and answers each query with some of the two.
fn asked_and_answered(question: Value, answers: &[(&str, &[usize])]) -> World {
    Query::from_json(&question).unwrap().check_askable().unwrap();
    let (mut world, both) = both();
    world.ask(question);
    let (mut token, mut anchors) = (BTreeMap::new(), BTreeMap::new());
    for (id, places) in answers {
        let (mut shown, mut proofs) = (Vec::new(), Vec::new());
        for (credential, anchored) in places.iter().map(|place| &both[*place]) {
            (world.credential, world.anchored) = (credential.clone(), *anchored);
            let transaction_data = world.to_sign(id);
            shown.push(world.shown_to(world.occasion(&transaction_data), &["name"], &holder(), NOW));
            proofs.push(json!(world.anchor_proof()));
        }
        token.insert((*id).to_owned(), shown);
        anchors.insert((*id).to_owned(), proofs);
    }
    (world.token, world.anchors) = (token, Some(anchors));
    world
}

/// The first answers `a`, the second `b`.
fn two() -> World {
    let question = json!({"credentials": [asked("a", &json!({})), asked("b", &json!({}))]});
    asked_and_answered(question, &[("a", &[0]), ("b", &[1])])
}

/// Both under one query that asks for several.
fn both_for_one(multiple: bool) -> World {
    let question = json!({"credentials": [asked("a", &json!({"multiple": multiple}))]});
    asked_and_answered(question, &[("a", &[0, 1])])
}

fn refused(change: impl FnOnce(&mut World)) -> Refusal {
    let mut world = two();
    change(&mut world);
    world.judge().expect_err("must be refused")
}

fn shown(world: &mut World, id: &str, change: impl FnOnce(&str) -> String) {
    let changed = change(&world.token[id][0]);
    world.token.insert(id.to_owned(), vec![changed]);
}

#[test]
fn each_credential_is_verified_for_its_own_query() {
    let world = two();
    assert_eq!(needs(&world.presentation(), &world.policy).unwrap().states.len(), 6, "one issuer, asked about once");
    let verified = world.judge().unwrap();
    for (id, name) in [("a", "样本甲"), ("b", "样本乙")] {
        let credential = &verified.credentials()[id][0];
        assert_eq!((credential.claims.as_map()["name"].as_str(), credential.status), (Some(name), Status::Valid));
    }
    let index = |id: &str| verified.credentials()[id][0].anchor.as_ref().unwrap().index();
    assert!(index("a") < index("b"));
}

#[test]
fn one_that_does_not_hold_refuses_all() {
    for id in ["a", "b"] {
        let other = if id == "a" { "b" } else { "a" };
        let stripped = refused(|w| shown(w, id, |text| text.rsplit_once('~').unwrap().0.to_owned() + "~"));
        assert_eq!(stripped, Refusal::Holder(KbJwtError::Missing), "{id}");
        let swapped = refused(|w| {
            let theirs = w.token[other][0].rsplit_once('~').unwrap().1.to_owned();
            shown(w, id, |text| format!("{}~{theirs}", text.rsplit_once('~').unwrap().0));
        });
        assert_eq!(swapped, Refusal::Holder(KbJwtError::SdHash), "{id}: a key binding counts for one presentation");
        let no_name = refused(|w| {
            w.credential = w.token[id][0].split('~').next().unwrap().to_owned() + "~";
            let transaction_data = w.to_sign(id);
            let text = w.shown_to(w.occasion(&transaction_data), &[], &holder(), NOW);
            w.token.insert(id.to_owned(), vec![text]);
        });
        assert_eq!(no_name, Refusal::Answer(AnswerError::Claims), "{id}");
        let missing = refused(|w| drop(w.anchors.as_mut().unwrap().remove(id)));
        assert_eq!(missing, Refusal::AnchorMissing, "{id}");
        let unanswered = refused(|w| drop(w.token.remove(id)));
        assert_eq!(unanswered, Refusal::Outline(OutlineError::Unanswered), "{id}");
    }
}

#[test]
fn an_anchor_proof_counts_for_its_own_credential() {
    let exchanged = refused(|w| {
        let anchors = w.anchors.as_mut().unwrap();
        let (a, b) = (anchors.remove("a").unwrap(), anchors.remove("b").unwrap());
        anchors.insert("a".to_owned(), b);
        anchors.insert("b".to_owned(), a);
    });
    assert_eq!(exchanged, Refusal::Anchor(AnchorError::NotInBatch));
    let mut world = both_for_one(true);
    world.anchors.as_mut().unwrap().get_mut("a").unwrap().swap(0, 1);
    assert_eq!(world.judge().err(), Some(Refusal::Anchor(AnchorError::NotInBatch)), "proofs stand in the same order");
    world.anchors.as_mut().unwrap().get_mut("a").unwrap().pop();
    assert_eq!(world.judge().err(), Some(Refusal::AnchorCount));
}

#[test]
fn several_answer_a_query_for_several_and_only_that() {
    let verified = both_for_one(true).judge().unwrap();
    let names: Vec<&Value> = verified.credentials()["a"].iter().map(|one| &one.claims.as_map()["name"]).collect();
    assert_eq!(names, ["样本甲", "样本乙"], "in the order of the answer");
    assert_eq!(both_for_one(false).judge().err(), Some(Refusal::Outline(OutlineError::Count)));
    let mut world = both_for_one(true);
    let twice = vec![world.token["a"][0].clone(); 2];
    world.token.insert("a".to_owned(), twice);
    assert_eq!(world.judge().err(), Some(Refusal::Outline(OutlineError::Twice)));
}

#[test]
fn the_other_signature_of_one_credential_makes_no_second_one() {
    let mut world = both_for_one(true);
    (world.anchors, world.policy.anchor) = (None, AnchorRule::Optional);
    let credential = world.credential.clone();
    let (issued, disclosures) = credential.split_once('~').unwrap();
    let transaction_data = world.to_sign("a");
    let mut shown = |credential: &str| {
        world.credential = credential.to_owned();
        world.shown_to(world.occasion(&transaction_data), &["name"], &holder(), NOW)
    };
    let (one, other) = (shown(&credential), shown(&format!("{}~{disclosures}", twin(issued))));
    world.token.insert("a".to_owned(), vec![other.clone()]);
    assert!(world.judge().is_ok(), "by itself it is as good as the first");
    world.token.insert("a".to_owned(), vec![one, other]);
    assert_eq!(world.judge().err(), Some(Refusal::Outline(OutlineError::Twice)));
}

#[test]
fn a_set_is_met_by_one_of_its_options() {
    let with = |sets: Value, answers: &[(&str, &[usize])]| {
        let credentials = json!([asked("a", &json!({})), asked("b", &json!({})), asked("c", &json!({}))]);
        asked_and_answered(json!({"credentials": credentials, "credential_sets": sets}), answers)
    };
    let of_both: &[(&str, &[usize])] = &[("a", &[0]), ("b", &[1])];
    let mut world = with(json!([{"options": [["c"], ["a"]]}, {"options": [["b"]], "required": false}]), of_both);
    assert_eq!(world.judge().unwrap().credentials().len(), 2);
    world.token.remove("b");
    assert_eq!(world.judge().unwrap().credentials().len(), 1, "what is optional may be left out");
    let world = with(json!([{"options": [["c"], ["a"]]}]), of_both);
    assert_eq!(world.judge().err(), Some(Refusal::Outline(OutlineError::Unasked)), "b meets nothing");
    let world = with(json!([{"options": [["c"]]}, {"options": [["a", "b"]], "required": false}]), of_both);
    assert_eq!(world.judge().err(), Some(Refusal::Outline(OutlineError::Unanswered)));
    // What is optional must hold all the same if it is shown.
    let mut world = with(json!([{"options": [["a"]]}, {"options": [["b"]], "required": false}]), of_both);
    shown(&mut world, "b", |text| text.rsplit_once('~').unwrap().0.to_owned() + "~");
    assert_eq!(world.judge().err(), Some(Refusal::Holder(KbJwtError::Missing)));
}

#[test]
fn only_named_issuers_will_do() {
    let by = |did: &str| {
        let authorities = json!({"trusted_authorities": [{"type": "xinfu_ledger", "values": [did]}]});
        let question = json!({"credentials": [asked("a", &authorities), asked("b", &json!({}))]});
        asked_and_answered(question, &[("a", &[0]), ("b", &[1])]).judge().map(|_| ())
    };
    let world = World::new();
    assert_eq!(by(world.issuer.did().as_str()), Ok(()));
    assert_eq!(by(world.asker.did().as_str()), Err(Refusal::Answer(AnswerError::Authority)));
}
