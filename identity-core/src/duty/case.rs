//! The case that an act is about, by the department's own number for it.

use ledger::{Hash, sha256};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::encoding::base64url;

/// The longest number of a case, in bytes.
pub const MAX_CASE_BYTES: usize = 200;
/// Whether `text` can be a case's number: some bytes, at most [`MAX_CASE_BYTES`].
#[must_use]
pub fn is_case(text: &str) -> bool {
    (1..=MAX_CASE_BYTES).contains(&text.len())
}

/// Random bytes before a case's number is hashed: numbers of cases can be guessed.
const SALT_BYTES: usize = 16;

/// A case by its number, which stays in the department; the salted digest travels. Whoever shows number and salt later
/// shows what the digest is of, so both are handed out to whoever named the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseNumber {
    salt: String,
    number: String,
}

impl CaseNumber {
    /// The number.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// What its digest is salted with.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// A case under a fresh salt.
    pub fn salted(number: String, rng: &mut dyn CryptoRng) -> Self {
        let mut salt = [0_u8; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        Self { salt: base64url::encode(&salt), number }
    }

    /// SHA-256 of the salt's text and the number: what attestations, orders and receipts have.
    #[must_use]
    pub fn digest(&self) -> Hash {
        sha256(format!("{}{}", self.salt, self.number).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn the_same_number_has_another_digest_each_time() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut made = || CaseNumber::salted("2026-1".to_owned(), &mut rng);
        let (one, other) = (made(), made());
        assert_ne!(one.digest(), other.digest());
        let kept: CaseNumber = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
        assert_eq!(kept.digest(), one.digest());
        let lengths = [0, 1, MAX_CASE_BYTES, MAX_CASE_BYTES + 1];
        assert_eq!(lengths.map(|length| is_case(&"1".repeat(length))), [false, true, true, false]);
    }
}
