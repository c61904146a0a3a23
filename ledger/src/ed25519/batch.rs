//! Many signatures at once, by the one definition.
//!
//! The left sides of rule 5 are added up, each with a coefficient of 128 bits, and the sum is multiplied by 8. All
//! valid: the sum is the neutral element, always. One invalid: it is not, but with probability 2^-128. That costs about
//! half of verifying one by one, because additions and doublings are shared; and the more so the fewer keys there are,
//! because the coefficients of one key are added up first (modulo `L`; what that changes in components of small order
//! vanishes with the factor 8).
//!
//! The coefficients are derived by SHA-512 from everything that is verified, so the answer is a function of its input:
//! the same on every machine and in every replay. Whoever wants an invalid signature to pass has to try: each try
//! changes all coefficients at once, and succeeds with probability 2^-128.

use std::collections::BTreeMap;

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};

use super::{PublicKey, SIGNATURE_LENGTH, decode_point};

/// What is to be verified.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// By whose key.
    pub key: &'a PublicKey,
    /// Of what.
    pub message: &'a [u8],
    /// `R || S`.
    pub signature: &'a [u8; SIGNATURE_LENGTH],
}

/// Signatures to be verified together, which costs about half of one by one.
#[derive(Debug, Default)]
pub struct Together(BTreeMap<[u8; SIGNATURE_LENGTH], (PublicKey, Vec<u8>)>);

/// Signatures that are known to be valid, because they were verified together.
#[derive(Debug, Default)]
pub struct Known(BTreeMap<[u8; SIGNATURE_LENGTH], (PublicKey, Vec<u8>)>);

impl Together {
    /// Adds one. Of two with the same bytes the first counts.
    pub fn add(&mut self, signed: Signed<'_>) {
        self.0.entry(*signed.signature).or_insert_with(|| (*signed.key, signed.message.to_vec()));
    }

    /// Verifies them. Where not all are valid, none is known to be: then each has to be verified alone.
    #[must_use]
    pub fn verify(self) -> Known {
        let signed = self.0.iter().map(|(signature, (key, message))| Signed { key, message, signature });
        if all_valid(&signed.collect::<Vec<_>>()) { Known(self.0) } else { Known::default() }
    }
}

impl Known {
    /// Whether this very signature is one of them: by this key, over this message.
    #[must_use]
    pub fn holds(&self, signed: &Signed<'_>) -> bool {
        let known = self.0.get(signed.signature);
        known.is_some_and(|(key, message)| key == signed.key && message == signed.message)
    }
}

/// Begins the derivation of coefficients, so that no other hash of ours is one of these.
const COEFFICIENTS: &[u8] = b"xinfu ed25519 batch v1";

/// Whether all of these signatures are valid: the same answer as [`PublicKey::verify`] for each. Which is not, it does
/// not say.
///
/// ```
/// use ledger::ed25519::{PublicKey, Signed, all_valid};
///
/// // RFC 8032 §7.1, test 1: the empty message.
/// let key = ledger::Hash::from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
/// let r = ledger::Hash::from_hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155").unwrap();
/// let s = ledger::Hash::from_hex("5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b").unwrap();
/// let signature: [u8; 64] = [r.to_bytes(), s.to_bytes()].concat().try_into().unwrap();
/// let key = PublicKey::from_bytes(key.as_bytes()).unwrap();
///
/// let sound = Signed { key: &key, message: b"", signature: &signature };
/// assert!(all_valid(&[sound, sound]));
/// assert!(!all_valid(&[sound, Signed { message: b"x", ..sound }]));
/// ```
#[must_use]
pub fn all_valid(signed: &[Signed<'_>]) -> bool {
    match signed {
        [] => true,
        [alone] => alone.key.verify(alone.message, alone.signature).is_ok(),
        _ => Equations::of(signed).is_some_and(|equations| equations.hold()),
    }
}

/// The equations of all signatures, decoded and not added up yet.
struct Equations<'a> {
    parts: Vec<Part<'a>>,
    /// SHA-512 over all of them.
    transcript: [u8; 64],
}

struct Part<'a> {
    key: &'a PublicKey,
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl<'a> Equations<'a> {
    /// Nothing if one of them breaks rule 3 or 4.
    fn of(signed: &[Signed<'a>]) -> Option<Self> {
        let mut transcript = Sha512::new_with_prefix(COEFFICIENTS);
        let parts = signed.iter().map(|one| {
            let (r_bytes, s_bytes) = one.signature.split_first_chunk::<32>()?;
            let s_bytes: [u8; 32] = s_bytes.try_into().ok()?;
            let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s_bytes))?;
            let r = decode_point(r_bytes)?;
            let challenge = Sha512::new().chain_update(r_bytes).chain_update(one.key.as_bytes());
            let challenge = challenge.chain_update(one.message).finalize();
            // It stands for R, A and the message.
            transcript.update(challenge);
            transcript.update(s_bytes);
            Some(Part { key: one.key, r, s, k: Scalar::from_bytes_mod_order_wide(&challenge.into()) })
        });
        let parts = parts.collect::<Option<Vec<_>>>()?;
        Some(Self { parts, transcript: transcript.finalize().into() })
    }

    /// Whether their sum, with coefficients, is of small order: rule 5 for all.
    fn hold(&self) -> bool {
        let mut base = Scalar::ZERO;
        let mut keys: BTreeMap<&[u8; 32], (Scalar, EdwardsPoint)> = BTreeMap::new();
        let mut scalars = Vec::with_capacity(self.parts.len().saturating_mul(2).saturating_add(1));
        let mut points = Vec::with_capacity(scalars.capacity());
        for (part, z) in self.parts.iter().zip(self.coefficients()) {
            base += z * part.s;
            let (sum, _) = keys.entry(part.key.as_bytes()).or_insert_with(|| (Scalar::ZERO, part.key.0.to_edwards()));
            *sum += z * part.k;
            scalars.push(z);
            points.push(part.r);
        }
        for (sum, point) in keys.into_values() {
            scalars.push(sum);
            points.push(point);
        }
        scalars.push(-base);
        points.push(ED25519_BASEPOINT_POINT);
        EdwardsPoint::vartime_multiscalar_mul(&scalars, &points).mul_by_cofactor().is_identity()
    }

    fn coefficients(&self) -> impl Iterator<Item = Scalar> {
        let hash = |number: u64| Sha512::new_with_prefix(self.transcript).chain_update(number.to_be_bytes()).finalize();
        (0..).flat_map(move |number| {
            let hash: [u8; 64] = hash(number).into();
            let (chunks, _) = hash.as_chunks::<16>();
            chunks.iter().map(|bytes| Scalar::from(u128::from_le_bytes(*bytes))).collect::<Vec<_>>()
        })
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    use super::super::tests::{MESSAGE, strange_signature};
    use super::*;

    /// Signatures of a few keys over messages of their own.
    fn honest(count: u8, keys: u8) -> Vec<(PublicKey, Vec<u8>, [u8; 64])> {
        let of = |number: u8| {
            let key = SigningKey::from_bytes(&[number % keys + 1; 32]);
            let message = vec![number; usize::from(number)];
            let signature = key.sign(&message).to_bytes();
            (PublicKey::from_bytes(key.verifying_key().as_bytes()).unwrap(), message, signature)
        };
        (0..count).map(of).collect()
    }

    fn signed(all: &[(PublicKey, Vec<u8>, [u8; 64])]) -> Vec<Signed<'_>> {
        all.iter().map(|(key, message, signature)| Signed { key, message, signature }).collect()
    }

    #[test]
    fn honest_signatures_are_valid_together_in_any_number() {
        for count in [0, 1, 2, 3, 7, 64, 200] {
            for keys in [1, 3, 100] {
                assert!(all_valid(&signed(&honest(count, keys))), "{count} by {keys}");
            }
        }
    }

    #[test]
    fn only_what_was_verified_is_known_and_nothing_where_one_is_not_valid() {
        let all = honest(4, 2);
        let known = |all: &[(PublicKey, Vec<u8>, [u8; 64])]| {
            let mut together = Together::default();
            signed(all).into_iter().for_each(|one| together.add(one));
            together.verify()
        };
        let three = known(&all[..3]);
        let all_signed = signed(&all);
        assert_eq!(all_signed.iter().map(|one| three.holds(one)).collect::<Vec<_>>(), [true, true, true, false]);
        let [first, second, ..] = all_signed[..] else { unreachable!() };
        for other in [
            Signed { key: second.key, ..first },
            Signed { message: second.message, ..first },
            Signed { signature: second.signature, ..first },
        ] {
            assert!(!three.holds(&other));
        }
        let mut altered = all.clone();
        altered[2].1.push(0);
        let none = known(&altered);
        assert!(!signed(&altered).iter().any(|one| none.holds(one)));
        assert!(!Known::default().holds(&first) && !known(&[]).holds(&first));
    }

    #[test]
    fn one_altered_bit_anywhere_spoils_the_batch() {
        let all = honest(5, 2);
        for place in 0..all.len() {
            for byte in 0..SIGNATURE_LENGTH {
                let mut altered = all.clone();
                altered[place].2[byte] ^= 1;
                assert!(!all_valid(&signed(&altered)), "signature {place}, byte {byte}");
            }
            let mut altered = all.clone();
            altered[place].1.push(0);
            assert!(!all_valid(&signed(&altered)), "message {place}");
            altered = all.clone();
            altered[place].0 = all[(place + 1) % 5].0;
            assert_eq!(all_valid(&signed(&altered)), all[place].0 == altered[place].0, "key {place}");
        }
    }

    #[test]
    fn two_that_are_exchanged_do_not_make_up_for_each_other() {
        let mut all = honest(4, 1);
        (all[0].2, all[1].2) = (all[1].2, all[0].2);
        assert!(!all_valid(&signed(&all)));
        // Nor errors that are each other's opposite: S + 1 here, S - 1 there.
        let mut all = honest(4, 1);
        for (place, error) in [(0, Scalar::ONE), (1, -Scalar::ONE)] {
            let s: [u8; 32] = all[place].2[32..].try_into().unwrap();
            let s = Scalar::from_canonical_bytes(s).unwrap() + error;
            all[place].2[32..].copy_from_slice(s.as_bytes());
        }
        assert!(!all_valid(&signed(&all)));
    }

    #[test]
    fn components_of_small_order_count_for_nothing_as_in_a_single_one() {
        let mut all = honest(3, 2);
        for a in 0..EIGHT_TORSION.len() {
            for r in 0..EIGHT_TORSION.len() {
                let (key, signature) = strange_signature(a, r);
                all.push((PublicKey::from_bytes(&key).unwrap(), MESSAGE.to_vec(), signature));
            }
        }
        assert!(all_valid(&signed(&all)));
        let last = all.len() - 1;
        all[last].1.push(0);
        assert!(!all_valid(&signed(&all)));
    }

    proptest! {
        #[test]
        fn a_batch_answers_as_its_members_do(
            count in 1_u8..20,
            keys in 1_u8..5,
            flips in proptest::collection::vec((0_usize..20, 0_usize..64, 0_u8..8), 0..3),
        ) {
            let mut all = honest(count, keys);
            for (place, byte, bit) in flips {
                if let Some(one) = all.get_mut(place) {
                    one.2[byte] ^= 1 << bit;
                }
            }
            let singly = all.iter().all(|(key, message, signature)| key.verify(message, signature).is_ok());
            prop_assert_eq!(all_valid(&signed(&all)), singly);
        }
    }
}
