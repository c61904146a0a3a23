//! The issuer's side.

use rand::CryptoRng;
use serde::Serialize;
use serde_json::{Map, Value};

use super::NEVER_DISCLOSABLE;
use super::error::CredentialError;
use crate::crypto::Signer;
use crate::jose::{SignHeader, typ};
use crate::kb_jwt::Confirmation;
use crate::sd_jwt::{Concealment, Draft};
use crate::status;
use crate::time::UnixSeconds;

/// What a credential says about itself, in plain sight.
#[derive(Clone, Copy, Debug)]
pub struct Registered<'a> {
    /// `iss`: the issuer's HTTPS URL.
    pub issuer: &'a str,
    /// `vct`.
    pub vct: &'a str,
    /// `vct#integrity`: the digest of the type metadata that was followed.
    pub vct_integrity: Option<&'a str>,
    /// `iat`.
    pub issued_at: UnixSeconds,
    /// `nbf`.
    pub not_before: Option<UnixSeconds>,
    /// `exp`.
    pub expires: Option<UnixSeconds>,
    /// `cnf`: the holder's key; without it the credential cannot be bound to anyone.
    pub holder: Option<&'a Confirmation>,
    /// `status`.
    pub status: Option<&'a status::Reference>,
}

/// Issues a credential: `subject`, concealed as wished, under the key that `kid` (a DID URL) names.
///
/// # Errors
/// [`CredentialError::RegisteredClaim`] for a subject that claims what only the issuer may; otherwise as
/// [`sd_jwt::issue`](crate::sd_jwt::issue).
pub fn issue(
    registered: &Registered<'_>,
    subject: &Map<String, Value>,
    concealment: &Concealment,
    kid: &str,
    signer: &dyn Signer,
    rng: &mut dyn CryptoRng,
) -> Result<String, CredentialError> {
    if subject.contains_key("iat") || NEVER_DISCLOSABLE.iter().any(|name| subject.contains_key(*name)) {
        return Err(CredentialError::RegisteredClaim);
    }
    let mut draft = Draft::new(concealment, rng);
    registered.write(&mut draft);
    let unsigned = draft.finish(subject)?;
    Ok(unsigned.sign(SignHeader::new(typ::CREDENTIAL).kid(kid), signer)?)
}

impl Registered<'_> {
    fn write(&self, draft: &mut Draft<'_, '_>) {
        draft.plain("iss", self.issuer);
        draft.plain("vct", self.vct);
        if let Some(integrity) = self.vct_integrity {
            draft.plain("vct#integrity", integrity);
        }
        draft.plain("iat", &self.issued_at);
        if let Some(not_before) = &self.not_before {
            draft.plain("nbf", not_before);
        }
        if let Some(expires) = &self.expires {
            draft.plain("exp", expires);
        }
        if let Some(holder) = self.holder {
            draft.plain("cnf", holder);
        }
        if let Some(status) = self.status {
            draft.plain("status", &Status { status_list: status });
        }
    }
}

/// The claim `status`.
#[derive(Serialize)]
struct Status<'a> {
    status_list: &'a status::Reference,
}
