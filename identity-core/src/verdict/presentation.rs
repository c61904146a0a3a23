//! What came in: the question, and the answer as it was received.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Refusal;
use crate::anchor::AnchorProof;
use crate::dcql;
use crate::did::{Did, DidError, DidUrl, method};
use crate::oid4vp::Parameters;
use crate::sd_jwt::UnverifiedSdJwt;
use crate::x509::Leaf;

/// The question that a presentation answers.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What its request said.
    pub request: &'a Parameters,
    /// The DID behind the request's `client_id`.
    pub asker: &'a Did,
    /// The certificate that the `client_id` is the digest of, if it is one: its key leads to the DID, by the ledger.
    pub certificate: Option<&'a Leaf>,
}

impl<'a> Asked<'a> {
    /// What was asked for.
    pub(super) fn query(&self) -> &'a dcql::Query {
        &self.request.query
    }

    /// What for.
    pub(super) fn purpose(&self) -> Option<&'a str> {
        self.request.purpose.as_deref()
    }
}

/// A presentation as received: nothing about it is believed.
#[derive(Clone, Copy, Debug)]
pub struct Presentation<'a> {
    /// The question.
    pub asked: Asked<'a>,
    /// `vp_token`: presentations by credential query id.
    pub token: &'a BTreeMap<String, Vec<String>>,
    /// `xinfu_anchor`: anchor proofs by credential query id, in the order of the presentations.
    pub anchors: Option<&'a BTreeMap<String, Vec<Value>>>,
}

/// One credential of a presentation, taken apart.
pub(super) struct Shown<'a> {
    pub(super) query_id: &'a str,
    pub(super) sd_jwt: UnverifiedSdJwt<'a>,
    /// The key that it names, in a DID of the ledger.
    pub(super) key: DidUrl,
    pub(super) anchor: Option<AnchorProof>,
}

impl<'a> Presentation<'a> {
    /// Takes every credential apart. Everything that is refused here costs neither a signature nor a fetch.
    pub(super) fn open(&self) -> Result<Vec<Shown<'a>>, Refusal> {
        let mut shown = Vec::new();
        for (query_id, texts) in self.token {
            let proofs = self.proofs(query_id, texts.len())?;
            for (place, text) in texts.iter().enumerate() {
                shown.push(open(query_id, text, proofs.and_then(|proofs| proofs.get(place)))?);
            }
        }
        Ok(shown)
    }

    fn proofs(&self, query_id: &str, presentations: usize) -> Result<Option<&'a [Value]>, Refusal> {
        match self.anchors.and_then(|anchors| anchors.get(query_id)) {
            None => Ok(None),
            Some(proofs) if proofs.len() == presentations => Ok(Some(proofs)),
            Some(_) => Err(Refusal::AnchorCount),
        }
    }
}

fn open<'a>(query_id: &'a str, text: &'a str, proof: Option<&Value>) -> Result<Shown<'a>, Refusal> {
    let sd_jwt = UnverifiedSdJwt::parse(text)?;
    if !sd_jwt.has_key_binding() {
        return Err(Refusal::Holder(crate::kb_jwt::KbJwtError::Missing));
    }
    let key = DidUrl::parse(sd_jwt.jws().header().kid().map_err(crate::sd_jwt::SdJwtError::Jws)?)?;
    // Only the ledger can say whose key it is; a key that vouches for itself vouches for nobody.
    if key.did().method() != method::xinfu::NAME {
        return Err(Refusal::IssuerName(DidError::UnsupportedMethod));
    }
    let anchor = proof.map(AnchorProof::from_value).transpose().map_err(Refusal::Anchor)?;
    Ok(Shown { query_id, sd_jwt, key, anchor })
}
