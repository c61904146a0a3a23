//! Compact JWE (RFC 7516) to one P-256 key: key agreement by `ECDH-ES` (RFC 7518 §4.6), content under `A256GCM` or
//! `A128GCM`. This is what an answer travels in under response mode `direct_post.jwt`.
//!
//! `josekit` is used here and nowhere else, and sees a token only when all of its form was checked: the lists of
//! algorithms are closed, nothing is compressed, no extension is demanded, and the sender's point is on the curve. Two
//! of these checks are ours alone, since the library leaves them out: the authentication tag has all of its 16 bytes
//! (a shorter one would be compared only as far as it goes), and the initialisation vector has 12.
//!
//! # What is not pure
//! The ephemeral key and the initialisation vector of [`encrypt`] come from OpenSSL's own generator: the library has no
//! way to hand them in. As with the nonces of ES256 (see [`crate::crypto`]), encrypting is therefore the one act here
//! that gives other bytes each time; [`decrypt`] is a function of its arguments. Keys to be kept are made from the
//! caller's generator, as all others: see [`DecryptionKey::generate`].
//!
//! # What this does not say
//! Who encrypted. A public key is all that is needed; the content must prove itself.

use josekit::jwe::{ECDH_ES, JweHeader};
use thiserror::Error;
use zeroize::Zeroizing;

use super::JwkError;
use crate::encoding::base64url::Base64Error;
use crate::encoding::json::JsonError;
use crate::problem::Code;

mod compact;
mod key;

pub use key::{DecryptionKey, EncryptionKey};

/// The one key agreement, by its JOSE name.
pub const ALG: &str = "ECDH-ES";

/// A content encryption, out of the closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enc {
    /// AES-256 in Galois/Counter Mode.
    A256Gcm,
    /// AES-128 in Galois/Counter Mode.
    A128Gcm,
}

impl Enc {
    /// All of them, in order of preference.
    pub const ALL: &'static [Self] = &[Self::A256Gcm, Self::A128Gcm];

    /// The name in a JOSE header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A256Gcm => "A256GCM",
            Self::A128Gcm => "A128GCM",
        }
    }

    /// The content encryption with this exact JOSE name; case matters.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|enc| enc.name() == name)
    }
}

/// Why a text is not a JWE to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JweError {
    /// Longer than the limit.
    #[error("JWE is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Not five parts between four dots.
    #[error("JWE does not have five parts")]
    Parts,
    /// A part is not strict base64url.
    #[error("JWE: {0}")]
    Encoding(Base64Error),
    /// The header is not strict JSON.
    #[error("JWE header: {0}")]
    Json(JsonError),
    /// `alg` is not [`ALG`].
    #[error("JWE is under another key agreement than {ALG}")]
    Alg,
    /// `enc` is outside the closed list.
    #[error("JWE is under a content encryption that is not accepted")]
    Enc,
    /// `zip`: a compressed content would be unpacked before anyone knows its size.
    #[error("JWE content may not be compressed")]
    Compressed,
    /// `crit` demands an extension; we know none.
    #[error("JWE header demands an unknown extension")]
    Critical,
    /// `cty` says that the content is a token again.
    #[error("JWE content may not be a token")]
    Nested,
    /// `kid` is not the key's.
    #[error("JWE is not for this key")]
    Kid,
    /// `epk`, `apu` or `apv` cannot be used: the sender's half of the agreement.
    #[error("JWE header has no acceptable ephemeral key")]
    Ephemeral,
    /// The ephemeral key is of another curve, or not a point of this one.
    #[error("JWE ephemeral key: {0}")]
    Point(JwkError),
    /// There is an encrypted key, or initialisation vector or tag have another length than the algorithms give them.
    #[error("a part of the JWE has a wrong length")]
    Length,
    /// By another key, or changed under way. Nothing more can be said about why.
    #[error("JWE cannot be decrypted")]
    Undecipherable,
}

impl JweError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::JoseJweTooLarge,
            Self::Parts => Code::JoseJweParts,
            Self::Encoding(error) => error.code(),
            Self::Json(error) => error.code(),
            Self::Alg => Code::JoseJweAlg,
            Self::Enc => Code::JoseJweEnc,
            Self::Compressed => Code::JoseJweCompressed,
            Self::Critical => Code::JoseHeaderCritical,
            Self::Nested => Code::JoseJweNested,
            Self::Kid => Code::JoseJweKid,
            Self::Ephemeral | Self::Point(_) => Code::JoseJweEphemeral,
            Self::Length => Code::JoseJweLength,
            Self::Undecipherable => Code::JoseJweUndecipherable,
        }
    }
}

/// The content could not be encrypted. Not the fault of any input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("encryption failed")]
pub struct EncryptionFailed;

impl EncryptionFailed {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::JoseEncryptionFailed
    }
}

/// Encrypts `content`, byte for byte, as a compact JWE that names the key.
///
/// # Errors
/// [`EncryptionFailed`] if the library or its generator fails.
pub fn encrypt(content: &[u8], to: &EncryptionKey, enc: Enc) -> Result<String, EncryptionFailed> {
    let mut header = JweHeader::new();
    header.set_content_encryption(enc.name());
    header.set_key_id(to.kid());
    let encrypter = ECDH_ES.encrypter_from_der(to.to_der()).map_err(|_| EncryptionFailed)?;
    josekit::jwe::serialize_compact(content, &header, &encrypter).map_err(|_| EncryptionFailed)
}

/// Decrypts a compact JWE of at most `limit` bytes that is for `key`. The content is wiped when it is dropped.
///
/// # Errors
/// [`JweError`]; all but the last before any cryptography.
pub fn decrypt(compact: &str, key: &DecryptionKey, limit: usize) -> Result<Zeroizing<Vec<u8>>, JweError> {
    compact::check(compact, key.public().kid(), limit)?;
    let decrypter = ECDH_ES.decrypter_from_der(key.to_der()).map_err(|_| JweError::Undecipherable)?;
    let (content, _) = josekit::jwe::deserialize_compact(compact, &decrypter).map_err(|_| JweError::Undecipherable)?;
    Ok(Zeroizing::new(content))
}

#[cfg(test)]
mod tests;
