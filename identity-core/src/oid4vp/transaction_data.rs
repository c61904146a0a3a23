//! `transaction_data` (OpenID4VP 1.0 §5.1, §8.4, B.3.3): what the holder's own signature covers beside the nonce.
//!
//! There is one type: an object per credential query that holds the digest of the duty attestation. The KB-JWT of each
//! credential then carries the digest of that object, so what the data was wanted for stands under three signatures:
//! the official's, the service's and the holder's.

use ledger::{Hash, sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::RequestError;
use crate::dcql;
use crate::encoding::base64url;
use crate::encoding::json::{self, Limits};

/// The `type` of our object.
pub const TYPE: &str = "urn:xinfu:transaction-data:duty:1";
/// The one hash algorithm of ours; the default where a request names none (B.3.3.1).
const HASH: &str = "sha-256";
/// The largest object read, in bytes of JSON; ours have about 200.
const MAX_BYTES: usize = 2 * 1024;

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DutyBound {
    #[serde(rename = "type")]
    kind: String,
    credential_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transaction_data_hashes_alg: Option<Vec<String>>,
    /// SHA-256 of the attestation's text.
    attestation: Hash,
}

/// The objects for all queries of a question, as they travel, over one attestation.
#[must_use]
pub fn make(query: &dcql::Query, attestation: &str) -> Vec<String> {
    let digest = sha256(attestation.as_bytes());
    let one = |asked: &dcql::CredentialQuery| {
        let bound = DutyBound {
            kind: TYPE.to_owned(),
            credential_ids: vec![asked.id.clone()],
            transaction_data_hashes_alg: None,
            attestation: digest,
        };
        // A struct of texts cannot fail to be written.
        base64url::encode(&serde_json::to_vec(&bound).unwrap_or_default())
    };
    query.credentials.iter().map(one).collect()
}

/// Reads the parameter of a request: none at all, or one object of our type for each credential query.
///
/// # Errors
/// [`RequestError::TransactionData`]. Which attestation they are over is [`are_over`]'s to say.
pub(super) fn read(parameter: Option<&Value>, query: &dcql::Query) -> Result<Vec<String>, RequestError> {
    let Some(parameter) = parameter else { return Ok(Vec::new()) };
    let entries = parameter.as_array().filter(|entries| !entries.is_empty());
    let texts: Option<Vec<&str>> = entries.and_then(|entries| entries.iter().map(Value::as_str).collect());
    let texts = texts.ok_or(RequestError::TransactionData)?;
    let mut open: Vec<&str> = query.credentials.iter().map(|asked| asked.id.as_str()).collect();
    for text in &texts {
        let bound = parse(text).ok_or(RequestError::TransactionData)?;
        let [id] = bound.credential_ids.as_slice() else { return Err(RequestError::TransactionData) };
        let place = open.iter().position(|open| open == id).ok_or(RequestError::TransactionData)?;
        open.swap_remove(place);
    }
    if open.is_empty() {
        Ok(texts.into_iter().map(str::to_owned).collect())
    } else {
        Err(RequestError::TransactionData)
    }
}

/// Whether every object is over this attestation.
#[must_use]
pub fn are_over(objects: &[String], attestation: &Hash) -> bool {
    objects.iter().all(|text| parse(text).is_some_and(|bound| bound.attestation == *attestation))
}

/// What the KB-JWT of a credential that answers `query_id` must carry as `transaction_data_hashes`: the digests of the
/// objects' texts, in their order.
#[must_use]
pub fn hashes_for(objects: &[String], query_id: &str) -> Vec<String> {
    let concerns =
        |text: &&String| parse(text).is_some_and(|bound| bound.credential_ids.iter().any(|id| id == query_id));
    objects.iter().filter(concerns).map(|text| sha256(text.as_bytes()).to_base64url()).collect()
}

fn parse(text: &str) -> Option<DutyBound> {
    let bytes = base64url::decode(text).ok()?;
    let bound: DutyBound = json::read(&bytes, Limits::of(MAX_BYTES)).ok()?;
    let hashed_so =
        bound.transaction_data_hashes_alg.as_ref().is_none_or(|names| names.iter().any(|name| name == HASH));
    (bound.kind == TYPE && hashed_so).then_some(bound)
}
