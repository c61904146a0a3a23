//! Chains of X.509 certificates to anchors that somebody configured: how an `x509_hash` client shows its key
//! (OpenID4VP 1.0 §5.9.3, RFC 7515 §4.1.6).
//!
//! Paths are built and signatures checked by `rustls-webpki`. Ours are the rules around it: how much is read, that no
//! self-signed certificate is in the chain (HAIP 1.0: neither leaf nor anchor), and that the leaf's key usage allows
//! signing, which the library leaves aside.
//!
//! # What this does not say
//! Whose key it is. The ledger does: see [`crate::registry::thumbprint_key`]. Nor whether a certificate was revoked: its
//! key's registration on the ledger is ended instead, which every wallet sees at once.

use ledger::Hash;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use serde_json::Value;
use thiserror::Error;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, aws_lc_rs as algorithms};

use crate::crypto::PublicKey;
use crate::jose::Jwk;
use crate::problem::Code;
use crate::time::UnixSeconds;

mod key_usage;

/// Certificates in one chain, the leaf among them: two authorities between leaf and anchor, and room for one more.
pub const MAX_CHAIN: usize = 4;
/// Bytes of one certificate. With a P-256 key and usual extensions it has about 800; RSA signatures add 500.
pub const MAX_CERTIFICATE_BYTES: usize = 4096;
/// Anchors that can be configured.
pub const MAX_ANCHORS: usize = 64;

/// With what authorities may have signed certificates. The leaf's key is one of [`PublicKey`].
static SIGNATURES: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ED25519,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
];

/// Why a chain is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum X509Error {
    /// Not an array of base64 certificates, or too many or too large ones.
    #[error("x5c is not a chain of at most {MAX_CHAIN} certificates")]
    Malformed,
    /// The leaf is signed by its own key.
    #[error("the client's certificate is self-signed")]
    SelfSigned,
    /// An anchor, or another self-signed certificate, stands in the chain.
    #[error("the chain includes its own anchor")]
    AnchorIncluded,
    /// Nobody to believe was configured.
    #[error("no certificate authority for clients is configured")]
    NoAnchors,
    /// No path leads to an anchor.
    #[error("the chain does not lead to a configured anchor")]
    Untrusted,
    /// A certificate of the chain has expired or is not valid yet.
    #[error("a certificate of the chain is not valid now")]
    Time,
    /// The leaf's key is not for signing, or not for clients.
    #[error("the client's certificate does not allow its key to sign requests")]
    Usage,
    /// The leaf's key is neither P-256 nor Ed25519.
    #[error("the client's certificate has a key of another kind than ES256 or EdDSA")]
    Key,
    /// Anchors that are none.
    #[error("the certificate authorities for clients cannot be read")]
    Anchors,
}

impl X509Error {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed => Code::X509Malformed,
            Self::SelfSigned => Code::X509SelfSigned,
            Self::AnchorIncluded => Code::X509AnchorIncluded,
            Self::NoAnchors => Code::X509NoAnchors,
            Self::Untrusted => Code::X509Untrusted,
            Self::Time => Code::X509Time,
            Self::Usage => Code::X509Usage,
            Self::Key => Code::X509Key,
            Self::Anchors => Code::X509Anchors,
        }
    }
}

/// Certificate authorities that clients' chains may end in. They never come from a client.
#[derive(Clone, Debug, Default)]
pub struct TrustAnchors(Vec<CertificateDer<'static>>);

impl TrustAnchors {
    /// Nobody is believed.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads the certificates of a PEM file.
    ///
    /// # Errors
    /// [`X509Error::Anchors`] if there is none, too many, or one that is no certificate.
    pub fn from_pem(pem: &str) -> Result<Self, X509Error> {
        let certificates = read_pem(pem, MAX_ANCHORS).ok_or(X509Error::Anchors)?;
        if certificates.iter().any(|certificate| anchor_from_trusted_cert(certificate).is_err()) {
            return Err(X509Error::Anchors);
        }
        Ok(Self(certificates))
    }
}

fn read_pem(pem: &str, limit: usize) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).take(limit.saturating_add(1)).collect::<Result<_, _>>().ok()?;
    (1..=limit).contains(&certificates.len()).then_some(certificates)
}

/// The certificate of a client and what leads from it towards an anchor. Nothing of it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(Vec<CertificateDer<'static>>);

/// A client's certificate: its digest and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    digest: Hash,
    key: PublicKey,
}

impl Chain {
    /// Reads the header parameter `x5c`: the leaf first, each in base64 with padding.
    ///
    /// # Errors
    /// [`X509Error::Malformed`].
    pub fn from_x5c(x5c: &Value) -> Result<Self, X509Error> {
        let texts = x5c.as_array().filter(|texts| (1..=MAX_CHAIN).contains(&texts.len()));
        let certificate = |text: &Value| {
            // Four characters hold three bytes.
            let text = text.as_str().filter(|text| text.len() <= MAX_CERTIFICATE_BYTES.div_ceil(3) * 4)?;
            let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).ok()?;
            Some(CertificateDer::from(bytes))
        };
        let certificates = texts.and_then(|texts| texts.iter().map(certificate).collect());
        certificates.map(Self).ok_or(X509Error::Malformed)
    }

    /// Reads a PEM file, the leaf first.
    ///
    /// # Errors
    /// [`X509Error::Malformed`].
    pub fn from_pem(pem: &str) -> Result<Self, X509Error> {
        let certificates = read_pem(pem, MAX_CHAIN).ok_or(X509Error::Malformed)?;
        let fits = certificates.iter().all(|certificate| certificate.len() <= MAX_CERTIFICATE_BYTES);
        if fits { Ok(Self(certificates)) } else { Err(X509Error::Malformed) }
    }

    /// The header parameter `x5c`.
    #[must_use]
    pub fn to_x5c(&self) -> Vec<String> {
        let encode = |der: &CertificateDer<'_>| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        self.0.iter().map(encode).collect()
    }

    /// The leaf, held against what can be known of a chain without anchors and time.
    ///
    /// # Errors
    /// [`X509Error`]: malformed, self-signed, with its anchor, of another use or kind of key.
    pub fn leaf(&self) -> Result<Leaf, X509Error> {
        let (first, others) = self.0.split_first().ok_or(X509Error::Malformed)?;
        let leaf = EndEntityCert::try_from(first).map_err(|_| X509Error::Malformed)?;
        if leaf.issuer() == leaf.subject() {
            return Err(X509Error::SelfSigned);
        }
        for other in others {
            let other = EndEntityCert::try_from(other).map_err(|_| X509Error::Malformed)?;
            if other.issuer() == other.subject() {
                return Err(X509Error::AnchorIncluded);
            }
        }
        if !key_usage::allows_signing(first) {
            return Err(X509Error::Usage);
        }
        let key = PublicKey::from_spki(&leaf.subject_public_key_info()).ok().flatten().ok_or(X509Error::Key)?;
        Ok(Leaf { digest: ledger::sha256(first), key })
    }

    /// Checks that the chain leads to one of `anchors` at `now`.
    ///
    /// # Errors
    /// [`X509Error`].
    pub fn verify(&self, anchors: &TrustAnchors, now: UnixSeconds) -> Result<Leaf, X509Error> {
        let verified = self.leaf()?;
        let (first, others) = self.0.split_first().ok_or(X509Error::Malformed)?;
        if anchors.0.is_empty() {
            return Err(X509Error::NoAnchors);
        }
        if self.0.iter().any(|certificate| anchors.0.contains(certificate)) {
            return Err(X509Error::AnchorIncluded);
        }
        let anchors: Vec<TrustAnchor<'_>> =
            anchors.0.iter().filter_map(|anchor| anchor_from_trusted_cert(anchor).ok()).collect();
        let leaf = EndEntityCert::try_from(first).map_err(|_| X509Error::Malformed)?;
        let seconds = u64::try_from(now.0).map_err(|_| X509Error::Time)?;
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        // Where a certificate limits what it is for, it must be for clients: one for a web server asks for nothing.
        leaf.verify_for_usage(SIGNATURES, &anchors, others, now, KeyUsage::client_auth(), None, None)
            .map_err(|error| refusal(&error))?;
        Ok(verified)
    }
}

fn refusal(error: &webpki::Error) -> X509Error {
    match error {
        webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => X509Error::Time,
        webpki::Error::RequiredEkuNotFoundContext(_) => X509Error::Usage,
        // A library's list that grows; all else means that no path was found.
        _ => X509Error::Untrusted,
    }
}

impl Leaf {
    /// SHA-256 of the certificate, which `x509_hash` names.
    #[must_use]
    pub const fn digest(&self) -> &Hash {
        &self.digest
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The RFC 7638 thumbprint of its key, under which the ledger knows whose it is.
    #[must_use]
    pub fn thumbprint(&self) -> Hash {
        Jwk::new(self.key.clone()).thumbprint()
    }
}

#[cfg(test)]
mod tests;
