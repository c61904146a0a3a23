//! What is asked, and what an official says over it. Most of it is right most of the time, so that whatever is not is
//! found alone, and again in company.

use identity_core::crypto::{SecretKey, Signer};
use identity_core::dcql::Query;
use identity_core::did::Did;
use identity_core::duty::Attestation;
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::oid4vp::{ClientId, Parameters, transaction_data};
use identity_core::registry::DutyHolder;
use identity_core::time::UnixSeconds;
use ledger::sha256;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::choose::{chance, each, one, some};
use super::scene::{DUTIES, OFFICIALS, PURPOSES, Scene, TYPES};

/// The request, and the same as the oracle reads it.
pub(crate) struct Question {
    pub(crate) request: Parameters,
    pub(crate) acts: DutyHolder,
    pub(crate) said: Value,
    /// The claims that the sample credential shows in answer, where it is one.
    pub(crate) shown: Option<Vec<&'static str>>,
}

impl Question {
    /// In a story in which these duties are given to these officials at one time or another.
    pub(crate) fn make(scene: &Scene, given: &[(&'static str, &'static str)], rng: &mut StdRng) -> Self {
        let queries: Vec<Value> = (0..one(rng, &[1, 1, 1, 2])).map(|_| query(rng)).collect();
        let client = if chance(rng, 97) { "asker" } else { "other" };
        let purpose = if chance(rng, 96) { Some(one(rng, &PURPOSES)) } else { None };
        let mut request = scene.request.clone();
        request.client_id = ClientId::of_did(&if client == "asker" { scene.asker.did() } else { scene.issuer.did() });
        request.purpose = purpose.map(str::to_owned);
        request.dcql_query = dcql(&queries);
        (request.duty, request.transaction_data) = (None, Vec::new());
        request.query = Query::from_json(&request.dcql_query).unwrap();
        let acts = one(rng, &[DutyHolder::Official, DutyHolder::Service]);
        let (word, objects) = attest(scene, given, rng, &mut request);
        let said = json!({"question": {"client": client, "purpose": purpose, "queries": queries},
            "word": word, "objects": objects, "acts": acts});
        let shown = if chance(rng, 40) { shown(&queries) } else { None };
        Self { request, acts, said, shown }
    }
}

fn query(rng: &mut StdRng) -> Value {
    let types = if chance(rng, 15) { TYPES.to_vec() } else { vec![one(rng, &[TYPES[0], TYPES[0], TYPES[1]])] };
    let paths = [
        json!(["name"]),
        json!(["address"]),
        json!(["address", "region"]),
        json!(["sex"]),
        json!(["permits", null]),
        json!(["permits", 0, "code"]),
        json!(["permits", "code"]),
    ];
    let of = if chance(rng, 60) { &paths[..3] } else { &paths[..] };
    json!({"types": types, "claims": each(rng, of, 40)})
}

fn dcql(queries: &[Value]) -> Value {
    let credentials = queries.iter().enumerate().map(|(place, query)| {
        let meta = json!({"vct_values": query["types"]});
        let mut asked = json!({"id": format!("query-{place}"), "format": "dc+sd-jwt", "meta": meta});
        // An empty list is none in DCQL.
        let claims: Vec<Value> = query["claims"].as_array().unwrap().iter().map(|path| json!({"path": path})).collect();
        if !claims.is_empty() {
            asked["claims"] = json!(claims);
        }
        asked
    });
    json!({ "credentials": credentials.collect::<Vec<_>>() })
}

/// The claims that the sample credential has to show, if it answers the question.
fn shown(queries: &[Value]) -> Option<Vec<&'static str>> {
    let [query] = queries else { return None };
    let types = query["types"].as_array()?;
    let tops = query["claims"].as_array()?.iter().map(|path| {
        let top = path[0].as_str()?;
        ["name", "address", "sex"].into_iter().find(|name| *name == top)
    });
    let tops: Vec<&'static str> = tops.collect::<Option<_>>()?;
    types.contains(&json!(TYPES[0])).then_some(tops)
}

/// Puts an official's word into the request, or none, and gives it as the oracle reads it, with what the holder is to sign.
fn attest(
    scene: &Scene,
    given: &[(&'static str, &'static str)],
    rng: &mut StdRng,
    request: &mut Parameters,
) -> (Value, &'static str) {
    if chance(rng, 3) {
        return (Value::Null, "none");
    }
    let differs = some(rng, &["question", "client", "address", "nonce", "end"], 20);
    let differs = if chance(rng, 5) { differs } else { Vec::new() };
    let (duty, key) = if chance(rng, 92) { one(rng, given) } else { (one(rng, &DUTIES), one(rng, &OFFICIALS)) };
    let said = statement(scene, duty, rng, request, &differs);
    let form = if chance(rng, 97) { "sound" } else { one(rng, &FORMS) };
    let signed_by = match chance(rng, 93) {
        true => key,
        false => one(rng, &[OFFICIALS[0], OFFICIALS[1], "service"]),
    };
    let text = signed(&said, &scene.key_of(key), &scene.key_of(signed_by), form);
    let objects = match chance(rng, 94) {
        true if said.holder_signs => "over this word",
        true => "none",
        false => one(rng, &["none", "over this word", "over another word"]),
    };
    request.transaction_data = match objects {
        "none" => Vec::new(),
        "over this word" => transaction_data::make(&request.query, &text),
        _ => transaction_data::make(&request.query, "another word"),
    };
    request.duty = Some(text);
    let known = [(scene.asker.did(), "asker"), (scene.issuer.did(), "other")];
    let name = |did: Did| known.iter().find(|(known, _)| *known == did).map_or("a third", |(_, name)| *name);
    let word = json!({"form": form, "for": name(said.iss), "receiver": name(said.receiver), "duty": said.duty, "key": key,
        "signed_by": signed_by, "purpose": said.purpose, "basis": said.basis, "retention_days": said.retention_days,
        "case": said.case.is_some(), "holder_signs": said.holder_signs, "differs": differs});
    (word, objects)
}

fn statement(scene: &Scene, duty: &str, rng: &mut StdRng, request: &Parameters, differs: &[&str]) -> Attestation {
    let (asker, other) = (scene.asker.did(), scene.issuer.did());
    let iss = if chance(rng, 97) { asker.clone() } else { other };
    let same = chance(rng, 97);
    let purpose = request.purpose.clone().unwrap_or_else(|| PURPOSES[0].to_owned());
    let mut said = Attestation {
        receiver: if chance(rng, 99) { iss.clone() } else { scene.authority.did() },
        iss,
        duty: if chance(rng, 98) { duty.to_owned() } else { one(rng, &["", "a/b", "desk 1"]).to_owned() },
        purpose: if same { purpose } else { one(rng, &["loan", "school", "", "two words", "用途"]).to_owned() },
        basis: if chance(rng, 98) { "Sample Act, article 1".to_owned() } else { basis_beyond(rng) },
        retention_days: if chance(rng, 98) { one(rng, &[0, 30, 36_525]) } else { 36_526 },
        case: chance(rng, 70).then(|| sha256(b"a salted case")),
        holder_signs: chance(rng, 80),
        dcql_query: request.dcql_query.clone(),
        client_id: request.client_id.as_str().to_owned(),
        response_uri: request.response_uri.as_str().to_owned(),
        nonce: request.nonce.clone(),
        exp: request.expires,
    };
    for member in differs {
        match *member {
            "question" => said.dcql_query["credentials"][0]["id"] = json!("another"),
            "client" => said.client_id.push('x'),
            "address" => said.response_uri.push('x'),
            "nonce" => said.nonce.push('x'),
            _ => said.exp = UnixSeconds(said.exp.0 + 1),
        }
    }
    said
}

fn basis_beyond(rng: &mut StdRng) -> String {
    one(rng, &[String::new(), " ".to_owned(), "条".repeat(256), "条".repeat(257), "Act\u{1b}[31m".to_owned()])
}

const FORMS: [&str; 3] = ["another type", "a member more", "cut short"];

/// Signed by one key in the name of one, perhaps another.
fn signed(said: &Attestation, named: &SecretKey, key: &SecretKey, form: &str) -> String {
    let mut payload = serde_json::to_value(said).unwrap();
    if form == "a member more" {
        payload["note"] = json!("shown to nobody");
    }
    let name = Jwk::new(named.public_key().clone()).thumbprint().to_base64url();
    let kind = if form == "another type" { typ::RECEIPT } else { typ::DUTY };
    let text = sign_compact(SignHeader::new(kind).kid(&name), payload.to_string().as_bytes(), key).unwrap();
    match form {
        "cut short" => text.rsplit_once('.').unwrap().0.to_owned(),
        _ => text,
    }
}
