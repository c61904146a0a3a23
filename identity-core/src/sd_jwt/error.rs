//! Why an SD-JWT is refused. One enum for issuing, holding and verifying: the rules are the same.

use thiserror::Error;

use crate::crypto::SigningFailed;
use crate::encoding::base64url::Base64Error;
use crate::encoding::json::JsonError;
use crate::jose::JwsError;
use crate::problem::Code;

/// Why an SD-JWT, or a wish to make one, is refused. No variant carries a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SdJwtError {
    /// Longer than [`limits::SD_JWT`](crate::encoding::limits::SD_JWT).
    #[error("the SD-JWT is too long")]
    TooLong,
    /// No `~` at all: a plain JWT is another object.
    #[error("the text is a JWT, not an SD-JWT: it holds no tilde")]
    NoTilde,
    /// The last part is neither empty nor a JWT, so the final `~` is missing.
    #[error("the SD-JWT does not end with a tilde")]
    FinalTilde,
    /// More disclosures than [`limits::DISCLOSURES`](crate::encoding::limits::DISCLOSURES).
    #[error("the SD-JWT carries too many disclosures")]
    TooManyDisclosures,
    /// The JSON serialisation is not strict JSON, or no object.
    #[error("JSON serialisation: {0}")]
    Json(JsonError),
    /// Not of the shape of a JSON serialisation (RFC 7515 §7.2), or a part of it is not base64url.
    #[error("the JSON serialisation is malformed")]
    JsonShape,
    /// Members of the flattened and of the general serialisation together.
    #[error("the JSON serialisation is flattened and general at once")]
    JsonMixed,
    /// `disclosures` or `kb_jwt` anywhere but in the first unprotected header.
    #[error("disclosures or key binding stand outside the first unprotected header")]
    JsonMisplaced,
    /// A parameter stands in the protected and in the unprotected header.
    #[error("a header parameter stands in both headers of a signature")]
    JsonHeaderDoubled,
    /// More signatures than [`limits::JWS_SIGNATURES`](crate::encoding::limits::JWS_SIGNATURES).
    #[error("the JSON serialisation carries too many signatures")]
    JsonTooManySignatures,
    /// The issuer's JWT is malformed, of another type, or its signature does not hold.
    #[error("issuer-signed JWT: {0}")]
    Jws(#[from] JwsError),
    /// The payload is not a JSON object.
    #[error("the payload is not an object")]
    PayloadNotObject,
    /// The payload is not strict JSON.
    #[error("payload: {0}")]
    PayloadJson(JsonError),
    /// `_sd_alg` names no hash of the closed list, or is no string.
    #[error("the hash algorithm of `_sd_alg` is not accepted")]
    HashAlg,
    /// `_sd_alg` below the top level.
    #[error("`_sd_alg` stands below the top level")]
    HashAlgNested,
    /// `_sd` is not an array of strings.
    #[error("`_sd` is not an array of strings")]
    DigestsNotStrings,
    /// `...` anywhere but as the only member of an array element, with a string.
    #[error("`...` stands where no array element is concealed")]
    EllipsisMisplaced,
    /// The same digest twice, anywhere.
    #[error("a digest occurs twice")]
    DigestTwice,
    /// Claims nest deeper than [`limits::CLAIM_DEPTH`](crate::encoding::limits::CLAIM_DEPTH), disclosures included.
    #[error("claims nest too deep")]
    TooDeep,
    /// An empty disclosure: two tildes in a row.
    #[error("a disclosure is empty")]
    DisclosureEmpty,
    /// A disclosure that is not base64url.
    #[error("disclosure: {0}")]
    DisclosureBase64(Base64Error),
    /// A disclosure that is not strict JSON.
    #[error("disclosure: {0}")]
    DisclosureJson(JsonError),
    /// A disclosure that is no array, or whose salt or claim name is no string.
    #[error("a disclosure is not an array of salt, name and value")]
    DisclosureShape,
    /// Referred to from an `_sd` array, but not of exactly three elements.
    #[error("the disclosure of an object's claim has not three elements")]
    DisclosureNotMember,
    /// Referred to from an array element, but not of exactly two elements.
    #[error("the disclosure of an array element has not two elements")]
    DisclosureNotElement,
    /// The same disclosure twice.
    #[error("a disclosure occurs twice")]
    DisclosureTwice,
    /// No digest refers to the disclosure.
    #[error("a disclosure is referred to by no digest")]
    DisclosureUnreferenced,
    /// A disclosed claim named `_sd` or `...`.
    #[error("a disclosed claim has a reserved name")]
    ReservedName,
    /// A disclosed claim whose name the object has already.
    #[error("a disclosed claim exists already")]
    NameTaken,
    /// A holder received an SD-JWT with a key-binding JWT.
    #[error("an issuer does not send a key-binding JWT")]
    UnexpectedKeyBinding,
    /// Claims to be issued contain `_sd`, `_sd_alg` or `...`.
    #[error("the claims to be issued use a reserved name")]
    ReservedClaim,
    /// The issuer's key could not sign.
    #[error("{0}")]
    Signing(#[from] SigningFailed),
    /// A path to be disclosed leads to no claim.
    #[error("a claims path leads nowhere")]
    PathNotFound,
}

impl SdJwtError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooLong => Code::SdJwtTooLong,
            Self::NoTilde => Code::SdJwtNoTilde,
            Self::FinalTilde => Code::SdJwtFinalTilde,
            Self::TooManyDisclosures => Code::SdJwtDisclosureTooMany,
            Self::Jws(error) => error.code(),
            Self::PayloadNotObject => Code::SdJwtPayloadNotObject,
            Self::JsonShape => Code::SdJwtJsonMalformed,
            Self::JsonMixed => Code::SdJwtJsonMixed,
            Self::JsonMisplaced => Code::SdJwtJsonMisplaced,
            Self::JsonHeaderDoubled => Code::SdJwtJsonHeaderDoubled,
            Self::JsonTooManySignatures => Code::SdJwtJsonTooManySignatures,
            Self::Json(error) | Self::PayloadJson(error) | Self::DisclosureJson(error) => error.code(),
            Self::HashAlg => Code::SdJwtHashUnsupported,
            Self::HashAlgNested => Code::SdJwtHashNested,
            Self::DigestsNotStrings => Code::SdJwtDigestNotStrings,
            Self::EllipsisMisplaced => Code::SdJwtDigestMisplaced,
            Self::DigestTwice => Code::SdJwtDigestDuplicate,
            Self::TooDeep => Code::SdJwtTooDeep,
            Self::DisclosureEmpty => Code::SdJwtDisclosureEmpty,
            Self::DisclosureBase64(error) => error.code(),
            Self::DisclosureShape => Code::SdJwtDisclosureShape,
            Self::DisclosureNotMember => Code::SdJwtDisclosureNotMember,
            Self::DisclosureNotElement => Code::SdJwtDisclosureNotElement,
            Self::DisclosureTwice => Code::SdJwtDisclosureDuplicate,
            Self::DisclosureUnreferenced => Code::SdJwtDisclosureUnreferenced,
            Self::ReservedName => Code::SdJwtDisclosureReservedName,
            Self::NameTaken => Code::SdJwtDisclosureNameTaken,
            Self::UnexpectedKeyBinding => Code::SdJwtUnexpectedKeyBinding,
            Self::ReservedClaim => Code::SdJwtReservedClaim,
            Self::Signing(error) => error.code(),
            Self::PathNotFound => Code::SdJwtPathNotFound,
        }
    }
}
