//! Recovering a DID, and reporting a key as stolen.

use super::super::block::Block;
use super::super::history::{DidHistory, Recovery};
use super::super::recovery::{Recover, RecoveryAct, RecoveryOperation};
use super::super::state::{Overlay, did_key};
use super::super::transaction::Compromise;
use super::super::{MAX_KEYS, MAX_RECOVERED_KEYS, MAX_RECOVERIES, NotApplied, Refused};
use super::did::{add_key, can_change, deactivate, end_all_keys, end_key};
use crate::did::Did;

/// Who reports a compromise. The holder of the last transaction key must not lock itself out by mistake; the holder of
/// the recovery key can always come back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Reporter {
    TransactionKey,
    RecoveryKey,
}

/// Applies an act under the recovery key to the history of the DID it names, which is active.
pub(in super::super) fn act(
    state: &mut Overlay<'_>,
    index: u64,
    history: DidHistory,
    act: &RecoveryAct,
) -> Result<(), NotApplied> {
    check_commitment(&history, act)?;
    match act.operation() {
        RecoveryOperation::Recover(recover) => self::recover(state, index, history, recover),
        RecoveryOperation::Deactivate => deactivate(state, index, history),
        RecoveryOperation::Compromise(report) => compromise(state, index, history, report, Reporter::RecoveryKey),
    }
}

/// Only the commitment in force counts, and each is used by one recovery.
pub(in super::super) fn check_commitment(history: &DidHistory, act: &RecoveryAct) -> Result<(), Refused> {
    let shown = act.envelope().recovery_key.thumbprint().to_base64url();
    match history.recovery.iter().rposition(|entry| entry.commitment == shown) {
        Some(place) if place + 1 == history.recovery.len() => Ok(()),
        Some(_) => Err(Refused::RecoveryKeyUsed),
        None => Err(Refused::RecoveryKey),
    }
}

/// Ledger and expiry of an act under a recovery key.
pub(in super::super) fn check_envelope(block: &Block, act: &RecoveryAct) -> Result<(), Refused> {
    if act.envelope().aud != block.origin {
        return Err(Refused::OtherLedger);
    }
    if block.seconds() >= act.envelope().exp { Err(Refused::Expired) } else { Ok(()) }
}

/// Overrides rotation: whoever changed the keys before, all of them end here. Services and accreditations stay.
fn recover(state: &mut Overlay<'_>, index: u64, mut history: DidHistory, recover: &Recover) -> Result<(), NotApplied> {
    if history.recovery.len() > MAX_RECOVERIES {
        return Err(Refused::TooMany.into());
    }
    end_all_keys(state, &mut history, index)?;
    // Room beyond what updates may fill: a thief who used all of it up must not have made recovery impossible.
    let room = MAX_KEYS.saturating_add(MAX_RECOVERIES.saturating_mul(MAX_RECOVERED_KEYS));
    for key in &recover.keys {
        add_key(&mut history, key, index, room)?;
    }
    if !can_change(&history) {
        return Err(Refused::LastKey.into());
    }
    check_next_commitment(&history, &recover.recovery)?;
    history.recovery.push(Recovery { commitment: recover.recovery.clone(), from: index });
    state.write(did_key(&history.did), &history)
}

/// A commitment stands once, or an old recovery could be played again; and never to a key of the document, which lies
/// on a machine.
fn check_next_commitment(history: &DidHistory, commitment: &str) -> Result<(), Refused> {
    let used = history.recovery.iter().any(|entry| entry.commitment == commitment);
    let working = history.keys.iter().any(|key| key.jwk.thumbprint().to_base64url() == commitment);
    if used || working { Err(Refused::RecoveryCommitment) } else { Ok(()) }
}

/// Marks a key as reported stolen at `index`, never earlier, and ends it if it still holds.
pub(in super::super) fn compromise(
    state: &mut Overlay<'_>,
    index: u64,
    mut history: DidHistory,
    report: &Compromise,
    by: Reporter,
) -> Result<(), NotApplied> {
    let did: Did = history.did.clone();
    let key = history.keys.iter_mut().find(|key| key.id == report.key).ok_or(Refused::KeyUnknown)?;
    if key.compromised.is_some() {
        return Err(Refused::KeyReported.into());
    }
    key.compromised = Some(index);
    if key.until.is_none() {
        end_key(state, &did, key, index)?;
    }
    if by == Reporter::TransactionKey && !can_change(&history) {
        return Err(Refused::LastKey.into());
    }
    state.write(did_key(&did), &history)
}
