//! Sample departments, plainly made up: every key follows from a seed byte.

use crate::crypto::{Alg, SecretKey, Signer as _, negate_s};
use crate::did::Did;
use crate::encoding::base64url;
use crate::jose::Jwk;
use crate::registry::{Create, CreatePayload, KeyEntry, KeyUse, Label, ServiceEntry, ServiceType, make_create};

/// A sample department with one key of each use.
pub struct Party {
    /// The creation of its DID.
    pub create: Create,
    seed: u8,
}

/// Place of a sample department's duty key.
pub const DUTY_PLACE: u8 = 5;

/// A key of a sample party; `place` 1 asserts, 2 authenticates, 3 invokes. Even seeds use ES256, so that both
/// algorithms are on every path.
pub fn key(seed: u8, place: u8) -> SecretKey {
    let mut bytes = [seed; 32];
    bytes[31] = place;
    SecretKey::from_bytes(if seed.is_multiple_of(2) { Alg::Es256 } else { Alg::EdDsa }, &bytes).unwrap()
}

/// The twin of an ES256 token: the same words under the other signature that verifies just as well, and that anybody can
/// make of the first. Not one character of what is signed differs.
pub fn twin(compact: &str) -> String {
    let (signing_input, signature) = compact.rsplit_once('.').unwrap();
    let mut signature = base64url::decode_array::<64>(signature).unwrap();
    negate_s(&mut signature);
    format!("{signing_input}.{}", base64url::encode(&signature))
}

/// The public half of a sample key, as an entry of a DID.
pub fn entry(id: &str, seed: u8, place: u8, key_use: KeyUse) -> KeyEntry {
    KeyEntry::new(id, Jwk::new(key(seed, place).public_key().clone()), key_use)
}

impl Party {
    /// The department of this seed, with one service at [`Self::address`]. Nobody has its recovery key.
    pub fn new(seed: u8, kind: ServiceType) -> Self {
        Self::with_commitment(seed, kind, base64url::encode(&[seed; 32]))
    }

    /// As [`Self::new`], another DID, committed to [`Self::recovery_key`].
    pub fn recoverable(seed: u8, kind: ServiceType) -> Self {
        let committed = Jwk::new(Self::recovery_key(seed).public_key().clone());
        Self::with_commitment(seed, kind, committed.thumbprint().to_base64url())
    }

    /// The recovery key of [`Self::recoverable`].
    pub fn recovery_key(seed: u8) -> SecretKey {
        key(seed, 4)
    }

    fn with_commitment(seed: u8, kind: ServiceType, recovery: String) -> Self {
        let payload = CreatePayload {
            chain: "sample".to_owned(),
            keys: vec![
                entry("assert-1", seed, 1, KeyUse::AssertionMethod),
                entry("auth-1", seed, 2, KeyUse::Authentication),
                entry("invoke-1", seed, 3, KeyUse::CapabilityInvocation),
            ],
            recovery,
            services: vec![ServiceEntry { id: "service".to_owned(), kind, url: format!("https://d{seed}.example") }],
            salt: base64url::encode(&[seed; 16]),
            label: Some(Label { en: "Sample department".to_owned(), zh: "示例部门".to_owned() }),
        };
        Self { create: make_create(&payload, "invoke-1", &key(seed, 3)).unwrap(), seed }
    }

    /// Its DID.
    pub fn did(&self) -> Did {
        self.create.did().clone()
    }

    /// The URL of its service.
    pub fn address(&self) -> String {
        format!("https://d{}.example", self.seed)
    }

    /// Signs its credentials and status lists.
    pub fn asserter(&self) -> SecretKey {
        key(self.seed, 1)
    }

    /// Signs its request objects.
    pub fn authenticator(&self) -> SecretKey {
        key(self.seed, 2)
    }

    /// Signs what its official on duty attests.
    pub fn duty(&self) -> SecretKey {
        key(self.seed, DUTY_PLACE)
    }

    /// Signs its transactions.
    pub fn invoker(&self) -> SecretKey {
        key(self.seed, 3)
    }

    /// The DID URL of its key with this fragment.
    pub fn key_name(&self, fragment: &str) -> String {
        format!("{}#{fragment}", self.did())
    }
}
