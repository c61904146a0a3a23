//! What a person reads of an official's word for a request: who answers for it, and what the data is wanted for.

use crate::ui::Ui;
use identity_core::{
    duty::{Attestation, VerifiedAttestation},
    problem::Lang,
    purpose,
    registry::{Delegation, DutyHolder},
};
use serde::{Deserialize, Serialize};
use service_kit::terminal::{harmless, whole_basis};

/// Who answers for a request and what the data is wanted for, as it is shown and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The duty number.
    pub duty: String,
    /// What the duty is called: English, Chinese.
    pub title: (String, String),
    /// Whether no person signed, but a service account.
    pub service: bool,
    /// The purpose's code.
    pub purpose: String,
    /// The legal basis.
    pub basis: String,
    /// How long the answer is kept, in days.
    pub retention_days: u32,
    /// Whether a case is named; its number stays with the department.
    pub case: bool,
    /// Whether the holder's own signature covers all this.
    pub holder_signs: bool,
}

impl Word {
    pub(crate) fn of(verified: &VerifiedAttestation) -> Self {
        Self::under(verified.attestation(), verified.delegation())
    }

    /// What is said under a duty, by the ledger's own word for the duty.
    pub(crate) fn under(said: &Attestation, duty: &Delegation) -> Self {
        Self {
            duty: said.duty.clone(),
            title: (duty.title.en.clone(), duty.title.zh.clone()),
            service: duty.holder == DutyHolder::Service,
            purpose: said.purpose.clone(),
            basis: said.basis.clone(),
            retention_days: said.retention_days,
            case: said.case.is_some(),
            holder_signs: said.holder_signs,
        }
    }

    /// In whose hand the key is.
    pub(crate) fn holder(&self) -> DutyHolder {
        if self.service { DutyHolder::Service } else { DutyHolder::Official }
    }

    /// Who answers, in the reader's language.
    pub(crate) fn who(&self, ui: &Ui) -> String {
        let title = match ui.lang() {
            Lang::En => &self.title.0,
            Lang::Zh => &self.title.1,
        };
        let id = if self.service { "wallet-ask-duty-service" } else { "wallet-ask-duty-official" };
        ui.text(id, &[("title", harmless(title).into()), ("duty", harmless(&self.duty).into())])
    }

    /// Facts on what the data is wanted for: the id of each one's name, and the fact.
    pub(crate) fn facts(&self, ui: &Ui) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("wallet-ask-purpose", purpose_name(&self.purpose, ui)),
            ("wallet-ask-basis", whole_basis(&self.basis)),
            ("wallet-ask-kept", ui.text("wallet-ask-days", &[("days", self.retention_days.to_string().into())])),
        ];
        if self.case {
            facts.push(("wallet-ask-case", ui.text("wallet-ask-case-named", &[])));
        }
        facts
    }
}

/// A purpose in plain words and by its code; by its code alone if the register does not have it.
pub(crate) fn purpose_name(code: &str, ui: &Ui) -> String {
    match purpose::name(code, ui.lang()) {
        Some(name) => ui.text("wallet-ask-purpose-named", &[("name", name.into()), ("code", harmless(code).into())]),
        None => harmless(code),
    }
}
