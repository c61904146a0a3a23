//! Sealing: XChaCha20-Poly1305 with random nonces, and the frame of one record.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | length of what follows the nonce, n |
//! | 4..20 | record id, random |
//! | 20..44 | nonce, random |
//! | 44..44+n | sealed content, tag included |
//!
//! Associated data: `xinfu-vault record`, SHA-256 of the header, sequence number (8 bytes, counting from 1), record id,
//! length. So a record cannot be moved, copied, replaced or taken from another vault. The content is prefixed with its
//! length (4 bytes) and padded with zeros to a multiple of 256, so that sizes tell little about what a record is.

use super::{VaultError, key::Key};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// The most that one record may hold: a credential with its proofs is below 100 KiB.
pub(super) const MOST_CONTENT: usize = 1024 * 1024;

const FRAME_HEAD: usize = 44;
const NONCE: usize = 24;
const TAG: usize = 16;
const PAD: usize = 256;

/// The vault key, with the digest of the header that it belongs to.
pub(super) struct RecordKey {
    key: Key,
    header: ledger::Hash,
}

impl RecordKey {
    pub(super) fn new(key: Key, header: &[u8]) -> Self {
        Self { key, header: ledger::sha256(header) }
    }

    pub(super) fn key(&self) -> &[u8; 32] {
        self.key.bytes()
    }

    /// Associated data that binds to this vault, under a label that keeps kinds of data apart.
    pub(super) fn bind(&self, label: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut data = label.to_vec();
        data.extend(self.header.as_bytes());
        for part in parts {
            data.extend(*part);
        }
        data
    }

    fn bind_record(&self, sequence: u64, id: &[u8; 16], length: [u8; 4]) -> Vec<u8> {
        self.bind(b"xinfu-vault record", &[&sequence.to_le_bytes(), id, &length])
    }
}

/// A whole record in its frame.
pub(super) fn seal(
    content: &[u8],
    sequence: u64,
    key: &RecordKey,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, VaultError> {
    if content.len() > MOST_CONTENT {
        return Err(VaultError::RecordTooLarge);
    }
    let content_length = u32::try_from(content.len()).map_err(|_| VaultError::RecordTooLarge)?;
    let padded = (content.len() + 4).next_multiple_of(PAD);
    let mut plain = Zeroizing::new(Vec::with_capacity(padded));
    plain.extend(content_length.to_le_bytes());
    plain.extend(content);
    plain.resize(padded, 0);

    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    let length = u32::try_from(padded + TAG).map_err(|_| VaultError::RecordTooLarge)?.to_le_bytes();
    let sealed = seal_bytes(key.key(), &plain, &key.bind_record(sequence, &id, length), rng)?;
    let mut frame = Vec::with_capacity(FRAME_HEAD + padded + TAG);
    frame.extend(length);
    frame.extend(id);
    frame.extend(sealed);
    Ok(frame)
}

/// The first record in `bytes` and the length of its frame; `None` if it is not whole or not the one with this number.
pub(super) fn open(bytes: &[u8], sequence: u64, key: &RecordKey) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    let sealed_length = usize::try_from(u32::from_le_bytes(*length)).ok()?.checked_add(NONCE)?;
    let sealed = rest.get(..sealed_length)?;
    let plain = open_sealed(key.key(), sealed, &key.bind_record(sequence, id, *length))?;
    let (content_length, padded) = plain.split_first_chunk::<4>()?;
    let content = padded.get(..usize::try_from(u32::from_le_bytes(*content_length)).ok()?)?;
    Some((Zeroizing::new(content.to_vec()), 20 + sealed_length))
}

/// Nonce, then sealed bytes with their tag.
pub(crate) fn seal_bytes(
    key: &[u8; 32],
    plain: &[u8],
    associated: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE];
    rng.fill_bytes(&mut nonce);
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload { msg: plain, aad: associated };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::RecordTooLarge)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The inverse of [`seal_bytes`]; `None` if a bit of key, bytes or associated data differs.
pub(crate) fn open_sealed(key: &[u8; 32], sealed: &[u8], associated: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let plain = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: rest, aad: associated }).ok()?;
    Some(Zeroizing::new(plain))
}
