//! Sample departments and keys, plainly made up: every key follows from one seed byte. All are Ed25519, whose
//! signatures follow from key and message, so the files can be made again byte by byte.

use identity_core::crypto::{Alg, PublicKey, SecretKey, Signer};
use identity_core::did::Did;
use identity_core::encoding::base64url;
use identity_core::jose::Jwk;
use identity_core::registry::{Create, CreatePayload, KeyEntry, KeyUse, Label, ServiceEntry, ServiceType, make_create};
use ledger::ed25519;

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[seed; 32]).unwrap()
}

pub(crate) fn ed25519_key(seed: u8) -> ed25519::PublicKey {
    match key(seed).public_key() {
        PublicKey::Ed25519(key) => *key,
        PublicKey::P256(_) => unreachable!("sample keys are Ed25519"),
    }
}

pub(crate) fn sign(seed: u8, message: &[u8]) -> [u8; 64] {
    key(seed).sign(message).unwrap()
}

/// A department with one key of each use, seeds `seed`, `seed + 1` and `seed + 2`, and a duty key, `seed + 3`.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) create: Create,
    pub(crate) address: &'static str,
    seed: u8,
}

impl Party {
    pub(crate) fn new(seed: u8, kind: ServiceType, address: &'static str, en: &str, zh: &str) -> Self {
        let entry = |id: &str, seed, key_use| KeyEntry::new(id, Jwk::new(key(seed).public_key().clone()), key_use);
        let payload = CreatePayload {
            chain: "sample".to_owned(),
            keys: vec![
                entry("assert-1", seed, KeyUse::AssertionMethod),
                entry("auth-1", seed + 1, KeyUse::Authentication),
                entry("invoke-1", seed + 2, KeyUse::CapabilityInvocation),
            ],
            recovery: base64url::encode(&[seed; 32]),
            services: vec![ServiceEntry { id: "service".to_owned(), kind, url: address.to_owned() }],
            salt: base64url::encode(&[seed; 16]),
            label: Some(Label { en: en.to_owned(), zh: zh.to_owned() }),
        };
        Self { create: make_create(&payload, "invoke-1", &key(seed + 2)).unwrap(), address, seed }
    }

    pub(crate) fn did(&self) -> Did {
        self.create.did().clone()
    }

    pub(crate) fn key_name(&self, id: &str) -> String {
        format!("{}#{id}", self.did())
    }

    pub(crate) fn asserter(&self) -> SecretKey {
        key(self.seed)
    }

    pub(crate) fn authenticator(&self) -> SecretKey {
        key(self.seed + 1)
    }

    pub(crate) fn invoker(&self) -> SecretKey {
        key(self.seed + 2)
    }

    /// Signs what its official on duty attests.
    pub(crate) fn duty(&self) -> SecretKey {
        key(self.seed + 3)
    }
}
