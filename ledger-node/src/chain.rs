//! Which chain a node serves: everything that follows from the genesis file.

use std::sync::Arc;

use identity_core::registry::{Genesis, GenesisError};
use ledger::{Hash, TrustRoot, sha256};

/// A chain's fixed facts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Chain(Arc<Facts>);

#[derive(Debug)]
struct Facts {
    file: Vec<u8>,
    genesis: Genesis,
    origin: String,
    policy: String,
    policy_digest: Hash,
    trust_root: TrustRoot,
}

/// Why a genesis file makes no chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The file itself.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// Its validators make no trust root.
    #[error("the genesis file's validators make no trust root: {0}")]
    TrustRoot(String),
}

impl Chain {
    /// Reads a genesis file.
    ///
    /// # Errors
    /// [`ChainError`], saying which part is wrong.
    pub fn new(file: Vec<u8>) -> Result<Self, ChainError> {
        let genesis = Genesis::parse(&file)?;
        let origin = genesis.origin(&file);
        let policy = genesis.trust_root(&origin)?;
        let trust_root = TrustRoot::parse(&policy).map_err(|error| ChainError::TrustRoot(error.to_string()))?;
        let policy_digest = sha256(policy.as_bytes());
        Ok(Self(Arc::new(Facts { file, genesis, origin, policy, policy_digest, trust_root })))
    }

    /// The genesis file's exact bytes.
    #[must_use]
    pub fn genesis_file(&self) -> &[u8] {
        &self.0.file
    }

    /// The genesis file, parsed.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.0.genesis
    }

    /// `xinfu/<chain>/<hex SHA-256 of the genesis file>`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The `tlog-policy` file of the first validators: with what a verifier begins. Which are in force later stands in
    /// the state ([`identity_core::registry::Validators`]).
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.0.policy
    }

    /// Its SHA-256, which stands in every seal until the validators are others.
    #[must_use]
    pub fn policy_digest(&self) -> Hash {
        self.0.policy_digest
    }

    /// That policy as a trust root.
    #[must_use]
    pub fn trust_root(&self) -> &TrustRoot {
        &self.0.trust_root
    }
}
