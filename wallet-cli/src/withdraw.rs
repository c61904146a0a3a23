//! Taking a sharing back: shown, asked, written down, sent; and what the service says it did.
//!
//! The withdrawal stands in the vault before it leaves, and the same text goes again until it is acknowledged: sending
//! twice has one effect. A service that is silent, or answers nonsense, cannot undo that it was asked: past the deadline
//! the history says so, and a member of the ledger can notarise by when the withdrawal was there.

use crate::{
    asker::Asker,
    cli::WithdrawArgs,
    error::WalletError,
    holdings::{Kept, Sharing, WithdrawalAnswer, Withdrawing},
    late::Silent,
    moment::utc,
    receipt::{self, Anchored},
    ui::Ui,
    view::{View, asker_name, listed},
    wallet::Wallet,
};
use identity_core::{
    did::{Did, Document},
    encoding::json::{self, Limits},
    oid4vp::WhoAsks,
    problem::Code,
    time::UnixSeconds,
    withdrawal::{
        ANSWER_DAYS, Acknowledgement, AcknowledgementError, MAX_ACKNOWLEDGEMENT_BYTES, Sent, UnverifiedAcknowledgement,
        Withdrawal,
    },
};
use ledger::sha256;
use serde_json::{Value, json};
use service_kit::fetch::{Answer, Request};
use service_kit::terminal::{harmless, whole_basis};

/// Seconds in a day.
const DAY: i64 = 86_400;

/// The largest answer read: an acknowledgement in a JSON object.
const MAX_ANSWER_BYTES: usize = MAX_ACKNOWLEDGEMENT_BYTES + 1024;

/// What will be asked of whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    number: usize,
    /// The service's name on the ledger, English and Chinese.
    label: Option<(String, String)>,
    service: Did,
    /// Where the withdrawal goes.
    base: String,
    receipt: String,
    receipt_seq: u64,
    shared: UnixSeconds,
    /// When it was asked before, if it was.
    asked: Option<i64>,
}

impl Wallet {
    /// What withdrawing a sharing would ask, and of whom. Nothing leaves.
    ///
    /// # Errors
    /// No such sharing, no valid receipt for it, or its credentials are not here any more; it was withdrawn already.
    pub fn asking(&self, number: usize) -> Result<Asking, WalletError> {
        let found = self.holdings.receipts().find(|(of, ..)| *of == number);
        let Some((_, sharing, Kept::Holds { seq, text }, _)) = found else {
            return Err(refused(Code::WalletWithdrawalNoReceipt, "there is no valid receipt of this number"));
        };
        let asked = self.holdings.withdrawal(number);
        if asked.is_some_and(Withdrawing::is_acknowledged) {
            return Err(refused(Code::WalletWithdrawalAcknowledged, "it was withdrawn and acknowledged"));
        }
        let asked = asked.map(|asked| asked.time);
        if asked.is_none() && self.holdings.keys_of(sharing).next().is_none() {
            return Err(refused(Code::WalletWithdrawalKey, "the holder keys of the sharing are not here any more"));
        }
        let lost = || refused(Code::WalletWithdrawalNoReceipt, "the kept sharing cannot be read");
        Ok(Asking {
            number,
            label: sharing.label.clone(),
            service: Did::parse(&sharing.asker).map_err(|_| lost())?,
            base: receipt::base(sharing).ok_or_else(lost)?,
            receipt: text.clone(),
            receipt_seq: *seq,
            shared: UnixSeconds(sharing.time),
            asked,
        })
    }

    /// Takes a sharing back. The caller has asked the holder.
    ///
    /// # Errors
    /// [`WalletError::WithdrawalUnanswered`] if the service did not answer: then it is written down that it was asked.
    /// What it did answer is written down too, and no error here.
    pub async fn withdraw(&mut self, asking: &Asking) -> Result<WithdrawalAnswer, WalletError> {
        // Whose signature the acknowledgement must have; who cannot be asked about cannot be checked.
        let now = self.clock.now();
        let document = Asker::look_up(self, WhoAsks::Did(&asking.service), now).await?.document(now)?;
        let (text, signed) = self.signed(asking)?;
        let url = format!("{}/withdrawals", asking.base);
        let post = Request::post(url, "application/jwt", text.clone()).with_limit(MAX_ANSWER_BYTES);
        let answer = self.fetch.send(post).await;
        let answer = answer.map_err(|error| WalletError::WithdrawalUnanswered(error.to_string()))?;
        let sent = Sent {
            service: &asking.service,
            withdrawal: sha256(text.as_bytes()),
            receipt: sha256(asking.receipt.as_bytes()),
            receipt_seq: asking.receipt_seq,
            signed,
        };
        let read = read(&answer, &document, &sent, self.clock.now());
        let mut rng = self.rng();
        self.holdings.add_withdrawal_answer(asking.number, read.clone(), &mut rng)?;
        Ok(read)
    }

    /// The withdrawal as it was written down, or a new one, written down now.
    fn signed(&mut self, asking: &Asking) -> Result<(String, UnixSeconds), WalletError> {
        if let Some(asked) = self.holdings.withdrawal(asking.number) {
            return Ok((asked.text.clone(), UnixSeconds(asked.time)));
        }
        let found = self.holdings.sharings().find(|(number, ..)| *number == asking.number);
        let key = found.and_then(|(_, sharing, _)| self.holdings.keys_of(sharing).next());
        let (_, key) =
            key.ok_or_else(|| refused(Code::WalletWithdrawalKey, "the holder keys are not here any more"))?;
        let now = self.clock.now();
        let withdrawal =
            Withdrawal { aud: asking.service.clone(), receipt: sha256(asking.receipt.as_bytes()), iat: now };
        let text = withdrawal.sign(&key)?;
        let mut rng = self.rng();
        self.holdings.add_withdrawal(asking.number, now, text.clone(), &mut rng)?;
        Ok((text, now))
    }

    /// Has the digest of a withdrawal that was sent anchored by a member of the ledger, and keeps the proof: it was there
    /// by that log index, whatever the service says later. Answers the index.
    ///
    /// # Errors
    /// None was sent; a ledger that does not do it, or whose proof does not hold.
    pub async fn notarise(&mut self, number: usize) -> Result<u64, WalletError> {
        let asked = self.holdings.withdrawal(number);
        let asked = asked.ok_or_else(|| refused(Code::WalletWithdrawalUnsent, "nothing was withdrawn yet"))?;
        let proof = self.ledger.notarise(&sha256(asked.text.as_bytes())).await?;
        let index = proof.claimed_index().map_err(|error| refused(error.code(), "the proof"))?;
        let mut rng = self.rng();
        self.holdings.add_notarised(number, json!(proof), &mut rng)?;
        Ok(index)
    }
}

/// What the service answered, checked.
fn read(answer: &Answer, document: &Document, sent: &Sent<'_>, now: UnixSeconds) -> WithdrawalAnswer {
    let object = json::parse_object(&answer.body, Limits::of(MAX_ANSWER_BYTES)).unwrap_or_default();
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    if answer.status != 200 {
        let code = text("code").filter(|code| Code::parse(code).is_some());
        return WithdrawalAnswer::Refused { code };
    }
    let acknowledgement = text("acknowledgement");
    let check = || {
        let text = acknowledgement.as_deref().ok_or(AcknowledgementError::Missing)?;
        let verified = UnverifiedAcknowledgement::parse(text)?.verify(document)?;
        verified.check(sent, now)?;
        Ok::<_, AcknowledgementError>((verified.acknowledgement().seq, text.to_owned()))
    };
    match check() {
        Ok((seq, text)) => WithdrawalAnswer::Acknowledged { seq, text },
        Err(error) => WithdrawalAnswer::Fault { code: error.code().to_string(), text: acknowledgement },
    }
}

/// Asks for the proofs of those acknowledgements, of the sharings whose numbers are `wanted`, that have none yet, or one by
/// validators that are not in force any more, and stores those that hold. A service that cannot be reached is no error: the proof stays late.
///
/// # Errors
/// A vault that cannot be written.
pub(crate) async fn fetch_late(wallet: &mut Wallet, wanted: impl Fn(usize) -> bool) -> Result<(), WalletError> {
    let trust_root = wallet.ledger.trust_root();
    let late = |(number, sharing, asked): (usize, &Sharing, &Withdrawing)| {
        let Some(WithdrawalAnswer::Acknowledged { seq, text }) = &asked.answer else { return None };
        let entry = Anchored::at(Did::parse(&sharing.asker).ok()?, *seq, text);
        let waits = asked.proof.as_ref().is_none_or(|proof| entry.proven(proof, &trust_root).is_none());
        Some((number, entry, receipt::base(sharing)?)).filter(|_| waits && wanted(number))
    };
    let late: Vec<_> = wallet.holdings.withdrawals().filter_map(late).collect();
    let mut silent = Silent::default();
    for (number, entry, base) in late {
        if let Some(proof) = receipt::fetch(wallet, &mut silent, &base, &entry, &trust_root).await {
            let mut rng = wallet.rng();
            wallet.holdings.add_withdrawal_proof(number, proof, &mut rng)?;
        }
    }
    Ok(())
}

fn refused(code: Code, detail: &str) -> WalletError {
    WalletError::Protocol { code, detail: detail.to_owned() }
}

impl Withdrawing {
    /// Whether the service acknowledged it, by what was checked when the acknowledgement came.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        matches!(self.answer, Some(WithdrawalAnswer::Acknowledged { .. }))
    }

    /// Whether the deadline is past, and no acknowledgement here.
    #[must_use]
    pub fn is_overdue(&self, now: UnixSeconds) -> bool {
        !self.is_acknowledged() && now.since(UnixSeconds(self.time)) > ANSWER_DAYS * DAY
    }

    /// What the service said it did.
    fn said(&self) -> Option<Acknowledgement> {
        let Some(WithdrawalAnswer::Acknowledged { text, .. }) = &self.answer else { return None };
        UnverifiedAcknowledgement::parse(text).ok().map(|parsed| parsed.dangerous_claims().clone())
    }

    /// For a person: how it stands.
    pub(crate) fn lines(&self, now: UnixSeconds, ui: &Ui) -> Vec<String> {
        let since = ("time", utc(self.time).into());
        let mut lines = Vec::new();
        match &self.answer {
            Some(WithdrawalAnswer::Acknowledged { seq, .. }) => {
                let id = if self.proof.is_some() { "wallet-withdrawn-anchored" } else { "wallet-withdrawn-waits" };
                lines.push(ui.text(id, &[("number", seq.to_string().into()), since]));
                lines.extend(self.said().iter().flat_map(|said| said_lines(said, ui)));
            }
            None => lines.push(ui.text("wallet-withdrawal-unanswered", &[since])),
            Some(WithdrawalAnswer::Fault { code, .. }) => {
                let reason = title(Some(code), ui);
                lines.push(ui.text("wallet-withdrawal-fault", &[since, ("reason", reason.into())]));
            }
            Some(WithdrawalAnswer::Refused { code }) => {
                let reason = title(code.as_ref(), ui);
                lines.push(ui.text("wallet-withdrawal-refused", &[since, ("reason", reason.into())]));
            }
        }
        if self.is_overdue(now) {
            lines.push(ui.text("wallet-withdrawal-overdue", &[("days", ANSWER_DAYS.to_string().into())]));
        }
        if self.notarised.is_some() {
            lines.push(ui.text("wallet-withdrawal-notarised", &[]));
        }
        lines
    }

    /// The members that say so to a script.
    pub(crate) fn to_json(&self, now: UnixSeconds) -> Value {
        json!({ "time": self.time, "withdrawal": self.text, "answer": self.answer, "said": self.said(),
            "anchored": self.proof.is_some(), "notarised": self.notarised, "overdue": self.is_overdue(now) })
    }
}

fn title(code: Option<&String>, ui: &Ui) -> String {
    let code = code.and_then(|code| Code::parse(code));
    code.map_or_else(|| ui.text("wallet-withdrawal-no-reason", &[]), |code| code.title(ui.lang()).to_owned())
}

/// What a service says it deleted, and what it keeps by which law.
fn said_lines(said: &Acknowledgement, ui: &Ui) -> Vec<String> {
    let name = |kind: &str| ui.text(&format!("wallet-kind-{}", kind.replace('_', "-")), &[]);
    let deleted = listed(said.deleted.iter().map(|kind| name(kind.as_str())), ui);
    let mut lines = vec![ui.text("wallet-withdrawn-deleted", &[("what", deleted.into())])];
    for kept in &said.kept {
        let values = [
            ("what", name(kept.what.as_str()).into()),
            ("basis", whole_basis(&kept.basis).into()),
            ("time", kept.until.map(|until| utc(until.0)).unwrap_or_default().into()),
        ];
        let id = if kept.until.is_some() { "wallet-withdrawn-kept-until" } else { "wallet-withdrawn-kept" };
        lines.push(ui.text(id, &values));
    }
    if said.passed_on {
        lines.push(ui.text("wallet-withdrawn-passed-on", &[]));
    }
    lines
}

impl Asking {
    fn lines(&self, ui: &Ui) -> Vec<String> {
        let service = asker_name(self.label.as_ref(), self.service.as_ref(), ui.lang());
        let values = [
            ("service", service.into()),
            ("number", self.receipt_seq.to_string().into()),
            ("time", utc(self.shared.0).into()),
            ("place", harmless(&self.base).into()),
        ];
        let mut lines = vec![ui.text("wallet-withdraw-asks", &values), ui.text("wallet-withdraw-limits", &[])];
        lines.extend(self.asked.map(|time| ui.text("wallet-withdraw-again", &[("time", utc(time).into())])));
        lines
    }
}

/// The command: says what will be asked of whom, asks the holder unless `--yes`, and says what the service answered; or has
/// what was sent notarised.
///
/// # Errors
/// As [`Wallet::asking`], [`Wallet::withdraw`] and [`Wallet::notarise`]; [`WalletError::Declined`];
/// [`WalletError::WithdrawalRefused`] if there is no valid acknowledgement.
pub(crate) async fn command(wallet: &mut Wallet, arguments: &WithdrawArgs, ui: &Ui) -> Result<View, WalletError> {
    let number = arguments.number;
    if arguments.notarise {
        let index = wallet.notarise(number).await?;
        let lines = vec![ui.text("wallet-notarised", &[("index", index.to_string().into())])];
        return Ok(View { object: json!({ "ok": true, "sharing": number, "index": index }), lines });
    }
    let asking = wallet.asking(number)?;
    // A person is shown what they are asked, also where a script gets the result.
    if !(arguments.yes && ui.is_json()) {
        asking.lines(ui).iter().for_each(|line| ui.note(line));
    }
    if !arguments.yes && !ui.confirm(&ui.text("wallet-withdraw-confirm", &[])) {
        let id = if ui.can_ask() { "wallet-withdraw-declined" } else { "wallet-withdraw-declined-no-terminal" };
        ui.note(&ui.text(id, &[]));
        return Err(WalletError::Declined);
    }
    match wallet.withdraw(&asking).await? {
        WithdrawalAnswer::Acknowledged { .. } => {}
        WithdrawalAnswer::Fault { code, .. } => {
            return Err(WalletError::WithdrawalRefused { code: Code::parse(&code) });
        }
        WithdrawalAnswer::Refused { code } => {
            return Err(WalletError::WithdrawalRefused { code: code.as_deref().and_then(Code::parse) });
        }
    }
    let now = wallet.clock.now();
    let asked = wallet.holdings.withdrawal(number).ok_or(WalletError::WithdrawalRefused { code: None })?;
    let mut object = json!({ "ok": true, "sharing": number });
    if let (Some(object), Value::Object(members)) = (object.as_object_mut(), asked.to_json(now)) {
        object.extend(members);
    }
    Ok(View { object, lines: asked.lines(now, ui) })
}
