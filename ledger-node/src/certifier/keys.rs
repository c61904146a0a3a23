//! The keys that certify: this validator's two, and what the others' cosignatures are checked with.

use std::cell::Cell;

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::registry::GenesisValidator;
use identity_core::time::UnixSeconds;
use ledger::Hash;
use ledger::checkpoint::Checkpoint;
use ledger::ed25519::PublicKey;
use ledger::note::{NoteSignature, SignatureKind, VerifierKey};

use super::{CertifyError, Cosignature};
use crate::term::Set;

/// The keys of one validator among its set's.
pub(super) struct Keys {
    log: (VerifierKey, SecretKey),
    witness: SecretKey,
    /// Every validator's, in the order of the set.
    witnesses: Vec<VerifierKey>,
    me: usize,
}

impl Keys {
    /// Takes the secret keys, which must be those of one validator of the set.
    pub(super) fn new(set: &Set, log: SecretKey, witness: SecretKey) -> Result<Self, CertifyError> {
        let validators = set.validators();
        let own =
            |key: &SecretKey, stated: &Hash| key.alg() == Alg::EdDsa && key.public_key().bytes() == stated.as_bytes();
        let is_me = |validator: &GenesisValidator| own(&log, &validator.log) && own(&witness, &validator.witness);
        let me = validators.iter().position(is_me).ok_or(CertifyError::NotAValidator)?;
        let witnesses = validators.iter().map(|validator| witness_key(set, validator)).collect::<Option<Vec<_>>>();
        let log_key =
            validators.get(me).and_then(|validator| verifier_key(set.origin(), SignatureKind::Ed25519, &validator.log));
        let (witnesses, log_key) = witnesses.zip(log_key).ok_or(CertifyError::NotAValidator)?;
        Ok(Self { log: (log_key, log), witness, witnesses, me })
    }

    /// This validator's place in the set.
    pub(super) fn me(&self) -> usize {
        self.me
    }

    /// How many validators there are.
    pub(super) fn validators(&self) -> usize {
        self.witnesses.len()
    }

    /// Cosigns a tree, as this validator, at this time.
    pub(super) fn cosign(&self, checkpoint: &Checkpoint, now: UnixSeconds) -> Result<Cosignature, CertifyError> {
        let key = self.witnesses.get(self.me).ok_or(CertifyError::Signing)?;
        let time = u64::try_from(now.0).unwrap_or(0);
        let line = signing(&self.witness, |sign| ledger::cosignature::cosign(checkpoint, key, time, sign).ok())?;
        let bytes = line.bytes.try_into().map_err(|_| CertifyError::Signing)?;
        Ok(Cosignature { size: checkpoint.size, root: checkpoint.root, bytes })
    }

    /// Signs a tree as the log.
    pub(super) fn sign(&self, checkpoint: &Checkpoint) -> Result<NoteSignature, CertifyError> {
        signing(&self.log.1, |sign| checkpoint.sign(&self.log.0, sign).ok())
    }

    /// A cosignature as a line of a note.
    pub(super) fn line(&self, validator: usize, said: &Cosignature) -> Option<NoteSignature> {
        let key = self.witnesses.get(validator)?;
        Some(NoteSignature { name: key.name().to_owned(), key_id: key.id(), bytes: said.bytes.to_vec() })
    }

    /// Whether the cosignature is that validator's.
    pub(super) fn is_sound(&self, validator: usize, checkpoint: &Checkpoint, said: &Cosignature) -> bool {
        let key = self.witnesses.get(validator);
        let line = self.line(validator, said);
        key.zip(line).is_some_and(|(key, line)| key.verify(&checkpoint.to_text(), &line).is_ok())
    }
}

/// Hands out a function that signs with `key`, and fails if it did.
fn signing<T>(key: &SecretKey, make: impl FnOnce(&dyn Fn(&[u8]) -> [u8; 64]) -> Option<T>) -> Result<T, CertifyError> {
    let failed = Cell::new(false);
    let sign = |bytes: &[u8]| {
        key.sign(bytes).unwrap_or_else(|_| {
            failed.set(true);
            [0; 64]
        })
    };
    let made = make(&sign);
    made.filter(|_| !failed.get()).ok_or(CertifyError::Signing)
}

fn witness_key(set: &Set, validator: &GenesisValidator) -> Option<VerifierKey> {
    let name = format!("{}/{}", set.origin(), validator.name);
    verifier_key(&name, SignatureKind::CosignatureV1, &validator.witness)
}

fn verifier_key(name: &str, kind: SignatureKind, bytes: &Hash) -> Option<VerifierKey> {
    VerifierKey::new(name, kind, PublicKey::from_bytes(bytes.as_bytes()).ok()?).ok()
}
