//! One act, and the evidence of it: a sample housing fund, accredited by a sample province, has asked and was answered.
//! A case changes one thing and makes all that stands over it anew, signatures and digests included.

use std::collections::BTreeMap;

use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::bundle::{Bundle, Full};
use identity_core::crypto::{SecretKey, Signer};
use identity_core::did::Did;
use identity_core::jose::{Jwk, SignHeader, sign_compact, typ};
use identity_core::oid4vp::ClientId;
use identity_core::receipt::{Act as Official, Receipt, presented};
use identity_core::registry::{
    Anchor, AnchorKind, DutyHolder, Operation, accreditation_key, did_key, duty_key, member_key,
};
use identity_core::time::UnixSeconds;
use ledger::batch::BatchTree;
use ledger::{StateProof, sha256};
use serde_json::{Value, json};

use crate::presentation::files::{DUTY, NOW, World};
use crate::presentation::parties::Party;
use crate::presentation::twist::Twist;

/// The receipt's place among those that the service has made, and those that go onto the ledger with it.
const SEQ: u64 = 2;

/// What an act leaves behind.
pub(crate) struct Act {
    pub(crate) world: World,
    /// The payload of the request.
    pub(crate) request: Value,
    pub(crate) request_typ: &'static str,
    pub(crate) request_key: SecretKey,
    /// The answer.
    pub(crate) token: BTreeMap<String, Vec<String>>,
    pub(crate) receipt: Receipt,
    pub(crate) receipt_typ: &'static str,
    pub(crate) receipt_key: SecretKey,
    /// Number of the first receipt that goes onto the ledger with it.
    pub(crate) first: u64,
}

impl Act {
    /// The act with this much of it otherwise.
    pub(crate) fn new(twist: Twist) -> Self {
        let world = World::new(seconds(NOW + 100), None, Twist { has_province: true, ..twist });
        let client_id = ClientId::of_did(&world.asker.did());
        let request = world.request(&client_id);
        let token = BTreeMap::from([("resident".to_owned(), vec![world.presentation(&client_id, &request)])]);
        let receipt = receipt(&world, &client_id, &token);
        let (request_key, receipt_key) = (world.asker.authenticator(), world.asker.authenticator());
        let (request_typ, receipt_typ) = (typ::REQUEST_OBJECT, typ::RECEIPT);
        Self { world, request, request_typ, request_key, token, receipt, receipt_typ, receipt_key, first: 1 }
    }

    /// The service names what it was shown, after that was changed.
    pub(crate) fn name_again(&mut self) {
        self.receipt.presentations = presented(&self.token);
    }

    /// The receipt, as the service signed it.
    pub(crate) fn receipt_text(&self) -> String {
        self.signed(self.receipt_typ, &json!(self.receipt), &self.receipt_key)
    }

    /// Something that the service signed.
    pub(crate) fn signed(&self, typ: &'static str, payload: &Value, key: &SecretKey) -> String {
        let kid = self.world.asker.key_name("auth-1");
        sign_compact(SignHeader::new(typ).kid(&kid), payload.to_string().as_bytes(), key).unwrap()
    }

    /// The holder's signatures, by query and in the order of the answer.
    pub(crate) fn key_bindings(&self) -> Vec<String> {
        self.token.values().flatten().map(|text| text.rsplit('~').next().unwrap().to_owned()).collect()
    }

    /// The service brings its receipts onto the ledger, where they are sealed at `time`.
    pub(crate) fn anchor(&mut self, time: i64) -> AnchorProof {
        let by = self.world.asker.clone();
        self.anchor_by(&by, time)
    }

    /// Somebody brings them there.
    pub(crate) fn anchor_by(&mut self, by: &Party, time: i64) -> AnchorProof {
        let batch = self.batch();
        let (last, head) = (self.first + batch.count() - 1, sha256(b"the receipt after it"));
        let anchor = Anchor::new(AnchorKind::Receipt, batch.root(), batch.count());
        let range = Anchor { first: Some(self.first), last: Some(last), head: Some(head), ..anchor };
        let index = self.world.ledger.act(by, &Operation::Anchor(range));
        self.world.ledger.seal(time);
        self.proof_of(index)
    }

    /// The receipt between two others.
    fn batch(&self) -> BatchTree {
        let digests = [before(), sha256(self.receipt_text().as_bytes()), sha256(b"the receipt after it")];
        BatchTree::new(&digests).unwrap()
    }

    /// That the ledger has the receipt by its entry `index`, as of now.
    pub(crate) fn proof_of(&self, index: u64) -> AnchorProof {
        let batch = self.batch();
        let batch = BatchPath { index: 1, count: batch.count(), path: batch.path(1).unwrap() };
        let transaction = self.world.ledger.entry(index).to_owned();
        AnchorProof { batch, transaction, proof: self.world.ledger.log_proof(index, self.world.certified) }
    }

    /// The answer as it travelled, with the anchor proof of the credential.
    pub(crate) fn full(&self) -> Full {
        let anchors = serde_json::from_value(json!({"resident": [self.world.anchor_proof()]})).unwrap();
        Full { vp_token: self.token.clone(), anchors }
    }

    /// The evidence, with all that the ledger says of everybody in it.
    pub(crate) fn bundle(&self, proof: Option<AnchorProof>, full: Option<Full>) -> Bundle {
        let request = self.signed(self.request_typ, &self.request, &self.request_key);
        let mut bundle = Bundle::of(request, self.receipt_text(), proof, self.key_bindings(), full);
        let issuer = bundle.is_full().then(|| self.world.issuer.did());
        self.states(issuer).into_iter().for_each(|state| bundle.add_state(state));
        bundle
    }

    fn states(&self, issuer: Option<Did>) -> Vec<StateProof> {
        let World { asker, authority, province, .. } = &self.world;
        let (asker, authority) = (asker.did(), authority.did());
        let accredited = [asker.clone()].into_iter().chain(province.as_ref().map(Party::did)).chain(issuer);
        let mut keys = vec![duty_key(&asker, DUTY), did_key(&authority), member_key(&authority)];
        keys.extend(accredited.flat_map(|did| [did_key(&did), accreditation_key(&did)]));
        keys.iter().map(|key| self.state(key)).collect()
    }

    /// What the ledger says now under a key of its state.
    pub(crate) fn state(&self, key: &str) -> StateProof {
        self.world.ledger.state_proof(key, self.world.certified)
    }
}

fn receipt(world: &World, client_id: &ClientId, token: &BTreeMap<String, Vec<String>>) -> Receipt {
    let (_, said, attestation) = world.attested(client_id);
    let key = Jwk::new((world.twist.duty_key)(&world.asker).public_key().clone()).thumbprint();
    Receipt {
        iss: world.asker.did(),
        act: Official { duty: said.duty, key, holder: DutyHolder::Official },
        iat: UnixSeconds(NOW),
        request: sha256(attestation.as_bytes()),
        presentations: presented(token),
        purpose: said.purpose,
        basis: said.basis,
        retention_days: said.retention_days,
        case: said.case,
        holder_signs: said.holder_signs,
        verdict: identity_core::receipt::ACCEPTED.to_owned(),
        seq: SEQ,
        previous: Some(before()),
    }
}

fn before() -> ledger::Hash {
    sha256(b"the receipt before it")
}

fn seconds(time: i64) -> u64 {
    u64::try_from(time).unwrap()
}
