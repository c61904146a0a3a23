//! One target for each parser that reads strangers' bytes.
//!
//! A target takes any bytes and says whether they were [`Outcome::Accepted`]. What it must never do is panic, hang, or
//! break a rule that it states with `assert!`: what was accepted reads the same when written down again, an
//! independent implementation sees the same, nothing is believed that the sample world did not sign.
//!
//! Where a signature stands before the interesting code, the target makes it itself, over the fuzzer's payload: an
//! attacker who holds a key may sign anything. `cargo test` runs every seed through its target; `cargo xtask fuzz`
//! lets a coverage-guided fuzzer go on from there.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken rule must stop the fuzzer at the spot"
)]

pub mod target {
    //! The targets, by room.

    pub mod anchor;
    pub mod did;
    pub mod duty;
    pub mod encoding;
    pub mod evidence;
    pub mod jose;
    pub mod ledger;
    pub mod oauth;
    pub mod oid4vci;
    pub mod oid4vp;
    pub mod receipt;
    pub mod registry;
    pub mod sd_jwt;
    pub mod status;
    pub mod verdict;
    pub mod withdrawal;
}
pub mod seeds;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The parser took it.
    Accepted,
    /// The parser refused it.
    Refused,
}

impl Outcome {
    /// How a result counts.
    pub fn of<T, E>(result: &Result<T, E>) -> Self {
        if result.is_ok() { Self::Accepted } else { Self::Refused }
    }
}

/// A parser under attack.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is also the folder of its seeds.
    pub name: &'static str,
    /// Runs it on one input.
    pub run: fn(&[u8]) -> Outcome,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "json", run: target::encoding::json },
    Target { name: "base64url", run: target::encoding::base64url },
    Target { name: "multibase", run: target::encoding::multibase },
    Target { name: "form", run: target::oauth::form },
    Target { name: "url", run: target::oauth::url },
    Target { name: "jws", run: target::jose::jws },
    Target { name: "jwe", run: target::jose::jwe },
    Target { name: "jwk", run: target::jose::jwk },
    Target { name: "did", run: target::did::did },
    Target { name: "did_document", run: target::did::document },
    Target { name: "sd_jwt", run: target::sd_jwt::text },
    Target { name: "sd_jwt_processing", run: target::sd_jwt::processing },
    Target { name: "sd_jwt_json", run: target::sd_jwt::serialisation },
    Target { name: "confirmation", run: target::sd_jwt::confirmation },
    Target { name: "kb_jwt", run: target::sd_jwt::key_binding },
    Target { name: "type_metadata", run: target::sd_jwt::type_metadata },
    Target { name: "dcql", run: target::sd_jwt::dcql },
    Target { name: "status_list", run: target::status::list },
    Target { name: "status_token", run: target::status::token },
    Target { name: "note", run: target::ledger::note },
    Target { name: "trust_root", run: target::ledger::trust_root },
    Target { name: "checkpoint", run: target::ledger::checkpoint },
    Target { name: "seal", run: target::ledger::seal },
    Target { name: "log_proof", run: target::ledger::log_proof },
    Target { name: "state_proof", run: target::ledger::state_proof },
    Target { name: "time_proof", run: target::ledger::time_proof },
    Target { name: "split_evidence", run: target::ledger::split_evidence },
    Target { name: "walk", run: target::ledger::walk },
    Target { name: "snapshot", run: target::ledger::snapshot },
    Target { name: "tile", run: target::ledger::tile },
    Target { name: "transaction", run: target::registry::transaction },
    Target { name: "genesis", run: target::registry::genesis },
    Target { name: "ledger_rules", run: target::registry::rules },
    Target { name: "anchor_proof", run: target::anchor::proof },
    Target { name: "duty_attestation", run: target::duty::attestation },
    Target { name: "duty_order", run: target::duty::order },
    Target { name: "receipt", run: target::receipt::receipt },
    Target { name: "withdrawal", run: target::withdrawal::withdrawal },
    Target { name: "withdrawal_ack", run: target::withdrawal::acknowledgement },
    Target { name: "evidence_bundle", run: target::evidence::bundle },
    Target { name: "period_export", run: target::evidence::period },
    Target { name: "vci_offer", run: target::oid4vci::offer },
    Target { name: "vci_requests", run: target::oid4vci::requests },
    Target { name: "vci_replies", run: target::oid4vci::replies },
    Target { name: "vp_request", run: target::oid4vp::request },
    Target { name: "vp_response", run: target::oid4vp::response },
    Target { name: "verdict", run: target::verdict::presentation },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}

/// A signed text with the signature of nothing.
fn unsigned(jws: &str) -> String {
    let signed = jws.rfind('.').map_or(jws, |end| &jws[..end]);
    format!("{signed}.{}", "A".repeat(86))
}

/// The bytes as text, where a parser takes text only.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}
