//! Checking transactions at the door, before they are ordered: everything that [`super::apply`] checks about ledger,
//! expiry, sender, key and signature.
//!
//! Nothing is decided by this: order decides. It keeps strangers from filling blocks and disks. And what was checked
//! here is not checked again later under the same key.

use std::collections::BTreeSet;

use super::NotApplied;
use super::apply::{current_key, sender_history};
use super::block::Block;
use super::memory::Memory;
use super::state::{Overlay, StateView, did_key, member_key};
use super::transaction::Transaction;
use crate::crypto::{PublicKey, all_valid};

/// The state keys that [`authenticate_all`] reads, so that a caller whose store is asynchronous can fetch them first.
#[must_use]
pub fn keys_to_authenticate<'a>(transactions: impl IntoIterator<Item = &'a Transaction>) -> Vec<String> {
    let senders: BTreeSet<_> = transactions.into_iter().map(Transaction::sender).collect();
    senders.into_iter().flat_map(|sender| [did_key(sender), member_key(sender)]).collect()
}

/// Checks one transaction, and remembers that its signature is good.
///
/// # Errors
/// As [`super::apply`].
pub fn authenticate(state: &dyn StateView, block: &Block, transaction: &mut Transaction) -> Result<(), NotApplied> {
    let key = key_of(&Overlay::new(state), block, transaction, &mut Memory::default())?;
    transaction.authenticate(&key)?;
    Ok(())
}

/// Checks many, with the same answer for each as [`authenticate`] has, at about half the cost: their signatures are
/// verified together. One by one only where some of them is bad, so that it spoils nothing for the others; then all of
/// it costs half as much more than without. `memory` saves reading the same histories again and changes nothing else.
pub fn authenticate_all(
    state: &dyn StateView,
    block: &Block,
    transactions: &mut [&mut Transaction],
    memory: &mut Memory,
) -> Vec<Result<(), NotApplied>> {
    let overlay = Overlay::new(state);
    let mut key_of = |transaction: &Transaction| key_of(&overlay, block, transaction, memory);
    let keys: Vec<_> = transactions.iter().map(|transaction| key_of(transaction)).collect();
    let together = are_valid_together(transactions, &keys);
    let judge = |(transaction, key): (&mut &mut Transaction, Result<PublicKey, NotApplied>)| {
        let key = key?;
        if together && transaction.signed_by(&key).is_some() {
            transaction.remember(&key);
        }
        transaction.authenticate(&key)?;
        Ok(())
    };
    transactions.iter_mut().zip(keys).map(judge).collect()
}

/// Whether all signatures that can be verified together, and were not before, are good.
fn are_valid_together(transactions: &[&mut Transaction], keys: &[Result<PublicKey, NotApplied>]) -> bool {
    let signed = transactions.iter().zip(keys).filter_map(|(transaction, key)| {
        let key = key.as_ref().ok()?;
        if transaction.is_remembered(key) { None } else { transaction.signed_by(key) }
    });
    all_valid(&signed.collect::<Vec<_>>())
}

fn key_of(
    state: &Overlay<'_>,
    block: &Block,
    transaction: &Transaction,
    memory: &mut Memory,
) -> Result<PublicKey, NotApplied> {
    let sender = sender_history(state, block, transaction, memory)?;
    Ok(current_key(&sender, transaction)?.jwk.key().clone())
}
