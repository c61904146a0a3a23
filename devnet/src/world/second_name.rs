//! The housing fund's second name: a certificate of the devnet's authority for a key that its DID registers, so that
//! wallets which know certificates and no DIDs can tell who asks (client identifier prefix `x509_hash`).

use std::path::PathBuf;

use anyhow::{Result, ensure};
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::jose::Jwk;
use identity_core::oid4vp::ClientId;
use identity_core::registry::{KeyEntry, KeyUse, Operation, Update, make_key_proof, thumbprint_key};
use identity_core::time::UnixSeconds;
use identity_core::trust;
use identity_core::x509::Chain;
use rand::CryptoRng;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile;
use service_kit::ledger_client::LedgerClient;

use super::certificates::Authority;
use super::layout::{HOUSING_FUND, Layout};
use super::leader::submit;

/// Fragment of the certificate's key in the DID document.
const FRAGMENT: &str = "x509-1";

/// Key and certificate, as files for the service's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondName {
    /// The certificate, PEM.
    pub chain: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The client identifier that follows from it.
    pub client_id: ClientId,
}

impl SecondName {
    /// Reads key and certificate, or makes them.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn load_or_create(layout: &Layout, authority: &Authority, rng: &mut dyn CryptoRng) -> Result<Self> {
        let key = layout.keys(&HOUSING_FUND).join(format!("{FRAGMENT}.jwk"));
        // ES256, which is what others' wallets know best.
        let secret = keyfile::load_or_create(&key, Alg::Es256, &KeyGuard::plain(), rng)?;
        let chain = authority.certify_client(HOUSING_FUND.id, secret.public_key())?;
        let leaf = Chain::from_pem(&std::fs::read_to_string(&chain)?)?.leaf()?;
        Ok(Self { chain, key, client_id: ClientId::of_certificate(leaf.digest()) })
    }

    /// Adds the key to the DID and registers its thumbprint, unless that is done. Answers whether it was needed.
    ///
    /// # Errors
    /// Ledger unreachable, or refused with its code; and if its proof does not show the registration afterwards.
    pub async fn register(&self, layout: &Layout, did: &Did, ledger: &LedgerClient, now: UnixSeconds) -> Result<bool> {
        let key = keyfile::load(&self.key, &KeyGuard::plain())?;
        if is_registered(ledger, did, &key).await? {
            return Ok(false);
        }
        let jwk = Jwk::new(key.public_key().clone());
        let update = Update {
            add_keys: vec![KeyEntry::new(FRAGMENT, jwk, KeyUse::Authentication)],
            prove_keys: vec![make_key_proof(ledger.trust_root().origin(), did, FRAGMENT, &key)?],
            ..Update::default()
        };
        let invoke = keyfile::load(&layout.keys(&HOUSING_FUND).join("invoke-1.jwk"), &KeyGuard::plain())?;
        submit(ledger, did, &invoke, &Operation::Update(update), now).await?;
        ensure!(is_registered(ledger, did, &key).await?, "the ledger does not prove whose key the certificate has");
        Ok(true)
    }
}

async fn is_registered(ledger: &LedgerClient, did: &Did, key: &SecretKey) -> Result<bool> {
    let thumbprint = Jwk::new(key.public_key().clone()).thumbprint();
    let (state, _) = ledger.state(&thumbprint_key(&thumbprint)).await?;
    let owners = trust::thumbprint_owners(&state, &thumbprint)?;
    Ok(owners.owner_at(trust::known_until(&state)) == Some(did))
}
