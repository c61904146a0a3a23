//! What a person reads of an official's word for a request; and the official's own side of it: handing over the duty
//! key, and signing.

use crate::{
    cli::{ApproveArgs, DutyKeyArgs},
    error::WalletError,
    holdings::{Approval, Credential},
    labels::TypeText,
    ui::Ui,
    view::{View, listed},
    wallet::Wallet,
};
use identity_core::{
    crypto::Signer as _,
    dcql::Query,
    duty::{Attestation, DutyError, VerifiedAttestation},
    jose::Jwk,
    problem::Lang,
    purpose,
    registry::{DutyHolder, Label, duty_key},
    trust::{self, TrustError},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service_kit::terminal::harmless;
use std::fs;

/// The longest file with a request to approve, in bytes: an attestation and what the admin API says around it.
const MAX_DRAFT_BYTES: u64 = 64 * 1024;

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
        let (said, given) = (verified.attestation(), verified.delegation());
        let title = (given.title.en.clone(), given.title.zh.clone());
        Self { title, service: given.holder == DutyHolder::Service, ..Self::claimed(said) }
    }

    /// What is claimed, before the ledger has said what the duty is called.
    fn claimed(said: &Attestation) -> Self {
        Self {
            duty: said.duty.clone(),
            title: (String::new(), String::new()),
            service: false,
            purpose: said.purpose.clone(),
            basis: said.basis.clone(),
            retention_days: said.retention_days,
            case: said.case.is_some(),
            holder_signs: said.holder_signs,
        }
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
            ("wallet-ask-basis", harmless(&self.basis)),
            ("wallet-ask-kept", ui.text("wallet-ask-days", &[("days", self.retention_days.to_string().into())])),
        ];
        if self.case {
            facts.push(("wallet-ask-case", ui.text("wallet-ask-case-named", &[])));
        }
        if !self.holder_signs {
            facts.push(("wallet-ask-signed", ui.text("wallet-ask-unsigned", &[])));
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

/// `duty-key`: the public half of the key to delegate a duty to, for the department.
pub(crate) fn key_command(wallet: &Wallet, arguments: &DutyKeyArgs, ui: &Ui) -> Result<View, WalletError> {
    let key = credential(wallet, arguments.number)?.holder_key();
    let jwk = Jwk::new(key.ok_or(WalletError::Unfit("its holder key cannot be read"))?.public_key().clone());
    let mut object = json!({ "ok": true, "key": jwk });
    if let Some(object) = object.as_object_mut() {
        object.insert("thumbprint".to_owned(), jwk.thumbprint().to_base64url().into());
    }
    ui.note(&ui.text("wallet-duty-key-hand-over", &[]));
    Ok(View { object, lines: vec![json!(jwk).to_string()] })
}

/// `approve-request`: shows the official what is to be signed, asks, signs, and keeps an account of it.
pub(crate) async fn approve_command(wallet: &mut Wallet, arguments: ApproveArgs, ui: &Ui) -> Result<View, WalletError> {
    let draft = read_draft(&arguments)?;
    let key = credential(wallet, arguments.credential)?.holder_key();
    let key = key.ok_or(WalletError::Unfit("its holder key cannot be read"))?;
    let title = delegated(wallet, &draft, &Jwk::new(key.public_key().clone())).await?;
    let word = Word { title: (title.en, title.zh), ..Word::claimed(&draft) };
    if !ui.is_json() {
        lines(&draft, &word, ui)?.iter().for_each(|line| ui.note(line));
    }
    if !arguments.yes && !ui.confirm(&ui.text("wallet-approve-confirm", &[])) {
        return Err(WalletError::Declined);
    }
    let signed = draft.sign(&key)?;
    let approval =
        Approval { time: wallet.clock.now().0, department: draft.iss.to_string(), signed: signed.clone(), word };
    let mut rng = wallet.rng();
    wallet.holdings.add_approval(approval, &mut rng)?;
    Ok(View { object: json!({ "ok": true, "attestation": signed }), lines: vec![signed] })
}

/// The attestation in a file: alone, or as `to_attest` of what the department's service said.
fn read_draft(arguments: &ApproveArgs) -> Result<Attestation, WalletError> {
    let unreadable = || WalletError::Draft;
    let length = fs::metadata(&arguments.file).map_err(|_| unreadable())?.len();
    if length > MAX_DRAFT_BYTES {
        return Err(unreadable());
    }
    let text = fs::read(&arguments.file).map_err(|_| unreadable())?;
    let limit = usize::try_from(MAX_DRAFT_BYTES).unwrap_or(usize::MAX);
    let limits = identity_core::encoding::json::Limits::of(limit);
    let said = identity_core::encoding::json::parse_strict(&text, limits).map_err(|_| unreadable())?;
    let draft = said.get("to_attest").cloned().unwrap_or(said);
    Attestation::deserialize(draft).map_err(|_| unreadable())
}

/// What the duty is called, if the ledger has it delegated to this key now.
async fn delegated(wallet: &Wallet, draft: &Attestation, key: &Jwk) -> Result<Label, WalletError> {
    let (proven, _) = wallet.ledger.state(&duty_key(&draft.iss, &draft.duty)).await?;
    let history = match trust::duty_history(&proven, &draft.iss, &draft.duty) {
        Err(TrustError::Absent) => return Err(DutyError::Unknown.into()),
        Err(error) => return Err(WalletError::AskerUndetermined(error.to_string())),
        Ok(history) => history,
    };
    let held = history.at(trust::known_until(&proven)).filter(|given| given.key.thumbprint() == key.thumbprint());
    held.map(|given| given.title.clone()).ok_or_else(|| DutyError::Unknown.into())
}

fn lines(draft: &Attestation, word: &Word, ui: &Ui) -> Result<Vec<String>, WalletError> {
    let query = Query::from_json(&draft.dcql_query).map_err(|_| WalletError::Draft)?;
    let mut lines = vec![ui.text("wallet-approve-head", &[("who", word.who(ui).into())])];
    let facts = word.facts(ui).into_iter().map(|(id, fact)| format!("  {}: {fact}", ui.text(id, &[])));
    lines.extend(facts);
    for asked in &query.credentials {
        for vct in &asked.vct_values {
            let text = TypeText::of(vct);
            let claims = listed(asked.claims.iter().map(|claim| text.label(&claim.path, ui.lang())), ui);
            let values = [("type", text.name(ui.lang()).into()), ("claims", claims.into())];
            lines.push(format!("  {}", ui.text("wallet-approve-asks", &values)));
        }
    }
    Ok(lines)
}

fn credential(wallet: &Wallet, number: usize) -> Result<&Credential, WalletError> {
    let found = wallet.holdings.credentials().find(|(held, ..)| *held == number);
    found.map(|(_, credential, _)| credential).ok_or(WalletError::UnknownCredential { number })
}

/// An approval for a script.
pub(crate) fn approval_json(approval: &Approval) -> Value {
    json!({ "time": approval.time, "department": approval.department, "word": approval.word,
        "attestation": approval.signed })
}
