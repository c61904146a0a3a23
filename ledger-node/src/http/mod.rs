//! The node's HTTP API: submitting, reading the log, reading the state, resolving DIDs.
//!
//! Answers about the state are of the newest certified head, so that every one of them can be proven at once.

mod batch;
mod errands;
mod identifiers;
mod log;
mod metrics;
mod registry;
mod submit;
mod validators;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use identity_core::problem::Code;
use service_kit::http::rate;
use service_kit::reply::Problem;
use service_kit::store::StoreError;

use crate::clerk::Clerk;
use crate::node::{Node, Round, SubmitError};
use crate::store::SyncStore;

pub(crate) use metrics::register as register_metrics;

/// The API's description, for people and generators.
const OPENAPI: &str = include_str!("../../openapi.json");

/// What handlers need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) node: Arc<Node>,
    /// Absent where the node has no relay key.
    pub(crate) clerk: Option<Arc<Clerk>>,
}

impl Api {
    /// The newest certified head.
    fn round(&self) -> Result<Arc<Round>, Problem> {
        self.node.round().ok_or_else(|| Problem::new(Code::LedgerUncertified))
    }
}

pub(crate) fn routes(api: Api) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(web::Data::new(api.clone()))
            .service(web::resource("/transactions").post(submit::submit))
            .service(web::resource("/transactions/batch").post(batch::submit))
            .service(web::resource("/transactions/{digest}").get(submit::find))
            .service(web::resource("/notarise").wrap(from_fn(rate::errands)).post(errands::notarise))
            .service(web::resource("/relay").wrap(from_fn(rate::errands)).post(errands::relay))
            .service(web::resource("/checkpoint").get(log::checkpoint))
            .service(web::resource("/tile/{path:.*}").get(log::tile))
            .service(web::resource("/proofs/log/{index}").get(log::proof))
            .service(web::resource("/proofs/state").get(registry::proof))
            .service(web::resource("/1.0/identifiers/{did:.*}").get(identifiers::resolve))
            .service(web::resource("/registry/members").get(registry::members))
            .service(web::resource("/registry/accreditations/{did}").get(registry::accreditations))
            .service(web::resource("/registry/schemas/{vct:.*}").get(registry::schema))
            .service(web::resource("/registry/sequences").get(registry::sequence))
            .service(web::resource("/registry/proposals").get(registry::proposals))
            .service(web::resource("/registry/validators").get(validators::validators))
            .service(web::resource("/genesis").get(genesis))
            .service(web::resource("/trust-root").get(validators::trust_root))
            .service(web::resource("/trust/policies/{digest}").get(validators::policy))
            .service(web::resource("/trust/walk").get(validators::walk))
            .service(web::resource("/openapi.json").get(openapi));
    }
}

async fn genesis(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(api.node.chain.genesis_file().to_vec())
}

async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(OPENAPI)
}

/// Runs something that reads the store many times on a thread that may block.
async fn blocking<T: Send + 'static>(
    node: &Node,
    read: impl FnOnce(&SyncStore) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let store = node.sync_store();
    let done = web::block(move || read(&store)).await;
    Ok(done.map_err(|_| Problem::new(Code::HttpUnavailable))??)
}

/// Every way a submission can fail, as the caller sees it.
fn problem_of(error: &SubmitError) -> Problem {
    match error {
        SubmitError::Refused(refused) => Problem::new(refused.code()).with_detail(refused.to_string()),
        SubmitError::NotTaken(reason) => Problem::new(Code::LedgerBusy).with_detail(reason.to_string()),
        SubmitError::Uncertified => Problem::new(Code::LedgerUncertified),
        SubmitError::Store(error) => {
            Problem::of_store(error).with_status(actix_web::http::StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
