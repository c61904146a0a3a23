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
use crate::encoding::json::write;
use crate::encoding::{base64url, limits};
use crate::jose::{SignHeader, sign_followed};

/// Bytes of a salt: the 128 bits of RFC 9901 §9.3.
const SALT: usize = 16;

/// Room for the payload, and for the disclosures, of a usual credential: enough not to move them while they grow.
const USUAL: usize = 2048;

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
    /// A `~`, then the disclosures, each followed by `~`.
    disclosures: Vec<u8>,
}

impl<'c, 'r> Draft<'c, 'r> {
    pub(crate) fn new(concealment: &'c Concealment, rng: &'r mut dyn CryptoRng) -> Self {
        let mut disclosures = Vec::with_capacity(USUAL);
        disclosures.push(b'~');
        let writer = Writer { hash: concealment.hash, rng, disclosures, spare: Vec::new() };
        let mut payload = Vec::with_capacity(USUAL);
        payload.push(b'{');
        Self { concealment, payload, writer }
    }

    /// Writes a claim that stays in plain sight, before those of [`Self::finish`].
    pub(crate) fn plain(&mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) {
        separate(&mut self.payload);
        write::text(name, &mut self.payload);
        self.payload.push(b':');
        write::value(value, &mut self.payload);
    }

    /// Writes `claims`, concealed as wished, and closes the payload.
    pub(crate) fn finish(mut self, claims: &Map<String, Value>) -> Result<Unsigned, SdJwtError> {
        let conceals = self.writer.members(claims, Some(&self.concealment.root), &mut self.payload, 1)?;
        if conceals || self.writer.disclosures.len() > 1 {
            self.plain(HASH_ALG, &self.concealment.hash.name());
        }
        self.payload.push(b'}');
        Ok(Unsigned { payload: self.payload, disclosures: self.writer.disclosures })
    }
}

impl Unsigned {
    pub(crate) fn sign(self, header: SignHeader<'_>, signer: &dyn Signer) -> Result<String, SdJwtError> {
        Ok(sign_followed(header, &self.payload, &self.disclosures, signer)?)
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
            Value::String(text) => write::text(text, out),
            scalar => write::value(scalar, out),
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
        let decoys = node.map_or(0, |node| node.decoys);
        let mut digests = Vec::with_capacity(node.map_or(0, Node::named) + decoys);
        let mut expected = 0;
        for (name, value) in map {
            if name == DIGESTS || name == ELLIPSIS || name == HASH_ALG {
                return Err(SdJwtError::ReservedClaim);
            }
            let inner = node.and_then(|node| node.member(name, &mut expected));
            if inner.is_some_and(|inner| inner.concealed) {
                digests.push(self.disclose(Some(name), value, inner, depth)?);
            } else {
                separate(out);
                write::text(name, out);
                out.push(b':');
                self.value(value, inner, out, depth)?;
            }
        }
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
        base64url::append(&self.salt(), &mut content);
        content.extend_from_slice(b"\",");
        if let Some(name) = name {
            write::text(name, &mut content);
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

    fn salt(&mut self) -> [u8; SALT] {
        (u128::from(self.rng.next_u64()) << 64 | u128::from(self.rng.next_u64())).to_be_bytes()
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
