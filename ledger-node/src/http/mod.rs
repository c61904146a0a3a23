//! The node's HTTP API: submitting, reading the log, reading the state, resolving DIDs.
//!
//! Answers about the state are of the newest certified head, so that every one of them can be proven at once.

mod errands;
mod identifiers;
mod log;
mod registry;
mod submit;
mod validators;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use identity_core::problem::Code;
use service_kit::http::{Metrics, rate};
use service_kit::reply::Problem;
use service_kit::store::StoreError;

use crate::clerk::Clerk;
use crate::node::{Node, SubmitError};
use crate::store::SyncStore;

/// The API's description, for people and generators.
const OPENAPI: &str = include_str!("../../openapi.json");

/// What handlers need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) node: Arc<Node>,
    /// Absent where the node has no relay key.
    pub(crate) clerk: Option<Arc<Clerk>>,
}

pub(crate) fn routes(api: Api) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(web::Data::new(api.clone()))
            .service(web::resource("/transactions").post(submit::submit))
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

/// The node's own metrics, beside those that every service has.
pub(crate) fn register_metrics(metrics: &Metrics, node: &Arc<Node>) -> Result<(), prometheus::Error> {
    struct Gauges {
        node: Arc<Node>,
        height: prometheus::IntGauge,
        size: prometheus::IntGauge,
        waiting: prometheus::IntGauge,
    }
    impl prometheus::core::Collector for Gauges {
        fn desc(&self) -> Vec<&prometheus::core::Desc> {
            [&self.height, &self.size, &self.waiting].into_iter().flat_map(prometheus::core::Collector::desc).collect()
        }

        fn collect(&self) -> Vec<prometheus::proto::MetricFamily> {
            let head = &self.node.round().head;
            let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
            self.height.set(number(head.height));
            self.size.set(number(head.size));
            self.waiting.set(i64::try_from(self.node.desk.waiting()).unwrap_or(i64::MAX));
            let gauges = [&self.height, &self.size, &self.waiting];
            gauges.into_iter().flat_map(prometheus::core::Collector::collect).collect()
        }
    }
    let gauges = Gauges {
        node: Arc::clone(node),
        height: prometheus::IntGauge::new("ledger_height", "Height of the newest certified block.")?,
        size: prometheus::IntGauge::new("ledger_size", "Entries under the newest certified checkpoint.")?,
        waiting: prometheus::IntGauge::new("ledger_waiting", "Transactions that wait to be executed.")?,
    };
    metrics.registry().register(Box::new(gauges))
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
        SubmitError::Store(error) => {
            Problem::of_store(error).with_status(actix_web::http::StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
