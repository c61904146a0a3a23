//! `trusted_authorities` (OpenID4VP 1.0 §6.1.1): whose credentials will do.
//!
//! One type is known, our own: `xinfu_ledger`, whose values are DIDs of issuers on the ledger. A wallet reads the
//! DID off the credential's key, a verifier has proven that the key is that DID's. The types of the specification
//! (`aki`, `etsi_tl`, `openid_federation`) speak of certificates and federations that our credentials do not have:
//! in a wallet they match nothing, and a verifier that could not check them does not ask for them.

use serde_json::Value;

use super::error::QueryError;
use super::query::list;
use crate::did::{Did, DidUrl, method};
use crate::encoding::limits;

/// One condition on who issued: met by any of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedAuthority {
    /// `xinfu_ledger`: one of these DIDs of the ledger issued.
    Ledger(Vec<Did>),
    /// A type that is not known here: nothing is known to meet it.
    Unknown,
}

/// The name of [`TrustedAuthority::Ledger`].
const LEDGER: &str = "xinfu_ledger";

impl TrustedAuthority {
    pub(super) fn read(value: &Value) -> Result<Self, QueryError> {
        let kind = value.get("type").and_then(Value::as_str).filter(|kind| !kind.is_empty());
        let kind = kind.ok_or(QueryError::TrustedAuthorities)?;
        let values = list(value.get("values").ok_or(QueryError::TrustedAuthorities)?, limits::DCQL_VALUES)?;
        let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
        let texts = texts.ok_or(QueryError::TrustedAuthorities)?;
        if kind != LEDGER {
            return Ok(Self::Unknown);
        }
        let dids: Option<Vec<Did>> = texts.into_iter().map(ledger_did).collect();
        dids.map(Self::Ledger).ok_or(QueryError::TrustedAuthorities)
    }

    fn names(&self, issuer: &Did) -> bool {
        match self {
            Self::Ledger(issuers) => issuers.contains(issuer),
            Self::Unknown => false,
        }
    }
}

/// Whether a credential under the key of this name (`kid`) meets one of the conditions; so too if there is none.
pub(super) fn met(conditions: &[TrustedAuthority], key_name: Option<&str>) -> bool {
    if conditions.is_empty() {
        return true;
    }
    let Some(key) = key_name.and_then(|name| DidUrl::parse(name).ok()) else { return false };
    conditions.iter().any(|condition| condition.names(key.did()))
}

fn ledger_did(text: &str) -> Option<Did> {
    Did::parse(text).ok().filter(|did| did.method() == method::xinfu::NAME)
}
