//! Resolution without IO: ready at once, or what to fetch.

use super::{Did, DidError, DidUrl, Document, Relationship, method};
use crate::crypto::PublicKey;

/// Where the document of a DID comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    /// The DID is its own document.
    Ready(Document),
    /// The document follows from a value in the ledger's state: fetch it with its proof, verify the proof, and
    /// build the document as of the log index that matters.
    Fetch {
        /// The chain that the DID names. A verifier that trusts another chain stops here.
        chain: String,
        /// The key in the state tree.
        state_key: String,
    },
}

/// Resolves a DID.
///
/// # Errors
/// [`DidError::UnsupportedMethod`] for other methods than `xinfu`, `key` and `jwk`; other [`DidError`]s for
/// malformed ones.
///
/// ```
/// use identity_core::did::{Did, Resolution, resolve};
///
/// let did = Did::parse("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp")?;
/// assert!(matches!(resolve(&did)?, Resolution::Ready(_)));
/// assert!(resolve(&Did::parse("did:example:123")?).is_err());
/// # Ok::<(), identity_core::did::DidError>(())
/// ```
pub fn resolve(did: &Did) -> Result<Resolution, DidError> {
    match did.method() {
        method::xinfu::NAME => {
            let (chain, _) = method::xinfu::parts(did)?;
            Ok(Resolution::Fetch { chain: chain.to_owned(), state_key: format!("did/{did}") })
        }
        method::key::NAME => method::key::document(did).map(Resolution::Ready),
        method::jwk::NAME => method::jwk::document(did).map(Resolution::Ready),
        _ => Err(DidError::UnsupportedMethod),
    }
}

/// The key that a DID URL spells out, for use in `authentication`: nothing is fetched, and nothing can change it.
///
/// # Errors
/// [`DidError::UnsupportedMethod`] for a DID that would have to be looked up; [`DidError::Fragment`] for a key that
/// the DID does not have.
pub fn spelled_out(url: &DidUrl) -> Result<PublicKey, DidError> {
    match resolve(url.did())? {
        Resolution::Ready(document) => {
            document.key(url, Relationship::Authentication).cloned().map_err(|_| DidError::Fragment)
        }
        Resolution::Fetch { .. } => Err(DidError::UnsupportedMethod),
    }
}

#[cfg(test)]
mod tests {
    use super::{Resolution, resolve};
    use crate::did::{Did, DidError};

    #[test]
    fn ledger_dids_name_the_state_to_fetch() {
        let did = Did::xinfu("devnet", b"payload").unwrap();
        let expected = Resolution::Fetch { chain: "devnet".to_owned(), state_key: format!("did/{did}") };
        assert_eq!(resolve(&did), Ok(expected));
    }

    #[test]
    fn unknown_methods_are_refused() {
        for text in ["did:web:example.org", "did:xinfuu:a:b", "did:jwkk:a"] {
            assert_eq!(resolve(&Did::parse(text).unwrap()), Err(DidError::UnsupportedMethod));
        }
    }
}
