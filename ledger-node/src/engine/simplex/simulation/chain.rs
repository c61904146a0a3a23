//! The chain of the simulation: validators with keys that anybody can derive, and members that send.

use std::sync::Arc;

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::registry::{Envelope, Genesis, GenesisMember, GenesisValidator, Peer, make_transaction};
use ledger::{Hash, sha256};

use crate::chain::Chain;
use crate::tests::world::{Founded, anchor, department, key};

/// Members that send transactions.
const SENDERS: u8 = 3;

/// The chain and everything secret about it.
#[derive(Clone)]
pub(super) struct World {
    pub(super) chain: Chain,
    validators: u8,
    senders: Arc<Vec<Did>>,
}

/// Which of a validator's keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Log,
    Witness,
    Consensus,
    Transport,
}

impl World {
    pub(super) fn new(validators: u8) -> Self {
        let public = |place, purpose| Hash::from_slice(validator_key(place, purpose).public_key().bytes()).unwrap();
        let validator = |place: u8| GenesisValidator {
            name: format!("node{place}"),
            member: None,
            log: public(place, Purpose::Log),
            witness: public(place, Purpose::Witness),
            peer: Some(Peer {
                consensus: public(place, Purpose::Consensus),
                transport: public(place, Purpose::Transport),
                address: format!("127.0.0.1:{}", 1000 + u16::from(place)),
            }),
        };
        // Some founding member that may accredit; the rest of the sample chain is not needed here.
        let founded = Founded::new().chain();
        let departments: Vec<_> = (0..SENDERS).map(sender_seed).map(department).collect();
        let member = |create: &identity_core::registry::Create| GenesisMember {
            did: create.did().clone(),
            name: "Sample".to_owned(),
        };
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
            validators: (0..validators).map(validator).collect(),
            ..founded.genesis().clone()
        };
        let chain = Chain::new(serde_json::to_vec(&genesis).unwrap()).unwrap();
        let senders = Arc::new(departments.iter().map(|create| create.did().clone()).collect());
        Self { chain, validators, senders }
    }

    pub(super) fn validators(&self) -> usize {
        usize::from(self.validators)
    }

    pub(super) fn senders(&self) -> usize {
        self.senders.len()
    }

    /// A sender's transaction of this number.
    pub(super) fn transaction(&self, sender: usize, seq: u64) -> String {
        let envelope = Envelope { aud: self.chain.origin().to_owned(), seq, exp: i64::from(u32::MAX) };
        let secret = key(sender_seed(u8::try_from(sender).unwrap()) + 3);
        make_transaction(&envelope, &anchor(seq), &self.senders[sender], "invoke-1", &secret).unwrap()
    }
}

fn sender_seed(sender: u8) -> u8 {
    40 + 10 * sender
}

/// A validator's key: derived, because here it protects nothing.
pub(super) fn validator_key(place: u8, purpose: Purpose) -> SecretKey {
    let seed = sha256(format!("simulated {purpose:?} {place}").as_bytes());
    SecretKey::from_bytes(Alg::EdDsa, seed.as_bytes()).unwrap()
}
