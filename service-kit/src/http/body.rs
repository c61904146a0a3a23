//! Reading request bodies strictly: bounded in size and time, of the announced kind, one value per name.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::header::{CONTENT_LENGTH, CONTENT_TYPE},
    web::{Buf, Bytes, BytesMut},
};
use futures_util::{Stream, StreamExt};
use identity_core::{
    encoding::json::{self, JsonError},
    oauth::form::{Form, FormRefusal},
    problem::Code,
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::{connection::Talk, limits};

/// Why a body was refused. Carries no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// Longer than the route allows.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// It broke off.
    #[error("the body broke off")]
    BrokeOff,
    /// Not the kind that the route takes.
    #[error("the content type is not {expected}")]
    ContentType {
        /// The kind it takes.
        expected: &'static str,
    },
    /// Compressed: nothing we take is large enough to need it, and bombs are.
    #[error("the body is compressed")]
    Compressed,
    /// Not strict JSON, or JSON of another shape.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not a form.
    #[error("the form is malformed")]
    Form,
    /// A name stands twice in a form (RFC 6749 §3.2 forbids it).
    #[error("the form has a name twice")]
    FormDuplicate,
}

impl BodyError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::HttpBodyTooLarge,
            Self::TooSlow => Code::HttpBodyTooSlow,
            Self::BrokeOff => Code::HttpBodyBrokeOff,
            Self::ContentType { .. } => Code::HttpContentType,
            Self::Compressed => Code::HttpBodyCompressed,
            Self::Json(error) => error.code(),
            Self::Form => Code::HttpFormMalformed,
            Self::FormDuplicate => Code::HttpFormDuplicate,
        }
    }
}

/// Reads a body of at most `limit` bytes, arriving at [`limits::BODY_RATE`] or faster after [`limits::BODY_GRACE`].
///
/// # Errors
/// Too large (before anything beyond the limit is kept), too slow, broken off, compressed.
pub async fn read(request: &HttpRequest, payload: &mut Payload, limit: usize) -> Result<Bytes, BodyError> {
    let headers = request.headers();
    if headers.contains_key("content-encoding") {
        return Err(BodyError::Compressed);
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > limit)) {
        return Err(BodyError::TooLarge { limit });
    }
    let talk = request.conn_data::<Rc<Talk>>();
    let grace = talk.map_or(limits::BODY_GRACE, |talk| talk.body_grace());
    let body = gather(payload, limit, grace).await;
    if body.is_err()
        && let Some(talk) = talk
    {
        talk.give_up();
    }
    body
}

/// The same body; while it is not here and someone reads it, we wait for the client.
pub(super) fn awaited(payload: Payload, talk: Rc<Talk>) -> Payload {
    match payload {
        Payload::None => Payload::None,
        payload => Payload::Stream { payload: Box::pin(Awaited { payload, talk }) },
    }
}

struct Awaited {
    payload: Payload,
    talk: Rc<Talk>,
}

impl Stream for Awaited {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.payload).poll_next(context);
        match &next {
            Poll::Pending => self.talk.await_body(),
            Poll::Ready(None | Some(Err(_))) => self.talk.resume(),
            // A part is not the whole: who sends it in many has kept us waiting since the first.
            Poll::Ready(Some(Ok(_))) => {}
        }
        next
    }
}

async fn gather(payload: &mut Payload, limit: usize, grace: Duration) -> Result<Bytes, BodyError> {
    let started = Instant::now();
    let mut body = BytesMut::new();
    loop {
        let given = Duration::from_secs(u64::try_from(body.len()).unwrap_or(u64::MAX) / limits::BODY_RATE);
        let next = timeout_at(started + grace + given, payload.next()).await.map_err(|_| BodyError::TooSlow)?;
        let Some(chunk) = next else { return Ok(body.freeze()) };
        let chunk = chunk.map_err(|_| BodyError::BrokeOff)?;
        if body.len().saturating_add(chunk.remaining()) > limit {
            return Err(BodyError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
}

/// Checks that the request announces `expected` (parameters such as `charset` aside).
///
/// # Errors
/// [`BodyError::ContentType`].
pub fn check_content_type(request: &HttpRequest, expected: &'static str) -> Result<(), BodyError> {
    let announced = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = announced.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) { Ok(()) } else { Err(BodyError::ContentType { expected }) }
}

/// Parses a JSON body strictly (no duplicate names, bounded depth) into `T`.
///
/// # Errors
/// [`BodyError::Json`].
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    Ok(json::read(body, json::Limits::of(limits::BODY_BYTES))?)
}

/// Parses a form, each name once.
///
/// # Errors
/// [`BodyError::Form`], [`BodyError::FormDuplicate`].
pub fn parse_form(body: &[u8]) -> Result<Form, BodyError> {
    Form::parse(body).map_err(|refusal| match refusal {
        FormRefusal::Malformed => BodyError::Form,
        FormRefusal::Repeated => BodyError::FormDuplicate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_each_name_once() {
        let form = parse_form(b"grant_type=a%20b&tx_code=").unwrap();
        assert_eq!((form.get("grant_type"), form.get("tx_code")), (Some("a b"), None));
        assert_eq!(parse_form(b"a=1&a=2").unwrap_err(), BodyError::FormDuplicate);
        assert_eq!(parse_form(b"a=%ff").unwrap_err(), BodyError::Form);
        assert_eq!(parse_form("a=é".as_bytes()).unwrap_err(), BodyError::Form);
        assert!(parse_form(b"").unwrap().get("a").is_none());
    }

    #[test]
    fn json_is_strict() {
        assert!(parse_json::<serde_json::Value>(br#"{"a":1}"#).is_ok());
        assert!(parse_json::<serde_json::Value>(br#"{"a":1,"a":2}"#).is_err());
    }
}
