//! `did:xinfu:<chain>:<id>`: the id is the digest of the creation, so nobody can claim it first.
//!
//! `<id>` is base58btc of SHA-256 over the exact bytes of the `create` payload. Everything else about such a DID
//! stands in the ledger's state.

use crate::did::{Did, DidError};
use crate::encoding::multibase;

/// The method's name.
pub const NAME: &str = "xinfu";

/// Longest name of a chain.
const CHAIN_MAX: usize = 32;

/// Whether `name` can be the name of a chain: `[a-z0-9-]{1,32}`.
#[must_use]
pub fn is_chain_name(name: &str) -> bool {
    (1..=CHAIN_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Chain and creation digest of a `did:xinfu`.
///
/// # Errors
/// [`DidError`] if it is of another method, or its parts are malformed.
pub fn parts(did: &Did) -> Result<(&str, ledger::Hash), DidError> {
    if did.method() != NAME {
        return Err(DidError::UnsupportedMethod);
    }
    let (chain, id) = did.id().split_once(':').ok_or(DidError::Malformed)?;
    if !is_chain_name(chain) {
        return Err(DidError::ChainName);
    }
    let digest = multibase::decode_base58::<32>(id).map_err(DidError::Multibase)?;
    Ok((chain, digest.into()))
}

impl Did {
    /// The DID that a creation makes on the chain called `chain`. `payload` is the decoded payload of the
    /// `xinfu-create+jwt`, as signed.
    ///
    /// # Errors
    /// [`DidError::ChainName`].
    pub fn xinfu(chain: &str, payload: &[u8]) -> Result<Self, DidError> {
        if !is_chain_name(chain) {
            return Err(DidError::ChainName);
        }
        let id = multibase::encode_base58(ledger::sha256(payload).as_bytes());
        Self::parse(format!("did:{NAME}:{chain}:{id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::parts;
    use crate::did::{Did, DidError};

    #[test]
    fn the_id_is_the_digest_of_the_creation() {
        let did = Did::xinfu("devnet-1", b"payload").unwrap();
        assert_eq!(parts(&did), Ok(("devnet-1", ledger::sha256(b"payload"))));
        assert_ne!(Did::xinfu("devnet-1", b"payloae").unwrap(), did);
    }

    #[test]
    fn malformed_parts_are_refused() {
        for chain in ["", "Devnet", "dev_net", "a.b", &"a".repeat(33)] {
            assert_eq!(Did::xinfu(chain, b""), Err(DidError::ChainName));
        }
        let refusal = |text: &str| parts(&Did::parse(text).unwrap()).expect_err("must be refused");
        assert_eq!(refusal("did:key:z6Mk"), DidError::UnsupportedMethod);
        assert_eq!(refusal("did:xinfu:abc"), DidError::Malformed);
        assert_eq!(refusal("did:xinfu:Abc:1"), DidError::ChainName);
        assert!(matches!(refusal("did:xinfu:abc:1"), DidError::Multibase(_)));
        assert!(matches!(refusal("did:xinfu:abc:0OIl"), DidError::Multibase(_)));
        let long = Did::xinfu("abc", b"").unwrap();
        assert!(matches!(refusal(&format!("{long}:x")), DidError::Multibase(_)));
    }
}
