//! What the ledger orders and executes.

use std::sync::LazyLock;

use identity_core::crypto::Signer as _;
use identity_core::jose::{SignHeader, sign_compact};
use identity_core::registry::{
    Block, Create, Genesis, GenesisMember, GenesisValidator, ServiceType, Transaction, WriteSet, apply, authenticate,
    close_block,
};
use identity_core::sample::ledger::START;
use identity_core::sample::parties::{Party, key};
use identity_core::time::UnixMillis;
use ledger::Hash;

use crate::{Outcome, text};

/// A transaction or a creation, as it stands in a request body.
pub fn transaction(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    if let Ok(create) = Create::parse(text) {
        assert_eq!(create.as_str(), text);
        return Outcome::Accepted;
    }
    let parsed = Transaction::parse(text);
    if let Ok(transaction) = &parsed {
        assert_eq!(transaction.as_str(), text);
        assert!(transaction.key_url().starts_with(transaction.sender().as_str()));
        assert!(transaction.clone().authenticate(key(99, 1).public_key()).is_err(), "nobody signed this");
    }
    Outcome::of(&parsed)
}

/// A genesis file: what can be executed names its own trust root.
pub fn genesis(data: &[u8]) -> Outcome {
    let parsed = Genesis::parse(data);
    if let Ok(genesis) = &parsed {
        let origin = genesis.origin(data);
        if genesis.execute(&origin).is_ok() {
            let root = genesis.trust_root(&origin).expect("what is executed has validators");
            assert_eq!(ledger::TrustRoot::parse(&root).unwrap().origin(), origin);
        }
    }
    Outcome::of(&parsed)
}

/// A chain that three sample departments founded, ready for its first block.
struct Chain {
    state: WriteSet,
    block: Block,
    next: u64,
    parties: Vec<Party>,
}

static CHAIN: LazyLock<Chain> = LazyLock::new(|| {
    let parties = founders();
    let genesis = founded_by(&parties);
    let origin = genesis.origin(&serde_json::to_vec(&genesis).unwrap());
    let first = genesis.execute(&origin).unwrap();
    let mut block = genesis.block(&origin);
    block.height += 1;
    block.time = UnixMillis((START + 60) * 1000);
    Chain { state: first.writes, block, next: first.leaves.len().try_into().unwrap(), parties }
});

/// Three sample departments: a member that accredits, one that issues, one that verifies.
#[must_use]
pub fn founders() -> Vec<Party> {
    let kinds = [ServiceType::Ledger, ServiceType::Issuer, ServiceType::Verifier];
    kinds.into_iter().zip(1..).map(|(kind, seed)| Party::new(seed, kind)).collect()
}

/// The genesis of their chain; the first of them is its authority.
#[must_use]
pub fn founded_by(parties: &[Party]) -> Genesis {
    let public = |seed: u8| Hash::from_slice(key(seed, 0).public_key().bytes()).unwrap();
    Genesis {
        chain: "sample".to_owned(),
        time: START * 1000,
        members: parties.iter().map(|party| GenesisMember { did: party.did(), name: "Sample".to_owned() }).collect(),
        authorities: vec![parties[0].did()],
        creates: parties.iter().map(|party| party.create.as_str().to_owned()).collect(),
        validators: vec![GenesisValidator {
            name: "solo".to_owned(),
            member: Some(parties[0].did()),
            log: public(201),
            witness: public(203),
            peer: None,
        }],
        // A block is an epoch, so that whatever members decide is in force within one input.
        epoch: Some(1),
        votes: None,
    }
}

/// Payloads of transactions, a line each, really signed by the departments in turn: whatever members send, the state
/// stays readable, the door and the rules agree, and execution gives the same on every node.
///
/// `$AUD`, `$0`, `$1`, `$2` stand for the ledger's origin and the departments' DIDs.
pub fn rules(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let chain = &*CHAIN;
    let (mut state, mut index, mut outcome) = (chain.state.clone(), chain.next, Outcome::Refused);
    for line in text.lines().take(12) {
        let (sender, payload) = line.split_at_checked(1).unwrap_or(("0", line));
        let sender = &chain.parties[sender.parse::<usize>().unwrap_or(0) % chain.parties.len()];
        let payload = fill_in(payload, chain);
        let kid = sender.key_name("invoke-1");
        let jws = sign_compact(SignHeader::new("xinfu-tx+jwt").kid(&kid), payload.as_bytes(), &sender.invoker());
        let Ok(transaction) = Transaction::parse(&jws.unwrap()) else { continue };
        let at_the_door = authenticate(&state, &chain.block, &mut transaction.clone());
        let applied = apply(&state, &chain.block, index, &transaction);
        assert_eq!(applied, apply(&state, &chain.block, index, &transaction));
        if let Ok(accepted) = applied {
            assert!(at_the_door.is_ok(), "what is applied was let in");
            state.extend(accepted.writes);
            index += 1;
            outcome = Outcome::Accepted;
        }
    }
    let closing = close_block(&state, &chain.block, index).expect("what execution wrote, execution reads");
    state.extend(closing);
    outcome
}

fn fill_in(payload: &str, chain: &Chain) -> String {
    let mut payload = payload.replace("$AUD", &chain.block.origin);
    for (place, party) in chain.parties.iter().enumerate() {
        payload = payload.replace(&format!("${place}"), party.did().as_str());
    }
    payload
}
