//! Snapshots: the state of a certified block in one file, for a node to start from without the history before it.
//!
//! ```text
//! way ------> the sets of validators from genesis on, and the checkpoint that the last of them certified
//! edge -----> hashes at the right edge of its log, and the entries of its last bundle
//! pairs ----> every key (its hash) and value of the state under the checkpoint's seal
//! ```
//!
//! The file's exact form is [`ledger::snapshot`]'s. [`snapshot()`] writes one from a node, also while others write there: what
//! it reads are versions that never change. [`start_from`] takes one into an empty store, and believes nothing in it:
//!
//! 1. the way leads from the genesis file's validators, set by set, to a checkpoint;
//! 2. the edge gives the checkpoint's root, so every hash in it is the log's, and so are the entries under them;
//! 3. the checkpoint's last entry is a seal, and the pairs give the state root that it states;
//! 4. the state knows the same sets of validators, named by the same seals, as the way went through.
//!
//! What this does **not** show is that the way is the newest: keys of validators that were dismissed since can make a way of
//! their own, as to any walk. Whoever has a trust root that was kept up to date hands it in; the way must lead through it.
//!
//! **What holds if the process dies.** The file is read twice: the first time nothing is written. Then a mark stands in the
//! store until the last batch, which is also the first that makes it a node's data. A node does not start on a store with the
//! mark; the same call empties it and begins anew.
//!
//! **What a node started so does not have**: entries, hash tiles and states from before, and the places of the transactions
//! there. Sending such a transaction again gets no place; it cannot happen twice, because its sequence number stands in the
//! state.

mod error;
pub(crate) mod routine;
mod take;
#[cfg(test)]
mod tests;
pub(crate) mod way;
mod write;

pub use error::SnapshotError;
pub use take::{Started, start_from};
pub use write::{Written, snapshot};
