//! The same genesis file and the same blocks give the same roots: on every node, under every engine, for ever.
//!
//! A change of these numbers is a fork of every chain there is. Whoever means it raises the formats' version first.

use identity_core::crypto::Signer as _;
use identity_core::registry::{
    Accredit, Envelope, Genesis, GenesisMember, GenesisValidator, Operation, Role, Transaction, make_transaction,
};
use ledger::{Hash, sha256};
use tokio::runtime::Runtime;

use super::world::{NOW, anchor, department, key, later, memory};
use crate::Chain;
use crate::engine::Ordered;
use crate::executor::{Executor, Outcome};
use crate::store::SyncStore;

/// Every key here is Ed25519, whose signatures do not depend on chance.
fn chain() -> Chain {
    let founders = [department(50), department(10)];
    let public = |place: u8| Hash::from_slice(key(place).public_key().bytes()).unwrap();
    let member = |name: &str, place: usize| GenesisMember { did: founders[place].did().clone(), name: name.into() };
    let genesis = Genesis {
        chain: "sample".into(),
        time: NOW.to_millis().0,
        members: vec![member("Sample data bureau", 0), member("Sample department", 1)],
        authorities: vec![founders[0].did().clone()],
        creates: founders.iter().map(|create| create.as_str().to_owned()).collect(),
        validators: vec![GenesisValidator {
            name: "solo".into(),
            member: None,
            log: public(200),
            witness: public(201),
            peer: None,
        }],
        epoch: None,
        votes: None,
    };
    Chain::new(serde_json::to_vec(&genesis).unwrap()).unwrap()
}

/// An accreditation that lapses within the blocks below, one that is refused, and anchors.
fn blocks(chain: &Chain) -> Vec<Ordered> {
    let accredit = Operation::Accredit(Accredit {
        subject: department(10).did().clone(),
        role: Role::Issuer,
        types: vec!["urn:sample:type".into()],
        claims: Vec::new(),
        purposes: Vec::new(),
        from: NOW.0,
        until: NOW.plus(3).0,
        delegable: false,
    });
    let signed = |seed: u8, seq: u64, operation: &Operation| {
        let envelope = Envelope { aud: chain.origin().to_owned(), seq, exp: NOW.plus(60).0 };
        let (did, key) = (department(seed).did().clone(), key(seed + 3));
        Transaction::parse(&make_transaction(&envelope, operation, &did, "invoke-1", &key).unwrap()).unwrap()
    };
    let block = |height: u64, transactions| {
        let time = later(i64::try_from(height).unwrap());
        Ordered { height, time, transactions }
    };
    vec![
        block(1, vec![signed(50, 1, &accredit), signed(10, 1, &anchor(1))]),
        block(2, vec![signed(10, 2, &accredit), signed(10, 2, &anchor(2))]),
        block(3, vec![signed(10, 3, &anchor(3))]),
    ]
}

#[test]
fn the_roots_are_what_they_always_were() {
    let runtime = Runtime::new().unwrap();
    let chain = chain();
    let mut executor = Executor::open(SyncStore::new(memory(), runtime.handle().clone()), chain.clone()).unwrap();
    let mut refused = 0;
    for block in blocks(&chain) {
        let outcomes = executor.execute(&block).unwrap();
        refused += outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Refused(_))).count();
    }
    let head = executor.head();
    assert_eq!((head.height, head.size, refused), (3, 10, 1));
    let found = [sha256(chain.origin().as_bytes()), chain.policy_digest(), head.state, head.root].map(|h| h.to_hex());
    let frozen = [
        "2e2cb3566d08f6e9b402324b2123b31eeaba9d3f3634a662ce41e1e10e6d9198",
        "6194239520ab6f028f89914df262f6937f94e06b529937873d12223c9f1ec924",
        "e0d5dd2979701521f121c6e8e0e9579b91b47cccbf48d1edd810dca8de453854",
        "011a1fb9b94293c12575eeac4fcd596d2fd47a47d73d56c42494552202e8cbec",
    ];
    assert_eq!(found, frozen);
}
