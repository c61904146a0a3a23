//! OAuth errors (RFC 6749 §5.2), as OpenID4VCI and OpenID4VP use them.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use identity_core::problem::{Code, Lang};

use crate::{http::body::BodyError, store::StoreError};

/// A refusal on a protocol endpoint: `{"error","error_description","code"}`.
///
/// `error` is the protocol's word (`invalid_grant`); `code` is ours and more exact. `error_description` is the
/// catalogue's English title: RFC 6749 allows ASCII only there, and nothing of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    error: &'static str,
    code: Code,
    status: StatusCode,
    challenge: Option<&'static str>,
    beside: Option<(&'static str, String)>,
}

impl OAuthError {
    /// The protocol's `error` with our `code`; status 400.
    #[must_use]
    pub fn new(error: &'static str, code: Code) -> Self {
        Self { error, code, status: StatusCode::BAD_REQUEST, challenge: None, beside: None }
    }

    /// `invalid_request` with our `code`.
    #[must_use]
    pub fn invalid_request(code: Code) -> Self {
        Self::new("invalid_request", code)
    }

    /// `server_error` with our `code` and its status.
    #[must_use]
    pub fn server_error(code: Code) -> Self {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new("server_error", code).with_status(status)
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with status 401 and a `WWW-Authenticate` challenge (RFC 6750 §3).
    #[must_use]
    pub fn with_challenge(mut self, challenge: &'static str) -> Self {
        self.status = StatusCode::UNAUTHORIZED;
        self.challenge = Some(challenge);
        self
    }

    /// The same with one more member beside those of the protocol, which ignores what it does not know.
    #[must_use]
    pub fn beside(mut self, name: &'static str, value: String) -> Self {
        self.beside = Some((name, value));
        self
    }

    /// A body that could not be read.
    #[must_use]
    pub fn of_body(error: &BodyError) -> Self {
        let refusal = Self::invalid_request(error.code());
        match StatusCode::from_u16(error.code().status()) {
            Ok(status @ (StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT)) => refusal.with_status(status),
            _ => refusal,
        }
    }

    /// A store that failed. Causes stay in the log: they name files.
    #[must_use]
    pub fn of_store(error: &StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::server_error(error.code())
    }

    /// Our code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The protocol's word.
    #[must_use]
    pub fn error(&self) -> &'static str {
        self.error
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.error, self.code.as_str())
    }
}

impl ResponseError for OAuthError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut body = serde_json::json!({
            "error": self.error,
            "error_description": self.code.title(Lang::En),
            "code": self.code.as_str(),
        });
        if let (Some((name, value)), Some(members)) = (&self.beside, body.as_object_mut()) {
            members.insert((*name).to_owned(), value.as_str().into());
        }
        let mut response = HttpResponse::build(self.status);
        if let Some(challenge) = self.challenge {
            response.insert_header(("WWW-Authenticate", challenge));
        }
        // RFC 6749 §5.1: no cache keeps what the token endpoint says.
        response.insert_header(("Cache-Control", "no-store")).content_type("application/json").body(body.to_string())
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}
