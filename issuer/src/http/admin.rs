//! The admin API, for officials' tools: bearer token, problem+json.

use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::oid4vci::issuer::{Grant, GrantState};
use identity_core::problem::Code;
use identity_core::status::Change;
use identity_core::time::UnixSeconds;
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::admin;
use service_kit::audit::{self, Act};
use service_kit::http::body;
use service_kit::http::extract::RawBody;
use service_kit::reply::Problem;

use super::fresh_json;
use super::orders::{self, Signed};
use crate::flow::import::ImportError;
use crate::flow::offer::{MakeRefusal, OfferRequest};
use crate::flow::standing::StandingRefusal;
use crate::service::Service;
use crate::store::{CredentialRecord, Page, Search};

/// Largest table imported over HTTP, in bytes: some 100,000 subjects. Larger ones go through `xinfu-issuer import`.
const MAX_TABLE_BYTES: usize = 64 * 1024 * 1024;

/// Entries in one answer, unless asked for fewer.
const PAGE: usize = 10_000;

pub(super) fn routes(config: &mut web::ServiceConfig, base: &str) {
    config.service(
        web::scope(&format!("{base}/admin"))
            .wrap(from_fn(audit::refusals))
            .wrap(from_fn(admin::guard))
            .service(web::resource("/audit").get(audit::serve))
            .service(web::resource("/subjects").get(subjects))
            .service(web::resource("/import").post(import))
            .service(web::resource("/offers").get(offers).post(make_offer))
            .service(web::resource("/offers/{id}/qr").get(offer_qr))
            .service(web::resource("/orders").post(orders::draft))
            .service(web::resource("/orders/{digest}").get(orders::show))
            .service(web::resource("/credentials").get(credentials))
            .service(web::resource("/credentials/{id}/revoke").post(revoke))
            .service(web::resource("/credentials/{id}/suspend").post(suspend))
            .service(web::resource("/credentials/{id}/reinstate").post(reinstate)),
    );
}

#[derive(Deserialize)]
struct SubjectsQuery {
    credential_configuration_id: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

async fn subjects(service: web::Data<Service>, query: web::Query<SubjectsQuery>) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let wanted = query.credential_configuration_id.as_deref();
    // Ids are in order within a type only, so a page after the first is of one type.
    if query.after.is_some() && wanted.is_none() && service.kinds.len() > 1 {
        return Err(Problem::new(Code::VciRequestConfigurationMissing));
    }
    let mut ids = Vec::new();
    for kind in service.kinds.keys().filter(|kind| wanted.is_none_or(|wanted| wanted == *kind)) {
        let room = limit.saturating_sub(ids.len());
        if room > 0 {
            ids.extend(service.records.subject_ids(kind, query.after.as_deref(), room).await?);
        }
    }
    Ok(fresh_json(&ids))
}

#[derive(Deserialize)]
struct ImportQuery {
    credential_configuration_id: Option<String>,
    /// Only say what would become of the table, and what an official has to order for that.
    #[serde(default)]
    check: bool,
}

async fn import(
    service: web::Data<Service>,
    act: Act,
    request: HttpRequest,
    query: web::Query<ImportQuery>,
    order: Signed,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    body::check_content_type(&request, "text/csv").map_err(|error| Problem::of_body(&error))?;
    let mut payload = payload.into_inner();
    let table = body::read(&request, &mut payload, MAX_TABLE_BYTES).await.map_err(|error| Problem::of_body(&error))?;
    // A department with one type need not name it.
    let only = service.kinds.keys().next().filter(|_| service.kinds.len() == 1);
    let kind = query.credential_configuration_id.as_ref().or(only);
    let kind = kind.ok_or(Problem::new(Code::VciRequestConfigurationMissing))?;
    if query.check {
        let checked = service.check_import(kind, &table).map_err(import_problem)?;
        return Ok(fresh_json(&json!({"report": checked.report, "deed": checked.deed})));
    }
    let report = service.import(&act, kind, &table, order.text()).await.map_err(import_problem)?;
    Ok(fresh_json(&report))
}

fn import_problem(error: ImportError) -> Problem {
    match error {
        ImportError::Store(error) => Problem::of_store(&error),
        refusal => Problem::new(refusal.code()).with_detail(refusal.to_string()),
    }
}

async fn make_offer(
    service: web::Data<Service>,
    act: Act,
    asked: HttpRequest,
    order: Signed,
    RawBody(content): RawBody,
) -> Result<HttpResponse, Problem> {
    let bad_body = |error| Problem::of_body(&error);
    body::check_content_type(&asked, "application/json").map_err(bad_body)?;
    let content = content.map_err(bad_body)?;
    let request: OfferRequest = body::parse_json(&content).map_err(bad_body)?;
    let offered = service.make_offer(act, request, &content, order.text()).await?;
    Ok(fresh_json(&json!({
        "offer_id": offered.id,
        "offer_uri": offered.by_reference,
        "offer_uri_by_value": offered.by_value,
        "tx_code": offered.tx_code,
        "expires": offered.expires.0,
    })))
}

/// The link as a QR code, for a counter's screen. It holds the link by reference, so it carries no code.
pub(super) async fn offer_qr(
    service: web::Data<Service>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    service.show_offer(&id).await.map_err(|refusal| Problem::new(refusal.code()))?;
    service_kit::qr::answer(&request, &service.offer_link(&id)).map_err(|_| Problem::new(Code::VciOfferUnknown))
}

/// What offers or credentials are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchQuery {
    subject: Option<String>,
    reference: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

impl SearchQuery {
    /// A reference names a case, which is of one subject: it is the narrower of the two.
    fn search(&self) -> Search<'_> {
        match (&self.reference, &self.subject) {
            (Some(reference), _) => Search::Reference(reference),
            (None, Some(subject)) => Search::Subject(subject),
            (None, None) => Search::All,
        }
    }

    fn page(&self) -> Page<'_> {
        Page { after: self.after.as_deref(), limit: self.limit.unwrap_or(PAGE).clamp(1, PAGE) }
    }
}

async fn offers(service: web::Data<Service>, query: web::Query<SearchQuery>) -> Result<HttpResponse, Problem> {
    let offers = service.records.offers(query.search(), query.page()).await?;
    let now = service.clock.now();
    Ok(fresh_json(&offers.iter().map(|grant| render_offer(grant, now)).collect::<Vec<_>>()))
}

/// Neither code nor link: those are told once, to whom the offer was made for.
fn render_offer(grant: &Grant, now: UnixSeconds) -> Value {
    let state = match grant.state {
        GrantState::Offered { .. } if now < grant.expires => "offered",
        GrantState::Offered { .. } => "expired",
        GrantState::Locked => "locked",
        GrantState::Redeemed { .. } => "redeemed",
        GrantState::Issued { .. } => "issued",
    };
    json!({
        "id": grant.id,
        "subject": grant.subject,
        "reference": grant.reference,
        "order": grant.order,
        "state": state,
        "credential_configuration_id": grant.configuration,
        "expires": grant.expires.0,
    })
}

async fn credentials(service: web::Data<Service>, query: web::Query<SearchQuery>) -> Result<HttpResponse, Problem> {
    let records = service.records.credentials(query.search(), query.page()).await?;
    Ok(fresh_json(&records.iter().map(render).collect::<Vec<_>>()))
}

fn render(record: &CredentialRecord) -> Value {
    json!({
        "id": record.id,
        "subject": record.subject,
        "reference": record.reference,
        "order": record.order,
        "state": record.state,
        "status_list": record.list,
        "status_index": record.index,
        "credential_configuration_id": record.configuration,
        "digest": record.digest.to_base64url(),
        "issued": record.issued.0,
        "expires": record.expires.0,
    })
}

type Changed = Result<HttpResponse, Problem>;

async fn revoke(service: web::Data<Service>, act: Act, id: web::Path<String>, order: Signed) -> Changed {
    change_standing(&service, act, &id, Change::Revoke, &order).await
}

async fn suspend(service: web::Data<Service>, act: Act, id: web::Path<String>, order: Signed) -> Changed {
    change_standing(&service, act, &id, Change::Suspend, &order).await
}

async fn reinstate(service: web::Data<Service>, act: Act, id: web::Path<String>, order: Signed) -> Changed {
    change_standing(&service, act, &id, Change::Reinstate, &order).await
}

/// Answers after the published status list has changed.
async fn change_standing(service: &Service, act: Act, id: &str, change: Change, order: &Signed) -> Changed {
    let record = service.change_standing(act, id, change, order.text()).await?;
    Ok(fresh_json(&render(&record)))
}

impl From<MakeRefusal> for Problem {
    fn from(refusal: MakeRefusal) -> Self {
        match refusal {
            MakeRefusal::Store(error) => Self::of_store(&error),
            refusal => Self::new(refusal.code()),
        }
    }
}

impl From<StandingRefusal> for Problem {
    fn from(refusal: StandingRefusal) -> Self {
        match refusal {
            StandingRefusal::Failed(failure) => failure.problem(),
            refusal => Self::new(refusal.code()),
        }
    }
}
