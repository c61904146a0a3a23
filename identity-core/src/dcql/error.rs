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
    /// An option of `credential_sets` names a credential query that is not there, or one twice.
    #[error("the combinations of credentials in the query are inconsistent")]
    CredentialSets,
    /// `trusted_authorities` without type or values, or `xinfu_ledger` with a value that is no DID of the ledger.
    #[error("the trusted authorities in the query are malformed")]
    TrustedAuthorities,
    /// A verifier wants to ask for an authority of a type that it could not check in the answer.
    #[error("the query names trusted authorities of a type that cannot be checked")]
    AuthorityUnknown,
    /// A verifier wants to ask for one claim twice.
    #[error("the query asks for one claim twice")]
    ClaimTwice,
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
            Self::CredentialSets => Code::DcqlCredentialSets,
            Self::TrustedAuthorities => Code::DcqlTrustedAuthorities,
            Self::AuthorityUnknown => Code::DcqlTrustedAuthoritiesUnsupported,
            Self::ClaimTwice => Code::DcqlClaimTwice,
        }
    }
}

/// The wallet holds nothing that answers a query which must be answered, so it must answer none.
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

/// Why an answer, by its outline alone, is none to the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OutlineError {
    /// Something that was not asked for, or that belongs to no option that was met.
    #[error("a presentation answers no query")]
    Unasked,
    /// A query, or a required set of queries, is not answered.
    #[error("a query is not answered")]
    Unanswered,
    /// None, or several presentations where one was asked for, or more than
    /// [`limits::DCQL_MULTIPLE`](crate::encoding::limits::DCQL_MULTIPLE).
    #[error("a query is answered by too many presentations, or by an empty list")]
    Count,
    /// One credential twice for one query.
    #[error("a query is answered by one credential twice")]
    Twice,
}

impl OutlineError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Unasked => Code::VpResponseUnasked,
            Self::Unanswered => Code::VpResponseUnanswered,
            Self::Count => Code::VpResponseVpToken,
            Self::Twice => Code::DcqlAnswerTwice,
        }
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
    /// Issued by someone else than asked.
    #[error("the presented credential is issued by someone else than asked")]
    Authority,
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
            Self::Authority => Code::DcqlAnswerAuthority,
        }
    }
}
