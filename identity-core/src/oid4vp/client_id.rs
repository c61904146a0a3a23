//! Client identifiers and their prefixes (OpenID4VP 1.0 §5.9).
//!
//! The prefix ends at the **first** colon; what follows is interpreted by that prefix alone. A
//! prefix that we know but do not support is refused by its name, never taken for a
//! pre-registered client.

use std::fmt;

use crate::did::Did;
use crate::problem::Code;

/// The longest client identifier read, in bytes: a DID of ours has under 100.
pub const MAX_CLIENT_ID_BYTES: usize = 512;

const DECENTRALIZED_IDENTIFIER: &str = "decentralized_identifier";

/// A prefix that the specification defines and this software does not support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsupportedPrefix {
    /// Unsigned requests, bound to a URL only.
    RedirectUri,
    /// OpenID Federation entities.
    OpenidFederation,
    /// A JWT by a third party about the verifier's key.
    VerifierAttestation,
    /// A DNS name in a certificate.
    X509SanDns,
    /// The digest of a certificate.
    X509Hash,
    /// Reserved for the Digital Credentials API; a wallet must never accept it in a request.
    Origin,
}

impl UnsupportedPrefix {
    fn parse(prefix: &str) -> Option<Self> {
        Some(match prefix {
            "redirect_uri" => Self::RedirectUri,
            "openid_federation" => Self::OpenidFederation,
            "verifier_attestation" => Self::VerifierAttestation,
            "x509_san_dns" => Self::X509SanDns,
            "x509_hash" => Self::X509Hash,
            "origin" => Self::Origin,
            _ => return None,
        })
    }

    /// The prefix as the specification spells it, without the colon.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RedirectUri => "redirect_uri",
            Self::OpenidFederation => "openid_federation",
            Self::VerifierAttestation => "verifier_attestation",
            Self::X509SanDns => "x509_san_dns",
            Self::X509Hash => "x509_hash",
            Self::Origin => "origin",
        }
    }
}

/// Why a client identifier was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientIdError {
    /// Longer than [`MAX_CLIENT_ID_BYTES`].
    #[error("the client identifier is longer than {MAX_CLIENT_ID_BYTES} bytes")]
    TooLong,
    /// No colon, or a prefix no specification defines: this software knows no pre-registered clients.
    #[error("the client identifier has no known prefix")]
    UnknownPrefix,
    /// A defined prefix that is not supported here.
    #[error("client identifiers with prefix {} are not supported", .0.as_str())]
    Unsupported(UnsupportedPrefix),
    /// `decentralized_identifier:` without a DID behind it.
    #[error("what follows the prefix is not a DID")]
    NotADid,
}

impl ClientIdError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::TooLong | Self::UnknownPrefix | Self::NotADid => Code::VpClientIdMalformed,
            Self::Unsupported(_) => Code::VpClientIdUnsupported,
        }
    }
}

/// A verifier's full client identifier, prefix included: this is the audience of a presentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId {
    text: String,
    did: Did,
}

impl ClientId {
    /// The client identifier of a DID.
    #[must_use]
    pub fn of_did(did: &Did) -> Self {
        Self { text: format!("{DECENTRALIZED_IDENTIFIER}:{did}"), did: did.clone() }
    }

    /// Parses a client identifier at its first colon.
    ///
    /// # Errors
    /// [`ClientIdError`]: unknown or unsupported prefix, or no DID behind a supported one.
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        if text.len() > MAX_CLIENT_ID_BYTES {
            return Err(ClientIdError::TooLong);
        }
        let (prefix, original) = text.split_once(':').ok_or(ClientIdError::UnknownPrefix)?;
        if prefix != DECENTRALIZED_IDENTIFIER {
            return Err(
                UnsupportedPrefix::parse(prefix).map_or(ClientIdError::UnknownPrefix, ClientIdError::Unsupported)
            );
        }
        let did = Did::parse(original).map_err(|_| ClientIdError::NotADid)?;
        Ok(Self { text: text.to_owned(), did })
    }

    /// The full identifier, prefix included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The verifier's DID.
    #[must_use]
    pub fn did(&self) -> &Did {
        &self.did
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_ends_at_the_first_colon() {
        let id = ClientId::parse("decentralized_identifier:did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK");
        assert_eq!(id.unwrap().did().to_string(), "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK");
    }

    #[test]
    fn every_other_prefix_is_refused_by_name() {
        for prefix in
            ["redirect_uri", "openid_federation", "verifier_attestation", "x509_san_dns", "x509_hash", "origin"]
        {
            match ClientId::parse(&format!("{prefix}:https://client.example")) {
                Err(ClientIdError::Unsupported(found)) => assert_eq!(found.as_str(), prefix),
                other => panic!("{prefix}: {other:?}"),
            }
        }
        for text in ["client", "", "https://client.example", "Decentralized_Identifier:did:key:z", "did:key:z6Mk"] {
            assert_eq!(ClientId::parse(text), Err(ClientIdError::UnknownPrefix), "{text}");
        }
        assert_eq!(ClientId::parse("decentralized_identifier:client"), Err(ClientIdError::NotADid));
        assert_eq!(ClientId::parse(&"a".repeat(MAX_CLIENT_ID_BYTES + 1)), Err(ClientIdError::TooLong));
    }
}
