//! Applying one transaction.

use std::sync::Arc;

use super::block::Block;
use super::history::{DidHistory, KeyRecord, Member};
use super::keys::KeyUse;
use super::memory::Memory;
use super::recovery::RecoveryAct;
use super::rules;
use super::rules::recovery::Reporter;
use super::state::{Overlay, StateView, WriteSet, did_key, member_key, sequence_key};
use super::transaction::{Operation, Relayed, Transaction};
use super::{AnchorKind, NotApplied, Refused};
use crate::did::Did;

/// What an accepted transaction changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// New values by key.
    pub writes: WriteSet,
}

/// Applies a transaction at log index `index` of `block`.
///
/// The checks stand in a fixed order, so that every node names the same reason: ledger, expiry, sender, key,
/// signature, sequence, then the operation's own rules.
///
/// # Errors
/// [`NotApplied::Refused`] is the ledger's verdict; [`NotApplied::State`] says that this node has none.
pub fn apply(
    state: &dyn StateView,
    block: &Block,
    index: u64,
    transaction: &Transaction,
) -> Result<Accepted, NotApplied> {
    apply_remembering(state, block, index, transaction, &mut Memory::default())
}

/// As [`apply`], for one transaction after the other: `memory` saves reading the same histories again and changes
/// nothing else.
///
/// # Errors
/// As [`apply`].
pub fn apply_remembering(
    state: &dyn StateView,
    block: &Block,
    index: u64,
    transaction: &Transaction,
    memory: &mut Memory,
) -> Result<Accepted, NotApplied> {
    let mut state = Overlay::new(state);
    let sender = check_sender(&state, block, transaction, memory)?;
    take_sequence(&mut state, transaction)?;
    let act = Act { block, index, sender: transaction.sender() };
    match transaction.operation() {
        Operation::Update(update) => rules::did::update(&mut state, &act, Arc::unwrap_or_clone(sender), update)?,
        Operation::Deactivate => rules::did::deactivate(&mut state, act.index, Arc::unwrap_or_clone(sender))?,
        Operation::Compromise(report) => {
            let sender = Arc::unwrap_or_clone(sender);
            rules::recovery::compromise(&mut state, act.index, sender, report, Reporter::TransactionKey)?;
        }
        Operation::Relay(relayed) => relay(&mut state, &act, relayed)?,
        Operation::Anchor(anchor) => rules::anchor::anchor(&mut state, &act, anchor)?,
        Operation::Accredit(accredit) => rules::accredit::accredit(&mut state, &act, accredit)?,
        Operation::EndAccreditation(end) => rules::accredit::end(&mut state, &act, end)?,
        Operation::Delegate(delegate) => rules::delegate::delegate(&mut state, &act, &sender, delegate)?,
        Operation::EndDelegation(end) => rules::delegate::end(&mut state, &act, end)?,
        Operation::Schema(schema) => rules::schema::register(&mut state, &act, schema)?,
        Operation::Propose(propose) => rules::voting::propose(&mut state, &act, propose)?,
        Operation::Approve(on) => rules::voting::approve(&mut state, &act, *on)?,
        Operation::Withdraw(on) => rules::voting::withdraw(&mut state, &act, *on)?,
        Operation::Evidence(evidence) => rules::validators::convict(&mut state, &act, evidence)?,
        Operation::Tally(tally) => rules::tally::tally(&mut state, &act, tally)?,
    }
    Ok(Accepted { writes: state.into_writes() })
}

/// The state key that [`admit_relayed`] reads.
#[must_use]
pub fn key_to_admit(relayed: &Relayed) -> String {
    did_key(relayed.subject())
}

/// Checks what a stranger wants relayed, before a member spends a transaction on it: everything about the DID, the key
/// and the signature that [`apply`] checks of it, except for the sequence number.
///
/// # Errors
/// As [`apply`].
pub fn admit_relayed(state: &dyn StateView, block: &Block, relayed: &Relayed) -> Result<(), NotApplied> {
    let state = Overlay::new(state);
    match relayed {
        Relayed::Create(create) if create.payload().chain != block.chain => Err(Refused::OtherChain.into()),
        Relayed::Create(create) if state.get(&did_key(create.did()))?.is_some() => Err(Refused::DidExists.into()),
        Relayed::Create(_) => Ok(()),
        Relayed::Change(change) => changed_did(&state, block, change).map(|_| ()),
        Relayed::Recovery(recovery) => {
            let history = recovered_did(&state, block, recovery)?;
            Ok(rules::recovery::check_commitment(&history, recovery)?)
        }
    }
}

/// Where an operation happens and by whom.
pub(super) struct Act<'a> {
    pub(super) block: &'a Block,
    pub(super) index: u64,
    pub(super) sender: &'a Did,
}

fn check_sender(
    state: &Overlay<'_>,
    block: &Block,
    transaction: &Transaction,
    memory: &mut Memory,
) -> Result<Arc<DidHistory>, NotApplied> {
    let history = sender_history(state, block, transaction, memory)?;
    let key = current_key(&history, transaction)?;
    if !transaction.is_authentic_under(key.jwk.key()) {
        return Err(Refused::Signature.into());
    }
    Ok(history)
}

pub(super) fn sender_history(
    state: &Overlay<'_>,
    block: &Block,
    transaction: &Transaction,
    memory: &mut Memory,
) -> Result<Arc<DidHistory>, NotApplied> {
    check_envelope(block, transaction)?;
    let history = memory.history(state, transaction.sender())?.ok_or(Refused::SenderUnknown)?;
    if history.deactivated.is_some() {
        return Err(Refused::Deactivated.into());
    }
    let member: Option<Member> = state.read(&member_key(transaction.sender()))?;
    let member = member.filter(|member| member.until.is_none()).ok_or(Refused::NotMember)?;
    if member.is_in_good_standing() { Ok(history) } else { Err(Refused::Suspended.into()) }
}

fn check_envelope(block: &Block, transaction: &Transaction) -> Result<(), Refused> {
    if transaction.envelope().aud != block.origin {
        return Err(Refused::OtherLedger);
    }
    if block.seconds() >= transaction.envelope().exp {
        return Err(Refused::Expired);
    }
    Ok(())
}

pub(super) fn active_did(state: &Overlay<'_>, did: &Did, absent: Refused) -> Result<DidHistory, NotApplied> {
    let history: DidHistory = state.read(&did_key(did))?.ok_or(absent)?;
    if history.deactivated.is_some() { Err(Refused::Deactivated.into()) } else { Ok(history) }
}

pub(super) fn current_key<'a>(history: &'a DidHistory, transaction: &Transaction) -> Result<&'a KeyRecord, Refused> {
    let key = history.current_key(transaction.key_id()).ok_or(Refused::KeyUnknown)?;
    match key.key_use {
        KeyUse::CapabilityInvocation => Ok(key),
        KeyUse::Relay if is_for_relay_keys(transaction.operation()) => Ok(key),
        KeyUse::Relay => Err(Refused::RelayKeyOnly),
        KeyUse::AssertionMethod | KeyUse::Authentication => Err(Refused::KeyRole),
    }
}

fn is_for_relay_keys(operation: &Operation) -> bool {
    match operation {
        Operation::Relay(_) => true,
        Operation::Anchor(anchor) => anchor.kind == AnchorKind::Notarised,
        Operation::Update(_)
        | Operation::Deactivate
        | Operation::Compromise(_)
        | Operation::Accredit(_)
        | Operation::EndAccreditation(_)
        | Operation::Delegate(_)
        | Operation::EndDelegation(_)
        | Operation::Schema(_)
        | Operation::Propose(_)
        | Operation::Approve(_)
        | Operation::Withdraw(_)
        | Operation::Evidence(_)
        | Operation::Tally(_) => false,
    }
}

fn take_sequence(state: &mut Overlay<'_>, transaction: &Transaction) -> Result<(), NotApplied> {
    let key = sequence_key(transaction.key_url());
    let last: u64 = state.read(&key)?.unwrap_or(0);
    let expected = last.saturating_add(1);
    let got = transaction.envelope().seq;
    if got != expected {
        return Err(Refused::Sequence { expected, got }.into());
    }
    state.write(key, &got)
}

fn relay(state: &mut Overlay<'_>, act: &Act<'_>, relayed: &Relayed) -> Result<(), NotApplied> {
    match relayed {
        Relayed::Create(create) => rules::did::create(state, act.block, act.index, create),
        Relayed::Change(change) => relay_change(state, act, change),
        Relayed::Recovery(recovery) => {
            let history = recovered_did(state, act.block, recovery)?;
            rules::recovery::act(state, act.index, history, recovery)
        }
    }
}

/// A DID's own change, signed by its own key; its holder need not be a member.
fn relay_change(state: &mut Overlay<'_>, act: &Act<'_>, change: &Transaction) -> Result<(), NotApplied> {
    let history = changed_did(state, act.block, change)?;
    take_sequence(state, change)?;
    let act = Act { block: act.block, index: act.index, sender: change.sender() };
    match change.operation() {
        Operation::Update(update) => rules::did::update(state, &act, history, update),
        Operation::Deactivate => rules::did::deactivate(state, act.index, history),
        Operation::Compromise(report) => {
            rules::recovery::compromise(state, act.index, history, report, Reporter::TransactionKey)
        }
        Operation::Relay(_)
        | Operation::Anchor(_)
        | Operation::Accredit(_)
        | Operation::EndAccreditation(_)
        | Operation::Delegate(_)
        | Operation::EndDelegation(_)
        | Operation::Schema(_)
        | Operation::Propose(_)
        | Operation::Approve(_)
        | Operation::Withdraw(_)
        | Operation::Evidence(_)
        | Operation::Tally(_) => Err(Refused::NotRelayable.into()),
    }
}

/// The DID whose own change is relayed, once the change is known to be its own.
fn changed_did(state: &Overlay<'_>, block: &Block, change: &Transaction) -> Result<DidHistory, NotApplied> {
    check_envelope(block, change)?;
    let history = active_did(state, change.sender(), Refused::DidUnknown)?;
    let key = current_key(&history, change)?;
    if change.is_authentic_under(key.jwk.key()) { Ok(history) } else { Err(Refused::Signature.into()) }
}

/// The DID that a recovery key speaks for. A deactivated one stays so.
fn recovered_did(state: &Overlay<'_>, block: &Block, recovery: &RecoveryAct) -> Result<DidHistory, NotApplied> {
    rules::recovery::check_envelope(block, recovery)?;
    active_did(state, &recovery.envelope().did, Refused::DidUnknown)
}
