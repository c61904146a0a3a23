use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::{Alg, KeyError, PublicKey, SecretKey, SignatureInvalid, Signer as _, es256};

fn key(alg: Alg) -> SecretKey {
    SecretKey::generate(alg, &mut StdRng::seed_from_u64(7)).unwrap()
}

#[test]
fn what_is_signed_verifies_and_nothing_else_does() {
    for alg in Alg::ALL.iter().copied() {
        let (ours, message) = (key(alg), b"message");
        let signature = ours.sign(message).unwrap();
        assert_eq!(ours.public_key().verify(message, &signature), Ok(()));
        assert_eq!(ours.public_key().verify(b"messagf", &signature), Err(SignatureInvalid));
        for byte in 0..64 {
            let mut flipped = signature;
            flipped[byte] ^= 1;
            assert_eq!(ours.public_key().verify(message, &flipped), Err(SignatureInvalid));
        }
    }
}

#[test]
fn a_key_survives_its_bytes() {
    for alg in Alg::ALL.iter().copied() {
        let ours = key(alg);
        let again = SecretKey::from_bytes(alg, &ours.to_bytes()).unwrap();
        assert_eq!(again.public_key(), ours.public_key());
        let signature = again.sign(b"m").unwrap();
        assert_eq!(ours.public_key().verify(b"m", &signature), Ok(()));
    }
}

#[test]
fn the_same_seed_gives_the_same_key_and_another_seed_another() {
    let other = SecretKey::generate(Alg::Es256, &mut StdRng::seed_from_u64(8)).unwrap();
    assert_eq!(key(Alg::Es256).public_key(), key(Alg::Es256).public_key());
    assert_ne!(key(Alg::Es256).public_key(), other.public_key());
    assert_ne!(key(Alg::Es256).public_key(), key(Alg::EdDsa).public_key());
}

#[test]
fn scalars_out_of_range_are_refused() {
    for scalar in [[0_u8; 32], [0xff; 32]] {
        assert_eq!(SecretKey::from_bytes(Alg::Es256, &scalar).err(), Some(KeyError::ScalarOutOfRange));
    }
}

#[test]
fn psychic_signatures_are_refused() {
    let (ours, mut half) = (key(Alg::Es256), [0_u8; 64]);
    assert_eq!(ours.public_key().verify(b"m", &half), Err(SignatureInvalid));
    half[31] = 1;
    assert_eq!(ours.public_key().verify(b"m", &half), Err(SignatureInvalid));
}

#[test]
fn es256_is_made_with_low_s_and_the_high_twin_is_no_transaction_signature() {
    let ours = key(Alg::Es256);
    for n in 0_u8..16 {
        let mut signature = ours.sign(&[n]).unwrap();
        assert_eq!(ours.public_key().verify_low_s(&[n], &signature), Ok(()));
        es256::negate_s(&mut signature);
        assert_eq!(ours.public_key().verify(&[n], &signature), Ok(()), "the twin is a valid ES256 signature");
        assert_eq!(ours.public_key().verify_low_s(&[n], &signature), Err(SignatureInvalid));
    }
}

#[test]
fn p256_points_are_checked_in_both_forms() {
    let ours = key(Alg::Es256);
    let bytes = ours.public_key().bytes().to_vec();
    let mut compressed = bytes[..33].to_vec();
    compressed[0] = 2 + (bytes[64] & 1);
    assert_eq!(PublicKey::p256(&compressed).as_ref(), Ok(ours.public_key()));
    assert_eq!(PublicKey::p256(&bytes[..64]).err(), Some(KeyError::Length));
    assert_eq!(PublicKey::p256(&[]).err(), Some(KeyError::Length));
    let mut hybrid = bytes.clone();
    hybrid[0] = 6 + (bytes[64] & 1);
    assert_eq!(PublicKey::p256(&hybrid).err(), Some(KeyError::Length));
    let mut moved = bytes;
    moved[64] ^= 1;
    assert_eq!(PublicKey::p256(&moved).err(), Some(KeyError::NotOnCurve));
}

#[test]
fn small_order_and_non_canonical_ed25519_keys_are_refused() {
    let mut non_canonical = [0xff_u8; 32];
    non_canonical[0] = 0xee; // p + 1, another spelling of the neutral element's y
    non_canonical[31] = 0x7f;
    let mut one = [0_u8; 32];
    one[0] = 1;
    for bytes in [[0_u8; 32], one, non_canonical] {
        assert_eq!(PublicKey::ed25519(&bytes).err(), Some(KeyError::NotOnCurve));
    }
}

#[test]
fn nothing_secret_is_printed() {
    let ours = key(Alg::EdDsa);
    assert_eq!(format!("{ours:?} {:?}", ours.public_key()), "SecretKey(EdDSA, redacted) PublicKey(EdDSA)");
}
