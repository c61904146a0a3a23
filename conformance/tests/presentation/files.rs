//! The world and its files: a sample resident shows three claims to a sample housing fund.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::crypto::Signer;
use identity_core::duty::Attestation;
use identity_core::encoding::base64url;
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::kb_jwt::{Confirmation, Occasion, bind};
use identity_core::oid4vp::ClientId;
use identity_core::registry::{
    Accredit, Anchor, AnchorKind, Delegate, DutyHolder, Label, Operation, Role, Schema, ServiceType, accreditation_key,
    did_key, duty_key, schema_key,
};
use identity_core::sd_jwt::{ClaimPath, Concealment, HashAlg, HeldSdJwt};
use identity_core::sd_jwt_vc::{self, Registered};
use identity_core::status::{self, Bits, Reference, StatusList, Validity};
use identity_core::time::UnixSeconds;
use identity_core::verdict::{Evidence, FetchedList};
use ledger::batch::BatchTree;
use ledger::sha256;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::ledger::SampleLedger;
use super::parties::{Party, key};
use super::twist::Twist;

/// Seconds at which the sample chain begins.
pub(crate) const START: i64 = 1_800_000_000;
/// Seconds at which the files are checked.
pub(crate) const NOW: i64 = START + 7200;
/// When the checkpoints were cosigned.
const CERTIFIED: u64 = 1_800_007_000;

pub(crate) const VCT: &str = "urn:xinfu:credential:resident-identity:1";
const LIST: &str = "https://public-security.sample.example/status/1";
pub(crate) const PURPOSE: &str = "housing-loan";
/// The duty number of the official who asks.
pub(crate) const DUTY: &str = "loan-desk-3";
pub(crate) const NONCE: &str = "c2FtcGxlLW5vbmNlLW9mLTE2LWJ5dGVz";
/// The credential's place in its batch of five, and in the status list.
const PLACE: u64 = 3;
const STATUS_INDEX: usize = 70_001;

pub(crate) const TYPE: &[u8] = include_bytes!("../../../schemas/credential/resident-identity.json");

/// Where the files stand.
pub(crate) fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/presentation"))
}

/// Every file by its name.
pub(crate) fn make() -> BTreeMap<&'static str, Vec<u8>> {
    files(&World::new(CERTIFIED, None, Twist::default()))
}

/// The same, with this much of it otherwise, and all signatures made over that.
pub(crate) fn make_twisted(twist: Twist) -> BTreeMap<&'static str, Vec<u8>> {
    files(&World::new(CERTIFIED, None, twist))
}

/// The same, under checkpoints that the validators cosigned at about `certified`; the last of them states `lie`.
pub(crate) fn make_certified(certified: u64, lie: Option<u64>) -> BTreeMap<&'static str, Vec<u8>> {
    files(&World::new(certified, lie, Twist::default()))
}

fn files(world: &World) -> BTreeMap<&'static str, Vec<u8>> {
    let client_id = ClientId::of_did(&world.asker.did());
    let payload = world.request(&client_id);
    let token = json!({"resident": [world.presentation(&client_id, &payload)]});
    let anchors = json!({"resident": [world.anchor_proof()]});
    BTreeMap::from([
        ("request.jwt", world.signed(&payload).into_bytes()),
        ("vp_token.json", token.to_string().into_bytes()),
        ("anchors.json", anchors.to_string().into_bytes()),
        ("evidence.json", serde_json::to_vec(&world.evidence()).unwrap()),
        ("trust-root.txt", world.ledger.trust_root().into_bytes()),
        ("type.json", TYPE.to_vec()),
    ])
}

/// The sample departments, their ledger, and the credential.
pub(crate) struct World {
    pub(crate) ledger: SampleLedger,
    pub(crate) authority: Party,
    pub(crate) issuer: Party,
    pub(crate) asker: Party,
    /// Who accredited the asker, if not the authority itself.
    pub(crate) province: Option<Party>,
    pub(crate) credential: String,
    batch: BatchTree,
    anchored: u64,
    /// When the next checkpoints are cosigned.
    pub(crate) certified: u64,
    pub(crate) twist: Twist,
}

impl World {
    pub(crate) fn new(certified: u64, lie: Option<u64>, twist: Twist) -> Self {
        let issuer = Party::new(
            11,
            ServiceType::Issuer,
            "https://public-security.sample.example",
            "Public security (sample)",
            "公安局（样本）",
        );
        let asker = Party::new(
            21,
            ServiceType::Verifier,
            "https://housing-fund.sample.example",
            "Housing fund (sample)",
            "住房公积金管理中心（样本）",
        );
        let authority =
            Party::new(31, ServiceType::Ledger, "https://leader.sample.example", "Leader (sample)", "盟主（样本）");
        let province = twist.has_province.then(|| {
            Party::new(61, ServiceType::Verifier, "https://province.sample.example", "Province (sample)", "省（样本）")
        });
        let members: Vec<&Party> = [&authority, &issuer, &asker].into_iter().chain(&province).collect();
        let mut ledger = SampleLedger::found(START, &members, &authority);
        ledger.act(&authority, &Operation::Accredit(accredit(&issuer, Role::Issuer)));
        if let Some(province) = &province {
            let delegable = Accredit { delegable: true, ..accredit(province, Role::Verifier) };
            ledger.act(&authority, &Operation::Accredit(delegable));
        }
        let above = province.as_ref().unwrap_or(&authority);
        ledger.act(above, &Operation::Accredit(accredit(&asker, Role::Verifier)));
        let mut desk = desk(&asker);
        (twist.duty)(&mut desk);
        let given = ledger.act(&asker, &Operation::Delegate(Box::new(desk)));
        ledger.act(&authority, &Operation::Schema(Schema { vct: VCT.to_owned(), digest: sha256(TYPE) }));
        ledger.seal(START + 60);
        let credential = match twist.integrity {
            None => standing_credential(&issuer),
            Some(integrity) => issue(&issuer, Some(&integrity())),
        };
        let batch = batch_of(&credential);
        let anchor = Anchor::new(AnchorKind::Credential, batch.root(), batch.count());
        let anchored = ledger.act(&issuer, &Operation::Anchor(anchor));
        for operation in (twist.later)(given, &asker) {
            ledger.act(&asker, &operation);
        }
        ledger.seal(START + 3660);
        ledger.lie = lie;
        Self { ledger, authority, issuer, asker, province, credential, batch, anchored, certified, twist }
    }

    /// The payload of the request, with the official's attestation.
    pub(crate) fn request(&self, client_id: &ClientId) -> Value {
        let (mut payload, _, attestation) = self.attested(client_id);
        let object = json!({
            "type": "urn:xinfu:transaction-data:duty:1",
            "credential_ids": ["resident"],
            "attestation": sha256(attestation.as_bytes()),
        });
        payload["verifier_info"] = json!([{"format": "xinfu-duty+jwt", "data": attestation}]);
        payload["transaction_data"] = json!([base64url::encode(object.to_string().as_bytes())]);
        (self.twist.request)(&mut payload);
        payload
    }

    /// The question, what the official says over it, and the same signed.
    pub(crate) fn attested(&self, client_id: &ClientId) -> (Value, Attestation, String) {
        let mut question = self.question(client_id);
        (self.twist.question)(&mut question);
        let mut said = self.word(&question);
        (self.twist.word)(&mut said);
        let attestation = said.sign(&(self.twist.duty_key)(&self.asker)).unwrap();
        (question, said, attestation)
    }

    fn question(&self, client_id: &ClientId) -> Value {
        let paths = [json!(["name"]), json!(["birth_date"]), json!(["address", "region"])];
        json!({
            "aud": "https://self-issued.me/v2",
            "client_id": client_id.as_str(),
            "client_metadata": {"vp_formats_supported": {"dc+sd-jwt": {}}},
            "dcql_query": {"credentials": [{
                "id": "resident",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [VCT]},
                "claims": paths.map(|path| json!({"path": path})),
            }]},
            "exp": NOW + 300,
            "nonce": NONCE,
            "response_mode": "direct_post",
            "response_type": "vp_token",
            "response_uri": "https://housing-fund.sample.example/responses/sample",
            "xinfu_anchor": "required",
            "xinfu_purpose": PURPOSE,
        })
    }

    /// What the official says over a question.
    fn word(&self, question: &Value) -> Attestation {
        let text = |name: &str| question[name].as_str().unwrap().to_owned();
        Attestation {
            iss: self.asker.did(),
            duty: DUTY.to_owned(),
            purpose: text("xinfu_purpose"),
            basis: "Sample regulations on housing loans, article 1".to_owned(),
            retention_days: 30,
            receiver: self.asker.did(),
            case: Some(sha256(b"c2FtcGxlLXNhbHQsMTYgYnl0ZXM2030-1")),
            holder_signs: true,
            dcql_query: question["dcql_query"].clone(),
            client_id: text("client_id"),
            response_uri: text("response_uri"),
            nonce: text("nonce"),
            exp: UnixSeconds(question["exp"].as_i64().unwrap()),
        }
    }

    pub(crate) fn signed(&self, payload: &Value) -> String {
        let kid = self.asker.key_name("auth-1");
        let header = SignHeader::new(typ::REQUEST_OBJECT).kid(&kid);
        sign_compact(header, payload.to_string().as_bytes(), &self.asker.authenticator()).unwrap()
    }

    pub(crate) fn presentation(&self, client_id: &ClientId, request: &Value) -> String {
        let held = HeldSdJwt::dangerous_reopen(self.credential.clone()).unwrap();
        let region = ClaimPath::top("address").member("region");
        let chosen = held.present(&[ClaimPath::top("name"), ClaimPath::top("birth_date"), region]).unwrap();
        let objects = request["transaction_data"].as_array().into_iter().flatten();
        let digest = |object: &Value| sha256(object.as_str().unwrap().as_bytes()).to_base64url();
        let mut hashes: Vec<String> = objects.map(digest).collect();
        (self.twist.hashes)(&mut hashes);
        let occasion = Occasion { audience: client_id.as_str(), nonce: NONCE, transaction_data: &hashes };
        bind(&chosen, occasion, &(self.twist.holder)(), UnixSeconds(NOW - 5)).unwrap()
    }

    pub(crate) fn anchor_proof(&self) -> Value {
        let batch = BatchPath { index: PLACE, count: self.batch.count(), path: self.batch.path(PLACE).unwrap() };
        let transaction = self.ledger.entry(self.anchored).to_owned();
        json!(AnchorProof { batch, transaction, proof: self.ledger.log_proof(self.anchored, self.certified) })
    }

    fn evidence(&self) -> Evidence {
        let parties = [self.issuer.did(), self.asker.did()];
        let others = [schema_key(VCT), duty_key(&self.asker.did(), DUTY)];
        let keys = parties.iter().flat_map(|did| [did_key(did), accreditation_key(did)]).chain(others);
        let states = keys.map(|key| self.ledger.state_proof(&key, self.certified)).collect();
        let fetched = FetchedList { token: self.status_list(), fetched_at: UnixSeconds(NOW - 100) };
        Evidence { states, status_lists: BTreeMap::from([(LIST.to_owned(), fetched)]) }
    }

    fn status_list(&self) -> String {
        let mut list = StatusList::new(Bits::Two, 1 << 17).unwrap();
        list.set(STATUS_INDEX + 1, status::Status::Invalid).unwrap();
        let validity = Validity { issued_at: UnixSeconds(NOW - 600), expires: UnixSeconds(NOW + 86_400), ttl: 3600 };
        status::sign(&list, LIST, validity, &self.issuer.key_name("assert-1"), &self.issuer.asserter()).unwrap()
    }
}

/// The official's duty: as much as the department itself may ask for, and a little more.
pub(crate) fn desk(asker: &Party) -> Delegate {
    Delegate {
        duty: DUTY.to_owned(),
        holder: DutyHolder::Official,
        title: Label { en: "Loan desk 3 (sample)".to_owned(), zh: "贷款三号窗口（样本）".to_owned() },
        key: Jwk::new(asker.duty().public_key().clone()),
        role: Role::Verifier,
        types: vec![VCT.to_owned()],
        claims: ["name", "birth_date", "address", "sex"].map(path).to_vec(),
        purposes: vec![PURPOSE.to_owned()],
        case_required: true,
        from: START,
        until: START + 10_000_000,
    }
}

fn path(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

fn accredit(subject: &Party, role: Role) -> Accredit {
    let (claims, purposes) = match role {
        Role::Issuer => (Vec::new(), Vec::new()),
        Role::Verifier => (vec![path("name"), path("birth_date"), path("address")], vec![PURPOSE.to_owned()]),
    };
    Accredit {
        subject: subject.did(),
        role,
        types: vec![VCT.to_owned()],
        claims,
        purposes,
        from: START,
        until: START + 10_000_000,
        delegable: false,
    }
}

/// The credential as it stands in `vectors`: how many random numbers issuing draws, and in which order, is its own
/// affair, so it is not issued anew each time. `XINFU_BLESS=credential` does that.
fn standing_credential(issuer: &Party) -> String {
    let file = folder().join("credential.txt");
    if std::env::var_os("XINFU_BLESS").is_some_and(|what| what == "credential") {
        fs::write(&file, issue(issuer, None)).unwrap();
    }
    fs::read_to_string(file).unwrap()
}

fn issue(issuer: &Party, vct_integrity: Option<&str>) -> String {
    let holder = Confirmation::jwk(key(41).public_key().clone());
    let reference = Reference { index: STATUS_INDEX, uri: LIST.to_owned() };
    let registered = Registered {
        issuer: issuer.address,
        vct: VCT,
        vct_integrity,
        issued_at: UnixSeconds(START + 3600),
        not_before: None,
        expires: Some(UnixSeconds(START + 100_000_000)),
        holder: Some(&holder),
        status: Some(&reference),
    };
    // A sample person, born in 1889: formally valid, and nobody.
    let subject = json!({
        "name": "样本一", "sex": "1", "ethnicity": "01", "birth_date": "1889-01-01",
        "address": {"division_code": "110101", "region": "北京市东城区", "detail": "样本路1号"},
        "citizen_number": "110101188901010014", "issuing_authority": "东城区公安局（样本）",
        "valid_from": "2020-01-01", "valid_until": "2040-01-01", "age_over_18": true,
    });
    let types: Value = serde_json::from_slice(TYPE).unwrap();
    let paths = types["claims"].as_array().unwrap().iter().map(|claim| claim["path"].as_array().unwrap());
    let paths = paths.map(|path| {
        let names = path.iter().map(|name| name.as_str().unwrap());
        names.fold(None, |path: Option<ClaimPath>, name| Some(path.map_or(ClaimPath::top(name), |p| p.member(name))))
    });
    let concealment = Concealment::new(HashAlg::Sha256).decoys(2);
    let concealment = paths.flatten().fold(concealment, |concealment, path| concealment.conceal(&path));
    let subject = subject.as_object().unwrap();
    let mut rng = StdRng::seed_from_u64(18);
    let kid = issuer.key_name("assert-1");
    sd_jwt_vc::issue(&registered, subject, &concealment, &kid, &issuer.asserter(), &mut rng).unwrap()
}

fn batch_of(credential: &str) -> BatchTree {
    let jwt = credential.split('~').next().unwrap();
    let beside = |n: u8| sha256(&[n]);
    BatchTree::new(&[beside(0), beside(1), beside(2), sha256(jwt.as_bytes()), beside(4)]).unwrap()
}
