//! Refusals of this protocol: one closed enum per act, each with our code and its OAuth name.
//!
//! No variant carries a value from the input, so every one of them may be logged and shown.

use super::client_id::ClientIdError;
use crate::dcql;
use crate::jose::jwe::JweError;
use crate::jose::{ClaimError, JwsError};
use crate::problem::Code;
use crate::x509::X509Error;

/// Error names that travel (OpenID4VP 1.0 §8.5, RFC 9101 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthError {
    /// The request, or the response to it, does not fit the rules.
    InvalidRequest,
    /// The request object's address is unknown or no longer answers.
    InvalidRequestUri,
    /// The request object's signature or content does not hold.
    InvalidRequestObject,
    /// The verifier is not who it says.
    InvalidClient,
    /// The holder, or the wallet for her, said no.
    AccessDenied,
    /// No common credential format.
    VpFormatsNotSupported,
    /// `request_uri_method` is neither `get` nor `post`.
    InvalidRequestUriMethod,
    /// `transaction_data` that the wallet does not understand.
    InvalidTransactionData,
    /// Our own fault; the same answer may be sent again.
    TemporarilyUnavailable,
}

impl OAuthError {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidClient => "invalid_client",
            Self::AccessDenied => "access_denied",
            Self::VpFormatsNotSupported => "vp_formats_not_supported",
            Self::InvalidRequestUriMethod => "invalid_request_uri_method",
            Self::InvalidTransactionData => "invalid_transaction_data",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

/// Why a link was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Longer than [`super::request::MAX_LINK_BYTES`].
    #[error("the link is too long")]
    TooLong,
    /// Not `openid4vp://?…`.
    #[error("the link does not start with openid4vp://?")]
    Scheme,
    /// A parameter twice, or broken percent-encoding.
    #[error("the link's parameters are malformed")]
    Malformed,
    /// A request object inside the link.
    #[error("the link carries a request by value; only references are accepted")]
    ByValue,
    /// A parameter is missing.
    #[error("the link lacks {parameter}")]
    Missing {
        /// The missing one.
        parameter: &'static str,
    },
    /// `request_uri` is not a URL we may fetch from.
    #[error("request_uri is not an https URL")]
    RequestUri,
    /// `request_uri_method` is neither `get` nor `post`.
    #[error("request_uri_method is neither get nor post")]
    Method,
    /// The client identifier.
    #[error(transparent)]
    ClientId(#[from] ClientIdError),
}

impl LinkError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::TooLong | Self::Scheme | Self::Malformed | Self::Missing { .. } => Code::VpLinkMalformed,
            Self::ByValue => Code::VpLinkByValue,
            Self::RequestUri => Code::VpLinkRequestUri,
            Self::Method => Code::VpLinkMethod,
            Self::ClientId(error) => error.code(),
        }
    }
}

/// Why a wallet refused a request object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Too large, not a JWT of the right type, or its signature does not hold.
    #[error("request object: {0}")]
    Jws(#[from] JwsError),
    /// `kid` is not a DID URL of the client's.
    #[error("the request object's kid does not belong to the client")]
    KeyId,
    /// The DID document does not list the key under `authentication`.
    #[error("the client's DID document does not allow this key to sign requests")]
    Key,
    /// The certificates of an `x509_hash` client.
    #[error("the client's certificate: {0}")]
    Certificate(#[from] X509Error),
    /// The certificate is not the one that `client_id` names.
    #[error("the request object's certificate is not the one that client_id names")]
    OtherCertificate,
    /// The document handed in is another DID's.
    #[error("the DID document is not the client's")]
    Document,
    /// A stored session that is none.
    #[error("what was stored is not a session")]
    Stored,
    /// A required parameter is missing.
    #[error("the request object lacks {parameter}")]
    Missing {
        /// The missing one.
        parameter: &'static str,
    },
    /// A parameter is not a string.
    #[error("{parameter} is not a string")]
    NotText {
        /// Which one.
        parameter: &'static str,
    },
    /// The client identifier.
    #[error(transparent)]
    ClientId(#[from] ClientIdError),
    /// The signed client identifier is not the link's.
    #[error("the signed client_id differs from the link's")]
    ClientIdMismatch,
    /// `aud` is not `https://self-issued.me/v2`.
    #[error("the request object is not addressed to wallets")]
    Audience,
    /// `response_type` is not `vp_token`.
    #[error("response_type is not vp_token")]
    ResponseType,
    /// `response_mode` is neither `direct_post` nor `direct_post.jwt`.
    #[error("response_mode is neither direct_post nor direct_post.jwt")]
    ResponseMode,
    /// `direct_post.jwt` without a key in `client_metadata.jwks` that an answer can be encrypted to.
    #[error("client_metadata holds no P-256 key for ECDH-ES to encrypt the answer to")]
    EncryptionKey,
    /// `direct_post.jwt` with content encryptions of others only.
    #[error("client_metadata names neither A256GCM nor A128GCM to encrypt the answer with")]
    EncryptionMethod,
    /// `response_uri` is no URL we may post to.
    #[error("response_uri is not an https URL without fragment")]
    ResponseUri,
    /// `response_uri` lies outside the services that the client registered.
    #[error("response_uri is not at a service that the client registered")]
    ForeignResponseUri,
    /// `redirect_uri` beside `direct_post`.
    #[error("redirect_uri must not stand in a direct_post request")]
    RedirectUri,
    /// `scope`, which names no query here.
    #[error("scope is not supported; dcql_query is")]
    Scope,
    /// Too short for 128 bits, too long, or other characters.
    #[error("the nonce is too short, too long or not URL-safe")]
    Nonce,
    /// Too long or other characters.
    #[error("the state is too long or not URL-safe")]
    State,
    /// The question.
    #[error("dcql_query: {0}")]
    Query(#[from] dcql::QueryError),
    /// `client_metadata` does not fit.
    #[error("client_metadata does not fit")]
    ClientMetadata,
    /// The verifier does not support `dc+sd-jwt`.
    #[error("the verifier supports no credential format of ours")]
    Formats,
    /// `xinfu_anchor` is neither `required` nor `optional`.
    #[error("xinfu_anchor is neither required nor optional")]
    AnchorWish,
    /// `xinfu_purpose` is no purpose.
    #[error("xinfu_purpose is not a purpose")]
    Purpose,
    /// `exp` is not a time.
    #[error("request object: {0}")]
    Time(#[from] ClaimError),
    /// The request has expired.
    #[error("the request has expired")]
    Expired,
    /// `transaction_data` of another type than ours, or not one for each query over one attestation.
    #[error("transaction_data is of an unknown type or malformed")]
    TransactionData,
    /// `verifier_info` is no array of attestations, or has two of our format.
    #[error("verifier_info is malformed")]
    VerifierInfo,
    /// `wallet_nonce` was not echoed.
    #[error("the request object does not echo the wallet's nonce")]
    WalletNonce,
}

impl RequestError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Jws(error) => error.code(),
            Self::Time(error) => error.code(),
            Self::KeyId | Self::Key | Self::Document => Code::VpRequestKey,
            Self::Certificate(error) => error.code(),
            Self::OtherCertificate => Code::VpClientIdCertificate,
            Self::ClientId(error) => error.code(),
            Self::ClientIdMismatch => Code::VpClientIdMismatch,
            Self::Audience => Code::VpRequestAudience,
            Self::ResponseType => Code::VpRequestResponseType,
            Self::ResponseMode => Code::VpRequestResponseMode,
            Self::EncryptionKey | Self::EncryptionMethod => Code::VpRequestEncryption,
            Self::ResponseUri | Self::ForeignResponseUri => Code::VpRequestResponseUri,
            Self::RedirectUri => Code::VpRequestRedirectUri,
            Self::Nonce => Code::VpRequestNonce,
            Self::Query(error) => error.code(),
            Self::Formats => Code::VpRequestFormats,
            Self::Expired => Code::VpRequestExpired,
            Self::TransactionData => Code::VpRequestTransactionData,
            Self::VerifierInfo => Code::VpRequestVerifierInfo,
            Self::WalletNonce => Code::VpRequestWalletNonce,
            Self::Stored
            | Self::Missing { .. }
            | Self::NotText { .. }
            | Self::Scope
            | Self::State
            | Self::ClientMetadata
            | Self::AnchorWish
            | Self::Purpose => Code::VpRequestMalformed,
        }
    }

    /// What the wallet tells the verifier, if it tells anything.
    #[must_use]
    pub fn oauth(&self) -> OAuthError {
        match self {
            Self::TransactionData => OAuthError::InvalidTransactionData,
            Self::Formats => OAuthError::VpFormatsNotSupported,
            Self::KeyId
            | Self::Key
            | Self::Certificate(_)
            | Self::OtherCertificate
            | Self::Document
            | Self::ForeignResponseUri => OAuthError::InvalidClient,
            Self::Jws(_) | Self::Time(_) | Self::Stored => OAuthError::InvalidRequestObject,
            Self::Missing { .. }
            | Self::NotText { .. }
            | Self::ClientId(_)
            | Self::ClientIdMismatch
            | Self::Audience
            | Self::ResponseType
            | Self::ResponseMode
            | Self::EncryptionKey
            | Self::EncryptionMethod
            | Self::ResponseUri
            | Self::RedirectUri
            | Self::Scope
            | Self::Nonce
            | Self::State
            | Self::Query(_)
            | Self::ClientMetadata
            | Self::AnchorWish
            | Self::Purpose
            | Self::Expired
            | Self::VerifierInfo
            | Self::WalletNonce => OAuthError::InvalidRequest,
        }
    }
}

/// Why a verifier would not make a request of a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryRefused {
    /// The question is no DCQL query, or one that we could not check the answer to.
    #[error("dcql_query: {0}")]
    Query(#[from] dcql::QueryError),
    /// The purpose is no purpose.
    #[error("the purpose is not a purpose")]
    Purpose,
}

impl QueryRefused {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Query(error) => error.code(),
            Self::Purpose => Code::VpRequestMalformed,
        }
    }
}

/// Why a verifier refused the envelope of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// Larger than [`super::response::MAX_RESPONSE_BYTES`].
    #[error("the response is too large")]
    TooLarge,
    /// Not a form, or a parameter twice; encrypted, not an object.
    #[error("the response is not a well-formed form or, encrypted, no object")]
    Malformed,
    /// Encrypted, which was not asked for.
    #[error("the response is encrypted, but direct_post was asked for")]
    Encrypted,
    /// Not encrypted, although the request demands it.
    #[error("the response is not encrypted, but direct_post.jwt was asked for")]
    NotEncrypted,
    /// The encrypted token.
    #[error(transparent)]
    Jwe(#[from] JweError),
    /// `state` is missing or another session's.
    #[error("the response's state is not this request's")]
    State,
    /// The request has expired.
    #[error("the request has expired")]
    Expired,
    /// Neither `vp_token` nor `error`, or both.
    #[error("the response carries neither a vp_token nor an error, or both")]
    Nothing,
    /// `vp_token` is not an object from query ids to arrays of strings.
    #[error("vp_token is not an object of arrays of presentations")]
    VpToken,
    /// `vp_token` answers a question that was not asked.
    #[error("vp_token answers a credential query that was not asked")]
    Unasked,
    /// `vp_token` leaves a question without answer.
    #[error("vp_token leaves a credential query without answer")]
    Unanswered,
    /// More than one presentation where one was asked for.
    #[error("vp_token holds several presentations where one was asked for")]
    TooMany,
    /// One credential twice for one query.
    #[error("vp_token holds one credential twice for one query")]
    Twice,
    /// `xinfu_anchor` is not an object from query ids to arrays of proofs, in step with `vp_token`.
    #[error("xinfu_anchor does not fit vp_token")]
    Anchors,
    /// `xinfu_anchor` is missing although required.
    #[error("the response lacks the anchor proofs that the request requires")]
    AnchorsMissing,
}

impl ResponseError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::TooLarge => Code::VpResponseTooLarge,
            Self::Malformed | Self::Nothing => Code::VpResponseMalformed,
            Self::Encrypted => Code::VpResponseEncrypted,
            Self::NotEncrypted => Code::VpResponseNotEncrypted,
            Self::Jwe(error) => error.code(),
            Self::State => Code::VpResponseState,
            Self::Expired => Code::VpRequestExpired,
            Self::VpToken | Self::TooMany => Code::VpResponseVpToken,
            Self::Twice => Code::DcqlAnswerTwice,
            Self::Unasked => Code::VpResponseUnasked,
            Self::Unanswered => Code::VpResponseUnanswered,
            Self::Anchors => Code::VpResponseAnchorMalformed,
            Self::AnchorsMissing => Code::VpResponseAnchorMissing,
        }
    }

    /// The OAuth name of this refusal.
    #[must_use]
    pub fn oauth(self) -> OAuthError {
        OAuthError::InvalidRequest
    }

    /// Whether the sender showed the session's `state`, in the mode that was asked for and while it counted: only then
    /// may what it sent bring the session to its end.
    #[must_use]
    pub fn ends_session(self) -> bool {
        match self {
            Self::TooLarge
            | Self::Malformed
            | Self::Encrypted
            | Self::NotEncrypted
            | Self::Jwe(_)
            | Self::State
            | Self::Expired => false,
            Self::Nothing
            | Self::VpToken
            | Self::Unasked
            | Self::Unanswered
            | Self::TooMany
            | Self::Twice
            | Self::Anchors
            | Self::AnchorsMissing => true,
        }
    }
}

/// What a wallet says instead of presenting (OpenID4VP 1.0 §8.5). Its free text is never read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletError {
    /// The holder said no, or has nothing that fits.
    AccessDenied,
    /// The wallet found the request wrong.
    InvalidRequest,
    /// The wallet did not believe who asks.
    InvalidClient,
    /// No common credential format.
    VpFormatsNotSupported,
    /// Transaction data that the wallet does not understand.
    InvalidTransactionData,
    /// The wallet could not be reached.
    WalletUnavailable,
    /// Any other name.
    Other,
}

impl WalletError {
    /// Reads the `error` parameter; unknown names become [`WalletError::Other`].
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "access_denied" => Self::AccessDenied,
            "invalid_request" => Self::InvalidRequest,
            "invalid_client" => Self::InvalidClient,
            "vp_formats_not_supported" => Self::VpFormatsNotSupported,
            "invalid_transaction_data" => Self::InvalidTransactionData,
            "wallet_unavailable" => Self::WalletUnavailable,
            _ => Self::Other,
        }
    }

    /// The code under which the verifier keeps this end of the session.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::AccessDenied => Code::VpDeclined,
            Self::InvalidRequest
            | Self::InvalidClient
            | Self::VpFormatsNotSupported
            | Self::InvalidTransactionData
            | Self::WalletUnavailable
            | Self::Other => Code::VpWalletError,
        }
    }
}
