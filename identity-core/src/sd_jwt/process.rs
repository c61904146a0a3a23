//! RFC 9901 §7.1 step 3 to 5: put disclosed claims into the payload, forget the rest.
//!
//! Every digest found is looked up among the digests of the disclosures that came along, never the other way
//! round, and each disclosure is used up by its first digest: so the walk ends however digests refer to each
//! other, and what is left over at the end was referred to by nothing. Only disclosures are hashed: the work
//! grows with what is disclosed, and by one string comparison with what was issued.

use serde_json::{Map, Value};

use super::disclosure::{Content, Offered};
use super::error::SdJwtError;
use super::path::{ClaimPath, Omitted, Segment};
use crate::encoding::limits;

/// A claim that came as a disclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disclosed {
    /// Where it stands; array positions as issued.
    pub(crate) path: ClaimPath,
    /// Which disclosure of the SD-JWT it is, counted from 0.
    pub(crate) position: usize,
}

/// What processing leaves: the claims, and how they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processed {
    /// The payload without `_sd`, `_sd_alg` and placeholders.
    pub(crate) claims: Map<String, Value>,
    /// Every claim that came as a disclosure.
    pub(crate) disclosed: Vec<Disclosed>,
    /// Array elements that stayed concealed, or are decoys.
    pub(crate) omitted: Vec<Omitted>,
}

/// Processes `payload` with the disclosures offered.
///
/// # Errors
/// Every variant of [`SdJwtError`] that speaks of digests and disclosures.
pub(crate) fn process(mut payload: Map<String, Value>, offered: Vec<Offered<'_>>) -> Result<Processed, SdJwtError> {
    payload.remove(HASH_ALG);
    let mut walk = Walk::new(offered)?;
    walk.object(&mut payload, &Here::ROOT)?;
    walk.finish(payload)
}

pub(crate) const DIGESTS: &str = "_sd";
pub(crate) const HASH_ALG: &str = "_sd_alg";
pub(crate) const ELLIPSIS: &str = "...";

struct Walk<'t> {
    offered: Vec<Offered<'t>>,
    seen: Vec<String>,
    disclosed: Vec<Disclosed>,
    omitted: Vec<Omitted>,
}

/// Where the walk stands: a chain of frames, so that a path costs something only when it is kept.
#[derive(Clone, Copy)]
struct Here<'p> {
    up: Option<&'p Here<'p>>,
    step: Step<'p>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Name(&'p str),
    Index(usize),
}

impl Here<'_> {
    const ROOT: Here<'static> = Here { up: None, step: Step::Root, depth: 0 };

    fn down<'n>(&'n self, step: Step<'n>) -> Result<Here<'n>, SdJwtError> {
        if self.depth == limits::CLAIM_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        Ok(Here { up: Some(self), step, depth: self.depth + 1 })
    }

    fn segments(&self) -> Vec<Segment> {
        let mut segments = Vec::with_capacity(self.depth);
        let mut next = Some(self);
        while let Some(here) = next {
            match here.step {
                Step::Root => {}
                Step::Name(name) => segments.push(Segment::Name(name.to_owned())),
                Step::Index(index) => segments.push(Segment::Index(index)),
            }
            next = here.up;
        }
        segments.reverse();
        segments
    }
}

impl<'t> Walk<'t> {
    fn new(mut offered: Vec<Offered<'t>>) -> Result<Self, SdJwtError> {
        offered.sort_unstable_by(|a, b| a.digest().cmp(b.digest()));
        if offered.windows(2).any(|pair| matches!(pair, [a, b] if a.digest() == b.digest())) {
            return Err(SdJwtError::DisclosureTwice);
        }
        let disclosed = Vec::with_capacity(offered.len());
        Ok(Self { offered, seen: Vec::new(), disclosed, omitted: Vec::new() })
    }

    fn value(&mut self, value: &mut Value, here: &Here<'_>) -> Result<(), SdJwtError> {
        match value {
            Value::Object(map) => self.object(map, here),
            Value::Array(array) => self.array(array, here),
            _ => Ok(()),
        }
    }

    fn object(&mut self, map: &mut Map<String, Value>, here: &Here<'_>) -> Result<(), SdJwtError> {
        let mut conceals = false;
        for (name, value) in map.iter_mut() {
            match name.as_str() {
                DIGESTS => conceals = true,
                HASH_ALG => return Err(SdJwtError::HashAlgNested),
                ELLIPSIS => return Err(SdJwtError::EllipsisMisplaced),
                _ if value.is_object() || value.is_array() => self.value(value, &here.down(Step::Name(name))?)?,
                _ => {}
            }
        }
        if !conceals {
            return Ok(());
        }
        match map.remove(DIGESTS) {
            Some(Value::Array(digests)) => self.members(digests, map, here),
            Some(_) | None => Err(SdJwtError::DigestsNotStrings),
        }
    }

    /// Inserts the claims of an object that `digests` refer to.
    fn members(
        &mut self,
        digests: Vec<Value>,
        map: &mut Map<String, Value>,
        here: &Here<'_>,
    ) -> Result<(), SdJwtError> {
        self.seen.reserve(digests.len());
        for digest in digests {
            let Value::String(digest) = digest else { return Err(SdJwtError::DigestsNotStrings) };
            let Some((position, content)) = self.take(digest)? else { continue };
            let Content::Member { name, mut value } = content else { return Err(SdJwtError::DisclosureNotMember) };
            if name == DIGESTS || name == ELLIPSIS || name == HASH_ALG {
                return Err(SdJwtError::ReservedName);
            }
            if map.contains_key(&name) {
                return Err(SdJwtError::NameTaken);
            }
            let there = here.down(Step::Name(&name))?;
            self.disclose(&mut value, position, there)?;
            map.insert(name, value);
        }
        Ok(())
    }

    fn array(&mut self, array: &mut Vec<Value>, here: &Here<'_>) -> Result<(), SdJwtError> {
        let mut kept = Vec::with_capacity(array.len());
        for (index, mut element) in std::mem::take(array).into_iter().enumerate() {
            let there = here.down(Step::Index(index))?;
            let Some(digest) = take_placeholder(&mut element)? else {
                self.value(&mut element, &there)?;
                kept.push(element);
                continue;
            };
            match self.take(digest)? {
                None => self.omitted.push(Omitted { array: here.segments(), index }),
                Some((position, Content::Element { mut value })) => {
                    self.disclose(&mut value, position, there)?;
                    kept.push(value);
                }
                Some(_) => return Err(SdJwtError::DisclosureNotElement),
            }
        }
        *array = kept;
        Ok(())
    }

    fn disclose(&mut self, value: &mut Value, position: usize, here: Here<'_>) -> Result<(), SdJwtError> {
        let path = ClaimPath::new(here.segments()).map_err(|_| SdJwtError::TooDeep)?;
        self.disclosed.push(Disclosed { path, position });
        self.value(value, &here)
    }

    /// Uses up the disclosure that `digest` refers to; `None` if there is none, as for a decoy.
    fn take(&mut self, digest: String) -> Result<Option<(usize, Content)>, SdJwtError> {
        let found = self.offered.binary_search_by(|offered| offered.digest().cmp(digest.as_bytes()));
        self.seen.push(digest);
        let Some(offered) = found.ok().and_then(|at| self.offered.get_mut(at)) else { return Ok(None) };
        if offered.used {
            return Err(SdJwtError::DigestTwice);
        }
        offered.used = true;
        Ok(Some((offered.position, offered.parse()?)))
    }

    fn finish(mut self, claims: Map<String, Value>) -> Result<Processed, SdJwtError> {
        self.seen.sort_unstable();
        if self.seen.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(SdJwtError::DigestTwice);
        }
        if self.offered.iter().any(|offered| !offered.used) {
            return Err(SdJwtError::DisclosureUnreferenced);
        }
        Ok(Processed { claims, disclosed: self.disclosed, omitted: self.omitted })
    }
}

/// The digest, if the array element is `{"...": "<digest>"}` and nothing else.
fn take_placeholder(element: &mut Value) -> Result<Option<String>, SdJwtError> {
    let Value::Object(map) = element else { return Ok(None) };
    let alone = map.len() == 1;
    match map.get_mut(ELLIPSIS) {
        None => Ok(None),
        Some(Value::String(digest)) if alone => Ok(Some(std::mem::take(digest))),
        Some(_) => Err(SdJwtError::EllipsisMisplaced),
    }
}
