//! The issuer's side (RFC 9901 §4): claims become a payload and its disclosures in one walk.
//!
//! JSON is written straight into buffers; nothing is built as a tree first, and a digest is taken of the very
//! bytes that will travel.

use rand::CryptoRng;
use rand::seq::SliceRandom;
use serde_json::{Map, Value};

use super::concealment::{Concealment, Node};
use super::error::SdJwtError;
use super::hash::{DigestText, HashAlg};
use super::process::{DIGESTS, ELLIPSIS, HASH_ALG};
use crate::crypto::Signer;
use crate::encoding::{base64url, limits};
use crate::jose::{SignHeader, sign_compact};

/// Bytes of a salt: the 128 bits of RFC 9901 §9.3.
const SALT: usize = 16;

/// Issues `claims` as a compact SD-JWT.
///
/// `rng` gives the salts, the decoys and the order of digests.
///
/// # Errors
/// [`SdJwtError::ReservedClaim`] and [`SdJwtError::TooDeep`] for the claims, [`SdJwtError::Signing`].
pub fn issue(
    header: SignHeader<'_>,
    claims: &Map<String, Value>,
    concealment: &Concealment,
    signer: &dyn Signer,
    rng: &mut dyn CryptoRng,
) -> Result<String, SdJwtError> {
    Draft::new(concealment, rng).finish(claims)?.sign(header, signer)
}

/// A payload being written.
pub(crate) struct Draft<'c, 'r> {
    concealment: &'c Concealment,
    payload: Vec<u8>,
    writer: Writer<'r>,
}

/// A payload and its disclosures, not yet signed.
pub(crate) struct Unsigned {
    payload: Vec<u8>,
    /// Each followed by `~`.
    disclosures: Vec<u8>,
}

impl<'c, 'r> Draft<'c, 'r> {
    pub(crate) fn new(concealment: &'c Concealment, rng: &'r mut dyn CryptoRng) -> Self {
        let writer = Writer { hash: concealment.hash, rng, disclosures: Vec::with_capacity(2048), spare: Vec::new() };
        let mut payload = Vec::with_capacity(2048);
        payload.push(b'{');
        Self { concealment, payload, writer }
    }

    /// Writes a claim that stays in plain sight, before those of [`Self::finish`].
    pub(crate) fn plain(&mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) {
        separate(&mut self.payload);
        write_json(&mut self.payload, name);
        self.payload.push(b':');
        write_json(&mut self.payload, value);
    }

    /// Writes `claims`, concealed as wished, and closes the payload.
    pub(crate) fn finish(mut self, claims: &Map<String, Value>) -> Result<Unsigned, SdJwtError> {
        let conceals = self.writer.members(claims, Some(&self.concealment.root), &mut self.payload, 1)?;
        if conceals || !self.writer.disclosures.is_empty() {
            self.plain(HASH_ALG, &self.concealment.hash.name());
        }
        self.payload.push(b'}');
        Ok(Unsigned { payload: self.payload, disclosures: self.writer.disclosures })
    }
}

impl Unsigned {
    pub(crate) fn sign(self, header: SignHeader<'_>, signer: &dyn Signer) -> Result<String, SdJwtError> {
        let mut text = sign_compact(header, &self.payload, signer)?;
        text.reserve(self.disclosures.len() + 1);
        text.push('~');
        text.push_str(&String::from_utf8_lossy(&self.disclosures));
        Ok(text)
    }
}

struct Writer<'r> {
    hash: HashAlg,
    rng: &'r mut dyn CryptoRng,
    disclosures: Vec<u8>,
    /// A buffer used again by one disclosure after the other.
    spare: Vec<u8>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, node: Option<&Node>, out: &mut Vec<u8>, depth: usize) -> Result<(), SdJwtError> {
        if depth > limits::CLAIM_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        match value {
            Value::Object(map) => {
                out.push(b'{');
                self.members(map, node, out, depth + 1)?;
                out.push(b'}');
            }
            Value::Array(array) => self.array(array, node, out, depth + 1)?,
            scalar => write_json(out, scalar),
        }
        Ok(())
    }

    /// Writes what stands between the braces; says whether an `_sd` array is among it.
    fn members(
        &mut self,
        map: &Map<String, Value>,
        node: Option<&Node>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<bool, SdJwtError> {
        let mut digests = Vec::new();
        for (name, value) in map {
            if name == DIGESTS || name == ELLIPSIS || name == HASH_ALG {
                return Err(SdJwtError::ReservedClaim);
            }
            let inner = node.and_then(|node| node.members.get(name));
            if inner.is_some_and(|inner| inner.concealed) {
                digests.push(self.disclose(Some(name), value, inner, depth)?);
            } else {
                separate(out);
                write_json(out, name);
                out.push(b':');
                self.value(value, inner, out, depth)?;
            }
        }
        let decoys = node.map_or(0, |node| node.decoys);
        digests.extend(std::iter::repeat_with(|| self.decoy()).take(decoys));
        self.digests(digests, out)
    }

    /// Writes the `_sd` array, in an order that tells nothing.
    fn digests(&mut self, mut digests: Vec<DigestText>, out: &mut Vec<u8>) -> Result<bool, SdJwtError> {
        if digests.is_empty() {
            return Ok(false);
        }
        digests.shuffle(&mut self.rng);
        separate(out);
        out.extend_from_slice(b"\"_sd\":[");
        for digest in &digests {
            separate(out);
            quote(out, digest.as_bytes());
        }
        out.push(b']');
        Ok(true)
    }

    fn array(
        &mut self,
        array: &[Value],
        node: Option<&Node>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), SdJwtError> {
        out.push(b'[');
        for (index, value) in array.iter().enumerate() {
            let inner = node.and_then(|node| node.element(index));
            separate(out);
            if inner.is_some_and(|inner| inner.concealed) {
                let digest = self.disclose(None, value, inner, depth)?;
                out.extend_from_slice(b"{\"...\":");
                quote(out, digest.as_bytes());
                out.push(b'}');
            } else {
                self.value(value, inner, out, depth)?;
            }
        }
        out.push(b']');
        Ok(())
    }

    /// Writes one disclosure, those inside it first, and gives its digest.
    fn disclose(
        &mut self,
        name: Option<&str>,
        value: &Value,
        node: Option<&Node>,
        depth: usize,
    ) -> Result<DigestText, SdJwtError> {
        let mut content = std::mem::take(&mut self.spare);
        content.clear();
        content.extend_from_slice(b"[\"");
        let mut salt = [0; SALT];
        self.rng.fill_bytes(&mut salt);
        base64url::append(&salt, &mut content);
        content.extend_from_slice(b"\",");
        if let Some(name) = name {
            write_json(&mut content, name);
            content.push(b',');
        }
        self.value(value, node, &mut content, depth)?;
        content.push(b']');

        let start = self.disclosures.len();
        base64url::append(&content, &mut self.disclosures);
        let digest = self.hash.digest(self.disclosures.get(start..).unwrap_or_default());
        self.disclosures.push(b'~');
        self.spare = content;
        Ok(digest)
    }

    fn decoy(&mut self) -> DigestText {
        let mut random = [0; DigestText::LONGEST];
        let random = random.get_mut(..self.hash.length()).unwrap_or_default();
        self.rng.fill_bytes(random);
        DigestText::decoy(random)
    }
}

/// A comma, unless this is the first thing in the object or array.
fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[')) {
        out.push(b',');
    }
}

/// Quotes text that needs no escape.
fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Neither a `Vec` nor any value handed in here (text, numbers, JSON values) can fail to be written.
fn write_json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    let infallible = serde_json::to_writer(out, value);
    debug_assert!(infallible.is_ok());
}
