//! How an answer is encrypted (OpenID4VP 1.0 §8.3): the key and the methods that a request names in its
//! `client_metadata`, and the one key and method that a wallet takes of them.

use serde_json::{Value, json};

use super::error::RequestError;
use crate::jose::jwe::{Enc, EncryptionKey};

const METHODS: &str = "encrypted_response_enc_values_supported";

/// What a verifier wants an answer encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The verifier's key, for this one request.
    pub key: EncryptionKey,
    /// Content encryptions that both sides know, best first; never empty.
    methods: Vec<Enc>,
}

impl Encryption {
    /// To `key`, by every method of ours: a verifier must take both (HAIP 1.0 §5).
    #[must_use]
    pub fn to(key: EncryptionKey) -> Self {
        Self { key, methods: Enc::ALL.to_vec() }
    }

    /// The best method that both sides know.
    #[must_use]
    pub fn method(&self) -> Enc {
        self.methods.first().copied().unwrap_or(Enc::A128Gcm)
    }

    /// The members of `client_metadata` that say so.
    pub(super) fn metadata(&self) -> [(&'static str, Value); 2] {
        let methods: Vec<&str> = self.methods.iter().map(|enc| enc.name()).collect();
        [("jwks", json!({ "keys": [self.key.to_jwk()] })), (METHODS, json!(methods))]
    }

    /// Reads `client_metadata`: the first key that is for us, and the methods that we know. Keys of other kinds are
    /// passed over; one of our kind that is no key is not.
    ///
    /// # Errors
    /// [`RequestError::EncryptionKey`], [`RequestError::EncryptionMethod`].
    pub(super) fn from_metadata(metadata: &Value) -> Result<Self, RequestError> {
        let keys = metadata.pointer("/jwks/keys").and_then(Value::as_array).ok_or(RequestError::EncryptionKey)?;
        let key = keys.iter().find_map(|jwk| EncryptionKey::from_jwk(jwk).transpose());
        let key = key.and_then(Result::ok).ok_or(RequestError::EncryptionKey)?;
        let names = match metadata.get(METHODS) {
            // The default where nothing is said.
            None => return Ok(Self { key, methods: vec![Enc::A128Gcm] }),
            Some(Value::Array(names)) => names,
            Some(_) => return Err(RequestError::EncryptionMethod),
        };
        let offered = |enc: &Enc| names.iter().any(|name| name == enc.name());
        let methods: Vec<Enc> = Enc::ALL.iter().copied().filter(offered).collect();
        if methods.is_empty() { Err(RequestError::EncryptionMethod) } else { Ok(Self { key, methods }) }
    }
}
