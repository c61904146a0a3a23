//! Presenting against a sample ledger with real rules and real proofs, and a verifier that answers as each test says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it did not expect")]

use identity_core::{
    anchor::{AnchorProof, BatchPath},
    crypto::{Alg, SecretKey, Signer},
    did::DidUrl,
    duty::{Attestation, UnverifiedAttestation},
    jose::Jwk,
    kb_jwt::Confirmation,
    oid4vp::{AnchorWish, ClientId, RequestLink, request::RequestUriMethod, verifier},
    problem::Code,
    registry::{
        Accredit, Anchor, AnchorKind, Delegate, DutyHolder, EndDelegation, Label, Operation, Role, ServiceType,
        duty_key,
    },
    sample::{
        ledger::{START, SampleLedger},
        parties::{Party, key},
        world::DUTY,
    },
    sd_jwt::{ClaimPath, Concealment, HashAlg},
    sd_jwt_vc::{self, Registered},
    time::UnixSeconds,
};
use ledger::{batch::BatchTree, sha256};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use service_kit::{
    chance::SeededChance,
    clock::{Clock as _, ManualClock},
    fetch::{Answer, Fetch, FetchError, Fetching, Request},
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};
use wallet_cli::{
    Exit, Onward, Ports, Question, Wallet, WalletError,
    holdings::{Credential, Holdings, Outcome, Setup},
    vault::{KdfCost, Passphrase, Vault},
};

#[path = "present/evidence.rs"]
mod evidence;
#[path = "present/official.rs"]
mod official;
#[path = "present/order.rs"]
mod order;
#[path = "present/receipt.rs"]
mod receipt;
#[path = "present/several.rs"]
mod several;
#[path = "present/withdrawal.rs"]
mod withdrawal;

const VCT: &str = "urn:xinfu:credential:resident-identity:1";
const NOW: UnixSeconds = UnixSeconds(START + 5400);
const LEDGER: &str = "https://ledger.example";

/// The other side of every address.
struct World {
    ledger: SampleLedger,
    issuer: Party,
    asker: Party,
    request: String,
    anchor: Option<Value>,
    /// By digest; of other credentials than the scene's.
    anchors: BTreeMap<String, Value>,
    ledger_reachable: bool,
    verifier_answers: Option<(u16, Value)>,
    /// What the verifier gives as its receipt for a form, where its answer has a place for one.
    receipt: fn(&World, &str) -> String,
    /// Proofs of receipts, by digest; none: the verifier is not there any more.
    receipt_proofs: Option<BTreeMap<String, Value>>,
    /// How the verifier answers a withdrawal, given with the receipt that it is over; none: it is not there.
    withdrawals: Option<withdrawal::Service>,
    /// The withdrawals that it got, whether it answered or not.
    withdrawn: Mutex<Vec<String>>,
    /// What the ledger node answers as the proof of a notarised digest.
    notarised: Option<Value>,
    /// For which proofs of receipts it was asked.
    asked: Mutex<Vec<String>>,
    posted: Mutex<Vec<String>>,
}

impl World {
    fn answer(&self, request: &Request) -> Result<(u16, Vec<u8>), FetchError> {
        let gone = || FetchError::Unreachable { host: "sample".into(), reason: "sample" };
        let url = url::Url::parse(&request.url).unwrap();
        if request.url == format!("{LEDGER}/notarise") {
            let proof = self.notarised.as_ref().ok_or_else(gone)?;
            return Ok((200, json!({ "index": 0, "digest": "", "anchor": proof }).to_string().into_bytes()));
        }
        if let Some(index) = request.url.strip_prefix(&format!("{LEDGER}/proofs/log/")) {
            return Ok((200, self.ledger.log_proof(index.parse().unwrap(), NOW.0 - 60).into_bytes()));
        }
        if request.url.starts_with(LEDGER) {
            let key = url.query_pairs().find(|(name, _)| name == "key").unwrap().1.into_owned();
            let proof = self.ledger_reachable.then(|| self.ledger.state_proof(&key, NOW.0 - 60)).ok_or_else(gone)?;
            return Ok((200, serde_json::to_vec(&proof).unwrap()));
        }
        match url.path() {
            "/requests/1" => Ok((200, self.request.clone().into_bytes())),
            "/responses/1" => {
                let form = String::from_utf8(request.body.clone().unwrap().1).unwrap();
                self.posted.lock().unwrap().push(form.clone());
                let (status, mut body) = self.verifier_answers.clone().ok_or_else(gone)?;
                if let Some(receipt) = body.get_mut("xinfu_receipt") {
                    *receipt = json!((self.receipt)(self, &form));
                }
                Ok((status, body.to_string().into_bytes()))
            }
            "/withdrawals" => {
                let text = String::from_utf8(request.body.clone().unwrap().1).unwrap();
                self.withdrawn.lock().unwrap().push(text.clone());
                let form = self.posted.lock().unwrap().first().cloned().unwrap();
                let receipt = (self.receipt)(self, &form);
                let (status, body) = self.withdrawals.ok_or_else(gone)?(self, &text, &receipt);
                Ok((status, body.to_string().into_bytes()))
            }
            path if path.starts_with("/receipts/") => {
                let digest = path.trim_start_matches("/receipts/").to_owned();
                let proof = self.receipt_proofs.as_ref().ok_or_else(gone).map(|proofs| proofs.get(&digest));
                self.asked.lock().unwrap().push(digest);
                Ok(proof?.map_or((404, Vec::new()), |proof| (200, proof.to_string().into_bytes())))
            }
            path if path.starts_with("/anchors/") => match self.anchors.get(&path[9..]).or(self.anchor.as_ref()) {
                Some(proof) => Ok((200, proof.to_string().into_bytes())),
                None => Ok((202, Vec::new())),
            },
            other => panic!("nobody asks for {other}"),
        }
    }
}

struct Net(Arc<World>);

impl Fetch for Net {
    fn send(&self, request: Request) -> Fetching<'_> {
        let answer = self.0.answer(&request).map(|(status, body)| Answer {
            host: "sample".into(),
            status,
            kind: "application/json".into(),
            retry_after: None,
            body,
        });
        Box::pin(async move { answer })
    }
}

fn holder() -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap()
}

fn credential(issuer: &Party) -> String {
    let holder = Confirmation::jwk(holder().public_key().clone());
    let registered = Registered {
        issuer: &issuer.address(),
        vct: VCT,
        vct_integrity: None,
        issued_at: UnixSeconds(START + 3600),
        not_before: None,
        expires: None,
        holder: Some(&holder),
        status: None,
    };
    let subject = json!({ "name": "样本甲", "sex": "2", "citizen_number": "11010519491231002X",
        "address": { "region": "样本市", "detail": "样本路1号" } });
    let paths = [
        ClaimPath::top("name"),
        ClaimPath::top("sex"),
        ClaimPath::top("citizen_number"),
        ClaimPath::top("address"),
        ClaimPath::top("address").member("region"),
        ClaimPath::top("address").member("detail"),
    ];
    let concealment =
        paths.iter().fold(Concealment::new(HashAlg::Sha256), |concealment, path| concealment.conceal(path));
    let name = issuer.key_name("assert-1");
    let mut rng = StdRng::seed_from_u64(5);
    sd_jwt_vc::issue(&registered, subject.as_object().unwrap(), &concealment, &name, &issuer.asserter(), &mut rng)
        .unwrap()
}

/// A world in which everything holds; each test changes one thing.
struct Scene {
    world: World,
    credential: String,
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self::asking(&json!([{ "path": ["name"] }, { "path": ["address", "region"] }]), None)
    }

    fn asking(claims: &Value, anchor: Option<AnchorWish>) -> Self {
        let authority = Party::new(1, ServiceType::Ledger);
        let issuer = Party::new(2, ServiceType::Issuer);
        let asker = Party::new(3, ServiceType::Verifier);
        let mut ledger = SampleLedger::founded_by(&[&authority, &issuer, &asker], &authority);
        ledger.act(&authority, &accredit(&asker, Role::Verifier, VCT, &["name", "address.region"]));
        ledger.act(&asker, &Operation::Delegate(Box::new(duty(&asker))));
        ledger.seal(START + 60);
        let credential = credential(&issuer);
        let digest = sha256(credential.split('~').next().unwrap().as_bytes());
        let tree = BatchTree::new(&[sha256(b"another"), digest]).unwrap();
        let operation = Anchor::new(AnchorKind::Credential, tree.root(), tree.count());
        let index = ledger.act(&issuer, &Operation::Anchor(operation));
        ledger.seal(START + 3700);
        let batch = BatchPath { index: 1, count: tree.count(), path: tree.path(1).unwrap() };
        let transaction = ledger.leaf(index).to_owned();
        let proof = AnchorProof { batch, transaction, proof: ledger.log_proof(index, NOW.0 - 60) };
        let query = json!({ "credentials": [{ "id": "id", "format": "dc+sd-jwt",
            "meta": { "vct_values": [VCT] }, "claims": claims }] });
        let world = World {
            request: request_by(&asker, &key(3, 2), query, anchor),
            ledger,
            issuer,
            asker,
            anchor: Some(json!(proof)),
            anchors: BTreeMap::new(),
            ledger_reachable: true,
            verifier_answers: Some((200, json!({ "redirect_uri": "https://d3.example/done" }))),
            receipt: receipt::honest,
            receipt_proofs: Some(BTreeMap::new()),
            withdrawals: None,
            withdrawn: Mutex::default(),
            notarised: None,
            asked: Mutex::default(),
            posted: Mutex::default(),
        };
        Self { world, credential, dir: tempfile::tempdir().unwrap() }
    }

    fn link(&self) -> String {
        let client_id = ClientId::of_did(&self.world.asker.did());
        let request_uri = "https://d3.example/requests/1".parse().unwrap();
        RequestLink { client_id, request_uri, method: RequestUriMethod::Get }.to_string()
    }

    /// A wallet that holds the credential, and the world on the other side of its network.
    fn wallet(self) -> (Wallet, Arc<World>, String, tempfile::TempDir) {
        self.wallet_under(&holder())
    }

    fn wallet_under(self, holder: &SecretKey) -> (Wallet, Arc<World>, String, tempfile::TempDir) {
        let link = self.link();
        let mut rng = StdRng::seed_from_u64(9);
        let passphrase = Passphrase::new("a sample passphrase".into());
        let vault = Vault::create(self.dir.path(), &passphrase, KdfCost::FLOOR, &mut rng).unwrap();
        let mut holdings = Holdings::read(vault).unwrap();
        let trust_root = self.world.ledger.trust_root_text();
        let setup = Setup {
            ledger: LEDGER.into(),
            trust_root,
            trust_age: None,
            ca: String::new(),
            client_ca: String::new(),
            allow_private: Vec::new(),
            plain: false,
        };
        holdings.add_setup(setup, &mut rng).unwrap();
        let issuer = self.world.issuer.address();
        let held = Credential::new(VCT.into(), issuer, UnixSeconds(START + 3600), self.credential, holder);
        holdings.add_credential(held, &mut rng).unwrap();
        drop(holdings);
        let world = Arc::new(self.world);
        (open(self.dir.path(), &world), world, link, self.dir)
    }
}

fn open(dir: &Path, world: &Arc<World>) -> Wallet {
    open_at(dir, world, &Arc::new(ManualClock::at(NOW)))
}

fn open_at(dir: &Path, world: &Arc<World>, clock: &Arc<ManualClock>) -> Wallet {
    let ports = Ports {
        fetch: Some(Arc::new(Net(Arc::clone(world)))),
        clock: Arc::<ManualClock>::clone(clock),
        chance: Arc::new(SeededChance::new(3)),
    };
    Wallet::open(dir, &Passphrase::new("a sample passphrase".into()), ports).unwrap()
}

/// Lets somebody issue a type, or ask for these claims of it; a dot leads into a claim.
fn accredit(subject: &Party, role: Role, vct: &str, claims: &[&str]) -> Operation {
    let purposes = if role == Role::Verifier { vec!["housing-loan".into()] } else { Vec::new() };
    Operation::Accredit(Accredit {
        subject: subject.did(),
        role,
        types: vec![vct.to_owned()],
        claims: claims.iter().map(|claim| claim.split('.').map(str::to_owned).collect()).collect(),
        purposes,
        from: START,
        until: START + 1_000_000,
        delegable: false,
    })
}

/// A question of the asker's for which nobody answers yet.
fn session(asker: &Party, query: Value, anchor: Option<AnchorWish>) -> verifier::Session {
    let ask = verifier::Ask {
        client_id: ClientId::of_did(&asker.did()),
        dcql_query: query,
        purpose: Some("housing-loan".into()),
        anchor,
        encrypt_to: None,
        lifetime: 300,
    };
    let response_uri = |_: &str| "https://d3.example/responses/1".parse().unwrap();
    verifier::Session::make(ask, response_uri, NOW, &mut StdRng::seed_from_u64(4)).unwrap()
}

fn signed_by(session: &verifier::Session, asker: &Party, signer: &SecretKey) -> String {
    let kid = DidUrl::parse(&asker.key_name("auth-1")).unwrap();
    session.request_object(None, verifier::SignedBy::Key(&kid), signer).unwrap()
}

fn request_by(asker: &Party, signer: &SecretKey, query: Value, anchor: Option<AnchorWish>) -> String {
    let mut session = session(asker, query, anchor);
    attest(&mut session, asker, &asker.duty());
    signed_by(&session, asker, signer)
}

/// The official's duty: wider than what the department may ask.
fn duty(department: &Party) -> Delegate {
    let claims = ["name", "address", "sex", "citizen_number", "degree", "school", "shoe_size"];
    Delegate {
        duty: DUTY.to_owned(),
        holder: DutyHolder::Official,
        title: Label { en: "Sample counter".to_owned(), zh: "示例窗口".to_owned() },
        key: Jwk::new(department.duty().public_key().clone()),
        role: Role::Verifier,
        types: [VCT, several::DEGREE, "urn:nobody:has:1"].map(str::to_owned).to_vec(),
        claims: claims.map(|name| vec![name.to_owned()]).to_vec(),
        purposes: vec!["housing-loan".to_owned()],
        case_required: false,
        from: START,
        until: START + 1_000_000,
    }
}

/// What somebody on duty is to sign for a request.
fn to_attest(session: &verifier::Session, department: &Party) -> Attestation {
    let what_for = verifier::WhatFor {
        duty: DUTY.to_owned(),
        basis: "Sample Act, article 1".to_owned(),
        retention_days: 30,
        case: None,
        holder_signs: true,
    };
    session.to_attest(&department.did(), what_for).unwrap()
}

/// Somebody signs for a request.
fn attest(session: &mut verifier::Session, department: &Party, key: &SecretKey) {
    let attestation = to_attest(session, department).sign(key).unwrap();
    session.attest(&attestation).unwrap();
}

/// The world, once no wallet is open on it: to be changed.
fn alone(world: Arc<World>) -> World {
    Arc::try_unwrap(world).unwrap_or_else(|_| panic!("still in use"))
}

/// The issuer is accredited for the type that it issued all along.
fn accredit_issuer(world: &mut World) {
    let operation = accredit(&world.issuer, Role::Issuer, VCT, &[]);
    world.ledger.act(&Party::new(1, ServiceType::Ledger), &operation);
    world.ledger.seal(NOW.0 - 90);
}

async fn present(wallet: &mut Wallet, link: &str, yes: bool) -> Result<wallet_cli::present::Shared, WalletError> {
    wallet.present(link, &[], &mut |_: &Question| yes).await
}

#[tokio::test]
async fn three_words_leave_and_the_rest_stays() {
    let (mut wallet, world, link, dir) = Scene::new().wallet();
    let mut asked = None;
    let shared = wallet
        .present(&link, &[], &mut |question: &Question| {
            asked = Some(question.clone());
            true
        })
        .await
        .unwrap();
    assert_eq!(shared.outcome, Outcome::Accepted);
    assert_eq!(shared.onward, Onward::To("https://d3.example/done".to_owned()));

    let question = asked.unwrap();
    assert!(question.is_accredited());
    assert_eq!(question.label, Some(("Sample department".into(), "示例部门".into())));
    let split = &question.items[0].split;
    assert_eq!(split.leaves.len(), 2);
    assert_eq!(split.stays.len(), 3);

    let posted = world.posted.lock().unwrap();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(posted[0].as_bytes()).into_owned().collect();
    let token = &form.iter().find(|(name, _)| name == "vp_token").unwrap().1;
    let token: Value = serde_json::from_str(token).unwrap();
    let parts: Vec<&str> = token["id"][0].as_str().unwrap().split('~').collect();
    assert_eq!(parts.len(), 5, "the issuer's JWT, name, address, region, and our signature");
    assert!(!form.iter().any(|(name, _)| name == "xinfu_anchor"), "it was not asked for");
    drop((posted, wallet));

    // The account of it survives, with what proves it.
    let wallet = open(dir.path(), &world);
    let (_, sharing, outcome) = wallet.holdings().sharings().next().unwrap();
    assert_eq!((sharing.request.as_str(), outcome), (world.request.as_str(), Some(&Outcome::Accepted)));
    assert_eq!(sharing.key_bindings, [parts[4]]);
    assert!(!json!(sharing).to_string().contains("样本甲"), "names of claims, never values");
}

#[tokio::test]
async fn no_is_no_and_nothing_leaves() {
    let (mut wallet, world, link, _dir) = Scene::new().wallet();
    let refused = present(&mut wallet, &link, false).await.unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::WalletRequestDeclined, Exit::Declined));
    assert!(world.posted.lock().unwrap().is_empty());
    assert_eq!(wallet.holdings().sharings().count(), 0);
}

#[tokio::test]
async fn an_asker_that_goes_too_far_is_refused_unasked() {
    let scene = Scene::asking(&json!([{ "path": ["name"] }, { "path": ["citizen_number"] }]), None);
    let (mut wallet, world, link, _dir) = scene.wallet();
    let never = &mut |_: &Question| panic!("nobody is asked about this");
    let refused = wallet.present(&link, &[], never).await.unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::WalletAskerBeyond, Exit::Refused));
    assert!(world.posted.lock().unwrap().is_empty());
    // A whole object asks for all that is in it.
    let (mut wallet, _, link, _dir) = Scene::asking(&json!([{ "path": ["address"] }]), None).wallet();
    assert!(matches!(present(&mut wallet, &link, true).await, Err(WalletError::BeyondAccreditation)));
}

#[tokio::test]
async fn without_the_ledger_nobody_can_say_who_asks() {
    let mut scene = Scene::new();
    scene.world.ledger_reachable = false;
    let (mut wallet, world, link, _dir) = scene.wallet();
    let refused = present(&mut wallet, &link, true).await.unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::WalletAskerUndetermined, Exit::Unreachable));
    assert!(world.posted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_request_that_another_signed_is_no_question() {
    let mut scene = Scene::new();
    let query = json!({ "credentials": [{ "id": "id", "format": "dc+sd-jwt", "meta": { "vct_values": [VCT] } }] });
    scene.world.request = request_by(&scene.world.asker, &key(5, 2), query, None);
    let (mut wallet, world, link, _dir) = scene.wallet();
    let refused = wallet.present(&link, &[], &mut |_: &Question| panic!("no question")).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Refused, "{refused}");
    assert!(world.posted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_late_anchor_proof_is_fetched_when_it_is_wanted() {
    let claims = json!([{ "path": ["name"] }]);
    let (mut wallet, world, link, _dir) = Scene::asking(&claims, Some(AnchorWish::Required)).wallet();
    assert!(wallet.holdings().credentials().all(|(.., proof)| proof.is_none()));
    present(&mut wallet, &link, true).await.unwrap();
    assert!(world.posted.lock().unwrap()[0].contains("xinfu_anchor"));
    assert!(wallet.holdings().credentials().all(|(.., proof)| proof.is_some()));
}

#[tokio::test]
async fn a_required_proof_that_is_late_stops_the_presentation_and_loses_nothing() {
    let claims = json!([{ "path": ["name"] }]);
    for bad in
        [None, Some(json!({ "batch": { "index": 0, "count": 1, "path": [] }, "transaction": "x", "proof": "y" }))]
    {
        let mut scene = Scene::asking(&claims, Some(AnchorWish::Required));
        scene.world.anchor = bad;
        let (mut wallet, world, link, _dir) = scene.wallet();
        let refused = present(&mut wallet, &link, true).await.unwrap_err();
        assert_eq!(refused.code(), Code::VpResponseAnchorMissing);
        assert!(world.posted.lock().unwrap().is_empty());
        assert_eq!(wallet.holdings().credentials().count(), 1);
    }
}

#[tokio::test]
async fn a_refusal_and_a_silence_are_kept_apart_in_the_account() {
    let mut scene = Scene::new();
    scene.world.verifier_answers = Some((400, json!({ "error": "invalid_request", "code": "verdict.status.revoked" })));
    let (mut wallet, _, link, _dir) = scene.wallet();
    let shared = present(&mut wallet, &link, true).await.unwrap();
    assert!(matches!(shared.outcome, Outcome::Refused { .. }));

    let mut scene = Scene::new();
    scene.world.verifier_answers = None;
    let (mut wallet, _, link, _dir) = scene.wallet();
    let refused = present(&mut wallet, &link, true).await.unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::WalletResponseUnanswered, Exit::Unreachable));
    let (_, _, outcome) = wallet.holdings().sharings().next().unwrap();
    assert_eq!(outcome, None, "it may have arrived");
}

#[tokio::test]
async fn what_is_not_held_cannot_be_asked_for() {
    let (mut wallet, _, link, _dir) = Scene::asking(&json!([{ "path": ["shoe_size"] }]), None).wallet();
    let refused = present(&mut wallet, &link, true).await.unwrap_err();
    assert_eq!((refused.code(), refused.exit()), (Code::WalletCredentialNothingFits, Exit::NothingFits));
}

#[tokio::test]
async fn a_choice_that_does_not_fit_is_refused() {
    let (mut wallet, world, link, _dir) = Scene::new().wallet();
    for (query, number) in [("id", 2), ("other", 1)] {
        let select = [(query.to_owned(), number)];
        let refused = wallet.present(&link, &select, &mut |_: &Question| true).await.unwrap_err();
        assert_eq!(refused.code(), Code::WalletCredentialSelection);
    }
    assert!(world.posted.lock().unwrap().is_empty());
    wallet.present(&link, &[("id".to_owned(), 1)], &mut |_: &Question| true).await.unwrap();
}

/// A request whose official did something else.
fn request_with(scene: &Scene, query: Value, attest: impl FnOnce(&mut verifier::Session)) -> String {
    let asker = &scene.world.asker;
    let mut session = session(asker, query, None);
    attest(&mut session);
    signed_by(&session, asker, &asker.authenticator())
}

fn name_query() -> Value {
    json!({ "credentials": [{ "id": "id", "format": "dc+sd-jwt", "meta": { "vct_values": [VCT] },
        "claims": [{ "path": ["name"] }] }] })
}

#[tokio::test]
async fn nobody_is_answered_whom_no_official_answers_for() {
    type Attesting = fn(&mut verifier::Session, &Party);
    let cases: [(Attesting, Code); 3] = [
        (|_, _| {}, Code::DutyMissing),
        (|session, asker| attest(session, asker, &asker.authenticator()), Code::DutyUnknown),
        (
            |session, asker| {
                attest(session, asker, &asker.duty());
                // The service drops the holder's part of it after the official signed.
                session.parameters.transaction_data.clear();
            },
            Code::DutyOtherRequest,
        ),
    ];
    for (attesting, code) in cases {
        let mut scene = Scene::new();
        scene.world.request = request_with(&scene, name_query(), |session| attesting(session, &scene.world.asker));
        let (mut wallet, world, link, _dir) = scene.wallet();
        let refused = present(&mut wallet, &link, true).await.unwrap_err();
        assert_eq!((refused.code(), refused.exit()), (code, Exit::Refused));
        assert!(world.posted.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_duty_that_was_taken_back_asks_for_nothing() {
    let mut scene = Scene::new();
    let key = duty_key(&scene.world.asker.did(), DUTY);
    let proven = scene.world.ledger.state_proof(&key, NOW.0).verify(&scene.world.ledger.trust_root()).unwrap();
    let given = identity_core::trust::duty_history(&proven, &scene.world.asker.did(), DUTY).unwrap();
    let end = EndDelegation { duty: DUTY.to_owned(), delegation: given.delegations[0].id };
    scene.world.ledger.act(&scene.world.asker, &Operation::EndDelegation(end));
    scene.world.ledger.seal(NOW.0 - 120);
    let (mut wallet, world, link, _dir) = scene.wallet();
    assert_eq!(present(&mut wallet, &link, true).await.unwrap_err().code(), Code::DutyEnded);
    assert!(world.posted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_holder_signs_what_the_data_is_wanted_for() {
    let (mut wallet, world, link, _dir) = Scene::new().wallet();
    let mut word = None;
    let consent = &mut |question: &Question| {
        word = Some(question.word.clone());
        true
    };
    wallet.present(&link, &[], consent).await.unwrap();
    let word = word.unwrap();
    assert_eq!((word.duty.as_str(), word.title.0.as_str(), word.retention_days), (DUTY, "Sample counter", 30));
    assert!(word.holder_signs && !word.service && !word.case);
    let (_, sharing, _) = wallet.holdings().sharings().next().unwrap();
    assert_eq!(sharing.word.as_ref(), Some(&word), "kept as it was shown");
    let claims = sharing.key_bindings[0].split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&identity_core::encoding::base64url::decode(claims).unwrap()).unwrap();
    let request: Value = {
        let payload = world.request.split('.').nth(1).unwrap();
        serde_json::from_slice(&identity_core::encoding::base64url::decode(payload).unwrap()).unwrap()
    };
    let object = request["transaction_data"][0].as_str().unwrap();
    assert_eq!(claims["transaction_data_hashes"], json!([sha256(object.as_bytes()).to_base64url()]));
}
