//! Admitting, expelling and suspending members.

use super::super::accreditation::Ending;
use super::super::apply::active_did;
use super::super::history::{Member, Period};
use super::super::services::is_name;
use super::super::state::{MEMBERS, Overlay, member_key};
use super::super::{MAX_MEMBERS, NotApplied, Refused};
use super::accredit::end_all_of;
use super::validators;
use crate::did::Did;

/// Admits a DID, or readmits a member that was suspended or expelled. One that was expelled is no authority any more.
pub(super) fn admit(state: &mut Overlay<'_>, index: u64, did: &Did, name: &str) -> Result<(), NotApplied> {
    if !is_name(name) {
        return Err(Refused::ProposalMalformed("name").into());
    }
    active_did(state, did, Refused::DidUnknown)?;
    let member = match state.read::<Member>(&member_key(did))? {
        None => {
            list(state, did)?;
            Member::new(did.clone(), name, false, index)
        }
        Some(member) if member.is_in_good_standing() => return Err(Refused::AlreadyMember.into()),
        Some(member) => member.readmitted(name, index),
    };
    state.write(member_key(did), &member)
}

/// Expels a member: what it was given ends, and its validator leaves with the epoch.
pub(super) fn expel(state: &mut Overlay<'_>, index: u64, did: &Did) -> Result<(), NotApplied> {
    let mut member = current(state, did)?;
    if member.authority && !is_another_authority(state, did)? {
        return Err(Refused::LastAuthority.into());
    }
    member.expel(index);
    state.write(member_key(did), &member)?;
    validators::retire(state, did)?;
    end_all_of(state, did, index, Ending::Expelled)
}

/// Keeps a member from submitting until it is readmitted; what it was given stays.
pub(super) fn suspend(state: &mut Overlay<'_>, index: u64, did: &Did) -> Result<(), NotApplied> {
    let Some(mut member) = state.read::<Member>(&member_key(did))? else { return Ok(()) };
    if member.is_in_good_standing() {
        member.suspended.push(Period { from: index, until: None });
        state.write(member_key(did), &member)?;
    }
    Ok(())
}

/// That the DID is a member that may act.
pub(super) fn check_standing(state: &Overlay<'_>, did: &Did) -> Result<(), NotApplied> {
    if current(state, did)?.is_in_good_standing() { Ok(()) } else { Err(Refused::Suspended.into()) }
}

fn current(state: &Overlay<'_>, did: &Did) -> Result<Member, NotApplied> {
    let member: Option<Member> = state.read(&member_key(did))?;
    Ok(member.filter(|member| member.until.is_none()).ok_or(Refused::MemberUnknown)?)
}

fn list(state: &mut Overlay<'_>, did: &Did) -> Result<(), NotApplied> {
    let mut members: Vec<Did> = state.read(MEMBERS)?.unwrap_or_default();
    if members.len() >= MAX_MEMBERS {
        return Err(Refused::TooManyMembers.into());
    }
    members.push(did.clone());
    state.write(MEMBERS.to_owned(), &members)
}

/// Every chain of accreditations ends in an authority: the last one stays.
fn is_another_authority(state: &Overlay<'_>, than: &Did) -> Result<bool, NotApplied> {
    for did in state.read::<Vec<Did>>(MEMBERS)?.unwrap_or_default() {
        let member: Option<Member> = state.read(&member_key(&did))?;
        if did != *than && member.is_some_and(|member| member.authority && member.is_in_good_standing()) {
            return Ok(true);
        }
    }
    Ok(false)
}
