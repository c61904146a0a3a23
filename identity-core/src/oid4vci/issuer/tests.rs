use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;

use super::*;
use crate::kb_jwt::Confirmation;
use crate::oid4vci::metadata::{FORMAT, ProofType};
use crate::oid4vci::proof::tests::{AUDIENCE, NOW, key, secret};

fn rng() -> StdRng {
    StdRng::seed_from_u64(5)
}

fn configuration(vct: &str) -> CredentialConfiguration {
    let algorithms = vec!["ES256".to_owned(), "EdDSA".to_owned()];
    CredentialConfiguration {
        format: FORMAT.to_owned(),
        vct: vct.to_owned(),
        scope: None,
        cryptographic_binding_methods_supported: vec!["jwk".to_owned()],
        credential_signing_alg_values_supported: algorithms.clone(),
        proof_types_supported: Some(BTreeMap::from([(
            "jwt".to_owned(),
            ProofType { proof_signing_alg_values_supported: algorithms },
        )])),
        credential_metadata: None,
    }
}

fn issuer(tx_code_digits: u8) -> Issuer {
    Issuer {
        identifier: AUDIENCE.to_owned(),
        configurations: ["a", "b"].map(|id| (id.to_owned(), configuration(id))).into(),
        policy: Policy { tx_code_digits, batch_size: 3, ..Policy::default() },
        secret: secret(),
    }
}

fn offer(issuer: &Issuer) -> MadeOffer {
    let wanted = NewOffer {
        subject: "s1".to_owned(),
        configuration: "a".to_owned(),
        reference: None,
        order: None,
        lifetime: 60,
    };
    issuer.make_offer(wanted, NOW, &mut rng()).unwrap()
}

fn request(made: &MadeOffer) -> TokenRequest {
    let code = made.offer.grants.pre_authorized.clone().unwrap().code;
    TokenRequest { code, tx_code: made.tx_code.clone() }
}

type Redeemed = Result<(Grant, String), Box<(Option<Grant>, TokenRefusal)>>;

fn redeem(issuer: &Issuer, grant: &Grant, request: &TokenRequest, now: UnixSeconds) -> Redeemed {
    match issuer.redeem(grant, request, now, &mut rng()) {
        Redemption::Granted { next, response } => Ok((next, response.access_token)),
        Redemption::Refused { next, refusal } => Err(Box::new((next, refusal))),
    }
}

fn redeemed(issuer: &Issuer) -> (Grant, String) {
    let made = offer(issuer);
    redeem(issuer, &made.grant, &request(&made), NOW).unwrap()
}

fn proofs(issuer: &Issuer, seeds: &[u8]) -> serde_json::Value {
    let nonce = issuer.make_nonce(NOW, &mut rng()).c_nonce;
    let make = |seed: &u8| proof::make(AUDIENCE, Some(&nonce), NOW, &key(*seed)).unwrap();
    json!(seeds.iter().map(make).collect::<Vec<_>>())
}

fn credential_request(value: serde_json::Value) -> CredentialRequest {
    CredentialRequest::parse(value.to_string().as_bytes()).unwrap()
}

#[test]
fn one_key_under_two_names_is_one_key() {
    let issuer = issuer(6);
    let (grant, token) = redeemed(&issuer);
    let nonce = issuer.make_nonce(NOW, &mut rng()).c_nonce;
    let make = |binding| proof::make_named(AUDIENCE, Some(&nonce), NOW, &key(1), binding).unwrap();
    let jwts = [proof::Binding::Jwk, proof::Binding::Did].map(make);
    let request = credential_request(json!({"credential_configuration_id": "a", "proofs": {"jwt": jwts}}));
    let refused = issuer.accept(&grant, &token, &request, NOW).unwrap_err();
    assert_eq!(refused.code().as_str(), "vci.proof.key_repeated");
}

#[test]
fn the_straight_way_ends_in_one_credential_per_key() {
    let issuer = issuer(6);
    let made = offer(&issuer);
    assert_eq!(issuer.grant_of_code(&request(&made)), Ok(made.grant.id.as_str()));
    assert_eq!(issuer.show_offer(&made.grant, NOW), Ok(made.offer.clone()));
    let (grant, token) = redeem(&issuer, &made.grant, &request(&made), NOW).unwrap();
    assert_eq!(grant_of_token(&token), Ok(grant.id.as_str()));
    assert_eq!(issuer.show_offer(&grant, NOW), Err(OfferGone::Used));
    let request =
        credential_request(json!({"credential_configuration_id": "a", "proofs": {"jwt": proofs(&issuer, &[1, 2])}}));
    let accepted = issuer.accept(&grant, &token, &request, NOW).unwrap();
    assert_eq!(
        accepted.holders,
        [1, 2].map(|seed| Confirmation::jwk(crate::crypto::Signer::public_key(&key(seed)).clone()))
    );
    assert_eq!(accepted.nonces.len(), 1);
    let refusal = issuer.accept(&accepted.next, &token, &request, NOW).unwrap_err();
    assert_eq!(refusal, CredentialRefusal::Request(RequestRefusal::AlreadyIssued));
}

#[test]
fn a_code_is_taken_once_and_in_time() {
    let issuer = issuer(0);
    let made = offer(&issuer);
    assert!(made.tx_code.is_none());
    assert_eq!(
        *redeem(&issuer, &made.grant, &request(&made), NOW.plus(60)).unwrap_err(),
        (None, TokenRefusal::CodeExpired)
    );
    assert_eq!(issuer.show_offer(&made.grant, NOW.plus(60)), Err(OfferGone::Expired));
    let (next, _) = redeem(&issuer, &made.grant, &request(&made), NOW.plus(59)).unwrap();
    assert_eq!(*redeem(&issuer, &next, &request(&made), NOW).unwrap_err(), (None, TokenRefusal::CodeUsed));
}

#[test]
fn guessed_codes_are_refused_before_any_store() {
    let issuer = issuer(6);
    let made = offer(&issuer);
    let good = request(&made).code;
    let other = Issuer { secret: IssuerSecret::from_bytes(&[1; 32]), ..self::issuer(6) };
    assert_eq!(other.grant_of_code(&request(&made)), Err(TokenRefusal::CodeUnknown));
    for code in ["", ".", "x", made.grant.id.as_str(), &format!("{good}x"), &good.replace('.', "..")] {
        let request = TokenRequest { code: code.to_owned(), tx_code: None };
        assert_eq!(issuer.grant_of_code(&request), Err(TokenRefusal::CodeUnknown), "{code}");
    }
}

#[test]
fn five_wrong_transaction_codes_lock_the_offer_for_good() {
    let issuer = issuer(6);
    let made = offer(&issuer);
    let right = request(&made);
    let wrong = TokenRequest { tx_code: Some("x".to_owned()), ..right.clone() };
    let mut grant = made.grant.clone();
    let without = TokenRequest { tx_code: None, ..right.clone() };
    assert_eq!(*redeem(&issuer, &grant, &without, NOW).unwrap_err(), (None, TokenRefusal::TxCodeMissing));
    for _ in 0..5 {
        let (next, refusal) = *redeem(&issuer, &grant, &wrong, NOW).unwrap_err();
        assert_eq!(refusal, TokenRefusal::TxCodeWrong);
        grant = next.unwrap();
    }
    assert_eq!(grant.state, GrantState::Locked);
    assert_eq!(*redeem(&issuer, &grant, &right, NOW).unwrap_err(), (None, TokenRefusal::CodeLocked));
    assert_eq!(issuer.show_offer(&grant, NOW), Err(OfferGone::Locked));
}

#[test]
fn a_transaction_code_nobody_asked_for_is_refused() {
    let issuer = issuer(0);
    let made = offer(&issuer);
    let request = TokenRequest { tx_code: Some("1".to_owned()), ..request(&made) };
    assert_eq!(*redeem(&issuer, &made.grant, &request, NOW).unwrap_err(), (None, TokenRefusal::TxCodeUnexpected));
}

#[test]
fn tokens_open_only_their_own_grant_and_end() {
    let issuer = issuer(0);
    let (grant, token) = redeemed(&issuer);
    let good =
        credential_request(json!({"credential_configuration_id": "a", "proofs": {"jwt": proofs(&issuer, &[1])}}));
    let unknown = CredentialRefusal::Access(AccessRefusal::TokenUnknown);
    assert_eq!(issuer.accept(&grant, "x.y", &good, NOW).unwrap_err(), unknown);
    assert_eq!(issuer.accept(&offer(&issuer).grant, &token, &good, NOW).unwrap_err(), unknown);
    let expired = CredentialRefusal::Access(AccessRefusal::TokenExpired);
    assert_eq!(issuer.accept(&grant, &token, &good, NOW.plus(600)).unwrap_err(), expired);
    for token in ["", "x", "..", "short.x"] {
        assert_eq!(grant_of_token(token), Err(AccessRefusal::TokenUnknown));
    }
}

#[test]
fn hostile_credential_requests_are_refused_by_name() {
    let issuer = issuer(0);
    let (grant, token) = redeemed(&issuer);
    let proof = proofs(&issuer, &[1]);
    let cases = [
        (json!({"proofs": {"jwt": proof}}), "invalid_credential_request", "vci.request.configuration_missing"),
        (
            json!({"credential_configuration_id": "a", "credential_identifier": "a"}),
            "invalid_credential_request",
            "vci.request.both_identifiers",
        ),
        (json!({"credential_identifier": "a"}), "unknown_credential_identifier", "vci.request.identifier_unknown"),
        (
            json!({"credential_configuration_id": "z"}),
            "unknown_credential_configuration",
            "vci.request.configuration_unknown",
        ),
        (json!({"credential_configuration_id": "a"}), "invalid_proof", "vci.proof.missing"),
        (json!({"credential_configuration_id": "a", "proof": {"jwt": "x"}}), "invalid_proof", "vci.proof.missing"),
        (
            json!({"credential_configuration_id": "a", "proofs": {"x": [1]}}),
            "invalid_proof",
            "vci.proof.type_unsupported",
        ),
        (
            json!({"credential_configuration_id": "a", "proofs": {"jwt": proofs(&issuer, &[1, 1])}}),
            "invalid_proof",
            "vci.proof.key_repeated",
        ),
        (
            json!({"credential_configuration_id": "a", "proofs": {"jwt": proofs(&issuer, &[1, 2, 3, 4])}}),
            "invalid_credential_request",
            "vci.proof.too_many",
        ),
        (json!({"credential_configuration_id": "a", "proofs": {"jwt": ["x"]}}), "invalid_proof", "jose.jws.parts"),
        (
            json!({"credential_configuration_id": "a", "credential_response_encryption": {}, "proofs": {"jwt": proof}}),
            "invalid_encryption_parameters",
            "vci.request.encryption_unsupported",
        ),
    ];
    for (body, name, code) in cases {
        let CredentialRefusal::Request(refusal) =
            issuer.accept(&grant, &token, &credential_request(body.clone()), NOW).unwrap_err()
        else {
            panic!("{body}");
        };
        assert_eq!((refusal.name().as_str(), refusal.code().as_str()), (name, code), "{body}");
    }
    let other = credential_request(json!({"credential_configuration_id": "b", "proofs": {"jwt": proof}}));
    assert_eq!(
        issuer.accept(&grant, &token, &other, NOW).unwrap_err(),
        CredentialRefusal::Access(AccessRefusal::NotOffered)
    );
}

#[test]
fn a_grant_survives_the_store() {
    let issuer = issuer(6);
    let (grant, _) = redeemed(&issuer);
    for grant in [grant, offer(&issuer).grant] {
        let text = serde_json::to_vec(&grant).unwrap();
        assert_eq!(serde_json::from_slice::<Grant>(&text).unwrap(), grant);
        assert!(!String::from_utf8(text).unwrap().contains(&offer(&issuer).tx_code.unwrap()));
    }
}
