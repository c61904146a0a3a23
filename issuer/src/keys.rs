//! The department's keys and its DID, as `init` makes them and `start` reads them.

use std::path::Path;

use identity_core::crypto::{SecretKey, Signer as _};
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::oid4vci::secrets::IssuerSecret;
use identity_core::registry::{KeyUse, ServiceType};
use rand::CryptoRng;
use service_kit::duties;
use service_kit::founding::{self, Founded, Founding, Identity, KeysError, Kind};
use service_kit::key_guard::KeyGuard;

/// The key `assert-1` signs credentials and status lists.
pub const KIND: Kind = Kind {
    program: "xinfu-issuer",
    service: ServiceType::Issuer,
    service_id: "issuer",
    signing: "assert-1",
    signing_use: KeyUse::AssertionMethod,
};
/// The secret of codes and nonces.
const SECRET_FILE: &str = "protocol.secret";

/// Everything that signs.
pub(crate) struct Keys {
    pub identity: Identity,
    pub assertion: SecretKey,
    pub submitting: SecretKey,
    /// The service account's, if it was given a duty.
    pub duty: Option<SecretKey>,
}

impl Keys {
    pub(crate) fn load(directory: &Path, guard: &KeyGuard) -> Result<(Self, IssuerSecret), KeysError> {
        let identity = founding::identity(&KIND, directory)?;
        let secret = guard.read(&directory.join(SECRET_FILE))?;
        let secret = base64url::decode_array::<32>(secret.trim_ascii()).map_err(|_| KeysError::File {
            path: directory.join(SECRET_FILE),
            detail: "is not 32 bytes in base64url".to_owned(),
        })?;
        let key = |name: &str| founding::key(directory, name, guard);
        let (assertion, submitting) = (key(&identity.signing_key)?, key(&identity.submitting_key)?);
        let keys = Self { assertion, submitting, duty: duties::load_service_key(directory, guard)?, identity };
        Ok((keys, IssuerSecret::from_bytes(&secret)))
    }

    /// The DID URL of the key that signs credentials: their `kid`.
    pub(crate) fn assertion_url(&self) -> String {
        format!("{}#{}", self.identity.did, self.identity.signing_key)
    }

    /// The DID URL of the key that signs transactions.
    pub(crate) fn submitting_url(&self) -> String {
        format!("{}#{}", self.identity.did, self.identity.submitting_key)
    }

    /// The public half of the credential key, under its name.
    pub(crate) fn assertion_jwk(&self) -> Jwk {
        Jwk::new(self.assertion.public_key().clone()).with_kid(self.assertion_url())
    }
}

/// Makes a department's keys and the creation of its DID in `directory`: [`founding::found`], and the secret of codes
/// and nonces, first, so that a finished founding has it.
///
/// # Errors
/// [`KeysError`].
pub fn init(
    directory: &Path,
    founding: &Founding,
    guard: &KeyGuard,
    rng: &mut dyn CryptoRng,
) -> Result<Founded, KeysError> {
    let secret = directory.join(SECRET_FILE);
    if !secret.exists() {
        std::fs::create_dir_all(directory)
            .map_err(|error| KeysError::File { path: directory.to_owned(), detail: error.to_string() })?;
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        guard.create(&secret, base64url::encode(&bytes).as_bytes(), rng)?;
    }
    founding::found(&KIND, directory, founding, guard, rng)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use identity_core::crypto::Alg;
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn what_init_makes_is_what_start_reads() {
        let directory = tempfile::tempdir().unwrap();
        let founding = Founding {
            chain: "test".to_owned(),
            url: "https://issuer.example".to_owned(),
            name_en: "Sample".to_owned(),
            name_zh: "样本".to_owned(),
            algorithm: Alg::EdDsa,
        };
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let founded = init(directory.path(), &founding, &KeyGuard::plain(), &mut rng).unwrap();
        let secret = directory.path().join(SECRET_FILE);
        let before = std::fs::read(&secret).unwrap();
        init(directory.path(), &founding, &KeyGuard::plain(), &mut rng).unwrap();
        assert_eq!(std::fs::read(&secret).unwrap(), before);
        assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Keys::load(directory.path(), &KeyGuard::plain()).unwrap().0.identity, founded.identity);
    }

    #[test]
    fn missing_keys_say_what_makes_them() {
        let directory = tempfile::tempdir().unwrap();
        let error = Keys::load(directory.path(), &KeyGuard::plain()).err().unwrap().to_string();
        assert!(error.contains("xinfu-issuer init"), "{error}");
    }
}
