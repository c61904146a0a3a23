//! The first 512 bytes: how to get from the passphrase to the vault key.
//!
//! | bytes | what |
//! |---|---|
//! | 0..12 | `XINFU VAULT` and a line feed |
//! | 12..14 | version, 1 |
//! | 14 | key derivation, 1 = Argon2id version 1.3 |
//! | 15 | cipher, 1 = XChaCha20-Poly1305 |
//! | 16..28 | memory in KiB, passes, lanes; four bytes each |
//! | 28..44 | vault id, random |
//! | 44..60 | salt, random |
//! | 60..84 | nonce of the wrapped key |
//! | 84..132 | the vault key, sealed under the wrapping key with bytes 0..60 as associated data |
//! | 132..480 | zero |
//! | 480..512 | SHA-256 of bytes 0..480 |
//!
//! Numbers are little-endian. The checksum tells an accident from a wrong passphrase; against intent it is the seal
//! that counts.

use super::{
    KdfCost, Passphrase, VaultError, kdf,
    record::{RecordKey, open_sealed, seal_bytes},
};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// The length of the header.
pub(super) const LENGTH: usize = 512;

const MAGIC: &[u8; 12] = b"XINFU VAULT\n";
const VERSION: u16 = 1;
const ARGON2ID: u8 = 1;
const XCHACHA20_POLY1305: u8 = 1;
const AUTHENTICATED: usize = 60;
const CHECKED: usize = 480;

/// A header whose checksum, version and cost are in order.
pub(super) struct Header {
    bytes: [u8; LENGTH],
    cost: KdfCost,
}

impl Header {
    /// A fresh header and the fresh key that it wraps.
    pub(super) fn make(
        passphrase: &Passphrase,
        cost: KdfCost,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, RecordKey), VaultError> {
        let mut vault_id = [0; 16];
        let mut salt = [0; 16];
        let mut vault_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut vault_id);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(vault_key.as_mut());

        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([ARGON2ID, XCHACHA20_POLY1305]);
        for number in [cost.memory, cost.passes, cost.lanes] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(vault_id);
        bytes.extend(salt);
        let wrapping_key = kdf::derive(passphrase, &salt, cost)?;
        let sealed = seal_bytes(&wrapping_key, vault_key.as_ref(), &bytes, rng)?;
        bytes.extend(sealed);
        bytes.resize(CHECKED, 0);
        bytes.extend(ledger::sha256(&bytes).as_bytes());

        let header = Self::parse(&bytes)?;
        let key = RecordKey::new(vault_key, &header.bytes);
        Ok((header, key))
    }

    /// Reads and checks everything that needs no passphrase.
    pub(super) fn parse(file: &[u8]) -> Result<Self, VaultError> {
        let bytes: [u8; LENGTH] = *file.first_chunk().ok_or_else(|| too_short(file))?;
        if bytes.first_chunk() != Some(MAGIC) {
            return Err(VaultError::NotAVault);
        }
        let (checked, checksum) = bytes.split_at(CHECKED);
        if ledger::sha256(checked).as_bytes().as_slice() != checksum {
            return Err(VaultError::HeaderDamaged);
        }
        let mut fields = Fields(&bytes);
        fields.take::<12>();
        let known = fields.take() == VERSION.to_le_bytes() && fields.take() == [ARGON2ID, XCHACHA20_POLY1305];
        if !known {
            return Err(VaultError::Newer);
        }
        let mut number = || u32::from_le_bytes(fields.take());
        let cost = KdfCost { memory: number(), passes: number(), lanes: number() };
        cost.check()?;
        Ok(Self { bytes, cost })
    }

    /// The vault key, if this is the passphrase.
    pub(super) fn unlock(&self, passphrase: &Passphrase) -> Result<RecordKey, VaultError> {
        let mut fields = Fields(&self.bytes);
        fields.take::<44>();
        let wrapping_key = kdf::derive(passphrase, &fields.take(), self.cost)?;
        let sealed: [u8; 72] = fields.take();
        let (authenticated, _) = self.bytes.split_at(AUTHENTICATED);
        let opened = open_sealed(&wrapping_key, &sealed, authenticated).ok_or(VaultError::Passphrase)?;
        let mut vault_key = Zeroizing::new([0; 32]);
        let whole = opened.first_chunk::<32>().ok_or(VaultError::Passphrase)?;
        vault_key.copy_from_slice(whole);
        Ok(RecordKey::new(vault_key, &self.bytes))
    }

    /// The header as it stands in the file.
    pub(super) fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }
}

/// A file shorter than a header is a cut-off vault if it begins like one.
fn too_short(file: &[u8]) -> VaultError {
    let begins_like_one = !file.is_empty() && MAGIC.iter().zip(file).all(|(magic, byte)| magic == byte);
    if begins_like_one {
        VaultError::Truncated { length: super::layout::length(file), expected: super::layout::RECORDS_START }
    } else {
        VaultError::NotAVault
    }
}

/// Takes fields of fixed length off the front. The header is longer than all its fields, so it never runs dry.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((field, rest)) => {
                self.0 = rest;
                *field
            }
            None => [0; N],
        }
    }
}
