//! The holder's side (RFC 9901 §7.2): an issued SD-JWT with all its disclosures, and presentations cut from it.

use serde_json::{Map, Value};

use super::error::SdJwtError;
use super::hash::HashAlg;
use super::parse::{self, UnverifiedSdJwt};
use super::path::{ClaimPath, PathError};
use super::process::{Disclosed, Processed};
use super::verified::VerifiedSdJwt;

/// An SD-JWT in its holder's hands. The signature was checked when it was received.
#[derive(Clone, Debug)]
pub struct HeldSdJwt {
    text: String,
    processed: Processed,
    hash: HashAlg,
}

/// The part of an SD-JWT that goes out: the issuer's JWT and the chosen disclosures, up to the last `~`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    text: String,
    hash: HashAlg,
}

impl HeldSdJwt {
    /// Takes in what was just received and verified.
    pub fn receive(verified: &VerifiedSdJwt<'_>) -> Self {
        Self { text: verified.bound.to_owned(), processed: verified.processed.clone(), hash: verified.hash }
    }

    /// Opens what [`Self::text`] gave earlier. The issuer's signature is **not** checked: only for the holder's
    /// own vault.
    ///
    /// # Errors
    /// [`SdJwtError`] if the text is damaged.
    pub fn dangerous_reopen(text: String) -> Result<Self, SdJwtError> {
        let parsed = UnverifiedSdJwt::parse(&text)?;
        if parsed.has_key_binding() {
            return Err(SdJwtError::UnexpectedKeyBinding);
        }
        let (processed, hash) = parsed.dangerous_read()?;
        Ok(Self { text, processed, hash })
    }

    /// The whole SD-JWT as issued.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of the key that signed (`kid`), if the header has one. What is held was verified under it.
    pub fn issuer_key_name(&self) -> Option<String> {
        UnverifiedSdJwt::parse(&self.text).ok()?.jws().header().kid().ok().map(str::to_owned)
    }

    /// All claims, plain and disclosable alike.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.processed.claims
    }

    /// The claims and how they came.
    pub(crate) const fn processed(&self) -> &Processed {
        &self.processed
    }

    /// The claims that can be disclosed or kept back.
    pub fn disclosable(&self) -> impl Iterator<Item = &ClaimPath> {
        self.processed.disclosed.iter().map(|disclosed| &disclosed.path)
    }

    /// The claims at `path`, and where each stands: the path to it without wildcards.
    ///
    /// # Errors
    /// [`PathError::Shape`].
    pub fn places(&self, path: &ClaimPath) -> Result<Vec<(ClaimPath, &Value)>, PathError> {
        path.locate(&self.processed.claims, &self.processed.omitted)
    }

    /// The claims that presenting `paths` discloses, beside those in plain sight: each with all that lies in it,
    /// and the disclosures around it, without which it could not be placed.
    ///
    /// # Errors
    /// [`SdJwtError::PathNotFound`] for a path that selects no claim.
    pub fn disclosed_by(&self, paths: &[ClaimPath]) -> Result<Vec<&ClaimPath>, SdJwtError> {
        Ok(self.choose(paths)?.into_iter().map(|disclosed| &disclosed.path).collect())
    }

    /// Cuts the presentation that discloses `paths` and nothing else.
    ///
    /// # Errors
    /// [`SdJwtError::PathNotFound`] for a path that selects no claim.
    pub fn present(&self, paths: &[ClaimPath]) -> Result<Presentation, SdJwtError> {
        Ok(self.cut(&self.choose(paths)?))
    }

    /// Cuts the presentation whose disclosures are of just these claims, neither what lies in them nor what is around:
    /// one that was cut before, by what [`Self::disclosable`] says of it.
    #[must_use]
    pub fn present_again(&self, disclosed: &[ClaimPath]) -> Presentation {
        let again = |known: &&Disclosed| disclosed.contains(&known.path);
        self.cut(&self.processed.disclosed.iter().filter(again).collect::<Vec<_>>())
    }

    fn cut(&self, chosen: &[&Disclosed]) -> Presentation {
        let (jwt, disclosures) = self.text.split_once('~').unwrap_or((&self.text, ""));
        let mut text = String::with_capacity(self.text.len());
        text.push_str(jwt);
        text.push('~');
        for (position, disclosure) in parse::texts(disclosures).enumerate() {
            if chosen.iter().any(|disclosed| disclosed.position == position) {
                text.push_str(disclosure);
                text.push('~');
            }
        }
        Presentation { text, hash: self.hash }
    }

    /// The disclosures around and inside each selected claim.
    fn choose(&self, paths: &[ClaimPath]) -> Result<Vec<&Disclosed>, SdJwtError> {
        let mut wanted = Vec::new();
        for path in paths {
            match self.places(path) {
                Ok(places) if !places.is_empty() => wanted.extend(places.into_iter().map(|(place, _)| place)),
                Ok(_) | Err(_) => return Err(SdJwtError::PathNotFound),
            }
        }
        let goes = |disclosed: &&Disclosed| {
            wanted.iter().any(|place| place.covers(&disclosed.path) || disclosed.path.covers(place))
        };
        Ok(self.processed.disclosed.iter().filter(goes).collect())
    }
}

impl Presentation {
    /// The text, which ends with `~`: a whole presentation where no key binding is asked for.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What `sd_hash` must be (RFC 9901 §4.3.1).
    pub(crate) fn sd_hash(&self) -> String {
        self.hash.text_of(self.text.as_bytes())
    }
}
