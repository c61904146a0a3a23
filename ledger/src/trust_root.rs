//! Whom a verifier trusts, and what it then believes about a checkpoint.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::ed25519::{Known, Together, all_valid};
use crate::hash::{Hash, sha256};
use crate::note::{Claimed, LineError, Note, NoteError, NoteSignature, VerifierKey};
use crate::policy::{Policy, PolicyError, tolerated_of};

/// A verifier's anchor of trust: a C2SP tlog-policy file whose logs are one log, and which asks for cosignatures.
///
/// ```
/// use ledger::TrustRoot;
/// use ledger::trust_root::TrustRootError;
///
/// let log = "log xinfu/demo/f00d+0ba64daf+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
/// let witness = "witness one xinfu/demo/f00d/one+75841558+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
/// assert!(TrustRoot::parse(&format!("{log}\n{witness}\nquorum one\n")).is_ok());
/// // Nobody would vouch for anything:
/// assert_eq!(TrustRoot::parse(&format!("{log}\nquorum none\n")), Err(TrustRootError::NoQuorum));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    policy: Policy,
    origin: String,
    digest: Hash,
}

impl TrustRoot {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`TrustRootError`] if it is not a policy, has no log or logs of several names, or asks for no cosignature.
    pub fn parse(file: &str) -> Result<Self, TrustRootError> {
        let policy = Policy::parse(file)?;
        let (first, others) = policy.logs().split_first().ok_or(TrustRootError::NoLog)?;
        if others.iter().any(|log| log.name() != first.name()) {
            return Err(TrustRootError::SeveralOrigins);
        }
        if !policy.has_quorum() {
            return Err(TrustRootError::NoQuorum);
        }
        Ok(Self { origin: first.name().to_owned(), digest: sha256(file.as_bytes()), policy })
    }

    /// The log's origin, which is the name of its keys.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// SHA-256 of the file: what a seal states as `policy` when this set is in force after it.
    #[must_use]
    pub const fn digest(&self) -> Hash {
        self.digest
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Verifies that a checkpoint is certified: it is of this log, carries a signature of the log, and cosignatures
    /// that make the quorum. Signatures by unknown keys are ignored; one bad signature that claims to be by a known key
    /// refuses the whole note.
    ///
    /// This does **not** check that the checkpoint is recent: see [`CertifiedCheckpoint::cosigned_at`].
    ///
    /// # Errors
    /// [`CertificateError`] naming what is wrong or missing.
    pub fn verify_checkpoint(&self, note: &str) -> Result<CertifiedCheckpoint, CertificateError> {
        self.verify_checkpoint_knowing(note, &Known::default())
    }

    /// As [`Self::verify_checkpoint`], where signatures were verified before: those that are known cost nothing.
    ///
    /// # Errors
    /// As [`Self::verify_checkpoint`].
    pub fn verify_checkpoint_knowing(
        &self,
        note: &str,
        known: &Known,
    ) -> Result<CertifiedCheckpoint, CertificateError> {
        let parsed = Note::parse(note)?;
        let checkpoint = Checkpoint::parse_text(parsed.text())?;
        if checkpoint.origin != self.origin {
            return Err(CertificateError::OtherOrigin);
        }
        let lines = Lines { text: parsed.text(), all_valid: self.are_valid(&parsed, known) };
        let mut logged = false;
        let mut cosigned: Vec<Option<u64>> = vec![None; self.policy.witnesses().len()];
        for signature in parsed.signatures() {
            logged |= self.is_signed_by_log(&lines, signature)?;
            self.note_cosignature(&lines, signature, &mut cosigned)?;
        }
        if !logged {
            return Err(CertificateError::NoLogSignature);
        }
        if !self.policy.is_met_by(|place| matches!(cosigned.get(place), Some(Some(_)))) {
            return Err(CertificateError::NoQuorum);
        }
        let tolerated = tolerated_of(cosigned.len());
        let witnesses = self.policy.witnesses().iter().zip(cosigned);
        let cosigned = witnesses
            .filter_map(|(witness, time)| Some(Cosigned { witness: witness.name.clone(), time: time? }))
            .collect();
        Ok(CertifiedCheckpoint { checkpoint, cosigned, tolerated, note_digest: sha256(note.as_bytes()) })
    }

    /// Adds the note's signatures by this root's keys to others that are verified together; none of a note that is malformed.
    pub fn add_signatures(&self, note: &str, together: &mut Together) {
        let Ok(note) = Note::parse(note) else { return };
        let claimed = self.claimed(&note).unwrap_or_default();
        claimed.iter().for_each(|claimed| together.add(claimed.signed()));
    }

    /// Whether all signatures by this root's keys are valid. Those that are not known are verified together.
    fn are_valid(&self, note: &Note, known: &Known) -> bool {
        self.claimed(note).is_ok_and(|claimed| {
            let signed = claimed.iter().map(Claimed::signed);
            all_valid(&signed.filter(|signed| !known.holds(signed)).collect::<Vec<_>>())
        })
    }

    fn claimed<'a>(&'a self, note: &'a Note) -> Result<Vec<Claimed<'a>>, LineError> {
        let keys = || self.policy.logs().iter().chain(self.policy.witnesses().iter().map(|witness| &witness.key));
        let lines = note.signatures().iter();
        let named = lines.flat_map(|line| keys().filter(|key| key.is_named_by(line)).map(move |key| (key, line)));
        named.map(|(key, line)| key.claimed(note.text(), line)).collect()
    }

    fn is_signed_by_log(&self, lines: &Lines<'_>, signature: &NoteSignature) -> Result<bool, CertificateError> {
        match self.policy.logs().iter().find(|log| log.is_named_by(signature)) {
            None => Ok(false),
            Some(log) => {
                lines.verify(log, signature).map_err(CertificateError::BadLogSignature)?;
                Ok(true)
            }
        }
    }

    fn note_cosignature(
        &self,
        lines: &Lines<'_>,
        signature: &NoteSignature,
        cosigned: &mut [Option<u64>],
    ) -> Result<(), CertificateError> {
        for (witness, entry) in self.policy.witnesses().iter().zip(cosigned) {
            if witness.key.is_named_by(signature) {
                let time = lines.verify(&witness.key, signature).map_err(CertificateError::BadCosignature)?;
                *entry = (*entry).max(time);
            }
        }
        Ok(())
    }
}

/// The signature lines of a note.
struct Lines<'a> {
    text: &'a str,
    /// Whether all that are by known keys were found valid together. Which of them is not is told one by one.
    all_valid: bool,
}

impl Lines<'_> {
    /// The time that a cosignature states.
    fn verify(&self, key: &VerifierKey, signature: &NoteSignature) -> Result<Option<u64>, LineError> {
        match self.all_valid {
            true => key.claimed(self.text, signature).map(|claimed| claimed.time),
            false => key.verify(self.text, signature),
        }
    }
}

/// A checkpoint that a trust root certified. Only [`TrustRoot::verify_checkpoint`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedCheckpoint {
    checkpoint: Checkpoint,
    cosigned: Vec<Cosigned>,
    /// How many witnesses may be dishonest.
    tolerated: usize,
    note_digest: Hash,
}

/// That a witness cosigned, and when it says it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness's name in the policy.
    pub witness: String,
    /// Seconds since the epoch.
    pub time: u64,
}

impl CertifiedCheckpoint {
    /// Origin, size and root.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// How many leaves the log had.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// Root of the log's tree.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.checkpoint.root
    }

    /// The cosignatures that were verified, in the order of the policy.
    #[must_use]
    pub fn cosigned(&self) -> &[Cosigned] {
        &self.cosigned
    }

    /// When the checkpoint was cosigned, in seconds since the epoch: the (f + 1)-th newest of the cosignatures' times,
    /// where f of the policy's witnesses ([`tolerated_of`] their number) may be dishonest.
    ///
    /// Among the f + 1 newest is an honest one, so whatever times f dishonest witnesses state, and whichever
    /// cosignatures are left out, an old head looks no younger than the last honest witness that cosigned it says. In a
    /// quorum are f honest ones more than that, so a new head looks no older than the first of them says. A policy that
    /// asks for f or fewer cosignatures trusts each of them; the oldest counts.
    #[must_use]
    pub fn cosigned_at(&self) -> u64 {
        let mut times: Vec<u64> = self.cosigned.iter().map(|cosigned| cosigned.time).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times.get(self.tolerated).or(times.last()).copied().unwrap_or(0)
    }

    /// SHA-256 of the note as it was verified: the same bytes need no second verification.
    #[must_use]
    pub const fn note_digest(&self) -> &Hash {
        &self.note_digest
    }
}

/// Why a file is not a trust root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustRootError {
    /// It is not a policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// It has no log line.
    #[error("the trust root names no log")]
    NoLog,
    /// Its log lines have different key names.
    #[error("the trust root names several logs")]
    SeveralOrigins,
    /// Its quorum is `none`.
    #[error("the trust root asks for no cosignature")]
    NoQuorum,
}

/// Why a note is not a certified checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its text is not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It is a checkpoint of another log.
    #[error("the checkpoint is of another log")]
    OtherOrigin,
    /// A signature that claims to be by the log is not.
    #[error("the log's signature of the checkpoint is bad: {0}")]
    BadLogSignature(LineError),
    /// A signature that claims to be by a witness is not.
    #[error("a cosignature of the checkpoint is bad: {0}")]
    BadCosignature(LineError),
    /// No known key of the log signed it.
    #[error("no known key of the log signed the checkpoint")]
    NoLogSignature,
    /// The known witnesses that cosigned it make no quorum.
    #[error("the cosignatures of the checkpoint make no quorum")]
    NoQuorum,
}

#[cfg(test)]
pub(crate) mod tests;
