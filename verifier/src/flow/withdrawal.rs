//! A holder takes a sharing back: what is kept of it is deleted, and what was done is said, signed, in the chain of
//! receipts.
//!
//! One durable step: records deleted, acknowledgement, line of the audit log. If we die before it, nothing happened and
//! the holder asks again; after it, the same withdrawal gets the acknowledgement that stands in the chain.

use identity_core::crypto::SigningFailed;
use identity_core::problem::Code;
use identity_core::receipt::UnverifiedReceipt;
use identity_core::time::UnixSeconds;
use identity_core::withdrawal::{
    Acknowledgement, Answered, Kept, Kind, Shared, UnverifiedWithdrawal, VerifiedWithdrawal, WithdrawalError,
};
use ledger::Hash;
use service_kit::store::StoreError;

use super::receipt::TRIES;
use crate::policy::DAY;
use crate::service::Verifier;
use crate::store::receipts::Signed;
use crate::store::sharings::{Withdrawable, Withdrawn};

/// Why a withdrawal was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WithdrawalRefusal {
    #[error(transparent)]
    Withdrawal(#[from] WithdrawalError),
    #[error("there is no such receipt")]
    ReceiptUnknown,
    #[error("nothing was taken from the answer")]
    NothingTaken,
    #[error("the time in which the answer may be kept is over")]
    Over,
    #[error("the sharing was withdrawn by another withdrawal")]
    Done,
    #[error("the acknowledgement could not be made")]
    Unacknowledged,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl WithdrawalRefusal {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Withdrawal(error) => error.code(),
            Self::ReceiptUnknown => Code::WithdrawalReceiptUnknown,
            Self::NothingTaken => Code::WithdrawalNothingTaken,
            Self::Over => Code::WithdrawalOver,
            Self::Done => Code::WithdrawalDone,
            Self::Unacknowledged => Code::HttpInternal,
            Self::Store(error) => error.code(),
        }
    }
}

/// What a withdrawal finds.
enum Found {
    /// It was carried out before; the acknowledgement.
    Acknowledged(String),
    /// A sharing that can be taken back: its receipt's place and time.
    Open { seq: u64, given: UnixSeconds, withdrawable: Box<Withdrawable> },
}

/// A page of withdrawals for the department's own systems.
const PAGE: usize = 100;

impl Verifier {
    /// Carries a withdrawal out and answers its acknowledgement. Until a holder's signature was verified nothing is
    /// written.
    pub(crate) async fn withdraw(&self, text: &str) -> Result<String, WithdrawalRefusal> {
        let unverified = UnverifiedWithdrawal::parse(text)?;
        let said = unverified.dangerous_claims();
        if said.aud != self.did {
            return Err(WithdrawalError::Audience.into());
        }
        let (receipt, digest) = (said.receipt, unverified.digest());
        let (given, holders) = match self.find(&receipt, &digest).await? {
            Found::Acknowledged(text) => return Ok(text),
            Found::Open { given, withdrawable, .. } => (given, withdrawable.sharing.holders),
        };
        let now = self.clock.now();
        let shared = Shared { service: &self.did, receipt, given, holders: &holders };
        let withdrawal = unverified.verify(&shared, now)?;

        // Entries of the chain are made one after the other.
        let _turn = self.receipts.turn.lock().await;
        for _ in 0..TRIES {
            let (seq, withdrawable) = match self.find(&receipt, &digest).await? {
                Found::Acknowledged(text) => return Ok(text),
                Found::Open { seq, withdrawable, .. } => (seq, withdrawable),
            };
            let signed = self.acknowledge(&withdrawal, &withdrawable, now).await?;
            let withdrawn = Withdrawn {
                receipt: seq,
                withdrawal: digest,
                acknowledgement: signed.seq,
                request: withdrawable.sharing.request.clone(),
            };
            match self.store.withdraw_once(&withdrawable, &withdrawn, &signed, now).await {
                // Another entry took the place, or the records went or were handed on meanwhile: looked at anew.
                Err(error) if error.is_precondition() => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    tracing::info!(receipt = seq, acknowledgement = signed.seq, "a sharing was withdrawn");
                    self.receipts.wake.notify_one();
                    return Ok(signed.text);
                }
            }
        }
        Err(StoreError::Broken("the chain of receipts moves too fast".into()).into())
    }

    async fn find(&self, receipt: &Hash, withdrawal: &Hash) -> Result<Found, WithdrawalRefusal> {
        let seq = self.store.receipt_place(receipt).await?.ok_or(WithdrawalRefusal::ReceiptUnknown)?;
        if let Some(done) = self.store.withdrawn(seq).await? {
            let acknowledgement = self.store.receipt(done.acknowledgement).await?;
            return match acknowledgement {
                Some(text) if done.withdrawal == *withdrawal => Ok(Found::Acknowledged(text)),
                _ => Err(WithdrawalRefusal::Done),
            };
        }
        let text = self.store.receipt(seq).await?.ok_or(WithdrawalRefusal::ReceiptUnknown)?;
        // The other entries of the chain are acknowledgements: nothing was shared by them.
        let said = UnverifiedReceipt::parse(&text).map_err(|_| WithdrawalRefusal::ReceiptUnknown)?;
        let said = said.dangerous_claims();
        match self.store.withdrawable(seq).await? {
            Some(withdrawable) => Ok(Found::Open { seq, given: said.iat, withdrawable: Box::new(withdrawable) }),
            None if self.clock.now() >= said.iat.plus(i64::from(said.retention_days).saturating_mul(DAY)) => {
                Err(WithdrawalRefusal::Over)
            }
            None => Err(WithdrawalRefusal::NothingTaken),
        }
    }

    async fn acknowledge(
        &self,
        withdrawal: &VerifiedWithdrawal,
        withdrawable: &Withdrawable,
        now: UnixSeconds,
    ) -> Result<Signed, WithdrawalRefusal> {
        let before = self.store.receipt_head().await?;
        let (deleted, mut kept) = withdrawable.parted(now);
        kept.extend(self.kept_without_values(withdrawable, now));
        let answered =
            Answered { service: &self.did, withdrawal, deleted, kept, passed_on: withdrawable.passed_on, at: now };
        let said = Acknowledgement::following(before, answered);
        let (name, key) = self.signing_key().ok_or(WithdrawalRefusal::Unacknowledged)?;
        let text = said.sign(name, key).map_err(|SigningFailed| WithdrawalRefusal::Unacknowledged)?;
        Ok(Signed { before, seq: said.seq, text })
    }

    /// What names no claim and no key of the holder's, and stays.
    fn kept_without_values(&self, withdrawable: &Withdrawable, now: UnixSeconds) -> Vec<Kept> {
        let kept = |what, until: Option<UnixSeconds>| {
            // What is due is erased within moments, and not before what is said now.
            Kept { what, basis: self.records_basis.clone(), until: until.map(|until| until.max(now)) }
        };
        let mut all = vec![kept(Kind::Receipt, None)];
        all.extend(withdrawable.request_until.map(|until| kept(Kind::Request, Some(until))));
        all.extend(withdrawable.verdict_until.map(|until| kept(Kind::Verdict, Some(until))));
        all
    }

    /// Withdrawals whose acknowledgements stand behind a place of the chain, oldest first, with those: for the
    /// department's own systems, which have to follow.
    pub(crate) async fn withdrawals_after(&self, seq: u64) -> Result<Vec<(Withdrawn, String)>, StoreError> {
        let mut found = Vec::new();
        for withdrawn in self.store.withdrawals_after(seq, PAGE).await? {
            let text = self.store.receipt(withdrawn.acknowledgement).await?;
            let text = text.ok_or_else(|| StoreError::Corrupt("an acknowledgement is missing".to_owned()))?;
            found.push((withdrawn, text));
        }
        Ok(found)
    }
}
