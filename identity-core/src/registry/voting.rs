//! Proposals: how members are admitted and expelled, and validators named, by vote.

use serde::{Deserialize, Serialize};

use super::genesis::GenesisValidator;
use crate::did::Did;

/// When a proposal is accepted: once this share of those who vote has approved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteRule {
    /// Who votes.
    pub of: Voters,
    /// Numerator and denominator; more than a half, at most the whole.
    pub share: [u32; 2],
}

/// Who votes. Neither suspended members nor those whose DID is deactivated do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Voters {
    /// Every member.
    Members,
    /// The genesis authorities that are members; every member once there are none.
    Authorities,
}

impl Default for VoteRule {
    /// Two thirds of the members.
    fn default() -> Self {
        Self { of: Voters::Members, share: [2, 3] }
    }
}

impl VoteRule {
    /// A smaller share would let two halves decide opposite things.
    pub(super) fn is_sound(&self) -> bool {
        let [numerator, denominator] = self.share.map(u64::from);
        numerator <= denominator && numerator.saturating_mul(2) > denominator
    }

    /// How many of `voters` must approve: the share, rounded up.
    #[must_use]
    pub fn needed(&self, voters: usize) -> usize {
        let [numerator, denominator] = self.share.map(|part| usize::try_from(part).unwrap_or(usize::MAX));
        voters.saturating_mul(numerator).div_ceil(denominator.max(1)).max(1)
    }
}

/// Members of `propose`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// What is to happen.
    pub change: Change,
    /// Unix seconds from which it can no longer be approved.
    pub until: i64,
}

/// What a proposal changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Change {
    /// Admits a member, or readmits one that was suspended or expelled.
    Admit {
        /// Whom.
        did: Did,
        /// Its name in the consortium.
        name: String,
        /// Its validator, if it is to certify.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        validator: Option<GenesisValidator>,
    },
    /// Expels a member, and its validator with it.
    Expel {
        /// Whom.
        did: Did,
    },
    /// Names a member's validator anew, with new keys; without one, the member certifies no more.
    Validator {
        /// Whose.
        did: Did,
        /// What it is from the next epoch on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        validator: Option<GenesisValidator>,
    },
}

/// Members of `approve` and `withdraw`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnProposal {
    /// The proposal's number: the log index of the transaction that made it.
    pub proposal: u64,
}

/// Value under `proposal/<number>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Log index of the transaction that made it.
    pub number: u64,
    /// Who made it.
    pub by: Did,
    /// What is to happen.
    pub change: Change,
    /// Unix seconds from which it can no longer be approved.
    pub until: i64,
    /// Who approved it, in the order of the log.
    pub approvals: Vec<Approval>,
    /// Log index at which it was accepted and carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<u64>,
    /// Log index at which its proposer withdrew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<u64>,
}

/// One member's approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Whose.
    pub by: Did,
    /// Log index from which it counts.
    pub from: u64,
    /// Log index from which it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

impl Proposal {
    /// Whether it can still be approved at this time, in Unix seconds.
    #[must_use]
    pub fn is_open(&self, now: i64) -> bool {
        self.accepted.is_none() && self.withdrawn.is_none() && now < self.until
    }

    pub(super) fn approval_of(&mut self, member: &Did) -> Option<&mut Approval> {
        self.approvals.iter_mut().find(|approval| approval.by == *member && approval.until.is_none())
    }

    pub(super) fn approve(&mut self, member: &Did, index: u64) {
        self.approvals.push(Approval { by: member.clone(), from: index, until: None });
    }
}
