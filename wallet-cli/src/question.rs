//! What a holder is shown before anything leaves: who asks, whether the ledger lets them, what for, what leaves and
//! what stays.

use crate::{
    asker::Accreditation,
    claims::Split,
    duty::Word,
    labels::TypeText,
    moment::utc,
    ui::Ui,
    view::{asker_name, listed, path_to_json},
};
use identity_core::{sd_jwt::ClaimPath, verdict::Excess};
use serde_json::{Value, json};
use service_kit::terminal::{columns, harmless, padded};
use std::collections::BTreeSet;

/// A verified request against what the vault holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The asker's DID; its signature on the request held under the ledger's key.
    pub asker: String,
    /// The asker's name on the ledger: English, Chinese.
    pub label: Option<(String, String)>,
    /// Whether the ledger lets it ask this.
    pub accreditation: Accreditation,
    /// Who answers for the question, and what the data is wanted for.
    pub word: Word,
    /// Where the answer goes: a host that the asker's DID registers.
    pub destination: String,
    /// One per credential that would leave.
    pub items: Vec<Item>,
    /// What the asker would like and does not need; it leaves only if the holder adds it.
    pub optional: Vec<Vec<Item>>,
    /// Other ways to answer, of which the holder may choose one.
    pub instead: Vec<Vec<Item>>,
}

/// What of one credential would leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The query it answers.
    pub query: String,
    /// The credential's number.
    pub number: usize,
    /// Its type.
    pub vct: String,
    /// Its issuer.
    pub issuer: String,
    /// Its claims, parted.
    pub split: Split,
    /// Other credentials that would answer too, by number.
    pub others: Vec<usize>,
    /// Whether the query takes several credentials.
    pub multiple: bool,
    /// Other askers that were shown this credential before: label, if any, and DID.
    pub seen_by: Vec<(Option<(String, String)>, String)>,
}

impl Question {
    /// Whether the ledger lets the asker ask all of this.
    #[must_use]
    pub fn is_accredited(&self) -> bool {
        matches!(self.accreditation, Accreditation::Covers { .. })
    }

    /// The question once the holder has added some of what is not needed, by its place. What else the asker would like is
    /// still not needed, and offered for what it would show beyond that.
    #[must_use]
    pub fn with(mut self, added: &BTreeSet<usize>) -> Self {
        let offers = std::mem::take(&mut self.optional).into_iter().enumerate();
        let (taken, left): (Vec<_>, Vec<_>) = offers.partition(|(place, _)| added.contains(place));
        for (_, offer) in taken {
            let fresh = self.beyond(offer);
            self.items.extend(fresh);
        }
        let left = left.into_iter().map(|(_, offer)| self.beyond(offer));
        self.optional = left.filter(|offer| !offer.is_empty()).collect();
        self
    }

    /// What of an offer answers other queries than what leaves anyway: each query is answered once.
    fn beyond(&self, offer: Vec<Item>) -> Vec<Item> {
        offer.into_iter().filter(|item| self.items.iter().all(|leaving| leaving.query != item.query)).collect()
    }

    /// The question for a person.
    #[must_use]
    pub fn lines(&self, ui: &Ui) -> Vec<String> {
        let name = match &self.label {
            Some(label) => asker_name(Some(label), &self.asker, ui.lang()),
            None => ui.text("wallet-ask-unknown-name", &[]),
        };
        let mut facts = vec![("wallet-ask-who", name), ("", harmless(&self.asker))];
        facts.push(("wallet-ask-duty", self.word.who(ui)));
        facts.extend(
            self.standing(ui)
                .into_iter()
                .zip(["wallet-ask-ledger"].into_iter().chain(std::iter::repeat("")))
                .map(|(text, id)| (id, text)),
        );
        facts.extend(self.word.facts(ui));
        if !self.word.holder_signs {
            facts.push(("wallet-ask-signed", ui.text("wallet-ask-unsigned", &[])));
        }
        facts.push(("wallet-ask-destination", harmless(&self.destination)));
        let mut lines = aligned(facts, "", ui);
        for item in &self.items {
            lines.push(String::new());
            lines.extend(item.lines(ui));
        }
        for (place, offered) in self.optional.iter().enumerate() {
            lines.push(String::new());
            lines.push(ui.text("wallet-ask-optional", &[("number", (place + 1).to_string().into())]));
            lines.extend(offered.iter().flat_map(|item| item.lines(ui)).map(|line| format!("  {line}")));
        }
        if !self.instead.is_empty() {
            lines.push(String::new());
        }
        lines.extend(self.instead.iter().map(|way| instead(way, ui)));
        lines.push(String::new());
        lines.push(ui.text("wallet-ask-linkable", &[]));
        lines
    }

    fn standing(&self, ui: &Ui) -> Vec<String> {
        match &self.accreditation {
            Accreditation::Covers { as_of } => vec![ui.text("wallet-ask-accredited", &[("time", utc(as_of.0).into())])],
            Accreditation::Beyond(excess) => {
                let reasons = excess.iter().map(|excess| self.reason(excess, ui));
                std::iter::once(ui.text("wallet-ask-beyond", &[])).chain(reasons).collect()
            }
        }
    }

    fn reason(&self, excess: &Excess, ui: &Ui) -> String {
        let (id, query, claims) = match excess {
            Excess::Type { query_id } => ("wallet-ask-beyond-type", query_id, &[][..]),
            Excess::Claims { query_id, claims } => ("wallet-ask-beyond-claims", query_id, claims.as_slice()),
            Excess::Purpose { query_id } => ("wallet-ask-beyond-purpose", query_id, &[][..]),
        };
        let mut items = self.items.iter().chain(self.optional.iter().flatten()).chain(self.instead.iter().flatten());
        let item = items.find(|item| item.query == *query);
        let text = TypeText::of(item.map_or(query.as_str(), |item| item.vct.as_str()));
        let claims = listed(claims.iter().map(|path| text.label(path, ui.lang())), ui);
        ui.text(id, &[("type", text.name(ui.lang()).into()), ("claims", claims.into())])
    }

    /// The question for a script, or for a record of it; no values.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let label = self.label.as_ref().map(|(en, zh)| json!({ "en": en, "zh": zh }));
        let credentials: Value = self.items.iter().map(Item::to_json).collect();
        let ways = |ways: &[Vec<Item>]| -> Value {
            ways.iter().map(|items| items.iter().map(Item::to_json).collect::<Value>()).collect()
        };
        json!({ "asker": self.asker, "label": label, "accredited": self.is_accredited(),
            "purpose": self.word.purpose, "word": self.word,
            "destination": self.destination, "credentials": credentials, "optional": ways(&self.optional),
            "instead": ways(&self.instead) })
    }
}

impl Item {
    fn lines(&self, ui: &Ui) -> Vec<String> {
        let text = TypeText::of(&self.vct);
        let values = [
            ("type", text.name(ui.lang()).into()),
            ("number", self.number.to_string().into()),
            ("issuer", harmless(&self.issuer).into()),
        ];
        let names = |paths: &[ClaimPath]| {
            let mut paths: Vec<&ClaimPath> = paths.iter().collect();
            paths.sort_by_key(|path| text.position(path));
            listed(paths.into_iter().map(|path| text.label(path, ui.lang())), ui)
        };
        let mut facts = vec![
            ("wallet-ask-leaves", names(&self.split.leaves)),
            ("wallet-ask-stays", names(&self.split.stays)),
            ("wallet-ask-always", ui.text("wallet-ask-always-what", &[])),
        ];
        if !self.split.always.is_empty() {
            let claims = names(&self.split.always);
            facts.push(("", ui.text("wallet-ask-always-claims", &[("claims", claims.into())])));
        }
        let mut lines = vec![ui.text("wallet-ask-from", &values)];
        lines.extend(aligned(facts, "  ", ui));
        if !self.others.is_empty() {
            let id = if self.multiple { "wallet-ask-more" } else { "wallet-ask-others" };
            let numbers = listed(self.others.iter().map(usize::to_string), ui);
            let values = [("numbers", numbers.into()), ("query", harmless(&self.query).into())];
            lines.push(format!("  {}", ui.text(id, &values)));
        }
        if !self.seen_by.is_empty() {
            let askers = self.seen_by.iter().map(|(label, did)| asker_name(label.as_ref(), did, ui.lang()));
            lines.push(format!("  {}", ui.text("wallet-ask-seen", &[("askers", listed(askers, ui).into())])));
        }
        lines
    }

    fn to_json(&self) -> Value {
        let paths = |paths: &[ClaimPath]| paths.iter().map(path_to_json).collect::<Value>();
        json!({ "query": self.query, "number": self.number, "vct": self.vct, "issuer": self.issuer,
            "leaves": paths(&self.split.leaves), "stays": paths(&self.split.stays), "others": self.others })
    }
}

/// Another way to answer, and what to type for it.
fn instead(way: &[Item], ui: &Ui) -> String {
    let types = listed(way.iter().map(|item| TypeText::of(&item.vct).name(ui.lang())), ui);
    let choice: Vec<String> =
        way.iter().map(|item| format!("--select {}={}", harmless(&item.query), item.number)).collect();
    ui.text("wallet-ask-instead", &[("types", types.into()), ("choice", choice.join(" ").into())])
}

/// Facts under each other, their names in one column.
pub(crate) fn aligned(facts: Vec<(&str, String)>, indent: &str, ui: &Ui) -> Vec<String> {
    let named: Vec<(String, String)> = facts
        .into_iter()
        .map(|(id, fact)| (if id.is_empty() { String::new() } else { ui.text(id, &[]) }, fact))
        .collect();
    let width = named.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
    named.into_iter().map(|(name, fact)| format!("{indent}{}  {fact}", padded(&name, width))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity_core::{duty::MAX_BASIS_CHARS, problem::Lang, time::UnixSeconds};

    fn question(accreditation: Accreditation) -> Question {
        let split = Split {
            leaves: vec![ClaimPath::top("address").member("region"), ClaimPath::top("name")],
            stays: vec![ClaimPath::top("citizen_number")],
            always: Vec::new(),
        };
        let item = Item {
            query: "id".into(),
            number: 1,
            vct: "urn:xinfu:credential:resident-identity:1".into(),
            issuer: "https://issuer.example".into(),
            split,
            others: Vec::new(),
            multiple: false,
            seen_by: Vec::new(),
        };
        Question {
            asker: "did:xinfu:sample:asker".into(),
            label: Some(("Sample housing fund".into(), "样本\u{1b}[31m公积金".into())),
            accreditation,
            word: Word {
                duty: "counter-1".into(),
                title: ("Sample counter".into(), "示例\u{1b}[31m窗口".into()),
                service: false,
                purpose: "housing-fund-loan".into(),
                basis: "Sample Act, article 1".into(),
                retention_days: 30,
                case: false,
                holder_signs: true,
            },
            destination: "https://verifier.example".into(),
            items: vec![item],
            optional: Vec::new(),
            instead: Vec::new(),
        }
    }

    #[test]
    fn a_person_reads_who_asks_and_what_leaves() {
        let lines = question(Accreditation::Covers { as_of: UnixSeconds(0) }).lines(&Ui::new(Lang::En, false));
        let expected = "\
Who asks       Sample housing fund
               did:xinfu:sample:asker
Answered for   Sample counter, duty counter-1
By the ledger  accredited to ask for all of this, as of 1970-01-01 00:00 UTC
What for       Housing fund loan (housing-fund-loan)
Legal basis    Sample Act, article 1
Kept for       30 days
Goes to        https://verifier.example

From Resident identity (number 1, issued by https://issuer.example)
  Leaves       Name, Region of the address
  Stays here   Citizen number
  Always seen  type, issuer, validity, status entry, and the key of this one credential

Shown twice, this credential can be recognised as the same one.";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn a_service_account_a_case_and_an_unsigned_purpose_are_said_so() {
        let mut question = question(Accreditation::Covers { as_of: UnixSeconds(0) });
        (question.word.service, question.word.case, question.word.holder_signs) = (true, true, false);
        question.word.purpose = "unheard-of".into();
        let text = question.lines(&Ui::new(Lang::En, false)).join("\n");
        for expected in [
            "Answered for   Sample counter, duty counter-1: a service account, no person signed",
            "What for       unheard-of",
            "Case           named; its number stays with the department",
            "Your signature does not cover what the data is wanted for",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        let text = question.lines(&Ui::new(Lang::Zh, false)).join("\n");
        assert!(text.contains("示例�[31m窗口（岗位 counter-1）：服务账户，无人员签署"), "{text}");
    }

    #[test]
    fn a_credential_that_others_saw_is_said_to_be_recognisable() {
        let mut question = question(Accreditation::Covers { as_of: UnixSeconds(0) });
        question.items[0].seen_by =
            vec![(Some(("Sample bank".into(), "样本银行".into())), "did:xinfu:sample:bank".into())];
        let text = question.lines(&Ui::new(Lang::Zh, false)).join("\n");
        assert!(text.contains("此凭证曾出示给：样本银行"), "{text}");
    }

    #[test]
    fn a_legal_basis_is_read_to_its_end() {
        let mut question = question(Accreditation::Covers { as_of: UnixSeconds(0) });
        question.word.basis = "法".repeat(MAX_BASIS_CHARS - 1) + "尾";
        let text = question.lines(&Ui::new(Lang::Zh, false)).join("\n");
        assert!(text.contains(&question.word.basis), "{text}");
    }

    #[test]
    fn what_no_choice_keeps_back_is_said_to_be_seen_always() {
        let mut question = question(Accreditation::Covers { as_of: UnixSeconds(0) });
        question.items[0].split.always = vec![ClaimPath::top("sub"), ClaimPath::top("name")];
        let text = question.lines(&Ui::new(Lang::En, false)).join("\n");
        let expected = "  Always seen  type, issuer, validity, status entry, and the key of this one credential
               and, whatever you choose: Name, sub";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_person_reads_what_could_go_beside_and_instead() {
        let mut question = question(Accreditation::Covers { as_of: UnixSeconds(0) });
        let mut other = question.items[0].clone();
        (other.query, other.number, other.others, other.multiple) = ("more".into(), 4, vec![2, 3], true);
        question.items[0].others = vec![7];
        question.optional = vec![vec![other.clone()]];
        question.instead = vec![vec![other.clone(), other]];
        let text = question.lines(&Ui::new(Lang::En, false)).join("\n");
        for expected in [
            "  Fits as well: number 7; choose with --select id=NUMBER",
            "Not needed, wanted all the same (1):\n  From Resident identity (number 4,",
            "  Fits as well: number 2, 3; several may be shown, one --select more=NUMBER each",
            "Could be answered instead with: Resident identity (--select more=4 --select more=4)",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn an_asker_that_goes_too_far_is_named_so() {
        let excess = vec![Excess::Claims { query_id: "id".into(), claims: vec![ClaimPath::top("name")] }];
        let text = question(Accreditation::Beyond(excess)).lines(&Ui::new(Lang::Zh, false)).join("\n");
        assert!(text.contains("账本记载  未获授权请求这些内容"), "{text}");
        assert!(text.contains("对“居民身份信息”请求的内容超出授权：姓名"), "{text}");
        assert!(text.contains("样本�[31m公积金"), "a name cannot colour the terminal: {text}");
    }
}
