//! Proposing, approving and withdrawing; carrying out what was accepted.
//!
//! Approvals are counted whenever one comes in, and only those of members that vote at that moment. A proposal that
//! cannot be carried out is refused when it is made, and an approval that would carry it out when it no longer can be.

use std::collections::BTreeSet;

use super::super::apply::Act;
use super::super::history::{DidHistory, Member};
use super::super::state::{MEMBERS, Overlay, PROPOSALS, did_key, member_key, proposal_key};
use super::super::validators::Rules;
use super::super::voting::{Change, OnProposal, Proposal, Propose, VoteRule, Voters};
use super::super::{MAX_OPEN_PROPOSALS, MAX_PROPOSAL_SECONDS, NotApplied, Refused};
use super::{membership, validators};
use crate::did::Did;

/// Makes a proposal. Whoever makes it approves of it.
pub(in super::super) fn propose(state: &mut Overlay<'_>, act: &Act<'_>, propose: &Propose) -> Result<(), NotApplied> {
    let now = act.block.seconds();
    if propose.until <= now || propose.until > now.saturating_add(MAX_PROPOSAL_SECONDS) {
        return Err(Refused::ProposalPeriod.into());
    }
    carry_out(&mut Overlay::new(&*state), act, &propose.change)?;
    remember(state, act)?;
    let mut proposal = Proposal {
        number: act.index,
        by: act.sender.clone(),
        change: propose.change.clone(),
        until: propose.until,
        approvals: Vec::new(),
        accepted: None,
        withdrawn: None,
    };
    proposal.approve(act.sender, act.index);
    settle(state, act, proposal)
}

/// Approves a proposal; the approval that is still needed carries it out.
pub(in super::super) fn approve(state: &mut Overlay<'_>, act: &Act<'_>, on: OnProposal) -> Result<(), NotApplied> {
    let mut proposal = open_proposal(state, act, on)?;
    if !voters(state, Rules::of(state)?.votes)?.contains(act.sender) {
        return Err(Refused::NotAVoter.into());
    }
    if proposal.approval_of(act.sender).is_some() {
        return Err(Refused::ApprovedBefore.into());
    }
    proposal.approve(act.sender, act.index);
    settle(state, act, proposal)
}

/// Takes an approval back; whoever made the proposal takes back the whole of it.
pub(in super::super) fn withdraw(state: &mut Overlay<'_>, act: &Act<'_>, on: OnProposal) -> Result<(), NotApplied> {
    let mut proposal = open_proposal(state, act, on)?;
    if proposal.by == *act.sender {
        proposal.withdrawn = Some(act.index);
    } else {
        proposal.approval_of(act.sender).ok_or(Refused::NotApproved)?.until = Some(act.index);
    }
    state.write(proposal_key(proposal.number), &proposal)
}

fn open_proposal(state: &Overlay<'_>, act: &Act<'_>, on: OnProposal) -> Result<Proposal, NotApplied> {
    let proposal: Proposal = state.read(&proposal_key(on.proposal))?.ok_or(Refused::ProposalUnknown)?;
    if proposal.is_open(act.block.seconds()) {
        return Ok(proposal);
    }
    let over = proposal.accepted.is_some() || proposal.withdrawn.is_some();
    Err(if over { Refused::ProposalClosed } else { Refused::ProposalExpired }.into())
}

fn settle(state: &mut Overlay<'_>, act: &Act<'_>, mut proposal: Proposal) -> Result<(), NotApplied> {
    let votes = Rules::of(state)?.votes;
    let voters = voters(state, votes)?;
    let standing = proposal.approvals.iter().filter(|approval| approval.until.is_none());
    let approved = standing.filter(|approval| voters.contains(&approval.by)).count();
    if approved >= votes.needed(voters.len()) {
        carry_out(state, act, &proposal.change)?;
        proposal.accepted = Some(act.index);
    }
    state.write(proposal_key(proposal.number), &proposal)
}

fn carry_out(state: &mut Overlay<'_>, act: &Act<'_>, change: &Change) -> Result<(), NotApplied> {
    match change {
        Change::Admit { did, name, validator } => {
            membership::admit(state, act.index, did, name)?;
            match validator {
                Some(validator) => validators::appoint(state, act, did, validator),
                None => Ok(()),
            }
        }
        Change::Expel { did } => membership::expel(state, act.index, did),
        Change::Validator { did, validator } => {
            membership::check_standing(state, did)?;
            match validator {
                Some(validator) => validators::appoint(state, act, did, validator),
                None if validators::retire(state, did)? => Ok(()),
                None => Err(Refused::ValidatorUnknown.into()),
            }
        }
    }
}

/// Who votes now.
fn voters(state: &Overlay<'_>, rule: VoteRule) -> Result<BTreeSet<Did>, NotApplied> {
    let (mut members, mut authorities) = (BTreeSet::new(), BTreeSet::new());
    for did in state.read::<Vec<Did>>(MEMBERS)?.unwrap_or_default() {
        let Some(member) = state.read::<Member>(&member_key(&did))? else { continue };
        let history: Option<DidHistory> = state.read(&did_key(&did))?;
        if !member.is_in_good_standing() || history.is_none_or(|history| history.deactivated.is_some()) {
            continue;
        }
        if member.authority {
            authorities.insert(did.clone());
        }
        members.insert(did);
    }
    match rule.of {
        Voters::Authorities if !authorities.is_empty() => Ok(authorities),
        Voters::Authorities | Voters::Members => Ok(members),
    }
}

/// Keeps the list of open proposals, of which each member has only so many.
fn remember(state: &mut Overlay<'_>, act: &Act<'_>) -> Result<(), NotApplied> {
    let (mut open, mut own) = (Vec::new(), 0_usize);
    for number in state.read::<Vec<u64>>(PROPOSALS)?.unwrap_or_default() {
        let proposal: Option<Proposal> = state.read(&proposal_key(number))?;
        if let Some(proposal) = proposal.filter(|proposal| proposal.is_open(act.block.seconds())) {
            own = own.saturating_add(usize::from(proposal.by == *act.sender));
            open.push(number);
        }
    }
    if own >= MAX_OPEN_PROPOSALS {
        return Err(Refused::TooManyProposals.into());
    }
    open.push(act.index);
    state.write(PROPOSALS.to_owned(), &open)
}
