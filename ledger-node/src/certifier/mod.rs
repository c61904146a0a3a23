//! Certifies heads: cosigns ours, collects what the other validators cosigned, and makes the note once they are a
//! quorum. Pure: it reads no clock and no network, and one validator alone is its own quorum.
//!
//! The one promise: never two roots for one size, never a smaller size after a larger one. What is signed was made
//! durable before, with the block ([`crate::executor`], step 3), so the promise outlives the process: a node that
//! starts again signs the head it finds, or a later one. In memory it is checked again here, because a mistake would
//! be evidence against this department for ever.
//!
//! A certifier works for one term ([`crate::term`]): the next set gets a new one, which begins where this one ended.
//!
//! Others' cosignatures count for roots that this node computed itself, and for nothing else.

mod evidence;
mod keys;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use identity_core::crypto::SecretKey;
use identity_core::time::UnixSeconds;
use ledger::Hash;
use ledger::checkpoint::Checkpoint;
use ledger::policy::quorum_of;

use crate::store::Head;
use crate::term::Set;

pub(crate) use evidence::Evidence;
use keys::Keys;

/// Sizes for which a validator's cosignatures are kept, and own heads that wait: far more than blocks are under way at
/// once, and at 21 validators not more than a few MB.
const WINDOW: usize = 256;

/// Evidence against one validator in one term. One piece convicts, and more is for a disk that lost it; whoever lies could go
/// on with every size, and fill the disk.
const ENOUGH: usize = 4;

/// A head with its certified note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) head: Head,
    pub(crate) note: String,
    /// When it was cosigned, by the rule that verifiers apply.
    pub(crate) at: UnixSeconds,
}

/// What a validator said about a tree: the largest that it has seen at a time is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cosignature {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    /// As in a note's line: eight bytes of time, 64 of signature.
    pub(crate) bytes: [u8; Cosignature::LENGTH],
}

impl Cosignature {
    pub(crate) const LENGTH: usize = 72;

    /// Seconds since the epoch, as the validator states them.
    pub(crate) fn time(&self) -> u64 {
        self.bytes.first_chunk().map_or(0, |time| u64::from_be_bytes(*time))
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertifyError {
    /// The key files are not those of a validator in force.
    #[error("the log and witness keys are not those of one validator in force")]
    NotAValidator,
    /// Another root for a size that was signed, or a smaller size.
    #[error("refusing to sign a second history at size {0}")]
    SecondHistory(u64),
    /// A key could not sign, or what it signed does not verify.
    #[error("the checkpoint could not be signed")]
    Signing,
}

/// Why another validator's cosignature counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotHeard {
    /// Nobody of that place, or ourselves.
    #[error("it comes from no other validator")]
    Unknown,
    /// The signature does not verify under that validator's key.
    #[error("the cosignature is not by the key of the validator that sent it")]
    Unsound,
}

/// What came of another validator's cosignature.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// A round that it completed.
    pub(crate) round: Option<Round>,
    /// That its sender contradicts itself, unless there is [`ENOUGH`] evidence already.
    pub(crate) evidence: Option<Evidence>,
    /// That its sender has another root than we for a size that we reached, or than itself: one of us is wrong.
    pub(crate) diverges: bool,
}

/// One validator's side of certification.
pub(crate) struct Certifier {
    set: Set,
    keys: Keys,
    /// The largest tree signed so far.
    last: Option<(u64, Hash)>,
    /// Heads of ours by size, from the newest certified one on.
    reached: BTreeMap<u64, Head>,
    /// By validator, what it cosigned, by size. All were verified.
    heard: Vec<BTreeMap<u64, Cosignature>>,
    /// By validator, how often it was caught.
    caught: Vec<usize>,
    /// Size of the newest certified head, and the time of the oldest cosignature in its note.
    certified: Option<(u64, u64)>,
}

impl Certifier {
    /// Takes the keys, which must be those of one validator of the set.
    pub(crate) fn new(set: Set, log: SecretKey, witness: SecretKey) -> Result<Self, CertifyError> {
        let keys = Keys::new(&set, log, witness)?;
        let heard = vec![BTreeMap::new(); keys.validators()];
        let (reached, caught) = (BTreeMap::new(), vec![0; keys.validators()]);
        Ok(Self { set, keys, last: None, reached, heard, caught, certified: None })
    }

    /// Goes on after a round of an earlier life, so that no older one is made again.
    pub(crate) fn resume(&mut self, round: &Round) {
        self.certified = Some((round.head.size, u64::try_from(round.at.0).unwrap_or(0)));
    }

    /// Whether this node's newest head is certified.
    pub(crate) fn is_up_to_date(&self) -> bool {
        let newest = self.reached.last_key_value().map(|(size, _)| *size);
        newest.is_none_or(|newest| self.certified.is_some_and(|(size, _)| size >= newest))
    }

    /// Cosigns a head that is durable, and certifies it if that completes a quorum.
    ///
    /// # Errors
    /// [`CertifyError`]; nothing was signed that may leave the process.
    pub(crate) fn sign(&mut self, head: &Head, now: UnixSeconds) -> Result<Option<Round>, CertifyError> {
        if self.last.is_some_and(|(size, root)| head.size < size || (head.size == size && head.root != root)) {
            return Err(CertifyError::SecondHistory(head.size));
        }
        let said = self.keys.cosign(&self.checkpoint(head.size, head.root), now)?;
        self.last = Some((head.size, head.root));
        self.keep(self.keys.me(), said);
        self.reach(head)
    }

    /// Takes note of a head that is durable and that the others certified long ago: cosigning it would help nobody.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub(crate) fn reach(&mut self, head: &Head) -> Result<Option<Round>, CertifyError> {
        self.reached.insert(head.size, head.clone());
        if self.reached.len() > WINDOW {
            self.reached.pop_first();
        }
        self.assemble(head.size)
    }

    /// What this validator said last.
    pub(crate) fn own(&self) -> Option<&Cosignature> {
        self.heard.get(self.keys.me())?.last_key_value().map(|(_, said)| said)
    }

    /// By validator, in the order of the set, its name and the largest tree that it cosigned, as far as this one heard.
    pub(crate) fn newest(&self) -> Vec<(String, Option<Cosignature>)> {
        let names = self.set.validators().iter().map(|validator| validator.name.clone());
        let newest = self.heard.iter().map(|known| known.last_key_value().map(|(_, said)| said.clone()));
        names.zip(newest).collect()
    }

    /// What this validator said about the tree of a size.
    #[cfg(feature = "simplex")]
    pub(crate) fn own_at(&self, size: u64) -> Option<&Cosignature> {
        self.heard.get(self.keys.me())?.get(&size)
    }

    /// Takes what the validator at place `from` cosigned.
    ///
    /// # Errors
    /// [`NotHeard`], and the sender is to blame.
    pub(crate) fn hear(&mut self, from: usize, said: Cosignature) -> Result<Heard, NotHeard> {
        let known = self.heard.get(from).filter(|_| from != self.keys.me()).ok_or(NotHeard::Unknown)?;
        let before = known.get(&said.size).cloned();
        if before.as_ref() == Some(&said) {
            return Ok(Heard::default());
        }
        if !self.keys.is_sound(from, &self.checkpoint(said.size, said.root), &said) {
            return Err(NotHeard::Unsound);
        }
        let diverges = self.reached.get(&said.size).is_some_and(|head| head.root != said.root);
        match before {
            // The first stays: it is half of the evidence should a third come.
            Some(before) if before.root != said.root => {
                let evidence = self.catch(from).then(|| self.convict(from, &before, &said)).flatten();
                Ok(Heard { evidence, diverges: true, round: None })
            }
            Some(before) if before.time() >= said.time() => Ok(Heard { diverges, ..Heard::default() }),
            _ => {
                let size = said.size;
                self.keep(from, said);
                let round = self.assemble(size).unwrap_or_else(|error| {
                    tracing::error!(%error, size, "a quorum cosigned, and no note came of it");
                    None
                });
                Ok(Heard { round, diverges, evidence: None })
            }
        }
    }

    fn keep(&mut self, validator: usize, said: Cosignature) {
        if let Some(known) = self.heard.get_mut(validator) {
            known.insert(said.size, said);
            // Whoever cosigns trees that do not exist pushes out its own cosignatures and nobody else's.
            if known.len() > WINDOW {
                known.pop_first();
            }
        }
    }

    /// The note of our head of this size, if a quorum cosigned it and it is newer than what was certified last.
    fn assemble(&mut self, size: u64) -> Result<Option<Round>, CertifyError> {
        let Some(head) = self.reached.get(&size).cloned() else { return Ok(None) };
        let Some(chosen) = self.quorum(&head) else { return Ok(None) };
        let oldest = chosen.iter().map(|(_, said)| said.time()).min().unwrap_or(0);
        if self.certified.is_some_and(|before| (size, oldest) <= before) {
            return Ok(None);
        }
        let checkpoint = self.checkpoint(size, head.root);
        let lines = chosen.iter().filter_map(|(validator, said)| self.keys.line(*validator, said));
        let lines: Vec<_> = std::iter::once(self.keys.sign(&checkpoint)?).chain(lines).collect();
        let note = checkpoint.to_note(lines).map_err(|_| CertifyError::Signing)?.to_string();
        // What we publish is what a verifier would accept; a broken key is noticed here and not out there.
        let sound = self.set.trust_root().verify_checkpoint(&note).map_err(|_| CertifyError::Signing)?;
        let at = UnixSeconds(i64::try_from(sound.cosigned_at()).unwrap_or(i64::MAX));
        self.certified = Some((size, oldest));
        self.reached = self.reached.split_off(&size);
        Ok(Some(Round { head, note, at }))
    }

    /// The newest cosignatures of a head, exactly a quorum of them, in the order of the set.
    fn quorum(&self, head: &Head) -> Option<Vec<(usize, &Cosignature)>> {
        let said = self.heard.iter().enumerate().filter_map(|(place, known)| Some((place, known.get(&head.size)?)));
        let mut matching: Vec<_> = said.filter(|(_, said)| said.root == head.root).collect();
        matching.sort_by_key(|(place, said)| (std::cmp::Reverse(said.time()), *place));
        let quorum = quorum_of(self.keys.validators());
        (matching.len() >= quorum).then(|| {
            matching.truncate(quorum);
            matching.sort_by_key(|(place, _)| *place);
            matching
        })
    }

    /// Counts that a validator was caught; says whether that is of use.
    fn catch(&mut self, validator: usize) -> bool {
        let Some(times) = self.caught.get_mut(validator) else { return false };
        *times = times.saturating_add(1);
        *times <= ENOUGH
    }

    fn convict(&self, from: usize, one: &Cosignature, other: &Cosignature) -> Option<Evidence> {
        let note = |said: &Cosignature| {
            let note = self.checkpoint(said.size, said.root).to_note(self.keys.line(from, said));
            note.ok().map(|note| note.to_string())
        };
        let validator = self.set.validators().get(from)?.name.clone();
        Some(Evidence { validator, size: one.size, notes: [note(one)?, note(other)?] })
    }

    fn checkpoint(&self, size: u64, root: Hash) -> Checkpoint {
        Checkpoint { origin: self.set.origin().to_owned(), size, root }
    }
}
