//! The rules one at a time. Outside vectors run in `conformance`.

use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;

use super::*;

pub(super) const MESSAGE: &[u8] = b"the two halves must fit";

fn honest() -> (PublicKey, [u8; 64]) {
    let key = SigningKey::from_bytes(&[7; 32]);
    (PublicKey::from_bytes(key.verifying_key().as_bytes()).unwrap(), key.sign(MESSAGE).to_bytes())
}

fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    Scalar::from_hash(Sha512::new().chain_update(r).chain_update(a).chain_update(message))
}

/// A signature by the owner of secret scalar `secret`, whose public key and commitment carry components of small order.
pub(super) fn strange_signature(a_torsion: usize, r_torsion: usize) -> ([u8; 32], [u8; 64]) {
    let secret = Scalar::from(0x5eed_u64);
    let nonce = Scalar::from(0x0ddba11_u64);
    let a = (&secret * ED25519_BASEPOINT_TABLE + EIGHT_TORSION[a_torsion]).compress().0;
    let r = (&nonce * ED25519_BASEPOINT_TABLE + EIGHT_TORSION[r_torsion]).compress().0;
    let s = nonce + challenge(&r, &a, MESSAGE) * secret;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(s.as_bytes());
    (a, signature)
}

#[test]
fn an_honest_signature_fits_its_message_only() {
    let (key, signature) = honest();
    assert_eq!(key.verify(MESSAGE, &signature), Ok(()));
    assert_eq!(key.verify(b"another", &signature), Err(SignatureError::Mismatch));
}

#[test]
fn components_of_small_order_are_accepted_like_a_batch_would() {
    for a_torsion in 0..8 {
        for r_torsion in 0..8 {
            let (a, signature) = strange_signature(a_torsion, r_torsion);
            let key = PublicKey::from_bytes(&a).unwrap();
            assert_eq!(key.verify(MESSAGE, &signature), Ok(()), "A + T{a_torsion}, R + T{r_torsion}");
            assert_eq!(key.verify(b"another", &signature), Err(SignatureError::Mismatch));
        }
    }
}

#[test]
fn keys_of_small_order_are_refused_in_every_encoding() {
    for point in EIGHT_TORSION {
        assert_eq!(PublicKey::from_bytes(&point.compress().0), Err(PublicKeyError::SmallOrder));
    }
    for encoding in non_canonical_encodings() {
        assert_eq!(PublicKey::from_bytes(&encoding), Err(PublicKeyError::NonCanonical), "{encoding:02x?}");
    }
}

#[test]
fn a_commitment_in_a_second_encoding_is_refused() {
    let secret = Scalar::from(0x5eed_u64);
    let a = (&secret * ED25519_BASEPOINT_TABLE).compress().0;
    let key = PublicKey::from_bytes(&a).unwrap();
    for r in non_canonical_encodings() {
        // The point is of small order, so with the factor 8 the equation itself holds for S = k * secret.
        if CompressedEdwardsY(r).decompress().is_none_or(|point| !point.is_small_order()) {
            continue;
        }
        let s = challenge(&r, &a, MESSAGE) * secret;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&r);
        signature[32..].copy_from_slice(s.as_bytes());
        assert_eq!(key.verify(MESSAGE, &signature), Err(SignatureError::CommitmentNotCanonical), "{r:02x?}");
    }
}

#[test]
fn a_scalar_that_is_not_reduced_is_refused() {
    let order = hex32("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let (key, mut signature) = honest();
    let mut carry = 0u16;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let [low, high] = (u16::from(*byte) + u16::from(add) + carry).to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    assert_eq!(key.verify(MESSAGE, &signature), Err(SignatureError::ScalarNotReduced));
}

#[test]
fn bytes_that_are_no_point_are_refused() {
    let mut not_a_point = [0; 32];
    not_a_point[0] = 2;
    assert_eq!(PublicKey::from_bytes(&not_a_point), Err(PublicKeyError::NotAPoint));
}

#[test]
fn the_test_of_canonical_encoding_agrees_with_encoding_again() {
    for point in EIGHT_TORSION {
        assert!(is_canonical(&point.compress().0));
    }
    for encoding in non_canonical_encodings() {
        let again = CompressedEdwardsY(encoding).decompress().map(|point| point.compress().0);
        assert_ne!(again, Some(encoding));
        assert!(!is_canonical(&encoding));
    }
}

#[test]
fn one_byte_below_the_prime_is_enough_to_be_reduced() {
    // 2^255 - 1 with one byte lowered: each of these numbers is less than 2^255 - 19, by that byte alone.
    for at in 1..32 {
        let mut bytes = [0xff; 32];
        bytes[31] = 0x7f;
        bytes[at] -= 1;
        assert!(is_canonical(&bytes), "byte {at}");
        bytes[31] |= 0x80;
        assert!(is_canonical(&bytes), "byte {at}, sign bit set");
    }
}

proptest! {
    #[test]
    fn canonical_means_encoding_again_gives_the_same_bytes(bytes: [u8; 32]) {
        if let Some(point) = CompressedEdwardsY(bytes).decompress() {
            prop_assert_eq!(is_canonical(&bytes), point.compress().0 == bytes);
        }
    }

    #[test]
    fn any_flipped_bit_is_refused(bit in 0usize..512) {
        let (key, mut signature) = honest();
        signature[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(key.verify(MESSAGE, &signature).is_err());
    }
}

/// All `y` from `p` to `2^255 - 1` with either sign, and the two `x = 0` with the sign bit set.
fn non_canonical_encodings() -> Vec<[u8; 32]> {
    let mut all = vec![*ONE_WITH_SIGN, *MINUS_ONE_WITH_SIGN];
    for low in 0xed..=0xff {
        for high in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            bytes[0] = low;
            bytes[31] = high;
            all.push(bytes);
        }
    }
    all
}

fn hex32(text: &str) -> [u8; 32] {
    crate::Hash::from_hex(text).unwrap().to_bytes()
}
