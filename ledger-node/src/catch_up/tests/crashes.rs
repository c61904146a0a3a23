//! Wherever it stops, it goes on.

use std::sync::Arc;

use service_kit::store::Batch;
use service_kit::store::faulty::{Fault, FaultyStore};

use super::{Behind, Sample};
use crate::catch_up::{CatchUpError, Standing, execute};
use crate::tests::world::memory;

#[test]
fn a_process_that_dies_between_chunks_goes_on_where_it_was() {
    let sample = Sample::new(9);
    let mut behind = Behind::new(&sample.node.chain);
    let (mut executor, mut sources) = (behind.executor(), Behind::sources([sample.peer.source()]));
    let standing = Standing::of(&executor).unwrap();
    let proven = behind.runtime.block_on(sources.next_blocks(&standing)).unwrap().unwrap();
    assert!(proven.reached.is_none() && proven.blocks.len() > 1);
    // Half of the chunk is executed; then the process is gone with all that it held.
    executor.replay(&proven.blocks[0].ordered, &proven.blocks[0].head, Batch::new()).unwrap();
    drop((executor, sources, proven));
    assert!(behind.size() > standing.head.size);
    behind.check();
    assert_eq!(behind.follow([sample.peer.source()]), Ok(Some(sample.round.clone())));
    behind.assert_same(sample.node.store.as_ref());
}

#[test]
fn what_was_handed_out_and_not_executed_is_handed_out_again() {
    let sample = Sample::new(9);
    let behind = Behind::new(&sample.node.chain);
    let (mut executor, mut sources) = (behind.executor(), Behind::sources([sample.peer.source()]));
    let standing = Standing::of(&executor).unwrap();
    let first = behind.runtime.block_on(sources.next_blocks(&standing)).unwrap().unwrap();
    let again = behind.runtime.block_on(sources.next_blocks(&standing)).unwrap().unwrap();
    assert_eq!(first.blocks[0].head, again.blocks[0].head);
    let mut kept = Vec::new();
    execute(&mut executor, &again, |head| kept.push(head.clone())).unwrap();
    assert!(kept.iter().eq(again.blocks.iter().map(|block| &block.head)));
    assert_eq!(executor.head(), &first.blocks.last().unwrap().head);
}

#[test]
fn every_commit_broken_every_way_is_gone_on_after() {
    let sample = Sample::new(2);
    for commit in 0..3 {
        for fault in Fault::ALL {
            let inner = memory();
            let faulty = Arc::new(FaultyStore::new(inner.clone()));
            let mut behind = Behind::over(&sample.node.chain, faulty.clone());
            drop(behind.executor());
            faulty.break_after(commit, fault);
            let first = behind.follow([sample.peer.source()]);
            if let Err(error) = &first {
                assert!(matches!(error, CatchUpError::NotExecuted { halted: false, .. }), "{error}");
            }
            behind.follow([sample.peer.source()]).unwrap();
            behind.assert_same(sample.node.store.as_ref());
            behind.check();
        }
    }
}
