//! What belongs to one DID at a time: URLs, and public keys by their thumbprints.

use ledger::Hash;

use super::super::history::{Owner, OwnerHistory};
use super::super::state::{Overlay, thumbprint_key, url_key};
use super::super::{NotApplied, Refused};
use crate::did::Did;

pub(super) fn register_url(state: &mut Overlay<'_>, did: &Did, url: &str, index: u64) -> Result<(), NotApplied> {
    register(state, url_key(url), did, index, Refused::UrlTaken)
}

pub(super) fn release_url(state: &mut Overlay<'_>, did: &Did, url: &str, index: u64) -> Result<(), NotApplied> {
    release(state, url_key(url), did, index)
}

pub(super) fn register_thumbprint(
    state: &mut Overlay<'_>,
    did: &Did,
    thumbprint: &Hash,
    index: u64,
) -> Result<(), NotApplied> {
    register(state, thumbprint_key(thumbprint), did, index, Refused::ThumbprintTaken)
}

/// A key that was never registered has nothing to release; another DID's registration stays.
pub(super) fn release_thumbprint(
    state: &mut Overlay<'_>,
    did: &Did,
    thumbprint: &Hash,
    index: u64,
) -> Result<(), NotApplied> {
    release(state, thumbprint_key(thumbprint), did, index)
}

/// Registering what is one's own already changes nothing.
fn register(state: &mut Overlay<'_>, key: String, did: &Did, index: u64, taken: Refused) -> Result<(), NotApplied> {
    let mut history: OwnerHistory = state.read(&key)?.unwrap_or_default();
    match history.current() {
        Some(owner) if owner.did == *did => return Ok(()),
        Some(_) => return Err(taken.into()),
        None => {}
    }
    history.owners.push(Owner { did: did.clone(), from: index, until: None });
    state.write(key, &history)
}

fn release(state: &mut Overlay<'_>, key: String, did: &Did, index: u64) -> Result<(), NotApplied> {
    let Some(mut history) = state.read::<OwnerHistory>(&key)? else { return Ok(()) };
    let current = |owner: &&mut Owner| owner.until.is_none() && owner.did == *did;
    let Some(owner) = history.owners.iter_mut().find(current) else { return Ok(()) };
    owner.until = Some(index);
    state.write(key, &history)
}
