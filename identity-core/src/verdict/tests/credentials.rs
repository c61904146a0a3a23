//! Credentials that their issuer should not have made, and answers that do not answer.

use ledger::sha256;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::crypto::Signer as _;
use crate::dcql::{AnswerError, OutlineError};
use crate::kb_jwt::{Confirmation, KbJwtError, Occasion};
use crate::registry::{
    Accredit, Delegate, Operation, Role, Schema, ServiceType, accreditation_key, did_key, schema_key,
};
use crate::sample::ledger::START;
use crate::sample::parties::Party;
use crate::sample::world::{INDEX, LIST, NONCE, NOW, TYPE, VCT, World, accredit, anchor, duty, holder, query};
use crate::sd_jwt::{ClaimPath, Concealment, HashAlg};
use crate::sd_jwt_vc::{self, CredentialError, Registered, TypeError, TypeMetadata};
use crate::status::Reference;
use crate::time::UnixSeconds;
use crate::verdict::{AcceptedType, AnchorRule, OnUndetermined, Refusal, Status, StatusDoubt};

/// What a credential says, to be changed before it is issued.
pub(super) struct Draft {
    issuer: String,
    vct: &'static str,
    not_before: Option<UnixSeconds>,
    holder: Option<Confirmation>,
    status: Option<Reference>,
    subject: Value,
    concealed: Vec<&'static str>,
    integrity: Option<String>,
}

impl Draft {
    pub(super) fn good() -> Self {
        Self {
            issuer: "https://d2.example".to_owned(),
            vct: VCT,
            not_before: None,
            holder: Some(Confirmation::jwk(holder().public_key().clone())),
            status: Some(Reference { index: INDEX, uri: LIST.to_owned() }),
            subject: json!({"name": "样本乙", "address": {"region": "样本市"}, "sex": "1", "valid_until": "2030-01-01"}),
            concealed: vec!["name", "address", "sex"],
            integrity: None,
        }
    }

    pub(super) fn issue(&self, by: &Party) -> String {
        let registered = Registered {
            issuer: &self.issuer,
            vct: self.vct,
            vct_integrity: self.integrity.as_deref(),
            issued_at: UnixSeconds(START + 3600),
            not_before: self.not_before,
            expires: None,
            holder: self.holder.as_ref(),
            status: self.status.as_ref(),
        };
        let concealment = self
            .concealed
            .iter()
            .fold(Concealment::new(HashAlg::Sha256), |concealment, name| concealment.conceal(&ClaimPath::top(*name)));
        let subject = self.subject.as_object().unwrap();
        let (kid, mut rng) = (by.key_name("assert-1"), StdRng::seed_from_u64(6));
        sd_jwt_vc::issue(&registered, subject, &concealment, &kid, &by.asserter(), &mut rng).unwrap()
    }
}

/// A world in which this credential was issued and anchored, and is presented.
fn world_with(draft: &Draft) -> World {
    let mut world = World::new();
    world.credential = draft.issue(&world.issuer);
    world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&world.credential).1));
    world.ledger.seal(NOW.0 - 200);
    world.present();
    world.fetch();
    world
}

fn refused(change: impl FnOnce(&mut Draft)) -> Refusal {
    let mut draft = Draft::good();
    change(&mut draft);
    world_with(&draft).judge().expect_err("must be refused")
}

#[test]
fn the_draft_is_good_as_it_stands() {
    assert!(world_with(&Draft::good()).judge().is_ok());
}

#[test]
fn what_an_issuer_should_not_have_issued_is_refused() {
    assert_eq!(refused(|draft| draft.issuer = "https://d3.example".to_owned()), Refusal::IssuerAddress);
    assert_eq!(refused(|draft| draft.issuer = "https://d2.example/".to_owned()), Refusal::IssuerAddress);
    assert_eq!(refused(|draft| draft.vct = "urn:sample:other"), Refusal::IssuerNotAccredited);
    let early = refused(|draft| draft.not_before = Some(UnixSeconds(NOW.0 + 31)));
    assert_eq!(early, Refusal::Credential(CredentialError::NotYetValid));
    assert_eq!(refused(|draft| draft.holder = None), Refusal::Holder(KbJwtError::CnfMissing));
    let incomplete = refused(|draft| {
        draft.subject.as_object_mut().unwrap().remove("valid_until");
    });
    assert_eq!(incomplete, Refusal::Type(TypeError::MandatoryMissing));
    let open = refused(|draft| {
        draft.concealed = vec!["name", "sex"];
        draft.subject["address"] = json!({"region": "样本市"});
    });
    assert!(matches!(open, Refusal::Type(TypeError::NotDisclosable)), "{open:?}");
}

#[test]
fn a_credential_that_names_the_metadata_of_its_type_names_the_bytes_that_the_ledger_registered() {
    let with = |integrity: &str| {
        let mut draft = Draft::good();
        draft.integrity = Some(integrity.to_owned());
        world_with(&draft).judge().err()
    };
    let good = TypeMetadata::integrity_of(TYPE.as_bytes());
    assert_eq!(with(&good), None);
    assert_eq!(with(&format!("{} {good}", TypeMetadata::integrity_of(b"another version"))), None, "one of several");
    // Of the same words in other bytes.
    let spaced = TypeMetadata::integrity_of(format!("{TYPE} ").as_bytes());
    assert_eq!(with(&spaced), Some(Refusal::Type(TypeError::Integrity)));
    assert_eq!(with(&format!("{good} sha512-AA==")), Some(Refusal::Type(TypeError::Integrity)), "the strongest counts");
    for unusable in ["", "md5-AA==", "sha256"] {
        assert_eq!(with(unusable), Some(Refusal::Type(TypeError::IntegrityUnusable)), "{unusable}");
    }
}

/// The sample type again, in whose metadata all rules are inherited.
const CHILD: &str = "urn:sample:credential:resident:child";

/// A world in which a credential of [`CHILD`] is shown, whose metadata extends the sample type's.
fn world_of_child() -> World {
    let mut world = World::new();
    let integrity = TypeMetadata::integrity_of(TYPE.as_bytes());
    let metadata = json!({"vct": CHILD, "extends": VCT, "extends#integrity": integrity}).to_string();
    let operation = Operation::Schema(Schema { vct: CHILD.to_owned(), digest: sha256(metadata.as_bytes()) });
    world.ledger.act(&world.authority, &operation);
    world.policy.types.push(AcceptedType::extending(metadata.as_bytes(), &[TYPE.as_bytes()]).unwrap());
    let types = vec![VCT.to_owned(), CHILD.to_owned()];
    let wider = Delegate { types, ..duty() };
    world.ledger.act(&world.asker, &Operation::Delegate(Box::new(wider)));
    world.ask(for_types(&[VCT, CHILD]));
    world
}

fn accredited_for_child(world: &mut World) {
    for (party, role) in [(&world.issuer, Role::Issuer), (&world.asker, Role::Verifier)] {
        let grant = Accredit { types: vec![CHILD.to_owned()], ..accredit(party, role) };
        world.ledger.act(&world.authority, &Operation::Accredit(grant));
    }
}

fn shown_of_child(world: &mut World, draft: &Draft) -> Option<Refusal> {
    world.credential = draft.issue(&world.issuer);
    world.anchored = world.ledger.act(&world.issuer, &Operation::Anchor(anchor(&world.credential).1));
    world.ledger.seal(NOW.0 - 200);
    world.present();
    world.fetch();
    world.evidence.states.push(world.ledger.state_proof(&schema_key(CHILD), NOW.0 - 100));
    world.judge().err()
}

#[test]
fn an_extended_type_gives_its_rules_and_no_authority() {
    let child = || Draft { vct: CHILD, ..Draft::good() };
    let mut world = world_of_child();
    accredited_for_child(&mut world);
    assert_eq!(shown_of_child(&mut world, &child()), None);

    // Whoever may issue the type that is extended may not issue this one.
    let grant = |world: &mut World| {
        let grant = Accredit { types: vec![CHILD.to_owned()], ..accredit(&world.asker, Role::Verifier) };
        world.ledger.act(&world.authority, &Operation::Accredit(grant));
    };
    let mut world = world_of_child();
    grant(&mut world);
    assert_eq!(shown_of_child(&mut world, &child()), Some(Refusal::IssuerNotAccredited));

    let mut world = world_of_child();
    accredited_for_child(&mut world);
    let open = Draft { concealed: vec!["address", "sex"], ..child() };
    assert_eq!(
        shown_of_child(&mut world, &open),
        Some(Refusal::Type(TypeError::NotDisclosable)),
        "rules are inherited"
    );

    // Asked for the type that is extended, it is another type.
    let mut world = world_of_child();
    accredited_for_child(&mut world);
    world.ask(for_types(&[VCT]));
    assert_eq!(shown_of_child(&mut world, &child()), Some(Refusal::Answer(AnswerError::Type)));
}

#[test]
fn a_credential_without_status_is_undetermined() {
    let mut world = world_with(&Draft { status: None, ..Draft::good() });
    assert_eq!(world.judge().err(), Some(Refusal::StatusUndetermined(StatusDoubt::NotListed)));
    world.policy.undetermined = OnUndetermined::Accept;
    let verified = world.judge().unwrap();
    assert_eq!(verified.credentials()["id"][0].status, Status::Undetermined(StatusDoubt::NotListed));
}

#[test]
fn an_issuer_whom_the_ledger_proves_unknown_is_refused() {
    let stranger = Party::new(12, ServiceType::Issuer);
    let mut world = World::new();
    world.credential = Draft { issuer: stranger.address(), ..Draft::good() }.issue(&stranger);
    world.policy.anchor = AnchorRule::Optional;
    world.present();
    world.anchors = None;
    for state_key in [did_key(&stranger.did()), accreditation_key(&stranger.did())] {
        world.evidence.states.push(world.ledger.state_proof(&state_key, NOW.0 - 100));
    }
    assert_eq!(world.judge().err(), Some(Refusal::IssuerUnknown));
}

/// The good credential, presented with these claims on this occasion.
fn presented(claims: &[&str], audience: Option<&str>, nonce: &str) -> World {
    let mut world = World::new();
    let audience = audience.unwrap_or(world.request.client_id.as_str()).to_owned();
    let transaction_data = world.to_sign("id");
    let occasion = Occasion { audience: &audience, nonce, transaction_data: &transaction_data };
    let text = world.shown_to(occasion, claims, &holder(), NOW);
    world.token.insert("id".to_owned(), vec![text]);
    world
}

#[test]
fn a_presentation_made_for_someone_else_or_once_before_is_refused() {
    let refusal = |audience, nonce| presented(&["name", "address"], audience, nonce).judge().err();
    assert_eq!(refusal(None, "another-nonce"), Some(Refusal::Holder(KbJwtError::Nonce)));
    let elsewhere = Some("decentralized_identifier:did:key:z6Mk");
    assert_eq!(refusal(elsewhere, NONCE), Some(Refusal::Holder(KbJwtError::Audience)));
    let without_prefix = World::new().asker.did().to_string();
    assert_eq!(refusal(Some(&without_prefix), NONCE), Some(Refusal::Holder(KbJwtError::Audience)));
}

#[test]
fn an_answer_must_answer_exactly_what_was_asked() {
    let short = presented(&["name"], None, NONCE).judge().err();
    assert_eq!(short, Some(Refusal::Answer(AnswerError::Claims)));
    let mut world = World::new();
    world.ask(valued("样本丙"));
    assert_eq!(world.judge().err(), Some(Refusal::Answer(AnswerError::Values)));
    world.ask(valued("样本甲"));
    assert!(world.judge().is_ok());
    let mut world = World::new();
    let other = world.token["id"].clone();
    world.token.insert("other".to_owned(), other.clone());
    assert_eq!(world.judge().err(), Some(Refusal::Outline(OutlineError::Unasked)));
    world.token.remove("id");
    assert_eq!(world.judge().err(), Some(Refusal::Outline(OutlineError::Unasked)));
    world.token = [("id".to_owned(), [other.clone(), other].concat())].into();
    assert_eq!(world.judge().err(), Some(Refusal::Outline(OutlineError::Count)));
    let mut world = World::new();
    let mut two = query(&["name"]);
    let mut second = two["credentials"][0].clone();
    second["id"] = "second".into();
    two["credentials"].as_array_mut().unwrap().push(second);
    world.ask(two);
    assert_eq!(world.judge().err(), Some(Refusal::Outline(OutlineError::Unanswered)));
}

fn valued(name: &str) -> Value {
    let claims = json!([{"path": ["name"], "values": [name]}]);
    let credential = json!({"id": "id", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": claims});
    json!({ "credentials": [credential] })
}

/// The sample question, of credentials of any of these types.
fn for_types(types: &[&str]) -> Value {
    let mut asked = query(&["name", "address"]);
    asked["credentials"][0]["meta"]["vct_values"] = json!(types);
    asked
}

#[test]
fn what_was_disclosed_unasked_is_not_released() {
    let world = presented(&["name", "address", "sex"], None, NONCE);
    let verified = world.judge().unwrap();
    let claims = verified.credentials()["id"][0].claims.as_map();
    let mut names: Vec<&str> = claims.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["address", "name", "valid_until"]);
}

#[test]
fn what_is_asked_for_inside_a_disclosure_is_released_with_it() {
    let mut world = World::new();
    let claims = json!([{"path": ["name"]}, {"path": ["address", "region"]}]);
    let credential = json!({"id": "id", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": claims});
    world.ask(json!({ "credentials": [credential] }));
    let verified = world.judge().unwrap();
    assert_eq!(verified.credentials()["id"][0].claims.as_map()["address"], json!({"region": "样本市"}));
}
