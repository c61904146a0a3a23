//! Signing keys in files: one private JWK (RFC 7517) per file, mode 0600.

use std::path::{Path, PathBuf};

use identity_core::{
    crypto::{Alg, SecretKey, Signer},
    encoding::{base64url, json},
    jose::Jwk,
};
use rand::CryptoRng;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::private_file::{self, PrivateFileError};

/// Why a key file was refused. The text names the file, never its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read or written, or others can read it.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// It holds no private JWK of an algorithm we know.
    #[error("{} holds no usable private key", .0.display())]
    NotAKey(PathBuf),
    /// No key could be made.
    #[error("no key could be made")]
    NotMade,
}

/// Reads the private key in `path`.
///
/// # Errors
/// Missing, readable by others, or not a private JWK whose halves belong together.
pub fn load(path: &Path) -> Result<SecretKey, KeyFileError> {
    let text = private_file::read(path)?;
    parse(&text).ok_or_else(|| KeyFileError::NotAKey(path.to_owned()))
}

/// Writes `key` to `path`, which must not be there yet.
///
/// # Errors
/// Already there, missing directory, disk full.
pub fn save(path: &Path, key: &SecretKey) -> Result<(), KeyFileError> {
    Ok(private_file::create(path, render(key).as_bytes())?)
}

/// Reads the private key in `path`, or makes one of `alg` if there is none.
///
/// # Errors
/// As [`load`] and [`save`].
pub fn load_or_create(path: &Path, alg: Alg, rng: &mut dyn CryptoRng) -> Result<SecretKey, KeyFileError> {
    match load(path) {
        Err(KeyFileError::File(error)) if error.kind() == Some(std::io::ErrorKind::NotFound) => {
            let key = SecretKey::generate(alg, rng).map_err(|_| KeyFileError::NotMade)?;
            save(path, &key)?;
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

    #[test]
    fn a_key_reads_back_as_itself() {
        let directory = tempfile::tempdir().unwrap();
        let mut rng = system_rng().unwrap();
        for (name, alg) in [("a", Alg::EdDsa), ("b", Alg::Es256)] {
            let path = directory.path().join(name);
            let made = load_or_create(&path, alg, &mut rng).unwrap();
            let read = load_or_create(&path, alg, &mut rng).unwrap();
            assert_eq!(made.public_key(), read.public_key());
            assert_eq!(made.to_bytes(), read.to_bytes());
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let mut rng = system_rng().unwrap();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        let key = load_or_create(&one, Alg::EdDsa, &mut rng).unwrap();
        let other = SecretKey::generate(Alg::EdDsa, &mut rng).unwrap();
        let mixed = render(&key)
            .replace(&base64url::encode(key.to_bytes().as_slice()), &base64url::encode(other.to_bytes().as_slice()));
        private_file::create(&two, mixed.as_bytes()).unwrap();
        assert!(matches!(load(&two), Err(KeyFileError::NotAKey(_))));
        let three = directory.path().join("three");
        private_file::create(&three, b"{}").unwrap();
        assert!(matches!(load(&three), Err(KeyFileError::NotAKey(_))));
    }
}
