//! `cnf`: the holder's key in a credential, and how it is named there (RFC 7800 §3).
//!
//! Two ways are known: the key itself (`jwk`), or a DID URL that spells the key out (`kid`, of `did:key` or
//! `did:jwk`). A DID that would have to be looked up is refused: the key of a credential must not change after it
//! was issued, and nobody is to be asked about it.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::KbJwtError;
use crate::crypto::PublicKey;
use crate::did::{self, DidError, DidUrl};
use crate::encoding::limits;
use crate::jose::Jwk;

/// The holder's key, and how a credential names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// By itself.
    Jwk(Jwk),
    /// By a DID URL that spells it out.
    Kid {
        /// The DID URL.
        name: DidUrl,
        /// The key that it spells out.
        key: PublicKey,
    },
}

impl Confirmation {
    /// Names a key by itself.
    #[must_use]
    pub const fn jwk(key: PublicKey) -> Self {
        Self::Jwk(Jwk::new(key))
    }

    /// Takes the name of a key that spells it out.
    ///
    /// # Errors
    /// [`KbJwtError::CnfMethod`], [`KbJwtError::CnfName`].
    pub fn kid(name: &str) -> Result<Self, KbJwtError> {
        if name.len() > limits::KEY_ID {
            return Err(KbJwtError::CnfName);
        }
        let name = DidUrl::parse(name).map_err(|_| KbJwtError::CnfName)?;
        let key = did::spelled_out(&name).map_err(|error| match error {
            DidError::UnsupportedMethod => KbJwtError::CnfMethod,
            _ => KbJwtError::CnfName,
        })?;
        Ok(Self::Kid { name, key })
    }

    /// Reads the `cnf` of a credential's processed claims.
    ///
    /// # Errors
    /// The variants of [`KbJwtError`] that speak of `cnf`.
    pub fn read(claims: &Map<String, Value>) -> Result<Self, KbJwtError> {
        let cnf = claims.get("cnf").ok_or(KbJwtError::CnfMissing)?.as_object().ok_or(KbJwtError::CnfUnsupported)?;
        // Whatever stands beside the one name could name a second key to someone who reads it.
        if cnf.len() > 1 {
            return Err(KbJwtError::CnfAmbiguous);
        }
        match (cnf.get("jwk"), cnf.get("kid")) {
            (Some(jwk), _) => Jwk::from_value(jwk).map(Self::Jwk).map_err(KbJwtError::CnfKey),
            (None, Some(kid)) => Self::kid(kid.as_str().ok_or(KbJwtError::CnfName)?),
            (None, None) => Err(KbJwtError::CnfUnsupported),
        }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        match self {
            Self::Jwk(jwk) => jwk.key(),
            Self::Kid { key, .. } => key,
        }
    }

    /// The key, by value.
    #[must_use]
    pub fn into_key(self) -> PublicKey {
        match self {
            Self::Jwk(jwk) => jwk.into_key(),
            Self::Kid { key, .. } => key,
        }
    }
}

/// As it stands in a credential.
impl Serialize for Confirmation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cnf = serializer.serialize_map(Some(1))?;
        match self {
            Self::Jwk(jwk) => cnf.serialize_entry("jwk", jwk)?,
            Self::Kid { name, .. } => cnf.serialize_entry("kid", name)?,
        }
        cnf.end()
    }
}
