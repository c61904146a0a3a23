//! Tells the other validators of transactions, so that whoever proposes next can take them.
//!
//! A message is transactions, each behind its length as four bytes, big-endian. Messages get lost, and peers forward
//! what they like: a transaction is parsed, and its signature checked against our own state, before it may wait here.

use std::sync::Arc;
use std::time::Duration;

use commonware_macros::select;
use commonware_p2p::{Receiver, Recipients, Sender};
use identity_core::registry::Transaction;
use tokio::sync::mpsc;

use super::{Host, PublicKey, Runtime};
use crate::engine::Standing;
use crate::engine::pool::{Pool, Room};

/// What one message holds, at most.
const ROOM: Room = Room { count: 256, bytes: 128 * 1024 };
/// Bytes of a message, at most.
pub(super) const MAX_MESSAGE: usize = ROOM.bytes + ROOM.count * 4;
/// Between two messages: what comes meanwhile shares the next one.
const PACE: Duration = Duration::from_millis(5);
/// After this long, what still waits is forwarded again: the first time it may have been lost.
const REPEAT: Duration = Duration::from_secs(2);

/// Forwards what comes in at this node.
pub(super) async fn send<E: Runtime>(
    clock: E,
    mut fresh: mpsc::Receiver<Transaction>,
    pool: Pool,
    standing: Arc<Standing>,
    mut sender: impl Sender<PublicKey = PublicKey>,
) {
    loop {
        let batch = select! {
            first = fresh.recv() => match first {
                Some(first) => gather(first, &mut fresh),
                None => return,
            },
            () = clock.sleep(REPEAT) => pool.oldest(ROOM),
        };
        standing.count_pool(pool.waiting());
        if !batch.is_empty() {
            sender.send(Recipients::All, encode(&batch), false);
        }
        clock.sleep(PACE).await;
    }
}

/// What else is there and fits.
fn gather(first: Transaction, fresh: &mut mpsc::Receiver<Transaction>) -> Vec<Transaction> {
    let mut bytes = first.as_str().len();
    let mut batch = vec![first];
    // As long as the longest there may be still fits, so that none has to be put back.
    while batch.len() < ROOM.count && bytes < ROOM.bytes.saturating_sub(identity_core::registry::MAX_TRANSACTION_BYTES)
    {
        let Ok(next) = fresh.try_recv() else { break };
        bytes = bytes.saturating_add(next.as_str().len());
        batch.push(next);
    }
    batch
}

/// Takes what others forward.
pub(super) async fn receive(
    host: Arc<impl Host>,
    pool: Pool,
    standing: Arc<Standing>,
    mut receiver: impl Receiver<PublicKey = PublicKey>,
) {
    while let Ok((peer, message)) = receiver.recv().await {
        let Some(transactions) = decode(message.as_ref()) else {
            tracing::warn!(?peer, "a validator forwards what are no transactions");
            continue;
        };
        let unknown = transactions.into_iter().filter(|transaction| !pool.holds(transaction)).collect();
        for transaction in host.admit(unknown).await {
            // A full pool here is no reason to tell anybody: where it came in, it was taken.
            let _full = pool.add(transaction);
        }
        standing.count_pool(pool.waiting());
    }
}

fn encode(batch: &[Transaction]) -> Vec<u8> {
    let mut message = Vec::new();
    for transaction in batch {
        let text = transaction.as_str().as_bytes();
        message.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        message.extend_from_slice(text);
    }
    message
}

fn decode(mut message: &[u8]) -> Option<Vec<Transaction>> {
    let mut transactions = Vec::new();
    while let Some((length, rest)) = message.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (text, rest) = rest.split_at_checked(length)?;
        transactions.push(Transaction::parse(std::str::from_utf8(text).ok()?).ok()?);
        if transactions.len() > ROOM.count {
            return None;
        }
        message = rest;
    }
    message.is_empty().then_some(transactions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::Founded;

    #[test]
    fn a_message_is_read_as_it_was_written_and_no_other() {
        let founded = Founded::new();
        let batch: Vec<_> = (1..=3).map(|seq| Transaction::parse(&founded.anchor(seq)).unwrap()).collect();
        let message = encode(&batch);
        let texts = |batch: &[Transaction]| batch.iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts(&decode(&message).unwrap()), texts(&batch));
        assert!(decode(&message[..message.len() - 1]).is_none());
        assert!(decode(&[message.as_slice(), &[0]].concat()).is_none());
        assert!(decode(&[0, 0, 0, 2, b'e', b'.']).is_none());
        assert!(decode(&[0xff; 4]).is_none());
        assert_eq!(decode(&[]).map(|batch| batch.len()), Some(0));
    }
}
