//! The endpoints of OpenID4VCI: token, nonce, credential, and the offer by reference.

use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use identity_core::oauth::bearer::{BearerRefusal, parse_authorization};
use identity_core::oid4vci::error::{AccessRefusal, BearerErrorName, CredentialRefusal, TokenErrorName};
use identity_core::oid4vci::message::{CredentialRequest, TokenRequest};
use identity_core::problem::{Code, Lang};
use service_kit::http::body;
use service_kit::http::extract::RawBody;
use service_kit::reply::{OAuthError, Problem};

use super::fresh_json;
use crate::flow::credential::CredentialFailure;
use crate::flow::token::TokenFailure;
use crate::service::Service;

pub(super) fn routes(config: &mut web::ServiceConfig, base: &str) {
    let at = |path: &str| web::resource(format!("{base}{path}"));
    config
        .service(at("/token").post(token))
        .service(at("/nonce").post(nonce))
        .service(at("/credential").post(credential))
        .service(at("/offers/{id}").get(offer));
}

async fn token(
    service: web::Data<Service>,
    request: HttpRequest,
    RawBody(bytes): RawBody,
) -> Result<HttpResponse, OAuthError> {
    let bytes = bytes.map_err(|error| OAuthError::of_body(&error))?;
    body::check_content_type(&request, "application/x-www-form-urlencoded")
        .map_err(|error| OAuthError::of_body(&error))?;
    let asked = TokenRequest::parse(&bytes).map_err(|refusal| token_error(refusal.into()))?;
    Ok(fresh_json(&service.redeem(&asked).await.map_err(token_error)?))
}

fn token_error(failure: TokenFailure) -> OAuthError {
    match failure {
        TokenFailure::Refused(refusal) => {
            let name: TokenErrorName = refusal.name();
            OAuthError::new(name.as_str(), refusal.code())
        }
        TokenFailure::Store(error) => OAuthError::of_store(&error),
    }
}

/// Open to anybody, and costs no write.
async fn nonce(service: web::Data<Service>) -> HttpResponse {
    fresh_json(&service.issuer.make_nonce(service.clock.now(), &mut *service.chance.rng()))
}

async fn credential(service: web::Data<Service>, request: HttpRequest, RawBody(bytes): RawBody) -> HttpResponse {
    let answer = async {
        let token = bearer(&request)?;
        let bytes = bytes.map_err(|error| refused_body(&error))?;
        body::check_content_type(&request, "application/json").map_err(|error| refused_body(&error))?;
        let asked = CredentialRequest::parse(&bytes).map_err(CredentialFailure::from)?;
        Ok::<_, Refused>(service.issue(token, &asked).await?)
    };
    answer.await.map_or_else(Refused::into_response, |response| fresh_json(&response))
}

/// A refusal of the credential endpoint, in one of the two forms it has.
enum Refused {
    /// RFC 6750.
    Access(AccessRefusal),
    /// OpenID4VCI.
    Request(OAuthError),
}

impl From<CredentialFailure> for Refused {
    fn from(failure: CredentialFailure) -> Self {
        match failure {
            CredentialFailure::Refused(CredentialRefusal::Access(refusal)) => Self::Access(refusal),
            CredentialFailure::Refused(CredentialRefusal::Request(refusal)) => {
                Self::Request(OAuthError::new(refusal.name().as_str(), refusal.code()))
            }
            CredentialFailure::Store(error) => Self::Request(OAuthError::of_store(&error)),
            CredentialFailure::Sign(error) => {
                tracing::error!(%error, "a credential could not be signed");
                Self::Request(OAuthError::server_error(Code::VciIssuerSigning))
            }
        }
    }
}

impl Refused {
    fn into_response(self) -> HttpResponse {
        match self {
            Self::Access(refusal) => access_error(refusal),
            Self::Request(error) => error.error_response(),
        }
    }
}

fn bearer(request: &HttpRequest) -> Result<&str, Refused> {
    let header = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    parse_authorization(header, request.query_string()).map_err(|refusal| {
        Refused::Access(match refusal {
            BearerRefusal::Missing => AccessRefusal::TokenMissing,
            BearerRefusal::Malformed => AccessRefusal::TokenMalformed,
            BearerRefusal::InQuery => AccessRefusal::TokenInQuery,
        })
    })
}

/// The protocol's name for a body that cannot be read is its own (§8.3.1.2), not OAuth's `invalid_request`.
fn refused_body(error: &body::BodyError) -> Refused {
    let refusal = OAuthError::new("invalid_credential_request", error.code());
    Refused::Request(match StatusCode::from_u16(error.code().status()) {
        Ok(status @ (StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT)) => refusal.with_status(status),
        _ => refusal,
    })
}

/// RFC 6750 §3: the challenge says what is wrong, and says nothing to somebody who sent no token.
fn access_error(refusal: AccessRefusal) -> HttpResponse {
    let name: BearerErrorName = refusal.name();
    let challenge = match name.as_str() {
        None => "Bearer".to_owned(),
        Some(error) => format!("Bearer error=\"{error}\""),
    };
    let mut body = serde_json::json!({
        "error_description": refusal.code().title(Lang::En),
        "code": refusal.code().as_str(),
    });
    if let (Some(error), Some(members)) = (name.as_str(), body.as_object_mut()) {
        members.insert("error".to_owned(), error.into());
    }
    let status = StatusCode::from_u16(name.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    HttpResponse::build(status)
        .insert_header(("WWW-Authenticate", challenge))
        .insert_header(("Cache-Control", "no-store"))
        .json(body)
}

async fn offer(service: web::Data<Service>, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let shown = service.show_offer(&id).await;
    Ok(fresh_json(&shown.map_err(|refusal| Problem::new(refusal.code()))?))
}
