//! Why nobody answers for a request, or for an act of issuing.

use thiserror::Error;

use crate::problem::Code;

/// Why an attestation does not let a question be asked, or an order nothing be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DutyError {
    /// The request carries none.
    #[error("no official answers for it")]
    Missing,
    /// Not a JWS of this kind with these members.
    #[error("the attestation is malformed")]
    Malformed,
    /// Made for another department than the one that asks.
    #[error("the attestation is another department's")]
    Department,
    /// The ledger knows no delegation of this duty to this key.
    #[error("the ledger holds no delegation of this duty to this key")]
    Unknown,
    /// The delegation has not begun.
    #[error("the delegation has not begun")]
    NotYet,
    /// The delegation has ended: taken back, or its period is over.
    #[error("the delegation has ended")]
    Ended,
    /// Not signed by the duty key.
    #[error("the attestation is not signed by the duty key")]
    Signature,
    /// Signed over another question, nonce, address or time than the request has.
    #[error("the attestation is over another request")]
    OtherRequest,
    /// The duty does not cover a credential type that is asked for.
    #[error("the duty does not cover this type of credential")]
    Type,
    /// The duty does not cover a claim that is asked for.
    #[error("the duty does not cover all the claims that are asked for")]
    Claims,
    /// The duty does not cover the purpose.
    #[error("the duty does not cover this purpose")]
    Purpose,
    /// The duty was given to an official and a service account uses it, or the other way round.
    #[error("the duty was given to an official and a service account uses it, or the other way round")]
    Holder,
    /// The duty needs a case for each act, and none is named.
    #[error("the duty needs a case, and none is named")]
    CaseMissing,
    /// The order is over another act, another content or another number of people.
    #[error("the official ordered something else")]
    OtherDeed,
    /// The order has expired, or would count for longer than orders may.
    #[error("the order has expired, or would count for too long")]
    Expired,
    /// The order was carried out before.
    #[error("the order was carried out before")]
    Used,
}

impl DutyError {
    /// The stable code of this reason.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code::DutyMissing,
            Self::Malformed => Code::DutyMalformed,
            Self::Department => Code::DutyDepartment,
            Self::Unknown => Code::DutyUnknown,
            Self::NotYet => Code::DutyNotYet,
            Self::Ended => Code::DutyEnded,
            Self::Signature => Code::DutySignature,
            Self::OtherRequest => Code::DutyOtherRequest,
            Self::Type => Code::DutyType,
            Self::Claims => Code::DutyClaims,
            Self::Purpose => Code::DutyPurpose,
            Self::Holder => Code::DutyHolder,
            Self::CaseMissing => Code::DutyCase,
            Self::OtherDeed => Code::DutyOtherDeed,
            Self::Expired => Code::DutyExpired,
            Self::Used => Code::DutyUsed,
        }
    }
}
