//! Seeds from the sample world: for each target something that it accepts, and something near that it refuses.

use identity_core::crypto::Signer as _;
use identity_core::did::method;
use identity_core::did::{Did, DidUrl, Document, Relationship, VerificationMethod};
use identity_core::encoding::{base64url, limits, multibase};
use identity_core::jose::{Jwk, SignHeader, sign_compact};
use identity_core::oid4vp::transaction_data;
use identity_core::registry::did_key;
use identity_core::sample::consortium::Consortium;
use identity_core::sample::parties::{Party, key};
use identity_core::sample::world::{NONCE, NOW, TYPE, World};
use identity_core::sd_jwt::{JsonForm, json_from_compact};
use identity_core::status::{Bits, StatusList};
use ledger::snapshot::{Header, Writer};
use ledger::split_view::SplitEvidence;
use ledger::tree::leaf_hash;
use ledger::walk::Walk;
use ledger::{LogProof, sha256};
use serde_json::{Value, json};

use crate::target::registry::{founded_by, founders};

/// Target, file name, content.
pub type Seed = (&'static str, &'static str, Vec<u8>);

/// Every seed that can be made.
#[must_use]
pub fn all() -> Vec<Seed> {
    let world = World::new();
    [
        encodings(),
        jose(),
        dids(),
        sd_jwt(&world),
        statuses(&world),
        ledger_files(&world),
        registry(&world),
        protocols(&world),
        duties(),
    ]
    .concat()
}

fn seed(target: &'static str, name: &'static str, content: impl Into<Vec<u8>>) -> Seed {
    (target, name, content.into())
}

fn encodings() -> Vec<Seed> {
    vec![
        seed("json", "everything", r#"{"a":[1,-2,0.5,1e3,null,true,"é\n"],"b":{"c":{}}}"#),
        seed("json", "name_twice", r#"{"a":1,"a":2}"#),
        seed("json", "lone_surrogate", r#""\ud800""#),
        seed("json", "deep", "[".repeat(40) + &"]".repeat(40)),
        seed("base64url", "whole", base64url::encode(b"any bytes at all")),
        seed("base64url", "trailing_bits", "AB"),
        seed("base64url", "padded", "AAA="),
        seed("multibase", "base58", multibase::encode(&[0xed, 1, 7, 7])),
        seed("multibase", "base64", "mAAAA"),
        seed("form", "two_fields", "a=1&b=%E4%BF%A1"),
        seed("form", "field_twice", "a=1&a=2"),
        seed("form", "bearer", "Bearer abc\naccess_token=abc"),
        seed("url", "endpoint", "https://issuer.example:8443/credential"),
        seed("url", "user", "https://user:password@issuer.example/"),
        seed("url", "plain", "http://issuer.example/"),
    ]
}

fn jose() -> Vec<Seed> {
    let (key, p256) = (key(31, 1), key(32, 1));
    let jws = sign_compact(SignHeader::new("fuzz").kid("#k"), b"{\"iat\":1}", &key).unwrap();
    let none = format!("{}.e30.", base64url::encode(br#"{"alg":"none"}"#));
    let crit = format!("{}.e30.AAAA", base64url::encode(br#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#));
    vec![
        seed("jws", "signed", jws),
        seed("jws", "alg_none", none),
        seed("jws", "crit", crit),
        seed("jwe", "whole", "$WHOLE"),
        seed(
            "jwe",
            "header",
            "{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\"}}\n$REST",
        ),
        seed("jwe", "five_parts", "e30..AAAA.AAAA.AAAA"),
        seed("jwk", "ed25519", Jwk::new(key.public_key().clone()).to_json().to_string()),
        seed("jwk", "p256", Jwk::new(p256.public_key().clone()).to_json().to_string()),
        seed("jwk", "small_order", format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url::encode(&[0; 32]))),
    ]
}

fn dids() -> Vec<Seed> {
    let key = key(31, 1);
    let did = Did::parse("did:example:sample").unwrap();
    let id = DidUrl::new(did.clone(), "k").unwrap();
    let of_key = VerificationMethod::new(id, Jwk::new(key.public_key().clone()), vec![Relationship::Authentication]);
    let document = Document::new(did, vec![of_key], Vec::new());
    let other = document.to_json().to_string().replace("sample", "other");
    vec![
        seed("did", "key", method::key::did_of(key.public_key()).unwrap().to_string()),
        seed("did", "jwk", method::jwk::did_of(&Jwk::new(key.public_key().clone())).unwrap().to_string()),
        seed("did", "xinfu", Did::xinfu("sample", b"payload").unwrap().to_string()),
        seed("did", "url", format!("{}#assert-1", Did::xinfu("sample", b"payload").unwrap())),
        seed("did_document", "one_key", document.to_json().to_string()),
        seed("did_document", "of_another", other),
    ]
}

fn sd_jwt(world: &World) -> Vec<Seed> {
    let json = |form| json_from_compact(&world.token["id"][0], form).unwrap();
    let jwk = Jwk::new(key(31, 1).public_key().clone());
    let did = method::key::did_of(jwk.key()).unwrap();
    let name = format!("{did}#{}", did.id());
    let flat = "{\"_sd\":[\"#1\",\"#2\"],\"_sd_alg\":\"sha-256\",\"list\":[{\"...\":\"#3\"},1]}\n\
        [\"c2FsdA\",\"name\",\"x\"]\n[\"c2FsdA\",\"address\",{\"_sd\":[\"#4\"]}]\n[\"c2FsdA\",7]\n[\"c2FsdA\",\"city\",\"y\"]";
    let claims = json!({"iat": NOW, "aud": world.request.client_id.as_str(), "nonce": NONCE, "sd_hash": "#0",
        "transaction_data_hashes": ["#1"]});
    let query = |claims: Value| {
        json!({"credentials": [{"id": "id", "format": "dc+sd-jwt",
        "meta": {"vct_values": ["urn:sample:credential:resident:1"]}, "claims": claims}]})
    };
    vec![
        seed("sd_jwt", "credential", world.credential.clone()),
        seed("sd_jwt", "presentation", world.token["id"][0].clone()),
        seed("sd_jwt", "no_tilde", world.credential.split('~').next().unwrap()),
        seed("sd_jwt_processing", "nested", flat),
        seed("sd_jwt_processing", "unreferenced", "{\"_sd\":[\"#1\"]}\n[\"c2FsdA\",\"a\",1]\n[\"c2FsdA\",\"b\",1]"),
        seed("sd_jwt_processing", "twice", "{\"_sd\":[\"#1\",\"#1\"]}\n[\"c2FsdA\",\"a\",1]"),
        seed("sd_jwt_processing", "reserved_name", "{\"_sd\":[\"#1\"]}\n[\"c2FsdA\",\"_sd\",[]]"),
        seed("sd_jwt_processing", "overwrites", "{\"a\":1,\"_sd\":[\"#1\"]}\n[\"c2FsdA\",\"a\",2]"),
        seed("sd_jwt_processing", "two_for_three", "{\"_sd\":[\"#1\"]}\n[\"c2FsdA\",1]"),
        seed("sd_jwt_json", "flattened", json(JsonForm::Flattened)),
        seed("sd_jwt_json", "general", json(JsonForm::General)),
        seed("sd_jwt_json", "in_clear", json(JsonForm::Flattened).replacen("\"payload\":\"", "\"payload\":\"{}", 1)),
        seed("confirmation", "jwk", json!({"cnf": {"jwk": jwk.to_json()}}).to_string()),
        seed("confirmation", "kid", json!({"cnf": {"kid": name}}).to_string()),
        seed("confirmation", "both", json!({"cnf": {"jwk": jwk.to_json(), "kid": name}}).to_string()),
        seed("kb_jwt", "bound", claims.to_string()),
        seed("kb_jwt", "other_nonce", claims.to_string().replace(NONCE, "another-nonce-0123456789")),
        seed("kb_jwt", "hashes_twice", claims.to_string().replace("[\"#1\"]", "[\"#1\",\"#1\"]")),
        seed("kb_jwt", "no_hashes", claims.to_string().replace("[\"#1\"]", "[]")),
        seed("kb_jwt", "iat_text", claims.to_string().replace(&NOW.0.to_string(), &format!("\"{}\"", NOW.0))),
        seed("type_metadata", "sample", TYPE),
        seed("type_metadata", "no_vct", "{}"),
        seed("dcql", "two_claims", query(json!([{"path": ["name"]}, {"path": ["address", "region"]}])).to_string()),
        seed("dcql", "values", query(json!([{"path": ["valid_until"], "values": ["2030-01-01"]}])).to_string()),
        seed("dcql", "wildcard", query(json!([{"path": ["address", null]}])).to_string()),
        seed("dcql", "no_path", query(json!([{"path": []}])).to_string()),
    ]
}

fn statuses(world: &World) -> Vec<Seed> {
    let compressed = |bits, first: u8| {
        let list = StatusList::new(bits, limits::STATUS_HERD).unwrap().compress().unwrap();
        [&[first][..], &list].concat()
    };
    let list = StatusList::new(Bits::Two, limits::STATUS_HERD).unwrap().compress().unwrap();
    let nothing = StatusList::from_bytes(Bits::One, Vec::new()).unwrap().compress().unwrap();
    let claims = json!({"sub": "https://issuer.example/status/1", "iat": 1_800_000_000, "exp": 1_800_003_600,
        "ttl": 600, "status_list": {"bits": 2, "lst": base64url::encode(&list)}});
    let of_world = world.status_list(identity_core::status::Status::Valid, &world.issuer);
    vec![
        seed("status_list", "one_bit", compressed(Bits::One, 1)),
        seed("status_list", "eight_bits", compressed(Bits::Eight, 8)),
        seed("status_list", "three_bits", compressed(Bits::One, 3)),
        seed("status_list", "not_zlib", "\u{1}plain"),
        seed("status_list", "no_entries", [&[1][..], &nothing].concat()),
        seed("status_token", "two_bits", claims.to_string()),
        seed("status_token", "expired", claims.to_string().replace("1800003600", "1700000000")),
        seed("jws", "status_list", of_world),
    ]
}

/// A state of two pairs at the edge of a log of 515 entries, and the same with a third.
fn snapshots(walk: &Walk) -> (Vec<u8>, Vec<u8>) {
    let entries = [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()];
    let mut edge = vec![Vec::new(); 8];
    edge[0] = entries.iter().map(|entry| leaf_hash(entry)).collect();
    edge[1] = [b"first", b"other"].map(|tile| sha256(tile)).to_vec();
    let header = Header { way: vec![walk.clone()], edge, pairs: 2 };
    let mut whole = Vec::new();
    let mut writer = Writer::begin(&mut whole, &header, &entries).unwrap();
    for key in [b"a", b"b"] {
        writer.pair(&sha256(key), key).unwrap();
    }
    let longer = [&whole[..], sha256(b"c").as_bytes(), &[0, 0, 0, 1, b'c']].concat();
    (whole, longer)
}

fn ledger_files(world: &World) -> Vec<Seed> {
    let proof = world.ledger.log_proof(world.anchored, NOW.0 - 100);
    let note = LogProof::parse(&proof).unwrap().note;
    let text = note.split("\n\n").next().unwrap().to_owned() + "\n";
    let state = world.ledger.state_proof(&did_key(&world.issuer.did()), NOW.0 - 100);
    let absent = world.ledger.state_proof("did/did:xinfu:sample:nobody", NOW.0 - 100);
    let anchor = json!(world.anchor_proof()).to_string();
    let mut fork = world.ledger.clone();
    fork.seal(NOW.0);
    let mut other = world.ledger.clone();
    other.seal(NOW.0 + 1);
    let [one, other] = [&fork, &other].map(|ledger| LogProof::parse(&ledger.log_proof(0, NOW.0)).unwrap().note);
    let evidence = json!(SplitEvidence { one: one.clone(), other }).to_string();
    let time = |seconds: i64| {
        let proof = world.ledger.time_proof(u64::try_from(seconds * 1000).unwrap(), NOW.0 + 3600);
        json!(proof).to_string()
    };
    let walk = Consortium::new().world.ledger.walk(NOW.0 - 100);
    let (snapshot, longer) = snapshots(&walk);
    let half = Walk { steps: walk.steps[1..].to_vec(), newest: None };
    vec![
        seed("split_evidence", "two_histories", evidence),
        seed("split_evidence", "one_history", json!(SplitEvidence { one: one.clone(), other: one }).to_string()),
        seed("walk", "two_steps", json!(walk).to_string()),
        seed("walk", "without_the_first", json!(half).to_string()),
        seed("walk", "no_steps", "{}"),
        seed("snapshot", "two_pairs", snapshot),
        seed("snapshot", "a_pair_more_than_it_says", longer),
        seed("snapshot", "first_line_only", "xinfu-snapshot@v1\n"),
        seed("note", "checkpoint", note.clone()),
        seed("note", "no_signature", text.clone()),
        seed("checkpoint", "text", text.clone()),
        seed("checkpoint", "certified", note.clone()),
        seed("checkpoint", "forged", note.replacen("AA", "AB", 1).replace("\n\n", "0\n\n")),
        seed("trust_root", "solo", world.ledger.trust_root_text()),
        seed("trust_root", "no_quorum", world.ledger.trust_root_text().replace("quorum", "# quorum")),
        seed("seal", "last", state.seal.clone()),
        seed("seal", "spaced", state.seal.replace(':', ": ")),
        seed("log_proof", "anchored", proof.clone()),
        seed("log_proof", "cut", proof[..40].to_owned()),
        seed("state_proof", "present", json!(state).to_string()),
        seed("state_proof", "absent", json!(absent).to_string()),
        seed("state_proof", "no_seal", "{}"),
        seed("time_proof", "between_two_seals", time(NOW.0 - 5000)),
        seed("time_proof", "after_the_last", time(NOW.0)),
        seed("time_proof", "no_seal", "{}"),
        seed("tile", "hashes", "tile/0/x001/234"),
        seed("tile", "partial", "tile/entries/000.p/7"),
        seed("tile", "leading_zero", "tile/00/000"),
        seed("tile", "bundle", [0_u8, 3, b'e', b'y', b'J']),
        seed("anchor_proof", "credential", anchor.clone()),
        seed("anchor_proof", "other_index", anchor.replacen("\"index\":1", "\"index\":-1", 1)),
    ]
}

fn registry(world: &World) -> Vec<Seed> {
    let genesis = json!(founded_by(&founders())).to_string();
    let party = Party::new(5, identity_core::registry::ServiceType::Issuer);
    let op = |sender: &str, seq: u8, members: &str| {
        format!(r#"{sender}{{"aud":"$AUD","exp":1800000600,"seq":{seq},{members}}}"#)
    };
    let root = base64url::encode(&[9; 32]);
    let accredit = r#""op":"accredit","subject":"$1","role":"issuer","types":["urn:a"],"claims":[],"purposes":[],"from":1800000000,"until":1810000000,"delegable":true"#;
    let rotate = format!(
        r#""op":"update","add_keys":[{{"id":"assert-2","jwk":{},"use":["assertionMethod"]}}],"remove_keys":["assert-1"]"#,
        Jwk::new(key(41, 1).public_key().clone()).to_json()
    );
    let lines = [
        op("0", 1, accredit),
        op("1", 1, &format!(r#""op":"anchor","kind":"credential","root":"{root}","count":3"#)),
        op("0", 2, &format!(r#""op":"schema","vct":"urn:a","digest":"{root}""#)),
        op("1", 2, &rotate),
        op("0", 3, r#""op":"end-accreditation","subject":"$1","role":"issuer","types":["urn:a"]"#),
        op("2", 1, r#""op":"deactivate""#),
    ];
    let duties = [
        op(
            "1",
            1,
            &format!(
                r#""op":"delegate","duty":"desk","holder":"service","title":{{"en":"Sample","zh":"示例"}},"key":{},"role":"verifier","types":["urn:a"],"claims":[["a"]],"purposes":["p"],"from":1800000000,"until":1810000000"#,
                Jwk::new(key(51, 5).public_key().clone()).to_json()
            ),
        ),
        op("1", 2, r#""op":"end-delegation","duty":"desk","delegation":3"#),
        op("1", 3, r#""op":"end-delegation","duty":"desk","delegation":3"#),
    ];
    let votes = [
        op("0", 1, r#""op":"propose","until":1800100000,"change":{"kind":"expel","did":"$2"}"#),
        op("1", 1, r#""op":"propose","until":1800100000,"change":{"kind":"validator","did":"$0"}"#),
        op("1", 1, r#""op":"approve","proposal":3"#),
        op("2", 1, r#""op":"withdraw","proposal":3"#),
    ];
    let ask = r#""op":"accredit","subject":"$1","role":"verifier","types":["urn:a"],"claims":[["a"]],"purposes":["p","q"],"from":1800000000,"until":1810000000,"delegable":false"#;
    let tallies = [
        op("0", 1, ask),
        op("1", 1, r#""op":"tally","day":"2027-01-14","counts":{"p":"<10","q":12}"#),
        op("1", 2, r#""op":"tally","day":"2027-01-14","counts":{"p":"<10","q":12}"#),
        op("1", 2, r#""op":"tally","day":"2027-01-13","counts":{"p":9,"q":10}"#),
        op("1", 2, r#""op":"tally","day":"2027-02-30","counts":{"p":"<10"}"#),
    ];
    vec![
        seed("transaction", "anchor", world.ledger.leaf(world.anchored)),
        seed("transaction", "create", party.create.as_str()),
        seed("transaction", "seal", "{}"),
        seed("genesis", "three_departments", genesis.clone()),
        seed("genesis", "two_times", genesis.replacen("\"time\"", "\"time\":1,\"time\"", 1)),
        seed("ledger_rules", "a_life", lines.join("\n")),
        seed("ledger_rules", "votes", votes.join("\n")),
        seed("ledger_rules", "duties", duties.join("\n")),
        seed("ledger_rules", "tallies", tallies.join("\n")),
        seed("ledger_rules", "wrong_sequence", op("0", 9, accredit)),
        seed("ledger_rules", "stranger_accredits", op("2", 1, accredit)),
    ]
}

fn protocols(world: &World) -> Vec<Seed> {
    let offer = json!({"credential_issuer": "https://issuer.example", "credential_configuration_ids": ["a"],
        "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": {"pre-authorized_code": "c",
            "tx_code": {"length": 6, "input_mode": "numeric"}}}});
    let metadata = json!({"credential_issuer": "https://issuer.example",
        "credential_endpoint": "https://issuer.example/credential", "nonce_endpoint": "https://issuer.example/nonce",
        "credential_configurations_supported": {"a": {"format": "dc+sd-jwt", "vct": "urn:a",
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}}}});
    let server = json!({"issuer": "https://issuer.example", "token_endpoint": "https://issuer.example/token"});
    let token = r#"{"access_token":"t","token_type":"Bearer"}"#;
    let credential = json!({"credentials": [{"credential": world.credential}]});
    let replies = format!("200 {metadata}\n200 {server}\n200 {token}\n200 {{\"c_nonce\":\"n\"}}\n200 {credential}");
    let good_token = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code&pre-authorized_code=$CODE&tx_code=$TX";
    let good_request = r#"{"credential_configuration_id":"a","proofs":{"jwt":["$PROOF"]}}"#;
    let link = "openid4vp://?client_id=decentralized_identifier%3Adid%3Axinfu%3Atest%3Averifier&request_uri=https%3A%2F%2Fverifier.example%2Fr";
    vec![
        seed("vci_offer", "by_value", offer.to_string()),
        seed(
            "vci_offer",
            "by_reference",
            "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fissuer.example%2Foffers%2Fx",
        ),
        seed(
            "vci_offer",
            "both",
            "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa.example&credential_offer=%7B%7D",
        ),
        seed("vci_requests", "good", format!("{good_token}\n{good_request}")),
        seed("vci_requests", "wrong_code", format!("{}\n{good_request}", good_token.replace("$TX", "000000"))),
        seed("vci_requests", "no_proof", format!("{good_token}\n{{\"credential_configuration_id\":\"a\"}}")),
        seed("vci_replies", "all", replies.clone()),
        seed("vci_replies", "mix_up", replies.replacen("issuer.example", "other.example", 1)),
        seed("vci_replies", "error", format!("200 {metadata}\n200 {server}\n400 {{\"error\":\"invalid_grant\"}}")),
        seed("vp_request", "link", link),
        seed("vp_request", "object", "{$REQUEST}"),
        seed("vp_request", "changed", "{$REQUEST,\"response_uri\":\"https://other.example/\"}"),
        seed("vp_response", "presented", "state=$STATE&vp_token=%7B%22a%22%3A%5B%22x%7E%22%5D%7D"),
        seed("vp_response", "declined", "state=$STATE&error=access_denied"),
        seed("vp_response", "bare_string", "state=$STATE&vp_token=%7B%22a%22%3A%22x%7E%22%7D"),
        seed("verdict", "good", "$SHOWN\n$PROOF"),
        seed("verdict", "no_proof", "$SHOWN"),
        seed("verdict", "no_binding", format!("{}\n$PROOF", world.credential)),
    ]
}

/// Attestations, requests that carry one, receipts, and withdrawals.
fn duties() -> Vec<Seed> {
    let request = |members: &str| format!("{{$REQUEST,{members}}}");
    let info = r#""verifier_info":[{"format":"xinfu-duty+jwt","data":"x"}]"#;
    let object = |kind: &str, id: &str| {
        let digest = base64url::encode(&[7; 32]);
        base64url::encode(json!({"type": kind, "credential_ids": [id], "attestation": digest}).to_string().as_bytes())
    };
    let ours = transaction_data::TYPE;
    let bound = |objects: &[String]| request(&format!("{info},\"transaction_data\":{}", json!(objects)));
    vec![
        seed("duty_attestation", "signed", "$SIGNED"),
        seed("duty_attestation", "said", "{$SAID}"),
        seed("duty_attestation", "one_member_more", "{$SAID,\"more\":1}"),
        seed("duty_attestation", "a_member_twice", "{$SAID,\"purpose\":\"loan\"}"),
        seed("duty_attestation", "another_signature", "$UNSIGNED"),
        seed("duty_order", "said", "{$SAID}"),
        seed("duty_order", "one_member_more", "{$SAID,\"more\":1}"),
        seed("duty_order", "a_member_twice", "{$SAID,\"basis\":\"Sample\"}"),
        seed("duty_order", "no_order", "e30.e30.e30"),
        seed("receipt", "signed", "$SIGNED"),
        seed("receipt", "said", "{$SAID}"),
        seed("receipt", "one_member_more", "{$SAID,\"more\":1}"),
        seed("receipt", "a_member_twice", "{$SAID,\"seq\":2}"),
        seed("receipt", "another_signature", "$UNSIGNED"),
        seed("withdrawal", "signed", "$SIGNED"),
        seed("withdrawal", "said", "{$SAID}"),
        seed("withdrawal", "one_member_more", "{$SAID,\"more\":1}"),
        seed("withdrawal", "a_member_twice", "{$SAID,\"iat\":2}"),
        seed("withdrawal", "another_signature", "$UNSIGNED"),
        seed("withdrawal_ack", "signed", "$SIGNED"),
        seed("withdrawal_ack", "said", "{$SAID}"),
        seed("withdrawal_ack", "one_member_more", "{$SAID,\"more\":1}"),
        seed("withdrawal_ack", "a_member_twice", "{$SAID,\"passed_on\":true}"),
        seed("withdrawal_ack", "another_signature", "$UNSIGNED"),
        seed("evidence_bundle", "whole", "{$BUNDLE}"),
        seed("evidence_bundle", "full", "{$FULL}"),
        seed("evidence_bundle", "one_member_more", "{$BUNDLE,\"more\":1}"),
        seed("evidence_bundle", "no_states", "{$BUNDLE,\"states\":[]}"),
        seed("evidence_bundle", "no_holder", "{$BUNDLE}\nkey_bindings=[]"),
        seed("evidence_bundle", "taken_back", "{$TAKEN}"),
        seed("evidence_bundle", "taken_back_by_a_stranger", "{$TAKEN}\nkey_bindings=[]"),
        seed("evidence_bundle", "taken_back_by_nobody", "{$BUNDLE,\"withdrawal\":{\"text\":\"$UNSIGNED\"}}"),
        seed("evidence_bundle", "no_official", "{$BUNDLE}\nreceipt=\"$UNSIGNED\""),
        seed("period_export", "over", "{$MIDDLE}"),
        seed("period_export", "open", "{$OPEN}"),
        seed("period_export", "one_member_more", "{$MIDDLE,\"more\":1}"),
        seed("period_export", "no_ranges", "{$MIDDLE}\nranges=[]"),
        seed("period_export", "cut_off", "{$OPEN}\nentries=[]"),
        seed("period_export", "unsigned", "{$OPEN}\nentries=[\"$UNSIGNED\"]"),
        seed("vp_request", "attested", bound(&[object(ours, "a")])),
        seed("vp_request", "attested_only", request(info)),
        seed("vp_request", "other_info", request(r#""verifier_info":[{"format":"jwt","data":{"any":1}}]"#)),
        seed(
            "vp_request",
            "two_attestations",
            request(&info.replace('}', "},{\"format\":\"xinfu-duty+jwt\",\"data\":\"y\"}")),
        ),
        seed("vp_request", "transaction_of_other_type", bound(&[object("urn:other", "a")])),
        seed("vp_request", "transaction_for_nobody", bound(&[object(ours, "b")])),
        seed("vp_request", "transaction_twice", bound(&[object(ours, "a"), object(ours, "a")])),
        seed("vp_request", "transactions_none", bound(&[])),
    ]
}
