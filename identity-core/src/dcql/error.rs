//! Why a query is none, finds nothing, or is not answered.

use thiserror::Error;

use crate::problem::Code;

/// Why a JSON value is not a query we can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// Not of the shape of DCQL.
    #[error("the query is malformed")]
    Malformed,
    /// Something that must have an element has none.
    #[error("a list in the query is empty")]
    Empty,
    /// More of something than the limits allow.
    #[error("the query is too large")]
    TooLarge,
    /// An `id` is missing, has other characters than DCQL allows, or is used twice.
    #[error("an identifier in the query is missing, malformed or used twice")]
    Id,
    /// Another format than `dc+sd-jwt`.
    #[error("the query asks for an unsupported credential format")]
    Format,
    /// `meta` has no `vct_values`.
    #[error("the query does not say which credential types it accepts")]
    Meta,
    /// A `path` is no claims path.
    #[error("a claims path in the query is malformed")]
    Path,
    /// A wanted value is neither string nor integer nor boolean.
    #[error("a wanted value in the query is of a wrong type")]
    Values,
    /// `claim_sets` without `claims`, or naming a claim that is not there.
    #[error("the alternatives of claims in the query are inconsistent")]
    ClaimSets,
    /// `credential_sets` are not supported.
    #[error("credential_sets are not supported")]
    CredentialSets,
    /// `trusted_authorities` are not supported.
    #[error("trusted_authorities are not supported")]
    TrustedAuthorities,
    /// `multiple` is not supported.
    #[error("several credentials for one query are not supported")]
    Multiple,
}

impl QueryError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed => Code::DcqlMalformed,
            Self::Empty => Code::DcqlEmpty,
            Self::TooLarge => Code::DcqlTooLarge,
            Self::Id => Code::DcqlId,
            Self::Format => Code::DcqlFormatUnsupported,
            Self::Meta => Code::DcqlMeta,
            Self::Path => Code::DcqlPath,
            Self::Values => Code::DcqlValues,
            Self::ClaimSets => Code::DcqlClaimSets,
            Self::CredentialSets => Code::DcqlCredentialSetsUnsupported,
            Self::TrustedAuthorities => Code::DcqlTrustedAuthoritiesUnsupported,
            Self::Multiple => Code::DcqlMultipleUnsupported,
        }
    }
}

/// The wallet holds nothing that answers one of the queries, so it must answer none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no credential answers the query")]
pub struct NoMatch {
    /// The `id` of the query.
    pub id: String,
}

impl NoMatch {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::DcqlNoMatch
    }
}

/// Why a presentation does not answer its query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Of another type than asked.
    #[error("the presented credential is of another type than asked")]
    Type,
    /// A claim that was asked for is not there.
    #[error("a claim that was asked for is not there")]
    Claims,
    /// A claim has another value than asked.
    #[error("a claim has another value than asked")]
    Values,
    /// The holder did not prove possession.
    #[error("the proof of possession asked for is not there")]
    HolderBinding,
}

impl AnswerError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Type => Code::DcqlAnswerType,
            Self::Claims => Code::DcqlAnswerClaims,
            Self::Values => Code::DcqlAnswerValues,
            Self::HolderBinding => Code::DcqlAnswerHolderBinding,
        }
    }
}
