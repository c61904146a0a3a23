//! problem+json (RFC 9457).

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header::RETRY_AFTER},
};
use identity_core::problem::{Code, Lang};

use crate::{http::body::BodyError, store::StoreError};

/// A refusal on our own API.
///
/// ```
/// use identity_core::problem::Code;
/// use service_kit::reply::Problem;
/// let refusal = Problem::new(Code::HttpNotFound).with_detail("no offer has this id");
/// assert_eq!(refusal.response().status(), 404);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    status: StatusCode,
    detail: Option<String>,
    retry_after: Option<u64>,
    lang: Lang,
}

impl Problem {
    /// The problem of `code`, with the status that the catalogue gives it.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code, status, detail: None, retry_after: None, lang: Lang::En }
    }

    /// What was wrong in this case. Never a claim value, a key, a code or a token.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// When the same request may find an answer, in seconds from now: the header `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same with another status than the catalogue's.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with title and remedy in another language than English.
    #[must_use]
    pub fn in_language(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The status that it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What was wrong in this case, if that is said.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// When the same request may find an answer, if that is said.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// A body that could not be read.
    #[must_use]
    pub fn of_body(error: &BodyError) -> Self {
        Self::new(error.code()).with_detail(error.to_string())
    }

    /// A store that failed. Causes stay in the log: they name files.
    #[must_use]
    pub fn of_store(error: &StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::new(error.code())
    }

    /// The answer to send.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let mut body = serde_json::json!({
            "type": "about:blank",
            "title": self.code.title(self.lang),
            "status": self.status.as_u16(),
            "code": self.code.as_str(),
            "remedy": self.code.remedy(self.lang),
        });
        if let (Some(detail), Some(members)) = (&self.detail, body.as_object_mut()) {
            members.insert("detail".to_owned(), detail.as_str().into());
        }
        let mut answer = HttpResponse::build(self.status);
        answer.insert_header(("Cache-Control", "no-store")).content_type("application/problem+json");
        if let Some(seconds) = self.retry_after {
            answer.insert_header((RETRY_AFTER, seconds));
        }
        answer.body(body.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.as_str())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn says_code_title_status_and_remedy() {
        let response = Problem::new(Code::HttpNotFound).with_detail("no such thing").response();
        assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
        assert!(response.headers().get("retry-after").is_none());
        let body = to_bytes(response.into_body()).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], "http.not_found");
        assert_eq!(body["status"], 404);
        assert_eq!(body["detail"], "no such thing");
        assert!(body["title"].is_string() && body["remedy"].is_string());
    }

    #[test]
    fn says_when_to_come_again() {
        let response = Problem::new(Code::HttpUnavailable).with_retry_after(20).error_response();
        assert_eq!(response.headers().get("retry-after").unwrap(), "20");
    }
}
