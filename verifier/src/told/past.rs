//! How those whom a bundle names stood at a past moment, in words.

use identity_core::bundle::{Change, Holder, Lack, Standing, Stood, Then, What, Who};
use identity_core::problem::Code;
use identity_core::registry::Ending;
use ledger::PastMoment;
use service_kit::calendar::utc;
use service_kit::messages::{Catalogue, Value};
use service_kit::terminal::harmless;

use super::{label, name};
use crate::JudgedAt;

/// The lines about one past moment.
pub(crate) fn stood(stood: &Stood, holder: Holder, messages: &Catalogue) -> Vec<String> {
    let told = Told { messages };
    let mut lines = vec![at(stood.moment(), messages)];
    for standing in stood.standings() {
        lines.push(told.then(standing));
        lines.extend(standing.since.iter().map(|change| told.since(standing, *change)));
    }
    if holder != Holder::Signed {
        lines.push(messages.text("evidence-then-no-issuer", &[]));
    }
    if stood.standings().iter().all(|standing| standing.since.is_empty()) {
        lines.push(messages.text("evidence-since-nothing", &[]));
    }
    let known_at = stood.known_at().map(|at| utc(at.to_seconds().0)).unwrap_or_default();
    let known = [("index", stood.known_until().to_string().into()), ("time", known_at.into())];
    lines.push(messages.text("evidence-known-until", &known));
    lines.push(messages.text("evidence-then-status", &[]));
    lines
}

/// The lines about a case that was judged as of a past moment.
pub(crate) fn judged_at(judged: &JudgedAt, messages: &Catalogue) -> Vec<String> {
    let line = |id: &str, code: Code| {
        messages.text(id, &[("reason", code.title(messages.lang()).into()), ("code", code.as_str().into())])
    };
    let verdict = match judged.refused {
        None => messages.text("verifier-judged-verified", &[]),
        Some(code) => line("verifier-judged-refused", code),
    };
    let doubt = judged.undetermined.map(|doubt| line("verifier-judged-undetermined", doubt.code()));
    [at(&judged.moment, messages), verdict].into_iter().chain(doubt).collect()
}

fn at(moment: &PastMoment, messages: &Catalogue) -> String {
    let id = if moment.is_closed() { "evidence-at" } else { "evidence-at-open" };
    let when = [("time", utc(seconds(moment.time())).into()), ("index", moment.index().to_string().into())];
    messages.text(id, &when)
}

struct Told<'a> {
    messages: &'a Catalogue,
}

impl Told<'_> {
    /// Who, by the name of its message, and the values that name it.
    fn who<'v>(&self, who: &'v Who) -> (&'static str, Vec<(&'static str, Value<'v>)>) {
        let lang = self.messages.lang();
        match who {
            Who::Service(service) => ("service", vec![("name", name(service, lang).into())]),
            Who::Duty { number, title, .. } => {
                ("duty", vec![("duty", harmless(number).into()), ("title", label(title, lang).into())])
            }
            Who::Issuer { issuer, vct } => {
                ("issuer", vec![("name", name(issuer, lang).into()), ("type", harmless(vct).into())])
            }
            Who::Credential { vct } => ("credential", vec![("type", harmless(vct).into())]),
        }
    }

    fn then(&self, standing: &Standing) -> String {
        let (who, mut values) = self.who(&standing.who);
        let how = match standing.then {
            Then::Held => "held",
            Then::Lacked(lack) => {
                let why = match lack {
                    Lack::NotYetThere => "evidence-lack-did",
                    Lack::DidEnded => "evidence-lack-ended",
                    Lack::Accreditation => "evidence-lack-accreditation",
                    Lack::Delegation => "evidence-lack-delegation",
                    Lack::Anchor => "evidence-lack-anchor",
                };
                values.push(("why", self.messages.text(why, &[]).into()));
                "lacked"
            }
            Then::Untold => "untold",
        };
        self.messages.text(&format!("evidence-then-{who}-{how}"), &values)
    }

    fn since(&self, standing: &Standing, change: Change) -> String {
        let (_, mut values) = self.who(&standing.who);
        values.push(("index", change.index.to_string().into()));
        let id = match change.what {
            What::DidEnded => "evidence-since-did",
            What::AccreditationBegan => "evidence-since-accreditation",
            What::DelegationBegan => "evidence-since-delegation",
            What::KeyEnded => "evidence-since-key",
            What::KeyStolen => "evidence-since-stolen",
            What::AccreditationEnded(ending) => {
                values.push(("why", self.ending(ending).into()));
                "evidence-since-accreditation-over"
            }
            What::DelegationEnded(ending) => {
                values.push(("why", self.ending(ending).into()));
                "evidence-since-delegation-over"
            }
        };
        self.messages.text(id, &values)
    }

    fn ending(&self, ending: Ending) -> String {
        let id = match ending {
            Ending::Lapsed => "evidence-ending-lapsed",
            Ending::Ended => "evidence-ending-ended",
            Ending::Chain => "evidence-ending-chain",
            Ending::Deactivated => "evidence-ending-deactivated",
            Ending::Expelled => "evidence-ending-expelled",
            Ending::Replaced => "evidence-ending-replaced",
        };
        self.messages.text(id, &[])
    }
}

fn seconds(millis: u64) -> i64 {
    i64::try_from(millis / 1000).unwrap_or(i64::MAX)
}
