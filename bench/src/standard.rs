//! The standard credential: a plainly marked sample with 10 disclosable claims, each 60 to 127 bytes as a
//! disclosure, about 2.0 kB; presented with three of them and a key binding, about 1.75 kB.

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::kb_jwt::{self, Confirmation, Occasion, Window};
use identity_core::sd_jwt::{ClaimPath, Concealment, HeldSdJwt};
use identity_core::sd_jwt_vc::{self, Registered};
use identity_core::status;
use identity_core::time::UnixSeconds;
use rand::CryptoRng;
use serde_json::{Map, Value, json};

/// The key id of the issuer's assertion key, where no ledger knows it.
const KID: &str = "did:xinfu:bench:8sVwRnT2eJq6XcYb4mKd9ZfLhA7uGpQo1iMtN5rBxCy#assert-1";

/// Issued then, presented a minute later.
pub(crate) const ISSUED: UnixSeconds = UnixSeconds(1_800_003_600);
pub(crate) const PRESENTED: UnixSeconds = UnixSeconds(ISSUED.0 + 60);
pub(crate) const EXPIRES: UnixSeconds = UnixSeconds(ISSUED.0 + 365 * 86_400);

const ISSUER: &str = "https://issuer.example.gov";
pub(crate) const VCT: &str = "urn:xinfu:credential:resident-identity:1";
pub(crate) const WINDOW: Window = Window { max_age: 300, leeway: 30 };
pub(crate) const OCCASION: Occasion<'static> = Occasion {
    audience: "decentralized_identifier:did:xinfu:bench:3yZe7dJm9vAq5RkQwTnXcU1hVbLgFsPo4iKaM6tYxEz",
    nonce: "kXy3fQ0vJm8Tn2sLw5RzPg",
    transaction_data: &[],
};

/// The claims, shortest disclosure first.
const CLAIMS: [(&str, &str); 10] = [
    ("sex", "9-sample-value"),
    ("ethnicity", "97-sample-value"),
    ("birth_date", "1900-01-01 (sample)"),
    ("valid_from", "2020-01-01 (sample only)"),
    ("valid_until", "2040-01-01 (sample only)"),
    ("name", "SAMPLE Person Without Existence"),
    ("citizen_number", "SAMPLE-NUMBER-000000000001"),
    ("issuing_authority", "SAMPLE public security bureau"),
    ("address", "SAMPLE road 1, SAMPLE district, SAMPLE city"),
    ("photo_digest", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
];

/// The claims that the presentation discloses.
pub(crate) const SHOWN: [&str; 3] = ["name", "birth_date", "address"];

/// Everything that one issuing needs.
pub(crate) struct Standard {
    pub(crate) issuer: SecretKey,
    pub(crate) issuer_url: String,
    pub(crate) kid: String,
    pub(crate) holder: SecretKey,
    confirmation: Confirmation,
    pub(crate) status: status::Reference,
    subject: Map<String, Value>,
    concealment: Concealment,
}

impl Standard {
    /// By an issuer that no ledger knows.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Self::by(SecretKey::from_bytes(Alg::EdDsa, &[1; 32])?, ISSUER.to_owned(), KID.to_owned())
    }

    /// By the issuer with this key, address and key id.
    pub(crate) fn by(issuer: SecretKey, issuer_url: String, kid: String) -> anyhow::Result<Self> {
        let holder = SecretKey::from_bytes(Alg::EdDsa, &[2; 32])?;
        let conceal = |all: Concealment, (name, _): &(&str, &str)| all.conceal(&ClaimPath::top(*name));
        Ok(Self {
            issuer,
            kid,
            confirmation: Confirmation::jwk(holder.public_key().clone()),
            holder,
            status: status::Reference { index: 77_123, uri: format!("{issuer_url}/status/1") },
            issuer_url,
            subject: CLAIMS.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect(),
            concealment: CLAIMS.iter().fold(Concealment::default(), conceal),
        })
    }

    pub(crate) const fn subject(&self) -> &Map<String, Value> {
        &self.subject
    }

    /// Issues one credential.
    pub(crate) fn issue(&self, rng: &mut dyn CryptoRng) -> anyhow::Result<String> {
        let registered = Registered {
            issuer: &self.issuer_url,
            vct: VCT,
            vct_integrity: None,
            issued_at: ISSUED,
            not_before: None,
            expires: Some(EXPIRES),
            holder: Some(&self.confirmation),
            status: Some(&self.status),
        };
        Ok(sd_jwt_vc::issue(&registered, &self.subject, &self.concealment, &self.kid, &self.issuer, rng)?)
    }

    /// What the holder sends of an issued credential.
    pub(crate) fn present(&self, issued: String, occasion: Occasion<'_>) -> anyhow::Result<String> {
        let held = HeldSdJwt::dangerous_reopen(issued)?;
        let presentation = held.present(&SHOWN.map(ClaimPath::top))?;
        Ok(kb_jwt::bind(&presentation, occasion, &self.holder, PRESENTED)?)
    }
}

/// The type's metadata: every claim is always concealed.
pub(crate) fn type_metadata() -> Vec<u8> {
    let claims: Vec<Value> = CLAIMS.iter().map(|(name, _)| json!({"path": [name], "sd": "always"})).collect();
    json!({"vct": VCT, "claims": claims}).to_string().into_bytes()
}
