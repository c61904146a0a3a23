//! Signing keys in files: one private JWK (RFC 7517) per file, mode 0600, encrypted where a passphrase guards them.

use std::path::{Path, PathBuf};

use identity_core::{
    crypto::{Alg, SecretKey, Signer},
    encoding::{base64url, json},
    jose::Jwk,
    problem::Code,
};
use rand::CryptoRng;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::key_guard::{GuardError, KeyGuard};

/// Why a key file was refused. The text names the file, never its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read or written, others can read it, or the passphrase is not right.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// It holds no private JWK of an algorithm we know.
    #[error("{} holds no usable private key", .0.display())]
    NotAKey(PathBuf),
    /// No key could be made.
    #[error("no key could be made")]
    NotMade,
}

impl KeyFileError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Guard(error) => error.code(),
            Self::NotAKey(_) => Code::KeyFileUnusable,
            Self::NotMade => Code::HttpInternal,
        }
    }
}

/// Reads the private key in `path`.
///
/// # Errors
/// What [`KeyGuard::read`] refuses, or not a private JWK whose halves belong together.
pub fn load(path: &Path, guard: &KeyGuard) -> Result<SecretKey, KeyFileError> {
    let text = guard.read(path)?;
    parse(&text).ok_or_else(|| KeyFileError::NotAKey(path.to_owned()))
}

/// Reads a key that is brought from elsewhere, a safe or another machine: guarded as ours are, or not.
///
/// # Errors
/// As [`load`].
pub fn load_brought(path: &Path, guard: &KeyGuard) -> Result<SecretKey, KeyFileError> {
    match load(path, guard) {
        Err(KeyFileError::Guard(GuardError::Plain(_))) => load(path, &KeyGuard::plain()),
        loaded => loaded,
    }
}

/// Writes `key` to `path`, which must not be there yet.
///
/// # Errors
/// Already there, missing directory, disk full.
pub fn save(path: &Path, key: &SecretKey, guard: &KeyGuard, rng: &mut dyn CryptoRng) -> Result<(), KeyFileError> {
    Ok(guard.create(path, render(key).as_bytes(), rng)?)
}

/// Reads the private key in `path`, or makes one of `alg` if there is none.
///
/// # Errors
/// As [`load`] and [`save`].
pub fn load_or_create(
    path: &Path,
    alg: Alg,
    guard: &KeyGuard,
    rng: &mut dyn CryptoRng,
) -> Result<SecretKey, KeyFileError> {
    match load(path, guard) {
        Err(KeyFileError::Guard(error)) if error.is_missing() => {
            let key = SecretKey::generate(alg, rng).map_err(|_| KeyFileError::NotMade)?;
            save(path, &key, guard, rng)?;
            Ok(key)
        }
        loaded => loaded,
    }
}

fn parse(text: &[u8]) -> Option<SecretKey> {
    let Value::Object(mut members) = json::parse_strict(text, json::Limits::of(4096)).ok()? else { return None };
    let Some(Value::String(secret)) = members.remove("d") else { return None };
    let secret = Zeroizing::new(secret);
    let secret = Zeroizing::new(base64url::decode_array::<32>(secret.as_bytes()).ok()?);
    let public = Jwk::from_value(&Value::Object(members)).ok()?.into_key();
    let key = SecretKey::from_bytes(public.alg(), &secret).ok()?;
    // Halves that do not belong together would sign what nobody can verify.
    (key.public_key() == &public).then_some(key)
}

fn render(key: &SecretKey) -> Zeroizing<String> {
    let mut jwk = Jwk::new(key.public_key().clone()).to_json();
    let secret = Zeroizing::new(base64url::encode(key.to_bytes().as_slice()));
    if let Some(members) = jwk.as_object_mut() {
        members.insert("d".to_owned(), Value::String(secret.to_string()));
    }
    Zeroizing::new(format!("{jwk}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::system_rng;
    use crate::private_file;

    #[test]
    fn a_key_reads_back_as_itself() {
        let directory = tempfile::tempdir().unwrap();
        let mut rng = system_rng().unwrap();
        for (name, alg) in [("a", Alg::EdDsa), ("b", Alg::Es256)] {
            let path = directory.path().join(name);
            let made = load_or_create(&path, alg, &KeyGuard::plain(), &mut rng).unwrap();
            let read = load_or_create(&path, alg, &KeyGuard::plain(), &mut rng).unwrap();
            assert_eq!(made.public_key(), read.public_key());
            assert_eq!(made.to_bytes(), read.to_bytes());
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let mut rng = system_rng().unwrap();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        let key = load_or_create(&one, Alg::EdDsa, &KeyGuard::plain(), &mut rng).unwrap();
        let other = SecretKey::generate(Alg::EdDsa, &mut rng).unwrap();
        let mixed = render(&key)
            .replace(&base64url::encode(key.to_bytes().as_slice()), &base64url::encode(other.to_bytes().as_slice()));
        private_file::create(&two, mixed.as_bytes()).unwrap();
        assert!(matches!(load(&two, &KeyGuard::plain()), Err(KeyFileError::NotAKey(_))));
        let three = directory.path().join("three");
        private_file::create(&three, b"{}").unwrap();
        assert!(matches!(load(&three, &KeyGuard::plain()), Err(KeyFileError::NotAKey(_))));
    }
}
