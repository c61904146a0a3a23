//! What `status` says. A doubt is called a doubt, and its words say that it is no revocation.

use super::{Report, Reports};
use crate::{
    labels::TypeText,
    moment::{age, utc},
    ui::Ui,
    view::{View, listed, table},
};
use identity_core::{
    problem::Code,
    status::Status,
    time::UnixSeconds,
    verdict::{IssuerStanding, Period},
};
use serde_json::{Value, json};
use service_kit::terminal::harmless;

pub(super) fn view(reports: &Reports, now: UnixSeconds, ui: &Ui) -> View {
    let credentials: Value = reports.credentials.iter().map(|report| to_json(report, now)).collect();
    let ledger = reports.ledger.map(Code::as_str);
    let object = json!({ "ok": true, "credentials": credentials, "ledger_problem": ledger });
    if reports.credentials.is_empty() {
        return View { object, lines: vec![ui.text("wallet-list-empty", &[])] };
    }
    let head = [
        "wallet-list-number",
        "wallet-list-type",
        "wallet-list-issuer",
        "wallet-status-head",
        "wallet-status-issuer-head",
        "wallet-status-list-head",
    ]
    .map(|id| ui.text(id, &[]));
    let rows = reports.credentials.iter().map(|report| row(report, now, ui));
    let mut lines = table(std::iter::once(head).chain(rows).collect());
    lines.push(String::new());
    for report in &reports.credentials {
        lines.extend(remarks(report, ui));
    }
    if let Some(code) = reports.ledger {
        lines.push(ui.text("wallet-status-no-ledger", &[("reason", reason(code, ui).into())]));
    }
    if reports.credentials.iter().any(|report| report.condition.list.is_some()) {
        lines.push(ui.text("wallet-status-privacy", &[]));
    }
    View { object, lines }
}

fn to_json(report: &Report, now: UnixSeconds) -> Value {
    let condition = &report.condition;
    let accredited = match condition.issuer {
        Ok(standing) => Some(standing == IssuerStanding::Accredited),
        Err(_) => None,
    };
    let issued = condition.list.map(|list| list.issued_at);
    json!({ "number": report.number, "vct": report.vct, "issuer": report.issuer, "status": status_word(report),
        "reason": report.reason.map(Code::as_str), "period": period_word(condition.period),
        "list_issued": issued, "list_age": issued.map(|issued| now.since(issued)),
        "list_entries": condition.list.map(|list| list.entries), "issuer_accredited": accredited,
        "issuer_standing": condition.issuer.map_or("undetermined", standing_word) })
}

fn status_word(report: &Report) -> &'static str {
    match report.condition.status {
        Ok(Status::Valid) => "valid",
        Ok(Status::Invalid) => "revoked",
        Ok(Status::Suspended) => "suspended",
        Ok(Status::Other(_)) => "other",
        Err(_) => "undetermined",
    }
}

fn period_word(period: Period) -> &'static str {
    match period {
        Period::NotYet => "not-yet",
        Period::Current => "current",
        Period::Over => "expired",
    }
}

fn standing_word(standing: IssuerStanding) -> &'static str {
    match standing {
        IssuerStanding::Accredited => "accredited",
        IssuerStanding::NotAccredited => "not-accredited",
        IssuerStanding::AddressNotItsOwn => "other-address",
        IssuerStanding::Gone => "gone",
    }
}

fn row(report: &Report, now: UnixSeconds, ui: &Ui) -> [String; 6] {
    let condition = &report.condition;
    let mut words = vec![ui.text(&format!("wallet-status-{}", status_word(report)), &[])];
    if condition.period != Period::Current {
        words.push(ui.text(&format!("wallet-status-{}", period_word(condition.period)), &[]));
    }
    let standing = match condition.issuer {
        Ok(IssuerStanding::Accredited) => "wallet-yes",
        Ok(_) => "wallet-no",
        Err(_) => "wallet-status-undetermined",
    };
    let list = condition.list.map_or_else(
        || ui.text("wallet-status-no-list", &[]),
        |list| {
            let values = [("time", utc(list.issued_at.0).into()), ("age", age(now.since(list.issued_at), ui).into())];
            ui.text("wallet-status-list", &values)
        },
    );
    [
        report.number.to_string(),
        TypeText::of(&report.vct).name(ui.lang()),
        harmless(&report.issuer),
        listed(words.into_iter(), ui),
        ui.text(standing, &[]),
        list,
    ]
}

/// What a person should know or do about one credential; nothing if all is well.
fn remarks(report: &Report, ui: &Ui) -> Vec<String> {
    let condition = &report.condition;
    let number = || ("number", report.number.to_string().into());
    let mut remarks = Vec::new();
    match (condition.status, report.reason) {
        (Ok(Status::Valid), _) => {}
        (Ok(_), _) => remarks.push(ui.text(&format!("wallet-status-{}-why", status_word(report)), &[number()])),
        (Err(_), reason_code) => {
            let reason = reason_code.map(|code| reason(code, ui)).unwrap_or_default();
            remarks.push(ui.text("wallet-status-undetermined-why", &[number(), ("reason", reason.into())]));
        }
    }
    if let Ok(standing) = condition.issuer
        && standing != IssuerStanding::Accredited
    {
        remarks.push(ui.text(&format!("wallet-status-issuer-{}", standing_word(standing)), &[number()]));
    }
    if let Some(list) = condition.list.filter(|list| list.is_small()) {
        let entries = ("entries", list.entries.to_string().into());
        remarks.push(ui.text("wallet-status-small", &[number(), entries]));
    }
    remarks
}

fn reason(code: Code, ui: &Ui) -> String {
    format!("{} [{}]", code.title(ui.lang()), code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity_core::{
        problem::Lang,
        verdict::{Condition, EvidenceError, ListFacts, StatusDoubt},
    };

    const NOW: UnixSeconds = UnixSeconds(1_795_474_800);

    fn report(number: usize, status: Result<Status, StatusDoubt>) -> Report {
        let list = status.ok().map(|_| ListFacts { issued_at: NOW.plus(-240), entries: 1 << 17 });
        let condition = Condition { period: Period::Current, status, list, issuer: Ok(IssuerStanding::Accredited) };
        let reason = status.err().map(StatusDoubt::code);
        Report { number, vct: "urn:sample:x:1".into(), issuer: "https://d2.example".into(), condition, reason }
    }

    fn said(report: Report, lang: Lang) -> String {
        let reports = Reports { credentials: vec![report], ledger: None };
        view(&reports, NOW, &Ui::new(lang, false)).lines.join("\n")
    }

    #[test]
    fn a_doubt_is_never_called_a_revocation() {
        for doubt in [StatusDoubt::NoList, StatusDoubt::SignerUnknown, StatusDoubt::Stale, StatusDoubt::NotListed] {
            let reports = Reports { credentials: vec![report(1, Err(doubt))], ledger: None };
            for (lang, word) in [(Lang::En, "revoked"), (Lang::Zh, "吊销")] {
                let View { object, lines } = view(&reports, NOW, &Ui::new(lang, false));
                assert_eq!(object["credentials"][0]["status"], "undetermined");
                let (table, remarks) = lines.split_at(2);
                assert!(!table.join("\n").contains(word), "{table:?}");
                assert!(
                    remarks.iter().filter(|line| line.contains(word)).count() == 1,
                    "once, to deny it: {remarks:?}"
                );
            }
        }
    }

    #[test]
    fn what_was_fetched_is_said_only_where_something_was() {
        assert!(said(report(1, Ok(Status::Valid)), Lang::En).contains("Whole lists were fetched"));
        assert!(!said(report(1, Err(StatusDoubt::NoList)), Lang::En).contains("Whole lists were fetched"));
    }

    #[test]
    fn each_status_has_its_words_and_its_age() {
        for (status, english, chinese) in [
            (Status::Valid, "valid", "有效"),
            (Status::Invalid, "revoked", "已吊销"),
            (Status::Suspended, "suspended", "已暂停"),
            (Status::Other(3), "not valid", "无效"),
        ] {
            let (en, zh) = (said(report(1, Ok(status)), Lang::En), said(report(1, Ok(status)), Lang::Zh));
            assert!(en.contains(english) && en.contains("4 min ago"), "{en}");
            assert!(zh.contains(chinese) && zh.contains("4 分钟前"), "{zh}");
            // A valid one needs no remark: the table, a blank line, and what nobody learned.
            assert_eq!(en.lines().count(), if status == Status::Valid { 4 } else { 5 }, "{en}");
        }
    }

    #[test]
    fn what_is_amiss_beside_the_status_is_said_too() {
        let mut expired = report(1, Ok(Status::Valid));
        expired.condition.period = Period::Over;
        expired.condition.issuer = Ok(IssuerStanding::NotAccredited);
        expired.condition.list = Some(ListFacts { issued_at: NOW, entries: 128 });
        let text = said(expired, Lang::En);
        for words in ["valid, expired", "accredit its issuer", "128 entries", "just now"] {
            assert!(text.contains(words), "{text}");
        }
        let mut unknown = report(2, Err(StatusDoubt::SignerUnknown));
        unknown.condition.issuer = Err(EvidenceError::Missing);
        let reports = Reports { credentials: vec![unknown], ledger: Some(Code::FetchUnreachable) };
        let View { object, lines } = view(&reports, NOW, &Ui::new(Lang::Zh, false));
        assert_eq!(object["ledger_problem"], "fetch.unreachable");
        assert_eq!(object["credentials"][0]["issuer_accredited"], Value::Null);
        assert!(lines.iter().any(|line| line.contains("fetch.unreachable")), "{lines:?}");
    }
}
