//! `/healthz` (the process lives) and `/readyz` (it can serve).

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{HttpResponse, web};
use identity_core::problem::Code;

use crate::reply::Problem;

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Whether the service can serve, asked at each `/readyz`.
#[derive(Clone)]
pub struct Health {
    check: Check,
}

impl Health {
    /// Ready as soon as it listens.
    #[must_use]
    pub fn always() -> Self {
        Self::when(|| async { Ok(()) })
    }

    /// Ready when `check` says so. Its error names what is missing (`ledger unreachable`), for the operator.
    pub fn when<F>(check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { check: Arc::new(move || Box::pin(check())) }
    }
}

pub(super) fn routes(health: Health) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(health))
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz));
    }
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

async fn readyz(health: web::Data<Health>) -> HttpResponse {
    match (health.check)().await {
        Ok(()) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Err(missing) => Problem::new(Code::HttpUnavailable).with_detail(missing).response(),
    }
}
