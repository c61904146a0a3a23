//! The evidence of one sharing, as a file that anybody checks offline: who asked, who answers for it, on whose word, what
//! for, and what the service says it did; and, where the sharing was taken back, by when that was asked and what came of it.
//!
//! The wallet keeps its signatures and not what it sent. With the credential still here, what was sent is put together
//! again; that it is the very same, its digest in the receipt says.

use std::collections::BTreeMap;

use crate::{
    cli::EvidenceArgs,
    error::WalletError,
    holdings::{Kept, Sharing, WithdrawalAnswer, Withdrawing},
    receipt::{self, Anchored},
    ui::Ui,
    view::View,
    wallet::Wallet,
    withdraw,
};
use identity_core::{
    anchor::AnchorProof,
    bundle::{Bundle, BundleError, Full, TakenBack},
    did::Did,
    problem::Code,
    receipt::{Presented, UnverifiedReceipt},
    registry::AnchorKind,
    sd_jwt::HeldSdJwt,
};
use ledger::sha256;
use serde_json::json;
use service_kit::evidence_file::{self, EvidenceFileError};
use service_kit::terminal::harmless;

impl Wallet {
    /// The evidence of a sharing, by its number; `full` with what was shown. What the ledger says of everybody in the
    /// chain is asked for now, and the whole is checked as anybody else would.
    ///
    /// # Errors
    /// No such sharing, or no valid receipt for it; with `full`, a credential that is not here any more; a ledger that
    /// cannot be asked; evidence that does not hold.
    pub async fn evidence(&mut self, number: usize, full: bool) -> Result<Bundle, WalletError> {
        receipt::fetch_late(self, |of| of == number).await?;
        withdraw::fetch_late(self, |of| of == number).await?;
        let trust_root = self.ledger.trust_root();
        let found = self.holdings.receipts().find(|(of, ..)| *of == number);
        let Some((_, sharing, kept @ Kept::Holds { text, .. }, proof)) = found else {
            return Err(refused(Code::EvidenceNoReceipt, "there is no valid receipt of this number"));
        };
        // One by validators before those in force is as good as none; what was kept is not believed again, either.
        let anchored = Anchored::of(sharing, kept);
        let proof = anchored.zip(proof).and_then(|(anchored, proof)| anchored.proven(proof, &trust_root));
        let full = if full { Some(self.shown_then(sharing, text)?) } else { None };
        let full = full.map(|(token, proofs)| Full::new(token, proofs, &trust_root));
        let mut bundle = Bundle::of(sharing.request.clone(), text.clone(), proof, sharing.key_bindings.clone(), full);
        if let Some(asked) = self.holdings.withdrawal(number) {
            bundle = bundle.with_withdrawal(self.taken_back(sharing, asked).await?);
        }
        Ok(evidence_file::complete(bundle, &self.ledger).await?)
    }

    /// The withdrawal, with the proofs that hold by now.
    async fn taken_back(&self, sharing: &Sharing, asked: &Withdrawing) -> Result<TakenBack, WalletError> {
        let trust_root = self.ledger.trust_root();
        let acknowledged = match &asked.answer {
            Some(WithdrawalAnswer::Acknowledged { seq, text }) => Some((*seq, text)),
            _ => None,
        };
        let entry =
            acknowledged.and_then(|(seq, text)| Some(Anchored::at(Did::parse(&sharing.asker).ok()?, seq, text)));
        let proof = entry.zip(asked.proof.as_ref()).and_then(|(entry, proof)| entry.proven(proof, &trust_root));
        Ok(TakenBack {
            text: asked.text.clone(),
            notarised: self.notarised(asked).await?,
            acknowledgement: acknowledged.map(|(_, text)| text.clone()),
            acknowledgement_proof: proof,
        })
    }

    /// That a member had the ledger take note of the withdrawal. The entry stands where it stood also after others than
    /// those who certified it then are in force.
    async fn notarised(&self, asked: &Withdrawing) -> Result<Option<AnchorProof>, WalletError> {
        let Some(kept) = &asked.notarised else { return Ok(None) };
        let kept = AnchorProof::from_value(kept).map_err(|error| refused(error.code(), "the kept proof"))?;
        let digest = sha256(asked.text.as_bytes());
        if kept.verify(&digest, AnchorKind::Notarised, &self.ledger.trust_root()).is_ok() {
            return Ok(Some(kept));
        }
        let index = kept.claimed_index().map_err(|error| refused(error.code(), "the kept proof"))?;
        let certified = self.ledger.log_proof(index, kept.transaction.as_bytes()).await?;
        Ok(Some(AnchorProof { proof: certified.proof, ..kept }))
    }

    /// What was shown, put together again, and the anchor proofs of the credentials.
    fn shown_then(&self, sharing: &Sharing, receipt: &str) -> Result<Shown, WalletError> {
        let said = UnverifiedReceipt::parse(receipt).map_err(|error| refused(error.code(), "the kept receipt"))?;
        let (mut token, mut proofs) = (BTreeMap::new(), BTreeMap::new());
        let mut key_bindings = sharing.key_bindings.iter();
        for (query, presented) in &said.dangerous_claims().presentations {
            for presented in presented {
                let again = key_bindings.next().and_then(|signed| self.again(sharing, presented, signed));
                let (text, proof) =
                    again.ok_or_else(|| refused(Code::EvidenceNotFull, "what was shown cannot be had again"))?;
                token.entry(query.clone()).or_insert_with(Vec::new).push(text);
                proofs.entry(query.clone()).or_insert_with(Vec::new).extend(proof);
            }
        }
        Ok((token, proofs))
    }

    /// One presentation as it was sent, if it is of one of the sharing's credentials and comes to the same digest.
    fn again(&self, sharing: &Sharing, presented: &Presented, signed: &str) -> Option<(String, Option<AnchorProof>)> {
        sharing.credentials.iter().find_map(|shared| {
            let (_, credential, proof) =
                self.holdings.credentials().find(|(number, ..)| *number == shared.credential)?;
            let held = HeldSdJwt::dangerous_reopen(credential.sd_jwt.expose().to_owned()).ok()?;
            let text = format!("{}{signed}", held.present_again(&presented.claims).text());
            let proof = proof.and_then(|proof| AnchorProof::from_value(proof).ok());
            (sha256(text.as_bytes()) == presented.digest).then_some((text, proof))
        })
    }
}

type Shown = (BTreeMap<String, Vec<String>>, BTreeMap<String, Vec<AnchorProof>>);

fn refused(code: Code, detail: &str) -> WalletError {
    WalletError::Protocol { code, detail: detail.to_owned() }
}

impl From<EvidenceFileError> for WalletError {
    fn from(error: EvidenceFileError) -> Self {
        match error {
            EvidenceFileError::Ledger(error) => Self::Ledger(error),
            EvidenceFileError::Bundle(error) => bundle_error(error),
            _ => Self::Unwritable,
        }
    }
}

fn bundle_error(error: BundleError) -> WalletError {
    WalletError::Protocol { code: error.code(), detail: error.to_string() }
}

/// The command: writes the file and says what is in it.
///
/// # Errors
/// As [`Wallet::evidence`]; a file that cannot be written.
pub(crate) async fn command(wallet: &mut Wallet, arguments: &EvidenceArgs, ui: &Ui) -> Result<View, WalletError> {
    let bundle = wallet.evidence(arguments.number, arguments.full).await?;
    evidence_file::write(&arguments.out, &bundle)?;
    let file = arguments.out.display().to_string();
    let lines = vec![ui.text(evidence_file::written(&bundle), &[("file", harmless(&file).into())])];
    Ok(View { object: json!({ "ok": true, "file": file, "full": bundle.is_full() }), lines })
}
