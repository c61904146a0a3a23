//! The compact form, taken apart: `<issuer-signed JWT>~<disclosure>~…~<KB-JWT or nothing>` (RFC 9901 §4).

use super::disclosure::Offered;
use super::error::SdJwtError;
use super::hash::HashAlg;
use super::process::{self, HASH_ALG};
use super::verified::VerifiedSdJwt;
use crate::crypto::{Known, PublicKey};
use crate::encoding::json::{self, Limits};
use crate::encoding::limits;
use crate::jose::{ExpectedTyp, UnverifiedJws};

/// An SD-JWT, with or without key binding, of which nothing is believed yet. Borrows the text as it came.
#[derive(Debug)]
pub struct UnverifiedSdJwt<'t> {
    jws: UnverifiedJws<'t>,
    /// Up to and including the last `~`: what `sd_hash` covers.
    bound: &'t str,
    /// Each followed by `~`.
    disclosures: &'t str,
    kb_jwt: Option<&'t str>,
}

impl<'t> UnverifiedSdJwt<'t> {
    /// Takes the text apart and reads the JWS header. Neither payload nor disclosures are read.
    ///
    /// # Errors
    /// [`SdJwtError`] for anything that is not the compact form.
    pub fn parse(text: &'t str) -> Result<Self, SdJwtError> {
        if text.len() > limits::SD_JWT {
            return Err(SdJwtError::TooLong);
        }
        let (jwt, rest) = text.split_once('~').ok_or(SdJwtError::NoTilde)?;
        let (disclosures, kb_jwt) = rest
            .rsplit_once('~')
            .map_or(("", rest), |(_, last)| (rest.get(..rest.len() - last.len()).unwrap_or_default(), last));
        if !kb_jwt.is_empty() && !kb_jwt.contains('.') {
            return Err(SdJwtError::FinalTilde);
        }
        for (earlier, disclosure) in texts(disclosures).enumerate() {
            if earlier == limits::DISCLOSURES {
                return Err(SdJwtError::TooManyDisclosures);
            }
            if disclosure.is_empty() {
                return Err(SdJwtError::DisclosureEmpty);
            }
        }
        let bound = text.get(..text.len() - kb_jwt.len()).unwrap_or_default();
        let kb_jwt = (!kb_jwt.is_empty()).then_some(kb_jwt);
        Ok(Self { jws: UnverifiedJws::parse(jwt)?, bound, disclosures, kb_jwt })
    }

    /// The issuer-signed JWT: its header says which key to look for.
    pub fn jws(&self) -> &UnverifiedJws<'t> {
        &self.jws
    }

    /// Where the issuer's signature is known to be by this key, [`Self::verify`] need not verify it again.
    pub(crate) fn recognise(&mut self, issuer_key: &PublicKey, known: &Known) {
        self.jws.recognise(issuer_key, known);
    }

    /// Whether a key-binding JWT came along. Never a reason to do without one.
    pub fn has_key_binding(&self) -> bool {
        self.kb_jwt.is_some()
    }

    /// The disclosures, each followed by `~`.
    pub(super) const fn disclosures(&self) -> &'t str {
        self.disclosures
    }

    /// The key-binding JWT as it came, unchecked.
    pub(super) const fn kb_jwt(&self) -> Option<&'t str> {
        self.kb_jwt
    }

    /// Verifies the issuer's signature and processes payload and disclosures (RFC 9901 §7.1).
    ///
    /// What this does **not** check: that `issuer_key` is the issuer's, dates, status, and the key binding.
    ///
    /// # Errors
    /// [`SdJwtError`], the signature's first.
    pub fn verify(self, issuer_key: &PublicKey, typ: ExpectedTyp<'_>) -> Result<VerifiedSdJwt<'t>, SdJwtError> {
        let Self { jws, bound, disclosures, kb_jwt } = self;
        let jws = jws.verify(issuer_key, typ)?;
        let (processed, hash) = read(jws.payload(), disclosures)?;
        Ok(VerifiedSdJwt { jws, processed, hash, bound, kb_jwt })
    }

    /// Payload and disclosures without the signature: for the holder's own vault.
    pub(super) fn dangerous_read(&self) -> Result<(process::Processed, HashAlg), SdJwtError> {
        read(self.jws.dangerous_payload(), self.disclosures)
    }

    /// As [`Self::verify`] for a holder, who is sent no key binding (RFC 9901 §7.2).
    ///
    /// # Errors
    /// As [`Self::verify`]; [`SdJwtError::UnexpectedKeyBinding`].
    pub fn verify_issued(self, issuer_key: &PublicKey, typ: ExpectedTyp<'_>) -> Result<VerifiedSdJwt<'t>, SdJwtError> {
        if self.kb_jwt.is_some() { Err(SdJwtError::UnexpectedKeyBinding) } else { self.verify(issuer_key, typ) }
    }
}

/// Reads and processes a payload with its disclosures, each followed by `~`.
fn read(payload: &[u8], disclosures: &str) -> Result<(process::Processed, HashAlg), SdJwtError> {
    let payload = json::parse_object(payload, Limits::of(limits::SD_JWT)).map_err(|error| match error {
        json::JsonError::Shape => SdJwtError::PayloadNotObject,
        other => SdJwtError::PayloadJson(other),
    })?;
    let hash = match payload.get(HASH_ALG) {
        None => HashAlg::default(),
        Some(name) => name.as_str().and_then(HashAlg::from_name).ok_or(SdJwtError::HashAlg)?,
    };
    let offered = texts(disclosures).enumerate().map(|(position, text)| Offered::new(text, position, hash)).collect();
    Ok((process::process(payload, offered)?, hash))
}

/// The disclosures in a text where each is followed by `~`.
pub(super) fn texts(disclosures: &str) -> impl Iterator<Item = &str> {
    disclosures.split_terminator('~')
}
