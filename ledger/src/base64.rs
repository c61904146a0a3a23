//! The two base64 alphabets, each in its one spelling: no other padding, no whitespace, no stray trailing bits.
//!
//! Two texts for the same bytes would let a proof be altered without its refusal.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};

pub(crate) fn encode_standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn decode_standard(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Exactly `N` bytes, decoded in place.
pub(crate) fn decode_standard_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode_array(&STANDARD, text)
}

pub(crate) fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode_url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Exactly `N` bytes, decoded in place.
pub(crate) fn decode_url_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode_array(&URL_SAFE_NO_PAD, text)
}

fn decode_array<const N: usize>(engine: &GeneralPurpose, text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (engine.decode_slice(text, &mut bytes) == Ok(N)).then_some(bytes)
}
