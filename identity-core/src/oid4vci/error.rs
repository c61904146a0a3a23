//! What each endpoint may answer: one enum per endpoint, holding only the codes its specification gives it, and the
//! refusals behind them, each with its own stable code from the catalogue.

use crate::encoding::json::JsonError;
use crate::problem::Code;

use super::proof::ProofRefusal;

/// `error` of a token response (RFC 6749 §5.2, OpenID4VCI §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenErrorName {
    /// `invalid_request`
    InvalidRequest,
    /// `invalid_grant`
    InvalidGrant,
    /// `unsupported_grant_type`
    UnsupportedGrantType,
}

impl TokenErrorName {
    /// The text on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

/// `error` of a credential response (OpenID4VCI §8.3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialErrorName {
    /// `invalid_credential_request`
    InvalidCredentialRequest,
    /// `unknown_credential_configuration`
    UnknownCredentialConfiguration,
    /// `unknown_credential_identifier`
    UnknownCredentialIdentifier,
    /// `invalid_proof`
    InvalidProof,
    /// `invalid_nonce`
    InvalidNonce,
    /// `invalid_encryption_parameters`
    InvalidEncryptionParameters,
    /// `credential_request_denied`
    CredentialRequestDenied,
}

impl CredentialErrorName {
    /// The text on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCredentialRequest => "invalid_credential_request",
            Self::UnknownCredentialConfiguration => "unknown_credential_configuration",
            Self::UnknownCredentialIdentifier => "unknown_credential_identifier",
            Self::InvalidProof => "invalid_proof",
            Self::InvalidNonce => "invalid_nonce",
            Self::InvalidEncryptionParameters => "invalid_encryption_parameters",
            Self::CredentialRequestDenied => "credential_request_denied",
        }
    }
}

/// `error` of a resource that wants a bearer token (RFC 6750 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerErrorName {
    /// No `error` at all: the request carried no authentication (RFC 6750 §3.1, last paragraph).
    Unauthenticated,
    /// `invalid_request`
    InvalidRequest,
    /// `invalid_token`
    InvalidToken,
    /// `insufficient_scope`
    InsufficientScope,
}

impl BearerErrorName {
    /// The text on the wire, if any.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope => Some("insufficient_scope"),
        }
    }

    /// The HTTP status that RFC 6750 §3.1 gives it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthenticated | Self::InvalidToken => 401,
            Self::InvalidRequest => 400,
            Self::InsufficientScope => 403,
        }
    }
}

/// Why the token endpoint refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRefusal {
    /// The body is not a form.
    #[error("the body is not a form")]
    Malformed,
    /// A parameter stands twice.
    #[error("a parameter stands twice")]
    ParameterRepeated,
    /// No `grant_type`.
    #[error("grant_type is missing")]
    GrantTypeMissing,
    /// Another grant than the pre-authorized code.
    #[error("this grant type is not supported")]
    GrantTypeUnsupported,
    /// No `pre-authorized_code`.
    #[error("pre-authorized_code is missing")]
    CodeMissing,
    /// A code this issuer never gave out.
    #[error("the pre-authorized code is unknown")]
    CodeUnknown,
    /// The code's time is over.
    #[error("the pre-authorized code has expired")]
    CodeExpired,
    /// The code was taken before.
    #[error("the pre-authorized code was used before")]
    CodeUsed,
    /// Too many wrong transaction codes.
    #[error("too many wrong transaction codes, the offer is locked")]
    CodeLocked,
    /// A transaction code is demanded and missing.
    #[error("tx_code is missing")]
    TxCodeMissing,
    /// A transaction code was sent where none is expected.
    #[error("no tx_code is expected")]
    TxCodeUnexpected,
    /// The transaction code is wrong.
    #[error("the tx_code is wrong")]
    TxCodeWrong,
}

impl TokenRefusal {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> TokenErrorName {
        match self {
            Self::Malformed
            | Self::ParameterRepeated
            | Self::GrantTypeMissing
            | Self::CodeMissing
            | Self::TxCodeMissing
            | Self::TxCodeUnexpected => TokenErrorName::InvalidRequest,
            Self::GrantTypeUnsupported => TokenErrorName::UnsupportedGrantType,
            Self::CodeUnknown | Self::CodeExpired | Self::CodeUsed | Self::CodeLocked | Self::TxCodeWrong => {
                TokenErrorName::InvalidGrant
            }
        }
    }

    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed => Code::VciTokenMalformed,
            Self::ParameterRepeated => Code::VciTokenParameterRepeated,
            Self::GrantTypeMissing => Code::VciTokenGrantTypeMissing,
            Self::GrantTypeUnsupported => Code::VciTokenGrantTypeUnsupported,
            Self::CodeMissing => Code::VciTokenCodeMissing,
            Self::CodeUnknown => Code::VciTokenCodeUnknown,
            Self::CodeExpired => Code::VciTokenCodeExpired,
            Self::CodeUsed => Code::VciTokenCodeUsed,
            Self::CodeLocked => Code::VciTokenCodeLocked,
            Self::TxCodeMissing => Code::VciTokenTxCodeMissing,
            Self::TxCodeUnexpected => Code::VciTokenTxCodeUnexpected,
            Self::TxCodeWrong => Code::VciTokenTxCodeWrong,
        }
    }
}

/// Why a request with a bearer token is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessRefusal {
    /// No token.
    #[error("the request carries no access token")]
    TokenMissing,
    /// The header is not a bearer token.
    #[error("the Authorization header is not a bearer token")]
    TokenMalformed,
    /// The token stands in the query.
    #[error("the access token stands in the query")]
    TokenInQuery,
    /// A token this issuer never gave out, or one replaced.
    #[error("the access token is unknown")]
    TokenUnknown,
    /// The token's time is over.
    #[error("the access token has expired")]
    TokenExpired,
    /// The token is good, but not for the credential asked for.
    #[error("the access token is not for this credential configuration")]
    NotOffered,
}

impl AccessRefusal {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> BearerErrorName {
        match self {
            Self::TokenMissing => BearerErrorName::Unauthenticated,
            Self::TokenMalformed | Self::TokenInQuery => BearerErrorName::InvalidRequest,
            Self::TokenUnknown | Self::TokenExpired => BearerErrorName::InvalidToken,
            Self::NotOffered => BearerErrorName::InsufficientScope,
        }
    }

    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TokenMissing => Code::VciAccessTokenMissing,
            Self::TokenMalformed => Code::VciAccessTokenMalformed,
            Self::TokenInQuery => Code::VciAccessTokenInQuery,
            Self::TokenUnknown => Code::VciAccessTokenUnknown,
            Self::TokenExpired => Code::VciAccessTokenExpired,
            Self::NotOffered => Code::VciAccessNotOffered,
        }
    }
}

/// Why the credential endpoint refuses a request that carries a good token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestRefusal {
    /// Not the JSON object of §8.2.
    #[error("the credential request is malformed: {0}")]
    Json(JsonError),
    /// Neither `credential_configuration_id` nor `credential_identifier`.
    #[error("the request names no credential configuration")]
    ConfigurationMissing,
    /// Both of them.
    #[error("the request names both a configuration and an identifier")]
    BothIdentifiers,
    /// A configuration this issuer does not have.
    #[error("the credential configuration is unknown")]
    ConfigurationUnknown,
    /// A `credential_identifier`, though the token response gave none.
    #[error("the credential identifier is unknown")]
    IdentifierUnknown,
    /// `credential_response_encryption`, which this issuer does not offer.
    #[error("encrypted responses are not offered")]
    EncryptionUnsupported,
    /// No `proofs`, or none in them.
    #[error("the request carries no key proof")]
    ProofsMissing,
    /// Another proof type than `jwt`, or several.
    #[error("the proof type is not supported")]
    ProofTypeUnsupported,
    /// More proofs than `batch_size`.
    #[error("the request carries too many key proofs")]
    TooManyProofs,
    /// Two proofs of one key.
    #[error("two proofs are made by the same key")]
    KeyRepeated,
    /// One proof does not hold.
    #[error("key proof {position} does not hold: {refusal}")]
    Proof {
        /// Which one, counted from 0.
        position: usize,
        /// Why.
        refusal: ProofRefusal,
    },
    /// The credential of this offer was issued before.
    #[error("the credential of this offer was issued before")]
    AlreadyIssued,
    /// The data the credential would state is gone or no longer valid.
    #[error("the subject's record is gone")]
    SubjectGone,
}

impl RequestRefusal {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> CredentialErrorName {
        match self {
            Self::Json(_) | Self::ConfigurationMissing | Self::BothIdentifiers | Self::TooManyProofs => {
                CredentialErrorName::InvalidCredentialRequest
            }
            Self::ConfigurationUnknown => CredentialErrorName::UnknownCredentialConfiguration,
            Self::IdentifierUnknown => CredentialErrorName::UnknownCredentialIdentifier,
            Self::EncryptionUnsupported => CredentialErrorName::InvalidEncryptionParameters,
            Self::ProofsMissing | Self::ProofTypeUnsupported | Self::KeyRepeated => CredentialErrorName::InvalidProof,
            Self::Proof { refusal, .. } => refusal.name(),
            Self::AlreadyIssued | Self::SubjectGone => CredentialErrorName::CredentialRequestDenied,
        }
    }

    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Json(error) => error.code(),
            Self::ConfigurationMissing => Code::VciRequestConfigurationMissing,
            Self::BothIdentifiers => Code::VciRequestBothIdentifiers,
            Self::ConfigurationUnknown => Code::VciRequestConfigurationUnknown,
            Self::IdentifierUnknown => Code::VciRequestIdentifierUnknown,
            Self::EncryptionUnsupported => Code::VciRequestEncryptionUnsupported,
            Self::ProofsMissing => Code::VciProofMissing,
            Self::ProofTypeUnsupported => Code::VciProofTypeUnsupported,
            Self::TooManyProofs => Code::VciProofTooMany,
            Self::KeyRepeated => Code::VciProofKeyRepeated,
            Self::Proof { refusal, .. } => refusal.code(),
            Self::AlreadyIssued => Code::VciRequestAlreadyIssued,
            Self::SubjectGone => Code::VciRequestSubjectGone,
        }
    }
}

/// Why the credential endpoint refuses: one of RFC 6750's reasons, or one of OpenID4VCI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialRefusal {
    /// The token does not let the request in.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// The request itself does not hold.
    #[error(transparent)]
    Request(#[from] RequestRefusal),
}

impl CredentialRefusal {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Access(refusal) => refusal.code(),
            Self::Request(refusal) => refusal.code(),
        }
    }
}
