//! The sample presentation with one thing otherwise that concerns the official's word, and who must refuse it how.

use identity_core::crypto::{SecretKey, Signer};
use identity_core::duty::Attestation;
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::registry::{Delegate, EndDelegation, Operation, ServiceType};
use ledger::sha256;
use serde_json::{Value, json};

use super::files::{DUTY, START, desk};
use super::parties::{Party, key};

/// What is otherwise. Everything that is signed is signed over it, so only what was changed is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Twist {
    /// Whether the asker was accredited by a province, and the province by the authority.
    pub(crate) has_province: bool,
    /// What the credential says of its type's metadata: its `vct#integrity`.
    pub(crate) integrity: Option<fn() -> String>,
    /// The duty as the department gives it.
    pub(crate) duty: fn(&mut Delegate),
    /// What the department does to the duty later, by the number of its delegation.
    pub(crate) later: fn(u64, &Party) -> Vec<Operation>,
    /// The question, before the official speaks.
    pub(crate) question: fn(&mut Value),
    /// What the official says.
    pub(crate) word: fn(&mut Attestation),
    /// Who signs that.
    pub(crate) duty_key: fn(&Party) -> SecretKey,
    /// The request, before the department signs it.
    pub(crate) request: fn(&mut Value),
    /// What the holder signs beside the nonce.
    pub(crate) hashes: fn(&mut Vec<String>),
    /// With which key.
    pub(crate) holder: fn() -> SecretKey,
}

impl Default for Twist {
    fn default() -> Self {
        Self {
            has_province: false,
            integrity: None,
            duty: |_| (),
            later: |_, _| Vec::new(),
            question: |_| (),
            word: |_| (),
            duty_key: Party::duty,
            request: |_| (),
            hashes: |_| (),
            holder: || key(41),
        }
    }
}

/// A twist that is refused.
pub(crate) struct Refused {
    pub(crate) what: &'static str,
    pub(crate) twist: Twist,
    /// The code of the verdict, or of reading the request.
    pub(crate) code: &'static str,
    /// Part of what `verify.py` says.
    pub(crate) said: &'static str,
}

/// Every one.
pub(crate) fn refused() -> Vec<Refused> {
    [words(), duties(), requests(), holders()].into_iter().flatten().collect()
}

fn jwk(seed: u8) -> Jwk {
    Jwk::new(key(seed).public_key().clone())
}

fn row(what: &'static str, code: &'static str, said: &'static str, twist: Twist) -> Refused {
    Refused { what, twist, code, said }
}

/// The official says something else than the request does.
fn words() -> Vec<Refused> {
    const OVER: &str = "over another request";
    let other = |what, word| row(what, "duty.other_request", OVER, Twist { word, ..Twist::default() });
    vec![
        other("another nonce", |said| said.nonce.push('x')),
        other("another address", |said| said.response_uri.push('x')),
        other("another client", |said| said.client_id.push('x')),
        other("another time", |said| said.exp = said.exp.plus(1)),
        other("a claim less", |said| {
            said.dcql_query["credentials"][0]["claims"].as_array_mut().unwrap().pop();
        }),
        other("another purpose than the request", |said| said.purpose = "advertising".to_owned()),
        other("that the holder need not sign", |said| said.holder_signs = false),
        row(
            "no basis",
            "duty.malformed",
            "attestation",
            Twist { word: |said| said.basis = " ".to_owned(), ..Twist::default() },
        ),
        row(
            "a retention beyond a century",
            "duty.malformed",
            "attestation",
            Twist { word: |said| said.retention_days = 36_526, ..Twist::default() },
        ),
        row(
            "a control character in the basis",
            "duty.malformed",
            "attestation",
            Twist { word: |said| said.basis = "Act\u{1b}[31m".to_owned(), ..Twist::default() },
        ),
        row(
            "data for somebody else",
            "duty.malformed",
            "attestation",
            Twist {
                word: |said| {
                    said.receiver = Party::new(51, ServiceType::Verifier, "https://x.example", "X", "某").did()
                },
                ..Twist::default()
            },
        ),
        row(
            "no case, where the duty needs one",
            "duty.case",
            "no case",
            Twist { word: |said| said.case = None, ..Twist::default() },
        ),
        // The ledger is not asked about a duty of which no proof came.
        row(
            "another duty",
            "verdict.evidence.missing",
            "KeyError",
            Twist { word: |said| said.duty = "loan-desk-4".to_owned(), ..Twist::default() },
        ),
        row(
            "the key of the service",
            "duty.unknown",
            "no duty",
            Twist { duty_key: Party::authenticator, ..Twist::default() },
        ),
    ]
}

/// The department's duty is another one, or has ended.
fn duties() -> Vec<Refused> {
    let given = |what, code, said, duty| row(what, code, said, Twist { duty, ..Twist::default() });
    let later = |what, code, said, later| row(what, code, said, Twist { later, ..Twist::default() });
    const SCOPE: &str = "the duty does not cover";
    vec![
        given("a claim beyond the duty", "duty.claims", SCOPE, |duty| duty.claims.retain(|path| path != &["address"])),
        given("a claim beside the duty", "duty.claims", SCOPE, |duty| {
            duty.claims = ["name", "birth_date"].map(|name| vec![name.to_owned()]).to_vec();
            duty.claims.push(["address", "detail"].map(str::to_owned).to_vec());
        }),
        given("a type beyond the duty", "duty.type", SCOPE, |duty| duty.types = vec!["urn:other".to_owned()]),
        given("a purpose beyond the duty", "duty.purpose", SCOPE, |duty| duty.purposes = vec!["other".to_owned()]),
        given("a duty that has not begun", "duty.not_yet", "no duty", |duty| duty.from = START + 9_000),
        given("a duty that has lapsed", "duty.ended", "no duty", |duty| duty.until = START + 600),
        given("another official's key", "duty.unknown", "no duty", |duty| {
            duty.key = jwk(99);
        }),
        later("an ended duty", "duty.ended", "no duty", |given, _| {
            vec![Operation::EndDelegation(EndDelegation { duty: DUTY.to_owned(), delegation: given })]
        }),
        later("a duty in other hands", "duty.ended", "no duty", |_, asker| {
            vec![Operation::Delegate(Box::new(Delegate { key: jwk(98), ..desk(asker) }))]
        }),
    ]
}

/// The request carries something else than the official signed.
fn requests() -> Vec<Refused> {
    let sent = |what, code, said, request| row(what, code, said, Twist { request, ..Twist::default() });
    fn objects(payload: &mut Value, change: impl FnOnce(&mut Value)) {
        let text = payload["transaction_data"][0].as_str().unwrap();
        let bytes = base64url::decode(text).unwrap();
        let mut object: Value = serde_json::from_slice(&bytes).unwrap();
        change(&mut object);
        let text = base64url::encode(object.to_string().as_bytes());
        payload["transaction_data"] = json!([text]);
    }
    const OBJECTS: &str = "transaction_data";
    vec![
        sent("a dropped attestation", "duty.missing", "KeyError", |payload| {
            payload.as_object_mut().unwrap().remove("verifier_info");
        }),
        sent("an attestation of another format", "duty.missing", "one attestation", |payload| {
            payload["verifier_info"][0]["format"] = json!("jwt");
        }),
        sent("two attestations", "vp.request.verifier_info", "one attestation", |payload| {
            let info = payload["verifier_info"][0].clone();
            payload["verifier_info"].as_array_mut().unwrap().push(info);
        }),
        sent("an attestation for some of the queries", "vp.request.verifier_info", "one attestation", |payload| {
            payload["verifier_info"][0]["credential_ids"] = json!(["resident"]);
        }),
        sent("an attestation cut short", "duty.malformed", "malformed", |payload| {
            payload["verifier_info"][0]["data"] = json!("e30.e30");
        }),
        sent("another purpose", "verdict.asker.purpose", "may not ask", |payload| {
            payload["xinfu_purpose"] = json!("advertising");
        }),
        sent("dropped transaction_data", "duty.other_request", "over another request", |payload| {
            payload.as_object_mut().unwrap().remove("transaction_data");
        }),
        sent("transaction_data over another attestation", "duty.other_request", OBJECTS, |payload| {
            objects(payload, |object| object["attestation"] = json!(sha256(b"another")));
        }),
        sent("transaction_data of another type", "vp.request.transaction_data", OBJECTS, |payload| {
            objects(payload, |object| object["type"] = json!("urn:other"));
        }),
        sent("transaction_data for a query that is not there", "vp.request.transaction_data", OBJECTS, |payload| {
            objects(payload, |object| object["credential_ids"] = json!(["other"]));
        }),
        sent("transaction_data with a member more", "vp.request.transaction_data", "other members", |payload| {
            objects(payload, |object| object["note"] = json!("shown to nobody"));
        }),
        sent("transaction_data under another hash", "vp.request.transaction_data", OBJECTS, |payload| {
            objects(payload, |object| object["transaction_data_hashes_alg"] = json!(["sha-512"]));
        }),
        sent("transaction_data twice", "vp.request.transaction_data", OBJECTS, |payload| {
            let object = payload["transaction_data"][0].clone();
            payload["transaction_data"].as_array_mut().unwrap().push(object);
        }),
    ]
}

/// The holder signs something else.
fn holders() -> Vec<Refused> {
    const WHAT: &str = "did not sign what";
    let signed = |what, hashes| row(what, "kb_jwt.transaction_data", WHAT, Twist { hashes, ..Twist::default() });
    vec![
        signed("a key binding without hashes", Vec::clear),
        signed("hashes of another request", |hashes| hashes[0] = sha256(b"of another request").to_base64url()),
        signed("one hash more", |hashes| hashes.push(sha256(b"something more").to_base64url())),
        signed("the same hash twice", |hashes| hashes.push(hashes[0].clone())),
    ]
}
