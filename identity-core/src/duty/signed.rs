//! What attestations and orders have in common: a JWS by a duty key, and the delegation that it is held against.

use ledger::{Hash, sha256};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::DutyError;
use crate::crypto::{Signer, SigningFailed};
use crate::did::Did;
use crate::encoding::json::{self, Limits};
use crate::jose::{ExpectedTyp, Jwk, SignHeader, UnverifiedJws, sign_compact, typ};
use crate::registry::{Delegation, DutyHistory};

/// Signs with a duty key, which `kid` names by its RFC 7638 thumbprint.
pub(super) fn sign(said: &impl Serialize, key: &dyn Signer) -> Result<String, SigningFailed> {
    let payload = serde_json::to_vec(said).map_err(|_| SigningFailed)?;
    let name = Jwk::new(key.public_key().clone()).thumbprint().to_base64url();
    sign_compact(SignHeader::new(typ::DUTY).kid(&name), &payload, key)
}

/// Something that claims to be signed by a duty key. Whoever relies on it verifies it first.
#[derive(Debug, Clone)]
pub(super) struct Signed<'a, T> {
    pub(super) jws: UnverifiedJws<'a>,
    /// SHA-256 of its text.
    pub(super) digest: Hash,
    pub(super) key: Hash,
    pub(super) claimed: T,
}

impl<'a, T: DeserializeOwned> Signed<'a, T> {
    pub(super) fn parse(text: &'a str, max_bytes: usize) -> Result<Self, DutyError> {
        let malformed = |_| DutyError::Malformed;
        let jws = UnverifiedJws::parse_limited(text, max_bytes).map_err(malformed)?;
        if jws.header().typ() != Some(typ::DUTY) {
            return Err(DutyError::Malformed);
        }
        let key = jws.header().kid().ok().and_then(|kid| Hash::from_base64url(kid).ok()).ok_or(DutyError::Malformed)?;
        let claimed = json::read(jws.dangerous_payload(), Limits::of(max_bytes)).map_err(|_| DutyError::Malformed)?;
        Ok(Self { jws, digest: sha256(text.as_bytes()), key, claimed })
    }

    /// The delegation of this duty that held at a log index, if its key signed this.
    pub(super) fn under(&self, duty: (&Did, &str), history: &DutyHistory, index: u64) -> Result<Delegation, DutyError> {
        let delegation = self.claimed_under(duty, history, index)?;
        let verified = self.jws.clone().verify(delegation.key.key(), ExpectedTyp::Exactly(typ::DUTY));
        verified.map_err(|_| DutyError::Signature)?;
        Ok(delegation.clone())
    }

    /// As [`Self::under`], for what counts once and is known by its digest: ES256 signatures need low `s`, or anybody
    /// could make another text of this one, with another digest, that verifies just as well.
    pub(super) fn under_low_s(
        &self,
        duty: (&Did, &str),
        history: &DutyHistory,
        index: u64,
    ) -> Result<Delegation, DutyError> {
        let delegation = self.claimed_under(duty, history, index)?;
        let verified = self.jws.clone().verify_low_s(delegation.key.key(), ExpectedTyp::Exactly(typ::DUTY));
        verified.map_err(|_| DutyError::Signature)?;
        Ok(delegation.clone())
    }

    /// The delegation to the key that this names. Whether that key signed it is not looked at.
    fn claimed_under<'h>(
        &self,
        (department, duty): (&Did, &str),
        history: &'h DutyHistory,
        index: u64,
    ) -> Result<&'h Delegation, DutyError> {
        if history.department != *department || history.duty != duty {
            return Err(DutyError::Unknown);
        }
        delegated(history, &self.key, index)
    }
}

/// The delegation that holds at a log index, if it is to the key with this thumbprint.
pub(crate) fn delegated<'h>(
    history: &'h DutyHistory,
    thumbprint: &Hash,
    index: u64,
) -> Result<&'h Delegation, DutyError> {
    let of_key = |given: &&Delegation| given.id <= index && given.key.thumbprint() == *thumbprint;
    if let Some(holding) = history.at(index).filter(of_key) {
        return Ok(holding);
    }
    let last = history.delegations.iter().rev().find(of_key).ok_or(DutyError::Unknown)?;
    let ended = last.ended.is_some_and(|ended| ended <= index);
    Err(if ended { DutyError::Ended } else { DutyError::NotYet })
}
