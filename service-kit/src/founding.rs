//! Founding a service: its keys and the creation of its DID, as `init` makes them and `start` reads them.
//!
//! ```text
//! DIR/<signing key>.jwk  signs what the service says (credentials, requests); its name is the DID URL's fragment
//! DIR/invoke-1.jwk       signs transactions
//! DIR/recovery.jwk       recovers the DID; belongs in a safe, not on this machine
//! DIR/identity.json      the DID and the names of its keys
//! DIR/create.jws         the creation of the DID: for the founders of the chain, or for a member who relays it
//! ```
//!
//! `create.jws` comes last: while it is missing, running `init` again goes on with the keys there are.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::problem::Code;
use identity_core::registry::{
    Create, CreatePayload, KeyEntry, KeyUse, Label, Refused, ServiceEntry, ServiceType, make_create,
};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::key_guard::{GuardError, KeyGuard};
use crate::keyfile::{self, KeyFileError};
use crate::messages::Catalogue;
use crate::whole_file;

/// Fragment of the key that signs transactions (`capabilityInvocation`), of every service.
pub const SUBMITTING: &str = "invoke-1";
const RECOVERY: &str = "recovery";
const IDENTITY_FILE: &str = "identity.json";
const CREATE_FILE: &str = "create.jws";

/// What sets one kind of service apart from another when it is founded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The program whose `init` makes the files.
    pub program: &'static str,
    /// The service that the DID registers.
    pub service: ServiceType,
    /// That service's name in the DID document.
    pub service_id: &'static str,
    /// Fragment of the key that signs what the service says.
    pub signing: &'static str,
    /// What that key may sign.
    pub signing_use: KeyUse,
}

/// What the DID states, beside the keys.
#[derive(Debug, Clone)]
pub struct Founding {
    /// Name of the chain.
    pub chain: String,
    /// Public URL of the service, without a slash at its end.
    pub url: String,
    /// The public name in English.
    pub name_en: String,
    /// The public name in Chinese.
    pub name_zh: String,
    /// Algorithm of the keys.
    pub algorithm: Alg,
}

/// Who the service is: what `init` writes for people and for `start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its DID.
    pub did: Did,
    /// Fragment of the key that signs what the service says. Each kind of service once had its own word for it.
    #[serde(alias = "assertion_key", alias = "authentication_key")]
    pub signing_key: String,
    /// Fragment of the key that signs transactions.
    pub submitting_key: String,
    /// Signing keys that were replaced and never stolen, named by their DID URLs: still good for what they signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_keys: Vec<Jwk>,
}

/// A service that `init` made.
#[derive(Debug, Clone)]
pub struct Founded {
    /// Who it is.
    pub identity: Identity,
    /// The creation of its DID, a compact JWS for the genesis file or a member's relay.
    pub create: String,
}

/// Why keys cannot be made or read. The text names files, never their content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The file of another secret, or the passphrase of all.
    #[error(transparent)]
    Guard(#[from] GuardError),
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

impl KeysError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Key(error) => error.code(),
            Self::Guard(error) => error.code(),
            Self::File { .. } => Code::KeyFileUnreadable,
            Self::Create(error) => error.code(),
        }
    }
}

/// The algorithm of new keys, as the command line spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyAlgorithm {
    /// Ed25519.
    #[value(name = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256.
    #[value(name = "ES256")]
    Es256,
}

impl From<KeyAlgorithm> for Alg {
    fn from(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::EdDsa => Self::EdDsa,
            KeyAlgorithm::Es256 => Self::Es256,
        }
    }
}

impl Founded {
    /// What the operator is told: whose keys were made, and what to hand to whom.
    #[must_use]
    pub fn told(&self, directory: &Path, messages: &Catalogue) -> String {
        let file = |name: &str| directory.join(name).display().to_string();
        let values = [
            ("did", self.identity.did.as_str().into()),
            ("create", file(CREATE_FILE).into()),
            ("recovery", key_file(directory, RECOVERY).display().to_string().into()),
        ];
        messages.text("founding-made", &values)
    }
}

/// Makes the keys of a service, files of mode 0600 in `directory`, and the creation of its DID. What is there already
/// is kept: an interrupted `init` is finished by running it again, a finished one answers what it made.
///
/// # Errors
/// [`KeysError`].
pub fn found(
    kind: &Kind,
    directory: &Path,
    founding: &Founding,
    guard: &KeyGuard,
    rng: &mut dyn CryptoRng,
) -> Result<Founded, KeysError> {
    let create_file = directory.join(CREATE_FILE);
    if create_file.exists() {
        return Ok(Founded { identity: identity(kind, directory)?, create: read(kind, &create_file)? });
    }
    std::fs::create_dir_all(directory).map_err(|error| at(kind, directory, &error))?;
    let mut key = |name: &str| keyfile::load_or_create(&key_file(directory, name), founding.algorithm, guard, rng);
    let (signing, submitting, recovery) = (key(kind.signing)?, key(SUBMITTING)?, key(RECOVERY)?);
    let creation = Creation {
        chain: &founding.chain,
        keys: &[(kind.signing, &signing, kind.signing_use), (SUBMITTING, &submitting, KeyUse::CapabilityInvocation)],
        recovery: &recovery,
        service: Some(ServiceEntry { id: kind.service_id.to_owned(), kind: kind.service, url: founding.url.clone() }),
        label: Some(Label { en: founding.name_en.clone(), zh: founding.name_zh.clone() }),
    };
    let create = creation.sign(SUBMITTING, &submitting, rng)?;
    let identity = Identity {
        did: create.did().clone(),
        signing_key: kind.signing.to_owned(),
        submitting_key: SUBMITTING.to_owned(),
        former_keys: Vec::new(),
    };
    write_identity(kind, directory, &identity)?;
    write(kind, &create_file, create.as_str())?;
    Ok(Founded { identity, create: create.as_str().to_owned() })
}

/// Who the service of `directory` is.
///
/// # Errors
/// [`KeysError`]; a missing file says which command makes it.
pub fn identity(kind: &Kind, directory: &Path) -> Result<Identity, KeysError> {
    let path = directory.join(IDENTITY_FILE);
    serde_json::from_str(&read(kind, &path)?)
        .map_err(|_| KeysError::File { path, detail: "is not what `init` wrote".to_owned() })
}

/// The key `name` of `directory`.
///
/// # Errors
/// [`KeysError::Key`].
pub fn key(directory: &Path, name: &str, guard: &KeyGuard) -> Result<SecretKey, KeysError> {
    Ok(keyfile::load(&key_file(directory, name), guard)?)
}

/// Encrypts what lies in the open in `directory`, keys and other secrets: what `protect` does once a passphrase is
/// configured. Answers how many files. Doing it again, after a crash too, is safe: the drafts that a crash left, which
/// may hold a secret in the open, are taken away first.
///
/// # Errors
/// [`KeysError`]; files before the one that it names are encrypted.
pub fn protect(directory: &Path, guard: &KeyGuard, rng: &mut dyn CryptoRng) -> Result<usize, KeysError> {
    let unreadable = |error: std::io::Error| KeysError::File { path: directory.to_owned(), detail: error.to_string() };
    let files: Vec<PathBuf> = std::fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    // Whatever a draft became is beside it under its own name; what it did not become, nobody knows of.
    for draft in files.iter().filter(|path| is_draft_of_secret(path)) {
        std::fs::remove_file(draft).map_err(unreadable)?;
    }
    let mut protected = 0_usize;
    for path in files.iter().filter(|path| is_secret(path)) {
        if guard.protect(path, rng)? {
            protected = protected.saturating_add(1);
        }
    }
    Ok(protected)
}

fn is_secret(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "jwk" || ending == "secret")
}

/// Whether `path` is what [`crate::private_file`] writes before a secret has its name: the name, a process's number
/// perhaps, and `.new`.
fn is_draft_of_secret(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".new")) else { return false };
    let before_number = name.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end_matches('.');
    is_secret(Path::new(name)) || is_secret(Path::new(before_number))
}

/// A DID about to be made.
#[derive(Clone)]
pub struct Creation<'a> {
    /// Name of the chain.
    pub chain: &'a str,
    /// Fragment, key and use.
    pub keys: &'a [(&'a str, &'a SecretKey, KeyUse)],
    /// The key that the creation commits to for recovery.
    pub recovery: &'a SecretKey,
    /// The service that the DID registers.
    pub service: Option<ServiceEntry>,
    /// The public name.
    pub label: Option<Label>,
}

impl Creation<'_> {
    /// Signs the creation with `key`, one of its own, whose fragment is `fragment`.
    ///
    /// # Errors
    /// What the ledger's rules refuse.
    pub fn sign(self, fragment: &str, key: &SecretKey, rng: &mut dyn CryptoRng) -> Result<Create, Refused> {
        let mut salt = [0_u8; 16];
        rng.fill_bytes(&mut salt);
        let public = |key: &SecretKey| Jwk::new(key.public_key().clone());
        let payload = CreatePayload {
            chain: self.chain.to_owned(),
            keys: self.keys.iter().map(|(id, key, role)| KeyEntry::new(id, public(key), *role)).collect(),
            recovery: public(self.recovery).thumbprint().to_base64url(),
            services: self.service.into_iter().collect(),
            salt: base64url::encode(&salt),
            label: self.label,
        };
        make_create(&payload, fragment, key)
    }
}

/// Names other keys than before, whole or not at all.
pub(crate) fn write_identity(kind: &Kind, directory: &Path, identity: &Identity) -> Result<(), KeysError> {
    let text = serde_json::to_string_pretty(identity).unwrap_or_default();
    write(kind, &directory.join(IDENTITY_FILE), &format!("{text}\n"))
}

/// Where founding leaves the recovery key, for the operator to take away.
pub(crate) fn recovery_file(directory: &Path) -> PathBuf {
    key_file(directory, RECOVERY)
}

pub(crate) fn key_file(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.jwk"))
}

fn read(kind: &Kind, path: &Path) -> Result<String, KeysError> {
    std::fs::read_to_string(path).map_err(|error| at(kind, path, &error))
}

fn write(kind: &Kind, path: &Path, text: &str) -> Result<(), KeysError> {
    whole_file::write(path, text).map_err(|error| at(kind, path, &error))
}

fn at(kind: &Kind, path: &Path, error: &std::io::Error) -> KeysError {
    let detail = match error.kind() {
        std::io::ErrorKind::NotFound => format!("is not there; `{} init` makes it", kind.program),
        _ => error.to_string(),
    };
    KeysError::File { path: path.to_owned(), detail }
}

#[cfg(test)]
mod tests;
