//! The official's own side: the key of a duty, which is a credential's holder key, and the signature under a request.
//!
//! A signature that nobody would take is not made: what is handed out to be signed is held to the rules that the service and
//! citizens' wallets will hold it to, and so is the address that it sends data to. Then the official reads it, and is asked.

use crate::{
    asker::{Accreditation, Asker},
    cli::{ApproveArgs, DutyKeyArgs},
    duty::Word,
    error::WalletError,
    holdings::Approval,
    labels::TypeText,
    moment::utc,
    order,
    question::aligned,
    ui::Ui,
    view::{View, asker_name, listed},
    wallet::Wallet,
};
use identity_core::{
    crypto::{SecretKey, Signer as _},
    dcql::Query,
    duty::{Attestation, DutyError},
    encoding::json::{self, Limits},
    jose::Jwk,
    oauth::url::{Transport, parse_endpoint},
    oid4vp::{ClientId, ClientName, RequestError, WhoAsks, request::is_nonce, wallet::is_registered},
    time::UnixSeconds,
};
use serde::Deserialize as _;
use serde_json::json;
use service_kit::{terminal::harmless, whole_file};
use url::Url;

/// The longest file with a request to sign for, in bytes: an attestation has at most 24 KiB, and the answer of the admin API
/// that it comes in says little more.
const MAX_DRAFT_BYTES: usize = 32 * 1024;

/// The longest content of an order that is held against it, in bytes: four times the largest table that an issuer takes over
/// HTTP.
const MAX_CONTENT_BYTES: usize = 256 * 1024 * 1024;

/// What a department's service handed out to be signed. Only its form was looked at.
struct UnverifiedDraft {
    said: Attestation,
    query: Query,
    response_uri: Url,
}

/// What an official may sign: sound, under a duty of theirs that covers it, with the answer going to their department.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    said: Attestation,
    query: Query,
    /// Number of the credential whose key signs.
    credential: usize,
    /// The department's name on the ledger: English, Chinese.
    pub department: Option<(String, String)>,
    /// Whether the ledger lets the department ask this.
    pub accreditation: Accreditation,
    /// Who answers, and what the data is wanted for.
    pub word: Word,
    /// Where the answer goes: a host that the department's DID registers.
    pub destination: String,
}

impl Wallet {
    /// The public half of a credential's holder key: what a department delegates a duty to.
    ///
    /// # Errors
    /// [`WalletError::UnknownCredential`].
    pub fn duty_key(&self, number: usize) -> Result<Jwk, WalletError> {
        Ok(Jwk::new(self.holder_key(number)?.public_key().clone()))
    }

    /// Reads what a department's service handed out, the attestation alone or as `to_attest` of an answer, and holds it
    /// against the ledger. Nothing is signed.
    ///
    /// # Errors
    /// [`WalletError::Draft`]; an expired request; an answer that would go elsewhere than to the department; a duty that
    /// is not delegated to this key, is a service account's, or does not cover the question; a ledger that cannot be asked.
    pub async fn draft(&self, handed_out: &[u8], credential: usize) -> Result<Draft, WalletError> {
        let now = self.clock.now();
        let draft = UnverifiedDraft::parse(handed_out, self.transport(), now)?;
        let key = self.duty_key(credential)?.thumbprint();
        let mut department = Asker::look_up(self, WhoAsks::Did(&draft.said.iss), now).await?;
        if !is_registered(&department.document(now)?, &draft.response_uri) {
            return Err(RequestError::ForeignResponseUri.into());
        }
        let duty = department.duty_of(self, (&draft.said, &draft.query), &key, now).await?;
        let (name, accreditation) = department.standing(&draft.query, Some(&draft.said.purpose), now)?;
        let destination = draft.response_uri.origin().ascii_serialization();
        let word = Word::under(&draft.said, &duty);
        let UnverifiedDraft { said, query, .. } = draft;
        Ok(Draft { said, query, credential, department: name, accreditation, word, destination })
    }

    /// Signs a draft and keeps an account of it. The caller has asked the official.
    ///
    /// # Errors
    /// A request that expired while it was read, or a vault that cannot be written: then nothing was signed.
    pub fn approve(&mut self, draft: Draft) -> Result<String, WalletError> {
        let now = self.clock.now();
        check_current(&draft.said, now)?;
        let signed = draft.said.sign(&self.holder_key(draft.credential)?)?;
        let department = draft.said.iss.to_string();
        let approval = Approval { time: now.0, department, signed: signed.clone(), word: draft.word };
        let mut rng = self.rng();
        self.holdings.add_approval(approval, &mut rng)?;
        Ok(signed)
    }

    pub(crate) fn holder_key(&self, number: usize) -> Result<SecretKey, WalletError> {
        let found = self.holdings.credentials().find(|(held, ..)| *held == number);
        let (_, credential, _) = found.ok_or(WalletError::UnknownCredential { number })?;
        credential.holder_key().ok_or(WalletError::Unfit("its holder key cannot be read"))
    }
}

impl UnverifiedDraft {
    fn parse(bytes: &[u8], transport: Transport, now: UnixSeconds) -> Result<Self, WalletError> {
        let given = json::parse_strict(bytes, Limits::of(MAX_DRAFT_BYTES)).map_err(|_| WalletError::Draft)?;
        let said = given.get("to_attest").cloned().unwrap_or(given);
        let said = Attestation::deserialize(said).map_err(|_| WalletError::Draft)?;
        let query = Query::from_json(&said.dcql_query).map_err(|_| WalletError::Draft)?;
        let client = ClientId::parse(&said.client_id).map_err(|_| WalletError::Draft)?;
        let response_uri = parse_endpoint(&said.response_uri, transport).map_err(|_| WalletError::Draft)?;
        if !said.is_sound() || !is_nonce(&said.nonce) {
            return Err(WalletError::Draft);
        }
        check_current(&said, now)?;
        // Whose a certificate is, citizens' wallets learn from the request itself, which has it.
        match client.name() {
            ClientName::Did(did) if *did != said.iss => Err(DutyError::Department.into()),
            ClientName::Did(_) | ClientName::Certificate(_) => Ok(Self { said, query, response_uri }),
        }
    }
}

fn check_current(said: &Attestation, now: UnixSeconds) -> Result<(), RequestError> {
    if now < said.exp { Ok(()) } else { Err(RequestError::Expired) }
}

impl Draft {
    /// The draft for the official to read.
    #[must_use]
    pub fn lines(&self, ui: &Ui) -> Vec<String> {
        let name = match &self.department {
            Some(label) => asker_name(Some(label), self.said.iss.as_ref(), ui.lang()),
            None => ui.text("wallet-ask-unknown-name", &[]),
        };
        let standing = match &self.accreditation {
            Accreditation::Covers { as_of } => ui.text("wallet-ask-accredited", &[("time", utc(as_of.0).into())]),
            Accreditation::Beyond(_) => ui.text("wallet-approve-beyond", &[]),
        };
        let mut facts = vec![
            ("wallet-approve-department", name),
            ("", harmless(self.said.iss.as_ref())),
            ("wallet-ask-ledger", standing),
            ("wallet-ask-duty", self.word.who(ui)),
        ];
        facts.extend(self.word.facts(ui));
        if !self.word.holder_signs {
            facts.push(("wallet-ask-signed", ui.text("wallet-approve-unsigned", &[])));
        }
        facts.push(("wallet-ask-destination", harmless(&self.destination)));
        let until = [("time", utc(self.said.exp.0).into())];
        facts.push(("wallet-approve-until", ui.text("wallet-approve-until-time", &until)));
        let mut lines = vec![ui.text("wallet-approve-head", &[])];
        lines.extend(aligned(facts, "  ", ui));
        for asked in &self.query.credentials {
            for vct in &asked.vct_values {
                let text = TypeText::of(vct);
                let claims = listed(asked.claims.iter().map(|claim| text.label(&claim.path, ui.lang())), ui);
                let values = [("type", text.name(ui.lang()).into()), ("claims", claims.into())];
                lines.push(format!("  {}", ui.text("wallet-approve-asks", &values)));
            }
        }
        lines
    }

    /// The draft for a script, without what is signed.
    fn to_json(&self) -> serde_json::Value {
        let label = self.department.as_ref().map(|(en, zh)| json!({ "en": en, "zh": zh }));
        json!({ "department": self.said.iss, "label": label, "word": self.word, "destination": self.destination,
            "expires": self.said.exp, "accredited": matches!(self.accreditation, Accreditation::Covers { .. }) })
    }
}

/// `duty-key`: the public key to delegate a duty to, for the department.
///
/// # Errors
/// As [`Wallet::duty_key`].
pub(crate) fn key_command(wallet: &Wallet, arguments: &DutyKeyArgs, ui: &Ui) -> Result<View, WalletError> {
    let jwk = wallet.duty_key(arguments.number)?;
    ui.note(&ui.text("wallet-duty-key-hand-over", &[]));
    let object = json!({ "ok": true, "key": jwk, "thumbprint": jwk.thumbprint().to_base64url() });
    Ok(View { object, lines: vec![json!(jwk).to_string()] })
}

/// `approve-request`: shows the official what is to be signed, asks unless `--yes`, and signs.
///
/// # Errors
/// As [`Wallet::draft`] and [`Wallet::approve`], or for an order [`Wallet::order_draft`] and [`Wallet::give_order`];
/// [`WalletError::OtherContent`] where `--content` names another file than the order is about; [`WalletError::Declined`].
pub(crate) async fn approve_command(wallet: &mut Wallet, arguments: ApproveArgs, ui: &Ui) -> Result<View, WalletError> {
    let handed_out = whole_file::read(&arguments.file, MAX_DRAFT_BYTES).map_err(|_| WalletError::Draft)?;
    if order::is_order(&handed_out) {
        let mut draft = wallet.order_draft(&handed_out, arguments.credential).await?;
        if let Some(file) = &arguments.content {
            let content = whole_file::read(file, MAX_CONTENT_BYTES);
            draft.compare(&content.map_err(|_| WalletError::OtherContent("it cannot be read"))?)?;
        }
        confirm(&arguments, ui, || draft.lines(ui))?;
        let object = draft.to_json();
        return Ok(handed_over(object, "order", wallet.give_order(draft)?, ui));
    }
    if arguments.content.is_some() {
        return Err(WalletError::OtherContent("a request is about no file"));
    }
    let draft = wallet.draft(&handed_out, arguments.credential).await?;
    confirm(&arguments, ui, || draft.lines(ui))?;
    let object = draft.to_json();
    Ok(handed_over(object, "attestation", wallet.approve(draft)?, ui))
}

/// Shows what is to be signed, and asks; with `--yes` neither.
fn confirm(arguments: &ApproveArgs, ui: &Ui, lines: impl FnOnce() -> Vec<String>) -> Result<(), WalletError> {
    if arguments.yes {
        return Ok(());
    }
    lines().iter().for_each(|line| ui.note(line));
    if ui.confirm(&ui.text("wallet-approve-confirm", &[])) {
        return Ok(());
    }
    let id = if ui.can_ask() { "wallet-approve-declined" } else { "wallet-approve-declined-no-terminal" };
    ui.note(&ui.text(id, &[]));
    Err(WalletError::Declined)
}

fn handed_over(mut object: serde_json::Value, name: &str, signed: String, ui: &Ui) -> View {
    ui.note(&ui.text("wallet-approve-hand-over", &[]));
    if let Some(object) = object.as_object_mut() {
        object.insert("ok".to_owned(), true.into());
        object.insert(name.to_owned(), signed.clone().into());
    }
    View { object, lines: vec![signed] }
}
