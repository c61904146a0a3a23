//! What a checked period shows, in words: whose, from when to when, how much, and how far the ledger vouches for it.

use identity_core::period::{CheckedPeriod, Period, PeriodError};
use identity_core::receipt::Entry;
use service_kit::calendar::utc;
use service_kit::messages::{Catalogue, Value};

/// The lines of a period that is whole.
pub(crate) fn holds(checked: &CheckedPeriod, period: &Period, messages: &Catalogue) -> Vec<String> {
    let text = |id: &str, values: &[(&str, String)]| {
        let values: Vec<(&str, Value<'_>)> = values.iter().map(|(name, value)| (*name, value.clone().into())).collect();
        messages.text(id, &values)
    };
    let entries = checked.entries();
    let mut lines = vec![match (entries.first(), entries.last()) {
        (Some(first), Some(last)) => {
            text("period-holds", &[("first", first.seq().to_string()), ("last", last.seq().to_string())])
        }
        _ => text("period-empty", &[]),
    }];
    lines.push(text("period-service", &[("service", checked.service().to_string())]));
    lines.push(text("period-dates", &[("from", utc(period.from.0)), ("to", utc(period.to.0))]));
    let count = |wanted: &dyn Fn(&Entry) -> bool| entries.iter().filter(|entry| wanted(entry)).count().to_string();
    let acts = [
        ("accepted", count(&|entry| matches!(entry, Entry::Receipt(receipt) if receipt.is_accepted()))),
        ("refused", count(&|entry| matches!(entry, Entry::Receipt(receipt) if !receipt.is_accepted()))),
        ("withdrawn", count(&|entry| matches!(entry, Entry::Acknowledgement(_)))),
    ];
    lines.push(text("period-acts", &acts));
    let ledger = [
        ("last", checked.anchored().seq.to_string()),
        ("index", checked.as_of().to_string()),
        ("time", utc(checked.known_at().0)),
    ];
    lines.push(text("period-ledger", &ledger));
    lines.push(text(if checked.is_closed() { "period-closed" } else { "period-open" }, &[]));
    if checked.waiting() > 0 {
        lines.push(text("period-waiting", &[("waiting", checked.waiting().to_string())]));
    }
    lines
}

/// The lines of one that is not.
pub(crate) fn fails(error: PeriodError, messages: &Catalogue) -> Vec<String> {
    let code = error.code();
    let reason = [("reason", code.title(messages.lang()).into()), ("code", code.as_str().into())];
    let mut lines = vec![messages.text("period-fails", &reason)];
    lines.extend(error.seq().map(|seq| messages.text("period-place", &[("number", seq.to_string().into())])));
    lines.push(messages.text("evidence-remedy", &[("remedy", code.remedy(messages.lang()).into())]));
    lines
}
