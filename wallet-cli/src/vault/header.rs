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
//! | 132..140 | generation: how often the file was written anew (see [`super::Vault::replace_records`]) |
//! | 140..212 | the counter key, sealed under the vault key with `xinfu-vault counter key` and bytes 0..60 and 132..140 as associated data; zero in generation 0 |
//! | 212..480 | zero |
//! | 480..512 | SHA-256 of bytes 0..480 |
//!
//! Numbers are little-endian. The checksum tells an accident from a wrong passphrase; against intent it is the seal
//! that counts.
//!
//! Each generation has a vault key of its own, so that an old copy of the file together with an old passphrase opens
//! that copy and nothing later. The counter key stays through all generations: it authenticates what the machine
//! remembers of the vault (`seen`). Generation 0 derives it from its vault key.

use super::{
    KdfCost, Passphrase, VaultError, kdf,
    key::{Key, wipe_dead_stack},
    record::{RecordKey, open_sealed, seal_bytes},
};
use rand::CryptoRng;

/// The length of the header.
pub(super) const LENGTH: usize = 512;

const MAGIC: &[u8; 12] = b"XINFU VAULT\n";
const VERSION: u16 = 1;
const ARGON2ID: u8 = 1;
const XCHACHA20_POLY1305: u8 = 1;
const VAULT_ID: usize = 28;
const SALT: usize = 44;
const AUTHENTICATED: usize = 60;
const SEALED_KEY: usize = 72;
const GENERATION: usize = 132;
const CARRIED: usize = 140;
const COUNTER_KEY: &[u8] = b"xinfu-vault counter key";
const CHECKED: usize = 480;

/// A header whose checksum, version and cost are in order.
pub(super) struct Header {
    bytes: [u8; LENGTH],
    cost: KdfCost,
}

/// A header with the keys that the passphrase gives.
pub(super) struct Unlocked {
    pub(super) header: Header,
    pub(super) key: RecordKey,
    wrapping: Key,
    /// Authenticates what the machine remembers of the vault.
    pub(super) counter: Key,
}

impl Unlocked {
    /// A fresh header and the fresh keys that it wraps.
    pub(super) fn make(passphrase: &Passphrase, cost: KdfCost, rng: &mut dyn CryptoRng) -> Result<Self, VaultError> {
        let mut vault_id = [0; 16];
        rng.fill_bytes(&mut vault_id);
        let lock = Lock::make(passphrase, cost, rng)?;
        assemble(&vault_id, lock, 0, None, rng)
    }

    /// The header of a next generation, at least `generation`: the same vault, a fresh vault key, and under another
    /// passphrase or cost if so wished.
    pub(super) fn renew(
        &self,
        generation: u64,
        lock: Option<(&Passphrase, KdfCost)>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, VaultError> {
        let lock = match lock {
            Some((passphrase, cost)) => Lock::make(passphrase, cost, rng)?,
            None => Lock { salt: self.header.field(SALT), cost: self.header.cost, wrapping: self.wrapping.twin() },
        };
        let generation = generation.max(self.header.generation().saturating_add(1));
        assemble(&self.header.vault_id(), lock, generation, Some(self.counter.twin()), rng)
    }
}

#[cfg(test)]
impl Unlocked {
    /// Unlocked without the passphrase, whose derivation would make thousands of cases slow.
    pub(super) fn of_key(file: &[u8], key: &[u8; 32]) -> Self {
        let header = Header::parse(file).unwrap();
        let vault_key = Key::copied(key).unwrap();
        let counter = Key::derived(COUNTER_KEY, vault_key.bytes());
        let key = RecordKey::new(vault_key, &header.bytes);
        Self { header, key, wrapping: Key::blank(), counter }
    }
}

/// What stands between the passphrase and the vault key.
struct Lock {
    salt: [u8; 16],
    cost: KdfCost,
    wrapping: Key,
}

impl Lock {
    fn make(passphrase: &Passphrase, cost: KdfCost, rng: &mut dyn CryptoRng) -> Result<Self, VaultError> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let wrapping = kdf::derive(passphrase, &salt, cost)?;
        Ok(Self { salt, cost, wrapping })
    }
}

fn assemble(
    vault_id: &[u8; 16],
    lock: Lock,
    generation: u64,
    carried: Option<Key>,
    rng: &mut dyn CryptoRng,
) -> Result<Unlocked, VaultError> {
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([ARGON2ID, XCHACHA20_POLY1305]);
    for number in [lock.cost.memory, lock.cost.passes, lock.cost.lanes] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(vault_id);
    bytes.extend(lock.salt);
    let vault_key = Key::random(rng);
    let sealed = seal_bytes(lock.wrapping.bytes(), vault_key.bytes(), &bytes, rng)?;
    let associated = counter_data(&bytes, generation);
    bytes.extend(sealed);
    bytes.extend(generation.to_le_bytes());
    let counter = match carried {
        Some(counter) => {
            bytes.extend(seal_bytes(vault_key.bytes(), counter.bytes(), &associated, rng)?);
            counter
        }
        None => Key::derived(COUNTER_KEY, vault_key.bytes()),
    };
    bytes.resize(CHECKED, 0);
    bytes.extend(ledger::sha256(&bytes).as_bytes());

    let header = Header::parse(&bytes)?;
    let key = RecordKey::new(vault_key, &header.bytes);
    wipe_dead_stack();
    Ok(Unlocked { header, key, wrapping: lock.wrapping, counter })
}

fn counter_data(authenticated: &[u8], generation: u64) -> Vec<u8> {
    [COUNTER_KEY, authenticated, &generation.to_le_bytes()].concat()
}

impl Header {
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
        let mut header = Self { bytes, cost: KdfCost::FLOOR };
        let known = header.field(12) == VERSION.to_le_bytes() && header.field(14) == [ARGON2ID, XCHACHA20_POLY1305];
        if !known {
            return Err(VaultError::Newer);
        }
        let number = |at| u32::from_le_bytes(header.field(at));
        header.cost = KdfCost { memory: number(16), passes: number(20), lanes: number(24) };
        header.cost.check()?;
        Ok(header)
    }

    /// The keys, if this is the passphrase.
    pub(super) fn unlock(self, passphrase: &Passphrase) -> Result<Unlocked, VaultError> {
        let unlocked = self.open(passphrase);
        wipe_dead_stack();
        unlocked
    }

    fn open(self, passphrase: &Passphrase) -> Result<Unlocked, VaultError> {
        let wrapping = kdf::derive(passphrase, &self.field(SALT), self.cost)?;
        let (authenticated, _) = self.bytes.split_at(AUTHENTICATED);
        let opened = open_sealed(wrapping.bytes(), &self.field::<SEALED_KEY>(AUTHENTICATED), authenticated);
        let vault_key = opened.and_then(|opened| Key::copied(&opened)).ok_or(VaultError::Passphrase)?;
        let counter = match self.generation() {
            0 => Key::derived(COUNTER_KEY, vault_key.bytes()),
            generation => {
                let sealed = self.field::<SEALED_KEY>(CARRIED);
                let opened = open_sealed(vault_key.bytes(), &sealed, &counter_data(authenticated, generation));
                opened.and_then(|opened| Key::copied(&opened)).ok_or(VaultError::HeaderDamaged)?
            }
        };
        let key = RecordKey::new(vault_key, &self.bytes);
        Ok(Unlocked { header: self, key, wrapping, counter })
    }

    /// The header as it stands in the file.
    pub(super) fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }

    /// Which vault it is, through all its generations.
    pub(super) fn vault_id(&self) -> [u8; 16] {
        self.field(VAULT_ID)
    }

    /// How often the file was written anew.
    pub(super) fn generation(&self) -> u64 {
        u64::from_le_bytes(self.field(GENERATION))
    }

    /// What one guess at the passphrase costs.
    pub(super) fn cost(&self) -> KdfCost {
        self.cost
    }

    /// `N` bytes from `at`. Every field ends before the header does, so this never runs dry.
    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        self.bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
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
