//! Verifier keys: a name, a kind and an Ed25519 public key, written `<name>+<key id>+<base64 of kind and key>`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::NoteSignature;
use crate::base64;
use crate::cosignature::{self, CosignatureError};
use crate::ed25519::{PublicKey, PublicKeyError, SIGNATURE_LENGTH, SignatureError, Signed};
use crate::hash::sha256;

/// What a key signs, by its signature type byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureKind {
    /// `0x01`: Ed25519 over the note's text.
    Ed25519,
    /// `0x04`: timestamped Ed25519 cosignature of a checkpoint, C2SP tlog-cosignature `cosignature/v1`.
    CosignatureV1,
}

impl SignatureKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::CosignatureV1),
            _ => None,
        }
    }
}

/// The first four bytes of SHA-256 over name, newline, kind and public key. Not a commitment: it only finds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

/// A public key that verifies signature lines of notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: SignatureKind,
    key: PublicKey,
    id: KeyId,
}

impl VerifierKey {
    /// Names a key.
    ///
    /// # Errors
    /// [`KeyError::Name`] if the name is empty or holds a space, a `+` or a control character.
    pub fn new(name: &str, kind: SignatureKind, key: PublicKey) -> Result<Self, KeyError> {
        if !is_valid_name(name) {
            return Err(KeyError::Name);
        }
        let input = [name.as_bytes(), b"\n", &[kind.byte()], key.as_bytes()].concat();
        let [a, b, c, d, ..] = sha256(&input).to_bytes();
        Ok(Self { name: name.to_owned(), kind, key, id: KeyId([a, b, c, d]) })
    }

    /// The name that stands in signature lines.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    #[must_use]
    pub const fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// The key without its name.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The id that stands in signature lines.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Whether `signature` claims to be by this key.
    #[must_use]
    pub fn is_named_by(&self, signature: &NoteSignature) -> bool {
        self.id == signature.key_id && self.name == signature.name
    }

    /// Verifies `signature`, which must claim to be by this key, over the note's `text`. For a cosignature, the answer
    /// is the time it states, in seconds since the epoch.
    ///
    /// # Errors
    /// [`LineError`] if it is not a signature of `text` by this key.
    pub fn verify(&self, text: &str, signature: &NoteSignature) -> Result<Option<u64>, LineError> {
        match self.kind {
            SignatureKind::Ed25519 => {
                self.key.verify(text.as_bytes(), plain(&signature.bytes)?)?;
                Ok(None)
            }
            SignatureKind::CosignatureV1 => Ok(Some(cosignature::verify(&self.key, text, &signature.bytes)?)),
        }
    }

    /// What there is to verify, so that it can be verified together with others.
    pub(crate) fn claimed<'a>(&'a self, text: &'a str, signature: &'a NoteSignature) -> Result<Claimed<'a>, LineError> {
        let key = &self.key;
        match self.kind {
            SignatureKind::Ed25519 => {
                let signature = plain(&signature.bytes)?;
                Ok(Claimed { key, message: Cow::Borrowed(text), signature, time: None })
            }
            SignatureKind::CosignatureV1 => {
                let (time, signature) = cosignature::read(&signature.bytes)?;
                let message = Cow::Owned(cosignature::message(time, text));
                Ok(Claimed { key, message, signature, time: Some(time) })
            }
        }
    }
}

fn plain(bytes: &[u8]) -> Result<&[u8; SIGNATURE_LENGTH], LineError> {
    bytes.try_into().map_err(|_| LineError::Length)
}

/// A signature line taken apart and not verified.
pub(crate) struct Claimed<'a> {
    key: &'a PublicKey,
    message: Cow<'a, str>,
    signature: &'a [u8; SIGNATURE_LENGTH],
    /// The time that a cosignature states.
    pub(crate) time: Option<u64>,
}

impl Claimed<'_> {
    pub(crate) fn signed(&self) -> Signed<'_> {
        Signed { key: self.key, message: self.message.as_bytes(), signature: self.signature }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [&[self.kind.byte()], &self.key.as_bytes()[..]].concat();
        write!(f, "{}+{}+{}", self.name, self.id, base64::encode_standard(&material))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Form)?;
        let (id, material) = rest.split_once('+').ok_or(KeyError::Form)?;
        let material = base64::decode_standard(material).ok_or(KeyError::Form)?;
        let (kind, key) = material.split_first().ok_or(KeyError::Form)?;
        let kind = SignatureKind::from_byte(*kind).ok_or(KeyError::UnknownKind)?;
        let key: &[u8; PublicKey::LENGTH] = key.try_into().map_err(|_| KeyError::Form)?;
        let key = Self::new(name, kind, PublicKey::from_bytes(key)?)?;
        // Compared as text: the id is eight lowercase hexadecimal digits and nothing else.
        if key.id.to_string() == id { Ok(key) } else { Err(KeyError::IdMismatch) }
    }
}

/// Whether `name` may name a key: not empty, no Unicode space, no `+`, no control character.
pub(super) fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ')
}

/// Why a text is not a verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not three parts, or the last is not base64 of a kind and 32 bytes.
    #[error("the verifier key is not <name>+<key id>+<key>")]
    Form,
    /// The name is empty or holds a space, a `+` or a control character.
    #[error("the key name is empty or holds a character that is not allowed")]
    Name,
    /// A signature type other than `0x01` and `0x04`.
    #[error("the verifier key has a signature type that is not supported")]
    UnknownKind,
    /// The id is not that of the name, kind and key.
    #[error("the key id does not fit the key")]
    IdMismatch,
    /// The 32 bytes are not an acceptable public key.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
}

/// Why a line that claims to be by a known key is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not 64 bytes.
    #[error("the signature does not have 64 bytes")]
    Length,
    /// The signature does not verify.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The cosignature does not verify.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
}
