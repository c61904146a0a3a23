use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::*;
use crate::crypto::{Alg, SecretKey};
use crate::jose::Jwk;
use crate::kb_jwt::Confirmation;
use crate::oid4vci::issuer_keys::JwtVcIssuerMetadata;
use crate::oid4vci::proof::tests::{NOW, key};
use crate::sd_jwt::Concealment;
use crate::sd_jwt_vc::{self, Registered};

const ISSUER: &str = "https://issuer.example/t";
const VCT: &str = "urn:example:vct";
const KID: &str = "did:example:issuer#assert-1";

fn offer(grant: Value) -> CredentialOffer {
    let offer = json!({
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["a"],
        "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": grant},
    });
    CredentialOffer::parse(offer.to_string().as_bytes(), Transport::HttpsOnly).unwrap()
}

fn invited() -> Invited {
    Invited::new(offer(json!({"pre-authorized_code": "c", "tx_code": {}})), Transport::HttpsOnly).unwrap()
}

fn metadata() -> Value {
    json!({
        "credential_issuer": ISSUER,
        "credential_endpoint": "https://issuer.example/t/credential",
        "nonce_endpoint": "https://issuer.example/t/nonce",
        "batch_credential_issuance": {"batch_size": 2},
        "credential_configurations_supported": {
            "a": {
                "format": "dc+sd-jwt",
                "vct": VCT,
                "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
            },
            "b": {"format": "mso_mdoc", "credential_signing_alg_values_supported": [-7]},
        },
    })
}

fn server() -> Value {
    json!({"issuer": ISSUER, "token_endpoint": "https://issuer.example/t/token"})
}

fn ok(body: &str) -> HttpReply<'_> {
    HttpReply { status: 200, body: body.as_bytes() }
}

fn informed() -> Informed {
    invited().informed(ok(&metadata().to_string())).unwrap()
}

fn ready() -> Ready {
    informed().ready(ok(&server().to_string())).unwrap()
}

fn authorized() -> Authorized {
    ready().authorized(ok(r#"{"access_token":"t","token_type":"bearer"}"#)).unwrap()
}

fn proving() -> Proving {
    authorized().proving(Some(ok(r#"{"c_nonce":"n"}"#))).unwrap()
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

fn issuer_key() -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[77; 32]).unwrap()
}

fn issue(issuer: &str, vct: &str, holder: u8, signer: &SecretKey) -> String {
    let holder = Confirmation::jwk(key(holder).public_key().clone());
    let registered = Registered {
        issuer,
        vct,
        vct_integrity: None,
        issued_at: NOW,
        not_before: Some(NOW),
        expires: Some(NOW.plus(1000)),
        holder: Some(&holder),
        status: None,
    };
    let subject: Map<String, Value> = [("name".to_owned(), json!("样本"))].into_iter().collect();
    let mut rng = StdRng::seed_from_u64(3);
    sd_jwt_vc::issue(&registered, &subject, &Concealment::default(), KID, signer, &mut rng).unwrap()
}

fn receive(credentials: &[String], holders: &[u8]) -> Result<Received, WalletRefusal> {
    let keys: Vec<PublicKey> = holders.iter().map(|seed| key(*seed).public_key().clone()).collect();
    let entries: Vec<Value> = credentials.iter().map(|text| json!({"credential": text})).collect();
    proving().received(&keys, ok(&json!({"credentials": entries}).to_string()))
}

fn verify(credential: String, now: UnixSeconds) -> Result<Vec<ReceivedCredential>, WalletRefusal> {
    let issuer = Jwk::new(issuer_key().public_key().clone()).with_kid(KID);
    let keys = serde_json::to_string(&JwtVcIssuerMetadata::new(ISSUER, [&issuer])).unwrap();
    receive(&[credential], &[1, 2]).unwrap().verify_by_metadata(ok(&keys), now)
}

#[test]
fn the_straight_way_asks_the_right_places() {
    assert_eq!(invited().request().url.as_str(), "https://issuer.example/.well-known/openid-credential-issuer/t");
    assert_eq!(informed().request().url.as_str(), "https://issuer.example/.well-known/oauth-authorization-server/t");
    let token = ready().request(Some("12")).unwrap();
    assert_eq!(token.url.as_str(), "https://issuer.example/t/token");
    assert!(String::from_utf8(token.body.unwrap().bytes).unwrap().ends_with("pre-authorized_code=c&tx_code=12"));
    assert_eq!(authorized().request().unwrap().url.as_str(), "https://issuer.example/t/nonce");
    let request = proving().request(&[&key(1), &key(2)], NOW).unwrap();
    assert_eq!(request.bearer.as_deref(), Some("t"));
    let body: Value = serde_json::from_slice(&request.body.unwrap().bytes).unwrap();
    assert_eq!(body["credential_configuration_id"], "a");
    assert_eq!(body["proofs"]["jwt"].as_array().unwrap().len(), 2);
    let received = receive(&[issue(ISSUER, VCT, 2, &issuer_key())], &[1, 2]).unwrap();
    assert_eq!(received.request().url.as_str(), "https://issuer.example/.well-known/jwt-vc-issuer/t");
    assert!(received.key_names().unwrap().contains(KID));
    assert_eq!(verify(issue(ISSUER, VCT, 2, &issuer_key()), NOW).unwrap()[0].key, 1);
}

#[test]
fn metadata_of_another_issuer_stops_the_flow() {
    let slash = with(metadata(), "credential_issuer", json!("https://issuer.example/t/"));
    let cases = [
        (slash, WalletRefusal::IssuerMixUp),
        (with(metadata(), "credential_configurations_supported", json!({})), WalletRefusal::ConfigurationUnknown),
        (
            with(metadata(), "credential_configurations_supported", json!({"a": {"format": "mso_mdoc"}})),
            WalletRefusal::FormatUnsupported,
        ),
        (with(metadata(), "credential_endpoint", json!("http://issuer.example")), WalletRefusal::Endpoint),
        (with(metadata(), "nonce_endpoint", json!("file:///etc/passwd")), WalletRefusal::Endpoint),
    ];
    for (metadata, expected) in cases {
        assert_eq!(invited().informed(ok(&metadata.to_string())).unwrap_err(), expected);
    }
}

#[test]
fn the_authorization_server_must_be_one_that_the_issuer_lists() {
    let grant = json!({"pre-authorized_code": "c", "authorization_server": "https://as.example"});
    let invited = Invited::new(offer(grant), Transport::HttpsOnly).unwrap();
    let listed = |servers: Value| with(metadata(), "authorization_servers", servers).to_string();
    assert_eq!(invited.informed(ok(&metadata().to_string())).unwrap_err(), WalletRefusal::ServerUnknown);
    let others = listed(json!(["https://b.example"]));
    assert_eq!(invited.informed(ok(&others)).unwrap_err(), WalletRefusal::ServerUnknown);
    let informed = invited.informed(ok(&listed(json!(["https://b.example", "https://as.example"])))).unwrap();
    assert_eq!(informed.request().url.as_str(), "https://as.example/.well-known/oauth-authorization-server");
    assert_eq!(informed.ready(ok(&server().to_string())).unwrap_err(), WalletRefusal::IssuerMixUp);
    let other_grants = with(server(), "grant_types_supported", json!(["authorization_code"]));
    assert_eq!(self::informed().ready(ok(&other_grants.to_string())).unwrap_err(), WalletRefusal::GrantUnsupported);
}

#[test]
fn a_transaction_code_is_sent_only_where_one_is_wanted() {
    assert_eq!(ready().request(None).err(), Some(WalletRefusal::TxCodeMissing));
    let invited = Invited::new(offer(json!({"pre-authorized_code": "c"})), Transport::HttpsOnly).unwrap();
    let informed = invited.informed(ok(&metadata().to_string())).unwrap();
    let ready = informed.ready(ok(&server().to_string())).unwrap();
    assert_eq!(ready.request(Some("1")).err(), Some(WalletRefusal::TxCodeUnexpected));
}

#[test]
fn once_there_are_identifiers_they_are_used() {
    let details =
        json!([{"type": "openid_credential", "credential_configuration_id": "a", "credential_identifiers": ["x"]}]);
    let token = json!({"access_token": "t", "token_type": "Bearer", "authorization_details": details});
    let authorized = ready().authorized(ok(&token.to_string())).unwrap();
    let proving = authorized.proving(Some(ok(r#"{"c_nonce":"n"}"#))).unwrap();
    let body = proving.request(&[&key(1)], NOW).unwrap().body.unwrap().bytes;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["credential_identifier"], &body["credential_configuration_id"]), (&json!("x"), &Value::Null));
}

#[test]
fn refusals_keep_their_name_and_nothing_else() {
    let reply = HttpReply { status: 400, body: br#"{"error":"invalid_nonce","error_description":"x"}"# };
    let refusal = proving().received(&[], reply).err().unwrap();
    assert!(refusal.wants_fresh_nonce());
    let reply = HttpReply { status: 400, body: br#"{"error":"\u001b[2Jgotcha"}"# };
    assert_eq!(
        proving().received(&[], reply).err(),
        Some(WalletRefusal::ByIssuer { status: 400, error: None, code: None })
    );
    for (code, expected) in
        [("vci.token.tx_code_wrong", "vci.token.tx_code_wrong"), ("store.full", "vci.wallet.refused_by_issuer")]
    {
        let body = json!({"error": "invalid_grant", "code": code}).to_string();
        let refusal = ready().authorized(HttpReply { status: 400, body: body.as_bytes() }).unwrap_err();
        assert_eq!(refusal.code().as_str(), expected);
    }
    let token_type = ready().authorized(ok(r#"{"access_token":"t","token_type":"mac"}"#));
    assert_eq!(token_type.unwrap_err(), WalletRefusal::TokenType);
}

#[test]
fn keys_must_fit_what_the_issuer_takes() {
    let eddsa = SecretKey::from_bytes(Alg::EdDsa, &[1; 32]).unwrap();
    assert_eq!(proving().request(&[&eddsa], NOW).err(), Some(WalletRefusal::ProofAlgorithm));
    assert_eq!(proving().request(&[], NOW).err(), Some(WalletRefusal::BatchSize));
    assert_eq!(proving().request(&[&key(1), &key(2), &key(3)], NOW).err(), Some(WalletRefusal::BatchSize));
}

#[test]
fn responses_of_a_wrong_shape_are_refused_by_name() {
    assert_eq!(receive(&[], &[1]).err(), Some(WalletRefusal::CredentialCount));
    assert_eq!(receive(&["a".to_owned(), "b".to_owned()], &[1]).err(), Some(WalletRefusal::CredentialCount));
    let deferred = proving().received(&[], ok(r#"{"transaction_id":"x","interval":5}"#));
    assert_eq!(deferred.err(), Some(WalletRefusal::Deferred));
}

#[test]
fn credentials_that_are_not_what_was_asked_for_are_refused_by_name() {
    let other = SecretKey::from_bytes(Alg::EdDsa, &[78; 32]).unwrap();
    let cases = [
        (issue("https://evil.example", VCT, 1, &issuer_key()), "vci.wallet.credential_issuer"),
        (issue(ISSUER, "urn:example:other", 1, &issuer_key()), "vci.wallet.credential_type"),
        (issue(ISSUER, VCT, 3, &issuer_key()), "vci.wallet.credential_key"),
        (issue(ISSUER, VCT, 1, &other), "jose.signature.invalid"),
    ];
    for (credential, expected) in cases {
        assert_eq!(verify(credential, NOW).unwrap_err().code().as_str(), expected);
    }
    assert!(matches!(verify(issue(ISSUER, VCT, 1, &issuer_key()), NOW.plus(2000)), Err(WalletRefusal::Credential(_))));
    assert!(matches!(verify("x~".to_owned(), NOW), Err(WalletRefusal::Credential(_))));
}

#[test]
fn keys_of_another_issuer_and_unknown_keys_are_not_used() {
    let received = receive(&[issue(ISSUER, VCT, 1, &issuer_key())], &[1]).unwrap();
    let issuer = Jwk::new(issuer_key().public_key().clone()).with_kid(KID);
    let elsewhere = serde_json::to_string(&JwtVcIssuerMetadata::new("https://evil.example", [&issuer])).unwrap();
    assert_eq!(received.verify_by_metadata(ok(&elsewhere), NOW), Err(WalletRefusal::IssuerMixUp));
    assert_eq!(received.verify(|_| None, NOW), Err(WalletRefusal::IssuerKey));
}

#[test]
fn two_credentials_under_one_key_are_refused() {
    let credential = issue(ISSUER, VCT, 1, &issuer_key());
    let received = receive(&[credential.clone(), credential], &[1, 2]).unwrap();
    let key = |_: &str| Some(issuer_key().public_key().clone());
    assert_eq!(received.verify(key, NOW), Err(WalletRefusal::CredentialKey));
}
