//! That a sharing was taken back, in words: by when that was there, and what the service says it did.

use identity_core::bundle::Withdrawn;
use identity_core::problem::Lang;
use identity_core::withdrawal::{Acknowledgement, Kind};
use service_kit::calendar::utc;
use service_kit::messages::Catalogue;
use service_kit::terminal::whole_basis;

use super::name;

/// The lines about a withdrawal.
pub(super) fn lines(withdrawn: &Withdrawn, messages: &Catalogue) -> Vec<String> {
    let mut lines = vec![messages.text("evidence-withdrawn", &[("time", utc(withdrawn.signed().0).into())])];
    lines.push(match withdrawn.notarised() {
        None => messages.text("evidence-withdrawn-unproven", &[]),
        Some(notarised) => {
            let values = [
                ("name", name(&notarised.by, messages.lang()).into()),
                ("index", notarised.index.to_string().into()),
                ("time", utc(notarised.sealed_by.to_seconds().0).into()),
            ];
            messages.text("evidence-withdrawn-notarised", &values)
        }
    });
    match (withdrawn.acknowledged(), withdrawn.answer_due()) {
        (None, None) => lines.push(messages.text("evidence-withdrawn-no-answer", &[])),
        (None, Some(due)) => lines.push(messages.text("evidence-withdrawn-silent", &[("time", utc(due.0).into())])),
        (Some(acknowledged), _) => {
            let said = &acknowledged.said;
            let (id, index) = match acknowledged.taken {
                Some((index, _)) => ("evidence-withdrawn-acknowledged", index.to_string()),
                None => ("evidence-withdrawn-acknowledged-waiting", String::new()),
            };
            let number = said.seq.to_string();
            let values = [("time", utc(said.iat.0).into()), ("number", number.into()), ("index", index.into())];
            lines.push(messages.text(id, &values));
            lines.extend(said_lines(said, messages));
        }
    }
    lines
}

fn said_lines(said: &Acknowledgement, messages: &Catalogue) -> Vec<String> {
    let kind = |kind: Kind| messages.text(&format!("evidence-kind-{}", kind.as_str().replace('_', "-")), &[]);
    let between = match messages.lang() {
        Lang::En => ", ",
        Lang::Zh => "、",
    };
    let mut lines = Vec::new();
    if !said.deleted.is_empty() {
        let deleted: Vec<String> = said.deleted.iter().map(|deleted| kind(*deleted)).collect();
        lines.push(messages.text("evidence-withdrawn-deleted", &[("what", deleted.join(between).into())]));
    }
    for kept in &said.kept {
        let values = [
            ("what", kind(kept.what).into()),
            ("basis", whole_basis(&kept.basis).into()),
            ("time", kept.until.map(|until| utc(until.0)).unwrap_or_default().into()),
        ];
        let id = if kept.until.is_some() { "evidence-withdrawn-kept-until" } else { "evidence-withdrawn-kept" };
        lines.push(messages.text(id, &values));
    }
    if said.passed_on {
        lines.push(messages.text("evidence-withdrawn-passed-on", &[]));
    }
    lines
}
