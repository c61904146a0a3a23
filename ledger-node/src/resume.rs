//! What a node showed last, so that it can show it again before the validators certify something newer.

use identity_core::time::{UnixMillis, UnixSeconds};
use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::{Seal, tree};
use service_kit::store::StoreError;

use crate::boundary;
use crate::chain::Chain;
use crate::node::Round;
use crate::store::{CHECKPOINT, HEAD, Head, LogReader, SyncStore, boundary_key, leaf_key};

/// The kept checkpoint with the head it certifies, by the set of its block's term; nothing if none was kept. Where the head
/// is the last one of a set, it is the note that was kept of that: the published checkpoint is kept a second later, and a
/// node that died between the two would show an older one, although others may be left that wait for exactly this note and
/// that nobody cosigns any more.
///
/// # Errors
/// A store that cannot be read, or a checkpoint that does not certify this log.
pub(crate) fn last_round(store: &SyncStore, chain: &Chain) -> Result<Option<Round>, StoreError> {
    let Some(note) = newest_note(store)? else { return Ok(None) };
    let wrong = || StoreError::Corrupt("the kept checkpoint does not certify this log; run fsck".into());
    let note = String::from_utf8(note).map_err(|_| wrong())?;
    let stated = Note::parse(&note).ok().and_then(|note| Checkpoint::parse_text(note.text()).ok());
    let size = stated.ok_or_else(wrong)?.size;
    let seal = store.get(&leaf_key(size.saturating_sub(1)))?.ok_or_else(wrong)?;
    let seal = Seal::parse(&seal).map_err(|_| wrong())?;
    let certifying = boundary::certifying(store, seal.height, size.saturating_sub(1))?;
    if certifying.origin() != chain.origin() {
        return Err(wrong());
    }
    let certified = certifying.verify_checkpoint(&note).map_err(|_| wrong())?;
    let root = *certified.root();
    if tree::root(&LogReader::new(store).nodes(size), size).map_err(StoreError::from)? != root {
        return Err(wrong());
    }
    let time = UnixMillis(i64::try_from(seal.time).map_err(|_| wrong())?);
    let at = UnixSeconds(i64::try_from(certified.cosigned_at()).unwrap_or(i64::MAX));
    Ok(Some(Round { head: Head { height: seal.height, time, size, root, state: seal.state }, note, at }))
}

fn newest_note(store: &SyncStore) -> Result<Option<Vec<u8>>, StoreError> {
    let head: Option<Head> = store.record(HEAD)?;
    let boundary = head.map(|head| store.get(&boundary_key(head.size.saturating_sub(1)))).transpose()?.flatten();
    if boundary.is_some() { Ok(boundary) } else { store.get(CHECKPOINT) }
}
