//! The devnet's certificate authority, and a certificate for each service on loopback.
//!
//! Files that are there are kept, so that software that was told to trust the authority once goes on trusting it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use identity_core::crypto::PublicKey;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, date_time_ymd,
};
use service_kit::private_file;

/// A certificate and its key, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Certificate, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM, mode 0600.
    pub key: PathBuf,
}

/// The certificate authority.
pub struct Authority {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads the authority in `directory`, or makes it.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn load_or_create(directory: &Path) -> Result<Self> {
        let (certificate, key) = (directory.join("ca.pem"), directory.join("ca.key"));
        if !certificate.exists() {
            create_authority(&certificate, &key)?;
        }
        let pair = KeyPair::from_pem(&read_key(&key)?).context("the authority's key cannot be read")?;
        // Name and key are all that a certificate says of its issuer, and both are what the file was made of.
        let issuer = Issuer::new(authority_params(), pair);
        Ok(Self { directory: directory.to_owned(), issuer })
    }

    /// The authority's certificate, for others to trust.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The certificate of the service `name` on loopback and at `host`, made if there is none.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn certify(&self, name: &str, host: Ipv4Addr) -> Result<Certified> {
        let files = Certified {
            certificate: self.directory.join(format!("{name}.pem")),
            key: self.directory.join(format!("{name}.key")),
        };
        if files.certificate.exists() {
            return Ok(files);
        }
        let loopback = ["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string()];
        let elsewhere = (!host.is_loopback()).then(|| host.to_string());
        let mut params = CertificateParams::new(loopback.into_iter().chain(elsewhere).collect::<Vec<_>>())?;
        set_life(&mut params);
        params.distinguished_name.push(DnType::CommonName, format!("Xinfu devnet: {name}"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let pair = KeyPair::generate()?;
        let certificate = params.signed_by(&pair, &self.issuer)?;
        keep(&files, &certificate.pem(), &pair)?;
        Ok(files)
    }
}

/// A P-256 key of ours, as the certificate's maker reads it.
struct Es256Key<'a>(&'a PublicKey);

impl PublicKeyData for Es256Key<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl Authority {
    /// The certificate by which wallets know the service `name` when it asks, for a key that it has already; made if
    /// there is none.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn certify_client(&self, name: &str, key: &PublicKey) -> Result<PathBuf> {
        let file = self.directory.join(format!("{name}.client.pem"));
        if file.exists() {
            return Ok(file);
        }
        let mut params = CertificateParams::default();
        set_life(&mut params);
        params.distinguished_name.push(DnType::CommonName, format!("Xinfu devnet: {name}"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&Es256Key(key), &self.issuer)?;
        service_kit::whole_file::write(&file, certificate.pem())
            .with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(file)
    }
}

fn create_authority(certificate: &Path, key: &Path) -> Result<()> {
    let pair = KeyPair::generate()?;
    let made = authority_params().self_signed(&pair)?;
    keep(&Certified { certificate: certificate.to_owned(), key: key.to_owned() }, &made.pem(), &pair)
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    set_life(&mut params);
    params
        .distinguished_name
        .push(DnType::CommonName, "Xinfu devnet authority (sample, trust it on this machine only)");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// The key first: a certificate without its key would be kept for ever and serve nobody.
fn keep(files: &Certified, pem: &str, pair: &KeyPair) -> Result<()> {
    if files.key.exists() {
        std::fs::remove_file(&files.key)?;
    }
    private_file::create(&files.key, pair.serialize_pem().as_bytes())?;
    std::fs::write(&files.certificate, pem)
        .with_context(|| format!("{} cannot be written", files.certificate.display()))
}

fn read_key(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&private_file::read(path)?).into_owned())
}

/// Wide enough for every clock a developer's machine may have.
fn set_life(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
}

#[cfg(test)]
mod tests {
    use service_kit::http::tls;

    use super::*;

    #[test]
    fn a_service_is_certified_once_and_for_loopback() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(directory.path()).unwrap();
        let first = authority.certify("ledger", Ipv4Addr::LOCALHOST).unwrap();
        let pem = std::fs::read(&first.certificate).unwrap();
        tls::server_config(&first.certificate, &first.key).unwrap();
        tls::roots(&authority.certificate()).unwrap();

        let again = Authority::load_or_create(directory.path()).unwrap();
        assert_eq!(again.certify("ledger", Ipv4Addr::LOCALHOST).unwrap(), first);
        assert_eq!(std::fs::read(&first.certificate).unwrap(), pem);
    }
}
