//! The node's HTTP API: submitting, reading the log, reading the state, resolving DIDs.
//!
//! Answers about the state are of the newest certified head, so that every one of them can be proven at once; how old that
//! head is stands in every one of them.

mod batch;
mod errands;
mod head;
mod identifiers;
mod log;
mod metrics;
mod registry;
mod submit;
mod validators;

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, Resource, web};
use identity_core::problem::Code;
use identity_core::registry::Refused;
use ledger::Hash;
use service_kit::http::rate;
use service_kit::reply::Problem;
use service_kit::store::StoreError;

use crate::clerk::Clerk;
use crate::node::{Node, Round, SubmitError};
use crate::store::{Floor, Past, Refusal, SyncStore, refusal_key};

pub(crate) use metrics::register as register_metrics;

/// The API's description, for people and generators.
const OPENAPI: &str = include_str!("../../openapi.json");

/// Seconds after which something may have moved here: about a block.
const SOON: u64 = 1;

/// What handlers need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) node: Arc<Node>,
    /// Absent where the node has no relay key.
    pub(crate) clerk: Option<Arc<Clerk>>,
    /// Below what this node keeps no history.
    pub(crate) floor: Option<Arc<Floor>>,
    /// Other members' nodes, for what is not kept here.
    pub(crate) peers: Arc<[String]>,
}

impl Api {
    /// The newest certified head.
    pub(crate) fn round(&self) -> Result<Arc<Round>, Problem> {
        self.node.round().ok_or_else(|| problem_of(&SubmitError::Uncertified))
    }

    /// Refuses what is not kept here any more, and says from where on it is, and where to ask.
    pub(crate) fn is_kept(&self, asked: Past) -> Result<(), Problem> {
        match self.floor.as_ref().and_then(|floor| floor.lacks(asked)) {
            Some(first) => Err(self.pruned(first)),
            None => Ok(()),
        }
    }

    fn pruned(&self, first: u64) -> Problem {
        let elsewhere = if self.peers.is_empty() { "another member's node".to_owned() } else { self.peers.join(", ") };
        Problem::new(Code::LedgerPruned).with_detail(format!("kept here from log entry {first} on; ask {elsewhere}"))
    }

    /// Why a transaction that has no place here was refused last, if it was. It may have been accepted before this node's
    /// history begins, and refused since because its number was spent so.
    pub(crate) async fn refused(&self, digest: &Hash) -> Result<Option<Refusal>, Problem> {
        let refused = self.node.store.get(&refusal_key(digest)).await?;
        let refused: Option<Refusal> = refused.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let sequence = Code::RegistryTransactionSequence.as_str();
        if refused.as_ref().is_none_or(|refused| refused.code == sequence) {
            self.is_kept(Past::Place)?;
        }
        Ok(refused)
    }

    /// Why a submission got no place, as its sender is told. A number that is spent was spent by this very transaction,
    /// perhaps, before this node's history begins: then others know its place.
    fn refusal(&self, error: &SubmitError) -> Problem {
        let is_spent = matches!(error, SubmitError::Refused(Refused::Sequence { expected, got }) if got < expected);
        match self.is_kept(Past::Place) {
            Err(pruned) if is_spent => pruned,
            _ => problem_of(error),
        }
    }
}

/// A place where something is read.
pub(crate) fn read(
    path: &str,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = actix_web::Error,
        InitError = (),
    > + use<>,
> {
    web::resource(path).wrap(from_fn(head::tell))
}

pub(crate) fn routes(api: Api) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(web::Data::new(api.clone()))
            .service(web::resource("/transactions").post(submit::submit))
            .service(web::resource("/transactions/batch").post(batch::submit))
            .service(read("/transactions/{digest}").get(submit::find))
            .service(web::resource("/notarise").wrap(from_fn(rate::errands)).post(errands::notarise))
            .service(web::resource("/relay").wrap(from_fn(rate::errands)).post(errands::relay))
            .service(read("/status").get(head::status))
            .service(read("/checkpoint").get(log::checkpoint))
            .service(read("/tile/{path:.*}").get(log::tile))
            .service(read("/proofs/log/{index}").get(log::proof))
            .service(read("/proofs/state").get(registry::proof))
            .service(read("/proofs/time").get(log::time))
            .service(read("/1.0/identifiers/{did:.*}").get(identifiers::resolve))
            .service(read("/registry/members").get(registry::members))
            .service(read("/registry/accreditations/{did}").get(registry::accreditations))
            .service(read("/registry/schemas/{vct:.*}").get(registry::schema))
            .service(read("/registry/sequences").get(registry::sequence))
            .service(read("/registry/proposals").get(registry::proposals))
            .service(read("/registry/validators").get(validators::validators))
            .service(read("/genesis").get(genesis))
            .service(read("/trust-root").get(validators::trust_root))
            .service(read("/trust/policies/{digest}").get(validators::policy))
            .service(read("/trust/walk").get(validators::walk))
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
pub(crate) async fn blocking<T: Send + 'static>(
    node: &Node,
    read: impl FnOnce(&SyncStore) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let store = node.sync_store();
    let done = web::block(move || read(&store)).await;
    Ok(done.map_err(|_| Problem::new(Code::HttpUnavailable))??)
}

/// There is no room just now.
fn busy() -> Problem {
    Problem::new(Code::LedgerBusy).with_retry_after(SOON)
}

/// Every way a submission can fail, as the caller sees it.
fn problem_of(error: &SubmitError) -> Problem {
    match error {
        SubmitError::Refused(refused) => Problem::new(refused.code()).with_detail(refused.to_string()),
        SubmitError::NotTaken(reason) => busy().with_detail(reason.to_string()),
        SubmitError::Uncertified => Problem::new(Code::LedgerUncertified).with_retry_after(SOON),
        SubmitError::Store(error) => {
            Problem::of_store(error).with_status(actix_web::http::StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
