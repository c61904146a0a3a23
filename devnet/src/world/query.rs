//! What the housing fund asks, and what it may ask.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use verifier::{AnchorPolicy, QueryConfig, Undetermined};

use super::layout::{PUBLIC_SECURITY, PURPOSE};

/// Name of the configured query.
pub const LOAN: &str = "housing-fund-loan";

/// Its credential's id, under which the claims come back.
pub const RESIDENT: &str = "resident";

/// The claims it asks for: three of a resident identity's many.
pub const ASKED: [&[&str]; 3] = [&["name"], &["birth_date"], &["address", "region"]];

/// The claims the housing fund is accredited to ask for: a little more than the query does.
pub const ACCREDITED: [&[&str]; 3] = [&["name"], &["birth_date"], &["address"]];

/// The legal basis that the housing fund states, and the days for which it says it keeps answers: samples.
pub const BASIS: &str = "Regulations on the Administration of Housing Provident Funds, article 26 (sample)";
/// See [`BASIS`].
pub const RETENTION_DAYS: u32 = 30;

/// Duty number of the housing fund's service account.
pub const DESK: &str = "desk";

/// What that duty is called, in English and Chinese.
pub const DESK_TITLE: [&str; 2] = ["Sample loan desk", "示例贷款受理台"];

/// Duty number of the housing fund's official.
pub const COUNTER: &str = "counter";

/// What the service account may ask for: more than the housing fund itself, so that only the wallet stands in the way.
pub const DESK_CLAIMS: [&[&str]; 4] = [&["name"], &["birth_date"], &["address"], &["citizen_number"]];

/// The housing fund's named queries.
#[must_use]
pub fn configured() -> BTreeMap<String, QueryConfig> {
    let loan = QueryConfig {
        purpose: PURPOSE.to_owned(),
        basis: BASIS.to_owned(),
        retention_days: RETENTION_DAYS,
        holder_signs: true,
        required_by_law: None,
        anchor: AnchorPolicy::Required,
        undetermined_status: Undetermined::Refuse,
        dcql: dcql(&ASKED).to_string(),
    };
    BTreeMap::from([(LOAN.to_owned(), loan)])
}

/// A query for the citizen number, which nobody has accredited the housing fund to ask for.
#[must_use]
pub fn too_much() -> Value {
    dcql(&[&["name"], &["citizen_number"]])
}

/// A query for the sex, which nobody at the housing fund has the duty to ask for.
#[must_use]
pub fn beyond_duty() -> Value {
    dcql(&[&["name"], &["sex"]])
}

fn dcql(claims: &[&[&str]]) -> Value {
    let claims: Vec<Value> = claims.iter().map(|path| json!({ "path": path })).collect();
    json!({
        "credentials": [{
            "id": RESIDENT,
            "format": "dc+sd-jwt",
            "meta": { "vct_values": [PUBLIC_SECURITY.main.vct] },
            "claims": claims,
        }]
    })
}
