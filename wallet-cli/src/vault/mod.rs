//! The vault: one encrypted file under the holder's passphrase.
//!
//! The file is a header, two commit slots and a row of sealed records that only grows (`docs/formats.md` §vault). The
//! vault knows nothing of credentials: a record is bytes. Adding one costs two writes and two syncs, however many
//! records there are.
//!
//! ```text
//! passphrase ─Argon2id─► wrapping key ─unwraps─► vault key ─opens─► commit slots, records
//! ```
//!
//! # If we die while adding a record
//!
//! | after | the file then | the next open |
//! |---|---|---|
//! | old rest cut off | as before | as before |
//! | part of the record written | a torn tail behind the committed end | drops the tail, says so |
//! | whole record written or synced | a whole record behind the committed end | keeps it: the holder gains, nobody loses |
//! | part of the commit slot written | that slot damaged, the other one whole | uses the other, finds the record behind it |
//! | commit slot written and synced | everything in place; only now is the record acknowledged | as is |
//!
//! Inside the committed end nothing may be missing or different: that is damage, and named with its place, never
//! repaired. What the file cannot tell is that somebody put back a whole older copy of it: that is what `seen` is for.

mod disk;
mod error;
mod header;
mod kdf;
mod key;
mod layout;
mod record;
mod seen;
mod slot;
mod survey;

pub use error::VaultError;
pub use kdf::{KdfCost, Passphrase};
pub use seen::Sight;
pub use survey::{Fault, mend_without_opening, survey};

pub(crate) use key::{Key, wipe_dead_stack};
pub(crate) use record::{open_sealed, seal_bytes};

use disk::{Disk, FileDisk};
use header::{Header, Unlocked};
use layout::Contents;
use rand::CryptoRng;
use slot::Slot;
use std::path::Path;
use zeroize::Zeroizing;

/// What the last open found beside an orderly file. Nothing acknowledged is lost in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// A write that never finished, and was never acknowledged, was left out.
    TailDropped {
        /// How many bytes of it stand in the file.
        bytes: u64,
    },
    /// A write that was never acknowledged turned out whole, and is kept.
    WriteCompleted,
    /// One of the two commit slots is damaged; the other one, and the records themselves, say the same.
    SlotDamaged,
}

/// An open vault. Holds the lock on its directory until dropped.
pub struct Vault {
    disk: Box<dyn Disk>,
    unlocked: Unlocked,
    contents: Contents,
    /// A write failed, so the file may be ahead of us: nothing more until the next open.
    poisoned: bool,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("records", &self.contents.records.len()).finish_non_exhaustive()
    }
}

impl Vault {
    /// Makes an empty vault in `dir`, which is made too if need be.
    ///
    /// # Errors
    /// [`VaultError::Exists`] if there is one, [`VaultError::InUse`], a cost outside its bounds, or a disk's refusal.
    pub fn create(
        dir: &Path,
        passphrase: &Passphrase,
        cost: KdfCost,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, VaultError> {
        Self::create_holding(&[], dir, passphrase, cost, rng)
    }

    /// Makes a vault that holds these records from the start: after a crash it is there with all of them, or not.
    ///
    /// # Errors
    /// As [`Vault::create`]; [`VaultError::RecordTooLarge`].
    pub fn create_holding(
        records: &[Zeroizing<Vec<u8>>],
        dir: &Path,
        passphrase: &Passphrase,
        cost: KdfCost,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, VaultError> {
        let unlocked = Unlocked::make(passphrase, cost, rng)?;
        let bytes = layout::write(&unlocked, records, rng)?;
        let disk = FileDisk::create(dir, &bytes)?;
        Self::read(Box::new(disk), unlocked, &bytes)
    }

    /// Whether something stands in `dir` under a vault's name.
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        std::fs::symlink_metadata(dir.join(disk::FILE)).is_ok()
    }

    /// Opens the vault in `dir`.
    ///
    /// # Errors
    /// Each thing that can be wrong has its own variant; see [`VaultError`]. A wrong passphrase always gives
    /// [`VaultError::Passphrase`], whatever else is wrong behind the header.
    pub fn open(dir: &Path, passphrase: &Passphrase) -> Result<Self, VaultError> {
        Self::open_on(Box::new(FileDisk::open(dir)?), passphrase)
    }

    fn open_on(mut disk: Box<dyn Disk>, passphrase: &Passphrase) -> Result<Self, VaultError> {
        let bytes = disk.read_all()?;
        let unlocked = Header::parse(&bytes)?.unlock(passphrase)?;
        Self::read(disk, unlocked, &bytes)
    }

    fn read(disk: Box<dyn Disk>, unlocked: Unlocked, bytes: &[u8]) -> Result<Self, VaultError> {
        let contents = layout::read(bytes, &unlocked.key)?;
        Ok(Self { disk, unlocked, contents, poisoned: false })
    }

    /// The records, oldest first.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.contents.records.iter().map(|record| record.as_slice())
    }

    /// What the open found beside an orderly file.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.contents.notes
    }

    /// Adds one record; it is durable when this returns.
    ///
    /// The order is the meaning here: see the table at the top of this module for what holds after each step.
    ///
    /// # Errors
    /// [`VaultError::RecordTooLarge`] leaves everything as it was. After any other error the record may or may not be
    /// there, and the vault refuses further writes with [`VaultError::Poisoned`] until it is opened again.
    pub fn append(&mut self, content: &[u8], rng: &mut dyn CryptoRng) -> Result<(), VaultError> {
        if self.poisoned {
            return Err(VaultError::Poisoned);
        }
        let sequence = self.contents.sequence + 1;
        let frame = record::seal(content, sequence, &self.unlocked.key, rng)?;
        let end = self.contents.end + layout::length(&frame);
        let slot = Slot { sequence, end }.seal(&self.unlocked.key, rng)?;
        let slot_place = self.contents.stale_slot;

        self.poisoned = true;
        if self.contents.file_length > self.contents.end {
            self.disk.set_length(self.contents.end)?;
        }
        self.disk.write_at(self.contents.end, &frame)?;
        self.disk.sync()?;
        self.disk.write_at(slot_place.offset(), &slot)?;
        self.disk.sync()?;
        self.poisoned = false;

        self.contents.sequence = sequence;
        self.contents.end = end;
        self.contents.file_length = end;
        self.contents.stale_slot = slot_place.other();
        self.contents.frames.push(ledger::sha256(&frame));
        self.contents.records.push(Zeroizing::new(content.to_vec()));
        Ok(())
    }

    /// Brings an orderly file about where the open found one that is whole but untidy: cuts the torn tail off, and
    /// writes both commit slots. No record changes, so a crash at any step leaves what was there or better.
    ///
    /// # Errors
    /// As [`Vault::append`].
    pub fn tidy(&mut self, rng: &mut dyn CryptoRng) -> Result<(), VaultError> {
        if self.poisoned {
            return Err(VaultError::Poisoned);
        }
        self.poisoned = true;
        if self.contents.file_length > self.contents.end {
            self.disk.set_length(self.contents.end)?;
            self.disk.sync()?;
        }
        for _ in 0..2 {
            let slot = Slot { sequence: self.contents.sequence, end: self.contents.end };
            let place = self.contents.stale_slot;
            self.disk.write_at(place.offset(), &slot.seal(&self.unlocked.key, rng)?)?;
            self.disk.sync()?;
            self.contents.stale_slot = place.other();
        }
        self.contents.file_length = self.contents.end;
        self.contents.notes.clear();
        self.poisoned = false;
        Ok(())
    }
}

/// Writing the file anew. The new file has the next generation's header and a fresh vault key, and takes the old one's
/// place in one step: a crash leaves the old vault or the new one, whole, and at most a draft beside it. It costs as
/// much as the vault is large, which is why additions do not work this way.
impl Vault {
    /// Puts these records in the place of all that are there; what is left out is gone from the file.
    ///
    /// # Errors
    /// As [`Vault::append`]; after an error the vault holds the old records or these.
    pub fn replace_records(
        &mut self,
        records: &[Zeroizing<Vec<u8>>],
        rng: &mut dyn CryptoRng,
    ) -> Result<(), VaultError> {
        let next = self.unlocked.renew(0, None, rng)?;
        self.rewrite(next, records, rng)
    }

    /// Puts the vault under another passphrase, or another cost of guessing it. The old passphrase opens nothing but
    /// old copies of the file.
    ///
    /// # Errors
    /// As [`Vault::append`], or a cost outside its bounds; after an error one of the two passphrases opens the vault.
    pub fn change_passphrase(
        &mut self,
        passphrase: &Passphrase,
        cost: KdfCost,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), VaultError> {
        let next = self.unlocked.renew(0, Some((passphrase, cost)), rng)?;
        let records = std::mem::take(&mut self.contents.records);
        self.rewrite(next, &records, rng)
    }

    fn rewrite(
        &mut self,
        next: Unlocked,
        records: &[Zeroizing<Vec<u8>>],
        rng: &mut dyn CryptoRng,
    ) -> Result<(), VaultError> {
        if self.poisoned {
            return Err(VaultError::Poisoned);
        }
        let bytes = layout::write(&next, records, rng)?;
        self.poisoned = true;
        self.disk.replace(&bytes)?;
        self.contents = layout::read(&bytes, &next.key)?;
        self.unlocked = next;
        self.poisoned = false;
        Ok(())
    }

    /// What one guess at the passphrase costs.
    #[must_use]
    pub fn cost(&self) -> KdfCost {
        self.unlocked.header.cost()
    }
}

#[cfg(test)]
mod tests;
