//! Who is there, and what has happened before every story: an issuer has issued a credential and anchored it.

use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::crypto::SecretKey;
use identity_core::oid4vp::Parameters;
use identity_core::registry::{
    AnchorKind, Operation, Role, Schema, ServiceType, accreditation_key, did_key, duty_key, schema_key,
};
use identity_core::sample::ledger::{START, SampleLedger};
use identity_core::sample::parties::{DUTY_PLACE, Party, key};
use identity_core::sample::world::{INDEX, LIST, TYPE, VCT, World, accredit, anchor, issue};
use identity_core::status::{self, Bits, Status, StatusList, Validity};
use identity_core::time::UnixSeconds;
use identity_core::verdict::{Evidence, FetchedList, Policy, PreparedEvidence};
use ledger::sha256;

/// When every story begins, in seconds.
pub(crate) const BEGIN: i64 = START + 3600;
/// The types that are asked for; there is a credential of the first.
pub(crate) const TYPES: [&str; 2] = [VCT, "urn:sample:credential:permit:1"];
/// What anything may be wanted for.
pub(crate) const PURPOSES: [&str; 3] = ["loan", "housing", "school"];
/// The duty numbers that the department gives, and one that it never does.
pub(crate) const DUTIES: [&str; 4] = ["desk-1", "desk-2", "desk-3", "desk-never"];
/// Officials, by the names of their keys.
pub(crate) const OFFICIALS: [&str; 4] = ["chen", "li", "wang", "zhao"];

/// The departments, and the ledger before every story.
pub(crate) struct Scene {
    pub(crate) ledger: SampleLedger,
    pub(crate) authority: Party,
    pub(crate) issuer: Party,
    pub(crate) middle: Party,
    pub(crate) asker: Party,
    pub(crate) credential: String,
    pub(crate) policy: Policy,
    /// A request in the sample world, of which a question changes what it is about.
    pub(crate) request: Parameters,
    anchored: u64,
    list: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let (authority, issuer) = (Party::new(1, ServiceType::Ledger), Party::new(2, ServiceType::Issuer));
        let (asker, middle) = (Party::new(3, ServiceType::Verifier), Party::new(5, ServiceType::Ledger));
        let mut ledger = SampleLedger::founded_by(&[&authority, &issuer, &asker, &middle], &authority);
        ledger.act(&authority, &Operation::Accredit(accredit(&issuer, Role::Issuer)));
        ledger.act(&authority, &Operation::Schema(Schema { vct: VCT.to_owned(), digest: sha256(TYPE.as_bytes()) }));
        ledger.seal(START + 60);
        let credential = issue(&issuer);
        let anchored = ledger.act(&issuer, &Operation::Anchor(anchor(&credential).1));
        ledger.seal(BEGIN);
        let World { policy, request, .. } = World::new();
        let list = status_list(&issuer);
        Self { ledger, authority, issuer, middle, asker, credential, policy, request, anchored, list }
    }

    /// Everything about the asker, its duties and the credential, certified at `time`.
    pub(crate) fn evidence(&self, ledger: &SampleLedger, time: i64) -> PreparedEvidence {
        let (asker, issuer) = (self.asker.did(), self.issuer.did());
        let of_parties = [&asker, &issuer].into_iter().flat_map(|did| [did_key(did), accreditation_key(did)]);
        let of_duties = DUTIES.iter().map(|number| duty_key(&asker, number));
        let keys = of_parties.chain(of_duties).chain([schema_key(VCT)]);
        let states = keys.map(|key| ledger.state_proof(&key, time)).collect();
        // Later than the rest, so that the list is usable for as long as the evidence is.
        let list = FetchedList { token: self.list.clone(), fetched_at: UnixSeconds(time + 60) };
        let evidence = Evidence { states, status_lists: [(LIST.to_owned(), list)].into() };
        evidence.prepare(ledger.trust_root()).unwrap()
    }

    /// The credential's anchor proof, under a checkpoint of then.
    pub(crate) fn anchor_proof(&self, ledger: &SampleLedger, time: i64) -> AnchorProof {
        let (tree, operation) = anchor(&self.credential);
        assert_eq!(operation.kind, AnchorKind::Credential);
        let batch = BatchPath { index: 1, count: tree.count(), path: tree.path(1).unwrap() };
        let transaction = ledger.leaf(self.anchored).to_owned();
        AnchorProof { batch, transaction, proof: ledger.log_proof(self.anchored, time) }
    }

    /// The key of an official, or of the service itself, which signs requests and no duties.
    pub(crate) fn key_of(&self, name: &str) -> SecretKey {
        match OFFICIALS.iter().zip([31, 32, 33, 35]).find(|(official, _)| **official == name) {
            Some((_, seed)) => key(seed, DUTY_PLACE),
            None => self.asker.authenticator(),
        }
    }
}

/// The credential is in force, for as long as any story goes.
fn status_list(issuer: &Party) -> String {
    let mut list = StatusList::new(Bits::Two, 1 << 17).unwrap();
    list.set(INDEX, Status::Valid).unwrap();
    let validity = Validity { issued_at: UnixSeconds(BEGIN), expires: UnixSeconds(BEGIN + 900_000), ttl: 900_000 };
    status::sign(&list, LIST, validity, &issuer.key_name("assert-1"), &issuer.asserter()).unwrap()
}
