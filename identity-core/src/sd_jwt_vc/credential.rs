//! A verified credential, with its own claims about itself read and checked.

use serde_json::{Map, Value};

use super::error::CredentialError;
use super::{NEVER_DISCLOSABLE, TypeError, integrity};
use crate::crypto::PublicKey;
use crate::jose::{ClaimError, ExpectedTyp, Times, typ};
use crate::kb_jwt::{Confirmation, KbJwtError};
use crate::sd_jwt::{ClaimPath, UnverifiedSdJwt, VerifiedSdJwt};
use crate::status;
use crate::time::UnixSeconds;

/// A credential whose signature, disclosures and registered claims hold.
///
/// Not checked by its making: that the key is the issuer's, whether it is in its time ([`Self::check_time`]), its
/// status, its type's rules, and whether whoever presents it is its holder.
#[derive(Debug)]
pub struct Credential<'t> {
    sd_jwt: VerifiedSdJwt<'t>,
    times: Times,
    status: Option<status::Reference>,
    holder: Option<PublicKey>,
}

impl<'t> Credential<'t> {
    /// Verifies a credential, as a verifier who was shown it.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn verify(unverified: UnverifiedSdJwt<'t>, issuer_key: &PublicKey) -> Result<Self, CredentialError> {
        Self::check(unverified.verify(issuer_key, ExpectedTyp::Exactly(typ::CREDENTIAL))?)
    }

    /// Verifies a credential, as the holder to whom it was issued: it must not carry a key binding.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn verify_issued(unverified: UnverifiedSdJwt<'t>, issuer_key: &PublicKey) -> Result<Self, CredentialError> {
        Self::check(unverified.verify_issued(issuer_key, ExpectedTyp::Exactly(typ::CREDENTIAL))?)
    }

    fn check(sd_jwt: VerifiedSdJwt<'t>) -> Result<Self, CredentialError> {
        let forbidden = |name: &str| NEVER_DISCLOSABLE.contains(&name);
        if sd_jwt.disclosed().any(|path| path.top_name().is_some_and(forbidden)) {
            return Err(CredentialError::ForbiddenDisclosure);
        }
        let claims = sd_jwt.claims();
        check_names(claims)?;
        let times = Times::read(claims).map_err(CredentialError::Time)?;
        let status = claims.get("status").map(read_status).transpose()?;
        let holder = match Confirmation::read(claims) {
            Ok(confirmation) => Some(confirmation.into_key()),
            Err(KbJwtError::CnfMissing) => None,
            Err(error) => return Err(CredentialError::Confirmation(error)),
        };
        Ok(Self { sd_jwt, times, status, holder })
    }

    /// `iss`: the issuer's HTTPS URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        text(self.claims(), "iss").unwrap_or_default()
    }

    /// `vct`: the type.
    #[must_use]
    pub fn vct(&self) -> &str {
        text(self.claims(), "vct").unwrap_or_default()
    }

    /// `aka_vcts`: further types that the issuer says this is of. They confer no authority.
    pub fn further_types(&self) -> impl Iterator<Item = &str> {
        self.claims().get("aka_vcts").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// That it was issued by this version of its type's metadata, these very bytes, if it says by which: `vct#integrity`.
    ///
    /// # Errors
    /// [`TypeError::Integrity`]; [`TypeError::IntegrityUnusable`] if it names no hash we know.
    pub fn check_integrity(&self, metadata: &[u8]) -> Result<(), TypeError> {
        let Some(stated) = self.claims().get("vct#integrity") else { return Ok(()) };
        match stated.as_str().and_then(|stated| integrity::holds(stated, metadata)) {
            Some(true) => Ok(()),
            Some(false) => Err(TypeError::Integrity),
            None => Err(TypeError::IntegrityUnusable),
        }
    }

    /// Whether the credential is in its time, clocks `leeway` seconds apart.
    ///
    /// # Errors
    /// [`CredentialError::Expired`], [`CredentialError::NotYetValid`]; [`CredentialError::Time`] if it was issued in
    /// the future.
    pub fn check_time(&self, now: UnixSeconds, leeway: i64) -> Result<(), CredentialError> {
        self.times.check(now, leeway).map_err(|error| match error {
            ClaimError::Expired => CredentialError::Expired,
            ClaimError::NotYetValid | ClaimError::IssuedInFuture => CredentialError::NotYetValid,
            other => CredentialError::Time(other),
        })
    }

    /// Where its status stands; `None` if it has none and is valid until it expires.
    #[must_use]
    pub const fn status(&self) -> Option<&status::Reference> {
        self.status.as_ref()
    }

    /// The holder's key out of `cnf`.
    #[must_use]
    pub const fn holder(&self) -> Option<&PublicKey> {
        self.holder.as_ref()
    }

    /// All claims that are known here: registered, plain and disclosed.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        self.sd_jwt.claims()
    }

    /// As [`Self::claims`], by value, beside the paths of those that came as disclosures.
    #[must_use]
    pub fn into_claims(self) -> (Map<String, Value>, Vec<ClaimPath>) {
        let disclosed = self.sd_jwt.disclosed().cloned().collect();
        (self.sd_jwt.into_claims(), disclosed)
    }

    /// The SD-JWT underneath.
    #[must_use]
    pub const fn sd_jwt(&self) -> &VerifiedSdJwt<'t> {
        &self.sd_jwt
    }
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

fn check_names(claims: &Map<String, Value>) -> Result<(), CredentialError> {
    if !text(claims, "iss").is_some_and(is_address) {
        return Err(CredentialError::Issuer);
    }
    let vct = claims.get("vct").ok_or(CredentialError::VctMissing)?.as_str().ok_or(CredentialError::VctInvalid)?;
    if !is_uri(vct) {
        return Err(CredentialError::VctInvalid);
    }
    let further = match claims.get("aka_vcts") {
        None => return Ok(()),
        Some(further) => further.as_array().ok_or(CredentialError::AkaVcts)?,
    };
    let other_uri = |one: &Value| one.as_str().is_some_and(|one| one != vct && is_uri(one));
    if further.is_empty() || !further.iter().all(other_uri) { Err(CredentialError::AkaVcts) } else { Ok(()) }
}

/// Whether the text can be an issuer's address: `https`, or plain `http` on loopback, where developers debug without
/// certificates. Which addresses are an issuer's is the ledger's to say.
fn is_address(text: &str) -> bool {
    let is_loopback = |rest: &str| {
        ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|host| rest.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])))
    };
    match text.split_once("://") {
        Some(("https", rest)) => !rest.is_empty(),
        Some(("http", rest)) => is_loopback(rest),
        Some(_) | None => false,
    }
}

/// Whether the text is a URI as far as a name needs: a scheme, a colon, and visible ASCII after it.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
}

fn read_status(status: &Value) -> Result<status::Reference, CredentialError> {
    status::Reference::from_claim(status).map_err(|_| CredentialError::Status)
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn plain_addresses_are_loopback_only() {
        for good in
            ["https://a.example", "https://a.example/x", "http://127.0.0.1:9000", "http://localhost", "http://[::1]/x"]
        {
            assert!(is_address(good), "{good}");
        }
        let bad = [
            "",
            "https://",
            "http://",
            "http://a.example",
            "http://127.0.0.1.a.example",
            "http://localhost@a.example",
            "ftp://localhost",
            "did:key:z6Mk",
            "HTTPS://a.example",
        ];
        for text in bad {
            assert!(!is_address(text), "{text}");
        }
    }
}
