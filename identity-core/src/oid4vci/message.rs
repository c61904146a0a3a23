//! What travels between wallet and issuer: token, nonce and credential requests and responses.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::encoding::json::{self, JsonError};
use crate::encoding::limits;
use crate::oauth::form::{Form, FormRefusal};
use crate::oauth::metadata::PRE_AUTHORIZED_CODE_GRANT;

use super::error::{RequestRefusal, TokenRefusal};

/// Reads a JSON message strictly; members it does not know are ignored, as the protocol demands.
///
/// # Errors
/// [`JsonError`], without a word on its content.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    // Read as an object first: serde would take an array for a struct, member by member.
    let members = json::parse_object(bytes, json::Limits::of(limits::JSON_MESSAGE))?;
    serde_json::from_value(Value::Object(members)).map_err(|_| JsonError::Shape)
}

/// A token request of the pre-authorized code flow (§6.1).
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The code from the offer.
    pub code: String,
    /// The transaction code that the person typed in.
    pub tx_code: Option<String>,
}

impl TokenRequest {
    /// Reads the form that a wallet posts.
    ///
    /// # Errors
    /// The refusal that the token endpoint answers with.
    pub fn parse(body: &[u8]) -> Result<Self, TokenRefusal> {
        let form = Form::parse(body).map_err(|refusal| match refusal {
            FormRefusal::Malformed => TokenRefusal::Malformed,
            FormRefusal::Repeated => TokenRefusal::ParameterRepeated,
        })?;
        match form.get("grant_type") {
            None => return Err(TokenRefusal::GrantTypeMissing),
            Some(PRE_AUTHORIZED_CODE_GRANT) => {}
            Some(_) => return Err(TokenRefusal::GrantTypeUnsupported),
        }
        let code = form.get("pre-authorized_code").ok_or(TokenRefusal::CodeMissing)?.to_owned();
        Ok(Self { code, tx_code: form.get("tx_code").map(str::to_owned) })
    }

    /// The form to post.
    #[must_use]
    pub fn to_form(&self) -> String {
        let mut form = ::url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", PRE_AUTHORIZED_CODE_GRANT).append_pair("pre-authorized_code", &self.code);
        if let Some(tx_code) = &self.tx_code {
            form.append_pair("tx_code", tx_code);
        }
        form.finish()
    }
}

/// A token response (§6.2). No `c_nonce`: it has its own endpoint.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The access token, a secret.
    pub access_token: String,
    /// `Bearer`, in any case of letters.
    pub token_type: String,
    /// Seconds it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// What the token is for; only when asked for by `authorization_details`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Vec<AuthorizationDetail>>,
}

/// One entry of a token response's `authorization_details` (§6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationDetail {
    /// `openid_credential` for entries of this protocol.
    #[serde(rename = "type")]
    pub kind: String,
    /// The configuration that the identifiers belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_configuration_id: Option<String>,
    /// The datasets that may be asked for.
    #[serde(default)]
    pub credential_identifiers: Vec<String>,
}

/// A nonce response (§7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// The challenge for key proofs.
    pub c_nonce: String,
}

/// A credential request (§8.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRequest {
    /// Which configuration; when the token response had no `authorization_details`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_configuration_id: Option<String>,
    /// Which dataset; when it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_identifier: Option<String>,
    /// Proofs of possession, by proof type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proofs: Option<serde_json::Map<String, Value>>,
    /// A wish for an encrypted response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<Value>,
}

impl CredentialRequest {
    /// Reads the body that a wallet posts.
    ///
    /// # Errors
    /// [`RequestRefusal::Json`].
    pub fn parse(body: &[u8]) -> Result<Self, RequestRefusal> {
        parse(body).map_err(RequestRefusal::Json)
    }

    /// The key proofs of type `jwt`, at least one.
    ///
    /// # Errors
    /// The rule of §8.2 that `proofs` breaks.
    pub fn jwt_proofs(&self) -> Result<Vec<&str>, RequestRefusal> {
        let proofs = self.proofs.as_ref().ok_or(RequestRefusal::ProofsMissing)?;
        let mut types = proofs.iter();
        let (name, value) = types.next().ok_or(RequestRefusal::ProofsMissing)?;
        if name != "jwt" || types.next().is_some() {
            return Err(RequestRefusal::ProofTypeUnsupported);
        }
        let jwts = value.as_array().ok_or(RequestRefusal::Json(JsonError::Shape))?;
        if jwts.is_empty() {
            return Err(RequestRefusal::ProofsMissing);
        }
        jwts.iter().map(|jwt| jwt.as_str().ok_or(RequestRefusal::Json(JsonError::Shape))).collect()
    }
}

/// A credential response (§8.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialResponse {
    /// The credentials, in the order of the proofs.
    #[serde(default)]
    pub credentials: Vec<IssuedCredential>,
    /// Names a deferred issuance instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
}

/// One credential of a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCredential {
    /// The SD-JWT VC as it is.
    pub credential: String,
}

/// An error body of any of these endpoints, as a wallet reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The specification's name of the error.
    pub error: String,
    /// For developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// Our own dotted code, when the issuer is one of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code";

    #[test]
    fn a_token_request_reads_back_as_written() {
        let request = TokenRequest { code: "a.b+c".to_owned(), tx_code: Some("0123".to_owned()) };
        assert!(TokenRequest::parse(request.to_form().as_bytes()).unwrap() == request);
    }

    #[test]
    fn hostile_token_requests_are_refused_by_name() {
        let cases = [
            (String::new(), TokenRefusal::GrantTypeMissing),
            ("grant_type=authorization_code&code=x".to_owned(), TokenRefusal::GrantTypeUnsupported),
            (GRANT.to_owned(), TokenRefusal::CodeMissing),
            (format!("{GRANT}&pre-authorized_code="), TokenRefusal::CodeMissing),
            (format!("{GRANT}&pre-authorized_code=a&pre-authorized_code=b"), TokenRefusal::ParameterRepeated),
        ];
        for (body, expected) in cases {
            assert_eq!(TokenRequest::parse(body.as_bytes()).err(), Some(expected), "{body}");
        }
        assert_eq!(TokenRequest::parse(b"\xff").err(), Some(TokenRefusal::Malformed));
    }

    #[test]
    fn hostile_proofs_are_refused_by_name() {
        let cases = [
            ("{}", RequestRefusal::ProofsMissing),
            (r#"{"proofs":{}}"#, RequestRefusal::ProofsMissing),
            (r#"{"proofs":{"jwt":[]}}"#, RequestRefusal::ProofsMissing),
            (r#"{"proofs":{"di_vp":[{}]}}"#, RequestRefusal::ProofTypeUnsupported),
            (r#"{"proofs":{"jwt":["a"],"di_vp":[]}}"#, RequestRefusal::ProofTypeUnsupported),
            (r#"{"proofs":{"jwt":"a"}}"#, RequestRefusal::Json(JsonError::Shape)),
            (r#"{"proofs":{"jwt":[1]}}"#, RequestRefusal::Json(JsonError::Shape)),
        ];
        for (body, expected) in cases {
            let request = CredentialRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.jwt_proofs().unwrap_err(), expected, "{body}");
        }
        for body in
            ["", "[]", r#"{"proofs":[]}"#, r#"{"proofs":{},"proofs":{}}"#, r#"{"credential_configuration_id":1}"#]
        {
            let refusal = CredentialRequest::parse(body.as_bytes()).unwrap_err();
            assert!(matches!(refusal, RequestRefusal::Json(_)), "{body}");
        }
    }
}
