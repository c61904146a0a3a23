//! Bundles that hold, and bundles with one thing wrong, each with what must come of it. Whatever is signed is signed over
//! what was changed, by the right key unless the key is what is wrong; the digest of the file is right unless it is meant.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use identity_core::bundle::{Bundle, Full, Holder};
use identity_core::crypto::SecretKey;
use identity_core::encoding::base64url;
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::problem::Code;
use identity_core::registry::{
    DutyHolder, EndAccreditation, EndDelegation, KeyEntry, KeyUse, Operation, Update, accreditation_key, did_key,
    member_key,
};
use identity_core::sample::parties::{self, Party as OtherParty};
use identity_core::sample::world::{World as OtherWorld, attestation, holder};
use identity_core::time::UnixSeconds;
use ledger::sha256;
use serde_json::{Value, json};

use super::act::Act;
use super::{withdrawals, word};
use crate::presentation::files::{DUTY, NOW, World};
use crate::presentation::parties::{Party, key};
use crate::presentation::twist::{Twist, refused};

/// A bundle, and what must come of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Whom a checker of it believes.
    pub(crate) trust_root: String,
    /// What is shown of the holder and of a withdrawal ([`super::shown`]), or the code of what does not hold.
    pub(crate) expected: Result<String, String>,
}

/// Every one.
pub(crate) fn cases() -> Vec<Case> {
    let parts =
        [files(), states(), receipts(), anchors(), requests(), duties(), chains(), holders(), withdrawals::cases()];
    holding().into_iter().chain(parts.into_iter().flatten()).collect()
}

/// The five that stand in `vectors/bundle`.
pub(crate) fn standing() -> [(&'static str, Bundle, &'static str); 5] {
    let mut refused = Act::new(Twist { holder: || key(42), ..Twist::default() });
    refused.receipt.verdict = Code::KbJwtSignature.as_str().to_owned();
    let mut act = Act::new(Twist::default());
    let waiting = act.bundle(None, None);
    let proof = act.anchor(NOW + 60);
    [
        ("waiting.json", waiting, "claimed"),
        ("anchored.json", act.bundle(Some(proof.clone()), None), "claimed"),
        ("full.json", act.bundle(Some(proof), Some(act.full())), "signed"),
        ("refused.json", anchored_full(&mut refused), "unproven"),
        ("withdrawn.json", withdrawals::standing(), "claimed, withdrawn, notarised, acknowledged"),
    ]
}

// ---- Making them ----

fn anchored(act: &mut Act) -> Bundle {
    let proof = act.anchor(NOW + 60);
    act.bundle(Some(proof), None)
}

fn anchored_full(act: &mut Act) -> Bundle {
    let proof = act.anchor(NOW + 60);
    act.bundle(Some(proof), Some(act.full()))
}

/// The act with something otherwise, its receipt on the ledger, without the presentation.
fn with(change: impl FnOnce(&mut Act)) -> Bundle {
    let mut act = Act::new(Twist::default());
    change(&mut act);
    anchored(&mut act)
}

/// The same with the presentation.
fn full_with(change: impl FnOnce(&mut Act)) -> Bundle {
    let mut act = Act::new(Twist::default());
    change(&mut act);
    anchored_full(&mut act)
}

/// The trust root of the sample's ledger.
pub(crate) fn trust_root() -> String {
    Act::new(Twist::default()).world.ledger.trust_root()
}

pub(crate) fn text_case(name: &str, code: &str, text: String) -> Case {
    Case { name: name.to_owned(), text, trust_root: trust_root(), expected: Err(format!("evidence.{code}")) }
}

pub(crate) fn wrong(name: &str, code: &str, bundle: &Bundle) -> Case {
    text_case(name, code, bundle.to_text())
}

fn right(name: &str, holder: Holder, bundle: &Bundle) -> Case {
    right_as(name, word(holder), bundle.to_text())
}

pub(crate) fn right_as(name: &str, shown: &str, text: String) -> Case {
    Case { name: name.to_owned(), text, trust_root: trust_root(), expected: Ok(shown.to_owned()) }
}

/// The file with its JSON changed, and its digest made anew.
pub(crate) fn forged(bundle: &Bundle, change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::to_value(bundle).unwrap();
    change(&mut value);
    sealed(&value.to_string())
}

fn sealed(json: &str) -> String {
    let said = json.strip_suffix('}').unwrap();
    format!("{said},\"sha256\":\"{}\"}}\n", sha256(said.as_bytes()).to_base64url())
}

/// The payload of a JWS.
fn payload(jws: &str) -> Value {
    serde_json::from_slice(&base64url::decode(jws.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

// ---- What holds ----

fn holding() -> Vec<Case> {
    let mut cases: Vec<Case> =
        standing().iter().map(|(name, bundle, shown)| right_as(name, shown, bundle.to_text())).collect();
    let mut act = Act::new(Twist::default());
    let proof = act.anchor(NOW + 60);
    let full = act.bundle(Some(proof.clone()), Some(act.full()));
    let unanchored = Full { anchors: Default::default(), ..act.full() };
    cases.push(right("no anchor proof of the credential", Holder::Signed, &act.bundle(Some(proof), Some(unanchored))));
    let erased = text_of(&full, |json| {
        json.as_object_mut().unwrap().remove("full");
        json["key_bindings"] = json!([]);
    });
    cases.push(right("nothing of the holder's is kept any more", Holder::Unproven, &erased));
    cases.push(right("a day later everything has ended", Holder::Signed, &later()));
    let mut more = act.bundle(full_proof(&full), None);
    more.add_state(act.state("rules"));
    cases.push(right("a state that nobody asked for", Holder::Claimed, &more));
    let signed_late = with(|act| act.receipt.iat = UnixSeconds(NOW + 360));
    cases.push(right("clocks that differ by five minutes", Holder::Claimed, &signed_late));
    cases.extend(asked_in_full());
    cases.extend(of_others());
    cases
}

fn full_proof(bundle: &Bundle) -> Option<identity_core::anchor::AnchorProof> {
    serde_json::from_value(serde_json::to_value(bundle).unwrap()["receipt_proof"].clone()).unwrap()
}

fn text_of(bundle: &Bundle, change: impl FnOnce(&mut Value)) -> Bundle {
    Bundle::parse(forged(bundle, change).as_bytes()).unwrap()
}

/// Duty and accreditations have ended, and the key was replaced, after the ledger took the receipt.
fn later() -> Bundle {
    let mut act = Act::new(Twist::default());
    let proof = act.anchor(NOW + 60);
    let index = proof.claimed_index().unwrap();
    let World { asker, authority, province, ledger, .. } = &mut act.world;
    let province = province.as_ref().unwrap();
    let duty = first_id(ledger.value(&format!("duty/{}/{DUTY}", asker.did())), "delegations");
    ledger.act(asker, &Operation::EndDelegation(EndDelegation { duty: DUTY.to_owned(), delegation: duty }));
    ledger.act(asker, &Operation::Update(replace_key()));
    let given = first_id(ledger.value(&accreditation_key(&province.did())), "grants");
    let end = EndAccreditation { subject: province.did(), accreditation: given };
    ledger.act(authority, &Operation::EndAccreditation(end));
    ledger.seal(NOW + 86_400);
    let proof = act.proof_of(index);
    act.bundle(Some(proof), Some(act.full()))
}

pub(crate) fn replace_key() -> Update {
    let entry = KeyEntry::new("auth-2", Jwk::new(public(77)), KeyUse::Authentication);
    Update { add_keys: vec![entry], remove_keys: vec!["auth-1".to_owned()], ..Update::default() }
}

fn public(seed: u8) -> identity_core::crypto::PublicKey {
    use identity_core::crypto::Signer as _;
    key(seed).public_key().clone()
}

fn first_id(history: Value, list: &str) -> u64 {
    history[list][0]["id"].as_u64().unwrap()
}

/// DCQL with all that it has: alternatives, sets, and whose credentials will do.
fn asked_in_full() -> Vec<Case> {
    let by_others = |payload: &mut Value| {
        let nobody = format!("did:xinfu:sample:{}", "2".repeat(44));
        payload["dcql_query"]["credentials"][0]["trusted_authorities"] =
            json!([{"type": "xinfu_ledger", "values": [nobody]}]);
    };
    let alternatives = |payload: &mut Value| {
        let query = &mut payload["dcql_query"];
        let asked = &mut query["credentials"][0];
        asked["multiple"] = json!(true);
        asked["claims"][0]["values"] = json!(["somebody else"]);
        for (claim, id) in asked["claims"].as_array_mut().unwrap().iter_mut().zip(["name", "birth", "region"]) {
            claim["id"] = json!(id);
        }
        asked["claim_sets"] = json!([["name"], ["birth", "region"]]);
        query["credential_sets"] = json!([{"options": [["resident"]]}, {"options": [["resident"]], "required": false}]);
    };
    let with_question = |question| anchored_full(&mut Act::new(Twist { question, ..Twist::default() }));
    vec![
        right("the second of two ways to answer", Holder::Signed, &with_question(alternatives)),
        wrong("a credential of an issuer that was not wanted", "holder", &with_question(by_others)),
    ]
}

/// Keys of the other algorithm, and a client that is known by its certificate.
fn of_others() -> Vec<Case> {
    use identity_core::registry::ServiceType;
    use identity_core::sample::{certificates, ledger::SampleLedger};
    let (authority, issuer) = (OtherParty::new(1, ServiceType::Ledger), OtherParty::new(2, ServiceType::Issuer));
    let asker = OtherParty::new(4, ServiceType::Verifier);
    let ledger = SampleLedger::founded_by(&[&authority, &issuer, &asker], &authority);
    let mut es256 = OtherWorld::on(ledger, authority, issuer, asker);
    es256.request.response_uri = "https://d4.example/responses/1".parse().unwrap();
    // The sample's duty is in the hands of the third department's official, whoever gave it.
    let word = attestation(&es256.asker.did(), &es256.request);
    es256.attest_with(&word, &parties::key(3, parties::DUTY_PLACE));
    let mut certified = OtherWorld::new();
    certified.certify();
    let chain = identity_core::x509::Chain::from_pem(certificates::ASKER).unwrap().to_x5c();
    let header = SignHeader::new(typ::REQUEST_OBJECT).x5c(&chain);
    let payload = certified.request.to_json().to_string();
    let request = sign_compact(header, payload.as_bytes(), &certified.asker.authenticator()).unwrap();
    let by_certificate =
        |world: &OtherWorld| text_of(&world.bundle(None, true), |json| json["request"] = json!(request));
    let by_certificate = certified.complete(by_certificate(&certified), UnixSeconds(START_OF_OTHERS));
    let case = |name: &str, world: &OtherWorld, bundle: &Bundle, expected| Case {
        name: name.to_owned(),
        text: bundle.to_text(),
        trust_root: world.ledger.trust_root_text(),
        expected,
    };
    let named_otherwise = certified.bundle(None, true);
    let (twinned, other_signature, both_signatures) = under_other_signatures();
    let by_leaf = |name: &str, leaf: &[u8]| {
        let mut payload = certified.request.to_json();
        payload["client_id"] = json!(format!("x509_hash:{}", sha256(leaf).to_base64url()));
        let chain = [STANDARD.encode(leaf)];
        let header = SignHeader::new(typ::REQUEST_OBJECT).x5c(&chain);
        let request = sign_compact(header, payload.to_string().as_bytes(), &certified.asker.authenticator()).unwrap();
        let bundle = text_of(&named_otherwise, |json| json["request"] = json!(request));
        case(name, &certified, &bundle, Err("evidence.request".to_owned()))
    };
    let chain = identity_core::x509::Chain::from_pem(certificates::ASKER_WITHOUT_USAGE).unwrap().to_x5c();
    let without_usage = STANDARD.decode(&chain[0]).unwrap();
    vec![
        by_leaf("a certificate that does not say what its key is for", &without_usage),
        by_leaf("a certificate of a kind of key that nobody knows", &with_unknown_key(&without_usage)),
        case("keys of ES256", &es256, &es256.bundle(None, true), Ok("signed".to_owned())),
        case("a client known by its certificate", &certified, &by_certificate, Ok("signed".to_owned())),
        case("the other signature of ES256", &twinned, &other_signature, Ok("signed".to_owned())),
        case("one credential under both its signatures", &twinned, &both_signatures, Err("evidence.holder".to_owned())),
        case("a certificate that is not there", &certified, &named_otherwise, Err("evidence.request".to_owned())),
    ]
}

/// A query for several credentials, answered by the one there is: under the signature that anybody makes of its issuer's, and
/// under both, with all that the ledger is asked for in the first case.
fn under_other_signatures() -> (OtherWorld, Bundle, Bundle) {
    let mut world = OtherWorld::new();
    let mut question = world.request.dcql_query.clone();
    question["credentials"][0]["multiple"] = json!(true);
    world.ask(question);
    let issuers_own = world.shown(&holder());
    let (issued, disclosures) = world.credential.split_once('~').unwrap();
    world.credential = format!("{}~{disclosures}", parties::twin(issued));
    let other = world.shown(&holder());
    world.token.insert("id".to_owned(), vec![other.clone()]);
    let under_other = world.bundle(None, true);
    world.token.insert("id".to_owned(), vec![issuers_own, other]);
    let states = serde_json::to_value(&under_other).unwrap()["states"].clone();
    let under_both = text_of(&world.bundle(None, true), |json| json["states"] = states);
    (world, under_other, under_both)
}

/// A certificate whose key is of an algorithm that has no name.
fn with_unknown_key(certificate: &[u8]) -> Vec<u8> {
    let ed25519 = [0x06, 0x03, 0x2b, 0x65, 0x70];
    let place = certificate.windows(ed25519.len()).position(|bytes| bytes == ed25519).unwrap();
    let mut other = certificate.to_vec();
    other[place + ed25519.len() - 1] = 0x01;
    other
}

/// When the other world's validators cosign.
const START_OF_OTHERS: i64 = identity_core::sample::world::NOW.0 + 100;

// ---- What does not ----

fn files() -> Vec<Case> {
    let bundle = with(|_| ());
    let text = bundle.to_text();
    let forged = |change: fn(&mut Value)| forged(&bundle, change);
    let malformed = |name: &str, text: String| text_case(name, "malformed", text);
    let without_digest = format!("{}}}", text.split(",\"sha256\"").next().unwrap());
    let first = without_digest.replacen('{', &format!("{{\"sha256\":\"{}\",", sha256(b"").to_base64url()), 1);
    let twice = without_digest.replacen('{', "{\"format\":\"xinfu-evidence-1\",", 1);
    vec![
        malformed("a file of another format", forged(|json| json["format"] = json!("xinfu-evidence-2"))),
        malformed("a member that no bundle has", forged(|json| json["note"] = json!("trust me"))),
        malformed("a member less", forged(|json| drop(json.as_object_mut().unwrap().remove("key_bindings")))),
        malformed("a member twice", sealed(&twice)),
        malformed("a digest that is not last", first),
        malformed("no digest", without_digest.clone()),
        malformed("text after the file", text.clone() + "{}"),
        malformed("a number that is none", sealed(&without_digest.replacen("\"index\":1", "\"index\":01", 1))),
        malformed("a name in half a surrogate pair", forged_text(&bundle, "\"xinfu-evidence-1\"", "\"\\ud800\"")),
        malformed("a key binding that is no text", forged(|json| json["key_bindings"][0] = json!(1))),
        text_case("one letter changed", "changed", text.replacen("eyJ", "eyK", 1)),
        text_case("white space that was not there", "changed", text.replacen("{\"format\":", "{ \"format\":", 1)),
    ]
}

fn forged_text(bundle: &Bundle, from: &str, to: &str) -> String {
    sealed(&serde_json::to_string(bundle).unwrap().replacen(from, to, 1))
}

fn states() -> Vec<Case> {
    let bundle = full_with(|_| ());
    let value = serde_json::to_value(&bundle).unwrap();
    let state = |name: &str, change: fn(&mut Vec<Value>)| {
        text_case(name, "state", forged(&bundle, |json| change(json["states"].as_array_mut().unwrap())))
    };
    let keys = value["states"].as_array().unwrap().iter().map(|state| state["key"].as_str().unwrap().to_owned());
    let left_out = keys.enumerate().map(|(place, key)| {
        let text = forged(&bundle, |json| drop(json["states"].as_array_mut().unwrap().remove(place)));
        text_case(&format!("without {key}"), "incomplete", text)
    });
    let mut cases: Vec<Case> = left_out.collect();
    cases.extend([
        state("a state twice", |states| states.push(states[0].clone())),
        state("a state said to be absent", |states| states[0]["value"] = Value::Null),
        text_case(
            "a state with a member more",
            "malformed",
            forged(&bundle, |json| json["states"][0]["note"] = json!(1)),
        ),
        state("the value of another state", |states| states[0]["value"] = states[1]["value"].clone()),
        state("two states under each other's names", |states| {
            let (one, other) = (states[0]["key"].clone(), states[1]["key"].clone());
            (states[0]["key"], states[1]["key"]) = (other, one);
        }),
        state("another sibling on the path", |states| states[0]["path"]["siblings"][0] = json!(sha256(b"x"))),
        state("two cosignatures of four", |states| without_line(&mut states[0], "/civil-affairs ")),
        state("no signature of the log", |states| {
            let proof = states[0]["proof"].as_str().unwrap();
            let is_of_log = |line: &&str| !(line.starts_with("— ") && line.matches('/').count() == 2);
            states[0]["proof"] = json!(proof.split('\n').filter(is_of_log).collect::<Vec<_>>().join("\n"));
        }),
        text_case("an earlier seal under the newest checkpoint", "state", earlier_seal()),
        text_case("a state of before the act", "behind", older_state()),
        text_case("two histories of one ledger", "split_view", two_histories()),
        another_trust_root(),
    ]);
    cases
}

/// Takes a line out of a note.
fn without_line(state: &mut Value, of: &str) {
    let proof = state["proof"].as_str().unwrap();
    let others: Vec<&str> = proof.split('\n').filter(|line| !line.contains(of)).collect();
    assert!(others.len() < proof.split('\n').count(), "no line of {of}");
    state["proof"] = json!(others.join("\n"));
}

fn state_of_asker(act: &Act) -> Value {
    json!(act.state(&did_key(&act.world.asker.did())))
}

fn put(json: &mut Value, state: Value) {
    let states = json["states"].as_array_mut().unwrap();
    let place = states.iter().position(|other| other["key"] == state["key"]).unwrap();
    states[place] = state;
}

fn earlier_seal() -> String {
    let mut act = Act::new(Twist::default());
    let mut state = state_of_asker(&act);
    let index = act.world.ledger.size() - 1;
    let bundle = anchored(&mut act);
    state["proof"] = json!(act.world.ledger.log_proof(index, act.world.certified));
    forged(&bundle, |json| put(json, state))
}

fn older_state() -> String {
    let mut act = Act::new(Twist::default());
    let state = state_of_asker(&act);
    let bundle = anchored(&mut act);
    forged(&bundle, |json| put(json, state))
}

fn two_histories() -> String {
    let mut other = Act::new(Twist::default());
    other.anchor(NOW + 61);
    let state = state_of_asker(&other);
    forged(&with(|_| ()), |json| put(json, state))
}

fn another_trust_root() -> Case {
    let other = OtherWorld::new().ledger.trust_root_text();
    Case { trust_root: other, ..wrong("the trust root of another ledger", "state", &with(|_| ())) }
}

fn receipts() -> Vec<Case> {
    let receipt = |name: &str, code: &str, change: fn(&mut Act)| wrong(name, code, &full_with(change));
    let late = |name: &str, iat: i64, sealed: i64| {
        let mut act = Act::new(Twist::default());
        act.receipt.iat = UnixSeconds(iat);
        let proof = act.anchor(sealed);
        wrong(name, "receipt", &act.bundle(Some(proof), None))
    };
    let signed = |name: &str, change: fn(&mut Act, &mut Value)| {
        let mut act = Act::new(Twist::default());
        let mut said = json!(act.receipt);
        change(&mut act, &mut said);
        let text = act.signed(act.receipt_typ, &said, &act.receipt_key);
        text_case(name, "receipt", forged(&act.bundle(None, None), |json| json["receipt"] = json!(text)))
    };
    vec![
        receipt("a receipt that a stranger signed", "receipt", |act| act.receipt_key = key(99)),
        receipt("a receipt under the key of credentials", "receipt", |act| {
            act.receipt_key = act.world.asker.asserter()
        }),
        receipt("a receipt under a key that has ended", "receipt", |act| {
            let World { ledger, asker, .. } = &mut act.world;
            ledger.act(asker, &Operation::Update(replace_key()));
            ledger.seal(NOW - 60);
        }),
        receipt("something else than a receipt", "receipt", |act| act.receipt_typ = typ::DUTY),
        receipt("a first receipt after another", "receipt", |act| act.receipt.seq = 1),
        receipt("a later receipt after none", "receipt", |act| act.receipt.previous = None),
        receipt("a verdict that is none", "receipt", |act| act.receipt.verdict = "Accepted".to_owned()),
        signed("a receipt with a member more", |_, said| said["note"] = json!("x")),
        signed("a receipt of another service's", |act, said| said["iss"] = json!(act.world.issuer.did())),
        signed("a receipt whose time is no integer", |_, said| said["iat"] = json!(1.5)),
        late("a receipt of after it was taken", NOW + 361, NOW + 60),
        late("an answer accepted long after the question ended", NOW + 601, NOW + 700),
        receipt("another retention", "other_word", |act| act.receipt.retention_days += 1),
        receipt("another basis", "other_word", |act| act.receipt.basis.push('1')),
        receipt("another purpose in the receipt", "other_word", |act| act.receipt.purpose.push('1')),
        receipt("another case", "other_word", |act| act.receipt.case = None),
        receipt("that the holder was not asked to sign", "other_word", |act| act.receipt.holder_signs = false),
        receipt("another duty in the receipt", "other_word", |act| act.receipt.act.duty.push('1')),
        receipt("another duty key in the receipt", "other_word", |act| act.receipt.act.key = sha256(b"x")),
        receipt("a service account where an official signed", "official", |act| {
            act.receipt.act.holder = DutyHolder::Service
        }),
        receipt("a receipt over another question", "other_request", |act| act.receipt.request = sha256(b"x")),
        receipt("a claim that the receipt leaves out", "presentation", |act| {
            act.receipt.presentations.get_mut("resident").unwrap()[0].claims.pop();
        }),
        receipt("another presentation than the receipt names", "presentation", |act| {
            act.receipt.presentations.get_mut("resident").unwrap()[0].digest = sha256(b"x");
        }),
    ]
}

fn anchors() -> Vec<Case> {
    let bundle = with(|_| ());
    let anchor = |name: &str, change: &dyn Fn(&mut Value)| {
        text_case(name, "anchor", forged(&bundle, |json| change(&mut json["receipt_proof"])))
    };
    let mut by_other = Act::new(Twist::default());
    let issuer = by_other.world.issuer.clone();
    let proof = by_other.anchor_by(&issuer, NOW + 60);
    let by_other = by_other.bundle(Some(proof), None);
    // The same receipts stand on the ledger again, under numbers that are free.
    let mut twice = Act::new(Twist::default());
    twice.anchor(NOW + 30);
    twice.first = 4;
    let second = anchored(&mut twice);
    let mut waiting = Act::new(Twist::default());
    waiting.receipt.iat = UnixSeconds(NOW + 1_000);
    let credential = Act::new(Twist::default()).world.anchor_proof();
    let elsewhere = World::new(0, None, Twist::default());
    let mut abroad = Act { world: elsewhere, ..Act::new(Twist::default()) };
    let abroad = json!(abroad.anchor(NOW + 60));
    vec![
        anchor("a proof of another kind", &|proof| *proof = credential.clone()),
        anchor("a proof of another ledger", &|proof| *proof = abroad.clone()),
        anchor("a batch of another size", &|proof| proof["batch"]["count"] = json!(4)),
        anchor("another place in the batch", &|proof| proof["batch"]["index"] = json!(0)),
        anchor("another path in the batch", &|proof| proof["batch"]["path"][0] = json!(sha256(b"x"))),
        anchor("a transaction that is not in the log", &|proof| {
            let text = proof["transaction"].as_str().unwrap().to_owned();
            proof["transaction"] = json!(format!("{}A", &text[..text.len() - 1]));
        }),
        anchor("another place in the log", &|proof| {
            let text = proof["proof"].as_str().unwrap().replacen("\nindex 1", "\nindex 2", 1);
            proof["proof"] = json!(text);
        }),
        anchor("a proof with two cosignatures of four", &|proof| without_line(proof, "/civil-affairs ")),
        wrong("receipts that somebody else brought", "anchor_sender", &by_other),
        wrong("a receipt at another's place", "anchor", &second),
        wrong("a receipt that waits, with states of before it", "behind", &waiting.bundle(None, None)),
    ]
}

fn requests() -> Vec<Case> {
    let request = |name: &str, change: fn(&mut Act)| wrong(name, "request", &full_with(change));
    let mut other = Act::new(Twist {
        question: |payload| payload["nonce"] = json!("b3RoZXItbm9uY2Utb2YtMTYtYnl0ZXMx"),
        ..Twist::default()
    });
    let other = serde_json::to_value(anchored(&mut other)).unwrap()["request"].clone();
    vec![
        request("a request that a stranger signed", |act| act.request_key = key(99)),
        request("a request under the key of credentials", |act| act.request_key = act.world.asker.asserter()),
        request("something else than a request", |act| act.request_typ = typ::DUTY),
        request("a request to somebody else's wallet", |act| act.request["aud"] = json!("https://wallet.example")),
        request("a request in another name", |act| {
            act.request["client_id"] = json!(format!("decentralized_identifier:{}", act.world.issuer.did()));
        }),
        request("an answer to an address that is not the service's", |act| {
            act.request["response_uri"] = json!("https://elsewhere.example/responses/sample");
        }),
        request("an answer to another port of the service", |act| {
            act.request["response_uri"] = json!("https://housing-fund.sample.example:8443/responses/sample");
        }),
        request("a short nonce", |act| act.request["nonce"] = json!("c2hvcnQ")),
        request("a query for nothing", |act| act.request["dcql_query"] = json!({"credentials": []})),
        text_case("the request of another act", "other_request", forged(&with(|_| ()), |json| json["request"] = other)),
    ]
}

/// Every twist of the presentation, by the name that it has in evidence.
fn duties() -> Vec<Case> {
    let case = |row: crate::presentation::twist::Refused| {
        let mut act = Act::new(row.twist);
        let code = match (row.what, row.code) {
            ("no basis" | "a retention beyond a century" | "a control character in the basis", _) => "receipt",
            ("another duty", _) => "incomplete",
            ("transaction_data over another attestation" | "another purpose", _) => "duty",
            (_, code) if code.starts_with("vp.request.") => "request",
            (_, code) if code.starts_with("kb_jwt.") => "holder",
            _ => "duty",
        };
        wrong(row.what, code, &anchored_full(&mut act))
    };
    refused().into_iter().map(case).collect()
}

fn chains() -> Vec<Case> {
    let accredited = |name: &str, twist: Twist| wrong(name, "accreditation", &anchored(&mut Act::new(twist)));
    let ended = |name: &str, whose: fn(&World) -> (Party, Party)| {
        let bundle = with(|act| {
            let (by, subject) = whose(&act.world);
            let given = first_id(act.world.ledger.value(&accreditation_key(&subject.did())), "grants");
            let end = EndAccreditation { subject: subject.did(), accreditation: given };
            act.world.ledger.act(&by, &Operation::EndAccreditation(end));
            act.world.ledger.seal(NOW - 60);
        });
        wrong(name, "accreditation", &bundle)
    };
    let mut cases = vec![
        ended("an accreditation that has ended", |world| (province(world), world.asker.clone())),
        ended("an accreditation that ended with the one above it", |world| (world.authority.clone(), province(world))),
        accredited(
            "a claim beyond the accreditation",
            Twist {
                question: |payload| {
                    let claims = payload["dcql_query"]["credentials"][0]["claims"].as_array_mut().unwrap();
                    claims.push(json!({"path": ["sex"]}));
                },
                ..Twist::default()
            },
        ),
        accredited(
            "a purpose beyond the accreditation",
            Twist {
                question: |payload| payload["xinfu_purpose"] = json!("statistics"),
                duty: |duty| duty.purposes.push("statistics".to_owned()),
                ..Twist::default()
            },
        ),
    ];
    cases.extend(broken_chains());
    cases
}

fn province(world: &World) -> Party {
    world.province.clone().unwrap()
}

/// What the rules of the ledger prevent, as if validators had certified it all the same.
fn broken_chains() -> Vec<Case> {
    let grants = |name: &str, code: &str, whose: fn(&World) -> Party, change: fn(&mut Value)| {
        let bundle = with(|act| {
            let state = accreditation_key(&whose(&act.world).did());
            act.world.ledger.dangerous_overwrite(&state, |value| change(&mut value["grants"][0]));
        });
        wrong(name, code, &bundle)
    };
    let member = |name: &str, change: fn(&mut Value)| {
        let bundle = with(|act| {
            let state = member_key(&act.world.authority.did());
            act.world.ledger.dangerous_overwrite(&state, change);
        });
        wrong(name, "chain", &bundle)
    };
    let above = |name: &str, change| grants(name, "chain", province, change);
    let below = |name: &str, change| grants(name, "chain", |world| world.asker.clone(), change);
    let nobody = with(|act| {
        let state = member_key(&act.world.authority.did());
        act.world.ledger.dangerous_remove(&state);
    });
    vec![
        above("an accreditation that may not be given on", |grant| grant["delegable"] = json!(false)),
        above("an accreditation that had not begun when it was given on", |grant| grant["started"] = Value::Null),
        above("an accreditation narrower in types", |grant| grant["types"] = json!(["urn:other"])),
        above("an accreditation narrower in claims", |grant| grant["claims"] = json!([["name"]])),
        above("an accreditation narrower in purposes", |grant| grant["purposes"] = json!(["other"])),
        above("an accreditation for another role", |grant| grant["role"] = json!("issuer")),
        above("an accreditation that ends sooner", |grant| grant["until"] = json!(NOW)),
        above("a depth too great", |grant| grant["depth"] = json!(2)),
        above("an accreditation of another number", |grant| grant["id"] = json!(1)),
        below("an accreditation under none", |grant| drop(grant.as_object_mut().unwrap().remove("under"))),
        member("an authority that is none", |member| member["authority"] = json!(false)),
        member("an authority that was expelled before", |member| member["until"] = json!(1)),
        member("an authority that came later", |member| member["from"] = json!(1_000)),
        wrong("an authority that never was a member", "chain", &nobody),
    ]
}

fn holders() -> Vec<Case> {
    let bundle = with(|_| ());
    let claimed = |name: &str, change: fn(&mut Value)| {
        let text = forged(&bundle, |json| {
            let mut said = payload(json["key_bindings"][0].as_str().unwrap());
            change(&mut said);
            json["key_bindings"][0] = json!(bound(typ::KEY_BINDING, &said, &key(41)));
        });
        text_case(name, "holder", text)
    };
    let mut cases = vec![
        claimed("a signature over another nonce", |said| said["nonce"] = json!("another")),
        claimed("a signature for another audience", |said| said["aud"] = json!("another")),
        claimed("a signature over no purpose", |said| {
            drop(said.as_object_mut().unwrap().remove("transaction_data_hashes"))
        }),
        claimed("a signature over another purpose", |said| said["transaction_data_hashes"] = json!([sha256(b"x")])),
        claimed("digests by another hash", |said| said["transaction_data_hashes_alg"] = json!("sha-512")),
        text_case(
            "another kind of token as the holder's",
            "holder",
            forged(&bundle, |json| {
                let said = payload(json["key_bindings"][0].as_str().unwrap());
                json["key_bindings"][0] = json!(bound(typ::DUTY, &said, &key(41)));
            }),
        ),
        text_case(
            "more signatures than presentations",
            "holder",
            forged(&bundle, |json| {
                let one = json["key_bindings"][0].clone();
                json["key_bindings"].as_array_mut().unwrap().push(one);
            }),
        ),
        wrong(
            "a type that was not asked for",
            "holder",
            &with(|act| {
                act.receipt.presentations.get_mut("resident").unwrap()[0].vct = Some("urn:other".to_owned());
            }),
        ),
        wrong(
            "an answer to a query that was not asked",
            "holder",
            &with(|act| {
                let shown = act.receipt.presentations.remove("resident").unwrap();
                act.receipt.presentations.insert("other".to_owned(), shown);
            }),
        ),
    ];
    cases.extend(presentations());
    cases
}

/// A key binding with these claims.
fn bound(typ: &'static str, said: &Value, key: &SecretKey) -> String {
    sign_compact(SignHeader::new(typ), said.to_string().as_bytes(), key).unwrap()
}

/// What is wrong with the presentation itself, of which the receipt tells truly.
fn presentations() -> Vec<Case> {
    let shown = |name: &str, change: &dyn Fn(&Act, &str) -> String| {
        let bundle = full_with(|act| {
            let text = change(act, &act.token["resident"][0]);
            act.token.insert("resident".to_owned(), vec![text]);
            act.name_again();
        });
        wrong(name, "holder", &bundle)
    };
    let rebound = |name: &str, change: fn(&mut Value), signer: SecretKey| {
        shown(name, &|_, text| {
            let (before, kb_jwt) = text.rsplit_once('~').unwrap();
            let mut said = payload(kb_jwt);
            change(&mut said);
            format!("{before}~{}", bound(typ::KEY_BINDING, &said, &signer))
        })
    };
    let bundle = full_with(|_| ());
    let full = |name: &str, code: &str, change: fn(&mut Value)| text_case(name, code, forged(&bundle, change));
    vec![
        rebound("a presentation that a stranger signed", |_| (), key(42)),
        rebound("a presentation signed for another nonce", |said| said["nonce"] = json!("another"), key(41)),
        rebound("a presentation signed for another audience", |said| said["aud"] = json!("another"), key(41)),
        rebound("a presentation signed over no purpose", |said| said["transaction_data_hashes"] = json!([]), key(41)),
        rebound("a signature over another presentation", |said| said["sd_hash"] = json!(sha256(b"x")), key(41)),
        rebound("a signature of another day", |said| said["iat"] = json!(NOW - 86_701), key(41)),
        rebound("a signature of later than the receipt", |said| said["iat"] = json!(NOW + 301), key(41)),
        shown("a claim less than was asked for", &|act, text| fewer(act, text)),
        shown("a credential that was changed", &|_, text| {
            let (jwt, rest) = text.split_once('~').unwrap();
            let mut said = payload(jwt);
            said["exp"] = json!(NOW + 1);
            let (head, _) = jwt.split_once('.').unwrap();
            let signature = jwt.rsplit('.').next().unwrap();
            resigned(&format!("{head}.{}.{signature}~{rest}", base64url::encode(said.to_string().as_bytes())))
        }),
        wrong(
            "an issuer that was not accredited",
            "holder",
            &full_with(|act| {
                let state = accreditation_key(&act.world.issuer.did());
                act.world.ledger.dangerous_overwrite(&state, |value| value["grants"][0]["ended"] = json!(1));
            }),
        ),
        wrong(
            "an issuer whose key had ended",
            "holder",
            &full_with(|act| {
                let state = did_key(&act.world.issuer.did());
                act.world.ledger.dangerous_overwrite(&state, |value| value["keys"][0]["until"] = json!(1));
            }),
        ),
        full("signatures that are not those of the presentations", "holder", |json| {
            let said = payload(json["key_bindings"][0].as_str().unwrap());
            json["key_bindings"][0] = json!(bound(typ::KEY_BINDING, &said, &key(42)));
        }),
        full("no signatures beside the presentations", "holder", |json| json["key_bindings"] = json!([])),
        full("two anchor proofs of one credential", "holder", |json| {
            let proof = json["full"]["anchors"]["resident"][0].clone();
            json["full"]["anchors"]["resident"].as_array_mut().unwrap().push(proof);
        }),
        full("the anchor proof of something that was not shown", "holder", |json| {
            let proof = json["full"]["anchors"]["resident"][0].clone();
            json["full"]["anchors"] = json!({"other": [proof]});
        }),
        full("the receipt's proof as the credential's", "holder", |json| {
            json["full"]["anchors"]["resident"][0] = json["receipt_proof"].clone();
        }),
        forged_credential(),
        full("no presentation at all", "presentation", |json| json["full"]["vp_token"] = json!({})),
        full("a member more beside the presentation", "malformed", |json| json["full"]["note"] = json!(1)),
    ]
}

/// A credential that a stranger made up, and that was never anchored.
fn forged_credential() -> Case {
    let mut act = Act::new(Twist::default());
    let (jwt, rest) = act.token["resident"][0].split_once('~').unwrap();
    let name = act.world.issuer.key_name("assert-1");
    let header = SignHeader::new(typ::CREDENTIAL).kid(&name);
    let made_up = sign_compact(header, payload(jwt).to_string().as_bytes(), &key(99)).unwrap();
    act.token.insert("resident".to_owned(), vec![resigned(&format!("{made_up}~{rest}"))]);
    act.name_again();
    let proof = act.anchor(NOW + 60);
    let full = Full { anchors: Default::default(), ..act.full() };
    wrong("a credential that its issuer did not sign", "holder", &act.bundle(Some(proof), Some(full)))
}

/// The presentation without its last disclosure, signed by the holder over that.
fn fewer(_: &Act, text: &str) -> String {
    let mut parts: Vec<&str> = text.split('~').collect();
    parts.remove(parts.len() - 2);
    resigned(&parts.join("~"))
}

/// The same presentation, signed by the holder as it stands now.
fn resigned(text: &str) -> String {
    let (before, kb_jwt) = text.rsplit_once('~').unwrap();
    let mut said = payload(kb_jwt);
    said["sd_hash"] = json!(sha256(format!("{before}~").as_bytes()));
    format!("{before}~{}", bound(typ::KEY_BINDING, &said, &key(41)))
}
