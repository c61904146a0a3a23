//! An official's word: what it takes, and that nobody else's will do.

use serde_json::json;

use super::{
    Attestation, Deed, DutyError, IssuerAct, MAX_BASIS_CHARS, MAX_RETENTION_DAYS, ORDER_NONCE_CHARS, Order,
    UnverifiedAttestation, UnverifiedOrder,
};
use crate::crypto::{SecretKey, Signer as _};
use crate::jose::Jwk;
use crate::kb_jwt::KbJwtError;
use crate::oid4vp::transaction_data;
use crate::registry::{Delegate, Delegation, DutyHistory, EndDelegation, Operation, Role};
use crate::sample::parties::{key, twin};
use crate::sample::world::{DUTY, NOW, PURPOSE, VCT, World, attestation, duty, holder, query};
use crate::verdict::{Refusal, needs};

fn refused(change: impl FnOnce(&mut World)) -> Refusal {
    let mut world = World::new();
    change(&mut world);
    world.judge().expect_err("must be refused")
}

/// With an attestation that says something else, signed by the official all the same.
fn attesting(change: impl FnOnce(&mut Attestation)) -> Refusal {
    refused(|world| {
        let mut said = attestation(&world.asker.did(), &world.request);
        change(&mut said);
        world.attest_with(&said, &world.asker.duty());
    })
}

/// After the department has done something to its duty on the ledger.
fn after(operations: Vec<Operation>) -> Result<(), Refusal> {
    let mut world = World::new();
    for operation in operations {
        world.ledger.act(&world.asker, &operation);
    }
    world.ledger.seal(NOW.0 - 200);
    world.present();
    world.fetch();
    world.judge().map(|_| ())
}

fn delegate(change: impl FnOnce(&mut Delegate)) -> Operation {
    let mut delegate = duty();
    change(&mut delegate);
    Operation::Delegate(Box::new(delegate))
}

fn duty_refusal(error: DutyError) -> Refusal {
    Refusal::Duty(error)
}

#[test]
fn a_verdict_names_who_answers_for_the_question() {
    let world = World::new();
    let verified = world.judge().unwrap();
    let word = verified.attestation();
    assert_eq!(word.attestation().duty, DUTY);
    assert_eq!(word.delegation().title.en, "Sample counter");
    assert_eq!(word.attestation().purpose, PURPOSE);
    assert_eq!(*word.digest(), ledger::sha256(world.request.duty.as_ref().unwrap().as_bytes()));
}

#[test]
fn nobody_asks_without_an_official() {
    assert_eq!(refused(|world| world.request.duty = None), duty_refusal(DutyError::Missing));
    for text in ["", "nonsense", "e30.e30.e30"] {
        let refusal = refused(|world| world.request.duty = Some(text.to_owned()));
        assert_eq!(refusal, duty_refusal(DutyError::Malformed), "{text}");
    }
    let mut world = World::new();
    world.request.duty = None;
    assert_eq!(needs(&world.presentation(), &world.policy).err(), Some(duty_refusal(DutyError::Missing)));
}

#[test]
fn an_attestation_is_over_one_request() {
    let other = duty_refusal(DutyError::OtherRequest);
    assert_eq!(attesting(|said| said.dcql_query = query(&["name"])), other);
    assert_eq!(attesting(|said| said.nonce.push('x')), other);
    assert_eq!(attesting(|said| said.response_uri.push('x')), other);
    assert_eq!(attesting(|said| said.client_id.push('x')), other);
    assert_eq!(attesting(|said| said.exp = said.exp.plus(1)), other);
    assert_eq!(attesting(|said| said.purpose = "advertising".to_owned()), other);
    // The same question, with an object's members in another order.
    let mut world = World::new();
    let mut said = attestation(&world.asker.did(), &world.request);
    let text = r#"{"credentials":[{"claims":[{"path":["name"]},{"path":["address"]}],
        "meta":{"vct_values":["urn:sample:credential:resident:1"]},"format":"dc+sd-jwt","id":"id"}]}"#;
    said.dcql_query = serde_json::from_str(text).unwrap();
    world.attest_with(&said, &world.asker.duty());
    assert!(world.judge().is_ok());
}

#[test]
fn members_out_of_bounds_are_malformed() {
    let malformed = duty_refusal(DutyError::Malformed);
    assert_eq!(attesting(|said| said.basis = " ".to_owned()), malformed);
    assert_eq!(attesting(|said| said.basis = "章".repeat(MAX_BASIS_CHARS + 1)), malformed);
    assert_eq!(attesting(|said| said.basis = "a\u{1b}[31m".to_owned()), malformed);
    assert_eq!(attesting(|said| said.retention_days = MAX_RETENTION_DAYS + 1), malformed);
    assert_eq!(attesting(|said| said.duty = "a/b".to_owned()), malformed);
    assert_eq!(
        attesting(
            |said| said.receiver = crate::sample::parties::Party::new(2, crate::registry::ServiceType::Issuer).did()
        ),
        malformed,
        "data goes to whoever asks"
    );
}

#[test]
fn only_the_duty_key_will_do() {
    let signed_by = |key: &SecretKey| {
        refused(|world| {
            let said = attestation(&world.asker.did(), &world.request);
            world.attest_with(&said, key);
        })
    };
    assert_eq!(signed_by(&key(3, 2)), duty_refusal(DutyError::Unknown), "the key of the service is none");
    assert_eq!(signed_by(&key(2, 5)), duty_refusal(DutyError::Unknown));
    let swapped = refused(|world| {
        let text = world.request.duty.clone().unwrap();
        let said = attestation(&world.asker.did(), &world.request);
        let forged = said.sign(&key(5, 5)).unwrap();
        let (signed, _) = text.rsplit_once('.').unwrap();
        world.request.duty = Some(format!("{signed}.{}", forged.rsplit_once('.').unwrap().1));
    });
    assert_eq!(swapped, duty_refusal(DutyError::Signature));
    assert_eq!(
        attesting(|said| said.duty = "counter-2".to_owned()),
        Refusal::Evidence(crate::verdict::EvidenceError::Missing)
    );
    let foreign = refused(|world| {
        let mut said = attestation(&world.issuer.did(), &world.request);
        said.receiver = world.issuer.did();
        world.attest_with(&said, &world.asker.duty());
    });
    assert_eq!(foreign, duty_refusal(DutyError::Department));
}

#[test]
fn a_duty_counts_while_it_is_delegated() {
    let given = |world: &World| {
        let key = crate::registry::duty_key(&world.asker.did(), DUTY);
        let value = world.ledger.state_proof(&key, NOW.0 - 100).verify(&world.ledger.trust_root()).unwrap();
        crate::trust::duty_history(&value, &world.asker.did(), DUTY).unwrap().delegations[0].id
    };
    let end = Operation::EndDelegation(EndDelegation { duty: DUTY.to_owned(), delegation: given(&World::new()) });
    assert_eq!(after(vec![end]), Err(duty_refusal(DutyError::Ended)));
    // A new delegation takes the place of the one before.
    let other_key = Jwk::new(key(9, 5).public_key().clone());
    assert_eq!(after(vec![delegate(|duty| duty.key = other_key)]), Err(duty_refusal(DutyError::Ended)));
    assert_eq!(after(vec![delegate(|duty| duty.until += 1)]), Ok(()), "the same key, given it anew");
}

#[test]
fn a_duty_covers_what_it_says_and_no_more() {
    let claims = |names: &[&str]| names.iter().map(|name| vec![(*name).to_owned()]).collect::<Vec<_>>();
    let after = |change: &dyn Fn(&mut Delegate)| after(vec![delegate(change)]);
    assert_eq!(after(&|duty| duty.claims = claims(&["name"])), Err(duty_refusal(DutyError::Claims)));
    assert_eq!(after(&|duty| duty.types = vec!["urn:other".to_owned()]), Err(duty_refusal(DutyError::Type)));
    assert_eq!(after(&|duty| duty.purposes = vec!["other".to_owned()]), Err(duty_refusal(DutyError::Purpose)));
    assert_eq!(after(&|duty| duty.case_required = true), Err(duty_refusal(DutyError::CaseMissing)));
    // A wider one does not help a department that may not ask itself.
    assert_eq!(refused(|world| world.ask(query(&["name", "sex"]))), Refusal::AskerClaims);
}

#[test]
fn the_holder_signs_what_the_data_is_wanted_for() {
    let unsigned = refused(|world| {
        let text = world.shown_to(world.occasion(&[]), &["name", "address"], &holder(), NOW);
        world.token.insert("id".to_owned(), vec![text]);
    });
    assert_eq!(unsigned, Refusal::Holder(KbJwtError::TransactionData));
    let other = refused(|world| {
        let hashes = [ledger::sha256(b"something else").to_base64url()];
        let text = world.shown_to(world.occasion(&hashes), &["name", "address"], &holder(), NOW);
        world.token.insert("id".to_owned(), vec![text]);
    });
    assert_eq!(other, Refusal::Holder(KbJwtError::TransactionData));
    let more = refused(|world| {
        let mut hashes = world.to_sign("id");
        hashes.push(ledger::sha256(b"something more").to_base64url());
        let text = world.shown_to(world.occasion(&hashes), &["name", "address"], &holder(), NOW);
        world.token.insert("id".to_owned(), vec![text]);
    });
    assert_eq!(more, Refusal::Holder(KbJwtError::TransactionData));
    // Objects over another attestation.
    let swapped = refused(|world| {
        world.request.transaction_data = transaction_data::make(&world.request.query, "another attestation");
        world.present();
    });
    assert_eq!(swapped, duty_refusal(DutyError::OtherRequest));
    let dropped = refused(|world| {
        world.request.transaction_data.clear();
        world.present();
    });
    assert_eq!(dropped, duty_refusal(DutyError::OtherRequest), "the official said that the holder signs");
}

#[test]
fn a_wallet_that_cannot_sign_it_may_be_let_off_and_the_official_says_so() {
    let mut world = World::new();
    let mut said = attestation(&world.asker.did(), &world.request);
    said.holder_signs = false;
    world.attest_with(&said, &world.asker.duty());
    let verified = world.judge().unwrap();
    assert!(!verified.attestation().attestation().holder_signs);
}

#[test]
fn unknown_members_are_refused() {
    let world = World::new();
    let said = attestation(&world.asker.did(), &world.request);
    let mut payload = serde_json::to_value(&said).unwrap();
    payload["more"] = json!(1);
    let header = crate::jose::SignHeader::new(crate::jose::typ::DUTY).kid("k");
    let text = crate::jose::sign_compact(header, payload.to_string().as_bytes(), &world.asker.duty()).unwrap();
    assert_eq!(UnverifiedAttestation::parse(&text).err(), Some(DutyError::Malformed));
}

#[test]
fn nobody_else_makes_a_second_text_of_an_order() {
    let (department, official) = (World::new().issuer.did(), key(2, 5));
    let Delegate { duty, holder, title, .. } = duty();
    let given = Delegation {
        id: 7,
        holder,
        title,
        key: Jwk::new(official.public_key().clone()),
        role: Role::Issuer,
        types: vec![VCT.to_owned()],
        claims: Vec::new(),
        purposes: Vec::new(),
        case_required: false,
        from: 0,
        until: i64::MAX,
        started: Some(7),
        ended: None,
        ending: None,
    };
    let history = DutyHistory { department: department.clone(), duty: duty.clone(), delegations: vec![given] };
    let order = Order {
        iss: department,
        duty,
        deed: Deed { act: IssuerAct::Offer, vct: VCT.to_owned(), content: ledger::sha256(b"sample"), count: 1 },
        basis: "Sample Act, article 1".to_owned(),
        case: None,
        nonce: "A".repeat(ORDER_NONCE_CHARS),
        exp: NOW.plus(60),
    };
    let signed = order.sign(&official).unwrap();
    let verified = |text: &str| UnverifiedOrder::parse(text).unwrap().verify(&history, 8).map(|order| *order.digest());
    // Whether an order was carried out is asked by its digest. The twin has another.
    assert_eq!(verified(&signed), Ok(ledger::sha256(signed.as_bytes())));
    assert_eq!(verified(&twin(&signed)), Err(DutyError::Signature));
}

#[test]
fn an_attestation_counts_under_either_signature_of_its_signers() {
    // It is over one request and its nonce, so to make a twin of it gains nothing; software of others signs as it likes.
    let mut world = World::new();
    let delegate = delegate(|duty| duty.key = Jwk::new(key(2, 5).public_key().clone()));
    world.ledger.act(&world.asker, &delegate);
    world.ledger.seal(NOW.0 - 200);
    let said = attestation(&world.asker.did(), &world.request);
    let text = twin(&said.sign(&key(2, 5)).unwrap());
    world.request.transaction_data = transaction_data::make(&world.request.query, &text);
    world.request.duty = Some(text);
    world.present();
    world.fetch();
    assert!(world.judge().is_ok());
}
