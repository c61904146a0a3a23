//! Secrets at rest under a passphrase: Argon2id (RFC 9106) and XChaCha20-Poly1305 around the content of a private file.
//!
//! ```text
//! xinfu-sealed-1 argon2id 65536 3 1 <salt, 16 bytes in base64url>
//! <nonce, 24 bytes, and the sealed content with its tag, in base64url>
//! ```
//!
//! The first line, without its line end, is the associated data: whoever weakens the cost or changes the salt makes the
//! file unreadable, not weaker.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use identity_core::encoding::base64url;
use rand::CryptoRng;
use zeroize::Zeroizing;

const MAGIC: &str = "xinfu-sealed-1";
const NONCE: usize = 24;
const SALT: usize = 16;

/// Longest passphrase, in bytes: longer than anybody's, short enough to read into memory unasked.
pub const MAX_PASSPHRASE_BYTES: usize = 4096;
/// Shortest passphrase for new seals, in characters. A service's passphrase is made by a program, not remembered.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// What one guess at the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    /// Memory, in KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

/// The least that is believed: OWASP's minimum for Argon2id.
const FLOOR: Cost = Cost { memory: 19 * 1024, passes: 2, lanes: 1 };
/// The most: a file must not bring the machine down.
const CEILING: Cost = Cost { memory: 1024 * 1024, passes: 16, lanes: 16 };
/// RFC 9106's second choice, in one lane because this implementation runs lanes one after the other.
const DEFAULT: Cost = Cost { memory: 64 * 1024, passes: 3, lanes: 1 };

/// A passphrase; wiped from memory when dropped.
pub struct Passphrase(Zeroizing<String>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl Passphrase {
    /// The first line of `bytes`. None if it is empty, longer than [`MAX_PASSPHRASE_BYTES`] or not UTF-8.
    #[must_use]
    pub fn first_line(bytes: &[u8]) -> Option<Self> {
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).ok().filter(|text| !text.is_empty())?;
        (text.len() <= MAX_PASSPHRASE_BYTES).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Whether new seals may have it.
    #[must_use]
    pub fn is_long_enough(&self) -> bool {
        self.0.chars().count() >= MIN_PASSPHRASE_CHARS
    }
}

/// Why sealed content cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    /// It does not have the form.
    #[error("it is damaged")]
    Malformed,
    /// Another passphrase, or the content was changed: the seal cannot tell which.
    #[error("the passphrase does not open it")]
    Passphrase,
}

/// Whether these bytes claim to be sealed.
#[must_use]
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC.as_bytes())
}

/// Seals `content`. None only if the random source or the cost is out of order: a mistake in our code.
#[must_use]
pub fn seal(content: &[u8], passphrase: &Passphrase, rng: &mut dyn CryptoRng) -> Option<Zeroizing<String>> {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut nonce);
    let Cost { memory, passes, lanes } = DEFAULT;
    let head = format!("{MAGIC} argon2id {memory} {passes} {lanes} {}", base64url::encode(&salt));
    let cipher = XChaCha20Poly1305::new((&*derive(passphrase, &salt, DEFAULT)?).into());
    let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: content, aad: head.as_bytes() }).ok()?;
    let body = base64url::encode(&[nonce.as_slice(), &sealed].concat());
    Some(Zeroizing::new(format!("{head}\n{body}\n")))
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`Unsealable`].
pub fn open(bytes: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unsealable::Malformed)?;
    let (head, body) = text.split_once('\n').ok_or(Unsealable::Malformed)?;
    let (salt, cost) = read_head(head).ok_or(Unsealable::Malformed)?;
    let body = body.strip_suffix('\n').unwrap_or(body);
    let sealed = base64url::decode(body.as_bytes()).map_err(|_| Unsealable::Malformed)?;
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(Unsealable::Malformed)?;
    let key = derive(passphrase, &salt, cost).ok_or(Unsealable::Malformed)?;
    let payload = Payload { msg: sealed, aad: head.as_bytes() };
    let opened = XChaCha20Poly1305::new((&*key).into()).decrypt(&XNonce::from(*nonce), payload);
    opened.map(Zeroizing::new).map_err(|_| Unsealable::Passphrase)
}

fn read_head(head: &str) -> Option<([u8; SALT], Cost)> {
    let mut words = head.split(' ');
    if (words.next()?, words.next()?) != (MAGIC, "argon2id") {
        return None;
    }
    let mut number = || words.next()?.parse().ok();
    let cost = Cost { memory: number()?, passes: number()?, lanes: number()? };
    let salt = base64url::decode_array(words.next()?.as_bytes()).ok()?;
    let at_least = cost.memory >= FLOOR.memory && cost.passes >= FLOOR.passes && cost.lanes >= FLOOR.lanes;
    let at_most = cost.memory <= CEILING.memory && cost.passes <= CEILING.passes && cost.lanes <= CEILING.lanes;
    (words.next().is_none() && at_least && at_most).then_some((salt, cost))
}

fn derive(passphrase: &Passphrase, salt: &[u8; SALT], cost: Cost) -> Option<Zeroizing<[u8; 32]>> {
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(passphrase.0.as_bytes(), salt, key.as_mut()).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::system_rng;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::first_line(text.as_bytes()).unwrap()
    }

    #[test]
    fn opens_with_its_passphrase_only_and_no_bit_can_change() {
        let sealed = seal(b"secret", &passphrase("a sample passphrase"), &mut system_rng().unwrap()).unwrap();
        assert!(is_sealed(sealed.as_bytes()) && !sealed.contains("secret"));
        assert_eq!(open(sealed.as_bytes(), &passphrase("a sample passphrase")).unwrap().as_slice(), b"secret");
        assert_eq!(open(sealed.as_bytes(), &passphrase("another one")), Err(Unsealable::Passphrase));
        // One place in each field: deriving the key is slow on purpose.
        for place in [3, 18, 28, 34, 36, 45, 70, sealed.len() - 3] {
            let mut bad = sealed.as_bytes().to_vec();
            bad[place] ^= 1;
            assert!(open(&bad, &passphrase("a sample passphrase")).is_err(), "byte {place}");
        }
    }

    #[test]
    fn a_cost_that_is_too_low_or_too_high_is_not_tried() {
        for cost in ["1024 3 1", "65536 1 1", "4294967295 3 1", "65536 99 1", "65536 3 99"] {
            let file = format!("{MAGIC} argon2id {cost} AAAAAAAAAAAAAAAAAAAAAA\n{}\n", "A".repeat(96));
            assert_eq!(open(file.as_bytes(), &passphrase("a sample passphrase")), Err(Unsealable::Malformed), "{cost}");
        }
    }

    #[test]
    fn the_first_line_is_the_passphrase() {
        assert_eq!(&*passphrase("one two\r\nthree\n").0, "one two");
        assert!(Passphrase::first_line(b"\n").is_none() && Passphrase::first_line(b"\xff\n").is_none());
        assert!(Passphrase::first_line(&[b'a'; MAX_PASSPHRASE_BYTES + 1]).is_none());
        assert!(!passphrase("1234567").is_long_enough() && passphrase("一二三四五六七八").is_long_enough());
    }
}
