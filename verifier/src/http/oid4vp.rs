//! The endpoints that wallets speak to (OpenID4VP 1.0 §5.10, §8.2). Refusals in OAuth form, never a 500 for what a
//! wallet sent.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::oid4vp::request::REQUEST_MEDIA_TYPE;
use identity_core::oid4vp::response::MAX_RESPONSE_BYTES;
use identity_core::oid4vp::wallet::RECEIPT;
use identity_core::problem::Code;
use identity_core::withdrawal::{MAX_WITHDRAWAL_BYTES, WithdrawalError};
use serde_json::json;
use service_kit::http::body;
use service_kit::http::extract::OAuthForm;
use service_kit::reply::{OAuthError, Problem};

use crate::flow::receipt::ProofMissing;
use crate::flow::request::FetchError;
use crate::flow::response::ResponseRefusal;
use crate::flow::withdrawal::WithdrawalRefusal;
use crate::service::Verifier;

pub(super) async fn request(verifier: web::Data<Verifier>, id: web::Path<String>) -> Result<HttpResponse, OAuthError> {
    Ok(request_object(verifier.request_object(&id, None).await?))
}

pub(super) async fn request_with_nonce(
    verifier: web::Data<Verifier>,
    id: web::Path<String>,
    OAuthForm(form): OAuthForm,
) -> Result<HttpResponse, OAuthError> {
    Ok(request_object(verifier.request_object(&id, form.get("wallet_nonce")).await?))
}

pub(super) async fn response(
    verifier: web::Data<Verifier>,
    id: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, OAuthError> {
    let mut payload = payload.into_inner();
    let bad_body = |error| OAuthError::of_body(&error);
    body::check_content_type(&request, "application/x-www-form-urlencoded").map_err(bad_body)?;
    let body = body::read(&request, &mut payload, MAX_RESPONSE_BYTES).await.map_err(bad_body)?;
    let processed = verifier.receive(&id, &body).await?;
    match processed.outcome {
        Err(refusal) => Err(OAuthError::from(refusal).beside(RECEIPT, processed.receipt)),
        Ok(redirect) => {
            let mut body = json!({ RECEIPT: processed.receipt });
            if let (Some(uri), Some(members)) = (redirect, body.as_object_mut()) {
                members.insert("redirect_uri".to_owned(), uri.into());
            }
            Ok(HttpResponse::Ok().json(body))
        }
    }
}

/// A holder takes a sharing back. Answers what was done, signed; the same withdrawal again has the same answer.
pub(super) async fn withdrawal(
    verifier: web::Data<Verifier>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, OAuthError> {
    let mut payload = payload.into_inner();
    let bad_body = |error| OAuthError::of_body(&error);
    body::check_content_type(&request, "application/jwt").map_err(bad_body)?;
    let body = body::read(&request, &mut payload, MAX_WITHDRAWAL_BYTES).await.map_err(bad_body)?;
    let malformed = |_| WithdrawalRefusal::from(WithdrawalError::Malformed);
    let acknowledgement = verifier.withdraw(std::str::from_utf8(&body).map_err(malformed)?).await?;
    Ok(HttpResponse::Ok().json(json!({ "acknowledgement": acknowledgement })))
}

/// The anchor proof of an entry of the chain, for whoever has the entry; 503 while it waits for the ledger.
pub(super) async fn receipt_proof(
    verifier: web::Data<Verifier>,
    digest: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let digest = ledger::Hash::from_base64url(&digest).map_err(|_| Problem::new(Code::ReceiptUnknown))?;
    match verifier.receipt_proof(&digest).await {
        Ok(proof) => Ok(HttpResponse::Ok().json(proof)),
        Err(ProofMissing::Store(error)) => Err(Problem::of_store(&error)),
        Err(missing @ (ProofMissing::Unknown | ProofMissing::Waiting)) => Err(Problem::new(missing.code())),
    }
}

fn request_object(jwt: String) -> HttpResponse {
    HttpResponse::Ok().content_type(REQUEST_MEDIA_TYPE).body(jwt)
}

impl From<FetchError> for OAuthError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Unknown => Self::new("invalid_request_uri", error.code()).with_status(StatusCode::NOT_FOUND),
            FetchError::Expired | FetchError::Answered | FetchError::Unattested | FetchError::Renamed => {
                Self::new("invalid_request_uri", error.code())
            }
            FetchError::WalletNonce => Self::invalid_request(error.code()),
            FetchError::Signing => Self::server_error(error.code()),
            FetchError::Store(error) => Self::of_store(&error),
        }
    }
}

impl From<ResponseRefusal> for OAuthError {
    fn from(refusal: ResponseRefusal) -> Self {
        match refusal {
            ResponseRefusal::Unknown => Self::invalid_request(refusal.code()).with_status(StatusCode::NOT_FOUND),
            ResponseRefusal::Envelope(error) => Self::new(error.oauth().as_str(), error.code()),
            ResponseRefusal::Replayed | ResponseRefusal::Presentation(_) => Self::invalid_request(refusal.code()),
            ResponseRefusal::Receipt => Self::server_error(refusal.code()),
            ResponseRefusal::Store(error) => Self::of_store(&error),
        }
    }
}

impl From<WithdrawalRefusal> for OAuthError {
    fn from(refusal: WithdrawalRefusal) -> Self {
        let code = refusal.code();
        match refusal {
            WithdrawalRefusal::Store(error) => Self::of_store(&error),
            WithdrawalRefusal::Unacknowledged => Self::server_error(code),
            WithdrawalRefusal::Withdrawal(_)
            | WithdrawalRefusal::ReceiptUnknown
            | WithdrawalRefusal::NothingTaken
            | WithdrawalRefusal::Over
            | WithdrawalRefusal::Done => {
                let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
                Self::invalid_request(code).with_status(status)
            }
        }
    }
}
