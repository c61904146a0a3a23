//! Key binding (RFC 9901 §4.3, §7.3): the holder signs what is shown, to whom, and in answer to what.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::crypto::{Known, PublicKey, Signer, SigningFailed};
use crate::jose::jwt::{self, ClaimError};
use crate::jose::{ExpectedTyp, JwkError, JwsError, SignHeader, Times, UnverifiedJws, sign_compact, typ};
use crate::problem::Code;
use crate::sd_jwt::{Presentation, VerifiedSdJwt};
use crate::time::UnixSeconds;

mod confirmation;

pub use confirmation::Confirmation;

/// The claim that holds the digests of transaction data (OpenID4VP 1.0 B.3.3.1).
const HASHES: &str = "transaction_data_hashes";

/// To whom a presentation is made, and in answer to what.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The verifier's full client identifier, prefix included.
    pub audience: &'a str,
    /// The nonce of its request.
    pub nonce: &'a str,
    /// Digests of the request's transaction data that concern this credential, base64url, in their order
    /// ([`crate::oid4vp::transaction_data::hashes_for`]); empty where there is none.
    pub transaction_data: &'a [String],
}

/// How old a key binding may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Greatest age in seconds.
    pub max_age: i64,
    /// How far the holder's clock may be ahead or behind, in seconds.
    pub leeway: i64,
}

/// Proof that the presentation was made by the holder, now, for us.
#[derive(Clone, Debug, PartialEq)]
pub struct HolderBinding {
    /// The holder's key, from the `cnf` of the credential.
    pub key: PublicKey,
    /// When the holder signed, by the holder's clock.
    pub issued_at: UnixSeconds,
    /// Everything the holder signed: later formats add members, such as digests of transaction data.
    pub claims: Map<String, Value>,
}

/// Why a key binding is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KbJwtError {
    /// None came along.
    #[error("key binding is required and missing")]
    Missing,
    /// The credential has no `cnf`.
    #[error("the credential names no holder key")]
    CnfMissing,
    /// `cnf` confirms in another way than by `jwk` or `kid`.
    #[error("the credential names the holder key in an unsupported way")]
    CnfUnsupported,
    /// `cnf` has more than one member: two names could be of two keys.
    #[error("the credential names the holder key in more than one way")]
    CnfAmbiguous,
    /// The `kid` of `cnf` is of a DID that would have to be looked up.
    #[error("the credential names the holder key by a DID that does not spell it out")]
    CnfMethod,
    /// The `kid` of `cnf` is no DID URL, or its DID spells out no key of that name.
    #[error("the credential names the holder key by what is no name of a key")]
    CnfName,
    /// The `jwk` of `cnf` is no key of ours.
    #[error("holder key: {0}")]
    CnfKey(JwkError),
    /// Malformed, or of another type or algorithm.
    #[error("key-binding JWT: {0}")]
    Jws(JwsError),
    /// Not signed by the holder's key.
    #[error("the key-binding JWT is not signed by the holder key")]
    Signature,
    /// A required claim is missing, of a wrong type, or out of its time.
    #[error("key-binding JWT: {0}")]
    Claim(ClaimError),
    /// Made for someone else.
    #[error("the key binding is for another audience")]
    Audience,
    /// Made in answer to another request.
    #[error("the key binding answers another request")]
    Nonce,
    /// `iat` lies too far back.
    #[error("the key binding is too old")]
    TooOld,
    /// `iat` lies ahead.
    #[error("the key binding is dated in the future")]
    InFuture,
    /// `transaction_data_hashes` is missing, or of other transaction data than the request has for this credential.
    #[error("the holder did not sign what the data is wanted for, or something else")]
    TransactionData,
    /// `sd_hash` is of another presentation.
    #[error("the key binding belongs to another presentation")]
    SdHash,
}

impl KbJwtError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code::KbJwtMissing,
            Self::CnfMissing => Code::KbJwtCnfMissing,
            Self::CnfUnsupported => Code::KbJwtCnfUnsupported,
            Self::CnfAmbiguous => Code::KbJwtCnfAmbiguous,
            Self::CnfMethod => Code::KbJwtCnfMethod,
            Self::CnfName => Code::KbJwtCnfName,
            Self::CnfKey(error) => error.code(),
            Self::Jws(error) => error.code(),
            Self::Signature => Code::KbJwtSignature,
            Self::Claim(error) => error.code(),
            Self::Audience => Code::KbJwtAudience,
            Self::Nonce => Code::KbJwtNonce,
            Self::TooOld => Code::KbJwtTooOld,
            Self::InFuture => Code::KbJwtInFuture,
            Self::TransactionData => Code::KbJwtTransactionData,
            Self::SdHash => Code::KbJwtSdHash,
        }
    }
}

/// Binds a presentation to an occasion: the whole text to send, `<presentation><KB-JWT>`.
///
/// # Errors
/// [`SigningFailed`].
pub fn bind(
    presentation: &Presentation,
    occasion: Occasion<'_>,
    holder: &dyn Signer,
    now: UnixSeconds,
) -> Result<String, SigningFailed> {
    let mut claims = serde_json::json!({
        "iat": now,
        "aud": occasion.audience,
        "nonce": occasion.nonce,
        "sd_hash": presentation.sd_hash(),
    });
    if let (false, Some(claims)) = (occasion.transaction_data.is_empty(), claims.as_object_mut()) {
        claims.insert(HASHES.to_owned(), occasion.transaction_data.into());
    }
    let kb_jwt = sign_compact(SignHeader::new(typ::KEY_BINDING), claims.to_string().as_bytes(), holder)?;
    Ok(format!("{}{kb_jwt}", presentation.text()))
}

/// Verifies the key binding of a presentation. Call it whenever policy asks for one, whatever came along; the
/// nonce being used once only is the caller's to see to.
///
/// # Errors
/// [`KbJwtError`].
pub fn verify(
    presentation: &VerifiedSdJwt<'_>,
    occasion: Occasion<'_>,
    window: Window,
    now: UnixSeconds,
) -> Result<HolderBinding, KbJwtError> {
    if presentation.dangerous_kb_jwt().is_none() {
        return Err(KbJwtError::Missing);
    }
    verify_by(presentation, Confirmation::read(presentation.claims())?.key(), occasion, window, now)
}

/// As [`verify`], with the key that was read out of the credential's `cnf` before: reading a key costs a tenth of
/// verifying with it.
///
/// # Errors
/// [`KbJwtError`].
pub fn verify_by(
    presentation: &VerifiedSdJwt<'_>,
    holder: &PublicKey,
    occasion: Occasion<'_>,
    window: Window,
    now: UnixSeconds,
) -> Result<HolderBinding, KbJwtError> {
    verify_knowing(presentation, holder, occasion, (window, now), &Known::default())
}

/// As [`verify_by`], where signatures were verified before: one that is known is not verified again.
pub(crate) fn verify_knowing(
    presentation: &VerifiedSdJwt<'_>,
    holder: &PublicKey,
    occasion: Occasion<'_>,
    (window, now): (Window, UnixSeconds),
    known: &Known,
) -> Result<HolderBinding, KbJwtError> {
    let text = presentation.dangerous_kb_jwt().ok_or(KbJwtError::Missing)?;
    let mut jws = UnverifiedJws::parse(text).map_err(KbJwtError::Jws)?;
    jws.recognise(holder, known);
    let jws = jws.verify(holder, ExpectedTyp::Exactly(typ::KEY_BINDING)).map_err(|error| match error {
        JwsError::SignatureInvalid => KbJwtError::Signature,
        other => KbJwtError::Jws(other),
    })?;
    let claims = jws.claims().map_err(KbJwtError::Jws)?;
    let issued_at = check_time(&claims, window, now)?;
    if string(&claims, "aud")? != occasion.audience {
        return Err(KbJwtError::Audience);
    }
    if string(&claims, "nonce")? != occasion.nonce {
        return Err(KbJwtError::Nonce);
    }
    let digest = presentation.hash().digest(presentation.bound_text().as_bytes());
    if string(&claims, "sd_hash")?.as_bytes() != digest.as_bytes() {
        return Err(KbJwtError::SdHash);
    }
    check_transaction_data(&claims, occasion.transaction_data)?;
    Ok(HolderBinding { key: holder.clone(), issued_at, claims })
}

/// The digests that are wanted, all of them and no others, in any order (OpenID4VP 1.0 B.3.3.1). Ours are SHA-256, which
/// is what an absent `transaction_data_hashes_alg` means.
pub(crate) fn check_transaction_data(claims: &Map<String, Value>, wanted: &[String]) -> Result<(), KbJwtError> {
    let algorithm = claims.get("transaction_data_hashes_alg");
    if algorithm.is_some_and(|name| name.as_str() != Some("sha-256")) {
        return Err(KbJwtError::TransactionData);
    }
    let signed = match claims.get(HASHES) {
        None => &[][..],
        Some(hashes) => hashes.as_array().ok_or(KbJwtError::TransactionData)?,
    };
    let found = |wanted: &String| signed.iter().any(|hash| hash.as_str() == Some(wanted));
    if signed.len() == wanted.len() && wanted.iter().all(found) { Ok(()) } else { Err(KbJwtError::TransactionData) }
}

fn check_time(claims: &Map<String, Value>, window: Window, now: UnixSeconds) -> Result<UnixSeconds, KbJwtError> {
    let times = Times::read(claims).map_err(KbJwtError::Claim)?;
    times.check_fresh(now, window.max_age, window.leeway).and_then(|()| times.check(now, window.leeway)).map_err(
        |error| match error {
            ClaimError::IssuedTooLongAgo => KbJwtError::TooOld,
            ClaimError::IssuedInFuture => KbJwtError::InFuture,
            other => KbJwtError::Claim(other),
        },
    )?;
    times.issued_at.ok_or(KbJwtError::Claim(ClaimError::Missing { claim: "iat" }))
}

fn string<'c>(claims: &'c Map<String, Value>, name: &'static str) -> Result<&'c str, KbJwtError> {
    jwt::string(claims, name).map_err(KbJwtError::Claim)
}

#[cfg(test)]
mod tests;
