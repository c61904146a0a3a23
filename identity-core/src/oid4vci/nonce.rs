//! `c_nonce`: a challenge that the issuer recognises without having stored it (OpenID4VCI §7).
//!
//! Asking for one is open to anybody, so it must cost no write: the nonce carries its own expiry and a tag over both.
//! Only a nonce that was *used* is stored, until it expires, by the transaction that issues the credential.

use rand::CryptoRng;

use crate::encoding::base64url;
use crate::time::UnixSeconds;

use super::secrets::{IssuerSecret, Purpose, Tag};

/// Expiry (8 bytes) and 16 random bytes stand before the tag.
const BODY_BYTES: usize = 24;

/// Why a nonce is not accepted. Both mean `invalid_nonce`: fetch another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NonceRefusal {
    /// Not one of this issuer's.
    #[error("the nonce was not given out by this issuer")]
    Foreign,
    /// Its time is over.
    #[error("the nonce has expired")]
    Expired,
}

/// A nonce of ours, to be stored once it is used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NonceId {
    /// After this it need not be remembered: it is refused by its age.
    pub expires: UnixSeconds,
    /// The nonce itself.
    pub text: String,
}

/// Makes a nonce that holds for `lifetime` seconds.
#[must_use]
pub fn make_nonce(secret: &IssuerSecret, lifetime: u32, now: UnixSeconds, rng: &mut dyn CryptoRng) -> String {
    let mut random = [0; 16];
    rng.fill_bytes(&mut random);
    let expires = now.plus(i64::from(lifetime)).0.to_be_bytes();
    let tag = secret.tag(Purpose::Nonce, &[&expires, &random]);
    base64url::encode(&[expires.as_slice(), &random, tag.as_bytes()].concat())
}

/// Recognises a nonce and checks its age. That it was not used before, the store says.
///
/// # Errors
/// [`NonceRefusal`].
pub fn check_nonce(secret: &IssuerSecret, text: &str, now: UnixSeconds) -> Result<NonceId, NonceRefusal> {
    let bytes = base64url::decode(text).map_err(|_| NonceRefusal::Foreign)?;
    let (body, tag) = bytes.split_at_checked(BODY_BYTES).ok_or(NonceRefusal::Foreign)?;
    let (expires, random) = body.split_first_chunk::<8>().ok_or(NonceRefusal::Foreign)?;
    let tag = Tag::from_slice(tag).ok_or(NonceRefusal::Foreign)?;
    if tag != secret.tag(Purpose::Nonce, &[expires, random]) {
        return Err(NonceRefusal::Foreign);
    }
    let expires = UnixSeconds(i64::from_be_bytes(*expires));
    if expires <= now {
        return Err(NonceRefusal::Expired);
    }
    Ok(NonceId { expires, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    #[test]
    fn only_our_own_fresh_nonces_pass() {
        let secret = IssuerSecret::from_bytes(&[1; 32]);
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let nonce = make_nonce(&secret, 300, NOW, &mut rng);
        assert_eq!(check_nonce(&secret, &nonce, NOW).unwrap().expires, NOW.plus(300));
        assert_eq!(check_nonce(&secret, &nonce, NOW.plus(299)).unwrap().text, nonce);
        assert_eq!(check_nonce(&secret, &nonce, NOW.plus(300)), Err(NonceRefusal::Expired));
        let other = IssuerSecret::from_bytes(&[2; 32]);
        assert_eq!(check_nonce(&other, &nonce, NOW), Err(NonceRefusal::Foreign));
        for text in ["", "x", "=", &nonce[1..], &format!("{nonce}A"), &nonce.to_uppercase()] {
            assert_eq!(check_nonce(&secret, text, NOW), Err(NonceRefusal::Foreign), "{text}");
        }
        assert!(make_nonce(&secret, 300, NOW, &mut rng) != nonce);
    }

    #[test]
    fn no_flipped_bit_passes() {
        let secret = IssuerSecret::from_bytes(&[1; 32]);
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let bytes = base64url::decode(make_nonce(&secret, 300, NOW, &mut rng)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check_nonce(&secret, &base64url::encode(&flipped), NOW), Err(NonceRefusal::Foreign));
        }
    }
}
