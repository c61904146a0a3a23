//! Key proofs of type `jwt` (OpenID4VCI Appendix F.1): made by a wallet, checked by an issuer.
//!
//! A proof says "whoever asks holds this key", so its key comes from its own header: `jwk`, or a `kid` that spells the
//! key out (`did:key`, `did:jwk`). Nothing is fetched.

use serde_json::json;

use crate::crypto::{Signer, SigningFailed};
use crate::did;
use crate::encoding::limits;
use crate::jose::{
    ClaimError, ExpectedTyp, Header, Jwk, JwsError, SignHeader, Times, UnverifiedJws, jwt, sign_compact, typ,
};
use crate::kb_jwt::Confirmation;
use crate::problem::Code;
use crate::time::UnixSeconds;

use super::error::CredentialErrorName;
use super::nonce::{NonceId, NonceRefusal, check_nonce};
use super::secrets::IssuerSecret;

#[cfg(test)]
pub(super) mod tests;

/// A proof may be this many seconds old. Its nonce bounds its life too; this bounds how wrong a wallet's clock may be.
pub const MAX_AGE: i64 = 600;

/// A proof may be dated this many seconds ahead: wallets' clocks are set by hand.
pub const MAX_AHEAD: i64 = 60;

/// What a proof is held against.
pub(super) struct Expected<'a> {
    /// The credential issuer identifier.
    pub audience: &'a str,
    /// The JOSE names in `proof_signing_alg_values_supported`.
    pub algorithms: &'a [String],
    /// Recognises nonces.
    pub secret: &'a IssuerSecret,
    /// The present.
    pub now: UnixSeconds,
}

/// A proof that holds.
#[derive(Debug)]
pub(super) struct VerifiedProof {
    /// The key that its maker holds, named as the proof names it: so will the credential.
    pub holder: Confirmation,
    /// The nonce it used, to be taken once.
    pub nonce: NonceId,
}

/// Why a key proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofRefusal {
    /// Not a JWS we accept, another `typ`, or not signed by the key it names.
    #[error(transparent)]
    Jws(JwsError),
    /// A claim is missing, of a wrong type or out of its time.
    #[error(transparent)]
    Claim(ClaimError),
    /// The algorithm is not one the metadata offers.
    #[error("the algorithm is not one that the metadata offers")]
    AlgorithmNotOffered,
    /// None of `jwk`, `kid`, `x5c`.
    #[error("the proof names no key")]
    KeyMissing,
    /// More than one of them.
    #[error("the proof names its key more than once")]
    KeyAmbiguous,
    /// `x5c`: certificates are not taken here.
    #[error("certificates are not taken for holder keys")]
    CertificateUnsupported,
    /// `kid` does not spell out a key.
    #[error("the proof's kid does not spell out a key")]
    KidUnsupported,
    /// `iss`, though the token was had anonymously.
    #[error("the proof names an issuer, but the wallet is anonymous")]
    IssuerPresent,
    /// `aud` is another issuer.
    #[error("the proof is made for another audience")]
    Audience,
    /// No `nonce`.
    #[error("the proof has no nonce")]
    NonceMissing,
    /// A nonce that is foreign or too old.
    #[error(transparent)]
    Nonce(NonceRefusal),
    /// A nonce that was used before.
    #[error("the nonce was used before")]
    NonceUsed,
}

impl ProofRefusal {
    /// The name on the wire: `invalid_nonce` tells a wallet that a fresh nonce will help, `invalid_proof` that not.
    #[must_use]
    pub const fn name(self) -> CredentialErrorName {
        match self {
            Self::Nonce(_) | Self::NonceUsed => CredentialErrorName::InvalidNonce,
            Self::Jws(_)
            | Self::Claim(_)
            | Self::AlgorithmNotOffered
            | Self::KeyMissing
            | Self::KeyAmbiguous
            | Self::CertificateUnsupported
            | Self::KidUnsupported
            | Self::IssuerPresent
            | Self::Audience
            | Self::NonceMissing => CredentialErrorName::InvalidProof,
        }
    }

    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Jws(error) => error.code(),
            Self::Claim(error) => error.code(),
            Self::AlgorithmNotOffered => Code::VciProofAlgorithm,
            Self::KeyMissing => Code::VciProofKeyMissing,
            Self::KeyAmbiguous => Code::VciProofKeyAmbiguous,
            Self::CertificateUnsupported => Code::VciProofCertificate,
            Self::KidUnsupported => Code::VciProofKid,
            Self::IssuerPresent => Code::VciProofIssuerPresent,
            Self::Audience => Code::VciProofAudience,
            Self::NonceMissing => Code::VciProofNonceMissing,
            Self::Nonce(NonceRefusal::Foreign) => Code::VciNonceForeign,
            Self::Nonce(NonceRefusal::Expired) => Code::VciNonceExpired,
            Self::NonceUsed => Code::VciNonceUsed,
        }
    }
}

/// Checks one proof; whether its nonce was used before, the store says.
pub(super) fn verify(jwt: &str, expected: &Expected<'_>) -> Result<VerifiedProof, ProofRefusal> {
    let jws = UnverifiedJws::parse_limited(jwt, limits::JWS_HEADER).map_err(ProofRefusal::Jws)?;
    if !expected.algorithms.iter().any(|name| name == jws.header().alg().name()) {
        return Err(ProofRefusal::AlgorithmNotOffered);
    }
    let holder = holder_key(jws.header())?;
    let jws = jws.verify(holder.key(), ExpectedTyp::Exactly(typ::VCI_PROOF)).map_err(ProofRefusal::Jws)?;
    let claims = jws.claims().map_err(ProofRefusal::Jws)?;
    if claims.contains_key("iss") {
        return Err(ProofRefusal::IssuerPresent);
    }
    if jwt::string(&claims, "aud").map_err(ProofRefusal::Claim)? != expected.audience {
        return Err(ProofRefusal::Audience);
    }
    let times = Times::read(&claims).map_err(ProofRefusal::Claim)?;
    times.check(expected.now, MAX_AHEAD).map_err(ProofRefusal::Claim)?;
    times.check_fresh(expected.now, MAX_AGE, MAX_AHEAD).map_err(ProofRefusal::Claim)?;
    if !claims.contains_key("nonce") {
        return Err(ProofRefusal::NonceMissing);
    }
    let nonce = jwt::string(&claims, "nonce").map_err(ProofRefusal::Claim)?;
    let nonce = check_nonce(expected.secret, nonce, expected.now).map_err(ProofRefusal::Nonce)?;
    Ok(VerifiedProof { holder, nonce })
}

fn holder_key(header: &Header) -> Result<Confirmation, ProofRefusal> {
    let has = |name| header.member(name).is_some();
    match (has("jwk"), has("kid"), has("x5c")) {
        (false, false, false) => Err(ProofRefusal::KeyMissing),
        (true, false, false) => {
            header.proof_jwk().map(|jwk| Confirmation::jwk(jwk.into_key())).map_err(ProofRefusal::Jws)
        }
        (false, true, false) => {
            Confirmation::kid(header.kid().map_err(ProofRefusal::Jws)?).map_err(|_| ProofRefusal::KidUnsupported)
        }
        (false, false, true) => Err(ProofRefusal::CertificateUnsupported),
        (_, _, _) => Err(ProofRefusal::KeyAmbiguous),
    }
}

/// How a wallet wants its key to be named in the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Binding {
    /// By itself.
    #[default]
    Jwk,
    /// By a `did:key` that spells it out.
    Did,
}

impl Binding {
    /// The name in `cryptographic_binding_methods_supported`.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Jwk => "jwk",
            Self::Did => "did:key",
        }
    }
}

/// Makes a proof for the key of `signer`, named by itself.
///
/// # Errors
/// [`SigningFailed`].
pub fn make(
    audience: &str,
    nonce: Option<&str>,
    now: UnixSeconds,
    signer: &dyn Signer,
) -> Result<String, SigningFailed> {
    make_named(audience, nonce, now, signer, Binding::Jwk)
}

/// As [`make`], with the key named as wished.
///
/// # Errors
/// [`SigningFailed`].
pub fn make_named(
    audience: &str,
    nonce: Option<&str>,
    now: UnixSeconds,
    signer: &dyn Signer,
    binding: Binding,
) -> Result<String, SigningFailed> {
    let mut claims = json!({"aud": audience, "iat": now.0});
    if let (Some(nonce), Some(members)) = (nonce, claims.as_object_mut()) {
        members.insert("nonce".to_owned(), nonce.into());
    }
    let claims = claims.to_string();
    let header = SignHeader::new(typ::VCI_PROOF);
    match binding {
        Binding::Jwk => {
            let jwk = Jwk::new(signer.public_key().clone());
            sign_compact(header.jwk(&jwk), claims.as_bytes(), signer)
        }
        Binding::Did => {
            let did = did::method::key::did_of(signer.public_key()).map_err(|_| SigningFailed)?;
            sign_compact(header.kid(&format!("{did}#{}", did.id())), claims.as_bytes(), signer)
        }
    }
}
