//! Base64url without padding (RFC 7515 §2), one spelling per byte string.
//!
//! What we wrote ourselves is encoded by `base64-simd`, for speed. What strangers send is decoded without unsafe code:
//! whole groups here, what is left over, and everything that will be refused, by `base64`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::problem::Code;

/// Why a text is not the one accepted base64url spelling of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Base64Error {
    /// It carries `=` padding, which JOSE leaves out.
    #[error("base64url text carries padding")]
    Padding,
    /// It holds a character outside the alphabet: white space, `+`, `/`, a line break.
    #[error("base64url text holds a foreign character")]
    Character,
    /// Its last character sets bits that belong to no byte, so a second spelling exists.
    #[error("base64url text has stray trailing bits")]
    TrailingBits,
    /// Its length is impossible, or not the length this value must have.
    #[error("base64url text has a wrong length")]
    Length,
}

impl Base64Error {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Padding => Code::Base64Padding,
            Self::Character => Code::Base64Character,
            Self::TrailingBits => Code::Base64TrailingBits,
            Self::Length => Code::Base64Length,
        }
    }
}

/// Encodes without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Encodes without padding at the end of `out`.
pub fn encode_into(bytes: &[u8], out: &mut String) {
    base64_simd::URL_SAFE_NO_PAD.encode_append(bytes, out);
}

/// Encodes without padding at the end of a buffer of bytes.
pub(crate) fn append(bytes: &[u8], out: &mut Vec<u8>) {
    base64_simd::URL_SAFE_NO_PAD.encode_append(bytes, out);
}

/// Encodes into `out` and gives the length: 0 if `out` has not four bytes for every three.
pub(crate) fn encode_slice(bytes: &[u8], out: &mut [u8]) -> usize {
    URL_SAFE_NO_PAD.encode_slice(bytes, out).unwrap_or_default()
}

/// Decodes text of any length.
///
/// # Errors
/// [`Base64Error`] for anything but the one spelling [`encode`] gives.
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Base64Error> {
    let text = text.as_ref();
    let mut out = vec![0; text.len() / 4 * 3 + text.len() % 4 * 3 / 4];
    if decode_exactly(text, &mut out) {
        return Ok(out);
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|error| refusal(text, &error))
}

/// Decodes exactly `N` bytes: a digest, a key, a signature.
///
/// # Errors
/// As [`decode`]; [`Base64Error::Length`] if it is some other number of bytes.
pub fn decode_array<const N: usize>(text: impl AsRef<[u8]>) -> Result<[u8; N], Base64Error> {
    let text = text.as_ref();
    let mut out = [0_u8; N];
    if decode_exactly(text, &mut out) {
        return Ok(out);
    }
    match URL_SAFE_NO_PAD.decode_slice(text, &mut out) {
        Ok(length) if length == N => Ok(out),
        Ok(_) | Err(base64::DecodeSliceError::OutputSliceTooSmall) => Err(Base64Error::Length),
        Err(base64::DecodeSliceError::DecodeError(error)) => Err(refusal(text, &error)),
    }
}

/// Decodes text that fills `out` exactly, four characters at a time; `false` for anything else, which the library
/// then judges. Its own loop takes three times as long, and decoding is much of what verifying costs beside its
/// signatures.
fn decode_exactly(text: &[u8], out: &mut [u8]) -> bool {
    let (fours, last) = text.as_chunks();
    let (threes, rest) = out.as_chunks_mut();
    if fours.len() != threes.len() {
        return false;
    }
    let mut seen = 0;
    for ([a, b, c, d], bytes) in fours.iter().zip(threes) {
        let (a, b, c, d) = (sextet(*a), sextet(*b), sextet(*c), sextet(*d));
        seen |= a | b | c | d;
        *bytes = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
    }
    seen & FOREIGN == 0 && URL_SAFE_NO_PAD.decode_slice(last, rest) == Ok(rest.len())
}

/// Marks a character outside the alphabet: no sextet has this bit.
const FOREIGN: u8 = 0x80;

#[inline]
#[expect(clippy::indexing_slicing, reason = "every byte has its place among 256")]
fn sextet(character: u8) -> u8 {
    const SEXTETS: [u8; 256] = {
        let mut sextets = [FOREIGN; 256];
        let (mut character, mut place) = (0, 0);
        while character < u8::MAX {
            sextets[place] = match character {
                b'A'..=b'Z' => character - b'A',
                b'a'..=b'z' => character - b'a' + 26,
                b'0'..=b'9' => character - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => FOREIGN,
            };
            character += 1;
            place += 1;
        }
        sextets
    };
    SEXTETS[usize::from(character)]
}

fn refusal(text: &[u8], error: &base64::DecodeError) -> Base64Error {
    match error {
        base64::DecodeError::InvalidByte(..) | base64::DecodeError::InvalidPadding if text.contains(&b'=') => {
            Base64Error::Padding
        }
        base64::DecodeError::InvalidByte(..) => Base64Error::Character,
        base64::DecodeError::InvalidPadding => Base64Error::Padding,
        base64::DecodeError::InvalidLastSymbol(..) => Base64Error::TrailingBits,
        base64::DecodeError::InvalidLength(..) => Base64Error::Length,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::{Base64Error, decode, decode_array, encode};

    #[test]
    fn each_bad_spelling_has_its_own_refusal() {
        assert_eq!(decode("Zm8"), Ok(b"fo".to_vec()));
        assert_eq!(decode("Zm8="), Err(Base64Error::Padding));
        assert_eq!(decode("Zm9="), Err(Base64Error::Padding));
        assert_eq!(decode("Zm 8"), Err(Base64Error::Character));
        assert_eq!(decode("Zm8\n"), Err(Base64Error::Character));
        assert_eq!(decode("Zm+/"), Err(Base64Error::Character));
        assert_eq!(decode("Zm9"), Err(Base64Error::TrailingBits));
        assert_eq!(decode("Zm8Zm"), Err(Base64Error::Length));
    }

    #[test]
    fn arrays_need_their_exact_length() {
        assert_eq!(decode_array::<2>("Zm8"), Ok(*b"fo"));
        assert_eq!(decode_array::<3>("Zm8"), Err(Base64Error::Length));
        assert_eq!(decode_array::<1>("Zm8"), Err(Base64Error::Length));
        assert_eq!(decode_array::<2>("Zm9"), Err(Base64Error::TrailingBits));
        assert_eq!(decode_array::<2>("Zm8="), Err(Base64Error::Padding));
    }

    proptest! {
        #[test]
        fn decoding_and_encoding_are_those_of_the_library(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            bend in any::<prop::sample::Index>(),
            into in any::<u8>(),
        ) {
            let text = encode(&bytes);
            prop_assert_eq!(&text, &URL_SAFE_NO_PAD.encode(&bytes));
            prop_assert_eq!(decode(&text), Ok(bytes));
            let mut bent = text.into_bytes();
            if !bent.is_empty() {
                let at = bend.index(bent.len());
                bent[at] = into;
            }
            prop_assert_eq!(decode(&bent).ok(), URL_SAFE_NO_PAD.decode(&bent).ok());
            prop_assert_eq!(decode_array::<32>(&bent).ok().map(Vec::from), decode(&bent).ok().filter(|b| b.len() == 32));
        }
    }

    #[test]
    fn there_is_no_padding_to_write() {
        assert_eq!(encode(b"fo"), "Zm8");
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }
}
