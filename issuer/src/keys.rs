//! The department's keys and its DID, as `init` makes them and `start` reads them.

use std::path::{Path, PathBuf};

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::oid4vci::secrets::IssuerSecret;
use identity_core::registry::{
    Create, CreatePayload, KeyEntry, KeyUse, Label, Refused, ServiceEntry, ServiceType, make_create,
};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use service_kit::keyfile::{self, KeyFileError};
use service_kit::private_file::{self, PrivateFileError};
use service_kit::whole_file;

/// Signs credentials and status lists (`assertionMethod`).
const ASSERT_FILE: &str = "assert-1.jwk";
/// Signs transactions (`capabilityInvocation`).
const INVOKE_FILE: &str = "invoke-1.jwk";
/// Recovers the DID; belongs in a safe, not on this machine.
const RECOVERY_FILE: &str = "recovery.jwk";
/// The secret of codes and nonces.
const SECRET_FILE: &str = "protocol.secret";
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
    /// The secret's file.
    #[error(transparent)]
    Secret(#[from] PrivateFileError),
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
}

/// Who the department is: what `init` writes for people and for `start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its DID.
    pub did: Did,
    /// Fragment of the key that signs credentials.
    pub assertion_key: String,
    /// Fragment of the key that signs transactions.
    pub submitting_key: String,
}

/// A department that `init` made.
#[derive(Debug, Clone)]
pub struct Founded {
    /// Who it is.
    pub identity: Identity,
    /// The creation of its DID, a compact JWS for the genesis file or a member's relay.
    pub create: String,
}

/// What the DID states, beside the keys.
#[derive(Debug, Clone)]
pub struct Founding {
    /// Name of the chain.
    pub chain: String,
    /// The issuer identifier.
    pub url: String,
    /// The department's name in English.
    pub name_en: String,
    /// The department's name in Chinese.
    pub name_zh: String,
    /// Algorithm of the keys.
    pub algorithm: Alg,
}

/// Everything that signs.
pub(crate) struct Keys {
    pub identity: Identity,
    pub assertion: SecretKey,
    pub submitting: SecretKey,
}

impl Keys {
    pub(crate) fn load(directory: &Path) -> Result<(Self, IssuerSecret), KeysError> {
        let identity = read_identity(directory)?;
        let secret = private_file::read(&directory.join(SECRET_FILE))?;
        let secret = base64url::decode_array::<32>(secret.trim_ascii()).map_err(|_| KeysError::File {
            path: directory.join(SECRET_FILE),
            detail: "is not 32 bytes in base64url".to_owned(),
        })?;
        let key = |name: &str| keyfile::load(&directory.join(format!("{name}.jwk")));
        let keys =
            Self { assertion: key(&identity.assertion_key)?, submitting: key(&identity.submitting_key)?, identity };
        Ok((keys, IssuerSecret::from_bytes(&secret)))
    }

    /// The DID URL of the key that signs credentials: their `kid`.
    pub(crate) fn assertion_url(&self) -> String {
        format!("{}#{}", self.identity.did, self.identity.assertion_key)
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

/// Makes a department's keys, files of mode 0600 in `directory`, and the creation of its DID. Keys that are there are
/// kept, so that an interrupted `init` can be run again; a finished one answers what it made.
///
/// # Errors
/// [`KeysError`].
pub fn init(directory: &Path, founding: &Founding, rng: &mut dyn CryptoRng) -> Result<Founded, KeysError> {
    if directory.join(CREATE_FILE).exists() {
        return Ok(Founded { identity: read_identity(directory)?, create: read_text(&directory.join(CREATE_FILE))? });
    }
    std::fs::create_dir_all(directory).map_err(|error| at(directory, &error))?;
    let assertion = keyfile::load_or_create(&directory.join(ASSERT_FILE), founding.algorithm, rng)?;
    let submitting = keyfile::load_or_create(&directory.join(INVOKE_FILE), founding.algorithm, rng)?;
    let recovery = keyfile::load_or_create(&directory.join(RECOVERY_FILE), founding.algorithm, rng)?;
    if !directory.join(SECRET_FILE).exists() {
        private_file::create(&directory.join(SECRET_FILE), random_text::<32>(rng).as_bytes())?;
    }
    let create = make_did(founding, &assertion, &submitting, &recovery, rng)?;
    let identity = Identity {
        did: create.did().clone(),
        assertion_key: "assert-1".to_owned(),
        submitting_key: "invoke-1".to_owned(),
    };
    let text = serde_json::to_string_pretty(&identity).unwrap_or_default();
    write(&directory.join(IDENTITY_FILE), &format!("{text}\n"))?;
    // Last, because its presence says that everything else is there.
    write(&directory.join(CREATE_FILE), create.as_str())?;
    Ok(Founded { identity, create: create.as_str().to_owned() })
}

fn make_did(
    founding: &Founding,
    assertion: &SecretKey,
    submitting: &SecretKey,
    recovery: &SecretKey,
    rng: &mut dyn CryptoRng,
) -> Result<Create, Refused> {
    let entry = |id: &str, key: &SecretKey, role| KeyEntry::new(id, Jwk::new(key.public_key().clone()), role);
    let payload = CreatePayload {
        chain: founding.chain.clone(),
        keys: vec![
            entry("assert-1", assertion, KeyUse::AssertionMethod),
            entry("invoke-1", submitting, KeyUse::CapabilityInvocation),
        ],
        recovery: Jwk::new(recovery.public_key().clone()).thumbprint().to_base64url(),
        services: vec![ServiceEntry { id: "issuer".to_owned(), kind: ServiceType::Issuer, url: founding.url.clone() }],
        salt: random_text::<16>(rng),
        label: Some(Label { en: founding.name_en.clone(), zh: founding.name_zh.clone() }),
    };
    make_create(&payload, "invoke-1", submitting)
}

fn random_text<const N: usize>(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    base64url::encode(&bytes)
}

fn read_identity(directory: &Path) -> Result<Identity, KeysError> {
    let path = directory.join(IDENTITY_FILE);
    let text = read_text(&path)?;
    serde_json::from_str(&text).map_err(|_| KeysError::File { path, detail: "is not what `init` wrote".to_owned() })
}

fn read_text(path: &Path) -> Result<String, KeysError> {
    std::fs::read_to_string(path).map_err(|error| at(path, &error))
}

fn write(path: &Path, text: &str) -> Result<(), KeysError> {
    whole_file::write(path, text).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &std::io::Error) -> KeysError {
    let detail = match error.kind() {
        std::io::ErrorKind::NotFound => "is not there; `xinfu-issuer init` makes it".to_owned(),
        _ => error.to_string(),
    };
    KeysError::File { path: path.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use rand::SeedableRng as _;

    use super::*;

    fn founding() -> Founding {
        Founding {
            chain: "test".to_owned(),
            url: "https://issuer.example".to_owned(),
            name_en: "Sample".to_owned(),
            name_zh: "样本".to_owned(),
            algorithm: Alg::EdDsa,
        }
    }

    #[test]
    fn doing_it_again_changes_nothing_and_secrets_are_private() {
        let directory = tempfile::tempdir().unwrap();
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let first = init(directory.path(), &founding(), &mut rng).unwrap();
        let again = init(directory.path(), &founding(), &mut rng).unwrap();
        assert_eq!((first.identity, first.create), (again.identity, again.create));
        for name in [ASSERT_FILE, INVOKE_FILE, RECOVERY_FILE, SECRET_FILE] {
            let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn an_interrupted_init_goes_on_with_the_keys_there_are() {
        let directory = tempfile::tempdir().unwrap();
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        init(directory.path(), &founding(), &mut rng).unwrap();
        let key = |path: &Path| std::fs::read(path.join(ASSERT_FILE)).unwrap();
        let before = key(directory.path());
        std::fs::remove_file(directory.path().join(CREATE_FILE)).unwrap();
        let founded = init(directory.path(), &founding(), &mut rng).unwrap();
        assert_eq!(key(directory.path()), before);
        assert_eq!(Keys::load(directory.path()).unwrap().0.identity, founded.identity);
    }

    #[test]
    fn missing_keys_say_what_makes_them() {
        let directory = tempfile::tempdir().unwrap();
        let error = Keys::load(directory.path()).err().unwrap().to_string();
        assert!(error.contains("xinfu-issuer init"), "{error}");
    }
}
