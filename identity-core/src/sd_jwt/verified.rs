//! What is known after the issuer's signature held and every disclosure found its digest.

use serde_json::{Map, Value};

use super::hash::HashAlg;
use super::path::{ClaimPath, Omitted, PathError, Segment};
use super::process::Processed;
use crate::jose::{Header, VerifiedJws};

/// An SD-JWT whose signature and disclosures hold. Made in one place, by
/// [`UnverifiedSdJwt::verify`](super::UnverifiedSdJwt::verify).
#[derive(Debug)]
pub struct VerifiedSdJwt<'t> {
    pub(super) jws: VerifiedJws<'t>,
    pub(super) processed: Processed,
    pub(super) hash: HashAlg,
    pub(super) bound: &'t str,
    pub(super) kb_jwt: Option<&'t str>,
}

impl<'t> VerifiedSdJwt<'t> {
    /// The header of the issuer-signed JWT.
    pub const fn header(&self) -> &Header {
        self.jws.header()
    }

    /// The processed payload: plain and disclosed claims alike, no digests.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.processed.claims
    }

    /// The processed payload, by value.
    pub fn into_claims(self) -> Map<String, Value> {
        self.processed.claims
    }

    /// The claims that came as disclosures.
    pub fn disclosed(&self) -> impl Iterator<Item = &ClaimPath> {
        self.processed.disclosed.iter().map(|disclosed| &disclosed.path)
    }

    /// The claims at `path`; array positions count as issued.
    ///
    /// # Errors
    /// [`PathError::Shape`].
    pub fn select(&self, path: &ClaimPath) -> Result<Vec<&Value>, PathError> {
        self.processed.select(path)
    }

    /// The processed payload and how it came.
    pub(crate) const fn processed(&self) -> &Processed {
        &self.processed
    }

    /// The hash of `_sd_alg`, which `sd_hash` uses too.
    pub const fn hash(&self) -> HashAlg {
        self.hash
    }

    /// The text up to and including the last `~`.
    pub const fn bound_text(&self) -> &'t str {
        self.bound
    }

    /// The key-binding JWT as it came, unchecked.
    pub const fn dangerous_kb_jwt(&self) -> Option<&'t str> {
        self.kb_jwt
    }
}

impl Processed {
    /// The claims at `path`; array positions count as issued, so concealed elements before one do not move it.
    pub(crate) fn select(&self, path: &ClaimPath) -> Result<Vec<&Value>, PathError> {
        path.select_around(&self.claims, &self.omitted)
    }

    /// Whether the claim at exactly `path` came as a disclosure.
    pub(crate) fn came_as_disclosure(&self, path: &ClaimPath) -> bool {
        self.disclosed.iter().any(|disclosed| disclosed.path == *path)
    }

    /// Whether `path` selects an array element that stayed concealed.
    pub(crate) fn omits(&self, path: &ClaimPath) -> bool {
        let selects = |omitted: &Omitted| {
            let element = ClaimPath::new([omitted.array.as_slice(), &[Segment::Index(omitted.index)]].concat());
            element.is_ok_and(|element| path.segments().len() == element.segments().len() && path.covers(&element))
        };
        self.omitted.iter().any(selects)
    }
}
