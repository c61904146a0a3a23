//! The service's keys and its DID, as `init` makes them and `start` reads them.

use std::path::Path;

use identity_core::crypto::SecretKey;
use identity_core::did::DidUrl;
use identity_core::registry::{KeyUse, ServiceType};
use rand::CryptoRng;
use service_kit::founding::{self, Founded, Founding, KeysError, Kind};
use service_kit::key_guard::KeyGuard;

/// The key `auth-1` signs request objects.
pub const KIND: Kind = Kind {
    program: "xinfu-verifier",
    service: ServiceType::Verifier,
    service_id: "verifier",
    signing: "auth-1",
    signing_use: KeyUse::Authentication,
};

/// The key that requests are signed with, under its name.
pub(crate) struct RequestKey {
    pub(crate) id: DidUrl,
    pub(crate) secret: SecretKey,
}

impl RequestKey {
    pub(crate) fn load(directory: &Path, guard: &KeyGuard) -> Result<Self, KeysError> {
        let identity = founding::identity(&KIND, directory)?;
        let secret = founding::key(directory, &identity.signing_key, guard)?;
        let id = DidUrl::new(identity.did, identity.signing_key).map_err(|error| KeysError::File {
            path: directory.to_owned(),
            detail: format!("its identity file names no key: {error}"),
        })?;
        Ok(Self { id, secret })
    }
}

/// Makes the service's keys and the creation of its DID in `directory`: [`founding::found`].
///
/// # Errors
/// [`KeysError`].
pub fn init(
    directory: &Path,
    founding: &Founding,
    guard: &KeyGuard,
    rng: &mut dyn CryptoRng,
) -> Result<Founded, KeysError> {
    founding::found(&KIND, directory, founding, guard, rng)
}

#[cfg(test)]
mod tests {
    use identity_core::crypto::Alg;
    use service_kit::chance::system_rng;

    use super::*;

    #[test]
    fn what_init_makes_is_what_start_reads() {
        let directory = tempfile::tempdir().unwrap();
        let founding = Founding {
            chain: "test".to_owned(),
            url: "https://verifier.example".to_owned(),
            name_en: "Sample fund".to_owned(),
            name_zh: "样本中心".to_owned(),
            algorithm: Alg::EdDsa,
        };
        let founded = init(directory.path(), &founding, &KeyGuard::plain(), &mut system_rng().unwrap()).unwrap();
        let key = RequestKey::load(directory.path(), &KeyGuard::plain()).unwrap();
        assert_eq!(key.id.did(), &founded.identity.did);
    }
}
