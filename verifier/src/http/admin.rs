//! The admin API: bearer token, problem+json.

use actix_web::{HttpRequest, HttpResponse, web};
use identity_core::duty::{MAX_CASE_BYTES, is_case};
use identity_core::problem::{Code, Lang};
use identity_core::registry::is_duty_number;
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::audit::Act;
use service_kit::http::extract::Json;
use service_kit::qr;
use service_kit::reply::Problem;

use crate::client::Prefix;
use crate::flow::attest::{AttestRefused, By};
use crate::flow::redeem::RedeemRefused;
use crate::flow::request::{Asked, Flow, Made, MakeError, Manner, Mode};
use crate::flow::result::{RequestResult, State, Undisclosed};
use crate::policy::{AnchorPolicy, Grounds};
use crate::service::Verifier;
use crate::store::sharings::Withdrawn;

/// Body of `POST /admin/requests`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MakeRequest {
    query: QueryChoice,
    response_mode: Option<String>,
    client_id_prefix: Option<String>,
    /// For a DCQL object: what the data is wanted for.
    purpose: Option<String>,
    /// For a DCQL object: `required` or `optional`.
    anchor: Option<AnchorPolicy>,
    /// For a DCQL object: the legal basis.
    basis: Option<String>,
    /// For a DCQL object: how long the answer is kept, in days.
    retention_days: Option<u32>,
    /// For a DCQL object: whether the holder signs what the data is wanted for; yes if nothing is said.
    holder_signs: Option<bool>,
    /// Duty number of the official who is to sign; the service account if nobody is named.
    official: Option<String>,
    /// The case that the data is wanted for. It stays here; a salted digest travels.
    case: Option<String>,
    /// Where the wallet is; on another device if nothing is said.
    flow: Option<FlowName>,
    /// With `same_device`: where the wallet sends the browser back to.
    return_url: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FlowName {
    CrossDevice,
    SameDevice,
}

/// Body of `POST /admin/requests/{id}/attestation`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attested {
    /// What the official signed.
    attestation: String,
}

/// Body of `POST /admin/requests/{id}/redeem`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redeem {
    response_code: String,
    /// The value of the cookie as the browser sent it; null if it sent none.
    cookie: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum QueryChoice {
    Named(String),
    Dcql(serde_json::Map<String, Value>),
}

pub(super) async fn queries(verifier: web::Data<Verifier>) -> HttpResponse {
    let list: Vec<Value> = verifier
        .queries()
        .iter()
        .map(|(name, query)| {
            json!({
                "name": name,
                "purpose": query.policy.purpose,
                "anchor": query.policy.anchor,
                "undetermined_status": if query.policy.accept_undetermined_status { "accept" } else { "refuse" },
                "dcql": query.dcql,
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({ "queries": list }))
}

pub(super) async fn make_request(
    verifier: web::Data<Verifier>,
    act: Act,
    Json(body): Json<MakeRequest>,
) -> Result<HttpResponse, Problem> {
    let mode = match body.response_mode.as_deref() {
        None => Mode::default(),
        Some(name) => Mode::parse(name).ok_or_else(|| Problem::new(Code::VpRequestResponseMode))?,
    };
    let prefix = match body.client_id_prefix.as_deref() {
        None => Prefix::default(),
        Some(name) => Prefix::parse(name).ok_or_else(|| Problem::new(Code::VpClientIdUnsupported))?,
    };
    let flow = match (body.flow, body.return_url) {
        (None | Some(FlowName::CrossDevice), None) => Flow::CrossDevice,
        (Some(FlowName::SameDevice), Some(return_url)) => Flow::SameDevice { return_url },
        _ => return Err(Problem::new(Code::VpRequestReturnUrl)),
    };
    let asked = match body.query {
        QueryChoice::Named(name) => Asked::Named(name),
        QueryChoice::Dcql(query) => {
            let grounds = Grounds {
                basis: body.basis.unwrap_or_default(),
                retention_days: body.retention_days.unwrap_or_default(),
                holder_signs: body.holder_signs.unwrap_or(true),
                required_by_law: None,
            };
            let anchor = body.anchor.unwrap_or_default();
            Asked::Dcql { query: Value::Object(query), purpose: body.purpose, anchor, grounds }
        }
    };
    let by = by(body.official, body.case)?;
    let made = verifier.make_request(act, asked, Manner { flow, mode, prefix }, by).await?;
    Ok(HttpResponse::Created().json(told_of(made)))
}

/// Who is to answer for a request, and for which case, if these can be the names of such.
pub(super) fn by(official: Option<String>, case: Option<String>) -> Result<By, Problem> {
    if official.as_deref().is_some_and(|duty| !is_duty_number(duty)) {
        return Err(Problem::new(Code::DutyMalformed));
    }
    if case.as_deref().is_some_and(|case| !is_case(case)) {
        let detail = format!("case: must have 1 to {MAX_CASE_BYTES} bytes");
        return Err(Problem::new(Code::VpRequestMalformed).with_detail(detail));
    }
    Ok(By { official, case })
}

/// An official's signature over a request that waits for one.
pub(super) async fn attest(
    verifier: web::Data<Verifier>,
    act: Act,
    id: web::Path<String>,
    Json(body): Json<Attested>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(told_of(verifier.attest(act, &id, body.attestation.trim()).await?)))
}

fn told_of(made: Made) -> Value {
    let cookie = made.cookie.map(|cookie| json!({ "name": cookie.name, "set_cookie": cookie.header }));
    json!({
        "id": made.id,
        "request_uri_link": made.link,
        "to_attest": made.to_attest,
        "case": made.case,
        "expires": made.expires,
        "warnings": made.warnings.iter().map(|code| code_and_title(*code)).collect::<Vec<_>>(),
        "browser_session": cookie,
    })
}

pub(super) async fn result(
    verifier: web::Data<Verifier>,
    act: Act,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let result = verifier.result(&id).await?.ok_or_else(|| Problem::new(Code::VpRequestUnknown))?;
    if matches!(result.state, State::Verified { claims: Some(_) }) {
        disclose(&verifier, act, &id).await?;
    }
    Ok(HttpResponse::Ok().json(told(&id, result)))
}

pub(super) async fn redeem(
    verifier: web::Data<Verifier>,
    act: Act,
    id: web::Path<String>,
    Json(body): Json<Redeem>,
) -> Result<HttpResponse, Problem> {
    let result = verifier.redeem(act, &id, body.cookie.as_deref(), &body.response_code).await?;
    Ok(HttpResponse::Ok().json(told(&id, result)))
}

fn told(id: &str, result: RequestResult) -> Value {
    let mut body = json!({
        "id": id,
        "created": result.created,
        "expires": result.expires,
        "purpose": result.purpose,
        "undetermined": result.undetermined,
        "evidence_as_of": result.evidence_as_of,
        "receipt": result.receipt,
        "case": result.case,
    });
    let mut set = |name: &str, value: Value| {
        if let Some(members) = body.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    match result.state {
        State::Unattested { duty } => {
            set("state", "unattested".into());
            set("duty", duty.into());
        }
        State::Pending => set("state", "pending".into()),
        State::Answered => set("state", "answered".into()),
        State::Verified { claims } => {
            set("state", "verified".into());
            set("claims", claims.unwrap_or(Value::Null));
        }
        State::Withdrawn { acknowledgement } => {
            set("state", "withdrawn".into());
            set("acknowledgement", acknowledgement.into());
        }
        State::Refused { code } => {
            set("state", "refused".into());
            set("refusal", code.map_or(Value::Null, code_and_title));
        }
    }
    body
}

pub(super) async fn forget(
    verifier: web::Data<Verifier>,
    act: Act,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    verifier.forget(act, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn qr(
    verifier: web::Data<Verifier>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let link = verifier.link_to_scan(&id).await?;
    qr::answer(&request, &link).map_err(|_| Problem::new(Code::HttpInternal))
}

pub(super) async fn evidence(
    verifier: web::Data<Verifier>,
    act: Act,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let exported = verifier.export(&id).await?;
    disclose(&verifier, act, &id).await?;
    Ok(HttpResponse::Ok().json(exported))
}

/// Reading what a citizen disclosed is an act too: no line, no answer. And no answer to what was withdrawn meanwhile.
async fn disclose(verifier: &Verifier, act: Act, id: &str) -> Result<(), Problem> {
    Ok(verifier.pass_on(act, id).await?)
}

/// Query of `GET /admin/withdrawals`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    /// The place of the last acknowledgement that is known already.
    #[serde(default)]
    after: u64,
}

/// What was withdrawn, for the department's own systems, which have to follow.
pub(super) async fn withdrawals(
    verifier: web::Data<Verifier>,
    query: web::Query<After>,
) -> Result<HttpResponse, Problem> {
    let told = |(withdrawn, acknowledgement): (Withdrawn, String)| {
        json!({
            "seq": withdrawn.acknowledgement,
            "request": withdrawn.request,
            "receipt": withdrawn.receipt,
            "acknowledgement": acknowledgement,
        })
    };
    let found: Vec<Value> = verifier.withdrawals_after(query.after).await?.into_iter().map(told).collect();
    Ok(HttpResponse::Ok().json(json!({ "withdrawals": found })))
}

pub(super) async fn replay(verifier: web::Data<Verifier>, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let replayed = verifier.replay(&id).await?;
    Ok(HttpResponse::Ok().json(json!({
        "agrees": replayed.agrees(),
        "then": replayed.then,
        "again": replayed.again.map(Code::as_str),
        "judged": replayed.judged,
    })))
}

fn code_and_title(code: Code) -> Value {
    json!({ "code": code.as_str(), "title": code.title(Lang::En) })
}

impl From<MakeError> for Problem {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::Store(error) => Self::of_store(&error),
            MakeError::Refused(_)
            | MakeError::ReturnUrl(_)
            | MakeError::UnknownQuery
            | MakeError::Grounds(..)
            | MakeError::Duty(_)
            | MakeError::NoCertificate
            | MakeError::Signing
            | MakeError::Key(_) => Self::new(error.code()).with_detail(error.to_string()),
        }
    }
}

impl From<AttestRefused> for Problem {
    fn from(error: AttestRefused) -> Self {
        match error {
            AttestRefused::Make(error) => error.into(),
            AttestRefused::Unknown | AttestRefused::Expired | AttestRefused::Attested => Self::new(error.code()),
        }
    }
}

impl From<Undisclosed> for Problem {
    fn from(error: Undisclosed) -> Self {
        match error {
            Undisclosed::Unknown
            | Undisclosed::Erased
            | Undisclosed::NotBack
            | Undisclosed::Unattested
            | Undisclosed::SameDevice => Self::new(error.code()),
            Undisclosed::Store(error) => Self::of_store(&error),
        }
    }
}

impl From<RedeemRefused> for Problem {
    fn from(error: RedeemRefused) -> Self {
        match error {
            RedeemRefused::Store(error) => Self::of_store(&error),
            RedeemRefused::Unknown
            | RedeemRefused::CrossDevice
            | RedeemRefused::NotAdmitted(_)
            | RedeemRefused::Replayed => Self::new(error.code()),
        }
    }
}
