//! Why a credential is refused, beyond what SD-JWT itself asks.

use thiserror::Error;

use crate::jose::ClaimError;
use crate::kb_jwt::KbJwtError;
use crate::problem::Code;
use crate::sd_jwt::SdJwtError;

/// Why a credential, or a wish to issue one, is refused. No variant carries a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// Not a valid SD-JWT.
    #[error(transparent)]
    SdJwt(#[from] SdJwtError),
    /// No `iss`, or not an `https` URL (`http` on loopback).
    #[error("the credential's issuer is missing or no https URL")]
    Issuer,
    /// No `vct`.
    #[error("the credential names no type")]
    VctMissing,
    /// `vct` is no URI, so not collision-resistant.
    #[error("the credential's type is no URI")]
    VctInvalid,
    /// `aka_vcts` is not a non-empty array of URIs other than `vct`.
    #[error("the credential's further types are malformed")]
    AkaVcts,
    /// `exp`, `nbf` or `iat` is no time.
    #[error("credential: {0}")]
    Time(ClaimError),
    /// The last moment of validity has passed.
    #[error("the credential has expired")]
    Expired,
    /// The first moment of validity has not come.
    #[error("the credential is not valid yet")]
    NotYetValid,
    /// `cnf` is there and names no key of ours.
    #[error("credential: {0}")]
    Confirmation(KbJwtError),
    /// `status` is there and is no reference to a status list.
    #[error("the credential's status reference is malformed")]
    Status,
    /// One of [`NEVER_DISCLOSABLE`](super::NEVER_DISCLOSABLE), or something inside it, came as a disclosure.
    #[error("a claim that must stay in plain sight came as a disclosure")]
    ForbiddenDisclosure,
    /// Subject claims to be issued contain a registered claim.
    #[error("a claim about the subject has the name of a registered claim")]
    RegisteredClaim,
}

impl CredentialError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::SdJwt(error) => error.code(),
            Self::Issuer => Code::CredentialIssuerInvalid,
            Self::VctMissing => Code::CredentialVctMissing,
            Self::VctInvalid => Code::CredentialVctInvalid,
            Self::AkaVcts => Code::CredentialAkaVctsInvalid,
            Self::Time(_) => Code::CredentialTimeInvalid,
            Self::Expired => Code::CredentialExpired,
            Self::NotYetValid => Code::CredentialNotYetValid,
            Self::Confirmation(error @ (KbJwtError::CnfAmbiguous | KbJwtError::CnfMethod | KbJwtError::CnfName)) => {
                error.code()
            }
            Self::Confirmation(_) => Code::CredentialCnfInvalid,
            Self::Status => Code::CredentialStatusInvalid,
            Self::ForbiddenDisclosure => Code::CredentialForbiddenDisclosure,
            Self::RegisteredClaim => Code::CredentialClaimRegistered,
        }
    }
}
