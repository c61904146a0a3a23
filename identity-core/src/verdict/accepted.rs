//! What is known once every check has passed.

use std::collections::BTreeMap;
use std::fmt;

use ledger::CertifiedCheckpoint;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::anchor::AnchoredAt;
use crate::did::Did;
use crate::duty::VerifiedAttestation;
use crate::problem::Code;
use crate::sd_jwt::ClaimPath;
use crate::status::StatusError;
use crate::time::UnixSeconds;

/// A presentation that may be relied on. Made in one place, by [`super::judge`].
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) credentials: BTreeMap<String, Vec<VerifiedCredential>>,
    pub(super) evidence_as_of: UnixSeconds,
    pub(super) newly_certified: Vec<CertifiedCheckpoint>,
    pub(super) attestation: VerifiedAttestation,
    pub(super) past: Option<u64>,
}

impl Verified {
    /// The credentials, by the id of the credential query that they answer.
    #[must_use]
    pub const fn credentials(&self) -> &BTreeMap<String, Vec<VerifiedCredential>> {
        &self.credentials
    }

    /// Checkpoints that were certified on the way: [`super::PreparedEvidence::remember`] spares the next verdict their
    /// signatures, and changes none.
    #[must_use]
    pub fn newly_certified(&self) -> &[CertifiedCheckpoint] {
        &self.newly_certified
    }

    /// Who answers for the question, and what the data is wanted for.
    #[must_use]
    pub const fn attestation(&self) -> &VerifiedAttestation {
        &self.attestation
    }

    /// The past log index as of which it was judged. None: as of now; only that may be relied on today.
    #[must_use]
    pub const fn past(&self) -> Option<u64> {
        self.past
    }

    /// The age of the verdict: when the oldest checkpoint that it rests on was cosigned.
    #[must_use]
    pub const fn evidence_as_of(&self) -> UnixSeconds {
        self.evidence_as_of
    }
}

/// One credential that held in every respect, and what was checked.
#[derive(Clone, Debug)]
pub struct VerifiedCredential {
    /// Its type (`vct`).
    pub credential_type: String,
    /// Who issued it: the ledger's name.
    pub issuer: Did,
    /// Who issued it: its address (`iss`).
    pub issuer_address: String,
    /// What it says, of that which was asked for or stands in plain sight.
    pub claims: Claims,
    /// Which claims came as disclosures, whether they were asked for or not.
    pub disclosed: Vec<ClaimPath>,
    /// Where it stands on the ledger; `None` says that no proof came and policy did not demand one.
    pub anchor: Option<AnchoredAt>,
    /// Whether it is in force.
    pub status: Status,
    /// When the holder signed, by the holder's clock.
    pub holder_signed_at: UnixSeconds,
}

/// Claims of a person. `Debug` shows none of them.
#[derive(Clone, PartialEq)]
pub struct Claims(pub(super) Map<String, Value>);

impl Claims {
    /// The claims, to be released to whoever asked.
    #[must_use]
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claims({} withheld)", self.0.len())
    }
}

/// Whether an accepted credential is in force. Revoked and suspended ones are not accepted, so they have no place
/// here; undetermined is never shown as either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The issuer's list says so.
    Valid,
    /// Nobody can say now, and policy accepts that for this purpose.
    Undetermined(StatusDoubt),
}

/// Why a status is undetermined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StatusDoubt {
    /// The credential names no status list.
    #[error("the credential names no status list")]
    NotListed,
    /// No list is at hand: it could not be fetched.
    #[error("no status list is at hand")]
    NoList,
    /// The list is signed by a key that is not currently its signer's.
    #[error("the signer of the status list is unknown")]
    SignerUnknown,
    /// The list is signed by someone else than the credential's issuer.
    #[error("the status list is signed by another issuer")]
    OtherSigner,
    /// The copy of the list at hand is too old.
    #[error("the status list is stale")]
    Stale,
    /// Judged as of a past moment: the copy of the list at hand is not of that time. A later one says that an entry changed,
    /// not when.
    #[error("the status list at hand is of another time, and does not tell when an entry changed")]
    OtherTime,
    /// The list is malformed, or was expired when it was fetched.
    #[error("{0}")]
    List(StatusError),
}

impl StatusDoubt {
    /// The code that says why; the status itself has `credential.status.undetermined`.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::NotListed => Code::VerdictStatusNotListed,
            Self::NoList => Code::VerdictStatusNoList,
            Self::SignerUnknown => Code::VerdictStatusSignerUnknown,
            Self::OtherSigner => Code::VerdictStatusOtherSigner,
            Self::Stale => Code::StatusStale,
            Self::OtherTime => Code::VerdictStatusOtherTime,
            Self::List(error) => error.code(),
        }
    }
}
