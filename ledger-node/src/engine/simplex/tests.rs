//! The same genesis and the same final blocks give the same roots, whichever engine delivers them.

use std::sync::Arc;

use commonware_codec::{Decode as _, Encode as _};
use commonware_cryptography::sha256::Digest;
use futures_util::FutureExt as _;
use identity_core::registry::Transaction;
use identity_core::time::UnixMillis;
use service_kit::clock::ManualClock;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::block::Block;
use super::delivery::Delivered;
use super::{Pool, Simplex, Standing};
use crate::engine::pool::Bounds;
use crate::engine::simplex::simulation::Dice;
use crate::engine::{Engine as _, Entrance as _, Ordered, Solo};
use crate::executor::Executor;
use crate::store::{Head, SyncStore};
use crate::tests::world::{Founded, NOW, memory};

const SEEDS: u64 = 40;
const BLOCKS: usize = 12;

/// What a sender may hand in: in its turn, again, or out of turn.
fn transactions(founded: &Founded, next: &mut u64, dice: &mut Dice) -> Vec<Transaction> {
    let mut texts = Vec::new();
    for _ in 0..dice.below(5) {
        match dice.below(4) {
            0 if *next > 1 => texts.push(founded.anchor(*next - 1)),
            1 => texts.push(founded.anchor(*next + 7)),
            _ => {
                texts.push(founded.anchor(*next));
                *next += 1;
            }
        }
    }
    texts.iter().map(|text| Transaction::parse(text).unwrap()).collect()
}

/// Blocks as the engine of one validator orders them, and the heads they give.
fn ordered_alone(founded: &Founded, runtime: &Runtime, dice: &mut Dice) -> Vec<(Ordered, Head)> {
    let sync = SyncStore::new(memory(), runtime.handle().clone());
    let mut executor = Executor::open(sync, founded.chain()).unwrap();
    let clock = Arc::new(ManualClock::at(NOW.plus(1)));
    let head = executor.head().clone();
    let (mut solo, door) = Solo::new(1_000, clock.clone(), head.height, head.time);
    let mut next = 1;
    let mut blocks = Vec::new();
    while blocks.len() < BLOCKS {
        let waiting = transactions(founded, &mut next, dice);
        // Nobody waits for an empty block but a change of validators.
        solo.press(waiting.is_empty());
        waiting.into_iter().for_each(|transaction| door.offer(transaction).unwrap());
        clock.set(NOW.plus(i64::try_from(dice.below(4)).unwrap() + 1));
        let block = solo.next().unwrap();
        executor.execute(&block).unwrap();
        solo.acknowledge(&block);
        blocks.push((block, executor.head().clone()));
    }
    blocks
}

/// The same blocks as validators send and store them, handed over by their engine.
async fn delivered(blocks: &[(Ordered, Head)], executor: &mut Executor) -> Vec<Head> {
    let (sender, receiver) = mpsc::channel(blocks.len());
    // Some were forwarded before, others come with the block.
    let waiting = Pool::new(Bounds { count: 1_000, bytes: 1 << 20 });
    let known = blocks.iter().flat_map(|(ordered, _)| &ordered.transactions).step_by(2);
    known.for_each(|transaction| assert!(waiting.add(transaction.clone()).is_ok()));
    let mut parent = Digest::from([7; 32]);
    for (ordered, _) in blocks {
        let (height, time, transactions) = (ordered.height, ordered.time, ordered.transactions.clone());
        let block = Block { parent, height, time, transactions };
        let block = Block::decode_cfg(block.encode(), &waiting).unwrap();
        parent = commonware_cryptography::Digestible::digest(&block);
        let Block { height, time, transactions, .. } = block;
        let ordered = Ordered { height, time: UnixMillis(time.0), transactions };
        assert!(sender.send(Delivered { ordered, receipt: None }).await.is_ok());
    }
    drop(sender);
    let pool = Pool::new(Bounds { count: 1_000, bytes: 1 << 20 });
    let mut simplex = Simplex::new(receiver, pool, Arc::new(Standing::default()));
    let mut heads = Vec::new();
    while let Some(block) = simplex.receive().await {
        executor.execute(&block).unwrap();
        simplex.acknowledge(&block);
        heads.push(executor.head().clone());
    }
    heads
}

#[test]
fn solo_and_simplex_give_the_same_roots() {
    let runtime = Runtime::new().unwrap();
    let founded = Founded::new();
    let (mut refused, mut empty) = (0, 0);
    for seed in 0..SEEDS {
        let mut dice = Dice::new(seed);
        let blocks = ordered_alone(&founded, &runtime, &mut dice);
        let sync = SyncStore::new(memory(), runtime.handle().clone());
        let mut executor = Executor::open(sync, founded.chain()).unwrap();
        // Outside of any runtime, where the store may block; nothing has to be waited for.
        let heads = delivered(&blocks, &mut executor).now_or_never().unwrap();
        let expected: Vec<Head> = blocks.iter().map(|(_, head)| head.clone()).collect();
        assert_eq!(heads, expected, "seed {seed}");
        empty += blocks.iter().filter(|(block, _)| block.transactions.is_empty()).count();
        let ordered: usize = blocks.iter().map(|(block, _)| block.transactions.len()).sum();
        let kept = usize::try_from(expected.last().unwrap().size).unwrap() - BLOCKS;
        refused += usize::from(ordered > kept);
    }
    assert!(refused > 0 && empty > 0, "nothing was refused, or nothing empty");
}
