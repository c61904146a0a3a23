//! A bundle holds as it was written and read as of its moment; every part of it that is missing, changed or another's
//! is refused by its own name.

use std::collections::BTreeMap;

use ledger::batch::BatchTree;
use ledger::sha256;
use serde_json::{Value, json};

use super::{Bundle, BundleError, Checked, Full, Holder, Moment};
use crate::anchor::{AnchorError, AnchorProof, BatchPath};
use crate::crypto::Signer;
use crate::did::{Did, DidUrl};
use crate::duty::DutyError;
use crate::encoding::base64url;
use crate::jose::{Jwk, SignHeader, sign_compact, typ};
use crate::problem::Code;
use crate::receipt::{ChainHead, Receipt, ReceiptError};
use crate::registry::{
    Accredit, Anchor, AnchorKind, DutyHolder, EndAccreditation, EndDelegation, Operation, Role, ServiceType, Update,
    accreditation_key, did_key, duty_key, member_key,
};
use crate::sample::ledger::SampleLedger;
use crate::sample::parties::{Party, entry, key};
use crate::sample::world::{DUTY, NOW, PURPOSE, VCT, World, accredit, holder, query};
use crate::time::UnixMillis;
use crate::trust;

/// A world in which something was asked and answered.
struct Scene {
    world: World,
    receipt: Receipt,
}

impl Scene {
    fn new() -> Self {
        Self::in_world(World::new())
    }

    /// The same where the service was accredited by a province, and the province by the authority.
    fn below_a_province() -> Self {
        let (authority, issuer) = (Party::new(1, ServiceType::Ledger), Party::new(2, ServiceType::Issuer));
        let (asker, province) = (Party::new(3, ServiceType::Verifier), Party::new(4, ServiceType::Verifier));
        let ledger = SampleLedger::founded_by(&[&authority, &issuer, &asker, &province], &authority);
        let mut world = World::on(ledger, authority, issuer, asker);
        let end = EndAccreditation { subject: world.asker.did(), accreditation: given(&world, &world.asker.did()) };
        world.ledger.act(&world.authority, &Operation::EndAccreditation(end));
        let delegable = Accredit { delegable: true, ..accredit(&province, Role::Verifier) };
        world.ledger.act(&world.authority, &Operation::Accredit(delegable));
        world.ledger.act(&province, &Operation::Accredit(accredit(&world.asker, Role::Verifier)));
        world.ledger.seal(NOW.0 - 400);
        Self::in_world(world)
    }

    fn in_world(world: World) -> Self {
        let receipt = world.receipt(ChainHead::default(), None);
        Self { world, receipt }
    }

    fn text(&self) -> String {
        let name = DidUrl::parse(&self.world.asker.key_name("auth-1")).unwrap();
        self.receipt.sign(&name, &self.world.asker.authenticator()).unwrap()
    }

    fn request(&self) -> String {
        self.world.request_object()
    }

    fn key_bindings(&self) -> Vec<String> {
        self.world.token.values().flatten().map(|text| text.rsplit('~').next().unwrap().to_owned()).collect()
    }

    fn full(&self) -> Full {
        let anchors = BTreeMap::from([("id".to_owned(), vec![self.world.anchor_proof()])]);
        Full { vp_token: self.world.token.clone(), anchors }
    }

    /// The service brings its receipt onto the ledger.
    fn anchor(&mut self) -> AnchorProof {
        let text = self.text();
        let index = self.world.ledger.act(&self.world.asker, &Operation::Anchor(range(&text)));
        self.world.ledger.seal(NOW.0 + 60);
        self.proof(index)
    }

    fn proof(&self, index: u64) -> AnchorProof {
        let tree = BatchTree::new(&[sha256(self.text().as_bytes())]).unwrap();
        let batch = BatchPath { index: 0, count: 1, path: tree.path(0).unwrap() };
        let transaction = self.world.ledger.leaf(index).to_owned();
        AnchorProof { batch, transaction, proof: self.world.ledger.log_proof(index, NOW.0 + 100) }
    }

    fn bundle(&self, proof: Option<AnchorProof>, full: Option<Full>) -> Bundle {
        self.whole(Bundle::of(self.request(), self.text(), proof, self.key_bindings(), full))
    }

    /// With all that the ledger is asked for.
    fn whole(&self, bundle: Bundle) -> Bundle {
        self.world.complete(bundle, NOW.plus(100))
    }

    fn check(&self, bundle: &Bundle) -> Result<Checked, BundleError> {
        Bundle::parse(bundle.to_text().as_bytes())?.check(&self.world.ledger.trust_root())
    }

    fn refused(&self, bundle: &Bundle) -> BundleError {
        self.check(bundle).expect_err("must be refused")
    }

    /// What comes of a bundle whose JSON was changed and its digest made anew, as a forger would.
    fn forged(&self, bundle: &Bundle, change: impl FnOnce(&mut Value)) -> BundleError {
        let mut value = serde_json::to_value(bundle).unwrap();
        change(&mut value);
        let text = sealed(&value.to_string());
        let parsed = Bundle::parse(text.as_bytes());
        parsed.and_then(|bundle| bundle.check(&self.world.ledger.trust_root())).expect_err("must be refused")
    }
}

/// JSON with the digest that its file would have.
fn sealed(json: &str) -> String {
    let said = json.strip_suffix('}').unwrap();
    format!("{said},\"sha256\":\"{}\"}}\n", sha256(said.as_bytes()).to_base64url())
}

fn signed(payload: &Value, party: &Party, key: &dyn Signer) -> String {
    let name = party.key_name("auth-1");
    let header = SignHeader::new(typ::REQUEST_OBJECT).kid(&name);
    sign_compact(header, payload.to_string().as_bytes(), key).unwrap()
}

fn range(text: &str) -> Anchor {
    let digest = sha256(text.as_bytes());
    let tree = BatchTree::new(&[digest]).unwrap();
    let anchor = Anchor::new(AnchorKind::Receipt, tree.root(), 1);
    Anchor { first: Some(1), last: Some(1), head: Some(digest), ..anchor }
}

/// Number of the first accreditation that somebody was given.
fn given(world: &World, subject: &Did) -> u64 {
    let proof = world.ledger.state_proof(&accreditation_key(subject), NOW.0 - 100);
    let value = proof.verify(&world.ledger.trust_root()).unwrap();
    trust::accreditations(&value, subject).unwrap().grants[0].id
}

fn delegated(world: &World) -> u64 {
    let (asker, state) = (world.asker.did(), duty_key(&world.asker.did(), DUTY));
    let value = world.ledger.state_proof(&state, NOW.0 - 100).verify(&world.ledger.trust_root()).unwrap();
    trust::duty_history(&value, &asker, DUTY).unwrap().delegations[0].id
}

#[test]
fn a_bundle_names_everybody_who_answers_and_no_value() {
    let mut scene = Scene::below_a_province();
    let proof = scene.anchor();
    let index = proof.claimed_index().unwrap();
    let bundle = scene.bundle(Some(proof), None);
    let checked = scene.check(&bundle).unwrap();
    assert_eq!(checked.service().did, scene.world.asker.did());
    assert_eq!((checked.attestation().duty.as_str(), checked.receipt().purpose.as_str()), (DUTY, PURPOSE));
    assert_eq!(checked.delegation().title.zh, "示例窗口");
    let [chain] = checked.chains() else { panic!("one accreditation") };
    let by: Vec<_> = chain.iter().map(|link| (link.by.did.clone(), link.grant.depth)).collect();
    let province = Party::new(4, ServiceType::Verifier).did();
    assert_eq!(by, [(province, 2), (scene.world.authority.did(), 1)]);
    assert_eq!(chain[1].by.label.as_ref().unwrap().zh, "示例部门");
    assert_eq!((checked.moment(), checked.holder()), (Moment::Anchored(index), Holder::Claimed));
    assert_eq!(checked.sealed_by(), Some(UnixMillis((NOW.0 + 60) * 1000)));
    let text = bundle.to_text();
    assert!(!text.contains("样本甲") && !text.contains("vp_token"), "no value without --full");
    assert!(text.len() < 256 * 1024, "{}", text.len());
    assert!(serde_json::from_str::<Value>(&text).is_ok(), "one JSON object");
}

#[test]
fn with_the_presentation_the_holder_is_proven() {
    let mut scene = Scene::new();
    let proof = scene.anchor();
    let bundle = scene.bundle(Some(proof.clone()), Some(scene.full()));
    assert_eq!(scene.check(&bundle).unwrap().holder(), Holder::Signed);
    assert!(bundle.to_text().contains("vp_token"));
    // Without the credential's own anchor proof its issuer's key is looked up as of the receipt.
    let unanchored = Full { anchors: BTreeMap::new(), ..scene.full() };
    assert_eq!(scene.check(&scene.bundle(Some(proof), Some(unanchored))).unwrap().holder(), Holder::Signed);
}

#[test]
fn a_receipt_that_waits_is_read_as_of_the_newest_index() {
    let scene = Scene::new();
    let checked = scene.check(&scene.bundle(None, None)).unwrap();
    assert!(matches!(checked.moment(), Moment::Waiting(index) if index > 0));
}

#[test]
fn what_happened_afterwards_changes_nothing() {
    let mut scene = Scene::below_a_province();
    let proof = scene.anchor();
    let index = proof.claimed_index().unwrap();
    let world = &mut scene.world;
    let province = Party::new(4, ServiceType::Verifier).did();
    let above = given(world, &province);
    let duty = EndDelegation { duty: DUTY.to_owned(), delegation: delegated(world) };
    world.ledger.act(&world.asker, &Operation::EndDelegation(duty));
    let rotate = Update {
        add_keys: vec![entry("auth-2", 8, 2, crate::registry::KeyUse::Authentication)],
        remove_keys: vec!["auth-1".to_owned()],
        ..Update::default()
    };
    world.ledger.act(&world.asker, &Operation::Update(rotate));
    let end = EndAccreditation { subject: province, accreditation: above };
    world.ledger.act(&world.authority, &Operation::EndAccreditation(end));
    world.ledger.seal(NOW.0 + 90);
    let later = scene.bundle(Some(scene.proof(index)), None);
    assert_eq!(scene.check(&later).unwrap().moment(), Moment::Anchored(index));
    // Read as of now instead, nothing of it holds any more.
    assert_eq!(scene.refused(&scene.bundle(None, None)), BundleError::Receipt(ReceiptError::Key));
}

#[test]
fn what_ended_before_is_refused_by_its_name() {
    let before = |operation: fn(&World) -> Operation, by_authority: bool| {
        let mut scene = Scene::new();
        let operation = operation(&scene.world);
        let party = if by_authority { &scene.world.authority } else { &scene.world.asker };
        scene.world.ledger.act(party, &operation);
        scene.world.ledger.seal(NOW.0 - 200);
        let proof = scene.anchor();
        scene.refused(&scene.bundle(Some(proof), None))
    };
    let duty = before(
        |world| Operation::EndDelegation(EndDelegation { duty: DUTY.to_owned(), delegation: delegated(world) }),
        false,
    );
    assert_eq!(duty, BundleError::Duty(DutyError::Ended));
    let accredited = before(
        |world| {
            Operation::EndAccreditation(EndAccreditation {
                subject: world.asker.did(),
                accreditation: given(world, &world.asker.did()),
            })
        },
        true,
    );
    assert_eq!(accredited, BundleError::Accreditation);
}

#[test]
fn a_question_beyond_the_accreditation_does_not_hold() {
    let mut world = World::new();
    world.ask(query(&["name", "sex"]));
    let scene = Scene::in_world(world);
    assert_eq!(scene.refused(&scene.bundle(None, None)), BundleError::Accreditation);
}

#[test]
fn the_proof_of_the_receipt_is_held_against_it() {
    let mut scene = Scene::new();
    let proof = scene.anchor();
    let bundle = scene.bundle(Some(proof.clone()), None);
    let anchor = BundleError::Anchor;
    assert_eq!(
        scene.forged(&bundle, |json| json["receipt_proof"] = json!(scene.world.anchor_proof())),
        anchor(AnchorError::OtherKind)
    );
    assert_eq!(
        scene.forged(&bundle, |json| json["receipt_proof"]["batch"]["count"] = json!(2)),
        anchor(AnchorError::Count)
    );
    let foreign = Scene::new().anchor();
    let foreign = scene.forged(&bundle, |json| json["receipt_proof"] = json!(foreign));
    assert_eq!(foreign, anchor(AnchorError::OtherLedger));
    // Somebody else put it there.
    let mut scene = Scene::new();
    let text = scene.text();
    let index = scene.world.ledger.act(&scene.world.issuer, &Operation::Anchor(range(&text)));
    scene.world.ledger.seal(NOW.0 + 60);
    assert_eq!(scene.refused(&scene.bundle(Some(scene.proof(index)), None)), BundleError::AnchorSender);
}

#[test]
fn what_is_older_than_the_act_says_nothing_about_it() {
    let mut scene = Scene::new();
    let state = accreditation_key(&scene.world.asker.did());
    let old = scene.world.ledger.state_proof(&state, NOW.0 - 100);
    let proof = scene.anchor();
    let mut bundle = scene.bundle(Some(proof), None);
    bundle.add_state(old);
    assert_eq!(scene.refused(&bundle), BundleError::Behind);
}

#[test]
fn each_state_is_wanted_and_proven() {
    let mut scene = Scene::below_a_province();
    let proof = scene.anchor();
    let bundle = scene.bundle(Some(proof), Some(scene.full()));
    let (asker, issuer) = (scene.world.asker.did(), scene.world.issuer.did());
    let (province, authority) = (Party::new(4, ServiceType::Verifier).did(), scene.world.authority.did());
    let mut expected = vec![duty_key(&asker, DUTY), did_key(&authority), member_key(&authority)];
    expected.extend([&asker, &issuer, &province].into_iter().flat_map(|did| [did_key(did), accreditation_key(did)]));
    expected.sort();
    let mut held: Vec<String> = bundle.states.iter().map(|state| state.key.clone()).collect();
    held.sort();
    assert_eq!(held, expected);
    for (place, state) in bundle.states.iter().enumerate() {
        let without = scene.forged(&bundle, |json| drop(json["states"].as_array_mut().unwrap().remove(place)));
        assert_eq!(without, BundleError::Incomplete, "{}", state.key);
        let absent = scene.forged(&bundle, |json| json["states"][place]["value"] = Value::Null);
        assert_eq!(absent, BundleError::State, "{}", state.key);
        let twice = scene.forged(&bundle, |json| {
            let again = json["states"][place].clone();
            json["states"].as_array_mut().unwrap().push(again);
        });
        assert_eq!(twice, BundleError::State, "{}", state.key);
    }
}

#[test]
fn another_trust_root_believes_nothing_of_it() {
    let scene = Scene::new();
    let bundle = scene.bundle(None, None);
    let other = SampleLedger::founded_by(&[&scene.world.asker], &scene.world.asker).trust_root();
    assert_eq!(bundle.check(&other), Err(BundleError::State));
}

#[test]
fn two_histories_are_shown_as_such() {
    let mut scene = Scene::new();
    let mut fork = scene.world.ledger.clone();
    fork.seal(NOW.0 + 61);
    scene.world.ledger.seal(NOW.0 + 60);
    let mut bundle = scene.bundle(None, None);
    bundle.add_state(fork.state_proof(&did_key(&scene.world.asker.did()), NOW.0 + 100));
    assert_eq!(scene.refused(&bundle), BundleError::SplitView);
}

#[test]
fn parts_of_another_act_are_refused_by_their_names() {
    let mut scene = Scene::new();
    let proof = scene.anchor();
    let bundle = scene.bundle(Some(proof), Some(scene.full()));
    let mut other = World::new();
    other.request.nonce.push('x');
    other.attest();
    let other = Scene::in_world(other);
    let with = |name: &'static str, value: Value| scene.forged(&bundle, move |json| json[name] = value);
    assert_eq!(with("request", json!(other.request())), BundleError::OtherRequest);
    assert_eq!(with("receipt", json!(other.text())), BundleError::Anchor(AnchorError::NotInBatch));
    assert_eq!(with("key_bindings", json!(other.key_bindings())), BundleError::Holder);
    assert_eq!(with("key_bindings", json!([])), BundleError::Holder);
    assert_eq!(with("full", json!(other.full())), BundleError::Presentation);
    let proofs = scene.forged(&bundle, |json| json["full"]["anchors"]["other"] = json!([]));
    assert_eq!(proofs, BundleError::Holder);
    assert_eq!(with("format", json!("xinfu-evidence-2")), BundleError::Malformed);
    assert_eq!(with("more", json!(1)), BundleError::Malformed);
    let plain = scene.bundle(None, None);
    assert_eq!(scene.forged(&plain, |json| json["receipt"] = json!(other.text())), BundleError::OtherRequest);
    let swapped = scene.forged(&plain, |json| json["key_bindings"] = json!(other.key_bindings()));
    assert_eq!(swapped, BundleError::Holder);
}

#[test]
fn the_service_must_have_signed_what_it_is_said_to_have_signed() {
    let scene = Scene::new();
    let payload = scene.world.request.to_json();
    let with_request = |request: String| {
        scene.refused(&scene.whole(Bundle::of(request, scene.text(), None, scene.key_bindings(), None)))
    };
    assert_eq!(with_request(signed(&payload, &scene.world.asker, &key(3, 1))), BundleError::Request);
    let issuer = &scene.world.issuer;
    assert_eq!(with_request(signed(&payload, issuer, &issuer.authenticator())), BundleError::Request);
    let mut elsewhere = payload.clone();
    elsewhere["response_uri"] = json!("https://elsewhere.example/responses/1");
    let asker = &scene.world.asker;
    assert_eq!(with_request(signed(&elsewhere, asker, &asker.authenticator())), BundleError::Request);
    let mut unnamed = payload;
    unnamed.as_object_mut().unwrap().remove("verifier_info");
    assert_eq!(with_request(signed(&unnamed, asker, &asker.authenticator())), BundleError::Duty(DutyError::Missing));
}

/// Signatures are verified before states are proven, by keys that stand in them. That all of them are good helps nobody.
#[test]
fn what_a_forged_history_vouches_for_is_not_believed() {
    let scene = Scene::new();
    let (asker, forger) = (&scene.world.asker, key(9, 2));
    let name = DidUrl::parse(&asker.key_name("auth-1")).unwrap();
    let forged = scene.forged(&scene.bundle(None, None), |json| {
        json["receipt"] = json!(scene.receipt.sign(&name, &forger).unwrap());
        json["request"] = json!(signed(&scene.world.request.to_json(), asker, &forger));
        let states = json["states"].as_array_mut().unwrap();
        let state = states.iter_mut().find(|state| state["key"] == did_key(&asker.did())).unwrap();
        let value = base64url::decode(state["value"].as_str().unwrap()).unwrap();
        let mut history: Value = serde_json::from_slice(&value).unwrap();
        let keys = history["keys"].as_array_mut().unwrap();
        let named = keys.iter_mut().find(|key| key["id"] == "auth-1").unwrap();
        named["jwk"] = Jwk::new(forger.public_key().clone()).to_json();
        state["value"] = base64url::encode(history.to_string().as_bytes()).into();
    });
    assert_eq!(forged, BundleError::State);
}

#[test]
fn a_receipt_that_says_something_else_does_not_hold() {
    let refused = |change: fn(&mut Receipt)| {
        let mut scene = Scene::new();
        change(&mut scene.receipt);
        scene.refused(&scene.bundle(None, Some(scene.full())))
    };
    let word = BundleError::OtherWord(ReceiptError::OtherWord);
    assert_eq!(refused(|receipt| receipt.retention_days = 31), word);
    assert_eq!(refused(|receipt| receipt.act.holder = DutyHolder::Service), BundleError::Official);
    assert_eq!(refused(|receipt| receipt.request = sha256(b"another")), BundleError::OtherRequest);
    let fewer = refused(|receipt| drop(receipt.presentations.get_mut("id").unwrap()[0].claims.pop()));
    assert_eq!(fewer, BundleError::Presentation);
    assert_eq!(refused(|receipt| receipt.iat = NOW.plus(-100_000)), BundleError::Holder, "signed on another day");
}

/// What the maker of a file may leave out or choose must not let it choose the time of the act.
#[test]
fn a_receipt_is_of_its_own_time() {
    let mut late = Scene::new();
    late.receipt.iat = NOW.plus(1_000);
    assert_eq!(late.refused(&late.bundle(None, None)), BundleError::Behind, "what is here is older than the act");
    let proof = late.anchor();
    let time = BundleError::Receipt(ReceiptError::Time);
    assert_eq!(late.refused(&late.bundle(Some(proof), None)), time, "taken before it was made");
    let mut scene = Scene::new();
    scene.receipt.iat = NOW.plus(700);
    scene.world.ledger.act(&scene.world.asker, &Operation::Anchor(range(&scene.text())));
    scene.world.ledger.seal(NOW.0 + 800);
    let of_later = |scene: &Scene| {
        let bundle = Bundle::of(scene.request(), scene.text(), None, Vec::new(), None);
        scene.world.complete(bundle, NOW.plus(900)).check(&scene.world.ledger.trust_root())
    };
    assert_eq!(of_later(&scene), Err(time), "accepted when the question had long ended");
    scene.receipt.verdict = Code::VpRequestExpired.as_str().to_owned();
    assert!(of_later(&scene).is_ok(), "refused for that very reason");
}

/// At one place of the chain one receipt is on the ledger: a second one for it finds no batch that it fits.
#[test]
fn a_receipt_stands_at_its_own_place_of_the_chain() {
    let mut scene = Scene::new();
    scene.anchor();
    scene.receipt.verdict = Code::CredentialStatusRevoked.as_str().to_owned();
    let text = scene.text();
    let second = Anchor { first: Some(2), last: Some(2), ..range(&text) };
    let index = scene.world.ledger.act(&scene.world.asker, &Operation::Anchor(second));
    scene.world.ledger.seal(NOW.0 + 60);
    let elsewhere = scene.refused(&scene.bundle(Some(scene.proof(index)), None));
    assert_eq!(elsewhere, BundleError::Anchor(AnchorError::NotInBatch));
}

/// A signature over the nonce alone, filed under a question that nobody asked, was given for no purpose.
#[test]
fn what_was_not_asked_for_was_signed_for_no_purpose() {
    let mut world = World::new();
    let signed_for_nothing = world.shown_to(world.occasion(&[]), &["name"], &holder(), NOW);
    world.token = BTreeMap::from([("x".to_owned(), vec![signed_for_nothing])]);
    let scene = Scene::in_world(world);
    assert_eq!(scene.refused(&scene.bundle(None, None)), BundleError::Holder);
    let full = Full { vp_token: scene.world.token.clone(), anchors: BTreeMap::new() };
    assert_eq!(scene.refused(&scene.bundle(None, Some(full))), BundleError::Holder);
    // Less than was asked for is no answer either.
    let mut world = World::new();
    let hashes = world.to_sign("id");
    let less = world.shown_to(world.occasion(&hashes), &[], &holder(), NOW);
    world.token.insert("id".to_owned(), vec![less]);
    let scene = Scene::in_world(world);
    assert_eq!(scene.refused(&scene.bundle(None, Some(scene.full()))), BundleError::Holder);
}

#[test]
fn of_a_stranger_nothing_is_shown() {
    let mut world = World::new();
    world.issuer = Party::new(9, ServiceType::Issuer);
    world.credential = crate::sample::world::issue(&world.issuer);
    let shown = world.shown(&holder());
    world.token.insert("id".to_owned(), vec![shown]);
    let mut scene = Scene::in_world(world);
    let full = |scene: &Scene| Full { vp_token: scene.world.token.clone(), anchors: BTreeMap::new() };
    assert_eq!(scene.refused(&scene.bundle(None, Some(full(&scene)))), BundleError::Holder);
    scene.receipt = scene.world.receipt(ChainHead::default(), Some(Code::VerdictIssuerUnknown));
    assert_eq!(scene.check(&scene.bundle(None, Some(full(&scene)))).unwrap().holder(), Holder::Unproven);
}

#[test]
fn what_the_service_refused_need_not_be_the_holders() {
    let mut world = World::new();
    let forged = world.shown(&key(7, 8));
    world.token.insert("id".to_owned(), vec![forged]);
    let mut scene = Scene::in_world(world);
    assert_eq!(scene.refused(&scene.bundle(None, Some(scene.full()))), BundleError::Holder);
    scene.receipt = scene.world.receipt(ChainHead::default(), Some(Code::KbJwtSignature));
    assert_eq!(scene.check(&scene.bundle(None, Some(scene.full()))).unwrap().holder(), Holder::Unproven);
    let erased = scene.whole(Bundle::of(scene.request(), scene.text(), None, Vec::new(), None));
    assert_eq!(scene.check(&erased).unwrap().holder(), Holder::Unproven);
}

#[test]
fn a_client_known_by_its_certificate_is_the_service() {
    let mut world = World::new();
    world.certify();
    let scene = Scene::in_world(world);
    let chain = crate::x509::Chain::from_pem(crate::sample::certificates::ASKER).unwrap();
    let certificates = chain.to_x5c();
    let header = SignHeader::new(typ::REQUEST_OBJECT).x5c(&certificates);
    let payload = scene.world.request.to_json().to_string();
    let request = sign_compact(header, payload.as_bytes(), &scene.world.asker.authenticator()).unwrap();
    let bundle = scene.whole(Bundle::of(request, scene.text(), None, scene.key_bindings(), None));
    assert_eq!(scene.check(&bundle).map(|checked| checked.holder()), Ok(Holder::Claimed));
    assert_eq!(scene.refused(&scene.bundle(None, None)), BundleError::Request, "signed under another name");
}

#[test]
fn a_file_with_one_byte_changed_is_refused_by_its_name() {
    let mut scene = Scene::new();
    let proof = scene.anchor();
    let text = scene.bundle(Some(proof), None).to_text();
    let end = text.rfind(",\"sha256\"").unwrap();
    for place in (0..end).step_by(101) {
        let changed = flipped(&text, place);
        assert_eq!(Bundle::parse(&changed), Err(BundleError::Changed), "byte {place}");
    }
    for place in end..text.len() - 1 {
        let error = Bundle::parse(&flipped(&text, place)).expect_err("must be refused");
        assert!(matches!(error, BundleError::Changed | BundleError::Malformed), "byte {place}: {error}");
    }
    assert_eq!(Bundle::parse(b"{}"), Err(BundleError::Malformed));
    assert_eq!(Bundle::parse(sealed(r#"{"format":"xinfu-evidence-1"}"#).as_bytes()), Err(BundleError::Malformed));
}

/// A forger makes the digest anew. What stands under a signature or a proof is refused all the same: with the
/// presentation that is everything; without, everything but the holder's signatures, which are then called claimed.
#[test]
fn a_forged_byte_is_refused_wherever_it_is() {
    let mut scene = Scene::new();
    let proof = scene.anchor();
    let trust_root = scene.world.ledger.trust_root();
    for full in [None, Some(scene.full())] {
        let bundle = scene.bundle(Some(proof.clone()), full);
        let json = serde_json::to_string(&bundle).unwrap();
        let binding = json.find(&bundle.key_bindings[0]).unwrap();
        let claimed = if bundle.is_full() { 0..0 } else { binding..binding + bundle.key_bindings[0].len() };
        for place in (0..json.len() - 1).step_by(97).filter(|place| !claimed.contains(place)) {
            let changed = String::from_utf8(flipped(&json, place)).unwrap();
            let parsed = Bundle::parse(sealed(&changed).as_bytes());
            let checked = parsed.and_then(|bundle| bundle.check(&trust_root));
            assert!(checked.is_err(), "byte {place} of {}: {}", json.len(), &changed[place.saturating_sub(40)..place]);
        }
    }
}

fn flipped(text: &str, place: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[place] ^= 1;
    bytes
}

#[test]
fn a_type_that_may_not_be_asked_for_is_not_covered_by_another() {
    let mut world = World::new();
    let mut asked = query(&["name"]);
    asked["credentials"][0]["meta"]["vct_values"] = json!([VCT, "urn:sample:credential:other:1"]);
    world.ask(asked);
    let scene = Scene::in_world(world);
    // The duty is narrower still, and is looked at first.
    assert_eq!(scene.refused(&scene.bundle(None, None)), BundleError::Duty(DutyError::Type));
}

#[test]
fn values_are_known_to_be_there_and_never_shown() {
    let scene = Scene::new();
    assert!(!scene.bundle(None, None).has_values());
    let full = scene.bundle(None, Some(scene.full()));
    assert!(full.has_values());
    let mut world = World::new();
    let mut question = query(&["name"]);
    question["credentials"][0]["claims"][0]["values"] = json!(["Sample Person"]);
    world.ask(question);
    let bundle = Bundle::of(world.request_object(), scene.text(), None, Vec::new(), None);
    assert!(bundle.has_values(), "the question says whom it looks for");
    let unreadable = Bundle::of("nonsense".to_owned(), scene.text(), None, Vec::new(), None);
    assert!(unreadable.has_values(), "who knows");
    for bundle in [full, bundle] {
        let shown = format!("{bundle:?}");
        assert!(shown.starts_with("Bundle") && shown.len() < 1000, "{shown}");
        assert!(!shown.contains(&bundle.request) && !shown.contains("Sample Person"), "{shown}");
    }
}
