//! What a node showed last, so that it can show it again before the validators certify something newer.

use identity_core::time::{UnixMillis, UnixSeconds};
use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::{Seal, tree};
use service_kit::store::StoreError;

use crate::boundary;
use crate::chain::Chain;
use crate::node::Round;
use crate::store::{CHECKPOINT, Head, LogReader, SyncStore, leaf_key};

/// The kept checkpoint with the head it certifies, by the set of its block's term; nothing if none was kept.
///
/// # Errors
/// A store that cannot be read, or a checkpoint that does not certify this log.
pub(crate) fn last_round(store: &SyncStore, chain: &Chain) -> Result<Option<Round>, StoreError> {
    let Some(note) = store.get(CHECKPOINT)? else { return Ok(None) };
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
