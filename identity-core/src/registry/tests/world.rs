//! A small sample consortium: an authority, two departments, a stranger.

use super::super::{
    Accepted, Block, Create, CreatePayload, Envelope, Genesis, GenesisMember, GenesisValidator, KeyEntry, KeyUse,
    NotApplied, Operation, Refused, ServiceEntry, ServiceType, Transaction, WriteSet, apply, close_block, make_create,
    make_transaction,
};
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::did::Did;
use crate::encoding::base64url;
use crate::jose::Jwk;
use crate::time::UnixMillis;

/// Seconds at which the sample chain begins.
pub(super) const START: i64 = 1_800_000_000;

/// Place of a sample party's first recovery key.
pub(super) const RECOVERY: u8 = 100;

/// A sample DID with one key of each use, made from one seed byte.
pub(super) struct Party {
    pub(super) create: Create,
    seed: u8,
}

impl Party {
    pub(super) fn new(seed: u8) -> Self {
        Self::with(seed, |_| {})
    }

    pub(super) fn with(seed: u8, change: impl FnOnce(&mut CreatePayload)) -> Self {
        let mut payload = payload(seed);
        change(&mut payload);
        let create = make_create(&payload, "invoke-1", &key(seed, 3)).unwrap();
        Self { create, seed }
    }

    pub(super) fn did(&self) -> Did {
        self.create.did().clone()
    }

    pub(super) fn invoker(&self) -> SecretKey {
        key(self.seed, 3)
    }

    pub(super) fn relayer(&self) -> SecretKey {
        key(self.seed, 4)
    }
}

/// A key of a sample party; `place` 1 asserts, 2 authenticates, 3 invokes, 4 relays, others are spare.
pub(super) fn key(seed: u8, place: u8) -> SecretKey {
    let mut bytes = [seed; 32];
    bytes[31] = place;
    // Every second party uses ES256, so that both algorithms are on every path.
    SecretKey::from_bytes(if seed.is_multiple_of(2) { Alg::Es256 } else { Alg::EdDsa }, &bytes).unwrap()
}

pub(super) fn entry(id: &str, seed: u8, place: u8, key_use: KeyUse) -> KeyEntry {
    KeyEntry::new(id, Jwk::new(key(seed, place).public_key().clone()), key_use)
}

pub(super) fn payload(seed: u8) -> CreatePayload {
    CreatePayload {
        chain: "sample".to_owned(),
        keys: vec![
            entry("assert-1", seed, 1, KeyUse::AssertionMethod),
            entry("auth-1", seed, 2, KeyUse::Authentication),
            entry("invoke-1", seed, 3, KeyUse::CapabilityInvocation),
            entry("relay-1", seed, 4, KeyUse::Relay),
        ],
        recovery: commitment(seed, RECOVERY),
        services: vec![service("issuer", &format!("https://d{seed}.example"))],
        salt: base64url::encode(&[seed; 16]),
        label: None,
    }
}

/// The commitment to a sample key.
pub(super) fn commitment(seed: u8, place: u8) -> String {
    Jwk::new(key(seed, place).public_key().clone()).thumbprint().to_base64url()
}

pub(super) fn service(id: &str, url: &str) -> ServiceEntry {
    ServiceEntry { id: id.to_owned(), kind: ServiceType::Issuer, url: url.to_owned() }
}

/// The sample chain as one node sees it.
pub(super) struct World {
    pub(super) state: WriteSet,
    pub(super) block: Block,
    pub(super) next_index: u64,
    pub(super) authority: Party,
    pub(super) department: Party,
    pub(super) other: Party,
    /// Has no DID on the ledger yet.
    pub(super) stranger: Party,
}

impl World {
    pub(super) fn new() -> Self {
        Self::founded(|_| {})
    }

    /// With a genesis file that differs.
    pub(super) fn founded(change: impl FnOnce(&mut Genesis)) -> Self {
        let [authority, department, other, stranger] = [1, 2, 3, 4].map(Party::new);
        let mut genesis = genesis(&[&authority, &department, &other], &authority);
        change(&mut genesis);
        let file = serde_json::to_vec(&genesis).unwrap();
        let genesis = Genesis::parse(&file).unwrap();
        let origin = genesis.origin(&file);
        let first = genesis.execute(&origin).unwrap();
        let leaves = u64::try_from(first.leaves.len()).unwrap();
        let mut block = genesis.block(&origin);
        block.height = 1;
        // One more leaf: the seal of block 0.
        Self { state: first.writes, block, next_index: leaves + 1, authority, department, other, stranger }
    }

    pub(super) fn set_time(&mut self, seconds: i64) {
        self.block.time = UnixMillis(seconds * 1000);
    }

    /// Parses and applies; keeps the writes if accepted.
    pub(super) fn submit(&mut self, jws: &str) -> Result<Accepted, Refused> {
        let transaction = Transaction::parse(jws)?;
        match apply(&self.state, &self.block, self.next_index, &transaction) {
            Ok(accepted) => {
                self.state.extend(accepted.writes.clone());
                self.next_index += 1;
                Ok(accepted)
            }
            Err(NotApplied::Refused(refused)) => Err(refused),
            Err(NotApplied::State(unreadable)) => panic!("{unreadable}"),
        }
    }

    pub(super) fn close(&mut self) {
        let writes = close_block(&self.state, &self.block, self.next_index).unwrap();
        self.state.extend(writes);
        self.next_index += 1;
        self.block.height += 1;
    }

    /// What the state holds under a key that it must hold.
    pub(super) fn value<T: serde::de::DeserializeOwned>(&self, key: &str) -> T {
        serde_json::from_slice(&self.state[key]).unwrap()
    }

    /// A transaction by a sample party's capabilityInvocation key with the right envelope.
    pub(super) fn transaction(&self, party: &Party, operation: &Operation) -> String {
        self.transaction_by(party, "invoke-1", &party.invoker(), operation)
    }

    pub(super) fn transaction_by(&self, party: &Party, id: &str, key: &SecretKey, operation: &Operation) -> String {
        make_transaction(&self.envelope(&party.did(), id), operation, &party.did(), id, key).unwrap()
    }

    pub(super) fn envelope(&self, did: &Did, key_id: &str) -> Envelope {
        let last: u64 = self
            .state
            .get(&super::super::sequence_key(&format!("{did}#{key_id}")))
            .map_or(0, |value| serde_json::from_slice(value).unwrap());
        Envelope { aud: self.block.origin.clone(), seq: last + 1, exp: START + 10_000_000 }
    }

    /// Submits as `party` with the right envelope.
    pub(super) fn act(&mut self, party: impl Fn(&Self) -> &Party, operation: &Operation) -> Result<Accepted, Refused> {
        let jws = self.transaction(party(self), operation);
        self.submit(&jws)
    }
}

pub(super) fn public(place: u8) -> ledger::Hash {
    let key = SecretKey::from_bytes(Alg::EdDsa, &[place; 32]).unwrap();
    ledger::Hash::from_slice(key.public_key().bytes()).unwrap()
}

pub(super) fn genesis(founders: &[&Party], authority: &Party) -> Genesis {
    let member = |party: &&Party| GenesisMember { did: party.did(), name: "Sample department".to_owned() };
    Genesis {
        chain: "sample".to_owned(),
        time: START * 1000,
        members: founders.iter().map(member).collect(),
        authorities: vec![authority.did()],
        creates: founders.iter().map(|party| party.create.as_str().to_owned()).collect(),
        validators: vec![GenesisValidator {
            name: "solo".to_owned(),
            member: None,
            log: public(200),
            witness: public(201),
            peer: None,
        }],
        epoch: None,
        votes: None,
    }
}
