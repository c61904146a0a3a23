//! TLS from PEM files: TLS 1.2 and 1.3, HTTP/1.1.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Why a certificate or key could not be used. The text names the file, never its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file cannot be read or holds no PEM of the wanted kind.
    #[error("{} holds no usable {what}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What was wanted of it.
        what: &'static str,
    },
    /// Certificate and key do not go together.
    #[error("certificate {} and key {} do not go together: {detail}", .certificate.display(), .key.display())]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// What the TLS library said.
        detail: String,
    },
}

/// The one crypto provider of the process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A server's TLS from a certificate chain and a private key, both PEM.
///
/// # Errors
/// Says which file is not usable, or that they do not belong together.
pub fn server_config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|_| TlsError::Unusable { path: key.to_owned(), what: "private key" })?;
    let mismatch = |error: rustls::Error| TlsError::Mismatch {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        detail: error.to_string(),
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(mismatch)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(mismatch)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificates in a PEM file, at least one.
///
/// # Errors
/// [`TlsError::Unusable`].
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = || TlsError::Unusable { path: path.to_owned(), what: "certificate" };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|_| unusable())?
        .collect::<Result<_, _>>()
        .map_err(|_| unusable())?;
    if chain.is_empty() { Err(unusable()) } else { Ok(chain) }
}

/// The certificates of `path` as roots to trust.
///
/// # Errors
/// [`TlsError::Unusable`].
pub fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|_| TlsError::Unusable { path: path.to_owned(), what: "root certificate" })?;
    }
    Ok(store)
}
