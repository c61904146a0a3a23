//! Base58btc, plain (the id of `did:xinfu`) and as multibase `z…` (`did:key`).

use thiserror::Error;

use super::limits;
use crate::problem::Code;

/// Why a text is not base58btc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MultibaseError {
    /// Longer than [`limits::MULTIBASE`].
    #[error("base58 text is too long")]
    TooLong,
    /// Another multibase prefix than `z`, or none.
    #[error("multibase text is not base58btc")]
    Prefix,
    /// A character outside the base58btc alphabet.
    #[error("base58 text holds a foreign character")]
    Character,
    /// Not the number of bytes this value must have.
    #[error("base58 text has a wrong length")]
    Length,
}

impl MultibaseError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooLong => Code::MultibaseTooLong,
            Self::Prefix => Code::MultibasePrefix,
            Self::Character => Code::MultibaseCharacter,
            Self::Length => Code::MultibaseLength,
        }
    }
}

/// Plain base58btc.
#[must_use]
pub fn encode_base58(bytes: &[u8]) -> String {
    bs58::encode(bytes).into_string()
}

/// Decodes plain base58btc of exactly `N` bytes.
///
/// # Errors
/// [`MultibaseError`]; never [`MultibaseError::Prefix`].
pub fn decode_base58<const N: usize>(text: &str) -> Result<[u8; N], MultibaseError> {
    decode_any(text)?.try_into().map_err(|_| MultibaseError::Length)
}

/// Multibase base58btc: `z` and the base58 text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = encode_base58(bytes);
    text.insert(0, 'z');
    text
}

/// Decodes multibase base58btc.
///
/// # Errors
/// [`MultibaseError`]; never [`MultibaseError::Length`], since any length is accepted.
pub fn decode(text: &str) -> Result<Vec<u8>, MultibaseError> {
    decode_any(text.strip_prefix('z').ok_or(MultibaseError::Prefix)?)
}

fn decode_any(text: &str) -> Result<Vec<u8>, MultibaseError> {
    if text.len() > limits::MULTIBASE {
        return Err(MultibaseError::TooLong);
    }
    bs58::decode(text).into_vec().map_err(|_| MultibaseError::Character)
}

#[cfg(test)]
mod tests {
    use super::{MultibaseError, decode, decode_base58, encode, encode_base58};

    #[test]
    fn each_bad_text_has_its_own_refusal() {
        assert_eq!(decode(&encode(&[0, 1, 2])), Ok(vec![0, 1, 2]));
        assert_eq!(decode("u11"), Err(MultibaseError::Prefix));
        assert_eq!(decode(""), Err(MultibaseError::Prefix));
        assert_eq!(decode("z0OIl"), Err(MultibaseError::Character));
        assert_eq!(decode(&format!("z{}", "1".repeat(200))), Err(MultibaseError::TooLong));
        assert_eq!(decode_base58::<4>(&encode_base58(&[1, 2, 3])), Err(MultibaseError::Length));
    }
}
