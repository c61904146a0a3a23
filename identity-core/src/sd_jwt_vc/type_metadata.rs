//! Type metadata: what a credential type is called, what its claims mean, and which may be concealed.
//!
//! Metadata is unsigned text from whoever publishes the type: it is read from the bytes whose digest the ledger
//! or the credential states, and its display texts are shown as text and nothing else.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use super::integrity;
use crate::encoding::json::{self, JsonError, Limits};
use crate::encoding::limits;
use crate::problem::Code;
use crate::sd_jwt::{ClaimPath, HeldSdJwt, Processed, VerifiedSdJwt};

/// A type metadata document, with what it extends worked in by [`TypeMetadata::assemble`].
#[derive(Clone, Debug, Deserialize)]
pub struct TypeMetadata {
    /// The type it describes.
    pub vct: String,
    /// The type that it extends, if any.
    pub extends: Option<String>,
    #[serde(rename = "extends#integrity")]
    extends_integrity: Option<String>,
    /// What the type is called, per locale.
    #[serde(default)]
    pub display: Vec<TypeDisplay>,
    /// What its claims are.
    #[serde(default)]
    pub claims: Vec<ClaimMetadata>,
}

/// The name of a type in one language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TypeDisplay {
    /// A language tag (BCP 47).
    pub locale: String,
    /// The name, for people.
    pub name: String,
    /// More, for people.
    pub description: Option<String>,
}

/// What a type says of one claim, or of all that a wildcard reaches.
#[derive(Clone, Debug, Deserialize)]
pub struct ClaimMetadata {
    /// Which claim.
    pub path: ClaimPath,
    /// What it is called, per locale.
    pub display: Option<Vec<ClaimDisplay>>,
    /// Whether every credential of the type has it.
    mandatory: Option<bool>,
    sd: Option<Disclosure>,
}

/// The name of a claim in one language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ClaimDisplay {
    /// A language tag (BCP 47).
    pub locale: String,
    /// The name, for people.
    pub label: String,
    /// More, for people.
    pub description: Option<String>,
}

/// Whether the issuer conceals a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disclosure {
    /// It must.
    Always,
    /// It may.
    #[default]
    Allowed,
    /// It must not.
    Never,
}

/// Why type metadata, or a credential by its rules, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TypeError {
    /// Not strict JSON.
    #[error("type metadata: {0}")]
    Json(JsonError),
    /// Not of the shape of type metadata.
    #[error("the type metadata is malformed")]
    Malformed,
    /// No document describes the type asked for.
    #[error("the type metadata describes another type")]
    Mismatch,
    /// The bytes are not those of the digest.
    #[error("the type metadata does not match its digest")]
    Integrity,
    /// The integrity metadata names no hash we know.
    #[error("the integrity digest of the type metadata cannot be used")]
    IntegrityUnusable,
    /// A type it extends is not at hand.
    #[error("a type that the type extends is not at hand")]
    ExtendsMissing,
    /// It extends itself, directly or through others.
    #[error("the type extends itself")]
    ExtendsLoop,
    /// It extends a type without stating the digest of its metadata.
    #[error("the type does not state the digest of the type it extends")]
    ExtendsUnpinned,
    /// It extends more than [`limits::TYPE_EXTENDS`] types, one through the other.
    #[error("the type extends too many types, one through the other")]
    ExtendsTooDeep,
    /// It loosens `sd` or `mandatory` of the type it extends.
    #[error("the type loosens a rule of the type it extends")]
    Loosened,
    /// A mandatory claim was not issued.
    #[error("a mandatory claim is missing")]
    MandatoryMissing,
    /// A claim is a disclosure although it must never be.
    #[error("a claim came as a disclosure against the rules of its type")]
    Disclosable,
    /// A claim is in plain sight although it must always be a disclosure.
    #[error("a claim is in plain sight against the rules of its type")]
    NotDisclosable,
    /// A path does not fit the shape of the credential.
    #[error("a claims path of the type does not fit the credential")]
    Path,
}

impl TypeError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Json(error) => error.code(),
            Self::Malformed => Code::CredentialTypeMalformed,
            Self::Mismatch => Code::CredentialTypeMismatch,
            Self::Integrity => Code::CredentialTypeIntegrity,
            Self::IntegrityUnusable => Code::CredentialTypeIntegrityMalformed,
            Self::ExtendsMissing => Code::CredentialTypeExtendsMissing,
            Self::ExtendsLoop => Code::CredentialTypeExtendsLoop,
            Self::ExtendsUnpinned => Code::CredentialTypeExtendsUnpinned,
            Self::ExtendsTooDeep => Code::CredentialTypeExtendsTooDeep,
            Self::Loosened => Code::CredentialTypeExtendsLoosened,
            Self::MandatoryMissing => Code::CredentialTypeMandatoryMissing,
            Self::Disclosable => Code::CredentialTypeDisclosable,
            Self::NotDisclosable => Code::CredentialTypeNotDisclosable,
            Self::Path => Code::CredentialTypePath,
        }
    }
}

impl TypeMetadata {
    /// Reads one document, without what it extends.
    ///
    /// # Errors
    /// [`TypeError::Json`], [`TypeError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TypeError> {
        let value = json::parse_strict(bytes, Limits::of(limits::TYPE_METADATA)).map_err(TypeError::Json)?;
        serde_json::from_value(value).map_err(|_| TypeError::Malformed)
    }

    /// The metadata of `vct`, put together from the documents at hand: its own and those it extends, directly or
    /// through others. `integrity` is the credential's `vct#integrity`.
    ///
    /// # Errors
    /// [`TypeError`], up to [`TypeError::Loosened`].
    pub fn assemble(vct: &str, integrity: Option<&str>, documents: &[&[u8]]) -> Result<Self, TypeError> {
        fold(chain(vct, integrity, documents)?)
    }

    /// As [`Self::assemble`], for the type of exactly these bytes, each link of whose chain states the digest of the
    /// next: so the digest of the first covers all that it extends.
    ///
    /// # Errors
    /// As [`Self::assemble`]; [`TypeError::ExtendsUnpinned`].
    pub fn assemble_pinned(metadata: &[u8], bases: &[&[u8]]) -> Result<Self, TypeError> {
        let vct = Self::parse(metadata)?.vct;
        let chain = chain(&vct, Some(&integrity::of(metadata)), &[&[metadata], bases].concat())?;
        if chain.iter().any(|link| link.extends.is_some() && link.extends_integrity.is_none()) {
            return Err(TypeError::ExtendsUnpinned);
        }
        fold(chain)
    }

    /// `vct#integrity` for a document with these exact bytes.
    #[must_use]
    pub fn integrity_of(bytes: &[u8]) -> String {
        integrity::of(bytes)
    }

    /// What the type is called in `locale`, or in the first language it has.
    #[must_use]
    pub fn name(&self, locale: &str) -> Option<&str> {
        let exact = self.display.iter().find(|display| display.locale == locale);
        exact.or(self.display.first()).map(|display| display.name.as_str())
    }

    /// What the claim at `path` is called in `locale`, or in the first language it has.
    #[must_use]
    pub fn label(&self, path: &ClaimPath, locale: &str) -> Option<&str> {
        let same_length = |claim: &&ClaimMetadata| claim.path.segments().len() == path.segments().len();
        let claim = self.claims.iter().filter(same_length).find(|claim| claim.path.covers(path))?;
        let display = claim.display.as_deref()?;
        let exact = display.iter().find(|display| display.locale == locale);
        exact.or(display.first()).map(|display| display.label.as_str())
    }

    /// Checks an issued credential, all of whose disclosures are here: the holder's check, and the issuer's own.
    ///
    /// # Errors
    /// [`TypeError`], from [`TypeError::MandatoryMissing`] on.
    pub fn check_issued(&self, held: &HeldSdJwt) -> Result<(), TypeError> {
        self.claims.iter().try_for_each(|claim| claim.check(held.processed(), true))
    }

    /// Checks what a verifier was shown. A claim that was not disclosed is no breach.
    ///
    /// # Errors
    /// As [`Self::check_issued`].
    pub fn check_presented(&self, shown: &VerifiedSdJwt<'_>) -> Result<(), TypeError> {
        self.claims.iter().try_for_each(|claim| claim.check(shown.processed(), false))
    }

    /// This type over the one it extends: its own metadata wins, unless it loosens a rule.
    fn over(self, base: Self) -> Result<Self, TypeError> {
        let mut claims = base.claims;
        for own in self.claims {
            match claims.iter_mut().find(|inherited| inherited.path == own.path) {
                Some(inherited) => inherited.overlay(own)?,
                None => claims.push(own),
            }
        }
        let display = if self.display.is_empty() { base.display } else { self.display };
        Ok(Self { display, claims, ..self })
    }
}

/// The type and those it extends, each before the one that it extends.
fn chain(vct: &str, integrity: Option<&str>, documents: &[&[u8]]) -> Result<Vec<TypeMetadata>, TypeError> {
    let mut chain: Vec<TypeMetadata> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut wanted = Some((vct.to_owned(), integrity.map(str::to_owned)));
    while let Some((vct, integrity)) = wanted {
        if !seen.insert(vct.clone()) {
            return Err(TypeError::ExtendsLoop);
        }
        if chain.len() > limits::TYPE_EXTENDS {
            return Err(TypeError::ExtendsTooDeep);
        }
        let missing = if chain.is_empty() { TypeError::Mismatch } else { TypeError::ExtendsMissing };
        let document = find(&vct, integrity.as_deref(), documents)?.ok_or(missing)?;
        wanted = document.extends.clone().map(|base| (base, document.extends_integrity.clone()));
        chain.push(document);
    }
    Ok(chain)
}

fn fold(chain: Vec<TypeMetadata>) -> Result<TypeMetadata, TypeError> {
    let mut bases = chain.into_iter().rev();
    let root = bases.next().ok_or(TypeError::Mismatch)?;
    bases.try_fold(root, |base, child| child.over(base))
}

/// The document of this type; of several versions, the one of the digest stated.
fn find(vct: &str, integrity: Option<&str>, documents: &[&[u8]]) -> Result<Option<TypeMetadata>, TypeError> {
    let mut other_version = false;
    for bytes in documents {
        let document = TypeMetadata::parse(bytes)?;
        if document.vct != vct {
            continue;
        }
        match integrity.map(|integrity| integrity::holds(integrity, bytes)) {
            None | Some(Some(true)) => return Ok(Some(document)),
            Some(Some(false)) => other_version = true,
            Some(None) => return Err(TypeError::IntegrityUnusable),
        }
    }
    if other_version { Err(TypeError::Integrity) } else { Ok(None) }
}

impl ClaimMetadata {
    /// Whether every credential of the type has the claim.
    #[must_use]
    pub fn mandatory(&self) -> bool {
        self.mandatory.unwrap_or_default()
    }

    /// Whether the issuer conceals it.
    #[must_use]
    pub fn disclosure(&self) -> Disclosure {
        self.sd.unwrap_or_default()
    }

    fn overlay(&mut self, own: Self) -> Result<(), TypeError> {
        let changes = own.sd.is_some_and(|sd| sd != self.disclosure());
        if (changes && self.disclosure() != Disclosure::Allowed) || (self.mandatory() && own.mandatory == Some(false)) {
            return Err(TypeError::Loosened);
        }
        self.display = own.display.or(self.display.take());
        self.mandatory = own.mandatory.or(self.mandatory);
        self.sd = own.sd.or(self.sd);
        Ok(())
    }

    fn check(&self, processed: &Processed, complete: bool) -> Result<(), TypeError> {
        let places = self.places(&self.path, processed)?;
        if places.is_empty() && self.mandatory() && (complete || self.would_be_seen(processed)?) {
            return Err(TypeError::MandatoryMissing);
        }
        match self.disclosure() {
            Disclosure::Allowed => Ok(()),
            Disclosure::Always if places.iter().all(|place| processed.came_as_disclosure(place)) => Ok(()),
            Disclosure::Always => Err(TypeError::NotDisclosable),
            Disclosure::Never if places.iter().any(|place| processed.came_as_disclosure(place)) => {
                Err(TypeError::Disclosable)
            }
            Disclosure::Never if processed.omits(&self.path) => Err(TypeError::Disclosable),
            Disclosure::Never => Ok(()),
        }
    }

    /// Whether a verifier would see the claim if it had been issued: it is never concealed, and what it stands in
    /// is here.
    fn would_be_seen(&self, processed: &Processed) -> Result<bool, TypeError> {
        if self.disclosure() != Disclosure::Never {
            return Ok(false);
        }
        match self.path.parent() {
            None => Ok(true),
            Some(parent) => Ok(!self.places(&parent, processed)?.is_empty()),
        }
    }

    fn places(&self, path: &ClaimPath, processed: &Processed) -> Result<Vec<ClaimPath>, TypeError> {
        let found = path.locate(&processed.claims, &processed.omitted).map_err(|_| TypeError::Path)?;
        Ok(found.into_iter().map(|(place, _)| place).collect())
    }
}
