//! ECDSA on P-256 with SHA-256, by `aws-lc-rs`. Raw `r||s` signatures.

use aws_lc_rs::agreement;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, ParsedPublicKey};
use std::sync::Arc;

use super::{KeyError, Signature, SignatureInvalid, SigningFailed};

/// Order of the group, big endian (SEC 2, secp256r1).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Half of it, rounded down: an `s` above has a smaller twin that verifies just as well.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d,
    0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// A point of the curve, checked once and kept parsed.
#[derive(Clone)]
pub struct Point {
    /// SEC 1 uncompressed: `04 || x || y`.
    bytes: [u8; 65],
    parsed: Arc<ParsedPublicKey>,
}

impl Point {
    /// From SEC 1 bytes, compressed (33) or uncompressed (65).
    pub(super) fn from_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        // 65 bytes may also be the "hybrid" form (06, 07), which no JOSE or DID text knows.
        if !matches!((bytes.first(), bytes.len()), (Some(2 | 3), 33) | (Some(4), 65)) {
            return Err(KeyError::Length);
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes).map_err(|_| KeyError::NotOnCurve)?;
        let bytes = if let Ok(uncompressed) = bytes.try_into() { uncompressed } else { uncompress(&parsed)? };
        Ok(Self { bytes, parsed: Arc::new(parsed) })
    }

    pub(super) const fn uncompressed(&self) -> &[u8; 65] {
        &self.bytes
    }

    /// SEC 1 compressed: `02` or `03`, then `x`.
    pub(crate) fn compressed(&self) -> [u8; 33] {
        let [_, coordinates @ ..] = &self.bytes;
        let odd = coordinates.last().is_some_and(|byte| byte & 1 == 1);
        let mut compressed = [if odd { 3 } else { 2 }; 33];
        for (target, source) in compressed.iter_mut().skip(1).zip(coordinates) {
            *target = *source;
        }
        compressed
    }

    pub(super) fn coordinates(&self) -> (&[u8], &[u8]) {
        let [_, coordinates @ ..] = &self.bytes;
        coordinates.split_at(32)
    }

    pub(super) fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureInvalid> {
        self.parsed.verify_sig(message, signature).map_err(|_| SignatureInvalid)
    }
}

/// A key kept in a PKIX structure ends with its point; re-read from there in uncompressed form.
fn uncompress(parsed: &ParsedPublicKey) -> Result<[u8; 65], KeyError> {
    let der = parsed.as_der().map_err(|_| KeyError::NotOnCurve)?;
    let der = der.as_ref();
    der.last_chunk::<65>().filter(|point| point.first() == Some(&4)).copied().ok_or(KeyError::NotOnCurve)
}

/// Whether `s` is in the lower half, so that the signature has no second spelling.
pub(super) fn is_low_s(signature: &Signature) -> bool {
    signature.last_chunk::<32>().is_some_and(|s| *s <= HALF_ORDER)
}

/// A private scalar with its public point.
pub(super) struct Pair {
    pair: EcdsaKeyPair,
    point: Point,
}

impl Pair {
    /// From a 32-byte big-endian scalar; refuses zero and anything at or above the group's order.
    pub(super) fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let private = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar)
            .map_err(|_| KeyError::ScalarOutOfRange)?;
        let public = private.compute_public_key().map_err(|_| KeyError::ScalarOutOfRange)?;
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, scalar, public.as_ref())
                .map_err(|_| KeyError::ScalarOutOfRange)?;
        Ok(Self { pair, point: Point::from_sec1(public.as_ref())? })
    }

    pub(super) const fn point(&self) -> &Point {
        &self.point
    }

    /// Signs with low `s`: our transactions demand it, and everyone else accepts it.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Signature, SigningFailed> {
        let made = self.pair.sign(&SystemRandom::new(), message).map_err(|_| SigningFailed)?;
        let mut signature: Signature = made.as_ref().try_into().map_err(|_| SigningFailed)?;
        if !is_low_s(&signature) {
            negate_s(&mut signature);
        }
        Ok(signature)
    }
}

/// `s := order - s`. Signatures are public, so this need not take constant time.
pub(crate) fn negate_s(signature: &mut Signature) {
    let mut borrow = 0_i16;
    let (_, s) = signature.split_at_mut(32);
    for (digit, order) in s.iter_mut().zip(ORDER).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).unwrap_or_default();
    }
}
