//! A validator's secret keys: those in use, and those prepared for a set that is still to come.
//!
//! Beside each key file `NAME.jwk` may lie a `NAME.next.jwk`. Once a set with the prepared keys is in force, the node
//! uses them, without being started again; whoever operates it then puts them in the place of the others.

use std::path::{Path, PathBuf};

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use ledger::Hash;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile::{self, KeyFileError};

use crate::config::Config;
use crate::term::Set;

/// The keys of one validator.
pub(crate) struct Keyring {
    pub(crate) log: SecretKey,
    pub(crate) witness: SecretKey,
    /// Absent where one validator orders alone.
    #[cfg_attr(
        not(feature = "simplex"),
        expect(dead_code, reason = "a program for one validator alone meets no others")
    )]
    pub(crate) peer: Option<PeerKeys>,
}

/// Its keys among other validators.
#[cfg_attr(not(feature = "simplex"), expect(dead_code, reason = "a program for one validator alone meets no others"))]
pub(crate) struct PeerKeys {
    pub(crate) consensus: SecretKey,
    pub(crate) transport: SecretKey,
}

impl Keyring {
    /// The keys with which this node is a validator of the set; nothing if it is none.
    ///
    /// # Errors
    /// A key file that is missing, exposed or no key.
    pub(crate) fn of(set: &Set, config: &Config, guard: &KeyGuard) -> Result<Option<Self>, KeyFileError> {
        let in_use = Self::load(config, guard, Path::to_owned)?;
        if in_use.is_in(set) {
            return Ok(Some(in_use));
        }
        if !next_to(&config.witness_key).exists() {
            return Ok(None);
        }
        Ok(Some(Self::load(config, guard, next_to)?).filter(|prepared| prepared.is_in(set)))
    }

    fn load(config: &Config, guard: &KeyGuard, file: impl Fn(&Path) -> PathBuf) -> Result<Self, KeyFileError> {
        let key = |path: &Path| keyfile::load(&file(path), guard);
        let among_others = !config.consensus_key.as_os_str().is_empty();
        let peer = || {
            Ok::<_, KeyFileError>(PeerKeys {
                consensus: key(&config.consensus_key)?,
                transport: key(&config.transport_key)?,
            })
        };
        let peer = if among_others { Some(peer()?) } else { None };
        Ok(Self { log: key(&config.log_key)?, witness: key(&config.witness_key)?, peer })
    }

    fn is_in(&self, set: &Set) -> bool {
        set.validators().iter().any(|one| is(&self.log, &one.log) && is(&self.witness, &one.witness))
    }
}

fn is(key: &SecretKey, stated: &Hash) -> bool {
    key.alg() == Alg::EdDsa && key.public_key().bytes() == stated.as_bytes()
}

/// Where the prepared successor of a key file lies.
pub(crate) fn next_to(path: &Path) -> PathBuf {
    path.with_extension("next.jwk")
}
