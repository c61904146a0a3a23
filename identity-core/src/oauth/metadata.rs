//! Metadata of an authorization server (RFC 8414), as far as the pre-authorized code flow needs it.

use serde::{Deserialize, Serialize};

/// The grant type of the pre-authorized code flow (OpenID4VCI §3.5).
pub const PRE_AUTHORIZED_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// The well-known name of this document.
pub const WELL_KNOWN_NAME: &str = "oauth-authorization-server";

/// What an authorization server says of itself. Members it has beyond these are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// The server's identifier, identical to the one its document was found under.
    pub issuer: String,
    /// Where codes are exchanged for tokens.
    pub token_endpoint: String,
    /// Which grants the server takes; RFC 8414 gives a default, which does not hold ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types_supported: Option<Vec<String>>,
    /// Empty here: the authorization endpoint comes with the authorization code flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_types_supported: Option<Vec<String>>,
    /// How clients authenticate; `none` for wallets without registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether a token request may come without `client_id` (OpenID4VCI §12.3).
    #[serde(default, rename = "pre-authorized_grant_anonymous_access_supported")]
    pub anonymous_pre_authorized: bool,
    /// Where all status lists of the issuer are named (Token Status List §9.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_list_aggregation_endpoint: Option<String>,
}

impl AuthorizationServerMetadata {
    /// The metadata of an issuer that is its own authorization server and knows only the pre-authorized code flow.
    #[must_use]
    pub fn pre_authorized(issuer: &str, token_endpoint: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            token_endpoint: token_endpoint.to_owned(),
            grant_types_supported: Some(vec![PRE_AUTHORIZED_CODE_GRANT.to_owned()]),
            response_types_supported: Some(Vec::new()),
            token_endpoint_auth_methods_supported: Some(vec!["none".to_owned()]),
            anonymous_pre_authorized: true,
            status_list_aggregation_endpoint: None,
        }
    }

    /// Whether the server takes a pre-authorized code. A server that lists no grants is asked all the same.
    #[must_use]
    pub fn takes_pre_authorized_codes(&self) -> bool {
        self.grant_types_supported
            .as_ref()
            .is_none_or(|grants| grants.iter().any(|grant| grant == PRE_AUTHORIZED_CODE_GRANT))
    }
}
