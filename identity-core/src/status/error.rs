//! Why a status list is refused.

use thiserror::Error;

use crate::encoding::base64url::Base64Error;
use crate::jose::{ClaimError, JwsError};
use crate::problem::Code;

/// Why a status list, a reference to one, or a wish to change one, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The reference has no `uri`, or no non-negative integer `idx`.
    #[error("the reference to a status list is malformed")]
    Reference,
    /// Not a valid JWS by the key, or of another type.
    #[error("status list token: {0}")]
    Jws(#[from] JwsError),
    /// A claim is missing or of a wrong type.
    #[error("status list token: {0}")]
    Claim(#[from] ClaimError),
    /// `status_list` is malformed or has no entry, or `ttl` is no positive integer.
    #[error("the status list token is malformed")]
    Malformed,
    /// `sub` is not the address that the credential refers to.
    #[error("the status list token is for another list")]
    Subject,
    /// `exp` has passed.
    #[error("the status list token has expired")]
    Expired,
    /// `iat` lies ahead.
    #[error("the status list token is dated in the future")]
    InFuture,
    /// `bits` is not 1, 2, 4 or 8.
    #[error("the status list has an unknown number of bits")]
    Bits,
    /// `lst` is not base64url.
    #[error("status list: {0}")]
    Encoding(Base64Error),
    /// `lst` is not one whole zlib stream.
    #[error("the status list cannot be decompressed")]
    Compression,
    /// Decompressed, the list is longer than [`limits::STATUS_LIST`](crate::encoding::limits::STATUS_LIST).
    #[error("the status list decompresses to more than allowed")]
    TooLong,
    /// The index lies beyond the list.
    #[error("the index lies outside the status list")]
    OutOfRange,
    /// The status needs more bits than the list has.
    #[error("the status does not fit the bits of the list")]
    Value,
    /// Fewer entries than hide a holder, or more than a list may have.
    #[error("the status list has too few or too many entries")]
    Size,
}

impl StatusError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Reference => Code::CredentialStatusInvalid,
            Self::Jws(error) => error.code(),
            Self::Claim(error) => error.code(),
            Self::Malformed => Code::StatusMalformed,
            Self::Subject => Code::StatusSubject,
            Self::Expired => Code::StatusExpired,
            Self::InFuture => Code::StatusInFuture,
            Self::Bits => Code::StatusBits,
            Self::Encoding(error) => error.code(),
            Self::Compression => Code::StatusCompression,
            Self::TooLong => Code::StatusBomb,
            Self::OutOfRange => Code::StatusOutOfRange,
            Self::Value => Code::StatusValue,
            Self::Size => Code::StatusListSize,
        }
    }
}
