//! C2SP tlog-policy: which logs, which witnesses, and how many of them make a checkpoint valid.
//!
//! Any policy of that form is read, nested groups included; the ones a chain writes for its validators are made by
//! [`ValidatorSet`]. Files are read as UTF-8, where C2SP leaves bytes beyond ASCII opaque.

mod parse;
mod validators;

use crate::note::VerifierKey;

pub use parse::{LineRule, PolicyError};
pub use validators::{MAX_VALIDATORS, Validator, ValidatorSet, ValidatorSetError, quorum_of, tolerated_of};

/// A parsed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    /// Witnesses and groups in the order of their definition, so that each refers only to earlier ones.
    parties: Vec<Party>,
    /// Place of the quorum in `parties`; nothing for `quorum none`.
    quorum: Option<usize>,
}

/// A witness of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its name within the policy.
    pub name: String,
    /// The key it cosigns with.
    pub key: VerifierKey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Party {
    /// Place in `witnesses`.
    Witness(usize),
    /// Met when at least `threshold` of `members` (places in `parties`) are.
    Group { threshold: usize, members: Vec<usize> },
}

impl Policy {
    /// Parses a policy file.
    ///
    /// # Errors
    /// [`PolicyError`] naming the first line that breaks a rule, and the rule.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::parse(text)
    }

    /// The logs' keys, in the order of their lines.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses, in the order of their lines.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether the policy asks for cosignatures at all.
    #[must_use]
    pub const fn has_quorum(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether cosignatures by the witnesses at these places of [`Self::witnesses`] make the quorum.
    #[must_use]
    pub fn is_met_by(&self, cosigned: impl Fn(usize) -> bool) -> bool {
        let Some(quorum) = self.quorum else { return true };
        let mut met: Vec<bool> = Vec::with_capacity(self.parties.len());
        for party in &self.parties {
            let is_met = match party {
                Party::Witness(place) => cosigned(*place),
                Party::Group { threshold, members } => {
                    members.iter().filter(|member| met.get(**member) == Some(&true)).count() >= *threshold
                }
            };
            met.push(is_met);
        }
        met.get(quorum) == Some(&true)
    }
}

#[cfg(test)]
mod tests;
