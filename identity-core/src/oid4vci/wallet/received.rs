//! Credentials that came back, and whether they are what was asked for.

use std::collections::BTreeSet;

use ::url::Url;

use super::{HttpReply, HttpRequest, WalletRefusal};
use crate::crypto::PublicKey;
use crate::oid4vci::issuer_keys::JwtVcIssuerMetadata;
use crate::sd_jwt::UnverifiedSdJwt;
use crate::sd_jwt_vc::{Credential, CredentialError};
use crate::time::UnixSeconds;

/// Seconds by which the issuer's clock may be ahead of the wallet's.
const LEEWAY: i64 = 60;

/// Credentials as they came, believed by nobody yet.
pub struct Received {
    issuer: String,
    vct: String,
    holders: Vec<PublicKey>,
    credentials: Vec<String>,
    keys_url: Url,
}

/// A credential that is the issuer's, of the type offered, and bound to a key of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedCredential {
    /// The compact SD-JWT.
    pub text: String,
    /// Which of the keys in the request it is bound to, counted from 0.
    pub key: usize,
    /// The name of the key that signed it.
    pub kid: String,
}

impl Received {
    pub(super) fn new(issuer: &str, vct: &str, holders: &[PublicKey], credentials: Vec<String>, keys_url: Url) -> Self {
        Self { issuer: issuer.to_owned(), vct: vct.to_owned(), holders: holders.to_vec(), credentials, keys_url }
    }

    /// Fetches the issuer's keys, for wallets without a ledger at hand.
    #[must_use]
    pub fn request(&self) -> HttpRequest {
        HttpRequest::get(self.keys_url.clone())
    }

    /// The names of the keys that signed: DID URLs, for wallets that resolve them on the ledger.
    ///
    /// # Errors
    /// [`WalletRefusal::Credential`].
    pub fn key_names(&self) -> Result<BTreeSet<String>, WalletRefusal> {
        self.credentials.iter().map(|text| name_of_key(&parse(text)?)).collect()
    }

    /// Verifies every credential with the keys that the issuer publishes under its own web address.
    ///
    /// # Errors
    /// [`WalletRefusal`].
    pub fn verify_by_metadata(
        &self,
        reply: HttpReply<'_>,
        now: UnixSeconds,
    ) -> Result<Vec<ReceivedCredential>, WalletRefusal> {
        let metadata: JwtVcIssuerMetadata = reply.read()?;
        if metadata.issuer != self.issuer {
            return Err(WalletRefusal::IssuerMixUp);
        }
        self.verify(|kid| metadata.key(kid).map(crate::jose::Jwk::into_key), now)
    }

    /// Verifies every credential with the keys that `key` knows by name. That a key is the issuer's is for `key` to
    /// know: it answers `None` for any other.
    ///
    /// # Errors
    /// [`WalletRefusal`].
    pub fn verify(
        &self,
        key: impl Fn(&str) -> Option<PublicKey>,
        now: UnixSeconds,
    ) -> Result<Vec<ReceivedCredential>, WalletRefusal> {
        let mut used = BTreeSet::new();
        let mut verified = Vec::with_capacity(self.credentials.len());
        for text in &self.credentials {
            let credential = self.verify_one(text, &key, now)?;
            // §8.3: each key is bound to at most one credential.
            if !used.insert(credential.key) {
                return Err(WalletRefusal::CredentialKey);
            }
            verified.push(credential);
        }
        Ok(verified)
    }

    fn verify_one(
        &self,
        text: &str,
        key: impl Fn(&str) -> Option<PublicKey>,
        now: UnixSeconds,
    ) -> Result<ReceivedCredential, WalletRefusal> {
        let refused = |error: CredentialError| WalletRefusal::Credential(error.code());
        let unverified = parse(text)?;
        let kid = name_of_key(&unverified)?;
        let signing_key = key(&kid).ok_or(WalletRefusal::IssuerKey)?;
        let credential = Credential::verify_issued(unverified, &signing_key).map_err(refused)?;
        credential.check_time(now, LEEWAY).map_err(refused)?;
        if credential.issuer() != self.issuer {
            return Err(WalletRefusal::CredentialIssuer);
        }
        if credential.vct() != self.vct {
            return Err(WalletRefusal::CredentialType);
        }
        let position = self.holders.iter().position(|holder| credential.holder() == Some(holder));
        let position = position.ok_or(WalletRefusal::CredentialKey)?;
        Ok(ReceivedCredential { text: text.to_owned(), key: position, kid })
    }
}

fn parse(text: &str) -> Result<UnverifiedSdJwt<'_>, WalletRefusal> {
    UnverifiedSdJwt::parse(text).map_err(|error| WalletRefusal::Credential(error.code()))
}

fn name_of_key(unverified: &UnverifiedSdJwt<'_>) -> Result<String, WalletRefusal> {
    let kid = unverified.jws().header().kid().map_err(|error| WalletRefusal::Credential(error.code()))?;
    Ok(kid.to_owned())
}
