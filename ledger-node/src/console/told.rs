//! What an entry says, in words: nothing of it is personal, because nothing on the ledger is.

use identity_core::registry::{
    Accredit, Anchor, AnchorKind, Change, Compromise, Count, Create, Delegate, DutyHolder, FEWER, Grant, KeyEntry,
    KeyUse, Operation, Propose, Recover, RecoveryOperation, Relayed, Role, ServiceEntry, Tally, Update,
};
use ledger::note::Note;
use maud::{Markup, html};
use service_kit::console::visitor::Visitor;
use service_kit::terminal::harmless;

use super::entry::Entry;
use super::names::{Directory, of_label, of_purpose, of_type};
use super::piece::{Facts, claims, digest, index, moment, purposes, role, types, who};

/// An entry in one line.
pub(super) fn gist(visitor: &Visitor, directory: &Directory, entry: &Entry) -> Markup {
    let teller = Teller { visitor, directory };
    match entry {
        Entry::Seal(seal) => {
            html! { (visitor.fill("console-gist-block", &[("height", seal.height.to_string().into())])) }
        }
        Entry::Create(create) => teller.gist_of_create(create),
        Entry::Transaction(transaction) => teller.gist_of_operation(transaction.operation()),
        Entry::Unknown => html! {},
    }
}

/// Everything that an entry says.
pub(super) fn content(visitor: &Visitor, directory: &Directory, entry: &Entry) -> Facts {
    let teller = Teller { visitor, directory };
    match entry {
        Entry::Seal(seal) => Facts::default()
            .with(visitor.say("console-fact-block"), html! { (seal.height) })
            .with(visitor.say("console-head-state"), digest(&seal.state))
            .with(visitor.say("console-fact-policy"), digest(&seal.policy)),
        Entry::Create(create) => teller.create(create),
        Entry::Transaction(transaction) => teller.operation(transaction.operation()),
        Entry::Unknown => Facts::default(),
    }
}

struct Teller<'a> {
    visitor: &'a Visitor,
    directory: &'a Directory,
}

impl Teller<'_> {
    fn gist_of_create(&self, create: &Create) -> Markup {
        match &create.payload().label {
            Some(label) => html! { bdi { (of_label(label, self.visitor.lang())) } },
            None => html! { code { (create.did().method()) } },
        }
    }

    fn gist_of_operation(&self, operation: &Operation) -> Markup {
        let lang = self.visitor.lang();
        let first = |vcts: &[String]| {
            let name = vcts.first().map(|vct| of_type(vct, lang)).unwrap_or_default();
            let more = vcts.len().saturating_sub(1);
            if more == 0 { name } else { format!("{name} +{more}") }
        };
        match operation {
            Operation::Update(update) => self.gist_of_update(update),
            Operation::Deactivate | Operation::Evidence(_) => html! {},
            Operation::Compromise(Compromise { key }) => html! { code { "#" (harmless(key)) } },
            Operation::Relay(relayed) => match relayed {
                Relayed::Create(create) => self.gist_of_create(create),
                Relayed::Change(change) => self.gist_of_operation(change.operation()),
                Relayed::Recovery(act) => match act.operation() {
                    RecoveryOperation::Compromise(Compromise { key }) => html! { code { "#" (harmless(key)) } },
                    RecoveryOperation::Recover(_) | RecoveryOperation::Deactivate => html! {},
                },
            },
            Operation::Anchor(anchor) => html! { (self.gist_of_anchor(anchor)) },
            Operation::Accredit(accredit) => html! {
                (who(self.visitor, self.directory, &accredit.subject)) " · " (role(self.visitor, accredit.role)) " · "
                bdi { (first(&accredit.types)) }
            },
            Operation::EndAccreditation(end) => html! { (who(self.visitor, self.directory, &end.subject)) },
            Operation::Delegate(given) => html! { bdi { (of_label(&given.title, lang)) } " · " code { (given.duty) } },
            Operation::EndDelegation(end) => html! { code { (harmless(&end.duty)) } },
            Operation::Schema(schema) => html! { bdi { (of_type(&schema.vct, lang)) } },
            Operation::Propose(propose) => html! { (self.change_name(&propose.change)) },
            Operation::Approve(on) | Operation::Withdraw(on) => index(self.visitor, on.proposal),
            Operation::Tally(tally) => html! { time { (tally.day) } },
        }
    }

    fn gist_of_update(&self, update: &Update) -> Markup {
        let parts = [
            ("console-gist-keys-added", update.add_keys.len()),
            ("console-gist-keys-removed", update.remove_keys.len()),
            ("console-gist-services-added", update.add_services.len()),
            ("console-gist-services-removed", update.remove_services.len()),
            ("console-gist-keys-proven", update.prove_keys.len()),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(id, count)| self.visitor.fill(id, &[("count", count.to_string().into())]))
            .collect();
        html! { (said.join(" · ")) }
    }

    fn gist_of_anchor(&self, anchor: &Anchor) -> String {
        let count = [("count", anchor.count.to_string().into())];
        match (anchor.kind, anchor.first, anchor.last) {
            (AnchorKind::Receipt, Some(first), Some(last)) if first == last => {
                self.visitor.fill("console-gist-receipt", &[("number", first.to_string().into())])
            }
            (AnchorKind::Receipt, Some(first), Some(last)) => {
                let range = [("first", first.to_string().into()), ("last", last.to_string().into())];
                self.visitor.fill("console-gist-receipts", &range)
            }
            (kind, ..) => {
                let name = self.visitor.say(anchor_name(kind));
                format!("{name} · {}", self.visitor.fill("console-gist-digests", &count))
            }
        }
    }

    fn operation(&self, operation: &Operation) -> Facts {
        match operation {
            Operation::Update(update) => self.update(update),
            Operation::Deactivate => self.told_only("console-says-deactivate"),
            Operation::Compromise(report) => self.compromise(report),
            Operation::Relay(relayed) => match relayed {
                Relayed::Create(create) => self.create(create),
                Relayed::Change(change) => self.operation(change.operation()),
                Relayed::Recovery(act) => match act.operation() {
                    RecoveryOperation::Recover(recover) => self.recover(recover),
                    RecoveryOperation::Deactivate => self.told_only("console-says-deactivate"),
                    RecoveryOperation::Compromise(report) => self.compromise(report),
                },
            },
            Operation::Anchor(anchor) => self.anchor(anchor),
            Operation::Accredit(accredit) => self.accredit(accredit),
            Operation::EndAccreditation(end) => Facts::default()
                .with(self.say("console-fact-accredited"), who(self.visitor, self.directory, &end.subject))
                .with(self.say("console-fact-ends"), index(self.visitor, end.accreditation)),
            Operation::Delegate(given) => self.delegate(given),
            Operation::EndDelegation(end) => Facts::default()
                .with(self.say("console-fact-duty"), html! { code { (harmless(&end.duty)) } })
                .with(self.say("console-fact-ends"), index(self.visitor, end.delegation)),
            Operation::Schema(schema) => Facts::default()
                .with(self.say("console-fact-types"), types(self.visitor, std::slice::from_ref(&schema.vct)))
                .with(self.say("console-fact-vct"), html! { code.digest { (harmless(&schema.vct)) } })
                .with(self.say("console-fact-metadata"), digest(&schema.digest)),
            Operation::Propose(propose) => self.propose(propose),
            Operation::Approve(on) | Operation::Withdraw(on) => {
                Facts::default().with(self.say("console-fact-proposal"), index(self.visitor, on.proposal))
            }
            Operation::Evidence(evidence) => self.evidence([&evidence.one, &evidence.other]),
            Operation::Tally(tally) => self.tally(tally),
        }
    }

    fn told_only(&self, id: &str) -> Facts {
        Facts::default().with(self.say("console-fact-effect"), html! { (self.say(id)) })
    }

    fn create(&self, create: &Create) -> Facts {
        let payload = create.payload();
        let mut facts =
            Facts::default().with(self.say("console-fact-subject"), who(self.visitor, self.directory, create.did()));
        facts.add(self.say("console-did"), html! { code.digest { (create.did()) } });
        if let Some(label) = &payload.label {
            facts.add(self.say("console-fact-label"), html! { bdi { (of_label(label, self.visitor.lang())) } });
        }
        facts.add(self.say("console-fact-keys"), self.keys(&payload.keys));
        if !payload.services.is_empty() {
            facts.add(self.say("console-fact-services"), services(&payload.services));
        }
        facts
    }

    fn update(&self, update: &Update) -> Facts {
        let mut facts = Facts::default();
        if !update.add_keys.is_empty() {
            facts.add(self.say("console-fact-keys-added"), self.keys(&update.add_keys));
        }
        if !update.remove_keys.is_empty() {
            facts.add(self.say("console-fact-keys-removed"), ids(&update.remove_keys));
        }
        if !update.add_services.is_empty() {
            facts.add(self.say("console-fact-services-added"), services(&update.add_services));
        }
        if !update.remove_services.is_empty() {
            facts.add(self.say("console-fact-services-removed"), ids(&update.remove_services));
        }
        if !update.prove_keys.is_empty() {
            facts.add(self.say("console-fact-keys-proven"), html! { (update.prove_keys.len()) });
        }
        facts
    }

    fn compromise(&self, report: &Compromise) -> Facts {
        Facts::default()
            .with(self.say("console-fact-key"), html! { code { "#" (harmless(&report.key)) } })
            .with(self.say("console-fact-effect"), html! { (self.say("console-says-compromise")) })
    }

    fn recover(&self, recover: &Recover) -> Facts {
        self.told_only("console-says-recover").with(self.say("console-fact-keys-added"), self.keys(&recover.keys))
    }

    fn anchor(&self, anchor: &Anchor) -> Facts {
        let mut facts = Facts::default()
            .with(self.say("console-fact-anchor-kind"), html! { (self.say(anchor_name(anchor.kind))) })
            .with(self.say("console-fact-anchor-count"), html! { (anchor.count) })
            .with(self.say("console-fact-anchor-root"), digest(&anchor.root));
        if let (Some(first), Some(last)) = (anchor.first, anchor.last) {
            facts.add(self.say("console-fact-anchor-range"), html! { (first) " – " (last) });
        }
        if let Some(head) = &anchor.head {
            facts.add(self.say("console-fact-anchor-head"), digest(head));
        }
        facts
    }

    fn accredit(&self, accredit: &Accredit) -> Facts {
        let mut facts = Facts::default()
            .with(self.say("console-fact-accredited"), who(self.visitor, self.directory, &accredit.subject))
            .with(self.say("console-fact-role"), html! { (role(self.visitor, accredit.role)) })
            .with(self.say("console-fact-types"), types(self.visitor, &accredit.types));
        self.scope(&mut facts, &accredit.claims, &accredit.purposes);
        facts.add(self.say("console-fact-period"), period(self.visitor, accredit.from, accredit.until));
        facts.with(self.say("console-fact-delegable"), html! { (self.yes_or_no(accredit.delegable)) })
    }

    fn delegate(&self, given: &Delegate) -> Facts {
        let mut facts = Facts::default()
            .with(self.say("console-fact-duty-title"), html! { bdi { (of_label(&given.title, self.visitor.lang())) } })
            .with(self.say("console-fact-duty"), html! { code { (given.duty) } })
            .with(self.say("console-fact-holder"), html! { (self.say(holder_name(given.holder))) })
            .with(self.say("console-fact-role"), html! { (role(self.visitor, given.role)) })
            .with(self.say("console-fact-types"), types(self.visitor, &given.types));
        self.scope(&mut facts, &given.claims, &given.purposes);
        facts.add(self.say("console-fact-case"), html! { (self.yes_or_no(given.case_required)) });
        facts.add(self.say("console-fact-period"), period(self.visitor, given.from, given.until));
        facts.with(self.say("console-fact-thumbprint"), digest(&given.key.thumbprint()))
    }

    fn scope(&self, facts: &mut Facts, named: &[Vec<String>], codes: &[String]) {
        if !named.is_empty() {
            facts.add(self.say("console-fact-claims"), claims(named));
        }
        if !codes.is_empty() {
            facts.add(self.say("console-fact-purposes"), purposes(self.visitor, codes));
        }
    }

    fn propose(&self, propose: &Propose) -> Facts {
        let (did, name, validator) = match &propose.change {
            Change::Admit { did, name, validator } => (did, Some(name), validator.as_ref()),
            Change::Expel { did } => (did, None, None),
            Change::Validator { did, validator } => (did, None, validator.as_ref()),
        };
        let mut facts = Facts::default()
            .with(self.say("console-fact-change"), html! { (self.change_name(&propose.change)) })
            .with(self.say("console-member"), who(self.visitor, self.directory, did));
        if let Some(name) = name {
            facts.add(self.say("console-fact-label"), html! { bdi { (harmless(name)) } });
        }
        if let Some(validator) = validator {
            facts.add(self.say("console-validator"), html! { code { (harmless(&validator.name)) } });
        }
        facts.with(self.say("console-fact-open-until"), moment(self.visitor, propose.until))
    }

    fn evidence(&self, notes: [&str; 2]) -> Facts {
        let mut facts = self.told_only("console-says-evidence");
        for note in notes {
            if let Ok(note) = Note::parse(note) {
                facts.add(self.say("console-fact-note"), html! { pre.bytes { (note.text()) } });
            }
        }
        facts
    }

    fn tally(&self, tally: &Tally) -> Facts {
        let mut facts = Facts::default().with(self.say("console-fact-day"), html! { time { (tally.day) } });
        for (code, count) in &tally.counts {
            facts.add(of_purpose(code, self.visitor.lang()), html! { span.number { (told_count(*count)) } });
        }
        facts
    }

    fn keys(&self, keys: &[KeyEntry]) -> Markup {
        html! {
            ul.plain {
                @for key in keys {
                    li {
                        code { "#" (harmless(&key.id)) }
                        @for key_use in &key.uses { " · " (self.say(use_name(*key_use))) }
                    }
                }
            }
        }
    }

    fn change_name(&self, change: &Change) -> String {
        self.say(match change {
            Change::Admit { .. } => "console-change-admit",
            Change::Expel { .. } => "console-change-expel",
            Change::Validator { .. } => "console-change-validator",
        })
    }

    fn yes_or_no(&self, yes: bool) -> String {
        self.say(if yes { "console-yes" } else { "console-no" })
    }

    fn say(&self, id: &str) -> String {
        self.visitor.say(id)
    }
}

/// From when to when something is meant to hold.
pub(super) fn period(visitor: &Visitor, from: i64, until: i64) -> Markup {
    html! { (moment(visitor, from)) " – " (moment(visitor, until)) }
}

/// What an accreditation allows, in one list; the page of a DID shows it.
pub(super) fn grant(visitor: &Visitor, directory: &Directory, grant: &Grant) -> Facts {
    let teller = Teller { visitor, directory };
    let mut facts = Facts::default()
        .with(visitor.say("console-fact-given-by"), who(visitor, directory, &grant.by))
        .with(visitor.say("console-fact-role"), html! { (role(visitor, grant.role)) })
        .with(visitor.say("console-fact-types"), types(visitor, &grant.types));
    teller.scope(&mut facts, &grant.claims, &grant.purposes);
    facts.add(visitor.say("console-fact-period"), period(visitor, grant.from, grant.until));
    facts.with(visitor.say("console-fact-delegable"), html! { (teller.yes_or_no(grant.delegable)) })
}

/// What a delegation allows.
pub(super) fn delegation(
    visitor: &Visitor,
    directory: &Directory,
    given: &identity_core::registry::Delegation,
) -> Facts {
    let teller = Teller { visitor, directory };
    let mut facts = Facts::default()
        .with(visitor.say("console-fact-holder"), html! { (visitor.say(holder_name(given.holder))) })
        .with(visitor.say("console-fact-role"), html! { (role(visitor, given.role)) })
        .with(visitor.say("console-fact-types"), types(visitor, &given.types));
    teller.scope(&mut facts, &given.claims, &given.purposes);
    facts.add(visitor.say("console-fact-case"), html! { (teller.yes_or_no(given.case_required)) });
    facts.add(visitor.say("console-fact-period"), period(visitor, given.from, given.until));
    facts.with(visitor.say("console-fact-thumbprint"), digest(&given.key.thumbprint()))
}

/// A count as it stands on the ledger.
pub(super) fn told_count(count: Count) -> String {
    count.exactly().map_or_else(|| FEWER.to_owned(), |number| number.to_string())
}

pub(super) fn use_name(key_use: KeyUse) -> &'static str {
    match key_use {
        KeyUse::AssertionMethod => "console-use-assertion",
        KeyUse::Authentication => "console-use-authentication",
        KeyUse::CapabilityInvocation => "console-use-invocation",
        KeyUse::Relay => "console-use-relay",
    }
}

pub(super) fn holder_name(holder: DutyHolder) -> &'static str {
    match holder {
        DutyHolder::Official => "console-holder-official",
        DutyHolder::Service => "console-holder-service",
    }
}

/// The tone of a role in the picture.
pub(super) fn role_tone(role: Role) -> &'static str {
    match role {
        Role::Issuer => "issuer",
        Role::Verifier => "verifier",
    }
}

fn anchor_name(kind: AnchorKind) -> &'static str {
    match kind {
        AnchorKind::Credential => "console-anchor-credential",
        AnchorKind::Receipt => "console-anchor-receipt",
        AnchorKind::StatusList => "console-anchor-status-list",
        AnchorKind::Notarised => "console-anchor-notarised",
    }
}

fn ids(ids: &[String]) -> Markup {
    html! { ul.plain { @for id in ids { li { code { "#" (harmless(id)) } } } } }
}

fn services(services: &[ServiceEntry]) -> Markup {
    html! {
        ul.plain {
            @for service in services {
                li { code { "#" (harmless(&service.id)) } " · " (service.kind.as_str()) " · " code.digest { (harmless(&service.url)) } }
            }
        }
    }
}
