//! The attestation: its members, its signature, and what it lets be asked.

use ledger::{Hash, sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DutyError;
use crate::crypto::{Signer, SigningFailed};
use crate::dcql;
use crate::did::Did;
use crate::encoding::json::{self, Limits};
use crate::encoding::limits;
use crate::jose::{ExpectedTyp, Jwk, SignHeader, UnverifiedJws, sign_compact, typ};
use crate::oid4vp::request::{Parameters, is_purpose};
use crate::registry::{Delegation, DutyHistory, Role, is_duty_number};
use crate::sd_jwt::{ClaimPath, Segment};
use crate::time::UnixSeconds;

/// The `format` of an attestation among `verifier_info` (OpenID4VP 1.0 §5.11).
pub const FORMAT: &str = typ::DUTY;
/// The largest attestation read, in bytes: it repeats the query, which a request object has room for once more.
pub const MAX_ATTESTATION_BYTES: usize = 24 * 1024;
/// The most characters of a legal basis: the name of a law and an article of it.
pub const MAX_BASIS_CHARS: usize = 256;
/// The longest retention that can be stated, in days: a hundred years, for archives.
pub const MAX_RETENTION_DAYS: u32 = 36_525;

/// What an official signs (`xinfu-duty+jwt`): the question, whom it goes to, and what the answer is wanted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The department on whose behalf.
    pub iss: Did,
    /// The duty number.
    pub duty: String,
    /// The purpose's code.
    pub purpose: String,
    /// The legal basis, in the words of the law.
    pub basis: String,
    /// How long the answer is kept, in days.
    pub retention_days: u32,
    /// The department that receives the answer; the one that asks.
    pub receiver: Did,
    /// Digest of a salt and the case's number, which the department keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Hash>,
    /// Whether the holder is asked to sign this too. Not, for wallets that do not know how.
    pub holder_signs: bool,
    /// The question, as in the request.
    pub dcql_query: Value,
    /// Who asks, as in the request.
    pub client_id: String,
    /// Where the answer goes, as in the request.
    pub response_uri: String,
    /// The request's nonce.
    pub nonce: String,
    /// When the request stops counting.
    pub exp: UnixSeconds,
}

impl Attestation {
    /// Signs it with the duty key.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, key: &dyn Signer) -> Result<String, SigningFailed> {
        let payload = serde_json::to_vec(self).map_err(|_| SigningFailed)?;
        let name = Jwk::new(key.public_key().clone()).thumbprint().to_base64url();
        sign_compact(SignHeader::new(typ::DUTY).kid(&name), &payload, key)
    }

    /// Whether every member is within its bounds.
    fn is_sound(&self) -> bool {
        is_duty_number(&self.duty)
            && is_purpose(&self.purpose)
            && is_basis(&self.basis)
            && self.retention_days <= MAX_RETENTION_DAYS
            && self.receiver == self.iss
    }
}

/// Whether `text` can be a legal basis: some printable text, at most [`MAX_BASIS_CHARS`].
#[must_use]
pub fn is_basis(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_BASIS_CHARS && !text.chars().any(char::is_control)
}

/// An attestation as it travelled; only its form was looked at.
#[derive(Debug, Clone)]
pub struct UnverifiedAttestation<'a> {
    jws: UnverifiedJws<'a>,
    text: &'a str,
    key: Hash,
    claimed: Attestation,
}

impl<'a> UnverifiedAttestation<'a> {
    /// Parses an attestation.
    ///
    /// # Errors
    /// [`DutyError::Malformed`].
    pub fn parse(text: &'a str) -> Result<Self, DutyError> {
        let malformed = |_| DutyError::Malformed;
        let jws = UnverifiedJws::parse_limited(text, MAX_ATTESTATION_BYTES).map_err(malformed)?;
        if jws.header().typ() != Some(typ::DUTY) {
            return Err(DutyError::Malformed);
        }
        let key = jws.header().kid().ok().and_then(|kid| Hash::from_base64url(kid).ok()).ok_or(DutyError::Malformed)?;
        let limits = Limits { bytes: MAX_ATTESTATION_BYTES, depth: limits::JSON_DEPTH };
        let claimed: Attestation = json::read(jws.dangerous_payload(), limits).map_err(|_| DutyError::Malformed)?;
        if claimed.is_sound() { Ok(Self { jws, text, key, claimed }) } else { Err(DutyError::Malformed) }
    }

    /// The duty that it claims: department and duty number, whose history is wanted to verify it.
    #[must_use]
    pub fn who(&self) -> (&Did, &str) {
        (&self.claimed.iss, &self.claimed.duty)
    }

    /// RFC 7638 thumbprint of the key that it claims to be signed by.
    #[must_use]
    pub fn key(&self) -> Hash {
        self.key
    }

    /// SHA-256 of its text.
    #[must_use]
    pub fn digest(&self) -> Hash {
        sha256(self.text.as_bytes())
    }

    /// What it claims to say: for showing it to the official who is to sign it, and to nobody else.
    #[must_use]
    pub fn dangerous_claims(&self) -> &Attestation {
        &self.claimed
    }

    /// Verifies the signature under the key to which the ledger had delegated the duty at a log index.
    ///
    /// # Errors
    /// [`DutyError`]: no such delegation, not yet or no longer, or another signature.
    pub fn verify(self, history: &DutyHistory, index: u64) -> Result<VerifiedAttestation, DutyError> {
        if history.department != self.claimed.iss || history.duty != self.claimed.duty {
            return Err(DutyError::Unknown);
        }
        let delegation = delegated(history, &self.key, index)?;
        let key = delegation.key.key();
        self.jws.clone().verify(key, ExpectedTyp::Exactly(typ::DUTY)).map_err(|_| DutyError::Signature)?;
        let digest = self.digest();
        Ok(VerifiedAttestation { attestation: self.claimed, delegation: delegation.clone(), digest })
    }
}

/// The delegation that holds at a log index, if it is to the key with this thumbprint.
fn delegated<'h>(history: &'h DutyHistory, thumbprint: &Hash, index: u64) -> Result<&'h Delegation, DutyError> {
    let of_key = |given: &&Delegation| given.id <= index && given.key.thumbprint() == *thumbprint;
    if let Some(holding) = history.at(index).filter(of_key) {
        return Ok(holding);
    }
    let last = history.delegations.iter().rev().find(of_key).ok_or(DutyError::Unknown)?;
    let ended = last.ended.is_some_and(|ended| ended <= index);
    Err(if ended { DutyError::Ended } else { DutyError::NotYet })
}

/// An attestation that was signed under a duty that the ledger knew. Made in one function only.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedAttestation {
    attestation: Attestation,
    delegation: Delegation,
    digest: Hash,
}

impl VerifiedAttestation {
    /// What was signed.
    #[must_use]
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }

    /// The delegation under which it was signed.
    #[must_use]
    pub fn delegation(&self) -> &Delegation {
        &self.delegation
    }

    /// SHA-256 of the attestation's text.
    #[must_use]
    pub fn digest(&self) -> &Hash {
        &self.digest
    }

    /// That it was signed over this very request, by the department that asks, and that the duty covers it.
    ///
    /// # Errors
    /// [`DutyError`], by the first thing that does not fit.
    pub fn check(&self, asker: &Did, request: &Parameters) -> Result<(), DutyError> {
        if self.attestation.iss != *asker {
            return Err(DutyError::Department);
        }
        if !self.attestation.is_over(request) {
            return Err(DutyError::OtherRequest);
        }
        self.check_scope(&request.query)
    }

    /// Every type, claim and purpose within one delegation; it is never widened by another.
    fn check_scope(&self, query: &dcql::Query) -> Result<(), DutyError> {
        let duty = &self.delegation;
        for asked in &query.credentials {
            if !asked.vct_values.iter().all(|vct| duty.is_for(Role::Verifier, vct)) {
                return Err(DutyError::Type);
            }
            if !asked.claims.iter().all(|claim| duty.covers_claim(&leading_names(&claim.path))) {
                return Err(DutyError::Claims);
            }
        }
        if !duty.is_for_purpose(&self.attestation.purpose) {
            return Err(DutyError::Purpose);
        }
        if duty.case_required && self.attestation.case.is_none() {
            return Err(DutyError::CaseMissing);
        }
        Ok(())
    }
}

impl Attestation {
    /// Whether a request says the same: the query as parsed JSON, so that only the order of an object's members is free.
    fn is_over(&self, request: &Parameters) -> bool {
        self.dcql_query == request.dcql_query
            && self.client_id == request.client_id.as_str()
            && self.response_uri == request.response_uri.as_str()
            && self.nonce == request.nonce
            && self.exp == request.expires
            && Some(self.purpose.as_str()) == request.purpose.as_deref()
            && self.holder_signs != request.transaction_data.is_empty()
    }
}

/// The names that lead a path: whatever an array holds belongs to the array.
pub(crate) fn leading_names(path: &ClaimPath) -> Vec<String> {
    let name = |segment: &Segment| match segment {
        Segment::Name(name) => Some(name.clone()),
        Segment::Index(_) | Segment::Every => None,
    };
    path.segments().iter().map_while(name).collect()
}
