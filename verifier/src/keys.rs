//! The service's keys and its DID, as `init` makes them and `start` reads them.

use std::path::{Path, PathBuf};

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::{Did, DidError, DidUrl};
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::registry::{
    Create, CreatePayload, KeyEntry, KeyUse, Label, Refused, ServiceEntry, ServiceType, make_create,
};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use service_kit::keyfile::{self, KeyFileError};
use service_kit::whole_file;

/// Fragment of the key that signs request objects (`authentication`).
const AUTHENTICATION: &str = "auth-1";
/// Fragment of the key that signs transactions (`capabilityInvocation`).
const INVOCATION: &str = "invoke-1";
/// Recovers the DID; belongs in a safe, not on this machine.
const RECOVERY: &str = "recovery";
/// DID and key names.
const IDENTITY_FILE: &str = "identity.json";
/// The creation of the DID, for genesis or a relay.
const CREATE_FILE: &str = "create.jws";

/// Why keys cannot be made or read. The text names files, never their content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Another file of the directory.
    #[error("{}: {detail}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The DID could not be made.
    #[error("the DID could not be made: {0}")]
    Create(#[from] Refused),
    /// The DID or a key's name is none.
    #[error("the identity file names no DID or key: {0}")]
    Did(#[from] DidError),
}

/// Who the service is: what `init` writes for people and for `start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its DID.
    pub did: Did,
    /// Fragment of the key that signs request objects.
    pub authentication_key: String,
    /// Fragment of the key that signs transactions.
    pub submitting_key: String,
}

/// What the DID states, beside the keys.
#[derive(Debug, Clone)]
pub struct Founding {
    /// Name of the chain.
    pub chain: String,
    /// Base URL of the service.
    pub url: String,
    /// The service's public name in English.
    pub name_en: String,
    /// The service's public name in Chinese.
    pub name_zh: String,
    /// Algorithm of the keys.
    pub algorithm: Alg,
}

/// A service that `init` made.
#[derive(Debug, Clone)]
pub struct Founded {
    /// Who it is.
    pub identity: Identity,
    /// The creation of its DID, a compact JWS for the genesis file or a member's relay.
    pub create: String,
}

/// The key that requests are signed with, under its name.
pub(crate) struct RequestKey {
    pub(crate) id: DidUrl,
    pub(crate) secret: SecretKey,
}

impl RequestKey {
    pub(crate) fn load(directory: &Path) -> Result<Self, KeysError> {
        let identity = read_identity(directory)?;
        let secret = keyfile::load(&key_file(directory, &identity.authentication_key))?;
        Ok(Self { id: DidUrl::new(identity.did, identity.authentication_key)?, secret })
    }
}

/// Makes the service's keys, files of mode 0600 in `directory`, and the creation of its DID. What is
/// there already is kept: an interrupted `init` is finished by running it again, a finished one only
/// answers what it made.
///
/// # Errors
/// [`KeysError`].
pub fn init(directory: &Path, founding: &Founding, rng: &mut dyn CryptoRng) -> Result<Founded, KeysError> {
    let create_file = directory.join(CREATE_FILE);
    if create_file.exists() {
        return Ok(Founded { identity: read_identity(directory)?, create: read(&create_file)? });
    }
    std::fs::create_dir_all(directory).map_err(|error| at(directory, &error))?;
    let mut key = |name: &str| keyfile::load_or_create(&key_file(directory, name), founding.algorithm, rng);
    let (authentication, invocation, recovery) = (key(AUTHENTICATION)?, key(INVOCATION)?, key(RECOVERY)?);
    let create = make_did(founding, &authentication, &invocation, &recovery, rng)?;
    let identity = Identity {
        did: create.did().clone(),
        authentication_key: AUTHENTICATION.to_owned(),
        submitting_key: INVOCATION.to_owned(),
    };
    let text = serde_json::to_string_pretty(&identity).unwrap_or_default();
    write(&directory.join(IDENTITY_FILE), &format!("{text}\n"))?;
    // Last: its presence says that everything else is there.
    write(&create_file, create.as_str())?;
    Ok(Founded { identity, create: create.as_str().to_owned() })
}

fn make_did(
    founding: &Founding,
    authentication: &SecretKey,
    invocation: &SecretKey,
    recovery: &SecretKey,
    rng: &mut dyn CryptoRng,
) -> Result<Create, Refused> {
    let entry = |id: &str, key: &SecretKey, role| KeyEntry::new(id, Jwk::new(key.public_key().clone()), role);
    let mut salt = [0_u8; 16];
    rng.fill_bytes(&mut salt);
    let payload = CreatePayload {
        chain: founding.chain.clone(),
        keys: vec![
            entry(AUTHENTICATION, authentication, KeyUse::Authentication),
            entry(INVOCATION, invocation, KeyUse::CapabilityInvocation),
        ],
        recovery: Jwk::new(recovery.public_key().clone()).thumbprint().to_base64url(),
        services: vec![ServiceEntry {
            id: "verifier".to_owned(),
            kind: ServiceType::Verifier,
            url: founding.url.clone(),
        }],
        salt: base64url::encode(&salt),
        label: Some(Label { en: founding.name_en.clone(), zh: founding.name_zh.clone() }),
    };
    make_create(&payload, INVOCATION, invocation)
}

fn key_file(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.jwk"))
}

fn read_identity(directory: &Path) -> Result<Identity, KeysError> {
    let path = directory.join(IDENTITY_FILE);
    serde_json::from_str(&read(&path)?)
        .map_err(|_| KeysError::File { path, detail: "is not what `init` wrote".to_owned() })
}

fn read(path: &Path) -> Result<String, KeysError> {
    std::fs::read_to_string(path).map_err(|error| at(path, &error))
}

fn write(path: &Path, text: &str) -> Result<(), KeysError> {
    whole_file::write(path, text).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &std::io::Error) -> KeysError {
    let detail = match error.kind() {
        std::io::ErrorKind::NotFound => "is not there; `xinfu-verifier init` makes it".to_owned(),
        _ => error.to_string(),
    };
    KeysError::File { path: path.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use service_kit::chance::system_rng;

    use super::*;

    #[test]
    fn init_can_be_repeated_and_finished() {
        let directory = tempfile::tempdir().unwrap();
        let founding = Founding {
            chain: "test".to_owned(),
            url: "https://verifier.example".to_owned(),
            name_en: "Sample fund".to_owned(),
            name_zh: "样本中心".to_owned(),
            algorithm: Alg::EdDsa,
        };
        let mut rng = system_rng().unwrap();
        let first = init(directory.path(), &founding, &mut rng).unwrap();
        let again = init(directory.path(), &founding, &mut rng).unwrap();
        assert_eq!((&first.identity, &first.create), (&again.identity, &again.create));
        let key = RequestKey::load(directory.path()).unwrap();
        assert_eq!(key.id.did(), &first.identity.did);
        let created = Create::parse(&first.create).unwrap();
        let listed = created.payload().keys.iter().find(|entry| entry.uses == [KeyUse::Authentication]).unwrap();
        assert_eq!(listed.jwk.key(), key.secret.public_key());
    }
}
