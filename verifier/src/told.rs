//! What a checked bundle shows, in words: who answers for an act, what for, on whose word and when.

mod past;
pub(crate) mod period;
mod withdrawn;

use identity_core::bundle::{BundleError, Checked, Holder, Link, Moment, Named};
use identity_core::problem::{Code, Lang};
use identity_core::purpose;
use identity_core::registry::{DutyHolder, Label};
use identity_core::sd_jwt::{ClaimPath, Segment};
use service_kit::calendar::utc;
use service_kit::messages::{Catalogue, Value};
use service_kit::terminal::{harmless, whole_basis};

pub(crate) use past::{judged_at, stood};

/// The lines of a bundle that holds.
pub(crate) fn holds(checked: &Checked, messages: &Catalogue) -> Vec<String> {
    let told = Told { checked, messages };
    let mut lines = vec![messages.text("evidence-holds", &[])];
    lines.extend(told.who());
    lines.extend(told.chains());
    lines.extend(told.what());
    lines.extend(told.when());
    lines.push(told.holder());
    lines.extend(checked.withdrawn().into_iter().flat_map(|withdrawn| withdrawn::lines(withdrawn, messages)));
    lines
}

/// The lines of one that does not.
pub(crate) fn fails(error: BundleError, messages: &Catalogue) -> Vec<String> {
    let line = |id: &str, code: Code| {
        messages.text(id, &[("reason", code.title(messages.lang()).into()), ("code", code.as_str().into())])
    };
    let mut lines = vec![line("evidence-fails", error.code())];
    lines.extend(error.cause().map(|cause| line("evidence-cause", cause)));
    lines.push(messages.text("evidence-remedy", &[("remedy", error.code().remedy(messages.lang()).into())]));
    lines
}

struct Told<'a> {
    checked: &'a Checked,
    messages: &'a Catalogue,
}

impl Told<'_> {
    fn text(&self, id: &str, values: &[(&str, Value<'_>)]) -> String {
        self.messages.text(id, values)
    }

    /// The service, and who answered for the question.
    fn who(&self) -> Vec<String> {
        let (delegation, said) = (self.checked.delegation(), self.checked.attestation());
        let id = match delegation.holder {
            DutyHolder::Official => "evidence-official",
            DutyHolder::Service => "evidence-service-account",
        };
        let duty = [
            ("title", self.label(&delegation.title).into()),
            ("duty", harmless(&said.duty).into()),
            ("index", delegation.id.to_string().into()),
        ];
        vec![self.text("evidence-service", &[("name", self.name(self.checked.service()).into())]), self.text(id, &duty)]
    }

    /// From the service up to the authority.
    fn chains(&self) -> Vec<String> {
        let links = self.checked.chains().iter().flatten();
        let mut lines: Vec<String> = links.map(|link| self.link(link)).collect();
        let tops = self.checked.chains().iter().filter_map(|chain| chain.last());
        lines.extend(tops.map(|link| self.text("evidence-authority", &[("name", self.name(&link.by).into())])));
        // Several accreditations may share what is above them.
        let mut told = std::collections::BTreeSet::new();
        lines.retain(|line| told.insert(line.clone()));
        lines
    }

    fn link(&self, link: &Link) -> String {
        let values = [
            ("name", self.name(&link.holder).into()),
            ("by", self.name(&link.by).into()),
            ("index", link.grant.id.to_string().into()),
        ];
        self.text("evidence-accredited", &values)
    }

    /// What was shown and what for, as the service states it and the official signed it.
    fn what(&self) -> Vec<String> {
        let receipt = self.checked.receipt();
        let mut lines = Vec::new();
        for shown in receipt.presentations.values().flatten() {
            let kind = shown.vct.as_deref().map_or_else(|| self.text("evidence-unreadable", &[]), harmless);
            let claims: Vec<String> = shown.claims.iter().map(path).collect();
            lines.push(self.text("evidence-shown", &[("type", kind.into()), ("claims", claims.join(", ").into())]));
        }
        if lines.is_empty() {
            lines.push(self.text("evidence-nothing-shown", &[]));
        }
        let lang = self.messages.lang();
        let purpose = purpose::name(&receipt.purpose, lang).unwrap_or(&receipt.purpose);
        let purpose = [("purpose", harmless(purpose).into()), ("basis", whole_basis(&receipt.basis).into())];
        lines.push(self.text("evidence-purpose", &purpose));
        lines.push(self.text("evidence-retention", &[("days", receipt.retention_days.to_string().into())]));
        let verdict = match Code::parse(&receipt.verdict) {
            Some(code) => self.text("evidence-verdict-refused", &[("reason", code.title(lang).into())]),
            None => self.text("evidence-verdict-accepted", &[]),
        };
        lines.push(verdict);
        lines
    }

    fn when(&self) -> Vec<String> {
        let receipt = self.checked.receipt();
        let said = [("number", receipt.seq.to_string().into()), ("time", utc(receipt.iat.0).into())];
        let index = self.checked.moment().index().to_string();
        let by = self.checked.sealed_by().map(|by| utc(by.0.div_euclid(1000))).unwrap_or_default();
        let id = match self.checked.moment() {
            Moment::Anchored(_) => "evidence-anchored",
            Moment::Waiting(_) => "evidence-waiting",
        };
        let known = [("index", index.into()), ("time", by.into())];
        vec![self.text("evidence-receipt", &said), self.text(id, &known)]
    }

    fn holder(&self) -> String {
        let signs = self.checked.receipt().holder_signs;
        let id = match self.checked.holder() {
            Holder::Signed if signs => "evidence-holder-signed",
            Holder::Signed => "evidence-holder-signed-no-purpose",
            Holder::Claimed => "evidence-holder-claimed",
            Holder::Unproven => "evidence-holder-unproven",
        };
        self.text(id, &[])
    }

    fn name(&self, named: &Named) -> String {
        name(named, self.messages.lang())
    }

    fn label(&self, title: &Label) -> String {
        label(title, self.messages.lang())
    }
}

fn name(named: &Named, lang: Lang) -> String {
    match &named.label {
        Some(public) => format!("{} ({})", label(public, lang), named.did),
        None => named.did.to_string(),
    }
}

fn label(label: &Label, lang: Lang) -> String {
    harmless(match lang {
        Lang::En => &label.en,
        Lang::Zh => &label.zh,
    })
}

fn path(path: &ClaimPath) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Name(name) => harmless(name),
        Segment::Index(index) => index.to_string(),
        Segment::Every => "*".to_owned(),
    };
    path.segments().iter().map(segment).collect::<Vec<_>>().join(".")
}
