//! Giving duties and taking them back.
//!
//! A member gives them to its own officials and services, so nobody else is asked. A delegation is not held against the
//! member's accreditation here: either may change later, and whoever relies on an act reads both at its index.
//!
//! A duty number is one post: of its delegations at most one holds at any index, and a new one takes the place of the
//! one before when it begins. So "who answered for this" has one answer.

use super::super::accreditation::Ending;
use super::super::apply::Act;
use super::super::delegation::{Delegation, DutyHistory, is_duty_number};
use super::super::history::DidHistory;
use super::super::open::Open;
use super::super::schedule::{self, Due, Event};
use super::super::state::{Overlay, duty_key};
use super::super::transaction::{Delegate, EndDelegation};
use super::super::{MAX_ACCREDITATION_SECONDS, MAX_DELEGATIONS, MAX_DELEGATIONS_BYTES, NotApplied, Refused};
use crate::did::Did;

/// Gives a duty to whoever holds the key.
pub(in super::super) fn delegate(
    state: &mut Overlay<'_>,
    act: &Act<'_>,
    sender: &DidHistory,
    delegate: &Delegate,
) -> Result<(), NotApplied> {
    if !is_duty_number(&delegate.duty) {
        return Err(Refused::DelegationMalformed("duty").into());
    }
    let mut delegation = new_delegation(act, delegate);
    delegation.check()?;
    check_period(act, &delegation)?;
    // Roles of keys are disjoint, and a recovery key lies in a safe.
    let thumbprint = delegation.key.thumbprint().to_base64url();
    if sender.keys.iter().any(|record| record.jwk.key() == delegation.key.key())
        || sender.recovery.iter().any(|entry| entry.commitment == thumbprint)
    {
        return Err(Refused::DelegationKey.into());
    }
    let mut history = read_or_new(state, act.sender, &delegate.duty)?;
    if history.delegations.len() >= MAX_DELEGATIONS {
        return Err(Refused::TooManyDelegations.into());
    }
    plan(state, act, &delegate.duty, &mut delegation)?;
    if delegation.started.is_some() {
        replace_holding(&mut history, act.index);
    }
    history.delegations.push(delegation);
    if serde_json::to_vec(&history).map_or(usize::MAX, |bytes| bytes.len()) > MAX_DELEGATIONS_BYTES {
        return Err(Refused::TooManyDelegations.into());
    }
    state.write(duty_key(act.sender, &delegate.duty), &history)
}

/// Takes a duty back before its time.
pub(in super::super) fn end(state: &mut Overlay<'_>, act: &Act<'_>, end: &EndDelegation) -> Result<(), NotApplied> {
    let mut histories = Open::default();
    let history: Option<&mut DutyHistory> = histories.get(state, duty_key(act.sender, &end.duty))?;
    let found = history.and_then(|history| history.delegations.iter().find(|given| given.id == end.delegation));
    if found.ok_or(Refused::DelegationUnknown)?.ended.is_some() {
        return Err(Refused::DelegationEnded.into());
    }
    end_delegation(state, &mut histories, act.sender, &end.duty, end.delegation, act.index, Ending::Ended)?;
    histories.write(state)
}

/// Writes down that a delegation began to hold, unless it ended before it could.
pub(in super::super) fn start_delegation(
    state: &Overlay<'_>,
    histories: &mut Open<DutyHistory>,
    department: &Did,
    duty: &str,
    id: u64,
    index: u64,
) -> Result<(), NotApplied> {
    let Some(history) = histories.get(state, duty_key(department, duty))? else { return Ok(()) };
    if history.delegations.iter().any(|given| given.id == id && given.ended.is_none()) {
        replace_holding(history, index);
        history.delegations.iter_mut().filter(|given| given.id == id).for_each(|given| given.started = Some(index));
    }
    Ok(())
}

/// Ends the delegation that holds, if one does, because another begins.
fn replace_holding(history: &mut DutyHistory, index: u64) {
    for given in history.delegations.iter_mut().filter(|given| given.started.is_some() && given.ended.is_none()) {
        (given.ended, given.ending) = (Some(index), Some(Ending::Replaced));
    }
}

/// Ends a delegation. One that has ended already stays as it is.
pub(in super::super) fn end_delegation(
    state: &Overlay<'_>,
    histories: &mut Open<DutyHistory>,
    department: &Did,
    duty: &str,
    id: u64,
    index: u64,
    ending: Ending,
) -> Result<(), NotApplied> {
    let Some(history) = histories.get(state, duty_key(department, duty))? else { return Ok(()) };
    for given in history.delegations.iter_mut().filter(|given| given.id == id && given.ended.is_none()) {
        (given.ended, given.ending) = (Some(index), Some(ending));
    }
    Ok(())
}

fn new_delegation(act: &Act<'_>, delegate: &Delegate) -> Delegation {
    Delegation {
        id: act.index,
        holder: delegate.holder,
        title: delegate.title.clone(),
        key: delegate.key.clone(),
        role: delegate.role,
        types: delegate.types.clone(),
        claims: delegate.claims.clone(),
        purposes: delegate.purposes.clone(),
        case_required: delegate.case_required,
        from: delegate.from,
        until: delegate.until,
        started: None,
        ended: None,
        ending: None,
    }
}

fn check_period(act: &Act<'_>, delegation: &Delegation) -> Result<(), Refused> {
    let now = act.block.seconds();
    let latest = now.saturating_add(MAX_ACCREDITATION_SECONDS);
    let (from, until) = (delegation.from, delegation.until);
    if from >= 0 && from < until && until > now && until <= latest { Ok(()) } else { Err(Refused::DelegationPeriod) }
}

/// Starts the delegation at once if its time has come, and schedules what lies ahead.
fn plan(state: &mut Overlay<'_>, act: &Act<'_>, duty: &str, delegation: &mut Delegation) -> Result<(), NotApplied> {
    let due = |at: i64, event: Event| Due {
        at,
        grant: delegation.id,
        event,
        subject: act.sender.clone(),
        duty: Some(duty.to_owned()),
    };
    let (start, lapse) = (due(delegation.from, Event::Start), due(delegation.until, Event::Lapse));
    if delegation.from <= act.block.seconds() {
        delegation.started = Some(act.index);
    } else {
        schedule::put(state, start)?;
    }
    schedule::put(state, lapse)
}

fn read_or_new(state: &Overlay<'_>, department: &Did, duty: &str) -> Result<DutyHistory, NotApplied> {
    Ok(state.read(&duty_key(department, duty))?.unwrap_or_else(|| DutyHistory::new(department, duty)))
}
