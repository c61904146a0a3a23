//! A case for the verdict: the standard presentation, everything that the ledger and its issuer say about it, proven
//! already, and the anchor proof of its credential: one of 65 536 in its batch, on a ledger of more than 1 000 entries and
//! keys. The question is an official's, whose attestation the verdict verifies with the rest.

use std::collections::BTreeMap;

use anyhow::Context as _;
use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::crypto::{SecretKey, Signer as _};
use identity_core::did::{Did, DidUrl};
use identity_core::jose::Jwk;
use identity_core::kb_jwt::Occasion;
use identity_core::oid4vp::{AnchorWish, Ask, ClientId, Session, WhatFor, transaction_data};
use identity_core::receipt::{self, ChainHead, Processed, Receipt};
use identity_core::registry::{
    Accredit, Anchor, AnchorKind, Delegate, DutyHolder, Label, Operation, Role, Schema, ServiceType, accreditation_key,
    did_key, duty_key, schema_key,
};
use identity_core::sample::ledger::SampleLedger;
use identity_core::sample::parties::Party;
use identity_core::status::{self, Bits, StatusList, Validity};
use identity_core::verdict::{
    AcceptedType, AnchorRule, Asked, Evidence, FetchedList, Freshness, OnUndetermined, Policy, PreparedEvidence,
    Presentation, Verified, judge,
};
use ledger::batch::BatchTree;
use ledger::sha256;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::standard::{self, EXPIRES, ISSUED, PRESENTED, SHOWN, Standard, VCT, WINDOW};

/// Credentials in the batch, and the place of ours.
const BATCH: u64 = 65_536;
const PLACE: u64 = 31_337;

/// Entries on the log, and keys of the state, beside those of the case.
const OTHER_ENTRIES: u64 = 1_000;

const QUERY_ID: &str = "resident";
const PURPOSE: &str = "bench-sample";
const DUTY: &str = "desk-1";

pub(crate) struct Case {
    pub(crate) evidence: PreparedEvidence,
    pub(crate) policy: Policy,
    pub(crate) ledger: SampleLedger,
    pub(crate) asker: Party,
    pub(crate) session: Session,
    pub(crate) token: BTreeMap<String, Vec<String>>,
    pub(crate) proof: AnchorProof,
    department: Did,
    key_name: DidUrl,
    anchors: BTreeMap<String, Vec<Value>>,
}

impl Case {
    pub(crate) fn new() -> anyhow::Result<Self> {
        // Odd seeds: Ed25519 keys.
        let (authority, issuer, asker) = (
            Party::new(1, ServiceType::Ledger),
            Party::new(3, ServiceType::Issuer),
            Party::new(5, ServiceType::Verifier),
        );
        let mut ledger = SampleLedger::founded_by(&[&authority, &issuer, &asker], &authority);
        let metadata = standard::type_metadata();
        let digest = sha256(&metadata);
        ledger.act(&authority, &Operation::Accredit(accredit(&issuer, Role::Issuer)));
        ledger.act(&authority, &Operation::Accredit(accredit(&asker, Role::Verifier)));
        ledger.act(&asker, &Operation::Delegate(Box::new(desk(&asker))));
        ledger.act(&authority, &Operation::Schema(Schema { vct: VCT.to_owned(), digest }));

        let standard = Standard::by(issuer.asserter(), issuer.address(), issuer.key_name("assert-1"))?;
        let issued = standard.issue(&mut StdRng::seed_from_u64(1))?;
        let batch = batch_around(&issued)?;
        let anchor = Anchor::new(AnchorKind::Credential, batch.root(), batch.count());
        let index = ledger.act(&issuer, &Operation::Anchor(anchor));
        for entry in 0..OTHER_ENTRIES {
            let (vct, digest) = (format!("urn:xinfu:credential:bench-{entry}:1"), sha256(&entry.to_be_bytes()));
            ledger.act(&authority, &Operation::Schema(Schema { vct, digest }));
        }
        ledger.seal(ISSUED.0);

        let proof = AnchorProof {
            batch: BatchPath {
                index: PLACE,
                count: batch.count(),
                path: batch.path(PLACE).context("the batch is smaller")?,
            },
            transaction: ledger.leaf(index).to_owned(),
            proof: ledger.log_proof(index, PRESENTED.0),
        };
        let session = session(&asker)?;
        let request = &session.parameters;
        let to_sign = transaction_data::hashes_for(&request.transaction_data, QUERY_ID);
        let occasion =
            Occasion { audience: request.client_id.as_str(), nonce: &request.nonce, transaction_data: &to_sign };
        let presented = standard.present(issued, occasion)?;
        Ok(Self {
            evidence: evidence(&ledger, &issuer, &asker, &standard)?.prepare(ledger.trust_root())?,
            policy: policy(&metadata)?,
            ledger,
            session,
            token: BTreeMap::from([(QUERY_ID.to_owned(), vec![presented])]),
            anchors: BTreeMap::from([(QUERY_ID.to_owned(), vec![json!(proof)])]),
            proof,
            department: asker.did(),
            key_name: DidUrl::parse(&asker.key_name("auth-1"))?,
            asker,
        })
    }

    /// The presentation, with or without its anchor proof.
    pub(crate) fn presentation(&self, anchored: bool) -> Presentation<'_> {
        let asked = Asked { request: &self.session.parameters, asker: &self.department, certificate: None };
        Presentation { asked, token: &self.token, anchors: anchored.then_some(&self.anchors) }
    }

    /// The verdict.
    pub(crate) fn verified(&self) -> anyhow::Result<Verified> {
        Ok(judge(&self.presentation(true), &self.evidence, &self.policy, PRESENTED)?)
    }

    /// The name of the key that signs request and receipt.
    pub(crate) const fn key_name(&self) -> &DidUrl {
        &self.key_name
    }

    /// The receipt over the answer, which was accepted, that follows `before`; as the verifier makes it.
    pub(crate) fn receipt(
        &self,
        verified: &Verified,
        before: ChainHead,
        key: &SecretKey,
    ) -> anyhow::Result<(String, ChainHead)> {
        let answer = Processed {
            service: &self.department,
            attestation: verified.attestation().word(),
            holder: DutyHolder::Official,
            presentations: receipt::presented_as(&self.token, verified),
            refused: None,
            at: PRESENTED,
        };
        let receipt = Receipt::following(before, answer);
        let text = receipt.sign(&self.key_name, key)?;
        let head = ChainHead::after(receipt.seq, &text);
        Ok((text, head))
    }
}

/// The request for what the presentation shows, with the official's attestation.
fn session(asker: &Party) -> anyhow::Result<Session> {
    let ask = Ask {
        client_id: ClientId::of_did(&asker.did()),
        dcql_query: query(),
        purpose: Some(PURPOSE.to_owned()),
        anchor: Some(AnchorWish::Optional),
        encrypt_to: None,
        lifetime: 300,
    };
    let response_uri = asker.address().parse()?;
    let mut session = Session::make(ask, |_| response_uri, PRESENTED, &mut StdRng::seed_from_u64(2))?;
    let (duty, basis) = (DUTY.to_owned(), "Sample Act, article 1".to_owned());
    let what_for = WhatFor { duty, basis, retention_days: 30, case: None, holder_signs: true };
    let attestation = session.to_attest(&asker.did(), what_for)?.sign(&asker.duty())?;
    session.attest(&attestation)?;
    Ok(session)
}

fn shown_paths() -> Vec<Vec<String>> {
    SHOWN.map(|name| vec![name.to_owned()]).to_vec()
}

fn desk(asker: &Party) -> Delegate {
    Delegate {
        duty: DUTY.to_owned(),
        holder: DutyHolder::Official,
        title: Label { en: "Sample desk".to_owned(), zh: "示例窗口".to_owned() },
        key: Jwk::new(asker.duty().public_key().clone()),
        role: Role::Verifier,
        types: vec![VCT.to_owned()],
        claims: shown_paths(),
        purposes: vec![PURPOSE.to_owned()],
        case_required: false,
        from: ISSUED.0 - 3_600,
        until: EXPIRES.0,
    }
}

fn accredit(subject: &Party, role: Role) -> Accredit {
    let (claims, purposes) = match role {
        Role::Verifier => (shown_paths(), vec![PURPOSE.to_owned()]),
        Role::Issuer => (Vec::new(), Vec::new()),
    };
    Accredit {
        subject: subject.did(),
        role,
        types: vec![VCT.to_owned()],
        claims,
        purposes,
        from: ISSUED.0 - 3_600,
        until: EXPIRES.0,
        delegable: false,
    }
}

/// A batch of digests, the credential's at its place.
fn batch_around(issued: &str) -> anyhow::Result<BatchTree> {
    let jwt = issued.split('~').next().context("no JWT")?;
    let digest = |place: u64| if place == PLACE { sha256(jwt.as_bytes()) } else { sha256(&place.to_be_bytes()) };
    let digests: Vec<ledger::Hash> = (0..BATCH).map(digest).collect();
    BatchTree::new(&digests).context("no batch of this size")
}

fn evidence(ledger: &SampleLedger, issuer: &Party, asker: &Party, standard: &Standard) -> anyhow::Result<Evidence> {
    let mut keys = vec![schema_key(VCT), duty_key(&asker.did(), DUTY)];
    for party in [issuer, asker] {
        keys.extend([did_key(&party.did()), accreditation_key(&party.did())]);
    }
    let validity = Validity { issued_at: ISSUED, expires: EXPIRES, ttl: 3_600 };
    let list = StatusList::new(Bits::Two, 1 << 17)?;
    let token = status::sign(&list, standard.status.uri.as_str(), validity, &standard.kid, &standard.issuer)?;
    Ok(Evidence {
        states: keys.iter().map(|key| ledger.state_proof(key, PRESENTED.0)).collect(),
        status_lists: BTreeMap::from([(standard.status.uri.clone(), FetchedList { token, fetched_at: PRESENTED })]),
    })
}

fn query() -> Value {
    let claims: Vec<Value> = SHOWN.iter().map(|name| json!({"path": [name]})).collect();
    let credential = json!({"id": QUERY_ID, "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": claims});
    json!({"credentials": [credential]})
}

fn policy(metadata: &[u8]) -> anyhow::Result<Policy> {
    Ok(Policy {
        evidence: Freshness { max_age: 3_600, leeway: 30 },
        holder: WINDOW,
        leeway: WINDOW.leeway,
        anchor: AnchorRule::Optional,
        undetermined: OnUndetermined::Refuse,
        undetermined_for: BTreeMap::new(),
        types: vec![AcceptedType::parse(metadata)?],
    })
}
