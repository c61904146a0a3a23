//! A sample world in which everything holds: tests change one thing and see it refused.

use std::collections::BTreeMap;

use ledger::batch::BatchTree;
use ledger::sha256;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::certificates;
use super::ledger::{START, SampleLedger};
use super::parties::{DUTY_PLACE, Party, key};
use crate::anchor::{AnchorProof, BatchPath};
use crate::bundle::{Bundle, Full};
use crate::crypto::{SecretKey, Signer as _};
use crate::dcql::Query;
use crate::did::{Did, DidUrl};
use crate::duty::{Attestation, UnverifiedAttestation};
use crate::jose::{Jwk, SignHeader, sign_compact, typ};
use crate::kb_jwt::{Confirmation, Occasion, Window, bind};
use crate::oid4vp::request::Algorithms;
use crate::oid4vp::{AnchorWish, ClientId, Parameters, ResponseMode, transaction_data};
use crate::problem::Code;
use crate::receipt::{self, ChainHead, Processed, Receipt};
use crate::registry::{
    Accredit, Anchor, AnchorKind, Delegate, DutyHolder, Label, Operation, Role, Schema, ServiceType, Update,
    accreditation_key, did_key, duty_key, make_key_proof, schema_key, thumbprint_key,
};
use crate::sd_jwt::{ClaimPath, Concealment, HashAlg, HeldSdJwt};
use crate::sd_jwt_vc::{self, Registered};
use crate::status::{self, Bits, Reference, StatusList, Validity};
use crate::time::UnixSeconds;
use crate::verdict::{
    AcceptedType, AnchorRule, Asked, Evidence, FetchedList, Freshness, OnUndetermined, Policy, PreparedEvidence,
    Presentation, Refusal, Verified, judge,
};
use crate::withdrawal::Withdrawal;
use crate::x509::{Chain, Leaf};

/// The type of the sample credential.
pub const VCT: &str = "urn:sample:credential:resident:1";
/// Where the sample status list is.
pub const LIST: &str = "https://d2.example/status/1";
/// The nonce of the sample request.
pub const NONCE: &str = "sample-nonce-0123456789";
/// What the asker is accredited for.
pub const PURPOSE: &str = "loan";
/// The duty number of the sample official.
pub const DUTY: &str = "counter-1";
/// When everything is judged: half an hour after the credential was made.
pub const NOW: UnixSeconds = UnixSeconds(START + 5400);
const ISSUED: UnixSeconds = UnixSeconds(START + 3600);
/// Where the credential stands in the status list.
pub const INDEX: usize = 77;

/// Metadata of the type, as registered on the ledger.
pub const TYPE: &str = r#"{"vct":"urn:sample:credential:resident:1","claims":[
    {"path":["name"],"mandatory":true,"sd":"always"},{"path":["address"],"sd":"always"},
    {"path":["valid_until"],"mandatory":true,"sd":"never"}]}"#;

/// Everything that a verdict rests on.
pub struct World {
    /// The chain.
    pub ledger: SampleLedger,
    /// Who accredits.
    pub authority: Party,
    /// Who issued the credential.
    pub issuer: Party,
    /// Who asks for it.
    pub asker: Party,
    /// The credential with all its disclosures.
    pub credential: String,
    /// Where the credential was anchored.
    pub anchored: u64,
    /// What is asked, by whom, what for, and who answers for it.
    pub request: Parameters,
    /// The DID behind the asker's name.
    pub asked_by: Did,
    /// Its certificate, where the name is the digest of one.
    pub certificate: Option<Leaf>,
    /// How it is judged.
    pub policy: Policy,
    /// When it is judged.
    pub now: UnixSeconds,
    /// `vp_token`.
    pub token: BTreeMap<String, Vec<String>>,
    /// `xinfu_anchor`.
    pub anchors: Option<BTreeMap<String, Vec<Value>>>,
    /// What ledger and issuer say.
    pub evidence: Evidence,
}

impl World {
    /// The world as it should be: everything holds.
    #[expect(clippy::new_without_default, reason = "a world is made on purpose, never by default")]
    pub fn new() -> Self {
        Self::with_issuer(Party::new(2, ServiceType::Issuer))
    }

    /// As [`Self::new`], with this issuer, whose seed is 2.
    pub fn with_issuer(issuer: Party) -> Self {
        let authority = Party::new(1, ServiceType::Ledger);
        let asker = Party::new(3, ServiceType::Verifier);
        let ledger = SampleLedger::founded_by(&[&authority, &issuer, &asker], &authority);
        Self::on(ledger, authority, issuer, asker)
    }

    /// As [`Self::new`], on a chain that these have founded, which has come to at most [`START`] and half a minute.
    pub fn on(mut ledger: SampleLedger, authority: Party, issuer: Party, asker: Party) -> Self {
        ledger.act(&authority, &Operation::Accredit(accredit(&issuer, Role::Issuer)));
        ledger.act(&authority, &Operation::Accredit(accredit(&asker, Role::Verifier)));
        ledger.act(&asker, &Operation::Delegate(Box::new(duty())));
        ledger.act(&authority, &Operation::Schema(Schema { vct: VCT.to_owned(), digest: sha256(TYPE.as_bytes()) }));
        ledger.seal(START + 60);
        let credential = issue(&issuer);
        let anchored = ledger.act(&issuer, &Operation::Anchor(anchor(&credential).1));
        ledger.seal(ISSUED.0);
        let client_id = ClientId::of_did(&asker.did());
        let mut world = Self {
            ledger,
            authority,
            issuer,
            asked_by: asker.did(),
            certificate: None,
            asker,
            credential,
            anchored,
            request: request(client_id, query(&["name", "address"])),
            policy: policy(),
            now: NOW,
            token: BTreeMap::new(),
            anchors: None,
            evidence: Evidence::default(),
        };
        world.attest();
        world.fetch();
        world
    }

    /// Asks for something else.
    pub fn ask(&mut self, dcql_query: Value) {
        self.request.query = Query::from_json(&dcql_query).unwrap();
        self.request.dcql_query = dcql_query;
        self.attest();
    }

    /// Asks for another purpose.
    pub fn ask_for(&mut self, purpose: Option<&str>) {
        self.request.purpose = purpose.map(str::to_owned);
        self.attest();
    }

    /// The official signs the request as it is now, and the holder answers it.
    pub fn attest(&mut self) {
        let attestation = attestation(&self.asker.did(), &self.request);
        self.attest_with(&attestation, &self.asker.duty());
    }

    /// Somebody signs this over the request, and the holder answers it.
    pub fn attest_with(&mut self, attestation: &Attestation, key: &SecretKey) {
        let text = attestation.sign(key).unwrap();
        self.request.transaction_data = match attestation.holder_signs {
            true => transaction_data::make(&self.request.query, &text),
            false => Vec::new(),
        };
        self.request.duty = Some(text);
        self.present();
    }

    /// The authority gives another accreditation, in a block of its own that ends at `seconds`.
    pub fn grant(&mut self, accredit: Accredit, seconds: i64) {
        self.ledger.act(&self.authority, &Operation::Accredit(accredit));
        self.ledger.seal(seconds);
    }

    /// The asker registers the key that signs its requests, and asks under its certificate.
    pub fn certify(&mut self) {
        let proof = make_key_proof(self.ledger.origin(), &self.asker.did(), "auth-1", &self.asker.authenticator());
        let update = Update { prove_keys: vec![proof.unwrap()], ..Update::default() };
        self.ledger.act(&self.asker, &Operation::Update(update));
        self.ledger.seal(ISSUED.0 + 60);
        let leaf = Chain::from_pem(certificates::ASKER).unwrap().leaf().unwrap();
        self.request.client_id = ClientId::of_certificate(leaf.digest());
        self.certificate = Some(leaf);
        self.attest();
        self.fetch();
    }

    /// Presents the credential again, after the world was changed.
    pub fn present(&mut self) {
        self.token = BTreeMap::from([("id".to_owned(), vec![self.shown(&holder())])]);
        self.anchors = Some(BTreeMap::from([("id".to_owned(), vec![json!(self.anchor_proof())])]));
    }

    /// The service's receipt over the answer, in the place after `head`.
    pub fn receipt(&self, head: ChainHead, refused: Option<Code>) -> Receipt {
        let attestation = UnverifiedAttestation::parse(self.request.duty.as_deref().unwrap()).unwrap();
        let (service, holder) = (self.asker.did(), DutyHolder::Official);
        let presentations = receipt::presented(&self.token);
        let answer =
            Processed { service: &service, attestation: attestation.word(), holder, presentations, refused, at: NOW };
        Receipt::following(head, answer)
    }

    /// The holder takes back what a receipt is over.
    pub fn withdrawal(&self, receipt: &str) -> Withdrawal {
        Withdrawal { aud: self.asker.did(), receipt: sha256(receipt.as_bytes()), iat: NOW }
    }

    /// The request object, as the service signed it under its DID.
    pub fn request_object(&self) -> String {
        let name = self.asker.key_name("auth-1");
        let header = SignHeader::new(typ::REQUEST_OBJECT).kid(&name);
        sign_compact(header, self.request.to_json().to_string().as_bytes(), &self.asker.authenticator()).unwrap()
    }

    /// The evidence of the answer, while the receipt waits for the ledger; with the answer itself if `full`.
    pub fn bundle(&self, refused: Option<Code>, full: bool) -> Bundle {
        let name = DidUrl::parse(&self.asker.key_name("auth-1")).unwrap();
        let receipt = self.receipt(ChainHead::default(), refused).sign(&name, &self.asker.authenticator()).unwrap();
        let key_bindings = self.token.values().flatten().map(|text| text.rsplit('~').next().unwrap().to_owned());
        let trust_root = self.ledger.trust_root();
        let full = full.then(|| Full::new(self.token.clone(), BTreeMap::new(), &trust_root));
        self.complete(Bundle::of(self.request_object(), receipt, None, key_bindings.collect(), full), NOW.plus(100))
    }

    /// A bundle with all that the ledger, asked at `time`, says for it.
    pub fn complete(&self, mut bundle: Bundle, time: UnixSeconds) -> Bundle {
        let trust_root = self.ledger.trust_root();
        while let Ok(missing) = bundle.missing(&trust_root) {
            if missing.is_empty() {
                break;
            }
            missing.iter().for_each(|state| bundle.add_state(self.ledger.state_proof(state, time.0)));
        }
        bundle
    }

    /// The presentation, bound by whatever key.
    pub fn shown(&self, holder: &SecretKey) -> String {
        let held = HeldSdJwt::dangerous_reopen(self.credential.clone()).unwrap();
        let chosen = held.present(&[ClaimPath::top("name"), ClaimPath::top("address")]).unwrap();
        let transaction_data = self.to_sign("id");
        bind(&chosen, self.occasion(&transaction_data), holder, NOW).unwrap()
    }

    /// What the holder of the credential that answers a query signs beside the nonce.
    pub fn to_sign(&self, query_id: &str) -> Vec<String> {
        transaction_data::hashes_for(&self.request.transaction_data, query_id)
    }

    /// The occasion of the request.
    pub fn occasion<'a>(&'a self, transaction_data: &'a [String]) -> Occasion<'a> {
        Occasion { audience: self.request.client_id.as_str(), nonce: NONCE, transaction_data }
    }

    /// The credential as presented on another occasion: these claims, signed by whatever key at `now`.
    pub fn shown_to(&self, occasion: Occasion<'_>, claims: &[&str], holder: &SecretKey, now: UnixSeconds) -> String {
        let held = HeldSdJwt::dangerous_reopen(self.credential.clone()).unwrap();
        let claims: Vec<ClaimPath> = claims.iter().map(|name| ClaimPath::top(*name)).collect();
        bind(&held.present(&claims).unwrap(), occasion, holder, now).unwrap()
    }

    /// The credential's anchor proof, as of now.
    pub fn anchor_proof(&self) -> AnchorProof {
        self.anchor_proof_at(NOW.0 - 100)
    }

    /// The credential's anchor proof under a checkpoint cosigned at `seconds`.
    pub fn anchor_proof_at(&self, seconds: i64) -> AnchorProof {
        let (tree, _) = anchor(&self.credential);
        let batch = BatchPath { index: 1, count: tree.count(), path: tree.path(1).unwrap() };
        let transaction = self.ledger.leaf(self.anchored).to_owned();
        AnchorProof { batch, transaction, proof: self.ledger.log_proof(self.anchored, seconds) }
    }

    /// Fetches fresh evidence, after the world was changed.
    pub fn fetch(&mut self) {
        self.evidence = Evidence { states: Vec::new(), status_lists: BTreeMap::new() };
        for party in [&self.issuer, &self.asker] {
            for state_key in [did_key(&party.did()), accreditation_key(&party.did())] {
                self.evidence.states.push(self.ledger.state_proof(&state_key, NOW.0 - 100));
            }
        }
        for state_key in [schema_key(VCT), duty_key(&self.asker.did(), DUTY)] {
            self.evidence.states.push(self.ledger.state_proof(&state_key, NOW.0 - 100));
        }
        if let Some(leaf) = &self.certificate {
            let owner = self.ledger.state_proof(&thumbprint_key(&leaf.thumbprint()), NOW.0 - 100);
            self.evidence.states.push(owner);
        }
        self.list(&self.status_list(status::Status::Valid, &self.issuer));
    }

    /// A status list in which the credential's entry says this, by this party.
    pub fn status_list(&self, status: status::Status, signer: &Party) -> String {
        let mut list = StatusList::new(Bits::Two, 1 << 17).unwrap();
        list.set(INDEX, status).unwrap();
        let validity = Validity { issued_at: UnixSeconds(NOW.0 - 1000), expires: UnixSeconds(NOW.0 + 3600), ttl: 600 };
        status::sign(&list, LIST, validity, &signer.key_name("assert-1"), &signer.asserter()).unwrap()
    }

    /// Puts a status list into the evidence, fetched just now.
    pub fn list(&mut self, token: &str) {
        let fetched = FetchedList { token: token.to_owned(), fetched_at: UnixSeconds(NOW.0 - 30) };
        self.evidence.status_lists.insert(LIST.to_owned(), fetched);
    }

    /// The presentation, for the verdict.
    pub fn presentation(&self) -> Presentation<'_> {
        let asked = Asked { request: &self.request, asker: &self.asked_by, certificate: self.certificate.as_ref() };
        Presentation { asked, token: &self.token, anchors: self.anchors.as_ref() }
    }

    /// The evidence, proven.
    pub fn prepared(&self) -> PreparedEvidence {
        self.evidence.prepare(self.ledger.trust_root()).unwrap()
    }

    /// The verdict.
    pub fn judge(&self) -> Result<Verified, Refusal> {
        let evidence = self.evidence.prepare(self.ledger.trust_root())?;
        judge(&self.presentation(), &evidence, &self.policy, self.now)
    }
}

/// The holder's key.
pub fn holder() -> SecretKey {
    key(7, 9)
}

/// The sample official's duty: to ask for `name`, `address` and `sex` of the sample type, for [`PURPOSE`]. Wider than
/// what the department itself may ask, so that each can be found wanting alone.
pub fn duty() -> Delegate {
    Delegate {
        duty: DUTY.to_owned(),
        holder: DutyHolder::Official,
        title: Label { en: "Sample counter".to_owned(), zh: "示例窗口".to_owned() },
        key: Jwk::new(key(3, DUTY_PLACE).public_key().clone()),
        role: Role::Verifier,
        types: vec![VCT.to_owned()],
        claims: ["name", "address", "sex"].map(|name| vec![name.to_owned()]).to_vec(),
        purposes: vec![PURPOSE.to_owned()],
        case_required: false,
        from: START,
        until: START + 10_000_000,
    }
}

/// What the sample official signs over a request.
pub fn attestation(department: &Did, request: &Parameters) -> Attestation {
    Attestation {
        iss: department.clone(),
        duty: DUTY.to_owned(),
        purpose: request.purpose.clone().unwrap_or_else(|| PURPOSE.to_owned()),
        basis: "Sample Act, article 1".to_owned(),
        retention_days: 30,
        receiver: department.clone(),
        case: None,
        holder_signs: true,
        dcql_query: request.dcql_query.clone(),
        client_id: request.client_id.as_str().to_owned(),
        response_uri: request.response_uri.as_str().to_owned(),
        nonce: request.nonce.clone(),
        exp: request.expires,
    }
}

/// A request by this client, with nobody yet who answers for it.
fn request(client_id: ClientId, dcql_query: Value) -> Parameters {
    Parameters {
        client_id,
        mode: ResponseMode::DirectPost,
        response_uri: "https://d3.example/responses/1".parse().unwrap(),
        nonce: NONCE.to_owned(),
        state: None,
        query: Query::from_json(&dcql_query).unwrap(),
        dcql_query,
        algorithms: Algorithms::ours(),
        anchor: Some(AnchorWish::Required),
        purpose: Some(PURPOSE.to_owned()),
        duty: None,
        transaction_data: Vec::new(),
        expires: NOW.plus(300),
        wallet_nonce: None,
    }
}

/// A query for these claims of the sample type.
pub fn query(claims: &[&str]) -> Value {
    let claims: Vec<Value> = claims.iter().map(|name| json!({ "path": [name] })).collect();
    let credential = json!({"id": "id", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": claims});
    json!({ "credentials": [credential] })
}

/// Accredits for the sample type; a verifier for `name` and `address`, and [`PURPOSE`].
pub fn accredit(subject: &Party, role: Role) -> Accredit {
    let verifier = role == Role::Verifier;
    let claims = if verifier { vec![vec!["name".to_owned()], vec!["address".to_owned()]] } else { Vec::new() };
    let purposes = if verifier { vec![PURPOSE.to_owned()] } else { Vec::new() };
    let (from, until) = (START, START + 10_000_000);
    Accredit {
        subject: subject.did(),
        role,
        types: vec![VCT.to_owned()],
        claims,
        purposes,
        from,
        until,
        delegable: false,
    }
}

fn policy() -> Policy {
    Policy {
        evidence: Freshness { max_age: 3600, leeway: 30 },
        holder: Window { max_age: 300, leeway: 30 },
        leeway: 30,
        anchor: AnchorRule::Required,
        undetermined: OnUndetermined::Refuse,
        undetermined_for: BTreeMap::new(),
        types: vec![AcceptedType::parse(TYPE.as_bytes()).unwrap()],
    }
}

/// The sample credential, by whatever issuer.
pub fn issue(issuer: &Party) -> String {
    let holder = Confirmation::jwk(holder().public_key().clone());
    let reference = Reference { index: INDEX, uri: LIST.to_owned() };
    let registered = Registered {
        issuer: &issuer.address(),
        vct: VCT,
        vct_integrity: None,
        issued_at: ISSUED,
        not_before: None,
        expires: Some(UnixSeconds(START + 1_000_000)),
        holder: Some(&holder),
        status: Some(&reference),
    };
    let subject = json!({"name": "样本甲", "address": {"region": "样本市"}, "valid_until": "2030-01-01", "sex": "2"});
    let concealment = ["name", "address", "sex"]
        .iter()
        .fold(Concealment::new(HashAlg::Sha256), |concealment, name| concealment.conceal(&ClaimPath::top(*name)));
    let mut rng = StdRng::seed_from_u64(5);
    let name = issuer.key_name("assert-1");
    sd_jwt_vc::issue(&registered, subject.as_object().unwrap(), &concealment, &name, &issuer.asserter(), &mut rng)
        .unwrap()
}

/// A batch of three, the credential in the middle, and the operation that anchors it.
pub fn anchor(credential: &str) -> (BatchTree, Anchor) {
    let jwt = credential.split('~').next().unwrap();
    let tree = BatchTree::new(&[sha256(b"before"), sha256(jwt.as_bytes()), sha256(b"after")]).unwrap();
    let anchor = Anchor::new(AnchorKind::Credential, tree.root(), tree.count());
    (tree, anchor)
}
