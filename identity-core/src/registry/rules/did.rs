//! Creating, changing and ending DIDs.

use super::super::accreditation::Ending;
use super::super::apply::Act;
use super::super::block::Block;
use super::super::create::Create;
use super::super::history::{DidHistory, KeyRecord, Member, Recovery};
use super::super::key_proof::verify_key_proof;
use super::super::keys::{KeyEntry, KeyUse};
use super::super::services::ServiceEntry;
use super::super::state::{Overlay, StateView as _, did_key, member_key};
use super::super::transaction::Update;
use super::super::{MAX_KEY_PROOFS, MAX_KEYS, MAX_SERVICES, NotApplied, Refused};
use super::accredit::end_all_of;
use super::ownership::{register_thumbprint, register_url, release_thumbprint, release_url};
use crate::did::Did;

/// Writes a new DID's history.
pub(in super::super) fn create(
    state: &mut Overlay<'_>,
    block: &Block,
    index: u64,
    create: &Create,
) -> Result<(), NotApplied> {
    let payload = create.payload();
    if payload.chain != block.chain {
        return Err(Refused::OtherChain.into());
    }
    if state.get(&did_key(create.did()))?.is_some() {
        return Err(Refused::DidExists.into());
    }
    let mut history = DidHistory {
        did: create.did().clone(),
        created: index,
        deactivated: None,
        label: payload.label.clone(),
        recovery: vec![Recovery { commitment: payload.recovery.clone(), from: index }],
        keys: Vec::new(),
        services: Vec::new(),
    };
    for key in &payload.keys {
        history.add_key(key, key.check()?, index);
    }
    for service in &payload.services {
        add_service(state, &mut history, service, index)?;
    }
    state.write(did_key(&history.did), &history)
}

/// Removes, then adds, so that one update can replace a service or the last key.
pub(in super::super) fn update(
    state: &mut Overlay<'_>,
    act: &Act<'_>,
    mut history: DidHistory,
    update: &Update,
) -> Result<(), NotApplied> {
    if *update == Update::default() {
        return Err(Refused::NothingToChange.into());
    }
    for id in &update.remove_keys {
        remove_key(state, &mut history, id, act.index)?;
    }
    for id in &update.remove_services {
        remove_service(state, &mut history, id, act.index)?;
    }
    for key in &update.add_keys {
        add_key(&mut history, key, act.index, MAX_KEYS)?;
    }
    for service in &update.add_services {
        add_service(state, &mut history, service, act.index)?;
    }
    prove_keys(state, act, &history, &update.prove_keys)?;
    if !can_change(&history) {
        return Err(Refused::LastKey.into());
    }
    state.write(did_key(&history.did), &history)
}

/// Ends a DID: its URLs become free, its accreditations and those given under them end.
pub(in super::super) fn deactivate(
    state: &mut Overlay<'_>,
    index: u64,
    mut history: DidHistory,
) -> Result<(), NotApplied> {
    let member: Option<Member> = state.read(&member_key(&history.did))?;
    if member.is_some_and(|member| member.authority && member.until.is_none()) {
        return Err(Refused::Authority.into());
    }
    let services: Vec<String> =
        history.services.iter().filter(|service| service.until.is_none()).map(|service| service.id.clone()).collect();
    for id in services {
        remove_service(state, &mut history, &id, index)?;
    }
    end_all_keys(state, &mut history, index)?;
    history.deactivated = Some(index);
    state.write(did_key(&history.did), &history)?;
    end_all_of(state, &history.did, index, Ending::Deactivated)
}

/// Whether anybody can still change the document.
pub(super) fn can_change(history: &DidHistory) -> bool {
    history.keys.iter().any(|key| key.until.is_none() && key.key_use == KeyUse::CapabilityInvocation)
}

/// `room` is how many keys the history may hold.
pub(super) fn add_key(history: &mut DidHistory, key: &KeyEntry, index: u64, room: usize) -> Result<(), Refused> {
    let key_use = key.check()?;
    if history.keys.len() >= room {
        return Err(Refused::TooMany);
    }
    // Against the whole history: a `kid` must mean one key for ever, and a key one use for ever.
    if history.keys.iter().any(|record| record.id == key.id) {
        return Err(Refused::KeyIdTaken);
    }
    if history.keys.iter().any(|record| record.jwk.key() == key.jwk.key()) {
        return Err(Refused::KeyReused);
    }
    // A recovery key lies in a safe, a working key on a machine.
    let thumbprint = key.jwk.thumbprint().to_base64url();
    if history.recovery.iter().any(|entry| entry.commitment == thumbprint) {
        return Err(Refused::KeyReused);
    }
    history.add_key(key, key_use, index);
    Ok(())
}

fn remove_key(state: &mut Overlay<'_>, history: &mut DidHistory, id: &str, index: u64) -> Result<(), NotApplied> {
    let did = history.did.clone();
    let current = |key: &&mut KeyRecord| key.until.is_none() && key.id == id;
    let key = history.keys.iter_mut().find(current).ok_or(Refused::KeyUnknown)?;
    end_key(state, &did, key, index)
}

pub(super) fn end_all_keys(state: &mut Overlay<'_>, history: &mut DidHistory, index: u64) -> Result<(), NotApplied> {
    let did = history.did.clone();
    history.keys.iter_mut().filter(|key| key.until.is_none()).try_for_each(|key| end_key(state, &did, key, index))
}

/// A key that no longer holds no longer says whose it is.
pub(super) fn end_key(state: &mut Overlay<'_>, did: &Did, key: &mut KeyRecord, index: u64) -> Result<(), NotApplied> {
    key.until = Some(index);
    release_thumbprint(state, did, &key.jwk.thumbprint(), index)
}

/// After keys were added and removed, so that one update can replace a key together with its registration.
fn prove_keys(
    state: &mut Overlay<'_>,
    act: &Act<'_>,
    history: &DidHistory,
    proofs: &[String],
) -> Result<(), NotApplied> {
    if proofs.len() > MAX_KEY_PROOFS {
        return Err(Refused::TooMany.into());
    }
    for proof in proofs {
        let thumbprint = verify_key_proof(proof, history, &act.block.origin)?;
        register_thumbprint(state, &history.did, &thumbprint, act.index)?;
    }
    Ok(())
}

fn add_service(
    state: &mut Overlay<'_>,
    history: &mut DidHistory,
    service: &ServiceEntry,
    index: u64,
) -> Result<(), NotApplied> {
    service.check()?;
    if history.services.len() >= MAX_SERVICES {
        return Err(Refused::TooMany.into());
    }
    if history.services.iter().any(|record| record.until.is_none() && record.id == service.id) {
        return Err(Refused::ServiceIdTaken.into());
    }
    register_url(state, &history.did, &service.url, index)?;
    history.add_service(service, index);
    Ok(())
}

fn remove_service(state: &mut Overlay<'_>, history: &mut DidHistory, id: &str, index: u64) -> Result<(), NotApplied> {
    let record = history.services.iter_mut().find(|record| record.until.is_none() && record.id == id);
    let record = record.ok_or(Refused::ServiceUnknown)?;
    record.until = Some(index);
    let url = record.url.clone();
    // The DID may have registered the URL for another of its services as well.
    if history.services.iter().any(|record| record.until.is_none() && record.url == url) {
        return Ok(());
    }
    release_url(state, &history.did, &url, index)
}
