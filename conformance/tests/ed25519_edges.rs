//! The situations on which Ed25519 verifiers disagree, as "Taming the Many EdDSAs" (Chalkias, Garillot, Nikolaenko,
//! SSR 2020, table 5) lists them, computed here from fixed scalars. Each must fall on its side of our one definition.

#![expect(clippy::unwrap_used, reason = "a case that cannot be made or read fails its test")]

use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use ledger::ed25519::{PublicKey, PublicKeyError, SignatureError};
use sha2::{Digest, Sha512};

/// What became of key and signature.
#[derive(Debug, PartialEq)]
enum Outcome {
    Accepted,
    KeyRefused(PublicKeyError),
    SignatureRefused(SignatureError),
}
use Outcome::{Accepted, KeyRefused, SignatureRefused};

struct Case {
    key: [u8; 32],
    message: Vec<u8>,
    signature: [u8; 64],
}

impl Case {
    fn outcome(&self) -> Outcome {
        match PublicKey::from_bytes(&self.key).map(|key| key.verify(&self.message, &self.signature)) {
            Err(error) => KeyRefused(error),
            Ok(Err(error)) => SignatureRefused(error),
            Ok(Ok(())) => Accepted,
        }
    }

    /// Both equations as a lenient verifier would compute them, to be sure that the case shows what it is meant to.
    fn equations(&self) -> (bool, bool) {
        let (r, s) = self.signature.split_at(32);
        let r_bytes: [u8; 32] = r.try_into().unwrap();
        let decode = |bytes: [u8; 32]| CompressedEdwardsY(bytes).decompress().unwrap();
        let s = Scalar::from_bytes_mod_order(s.try_into().unwrap());
        let k = challenge(&r_bytes, &self.key, &self.message);
        let difference = &s * ED25519_BASEPOINT_TABLE - decode(r_bytes) - decode(self.key) * k;
        (difference.is_identity(), difference.mul_by_cofactor().is_identity())
    }
}

fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    Scalar::from_hash(Sha512::new().chain_update(r).chain_update(a).chain_update(message))
}

fn secret() -> Scalar {
    Scalar::from_bytes_mod_order([0x5e; 32])
}

fn nonce() -> Scalar {
    Scalar::from_bytes_mod_order([0x3c; 32])
}

/// `secret * B` and `nonce * B`, each with a component of small order, or nothing but that component.
fn mixed(scalar: Scalar, torsion: EdwardsPoint) -> [u8; 32] {
    (&scalar * ED25519_BASEPOINT_TABLE + torsion).compress().0
}

/// The signature whose scalar is `nonce + k * secret`, for encodings of points with these scalars.
fn sign(key: [u8; 32], secret: Scalar, r: [u8; 32], nonce: Scalar, message: &[u8]) -> Case {
    let s = nonce + challenge(&r, &key, message) * secret;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(s.as_bytes());
    Case { key, message: message.to_vec(), signature }
}

/// The first message for which the two equations come out as wanted.
fn search(wanted: (bool, bool), case: impl Fn(&[u8]) -> Case) -> Case {
    (0u16..).map(|n| case(&n.to_be_bytes())).find(|case| case.equations() == wanted).unwrap()
}

const BOTH: (bool, bool) = (true, true);
const WITH_COFACTOR_ONLY: (bool, bool) = (false, true);

/// A point of order 8.
fn order_8() -> EdwardsPoint {
    EIGHT_TORSION[1]
}

#[test]
fn a_key_of_small_order_is_refused_with_any_signature() {
    let key = order_8().compress().0;
    let small_r = search(BOTH, |message| sign(key, Scalar::ZERO, order_8().compress().0, Scalar::ZERO, message));
    assert_eq!(small_r.signature[32..], [0; 32], "case 0: S = 0");
    assert_eq!(small_r.outcome(), KeyRefused(PublicKeyError::SmallOrder));
    let mixed_r = search(BOTH, |message| sign(key, Scalar::ZERO, mixed(nonce(), order_8()), nonce(), message));
    assert_eq!(mixed_r.outcome(), KeyRefused(PublicKeyError::SmallOrder), "case 1");
}

#[test]
fn a_commitment_of_small_order_is_accepted() {
    let key = mixed(secret(), order_8());
    let case = search(BOTH, |message| sign(key, secret(), order_8().compress().0, Scalar::ZERO, message));
    assert_eq!(case.outcome(), Accepted, "case 2");
}

#[test]
fn components_of_small_order_are_accepted_whether_they_cancel_or_not() {
    let (key, r) = (mixed(secret(), order_8()), mixed(nonce(), order_8()));
    let cancel = search(BOTH, |message| sign(key, secret(), r, nonce(), message));
    assert_eq!(cancel.outcome(), Accepted, "case 3");
    let stay = search(WITH_COFACTOR_ONLY, |message| sign(key, secret(), r, nonce(), message));
    assert_eq!(stay.outcome(), Accepted, "case 4");
}

#[test]
fn eight_and_k_are_applied_one_after_the_other() {
    let (key, r) = (mixed(secret(), order_8()), mixed(nonce(), EdwardsPoint::default()));
    let eight = Scalar::from(8u8);
    let prereduced_differs = |case: &Case| {
        let k = challenge(&r, &key, &case.message);
        let a = CompressedEdwardsY(key).decompress().unwrap();
        a * (eight * k) != (a * k).mul_by_cofactor()
    };
    let cases = (0u16..).map(|n| sign(key, secret(), r, nonce(), &n.to_be_bytes()));
    let case = cases.into_iter().find(|case| case.equations() == WITH_COFACTOR_ONLY && prereduced_differs(case));
    assert_eq!(case.unwrap().outcome(), Accepted, "case 5");
}

#[test]
fn a_scalar_beyond_the_order_is_refused() {
    let (key, r) = (mixed(secret(), EdwardsPoint::default()), mixed(nonce(), EdwardsPoint::default()));
    for (times, name) in [(1, "case 6: S + L"), (14, "case 7: S + 14 L, the highest bits set")] {
        let mut case = sign(key, secret(), r, nonce(), b"message");
        assert_eq!(case.outcome(), Accepted);
        (0..times).for_each(|_| add_order(&mut case.signature));
        assert_eq!(case.equations(), BOTH);
        assert_eq!(case.outcome(), SignatureRefused(SignatureError::ScalarNotReduced), "{name}");
    }
}

#[test]
fn a_commitment_in_a_second_encoding_is_refused() {
    let key = mixed(secret(), order_8());
    for r in second_encodings() {
        // Case 9: the bytes as received are hashed.
        let case = search_small(|message| sign(key, secret(), r, Scalar::ZERO, message));
        assert_eq!(case.outcome(), SignatureRefused(SignatureError::CommitmentNotCanonical), "{r:02x?}");
        // Case 8: the canonical encoding is hashed.
        let canonical = CompressedEdwardsY(r).decompress().unwrap().compress().0;
        let mut case = sign(key, secret(), canonical, Scalar::ZERO, b"message");
        assert_eq!(case.outcome(), Accepted);
        case.signature[..32].copy_from_slice(&r);
        assert_eq!(case.outcome(), SignatureRefused(SignatureError::CommitmentNotCanonical), "{r:02x?}");
    }
}

#[test]
fn a_key_in_a_second_encoding_is_refused() {
    for key in second_encodings() {
        // Cases 10 and 11.
        let case = sign(key, Scalar::ZERO, mixed(nonce(), order_8()), nonce(), b"message");
        assert_eq!(case.outcome(), KeyRefused(PublicKeyError::NonCanonical), "{key:02x?}");
    }
}

fn search_small(case: impl Fn(&[u8]) -> Case) -> Case {
    (0u16..).map(|n| case(&n.to_be_bytes())).find(|case| case.equations().1).unwrap()
}

fn add_order(signature: &mut [u8; 64]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let [low, high] = (u16::from(*byte) + u16::from(add) + carry).to_le_bytes();
        (*byte, carry) = (low, u16::from(high));
    }
    assert_eq!(carry, 0);
}

/// Encodings of points of small order that are not canonical: `y + p` in place of `y`, or the sign bit where `x = 0`.
fn second_encodings() -> Vec<[u8; 32]> {
    let ends = |low: u8, middle: u8, high: u8| {
        let mut bytes = [middle; 32];
        (bytes[0], bytes[31]) = (low, high);
        bytes
    };
    vec![
        ends(0x01, 0x00, 0x80),
        ends(0xec, 0xff, 0xff),
        ends(0xed, 0xff, 0x7f),
        ends(0xed, 0xff, 0xff),
        ends(0xee, 0xff, 0x7f),
        ends(0xee, 0xff, 0xff),
    ]
}
