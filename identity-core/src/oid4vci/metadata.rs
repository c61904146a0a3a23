//! Metadata of a credential issuer (OpenID4VCI §12.2): what an issuer publishes and a wallet reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::proof::Binding;

/// The well-known name of this document.
pub const WELL_KNOWN_NAME: &str = "openid-credential-issuer";

/// The format identifier of SD-JWT VCs (Appendix A.3.1).
pub const FORMAT: &str = "dc+sd-jwt";

/// What a credential issuer says of itself. Members beyond these are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialIssuerMetadata {
    /// The identifier, identical to the one its document was found under.
    pub credential_issuer: String,
    /// Authorization servers other than the issuer itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_servers: Option<Vec<String>>,
    /// Where credentials are asked for.
    pub credential_endpoint: String,
    /// Where challenges for key proofs are had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<String>,
    /// Whether several keys may be bound in one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_credential_issuance: Option<BatchIssuance>,
    /// Where all its status lists are named, as in its metadata as an authorization server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_list_aggregation_endpoint: Option<String>,
    /// The issuer's name, by language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
    /// What it issues. Kept as JSON, since a wallet must not stumble over a format it does not know.
    pub credential_configurations_supported: BTreeMap<String, Value>,
}

impl CredentialIssuerMetadata {
    /// The configuration `id`, if it is there and an SD-JWT VC.
    #[must_use]
    pub fn configuration(&self, id: &str) -> Option<CredentialConfiguration> {
        let value = self.credential_configurations_supported.get(id)?;
        if value.get("format")?.as_str()? != FORMAT {
            return None;
        }
        serde_json::from_value(value.clone()).ok()
    }
}

/// How many keys may be bound in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchIssuance {
    /// At least 2.
    pub batch_size: usize,
}

/// A name in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A sentence on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// One configuration of the format `dc+sd-jwt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// Always [`FORMAT`].
    pub format: String,
    /// The credential type.
    pub vct: String,
    /// For the authorization code flow, and demanded by HAIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// How holder keys are named: `jwk` and DID methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cryptographic_binding_methods_supported: Vec<String>,
    /// What the issuer signs with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credential_signing_alg_values_supported: Vec<String>,
    /// Which key proofs are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_types_supported: Option<BTreeMap<String, ProofType>>,
    /// Names and claims. Its presence also tells final 1.0 from older drafts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_metadata: Option<CredentialMetadata>,
}

impl CredentialConfiguration {
    /// The algorithms a `jwt` key proof may be signed with; empty when no such proof is taken.
    #[must_use]
    pub fn jwt_proof_algorithms(&self) -> &[String] {
        let proof = self.proof_types_supported.as_ref().and_then(|types| types.get("jwt"));
        proof.map_or(&[], |proof| &proof.proof_signing_alg_values_supported)
    }

    /// Whether keys may be named so; an issuer that lists no method is asked and not guessed about.
    #[must_use]
    pub fn binds_by(&self, binding: Binding) -> bool {
        let methods = &self.cryptographic_binding_methods_supported;
        methods.is_empty() || methods.iter().any(|method| method == binding.method())
    }
}

/// What a proof type takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofType {
    /// JOSE algorithm names.
    pub proof_signing_alg_values_supported: Vec<String>,
}

/// Names and claims of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialMetadata {
    /// The credential's name, by language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
    /// What it states.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimDescription>,
}

/// One claim (Appendix B.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDescription {
    /// A claims path pointer.
    pub path: Vec<Value>,
    /// Whether every credential has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandatory: Option<bool>,
    /// Its name, by language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
}
