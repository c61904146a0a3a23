//! Request bodies as handler arguments, on both wires: our own API answers a bad body in problem+json
//! ([`Json`]), protocol endpoints in OAuth form ([`OAuthJson`], [`OAuthForm`]).

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Bytes};
use identity_core::oauth::form::Form;
use serde::de::DeserializeOwned;

use super::{
    body::{self, BodyError},
    limits,
};
use crate::reply::{OAuthError, Problem};

type Extracted<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

/// A JSON body of our own API.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Extracted<Self, Problem>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = json(request, payload);
        Box::pin(async move { body.await.map(Self).map_err(|error| Problem::of_body(&error)) })
    }
}

/// A JSON body of a protocol endpoint.
pub struct OAuthJson<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for OAuthJson<T> {
    type Error = OAuthError;
    type Future = Extracted<Self, OAuthError>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = json(request, payload);
        Box::pin(async move { body.await.map(Self).map_err(|error| OAuthError::of_body(&error)) })
    }
}

/// A form body of a protocol endpoint: each name once.
pub struct OAuthForm(pub Form);

impl FromRequest for OAuthForm {
    type Error = OAuthError;
    type Future = Extracted<Self, OAuthError>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = form(request, payload);
        Box::pin(async move { form.await.map(Self).map_err(|error| OAuthError::of_body(&error)) })
    }
}

/// The bytes of a body of whatever kind, up to [`limits::BODY_BYTES`]; the handler decides how to refuse.
pub struct RawBody(pub Result<Bytes, BodyError>);

impl FromRequest for RawBody {
    type Error = Problem;
    type Future = Extracted<Self, Problem>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move { Ok(Self(body::read(&request, &mut payload, limits::BODY_BYTES).await)) })
    }
}

fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<T, BodyError>> + use<T> {
    let kind = body::check_content_type(request, "application/json");
    let (request, mut payload) = (request.clone(), payload.take());
    async move {
        kind?;
        body::parse_json(&body::read(&request, &mut payload, limits::BODY_BYTES).await?)
    }
}

/// The form that a body is.
pub(crate) fn form(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Form, BodyError>> + use<> {
    let kind = body::check_content_type(request, "application/x-www-form-urlencoded");
    let (request, mut payload) = (request.clone(), payload.take());
    async move {
        kind?;
        body::parse_form(&body::read(&request, &mut payload, limits::BODY_BYTES).await?)
    }
}
