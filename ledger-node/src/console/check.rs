//! "Check a file": somebody drops a bundle of evidence, a period export, a receipt or a state proof, and the page itself reads
//! it. The file never leaves the browser: the node serves the scripts, a trust root, and what the ledger says in public.

use actix_web::{HttpResponse, web};
use identity_core::did::Did;
use identity_core::problem::Code;
use identity_core::purpose;
use identity_core::registry::{AnchoredReceipts, receipts_key};
use maud::{Markup, html};
use serde_json::json;
use service_kit::calendar::utc;
use service_kit::console::frame::{self, Page};
use service_kit::console::visitor::Visitor;
use service_kit::messages::Value;
use service_kit::reply::Problem;

use super::asset::{CHECKER, CHECKER_DIGEST};
use super::names;
use super::place;
use super::reading::Console;
use super::reasons::REASONS;

/// What the page's script says beside the reasons of the check, by the id of its text; those of evidence and periods are the
/// ones that `xinfu-verifier check` says.
const SAID: [&str; 118] = [
    "console-check-reading",
    "console-check-too-large",
    "console-check-unknown",
    "console-check-failed",
    "console-check-fails",
    "console-check-not-checked",
    "console-check-no-trust",
    "console-check-no-crypto",
    "console-check-step-trust-root",
    "console-check-step-file",
    "console-check-step-ledger",
    "console-check-step-moment",
    "console-check-step-receipt",
    "console-check-step-request",
    "console-check-step-duty",
    "console-check-step-time",
    "console-check-step-accreditation",
    "console-check-step-holder",
    "console-check-step-withdrawal",
    "console-check-step-chain",
    "console-check-step-dates",
    "console-check-step-anchors",
    "console-check-said-trust-root",
    "console-check-said-file",
    "console-check-said-ledger",
    "console-check-said-moment",
    "console-check-said-moment-waiting",
    "console-check-said-receipt",
    "console-check-said-request",
    "console-check-said-duty",
    "console-check-said-time",
    "console-check-said-accreditation",
    "console-check-said-holder-signed",
    "console-check-said-holder-claimed",
    "console-check-said-holder-unproven",
    "console-check-said-withdrawal-none",
    "console-check-said-withdrawal-noted-answered",
    "console-check-said-withdrawal-noted-silent",
    "console-check-said-withdrawal-claimed-answered",
    "console-check-said-withdrawal-claimed-silent",
    "console-check-said-chain-known",
    "console-check-said-chain",
    "console-check-said-dates",
    "console-check-said-anchors",
    "console-check-said-state-file",
    "console-check-said-state",
    "console-check-step-is-good",
    "console-check-step-is-bad",
    "console-check-step-is-skipped",
    "console-period-fails",
    "console-proof-holds",
    "console-proof-absent",
    "console-proof-fails",
    "console-proof-key",
    "console-proof-index",
    "console-proof-cosigned",
    "console-receipt-service",
    "console-receipt-number",
    "console-receipt-digest",
    "console-receipt-anchor",
    "console-receipt-range",
    "console-receipt-time",
    "console-receipt-exact",
    "console-receipt-other",
    "console-receipt-covered",
    "console-receipt-waiting",
    "console-receipt-unsure",
    "console-receipt-no-service",
    "console-receipt-unsigned",
    "evidence-holds",
    "evidence-service",
    "evidence-official",
    "evidence-service-account",
    "evidence-accredited",
    "evidence-authority",
    "evidence-shown",
    "evidence-unreadable",
    "evidence-nothing-shown",
    "evidence-purpose",
    "evidence-retention",
    "evidence-verdict-accepted",
    "evidence-verdict-refused",
    "evidence-receipt",
    "evidence-anchored",
    "evidence-waiting",
    "evidence-holder-signed",
    "evidence-holder-signed-no-purpose",
    "evidence-holder-claimed",
    "evidence-holder-unproven",
    "evidence-withdrawn",
    "evidence-withdrawn-notarised",
    "evidence-withdrawn-unproven",
    "evidence-withdrawn-silent",
    "evidence-withdrawn-no-answer",
    "evidence-withdrawn-acknowledged",
    "evidence-withdrawn-acknowledged-waiting",
    "evidence-withdrawn-deleted",
    "evidence-withdrawn-kept",
    "evidence-withdrawn-kept-until",
    "evidence-withdrawn-passed-on",
    "evidence-kind-claims",
    "evidence-kind-presentation",
    "evidence-kind-key-bindings",
    "evidence-kind-anchor-proofs",
    "evidence-kind-holder-keys",
    "evidence-kind-request",
    "evidence-kind-verdict",
    "evidence-kind-receipt",
    "period-holds",
    "period-empty",
    "period-service",
    "period-dates",
    "period-acts",
    "period-ledger",
    "period-closed",
    "period-open",
    "period-waiting",
    "period-place",
];

/// Beginnings of the codes that a file may be refused with.
const REFUSED: [&str; 5] = ["evidence.", "period.", "receipt.", "registry.proof.", "ledger.checkpoint.split_view"];

/// What the script puts into these texts: each name stands there in braces.
pub(super) const VALUES: [(&str, &str); 30] = [
    ("name", "{name}"),
    ("by", "{by}"),
    ("index", "{index}"),
    ("title", "{title}"),
    ("duty", "{duty}"),
    ("type", "{type}"),
    ("claims", "{claims}"),
    ("purpose", "{purpose}"),
    ("basis", "{basis}"),
    ("days", "{days}"),
    ("reason", "{reason}"),
    ("number", "{number}"),
    ("what", "{what}"),
    ("count", "{count}"),
    ("origin", "{origin}"),
    ("quorum", "{quorum}"),
    ("first", "{first}"),
    ("last", "{last}"),
    ("service", "{service}"),
    ("from", "{from}"),
    ("to", "{to}"),
    ("accepted", "{accepted}"),
    ("refused", "{refused}"),
    ("withdrawn", "{withdrawn}"),
    ("waiting", "{waiting}"),
    ("claim", "{claim}"),
    ("kind", "{kind}"),
    ("use", "{use}"),
    ("typ", "{typ}"),
    ("problem", "{problem}"),
];

/// `GET /console/check`.
pub(super) async fn show(visitor: Visitor) -> HttpResponse {
    frame::answer(&visitor, place::CHECK, Ok(page(&visitor)))
}

fn page(visitor: &Visitor) -> Page {
    let own = visitor.say("console-check-trust-own");
    let bytes = [("bytes", CHECKER.len().to_string().into())];
    let body = html! {
        script type="module" src="/console/page.js" {}
        noscript { p.warning { (visitor.say("console-check-no-script")) } }
        form #check.check hidden {
            label.drop #drop for="file" {
                strong { (visitor.say("console-check-drop")) }
                span { (visitor.say("console-check-kinds")) }
                input #file type="file";
            }
            fieldset {
                legend { (visitor.say("console-check-trust")) }
                label { input type="radio" name="trust" value="node" checked; (visitor.say("console-check-trust-node")) }
                div {
                    label { input type="radio" name="trust" value="own"; (own) }
                    input #root type="file" aria-label=(own);
                }
                p.note { (visitor.say("console-check-trust-note")) }
            }
        }
        section #result.result aria-live="polite" tabindex="-1" {}
        section aria-labelledby="script" {
            h2 #script { (visitor.say("console-check-script")) }
            p { (visitor.say("console-check-script-lead")) }
            dl.facts { div { dt { "SHA-256" } dd { code #digest.digest { (CHECKER_DIGEST.to_hex()) } } } }
            p { a href="/console/check.js" download="check.js" { (visitor.fill("console-check-download", &bytes)) } }
        }
        (texts(visitor))
    };
    Page::new(place::CHECK, visitor.say("console-check"), body).with_lead(visitor.say("console-check-lead"))
}

/// The script's words: it has none of its own.
fn texts(visitor: &Visitor) -> Markup {
    let lang = visitor.lang();
    let mut values: Vec<(&str, Value<'_>)> = VALUES.iter().map(|(name, value)| (*name, (*value).into())).collect();
    values.push(("time", "{time}".into()));
    html! {
        template #texts {
            @for id in SAID.into_iter().chain(REASONS.keys().map(String::as_str)) {
                span data-text=(id) { (visitor.fill(id, &values)) }
            }
            @for code in Code::ALL.iter().filter(|code| REFUSED.iter().any(|begins| code.as_str().starts_with(begins))) {
                span data-code=(code.as_str()) data-remedy=(code.remedy(lang)) { (code.title(lang)) }
            }
            @for (vct, name) in names::all_types(lang) { span data-type=(vct) { (name) } }
            @for code in purpose::codes() { span data-purpose=(code) { (names::of_purpose(code, lang)) } }
        }
    }
}

/// `GET /console/receipts?did=…&number=…`: how far the ledger has a member's chain of receipts, and which anchor covers
/// one of them. All of it stands in the log; of a receipt, only its place is asked for.
pub(super) async fn receipt(console: web::Data<Console>, visitor: Visitor) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Code::LedgerEntryUnknown);
    let did = Did::parse(visitor.asks("did").ok_or_else(unknown)?).map_err(|error| Problem::new(error.code()))?;
    let number: u64 = visitor.asks("number").and_then(|number| number.parse().ok()).ok_or_else(unknown)?;
    let reading = console.reading()?;
    let directory = reading.directory().await?;
    let chain: Option<AnchoredReceipts> = reading.value(&receipts_key(&did)).await?;
    let range = reading.follower().await.receipt(&did, number);
    let block = match &range {
        Some(range) => reading.blocks(&[range.index]).await?.remove(&range.index),
        None => None,
    };
    let anchor = range.map(|range| {
        let time = block.map(|block| utc(block.time()));
        json!({"index": range.index, "time": time, "first": range.first, "last": range.last, "head": range.head})
    });
    let answer = json!({
        "known": reading.did(&did).await?.is_some(),
        "name": directory.name(&did, visitor.lang()),
        "last": chain.map_or(0, |chain| chain.last),
        "anchor": anchor,
    });
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(answer))
}
