//! Who we are to wallets: by our DID, and by a certificate if one is configured.

use std::path::PathBuf;

use identity_core::crypto::{SecretKey, Signer as _};
use identity_core::did::DidUrl;
use identity_core::jose::UnverifiedJws;
use identity_core::oid4vp::{ClientId, SignedBy};
use identity_core::x509::{Chain, Leaf, X509Error};
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile::{self, KeyFileError};

use crate::config::X509Config;
use crate::keys::RequestKey;

/// A name, and the key that signs requests under it.
pub(crate) struct Client {
    pub(crate) id: ClientId,
    pub(crate) key: SecretKey,
    naming: Naming,
}

enum Naming {
    Key(DidUrl),
    Certificates(Vec<String>),
}

/// Which of our names a request is made under, by its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Prefix {
    #[default]
    DecentralizedIdentifier,
    X509Hash,
}

impl Prefix {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "decentralized_identifier" => Some(Self::DecentralizedIdentifier),
            "x509_hash" => Some(Self::X509Hash),
            _ => None,
        }
    }
}

/// Why a certificate cannot be used. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The file of the chain cannot be read.
    #[error("{}: {detail}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The chain cannot be shown to anybody.
    #[error("{}: {error}", .path.display())]
    Chain {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: X509Error,
    },
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key is not the certificate's.
    #[error("{} is not the key of the first certificate in {}", .key.display(), .chain.display())]
    OtherKey {
        /// The key's file.
        key: PathBuf,
        /// The chain's file.
        chain: PathBuf,
    },
}

impl Client {
    /// The name of the key in our DID document; a certificate's key is named otherwise.
    pub(crate) fn key_name(&self) -> Option<&DidUrl> {
        match &self.naming {
            Naming::Key(name) => Some(name),
            Naming::Certificates(_) => None,
        }
    }

    pub(crate) fn by_did(key: RequestKey) -> Self {
        Self { id: ClientId::of_did(key.id.did()), key: key.secret, naming: Naming::Key(key.id) }
    }

    /// The name by certificate, if one is configured.
    ///
    /// # Errors
    /// [`ClientError`], so that a service does not start under a name that no wallet would believe.
    pub(crate) fn by_certificate(config: &X509Config, guard: &KeyGuard) -> Result<Option<Self>, ClientError> {
        if config.chain.as_os_str().is_empty() {
            return Ok(None);
        }
        let pem = std::fs::read_to_string(&config.chain)
            .map_err(|error| ClientError::File { path: config.chain.clone(), detail: error.to_string() })?;
        let read = Chain::from_pem(&pem).and_then(|chain| Ok((chain.leaf()?, chain)));
        let (leaf, chain) = read.map_err(|error| ClientError::Chain { path: config.chain.clone(), error })?;
        let key = keyfile::load(&config.key, guard)?;
        if key.public_key() != leaf.key() {
            return Err(ClientError::OtherKey { key: config.key.clone(), chain: config.chain.clone() });
        }
        let naming = Naming::Certificates(chain.to_x5c());
        Ok(Some(Self { id: ClientId::of_certificate(leaf.digest()), key, naming }))
    }

    /// How a request object names the key.
    pub(crate) fn signed_by(&self) -> SignedBy<'_> {
        match &self.naming {
            Naming::Key(id) => SignedBy::Key(id),
            Naming::Certificates(x5c) => SignedBy::Certificates(x5c),
        }
    }
}

/// The certificate that a request object was signed with, if it names one: a request is judged by what it said, also
/// when the configuration has changed since.
pub(crate) fn certificate_of(request_object: &str) -> Option<Leaf> {
    let jws = UnverifiedJws::parse(request_object).ok()?;
    Chain::from_x5c(jws.header().member("x5c")?).ok()?.leaf().ok()
}
