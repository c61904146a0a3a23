//! Signs checkpoints: as the log and as a witness, with two keys of its own.
//!
//! The one promise: never two roots for one size, never a smaller size after a larger one. What is signed was made
//! durable before, with the block ([`crate::executor`], step 3), so the promise outlives the process; in memory it is
//! checked again here, because a mistake would be evidence against this department for ever.

use std::cell::Cell;

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::time::UnixSeconds;
use ledger::Hash;
use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::ed25519::PublicKey;
use ledger::note::{SignatureKind, VerifierKey};
use ledger::policy::quorum_of;

use crate::chain::Chain;
use crate::store::Head;

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertifyError {
    /// The key files are not those of a validator in the genesis file.
    #[error("the log and witness keys are not those of one validator in the genesis file")]
    NotAValidator,
    /// More validators than this engine can speak for.
    #[error("the chain needs cosignatures of {0} validators; this node is one")]
    NotAlone(usize),
    /// Another root for a size that was signed, or a smaller size.
    #[error("refusing to sign a second history at size {0}")]
    SecondHistory(u64),
    /// A key could not sign, or what it signed does not verify.
    #[error("the checkpoint could not be signed")]
    Signing,
}

/// The keys of one validator.
pub(crate) struct Certifier {
    chain: Chain,
    log: (VerifierKey, SecretKey),
    witness: (VerifierKey, SecretKey),
    last: Option<(u64, Hash)>,
}

impl Certifier {
    /// Takes the keys, which must be those of one validator named in the genesis file.
    pub(crate) fn new(chain: Chain, log: SecretKey, witness: SecretKey) -> Result<Self, CertifyError> {
        let validators = &chain.genesis().validators;
        let own =
            |key: &SecretKey, stated: &Hash| key.alg() == Alg::EdDsa && key.public_key().bytes() == stated.as_bytes();
        let validator = validators.iter().find(|v| own(&log, &v.log) && own(&witness, &v.witness));
        let validator = validator.ok_or(CertifyError::NotAValidator)?;
        if quorum_of(validators.len()) > 1 {
            return Err(CertifyError::NotAlone(quorum_of(validators.len())));
        }
        let name = |name: &str, kind: SignatureKind, bytes: &Hash| {
            let key = PublicKey::from_bytes(bytes.as_bytes()).ok()?;
            VerifierKey::new(name, kind, key).ok()
        };
        let witness_name = format!("{}/{}", chain.origin(), validator.name);
        let log_key = name(chain.origin(), SignatureKind::Ed25519, &validator.log);
        let witness_key = name(&witness_name, SignatureKind::CosignatureV1, &validator.witness);
        let (log_key, witness_key) = log_key.zip(witness_key).ok_or(CertifyError::NotAValidator)?;
        Ok(Self { log: (log_key, log), witness: (witness_key, witness), last: None, chain })
    }

    /// The certified note of a head that is durable.
    pub(crate) fn certify(&mut self, head: &Head, now: UnixSeconds) -> Result<String, CertifyError> {
        if self.last.is_some_and(|(size, root)| head.size < size || (head.size == size && head.root != root)) {
            return Err(CertifyError::SecondHistory(head.size));
        }
        self.last = Some((head.size, head.root));
        let checkpoint = Checkpoint { origin: self.chain.origin().to_owned(), size: head.size, root: head.root };
        let failed = Cell::new(false);
        let sign = |key: &SecretKey, bytes: &[u8]| {
            key.sign(bytes).unwrap_or_else(|_| {
                failed.set(true);
                [0; 64]
            })
        };
        let seconds = u64::try_from(now.0).unwrap_or(0);
        let signature = checkpoint.sign(&self.log.0, |bytes| sign(&self.log.1, bytes));
        let cosignature = cosign(&checkpoint, &self.witness.0, seconds, |bytes| sign(&self.witness.1, bytes));
        let (Ok(signature), Ok(cosignature), false) = (signature, cosignature, failed.get()) else {
            return Err(CertifyError::Signing);
        };
        let note = checkpoint.to_note([signature, cosignature]).map_err(|_| CertifyError::Signing)?.to_string();
        // What we publish is what a verifier would accept; a broken key is noticed here and not out there.
        self.chain.trust_root().verify_checkpoint(&note).map_err(|_| CertifyError::Signing)?;
        Ok(note)
    }
}
