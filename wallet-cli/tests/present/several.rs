//! Several credentials in one answer: the wallet's own state machine on one side, the verifier's envelope and verdict
//! on the other, nothing in between but the form that travels.

use super::*;
use identity_core::problem::Lang;
use identity_core::{
    kb_jwt::{Confirmation, Window},
    oid4vp::{Answer, Session},
    registry::{Schema, accreditation_key, did_key, schema_key},
    verdict::{
        AcceptedType, AnchorRule, Asked, Evidence, Freshness, OnUndetermined, Policy, Presentation, Refusal, Verified,
        judge,
    },
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};
use wallet_cli::{AtTerminal, ui::Ui};

pub(super) const DEGREE: &str = "urn:sample:credential:degree:1";

fn metadata(vct: &str) -> String {
    json!({ "vct": vct, "claims": [] }).to_string()
}

fn issue(issuer: &Party, vct: &str, subject: &Value, holder: &SecretKey) -> String {
    let holder = Confirmation::jwk(holder.public_key().clone());
    let registered = Registered {
        issuer: &issuer.address(),
        vct,
        vct_integrity: None,
        issued_at: UnixSeconds(START + 3600),
        not_before: None,
        expires: None,
        holder: Some(&holder),
        status: None,
    };
    let subject = subject.as_object().unwrap();
    let concealment =
        subject.keys().fold(Concealment::new(HashAlg::Sha256), |all, name| all.conceal(&ClaimPath::top(name)));
    let name = issuer.key_name("assert-1");
    sd_jwt_vc::issue(&registered, subject, &concealment, &name, &issuer.asserter(), &mut StdRng::seed_from_u64(6))
        .unwrap()
}

/// A wallet with an identity (number 1) and two degrees (2 and 3), each under its own key and anchored, and a service
/// that may ask for all of them.
struct Several {
    wallet: Wallet,
    world: Arc<World>,
    session: Session,
    link: String,
    _dir: tempfile::TempDir,
}

impl Several {
    fn asked(credentials: &Value, sets: Option<Value>) -> Self {
        let mut scene = Scene::new();
        let authority = Party::new(1, ServiceType::Ledger);
        let world = &mut scene.world;
        for operation in [
            accredit(&world.asker, Role::Verifier, DEGREE, &["degree", "school"]),
            accredit(&world.issuer, Role::Issuer, VCT, &[]),
            accredit(&world.issuer, Role::Issuer, DEGREE, &[]),
        ] {
            world.ledger.act(&authority, &operation);
        }
        for vct in [VCT, DEGREE] {
            let digest = sha256(metadata(vct).as_bytes());
            world.ledger.act(&authority, &Operation::Schema(Schema { vct: vct.to_owned(), digest }));
        }
        world.ledger.seal(START + 3800);
        let holders = [1_u8, 2, 3].map(|seed| SecretKey::from_bytes(Alg::EdDsa, &[seed; 32]).unwrap());
        let texts = [
            issue(&world.issuer, VCT, &json!({ "name": "样本甲", "sex": "2" }), &holders[0]),
            issue(&world.issuer, DEGREE, &json!({ "degree": "学士", "school": "样本大学" }), &holders[1]),
            issue(&world.issuer, DEGREE, &json!({ "degree": "硕士", "school": "样本大学" }), &holders[2]),
        ];
        anchor_all(world, &texts);
        let mut query = json!({ "credentials": credentials });
        if let Some(sets) = sets {
            query.as_object_mut().unwrap().insert("credential_sets".into(), sets);
        }
        let session = attested(&world.asker, query);
        let kid = DidUrl::parse(&world.asker.key_name("auth-1")).unwrap();
        world.request =
            session.request_object(None, verifier::SignedBy::Key(&kid), &world.asker.authenticator()).unwrap();

        scene.credential.clone_from(&texts[0]);
        let issuer = scene.world.issuer.address();
        let (wallet, world, link, dir) = scene.wallet_under(&holders[0]);
        drop(wallet);
        let vault = Vault::open(dir.path(), &Passphrase::new("a sample passphrase".into())).unwrap();
        let mut holdings = Holdings::read(vault).unwrap();
        for (text, holder) in texts.into_iter().zip(&holders).skip(1) {
            let held = Credential::new(DEGREE.into(), issuer.clone(), UnixSeconds(START + 3600), text, holder);
            holdings.add_credential(held, &mut StdRng::seed_from_u64(8)).unwrap();
        }
        drop(holdings);
        Self { wallet: open(dir.path(), &world), world, session, link, _dir: dir }
    }

    /// The wallet presents, and the verifier judges what was posted.
    async fn verdict(&mut self, select: &[(&str, usize)]) -> Result<Verified, Refusal> {
        let select: Vec<(String, usize)> = select.iter().map(|(id, number)| ((*id).to_owned(), *number)).collect();
        let shared = self.wallet.present(&self.link, &select, &mut |_: &Question| true).await.unwrap();
        assert_eq!(shared.outcome, Outcome::Accepted);
        self.judged()
    }

    /// The holder is asked at a terminal and answers each question with the next of `answers`. What stood there, a block
    /// of lines before each question, and what the verifier judges of what was posted.
    async fn asked_at_a_terminal(&mut self, answers: &[bool]) -> (Vec<String>, Verified) {
        let (blocks, mut answers) = (RefCell::new(vec![String::new()]), answers.iter());
        let ui = Ui::new(Lang::En, false);
        let say = &mut |line: &str| *blocks.borrow_mut().last_mut().unwrap() += &format!("{line}\n");
        let confirm = &mut |_: &str| {
            blocks.borrow_mut().push(String::new());
            *answers.next().unwrap()
        };
        let mut holder = AtTerminal::new(&ui, say, confirm);
        let shared = self.wallet.present(&self.link, &[], &mut holder).await.unwrap();
        assert_eq!(shared.outcome, Outcome::Accepted);
        assert_eq!(answers.next(), None, "each answer was asked for");
        let verified = self.judged().unwrap();
        blocks.borrow_mut().pop();
        (blocks.into_inner(), verified)
    }

    /// What the verifier says to what was posted last.
    fn judged(&self) -> Result<Verified, Refusal> {
        let body = self.world.posted.lock().unwrap().pop().unwrap();
        let Answer::Presented { token, anchors } = verifier::accept(&self.session, None, body.as_bytes(), NOW).unwrap()
        else {
            panic!("declined")
        };
        let asker = self.world.asker.did();
        let presentation = Presentation {
            asked: Asked { request: &self.session.parameters, asker: &asker, certificate: None },
            token: &token.0,
            anchors: anchors.as_ref().map(|anchors| &anchors.0),
        };
        let ledger = &self.world.ledger;
        let parties = [self.world.issuer.did(), self.world.asker.did()];
        let keys = parties.iter().flat_map(|did| [did_key(did), accreditation_key(did)]);
        let keys = keys.chain([VCT, DEGREE].map(schema_key)).chain([duty_key(&asker, DUTY)]);
        let states = keys.map(|key| ledger.state_proof(&key, NOW.0 - 60)).collect();
        let evidence = Evidence { states, status_lists: BTreeMap::new() }.prepare(ledger.trust_root()).unwrap();
        judge(&presentation, &evidence, &policy(), NOW)
    }
}

/// One batch over all of them, and the proof of each.
fn anchor_all(world: &mut World, texts: &[String]) {
    let digests: Vec<_> = texts.iter().map(|text| sha256(text.split('~').next().unwrap().as_bytes())).collect();
    let tree = BatchTree::new(&digests).unwrap();
    let operation = Anchor::new(AnchorKind::Credential, tree.root(), tree.count());
    let index = world.ledger.act(&world.issuer, &Operation::Anchor(operation));
    world.ledger.seal(START + 3900);
    for (place, digest) in (0..).zip(&digests) {
        let batch = BatchPath { index: place, count: tree.count(), path: tree.path(place).unwrap() };
        let transaction = world.ledger.leaf(index).to_owned();
        let proof = AnchorProof { batch, transaction, proof: world.ledger.log_proof(index, NOW.0 - 60) };
        world.anchors.insert(digest.to_base64url(), json!(proof));
    }
}

fn attested(asker: &Party, query: Value) -> Session {
    let mut session = session(asker, query, Some(AnchorWish::Required));
    attest(&mut session, asker, &asker.duty());
    session
}

fn policy() -> Policy {
    Policy {
        evidence: Freshness { max_age: 3600, leeway: 30 },
        holder: Window { max_age: 300, leeway: 30 },
        leeway: 30,
        anchor: AnchorRule::Required,
        undetermined: OnUndetermined::Accept,
        undetermined_for: BTreeMap::new(),
        types: [VCT, DEGREE].map(|vct| AcceptedType::parse(metadata(vct).as_bytes()).unwrap()).to_vec(),
    }
}

fn query(id: &str, vct: &str, claim: &str, multiple: bool) -> Value {
    json!({ "id": id, "format": "dc+sd-jwt", "meta": { "vct_values": [vct] }, "claims": [{ "path": [claim] }],
        "multiple": multiple })
}

/// What the verifier learnt: for each query the claims it released.
fn learnt(verified: &Verified) -> BTreeMap<&str, Vec<String>> {
    let claims = |id: &str| {
        let released = verified.credentials()[id].iter().map(|one| one.claims.as_map());
        released
            .map(|claims| {
                json!(claims.iter().filter(|(name, _)| *name != "iss" && *name != "vct").collect::<BTreeMap<_, _>>())
                    .to_string()
            })
            .collect()
    };
    verified.credentials().keys().map(|id| (id.as_str(), claims(id))).collect()
}

#[tokio::test]
async fn two_queries_are_answered_by_two_credentials_each_under_its_own_key() {
    let credentials = json!([query("who", VCT, "name", false), query("degree", DEGREE, "degree", false)]);
    let mut several = Several::asked(&credentials, None);
    let verified = several.verdict(&[]).await.unwrap();
    let expected = [
        ("who", vec![json!({ "name": "样本甲" }).to_string()]),
        ("degree", vec![json!({ "degree": "硕士" }).to_string()]),
    ];
    assert_eq!(learnt(&verified), expected.into());
    let (_, sharing, _) = several.wallet.holdings().sharings().next().unwrap();
    assert_eq!((sharing.credentials.len(), sharing.key_bindings.len()), (2, 2));
}

#[tokio::test]
async fn several_credentials_answer_one_query_when_the_holder_names_them() {
    let credentials = json!([query("degrees", DEGREE, "degree", true)]);
    let mut several = Several::asked(&credentials, None);
    assert_eq!(several.verdict(&[]).await.unwrap().credentials()["degrees"].len(), 1, "one, unless more are named");
    let verified = several.verdict(&[("degrees", 2), ("degrees", 3)]).await.unwrap();
    let both = ["学士", "硕士"].map(|degree| json!({ "degree": degree }).to_string()).to_vec();
    assert_eq!(learnt(&verified)["degrees"], both);
}

#[tokio::test]
async fn what_is_optional_is_offered_and_leaves_only_if_it_is_named() {
    let credentials = json!([query("who", VCT, "name", false), query("degree", DEGREE, "degree", false)]);
    let sets = json!([{ "options": [["who"]] }, { "options": [["degree"]], "required": false }]);
    let mut several = Several::asked(&credentials, Some(sets));
    let prepared = several.wallet.prepare(&several.link, &[]).await.unwrap();
    let question = prepared.question();
    assert_eq!((question.items.len(), question.optional.len(), question.optional[0][0].number), (1, 1, 3));
    assert_eq!(question.optional[0][0].split.stays.len(), 1, "school");
    assert_eq!(several.verdict(&[]).await.unwrap().credentials().len(), 1);
    assert_eq!(several.verdict(&[("degree", 2)]).await.unwrap().credentials().len(), 2);
}

#[tokio::test]
async fn another_option_answers_where_the_first_cannot() {
    let nobody = query("passport", "urn:nobody:has:1", "name", false);
    let credentials = json!([query("who", VCT, "name", false), query("degree", DEGREE, "degree", false), nobody]);
    let sets = json!([{ "options": [["passport"], ["degree"], ["who"]] }]);
    let mut several = Several::asked(&credentials, Some(sets));
    // The question asks for a type beyond the accreditation, so it is refused unasked, whatever could answer it.
    let refused = several.wallet.present(&several.link, &[], &mut |_: &Question| true).await.unwrap_err();
    assert!(matches!(refused, WalletError::BeyondAccreditation));
    let prepared = several.wallet.prepare(&several.link, &[]).await.unwrap();
    let question = prepared.question();
    assert_eq!((question.items[0].query.as_str(), question.instead.len()), ("degree", 1));
}

/// The claims that a block of lines at the terminal says leave.
fn listed(block: &str) -> Vec<&str> {
    block.lines().filter_map(|line| line.trim_start().strip_prefix("Leaves")).map(str::trim).collect()
}

fn name_degree_and_school() -> Value {
    json!([
        query("who", VCT, "name", false),
        query("degree", DEGREE, "degree", false),
        query("school", DEGREE, "school", false)
    ])
}

#[tokio::test]
async fn a_yes_to_one_thing_that_is_not_needed_is_none_to_another_that_shares_a_query_with_it() {
    let sets = json!([{ "options": [["who"]] }, { "options": [["degree"]], "required": false },
        { "options": [["degree", "school"]], "required": false }]);
    let (yes, no) = (true, false);
    for (answers, leaving) in [
        ([no, no, yes], vec!["who"]),
        ([yes, no, yes], vec!["who", "degree"]),
        ([no, yes, yes], vec!["who", "degree", "school"]),
        ([yes, yes, yes], vec!["who", "degree", "school"]),
    ] {
        let mut several = Several::asked(&name_degree_and_school(), Some(sets.clone()));
        let (blocks, verified) = several.asked_at_a_terminal(&answers).await;
        let learnt: Vec<&str> = learnt(&verified).into_keys().collect();
        assert_eq!(learnt.iter().collect::<BTreeSet<_>>(), leaving.iter().collect(), "{answers:?}");

        let offered = ["Name", "degree", "degree", "school"];
        assert_eq!(listed(&blocks[0]), offered, "{}", blocks[0]);
        assert!(blocks[1].is_empty(), "the first question stands there still");
        let expected: Vec<&str> = leaving.iter().map(|query| if *query == "who" { "Name" } else { query }).collect();
        if leaving == ["who"] {
            assert!(blocks[2].is_empty(), "nothing changed");
        } else {
            assert_eq!(listed(&blocks[2]), expected, "all that leaves was listed last, and nothing else");
        }
        let (_, sharing, _) = several.wallet.holdings().sharings().next().unwrap();
        assert_eq!(sharing.credentials.iter().map(|shared| shared.claims.len()).sum::<usize>(), leaving.len());
    }
}

#[tokio::test]
async fn a_yes_to_what_is_not_needed_leaves_the_answer_to_what_is() {
    let sets = json!([{ "options": [["who"], ["degree", "school"]] }, { "options": [["degree"]], "required": false }]);
    let mut several = Several::asked(&name_degree_and_school(), Some(sets));
    let (blocks, verified) = several.asked_at_a_terminal(&[true, true]).await;
    assert_eq!(learnt(&verified).into_keys().collect::<Vec<_>>(), ["degree", "who"]);
    assert_eq!(listed(&blocks[1]), ["Name", "degree"]);
    assert!(blocks[1].contains("--select degree=3 --select school=3"), "the other way stands there still");
}
