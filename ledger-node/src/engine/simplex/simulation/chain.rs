//! The chain of the simulation: seats for validators, with keys that anybody can derive, and members that send and vote.

use std::sync::Arc;

use commonware_codec::{Copying, DecodeExt as _};
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::registry::{
    Create, Envelope, Genesis, GenesisMember, GenesisValidator, Operation, Peer, make_transaction,
};
use ledger::{Hash, sha256};

use super::super::PublicKey;
use crate::chain::Chain;
use crate::tests::world::{Founded, anchor, department, key};

/// Keys that a seat has, one set after the other.
pub(super) const GENERATIONS: u8 = 2;

/// The chain and everything secret about it.
#[derive(Clone)]
pub(super) struct World {
    pub(super) chain: Chain,
    seats: u8,
    generations: u8,
    senders: Arc<Vec<Did>>,
}

/// What a chain is founded with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Founding {
    /// Validators of the first set; they have the first seats.
    pub(super) validators: u8,
    /// Nodes there ever are.
    pub(super) seats: u8,
    /// Members beside the first.
    pub(super) senders: u8,
    /// Blocks in an epoch; the rules' own number if nothing is said.
    pub(super) epoch: Option<u64>,
}

/// Which of a validator's keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Log,
    Witness,
    Consensus,
    Transport,
}

impl Founding {
    /// Validators that stay.
    pub(super) fn of(validators: u8) -> Self {
        Self { validators, seats: validators, senders: 3, epoch: None }
    }
}

impl World {
    pub(super) fn new(founding: Founding) -> Self {
        // Some founding member that may accredit; the rest of the sample chain is not needed here.
        let founded = Founded::new().chain();
        let departments: Vec<_> = (0..founding.senders).map(sender_seed).map(department).collect();
        let member = |create: &Create| GenesisMember { did: create.did().clone(), name: "Sample".to_owned() };
        let genesis = Genesis {
            time: 0,
            members: founded.genesis().members.iter().take(1).cloned().chain(departments.iter().map(member)).collect(),
            creates: founded
                .genesis()
                .creates
                .iter()
                .take(1)
                .cloned()
                .chain(departments.iter().map(|create| create.as_str().to_owned()))
                .collect(),
            validators: (0..founding.validators).map(|place| validator(place, 0)).collect(),
            epoch: founding.epoch,
            ..founded.genesis().clone()
        };
        let chain = Chain::new(serde_json::to_vec(&genesis).unwrap()).unwrap();
        let senders = Arc::new(departments.iter().map(|create| create.did().clone()).collect());
        // Only where sets change does anybody ever get other keys.
        let generations = if founding.epoch.is_some() { GENERATIONS } else { 1 };
        Self { chain, seats: founding.seats, generations, senders }
    }

    pub(super) fn seats(&self) -> usize {
        usize::from(self.seats)
    }

    pub(super) fn senders(&self) -> usize {
        self.senders.len()
    }

    pub(super) fn did(&self, sender: usize) -> &Did {
        &self.senders[sender]
    }

    /// A sender's anchor of this number.
    pub(super) fn transaction(&self, sender: usize, seq: u64) -> String {
        self.signed(sender, seq, &anchor(seq))
    }

    pub(super) fn signed(&self, sender: usize, seq: u64, operation: &Operation) -> String {
        let envelope = Envelope { aud: self.chain.origin().to_owned(), seq, exp: i64::from(u32::MAX) };
        let secret = key(sender_seed(u8::try_from(sender).unwrap()) + 3);
        make_transaction(&envelope, operation, &self.senders[sender], "invoke-1", &secret).unwrap()
    }

    /// The keys under which a seat connects.
    pub(super) fn transports(&self, place: usize) -> impl Iterator<Item = PublicKey> + use<> {
        let place = u8::try_from(place).unwrap();
        (0..self.generations).map(move |generation| transport(place, generation))
    }
}

fn sender_seed(sender: u8) -> u8 {
    40 + 10 * sender
}

/// The validator of a seat, with the keys of a generation.
pub(super) fn validator(place: u8, generation: u8) -> GenesisValidator {
    let public = |purpose| Hash::from_slice(validator_key(place, generation, purpose).public_key().bytes()).unwrap();
    GenesisValidator {
        name: format!("node{place}"),
        member: None,
        log: public(Purpose::Log),
        witness: public(Purpose::Witness),
        peer: Some(Peer {
            consensus: public(Purpose::Consensus),
            transport: public(Purpose::Transport),
            address: format!("127.0.0.1:{}", 1000 + u16::from(place)),
        }),
    }
}

pub(super) fn transport(place: u8, generation: u8) -> PublicKey {
    let key = validator_key(place, generation, Purpose::Transport);
    PublicKey::decode(Copying(key.public_key().bytes())).unwrap()
}

/// A validator's key: derived, because here it protects nothing.
pub(super) fn validator_key(place: u8, generation: u8, purpose: Purpose) -> SecretKey {
    let seed = sha256(format!("simulated {purpose:?} {place}/{generation}").as_bytes());
    SecretKey::from_bytes(Alg::EdDsa, seed.as_bytes()).unwrap()
}
