//! What a holder signs to take a sharing back.

use std::collections::BTreeMap;

use ledger::{Hash, sha256};
use serde::{Deserialize, Serialize};

use super::{LEEWAY, WithdrawalError};
use crate::crypto::{Signer, SigningFailed};
use crate::did::Did;
use crate::encoding::json::{self, Limits};
use crate::jose::{ExpectedTyp, Jwk, SignHeader, UnverifiedJws, sign_compact, typ};
use crate::kb_jwt::Confirmation;
use crate::sd_jwt::HeldSdJwt;
use crate::time::UnixSeconds;

/// The largest withdrawal read, in bytes: a DID, a digest, a time and a key, with room to spare.
pub const MAX_WITHDRAWAL_BYTES: usize = 4 * 1024;

/// What a holder takes back (`xinfu-withdrawal+jwt`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// The service that was answered.
    pub aud: Did,
    /// Digest of the receipt that it gave for the answer.
    pub receipt: Hash,
    /// When it was signed.
    pub iat: UnixSeconds,
}

impl Withdrawal {
    /// Signs it with the key that a credential of the answer was bound to. The key goes along in the header: whoever is
    /// shown a withdrawal can tell from it that the same hand signed the answer's key bindings.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, key: &dyn Signer) -> Result<String, SigningFailed> {
        let payload = serde_json::to_vec(self).map_err(|_| SigningFailed)?;
        let jwk = Jwk::new(key.public_key().clone());
        sign_compact(SignHeader::new(typ::WITHDRAWAL).jwk(&jwk), &payload, key)
    }
}

/// Thumbprints of the keys that the credentials of an answer name as their holders', each once. Whether the answer held is
/// not asked: what was shown in vain lies with the service, too.
#[must_use]
pub fn holder_keys(answer: &BTreeMap<String, Vec<String>>) -> Vec<Hash> {
    let mut keys: Vec<Hash> = answer.values().flatten().filter_map(|text| holder_key(text)).collect();
    keys.sort();
    keys.dedup();
    keys
}

fn holder_key(presentation: &str) -> Option<Hash> {
    let bound = presentation.rfind('~').and_then(|end| presentation.get(..=end))?;
    let held = HeldSdJwt::dangerous_reopen(bound.to_owned()).ok()?;
    Some(Jwk::new(Confirmation::read(held.claims()).ok()?.into_key()).thumbprint())
}

/// A sharing, as the service that was answered knows it.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'a> {
    /// The service.
    pub service: &'a Did,
    /// Digest of the receipt that it gave.
    pub receipt: Hash,
    /// When it gave that.
    pub given: UnixSeconds,
    /// Thumbprints of the holder keys: [`holder_keys`].
    pub holders: &'a [Hash],
}

/// A withdrawal as it travelled; only its form was looked at.
#[derive(Debug, Clone)]
pub struct UnverifiedWithdrawal<'a> {
    jws: UnverifiedJws<'a>,
    key: Jwk,
    claimed: Withdrawal,
}

impl<'a> UnverifiedWithdrawal<'a> {
    /// Parses a withdrawal.
    ///
    /// # Errors
    /// [`WithdrawalError::Malformed`].
    pub fn parse(text: &'a str) -> Result<Self, WithdrawalError> {
        let malformed = |_| WithdrawalError::Malformed;
        let jws = UnverifiedJws::parse_limited(text, MAX_WITHDRAWAL_BYTES).map_err(malformed)?;
        let header = jws.header();
        // One key and one name for it, or two readers might take two.
        let names_it_again = ["kid", "x5c"].into_iter().any(|name| header.member(name).is_some());
        if header.typ() != Some(typ::WITHDRAWAL) || names_it_again {
            return Err(WithdrawalError::Malformed);
        }
        let key = header.proof_jwk().map_err(malformed)?;
        let limits = Limits::of(MAX_WITHDRAWAL_BYTES);
        let claimed = json::read(jws.dangerous_payload(), limits).map_err(|_| WithdrawalError::Malformed)?;
        Ok(Self { jws, key, claimed })
    }

    /// What it claims to say: for finding the receipt that it is about, and for nothing that rests on it.
    #[must_use]
    pub fn dangerous_claims(&self) -> &Withdrawal {
        &self.claimed
    }

    /// The key that it carries, and says to be signed by.
    pub(crate) const fn key(&self) -> &Jwk {
        &self.key
    }

    /// SHA-256 of its text.
    #[must_use]
    pub fn digest(&self) -> Hash {
        sha256(self.jws.compact().as_bytes())
    }

    /// Verifies that a holder of this very sharing signed it, after the sharing and not in the future.
    ///
    /// # Errors
    /// [`WithdrawalError`], by the first thing that is wrong.
    pub fn verify(self, shared: &Shared<'_>, now: UnixSeconds) -> Result<VerifiedWithdrawal, WithdrawalError> {
        if self.claimed.aud != *shared.service {
            return Err(WithdrawalError::Audience);
        }
        if self.claimed.receipt != shared.receipt {
            return Err(WithdrawalError::Receipt);
        }
        if !shared.holders.contains(&self.key.thumbprint()) {
            return Err(WithdrawalError::Key);
        }
        let digest = self.digest();
        let signed = self.jws.verify(self.key.key(), ExpectedTyp::Exactly(typ::WITHDRAWAL));
        signed.map_err(|_| WithdrawalError::Signature)?;
        let in_time = self.claimed.iat >= shared.given.plus(-LEEWAY) && self.claimed.iat <= now.plus(LEEWAY);
        if !in_time {
            return Err(WithdrawalError::Time);
        }
        Ok(VerifiedWithdrawal { withdrawal: self.claimed, digest })
    }
}

/// A withdrawal that a holder of the sharing really signed. Made in one function only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedWithdrawal {
    withdrawal: Withdrawal,
    digest: Hash,
}

impl VerifiedWithdrawal {
    /// What it says.
    #[must_use]
    pub fn withdrawal(&self) -> &Withdrawal {
        &self.withdrawal
    }

    /// SHA-256 of its text.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.digest
    }
}
