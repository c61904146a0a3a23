//! Giving and ending accreditations.
//!
//! Every chain ends in a genesis authority, and a link is nowhere wider than the one above it. When a link ends,
//! everything given under it ends in the same block, so a reader needs one history, not the whole chain.

use std::collections::BTreeSet;

use super::super::accreditation::{AccreditationHistory, Ending, Grant};
use super::super::apply::{Act, active_did};
use super::super::history::Member;
use super::super::open::Open;
use super::super::room::check_room;
use super::super::schedule::{self, Due, Event};
use super::super::state::{Overlay, accreditation_key, delegations_key, member_key};
use super::super::transaction::{Accredit, EndAccreditation};
use super::super::{MAX_ACCREDITATION_SECONDS, MAX_CHAIN, NotApplied, Refused};
use super::schema::is_authority;
use crate::did::Did;

/// Gives an accreditation.
pub(in super::super) fn accredit(
    state: &mut Overlay<'_>,
    act: &Act<'_>,
    accredit: &Accredit,
) -> Result<(), NotApplied> {
    let mut grant = new_grant(act, accredit);
    grant.check_lists()?;
    check_period(act, accredit)?;
    check_subject(state, &accredit.subject)?;
    if !is_authority(state, act)? {
        let parent = parent_of(state, act, &grant)?;
        grant.under = Some(parent.id);
        grant.depth = parent.depth.saturating_add(1);
        remember_below(state, parent.id, &accredit.subject)?;
    }
    plan(state, act, &accredit.subject, &mut grant)?;
    let mut history = read_or_new(state, &accredit.subject)?;
    history.grants.push(grant);
    check_room(&history.grants)?;
    state.write(accreditation_key(&accredit.subject), &history)
}

/// Ends an accreditation before its time: whoever gave it, its holder, or a genesis authority.
pub(in super::super) fn end(state: &mut Overlay<'_>, act: &Act<'_>, end: &EndAccreditation) -> Result<(), NotApplied> {
    let mut histories = Open::default();
    let history: Option<&mut AccreditationHistory> = histories.get(state, accreditation_key(&end.subject))?;
    let grant = history.and_then(|history| history.grants.iter().find(|grant| grant.id == end.accreditation));
    let grant = grant.ok_or(Refused::AccreditationUnknown)?;
    let entitled = grant.by == *act.sender || end.subject == *act.sender || is_authority(state, act)?;
    if !entitled {
        return Err(Refused::EndNotEntitled.into());
    }
    if grant.ended.is_some() {
        return Err(Refused::AccreditationEnded.into());
    }
    end_grant(state, &mut histories, &end.subject, end.accreditation, act.index, Ending::Ended)?;
    histories.write(state)
}

/// Writes down that an accreditation began to hold, unless it ended before it could.
pub(in super::super) fn start_grant(
    state: &Overlay<'_>,
    histories: &mut Open<AccreditationHistory>,
    subject: &Did,
    id: u64,
    index: u64,
) -> Result<(), NotApplied> {
    for grant in unended(state, histories, subject, |grant| grant.id == id)? {
        grant.started = Some(index);
    }
    Ok(())
}

/// Ends an accreditation and everything given under it. One that has ended already stays as it is, and so does what was
/// given under it, which ended then.
pub(in super::super) fn end_grant(
    state: &Overlay<'_>,
    histories: &mut Open<AccreditationHistory>,
    subject: &Did,
    id: u64,
    index: u64,
    ending: Ending,
) -> Result<(), NotApplied> {
    // A list of work instead of recursion; chains are at most MAX_CHAIN deep, but may be wide.
    let mut work = Vec::new();
    for grant in unended(state, histories, subject, |grant| grant.id == id)? {
        work.push(grant.end(index, ending));
    }
    while let Some(parent) = work.pop() {
        for subject in below(state, parent)? {
            for grant in unended(state, histories, &subject, |grant| grant.under == Some(parent))? {
                work.push(grant.end(index, Ending::Chain));
            }
        }
    }
    Ok(())
}

/// Ends everything a DID was given.
pub(super) fn end_all_of(state: &mut Overlay<'_>, subject: &Did, index: u64, ending: Ending) -> Result<(), NotApplied> {
    let mut histories = Open::default();
    let open: Vec<u64> = unended(state, &mut histories, subject, |_| true)?.map(|grant| grant.id).collect();
    for id in open {
        end_grant(state, &mut histories, subject, id, index, ending)?;
    }
    histories.write(state)
}

fn new_grant(act: &Act<'_>, accredit: &Accredit) -> Grant {
    Grant {
        id: act.index,
        by: act.sender.clone(),
        under: None,
        depth: 1,
        role: accredit.role,
        types: accredit.types.clone(),
        claims: accredit.claims.clone(),
        purposes: accredit.purposes.clone(),
        from: accredit.from,
        until: accredit.until,
        delegable: accredit.delegable,
        started: None,
        ended: None,
        ending: None,
    }
}

fn check_period(act: &Act<'_>, accredit: &Accredit) -> Result<(), Refused> {
    let now = act.block.seconds();
    let latest = now.saturating_add(MAX_ACCREDITATION_SECONDS);
    let sound =
        accredit.from >= 0 && accredit.from < accredit.until && accredit.until > now && accredit.until <= latest;
    if sound { Ok(()) } else { Err(Refused::AccreditationPeriod) }
}

fn check_subject(state: &Overlay<'_>, subject: &Did) -> Result<(), NotApplied> {
    active_did(state, subject, Refused::DidUnknown)?;
    let member: Option<Member> = state.read(&member_key(subject))?;
    if member.is_some_and(|member| member.until.is_none()) { Ok(()) } else { Err(Refused::SubjectNotMember.into()) }
}

/// The sender's own accreditation that allows this one; the first that is wide enough.
fn parent_of(state: &Overlay<'_>, act: &Act<'_>, grant: &Grant) -> Result<Grant, NotApplied> {
    let own: Option<AccreditationHistory> = state.read(&accreditation_key(act.sender))?;
    let own = own.into_iter().flat_map(|history| history.grants);
    let delegable: Vec<Grant> = own.filter(|own| own.delegable && own.holds_at(act.index)).collect();
    if delegable.is_empty() {
        return Err(Refused::NotEntitled.into());
    }
    let parent = delegable.into_iter().find(|own| grant.is_within(own)).ok_or(Refused::BeyondOwn)?;
    if parent.depth >= MAX_CHAIN { Err(Refused::ChainTooLong.into()) } else { Ok(parent) }
}

fn remember_below(state: &mut Overlay<'_>, parent: u64, subject: &Did) -> Result<(), NotApplied> {
    let mut subjects = below(state, parent)?;
    if subjects.insert(subject.clone()) { state.write(delegations_key(parent), &subjects) } else { Ok(()) }
}

/// To whom something was given under an accreditation. What it was stands in their histories; they are members, and no
/// more than these.
fn below(state: &Overlay<'_>, parent: u64) -> Result<BTreeSet<Did>, NotApplied> {
    Ok(state.read(&delegations_key(parent))?.unwrap_or_default())
}

/// Starts the accreditation at once if its time has come, and schedules what lies ahead.
fn plan(state: &mut Overlay<'_>, act: &Act<'_>, subject: &Did, grant: &mut Grant) -> Result<(), NotApplied> {
    let due = |at: i64, event: Event| Due { at, grant: grant.id, event, subject: subject.clone(), duty: None };
    let lapse = due(grant.until, Event::Lapse);
    let start = due(grant.from, Event::Start);
    if grant.from <= act.block.seconds() {
        grant.started = Some(act.index);
    } else {
        schedule::put(state, start)?;
    }
    schedule::put(state, lapse)
}

fn read_or_new(state: &Overlay<'_>, subject: &Did) -> Result<AccreditationHistory, NotApplied> {
    let found = state.read(&accreditation_key(subject))?;
    Ok(found.unwrap_or_else(|| AccreditationHistory { subject: subject.clone(), grants: Vec::new() }))
}

/// What a member was given, has not ended, and is meant.
fn unended<'a>(
    state: &Overlay<'_>,
    histories: &'a mut Open<AccreditationHistory>,
    subject: &Did,
    is_meant: impl Fn(&Grant) -> bool + 'a,
) -> Result<impl Iterator<Item = &'a mut Grant>, NotApplied> {
    let history = histories.get(state, accreditation_key(subject))?;
    let grants = history.into_iter().flat_map(|history| &mut history.grants);
    Ok(grants.filter(move |grant| grant.ended.is_none() && is_meant(grant)))
}
