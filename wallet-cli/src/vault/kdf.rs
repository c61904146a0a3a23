//! From passphrase to wrapping key: Argon2id (RFC 9106), version 1.3.

use super::{VaultError, key::Key};
use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

/// What one guess at the passphrase costs. It stands in the header, where it is authenticated by being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCost {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfCost {
    /// The least that a vault may ask for: OWASP's minimum for Argon2id (19 MiB, 2 passes). Less means that somebody
    /// weakened the header to guess faster.
    pub const FLOOR: Self = Self { memory: 19 * 1024, passes: 2, lanes: 1 };

    /// The most: 1 GiB, 16 passes, 16 lanes. A header asking for 1 TiB must not bring the holder's machine down.
    pub const CEILING: Self = Self { memory: 1024 * 1024, passes: 16, lanes: 16 };

    /// What new vaults ask for: memory and passes of RFC 9106's second choice (64 MiB, 3 passes), one lane because the
    /// lanes of this implementation run one after the other.
    pub const DEFAULT: Self = Self { memory: 64 * 1024, passes: 3, lanes: 1 };

    /// Refuses a cost outside floor and ceiling.
    pub(crate) fn check(self) -> Result<(), VaultError> {
        let Self { memory, passes, lanes } = self;
        if memory < Self::FLOOR.memory || passes < Self::FLOOR.passes || lanes < Self::FLOOR.lanes {
            return Err(VaultError::KdfTooWeak);
        }
        if memory > Self::CEILING.memory || passes > Self::CEILING.passes || lanes > Self::CEILING.lanes {
            return Err(VaultError::KdfTooCostly);
        }
        Ok(())
    }
}

/// The holder's passphrase; wiped from memory when dropped.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The least length for a new vault, in characters.
    pub const LEAST: usize = 8;

    /// Takes the text over. A line end, as files and terminals add, is not part of a passphrase.
    #[must_use]
    pub fn new(text: String) -> Self {
        let text = Zeroizing::new(text);
        Self(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Whether a new vault may have it.
    ///
    /// # Errors
    /// [`VaultError::PassphraseTooShort`].
    pub fn check_new(&self) -> Result<(), VaultError> {
        let long_enough = self.0.chars().count() >= Self::LEAST;
        if long_enough { Ok(()) } else { Err(VaultError::PassphraseTooShort) }
    }

    /// Whether both are the same text; for asking twice.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Derives the wrapping key. The cost is checked first, so a hostile header cannot make this expensive.
pub(super) fn derive(passphrase: &Passphrase, salt: &[u8; 16], cost: KdfCost) -> Result<Key, VaultError> {
    cost.check()?;
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(32)).map_err(|_| VaultError::KdfTooCostly)?;
    let mut key = Key::blank();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), salt, key.bytes_mut())
        .map_err(|_| VaultError::KdfTooCostly)?;
    Ok(key)
}
