//! Client identifiers and their prefixes (OpenID4VP 1.0 §5.9).
//!
//! The prefix ends at the **first** colon; what follows is interpreted by that prefix alone. A
//! prefix that we know but do not support is refused by its name, never taken for a
//! pre-registered client.

use std::fmt;

use ledger::Hash;

use crate::did::Did;
use crate::encoding::base64url;
use crate::problem::Code;

/// The longest client identifier read, in bytes: a DID of ours has under 100.
pub const MAX_CLIENT_ID_BYTES: usize = 512;

const DECENTRALIZED_IDENTIFIER: &str = "decentralized_identifier";
const X509_HASH: &str = "x509_hash";

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
    /// `x509_hash:` without a digest behind it.
    #[error("what follows the prefix is not the digest of a certificate")]
    NotADigest,
}

impl ClientIdError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::TooLong | Self::UnknownPrefix | Self::NotADid | Self::NotADigest => Code::VpClientIdMalformed,
            Self::Unsupported(_) => Code::VpClientIdUnsupported,
        }
    }
}

/// What a client identifier names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientName {
    /// `decentralized_identifier`: a DID.
    Did(Did),
    /// `x509_hash`: the SHA-256 of the client's certificate. Whose key it has, the ledger says.
    Certificate(Hash),
}

/// A verifier's full client identifier, prefix included: this is the audience of a presentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId {
    text: String,
    name: ClientName,
}

impl ClientId {
    /// The client identifier of a DID.
    #[must_use]
    pub fn of_did(did: &Did) -> Self {
        Self { text: format!("{DECENTRALIZED_IDENTIFIER}:{did}"), name: ClientName::Did(did.clone()) }
    }

    /// The client identifier of whoever has the certificate with this SHA-256.
    #[must_use]
    pub fn of_certificate(digest: &Hash) -> Self {
        Self { text: format!("{X509_HASH}:{}", digest.to_base64url()), name: ClientName::Certificate(*digest) }
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
        let name = match prefix {
            DECENTRALIZED_IDENTIFIER => ClientName::Did(Did::parse(original).map_err(|_| ClientIdError::NotADid)?),
            X509_HASH => {
                let digest = base64url::decode_array::<32>(original).map_err(|_| ClientIdError::NotADigest)?;
                ClientName::Certificate(Hash::from(digest))
            }
            _ => {
                let known = UnsupportedPrefix::parse(prefix);
                return Err(known.map_or(ClientIdError::UnknownPrefix, ClientIdError::Unsupported));
            }
        };
        Ok(Self { text: text.to_owned(), name })
    }

    /// The full identifier, prefix included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it names.
    #[must_use]
    pub fn name(&self) -> &ClientName {
        &self.name
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
        let did = Did::parse("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK").unwrap();
        assert_eq!(id.unwrap().name(), &ClientName::Did(did));
    }

    #[test]
    fn every_other_prefix_is_refused_by_name() {
        for prefix in ["redirect_uri", "openid_federation", "verifier_attestation", "x509_san_dns", "origin"] {
            match ClientId::parse(&format!("{prefix}:https://client.example")) {
                Err(ClientIdError::Unsupported(found)) => assert_eq!(found.as_str(), prefix),
                other => panic!("{prefix}: {other:?}"),
            }
        }
        for text in ["client", "", "https://client.example", "Decentralized_Identifier:did:key:z", "did:key:z6Mk"] {
            assert_eq!(ClientId::parse(text), Err(ClientIdError::UnknownPrefix), "{text}");
        }
        assert_eq!(ClientId::parse("decentralized_identifier:client"), Err(ClientIdError::NotADid));
        // The example of section 5.9.3; without one of its characters it is no digest.
        let example = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
        let ClientName::Certificate(digest) = *ClientId::parse(example).unwrap().name() else { panic!() };
        assert_eq!(ClientId::of_certificate(&digest).as_str(), example);
        assert_eq!(ClientId::parse(&example[..example.len() - 1]), Err(ClientIdError::NotADigest));
        assert_eq!(ClientId::parse(&"a".repeat(MAX_CLIENT_ID_BYTES + 1)), Err(ClientIdError::TooLong));
    }
}
