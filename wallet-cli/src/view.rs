//! What `list`, `show` and `history` say, for a script and for a person. Pure: holdings in, text out.

use crate::{
    claims, duty,
    holdings::{Approval, Credential, Holdings, Kept, Ordered, Outcome, Sharing},
    labels::TypeText,
    moment::utc,
    receipt,
    ui::Ui,
};
use identity_core::{
    problem::{Code, Lang},
    sd_jwt::{ClaimPath, HeldSdJwt, SdJwtError, Segment},
    time::UnixSeconds,
};
use serde_json::{Value, json};
use service_kit::terminal::{columns, harmless, padded};

/// An answer for a script and the same for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The JSON object.
    pub object: Value,
    /// The lines.
    pub lines: Vec<String>,
}

/// All credentials, without a claim value.
#[must_use]
pub fn list(holdings: &Holdings, ui: &Ui) -> View {
    let entry = |number: usize, credential: &Credential, anchored: bool| {
        json!({ "number": number, "vct": credential.vct, "issuer": credential.issuer, "received": credential.received,
            "anchored": anchored })
    };
    let held: Vec<_> = holdings.credentials().collect();
    let object =
        held.iter().map(|(number, credential, proof)| entry(*number, credential, proof.is_some())).collect::<Value>();
    let object = json!({ "ok": true, "credentials": object });
    if held.is_empty() {
        return View { object, lines: vec![ui.text("wallet-list-empty", &[])] };
    }
    let head =
        ["number", "type", "issuer", "received", "anchored"].map(|name| ui.text(&format!("wallet-list-{name}"), &[]));
    let rows = held.iter().map(|(number, credential, proof)| {
        let anchored = ui.text(if proof.is_some() { "wallet-yes" } else { "wallet-not-yet" }, &[]);
        let kind = TypeText::of(&credential.vct).name(ui.lang());
        [number.to_string(), kind, harmless(&credential.issuer), utc(credential.received), anchored]
    });
    View { object, lines: table(std::iter::once(head).chain(rows).collect()) }
}

pub(crate) fn table<const N: usize>(rows: Vec<[String; N]>) -> Vec<String> {
    let widths: [usize; N] = std::array::from_fn(|at| {
        rows.iter().filter_map(|row| row.get(at)).map(|cell| columns(cell)).max().unwrap_or(0)
    });
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| padded(cell, width)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// One credential with all its claims: the one place that shows values.
///
/// # Errors
/// [`SdJwtError`] if the stored text cannot be read.
pub fn show(number: usize, credential: &Credential, anchored: bool, ui: &Ui) -> Result<View, SdJwtError> {
    let held = HeldSdJwt::dangerous_reopen(credential.sd_jwt.expose().to_owned())?;
    let text = TypeText::of(&credential.vct);
    let mut leaves = claims::leaves(&held);
    leaves.sort_by_key(|(path, _)| text.position(path));
    let subject: serde_json::Map<String, Value> = held
        .claims()
        .iter()
        .filter(|(name, _)| leaves.iter().any(|(path, _)| path.top_name() == Some(name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let object = json!({ "ok": true, "number": number, "vct": credential.vct, "issuer": credential.issuer,
        "received": credential.received, "anchored": anchored, "claims": subject });

    let mut rows: Vec<[String; 2]> =
        leaves.iter().map(|(path, value)| [text.label(path, ui.lang()), text.value(path, value, ui)]).collect();
    rows.push([ui.text("wallet-show-issuer", &[]), harmless(&credential.issuer)]);
    rows.push([ui.text("wallet-show-received", &[]), utc(credential.received)]);
    let anchored = ui.text(if anchored { "wallet-yes" } else { "wallet-not-yet" }, &[]);
    rows.push([ui.text("wallet-show-anchored", &[]), anchored]);
    let mut lines = vec![text.name(ui.lang())];
    lines.extend(table(rows).into_iter().map(|line| format!("  {line}")));
    Ok(View { object, lines })
}

/// Everything shared: who, when, what for, which claims; no values.
#[must_use]
pub fn history(holdings: &Holdings, now: UnixSeconds, ui: &Ui) -> View {
    let entries: Vec<Value> = holdings
        .sharings()
        .map(|(number, sharing, outcome)| object_of(number, sharing, outcome, holdings, now))
        .collect();
    let approvals: Vec<Value> = holdings.approvals().map(approval_json).collect();
    let orders: Vec<&Ordered> = holdings.orders().collect();
    let object = json!({ "ok": true, "sharings": entries, "approvals": approvals, "orders": orders });
    let mut lines: Vec<String> = holdings
        .sharings()
        .flat_map(|(number, sharing, outcome)| {
            let mut lines = lines_of(number, sharing, outcome, holdings, ui);
            let withdrawn = holdings.withdrawal(number).map(|asked| asked.lines(now, ui));
            lines.extend(withdrawn.into_iter().flatten().map(|line| format!("   {line}")));
            lines
        })
        .collect();
    lines.extend(holdings.approvals().map(|approval| approved(approval, ui)));
    lines.extend(holdings.orders().map(|ordered| ordered.line(ui)));
    if lines.is_empty() {
        return View { object, lines: vec![ui.text("wallet-history-empty", &[])] };
    }
    View { object, lines }
}

/// How the receipt of a sharing stands; nothing where the service was never heard.
fn receipt_line(number: usize, holdings: &Holdings, ui: &Ui) -> Option<String> {
    let (_, _, kept, proof) = holdings.receipts().find(|(of, ..)| *of == number)?;
    Some(match kept {
        Kept::Holds { seq, .. } => {
            let id = if proof.is_some() { "wallet-receipt-anchored" } else { "wallet-receipt-waits" };
            ui.text(id, &[("number", seq.to_string().into())])
        }
        Kept::Fault { code, .. } => receipt::fault(Code::parse(code).unwrap_or(Code::ReceiptMalformed), ui),
    })
}

fn approval_json(approval: &Approval) -> Value {
    json!({ "time": approval.time, "department": approval.department, "word": approval.word,
        "attestation": approval.signed })
}

/// What was signed as an official, in one line.
fn approved(approval: &Approval, ui: &Ui) -> String {
    let purpose = duty::purpose_name(&approval.word.purpose, ui);
    let values = [("who", approval.word.who(ui).into()), ("purpose", purpose.into())];
    format!("{}  {}", utc(approval.time), ui.text("wallet-history-approved", &values))
}

fn object_of(
    number: usize,
    sharing: &Sharing,
    outcome: Option<&Outcome>,
    holdings: &Holdings,
    now: UnixSeconds,
) -> Value {
    let receipt = holdings.receipts().find(|(of, ..)| *of == number);
    let anchored = receipt.is_some_and(|(.., proof)| proof.is_some());
    let receipt = receipt.map(|(_, _, kept, _)| kept);
    let label = sharing.label.as_ref().map(|(en, zh)| json!({ "en": en, "zh": zh }));
    let outcome = match outcome {
        Some(outcome) => json!(outcome),
        None => json!({ "outcome": "unknown" }),
    };
    json!({ "number": number, "time": sharing.time, "asker": sharing.asker, "label": label, "purpose": sharing.purpose,
        "word": sharing.word, "receipt": receipt, "receipt_anchored": anchored,
        "withdrawal": holdings.withdrawal(number).map(|asked| asked.to_json(now)),
        "credentials": sharing.credentials, "result": outcome, "request": sharing.request,
        "key_bindings": sharing.key_bindings })
}

fn lines_of(number: usize, sharing: &Sharing, outcome: Option<&Outcome>, holdings: &Holdings, ui: &Ui) -> Vec<String> {
    let outcome = match outcome {
        Some(Outcome::Accepted) => ui.text("wallet-outcome-accepted", &[]),
        Some(Outcome::Refused { code }) => match code.as_deref().and_then(Code::parse) {
            Some(code) => ui.text("wallet-outcome-refused-why", &[("reason", code.title(ui.lang()).into())]),
            None => ui.text("wallet-outcome-refused", &[]),
        },
        None => ui.text("wallet-outcome-unknown", &[]),
    };
    let purpose = sharing.purpose.as_deref();
    let purpose = purpose.map_or_else(|| ui.text("wallet-ask-no-purpose", &[]), |code| duty::purpose_name(code, ui));
    let purpose = format!("{} {purpose}", ui.text("wallet-history-purpose", &[]));
    let asker = asker_name(sharing.label.as_ref(), &sharing.asker, ui.lang());
    let mut lines = vec![format!("{number}  {}  {asker}  {purpose}  {outcome}", utc(sharing.time))];
    lines.extend(receipt_line(number, holdings, ui).map(|line| format!("   {line}")));
    lines.extend(sharing.word.as_ref().map(|word| format!("   {}", word.who(ui))));
    for shared in &sharing.credentials {
        let Some(vct) = holdings.type_of(shared.credential) else { continue };
        let text = TypeText::of(vct);
        let mut paths: Vec<ClaimPath> = shared.claims.iter().filter_map(path_from_json).collect();
        paths.sort_by_key(|path| text.position(path));
        let claims = paths.iter().map(|path| text.label(path, ui.lang()));
        let claims = listed(claims, ui);
        let values = [
            ("type", text.name(ui.lang()).into()),
            ("number", shared.credential.to_string().into()),
            ("claims", claims.into()),
        ];
        lines.push(format!("   {}", ui.text("wallet-history-claims", &values)));
    }
    lines
}

/// The asker's name in the reader's language, or its DID.
#[must_use]
pub fn asker_name(label: Option<&(String, String)>, did: &str, lang: Lang) -> String {
    match (label, lang) {
        (Some((en, _)), Lang::En) => harmless(en),
        (Some((_, zh)), Lang::Zh) => harmless(zh),
        (None, _) => harmless(did),
    }
}

/// Names in a row, each once; `wallet-ask-nothing` if there are none.
#[must_use]
pub fn listed(names: impl Iterator<Item = String>, ui: &Ui) -> String {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    let separator = match ui.lang() {
        Lang::En => ", ",
        Lang::Zh => "、",
    };
    if seen.is_empty() { ui.text("wallet-ask-nothing", &[]) } else { seen.join(separator) }
}

/// A path as the vault and scripts write it: names, positions, and null for every element.
#[must_use]
pub fn path_to_json(path: &ClaimPath) -> Value {
    let segment = |segment: &Segment| match segment {
        Segment::Name(name) => json!(name),
        Segment::Index(index) => json!(index),
        Segment::Every => Value::Null,
    };
    path.segments().iter().map(segment).collect()
}

/// The inverse of [`path_to_json`].
#[must_use]
pub fn path_from_json(path: &Value) -> Option<ClaimPath> {
    let segment = |segment: &Value| match segment {
        Value::String(name) => Some(Segment::Name(name.clone())),
        Value::Number(index) => Some(Segment::Index(index.as_u64()?.try_into().ok()?)),
        Value::Null => Some(Segment::Every),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    ClaimPath::new(path.as_array()?.iter().map(segment).collect::<Option<_>>()?).ok()
}
