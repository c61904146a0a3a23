//! The layer around every handler: log line, metrics, security headers, and answers for what no handler answered.

use std::{panic::AssertUnwindSafe, rc::Rc, sync::Arc, time::Instant};

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt;
use identity_core::problem::Code;

use super::{
    Metrics, body,
    connection::Talk,
    peer::Proxies,
    pieces::in_pieces,
    rate::{self, Kind, Rates},
};
use crate::reply::Problem;

/// What the layer needs to know.
#[derive(Clone)]
pub(super) struct Shell {
    pub(super) metrics: Metrics,
    pub(super) encrypted: bool,
    pub(super) rates: Arc<Rates>,
    pub(super) proxies: Proxies,
    /// Never sent on: it closes when the last worker has let go of the service's state.
    pub(super) _presence: tokio::sync::mpsc::Sender<()>,
}

pub(super) async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let shell = request.app_data::<web::Data<Shell>>().cloned();
    let method = request.method().clone();
    let talk = request.conn_data::<Rc<Talk>>().cloned();
    if let Some(talk) = &talk {
        talk.begin();
        let body = request.take_payload();
        request.set_payload(body::awaited(body, Rc::clone(talk)));
    }

    let answered = match rate::admit(&request, Kind::of(&method), None) {
        Err(refusal) => Ok(request.into_response(*refusal)),
        // A panic is a mistake of ours, never the caller's to see: the process lives on and answers 500.
        Ok(()) => match AssertUnwindSafe(next.call(request)).catch_unwind().await {
            Ok(answered) => answered.map(ServiceResponse::map_into_boxed_body),
            Err(_panic) => {
                tracing::error!(%method, "a handler panicked");
                Err(Problem::new(Code::HttpInternal).into())
            }
        },
    };
    let answered = answered.map(|response| {
        let mut response = fill_bare_error(response);
        add_headers(response.headers_mut(), shell.as_ref().is_some_and(|shell| shell.encrypted));
        response.map_body(|_, body| in_pieces(body))
    });

    if let Some(talk) = &talk {
        talk.end();
    }
    let (route, status) = match &answered {
        Ok(response) => (response.request().match_pattern(), response.status()),
        Err(error) => (None, error.as_response_error().status_code()),
    };
    let (route, status, took) = (route.unwrap_or_else(|| "-".to_owned()), status.as_u16(), started.elapsed());
    tracing::info!(%method, route, status, micros = took.as_micros(), "answered");
    if let Some(shell) = shell {
        shell.metrics.count(&route, status, took);
    }
    answered
}

/// Gives the framework's own bare errors (no such route, wrong method, body too large) our form.
fn fill_bare_error(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_ours(response.headers()) {
        return response;
    }
    let code = match status {
        StatusCode::NOT_FOUND => Code::HttpNotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::HttpMethod,
        StatusCode::PAYLOAD_TOO_LARGE => Code::HttpBodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::HttpContentType,
        _ if status.is_client_error() => Code::HttpMalformed,
        _ => Code::HttpInternal,
    };
    let (request, bare) = response.into_parts();
    let mut filled: HttpResponse = Problem::new(code).with_status(status).response();
    for (name, value) in bare.headers() {
        if name != CONTENT_TYPE {
            filled.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, filled)
}

/// Whether an error carries a body of ours; the framework's own are plain text or empty.
fn is_ours(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/") || kind.starts_with("text/html")
}

fn add_headers(headers: &mut HeaderMap, encrypted: bool) {
    let mut set = |name: &'static str, value: &'static str| {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "no-referrer");
    set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    // What may be kept says so itself (tiles, metadata, status lists); everything else may hold a person's data.
    set("cache-control", "no-store");
    if encrypted {
        set("strict-transport-security", "max-age=31536000");
    }
}
