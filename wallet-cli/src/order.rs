//! An official's order for what their department does as an issuer: read before it is signed, and then signed.
//!
//! As with a request (`official.rs`), what nobody would take is not signed.

use crate::{
    asker::Asker, error::WalletError, holdings::Ordered, labels::TypeText, moment::utc, question::aligned, ui::Ui,
    view::asker_name, wallet::Wallet,
};
use identity_core::{
    duty::{DutyError, IssuerAct, MAX_ORDER_SECONDS, Order},
    encoding::json::{self, Limits},
    oid4vp::WhoAsks,
    problem::Lang,
    time::UnixSeconds,
};
use ledger::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service_kit::terminal::{harmless, whole_basis};

/// What an order says, as it is shown and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// The duty number.
    pub duty: String,
    /// What the duty is called: English, Chinese.
    pub title: (String, String),
    /// What is to be done.
    pub act: IssuerAct,
    /// The credential type.
    pub vct: String,
    /// How many people it is about.
    pub count: u64,
    /// The legal basis.
    pub basis: String,
    /// Whether a case is named; its number stays with the department.
    pub case: bool,
}

/// An order that an official may sign: sound, current, and within a duty of theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderDraft {
    said: Order,
    /// Number of the credential whose key signs.
    credential: usize,
    /// The department's name on the ledger: English, Chinese.
    pub department: Option<(String, String)>,
    /// What it says.
    pub deed: Deed,
    /// Whether the official has held the content itself against it.
    compared: bool,
}

/// Whether what a department handed out is an order, and not a request.
pub(crate) fn is_order(handed_out: &[u8]) -> bool {
    let limits = Limits::of(handed_out.len());
    json::parse_strict(handed_out, limits)
        .is_ok_and(|given| given.get("to_attest").unwrap_or(&given).get("deed").is_some())
}

impl Wallet {
    /// Reads the order that a department's service drafted, alone or as `to_attest` of an answer, and holds it against the
    /// ledger. Nothing is signed.
    ///
    /// # Errors
    /// [`WalletError::Draft`]; an order that has expired or would count for too long; a duty that is not delegated to this
    /// key, is a service account's, or does not cover it; a ledger that cannot be asked.
    pub async fn order_draft(&self, handed_out: &[u8], credential: usize) -> Result<OrderDraft, WalletError> {
        let now = self.clock.now();
        let said = parse(handed_out, now)?;
        let key = self.duty_key(credential)?.thumbprint();
        let mut department = Asker::look_up(self, WhoAsks::Did(&said.iss), now).await?;
        let duty = department.duty_of_order(self, &said, &key, now).await?;
        let deed = Deed {
            duty: said.duty.clone(),
            title: (duty.title.en, duty.title.zh),
            act: said.deed.act,
            vct: said.deed.vct.clone(),
            count: said.deed.count,
            basis: said.basis.clone(),
            case: said.case.is_some(),
        };
        Ok(OrderDraft { credential, department: department.label(now)?, deed, said, compared: false })
    }

    /// Signs an order and keeps an account of it. The caller has asked the official.
    ///
    /// # Errors
    /// An order that expired while it was read, or a vault that cannot be written: then nothing was signed.
    pub fn give_order(&mut self, draft: OrderDraft) -> Result<String, WalletError> {
        let now = self.clock.now();
        check_current(&draft.said, now)?;
        let signed = draft.said.sign(&self.holder_key(draft.credential)?)?;
        let department = draft.said.iss.to_string();
        let ordered = Ordered { time: now.0, department, signed: signed.clone(), deed: draft.deed };
        let mut rng = self.rng();
        self.holdings.add_order(ordered, &mut rng)?;
        Ok(signed)
    }
}

fn parse(handed_out: &[u8], now: UnixSeconds) -> Result<Order, WalletError> {
    let given = json::parse_strict(handed_out, Limits::of(handed_out.len())).map_err(|_| WalletError::Draft)?;
    let said = given.get("to_attest").cloned().unwrap_or(given);
    let said = Order::deserialize(said).map_err(|_| WalletError::Draft)?;
    if !said.is_sound() {
        return Err(WalletError::Draft);
    }
    check_current(&said, now)?;
    Ok(said)
}

fn check_current(said: &Order, now: UnixSeconds) -> Result<(), DutyError> {
    if now < said.exp && said.exp <= now.plus(MAX_ORDER_SECONDS) { Ok(()) } else { Err(DutyError::Expired) }
}

impl OrderDraft {
    /// Holds what the official was shown against what the order is about.
    ///
    /// # Errors
    /// [`WalletError::OtherContent`].
    pub fn compare(&mut self, content: &[u8]) -> Result<(), WalletError> {
        self.compared = sha256(content) == self.said.deed.content;
        if self.compared { Ok(()) } else { Err(WalletError::OtherContent("the order names another SHA-256")) }
    }

    /// The draft for the official to read.
    #[must_use]
    pub fn lines(&self, ui: &Ui) -> Vec<String> {
        let name = match &self.department {
            Some(label) => asker_name(Some(label), self.said.iss.as_ref(), ui.lang()),
            None => ui.text("wallet-ask-unknown-name", &[]),
        };
        let until = [("time", utc(self.said.exp.0).into())];
        let mut facts = vec![
            ("wallet-approve-department", name),
            ("", harmless(self.said.iss.as_ref())),
            ("wallet-order-deed", self.deed.told(ui)),
            ("wallet-order-content", self.said.deed.content.to_hex()),
            ("wallet-ask-duty", self.deed.who(ui)),
            ("wallet-ask-basis", whole_basis(&self.deed.basis)),
        ];
        if self.deed.case {
            facts.push(("wallet-ask-case", ui.text("wallet-ask-case-named", &[])));
        }
        facts.push(("wallet-approve-until", ui.text("wallet-approve-until-time", &until)));
        let mut lines = vec![ui.text("wallet-order-head", &[])];
        lines.extend(aligned(facts, "  ", ui));
        match (self.compared, self.deed.act) {
            (true, _) => lines.push(ui.text("wallet-order-compared", &[])),
            (false, IssuerAct::Import) => lines.push(ui.text("wallet-order-compare", &[])),
            (false, _) => {}
        }
        lines
    }

    /// The draft for a script, without what is signed.
    pub(crate) fn to_json(&self) -> Value {
        let label = self.department.as_ref().map(|(en, zh)| json!({ "en": en, "zh": zh }));
        json!({ "department": self.said.iss, "label": label, "deed": self.deed, "content": self.said.deed.content,
            "compared": self.compared, "expires": self.said.exp })
    }
}

impl Deed {
    /// Who answers, in the reader's language.
    fn who(&self, ui: &Ui) -> String {
        let title = match ui.lang() {
            Lang::En => &self.title.0,
            Lang::Zh => &self.title.1,
        };
        ui.text("wallet-ask-duty-official", &[("title", harmless(title).into()), ("duty", harmless(&self.duty).into())])
    }

    /// What is to be done, in one line.
    fn told(&self, ui: &Ui) -> String {
        let id = match self.act {
            IssuerAct::Import => "wallet-order-import",
            IssuerAct::Offer => "wallet-order-offer",
            IssuerAct::Revoke => "wallet-order-revoke",
            IssuerAct::Suspend => "wallet-order-suspend",
            IssuerAct::Reinstate => "wallet-order-reinstate",
        };
        let name = TypeText::of(&self.vct).name(ui.lang());
        ui.text(id, &[("type", name.into()), ("count", self.count.to_string().into())])
    }
}

impl Ordered {
    /// What was ordered as an official, in one line.
    pub(crate) fn line(&self, ui: &Ui) -> String {
        let values = [("who", self.deed.who(ui).into()), ("deed", self.deed.told(ui).into())];
        format!("{}  {}", utc(self.time), ui.text("wallet-history-ordered", &values))
    }
}
