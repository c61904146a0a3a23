//! The same genesis and the same blocks give the same state, whatever each node remembers of checks at the door.

use ledger::sha256;
use proptest::prelude::{Strategy, any, prop_assert, proptest};

use super::super::{
    Accredit, Anchor, AnchorKind, Block, KeyUse, Operation, Role, Transaction, Update, WriteSet, apply, authenticate,
    close_block,
};
use super::world::{START, World, entry};
use crate::time::UnixMillis;

/// What a sample member tries; many of these are refused.
#[derive(Debug, Clone)]
struct Attempt {
    by: u8,
    what: u8,
    number: u8,
    /// Whether the sequence number is right.
    in_order: bool,
}

fn attempts() -> impl Strategy<Value = Vec<Vec<Attempt>>> {
    let attempt = (0_u8..3, 0_u8..4, any::<u8>(), any::<bool>()).prop_map(|(by, what, number, in_order)| Attempt {
        by,
        what,
        number,
        in_order,
    });
    proptest::collection::vec(proptest::collection::vec(attempt, 0..4), 1..4)
}

fn operation(world: &World, attempt: &Attempt) -> Operation {
    match attempt.what {
        0 => Operation::Anchor(Anchor::new(AnchorKind::Credential, sha256(&[attempt.number]), 1)),
        1 => Operation::Update(Update {
            add_keys: vec![entry(&format!("k{}", attempt.number % 4), 50, attempt.number % 4, KeyUse::Authentication)],
            ..Update::default()
        }),
        2 => Operation::Deactivate,
        _ => Operation::Accredit(Accredit {
            subject: world.other.did(),
            role: Role::Issuer,
            types: vec!["urn:sample:type".into()],
            claims: Vec::new(),
            purposes: Vec::new(),
            from: START + i64::from(attempt.number % 3),
            until: START + 1 + i64::from(attempt.number % 5),
            delegable: attempt.number.is_multiple_of(2),
        }),
    }
}

/// Where both nodes begin: one genesis, since ES256 signatures differ each time they are made.
struct Start {
    state: WriteSet,
    block: Block,
    next_index: u64,
}

/// Runs the blocks on one node, and returns them with the state after each.
fn run(world: &mut World, blocks: &[Vec<Attempt>]) -> (Vec<Vec<String>>, Vec<WriteSet>) {
    let (mut texts, mut states) = (Vec::new(), Vec::new());
    for (block, time) in blocks.iter().zip(START..) {
        world.set_time(time);
        let mut block_texts = Vec::new();
        for attempt in block {
            let party = [&world.authority, &world.department, &world.other][usize::from(attempt.by)];
            let mut envelope = world.envelope(&party.did(), "invoke-1");
            envelope.seq += u64::from(!attempt.in_order);
            let operation = operation(world, attempt);
            let jws = super::super::make_transaction(&envelope, &operation, &party.did(), "invoke-1", &party.invoker())
                .unwrap();
            let before = world.state.clone();
            if world.submit(&jws).is_err() {
                assert_eq!(world.state, before);
            }
            block_texts.push(jws);
        }
        world.close();
        texts.push(block_texts);
        states.push(world.state.clone());
    }
    (texts, states)
}

/// Replays the same bytes on a node that checked every signature at the door first.
fn replay(mut world: Start, blocks: &[Vec<String>]) -> Vec<WriteSet> {
    let mut states = Vec::new();
    for (block, time) in blocks.iter().zip(START..) {
        world.block.time = UnixMillis(time * 1000);
        for text in block {
            let mut transaction = Transaction::parse(text).unwrap();
            let _ = authenticate(&world.state, &world.block, &mut transaction);
            if let Ok(accepted) = apply(&world.state, &world.block, world.next_index, &transaction) {
                world.state.extend(accepted.writes);
                world.next_index += 1;
            }
        }
        world.state.extend(close_block(&world.state, &world.block, world.next_index).unwrap());
        world.next_index += 1;
        world.block.height += 1;
        states.push(world.state.clone());
    }
    states
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn the_same_blocks_give_the_same_state(blocks in attempts()) {
        let mut world = World::new();
        let start = Start { state: world.state.clone(), block: world.block.clone(), next_index: world.next_index };
        let (texts, states) = run(&mut world, &blocks);
        prop_assert!(replay(start, &texts) == states);
    }
}
