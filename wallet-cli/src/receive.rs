//! Receiving a credential: from an offer's link to a record in the vault.
//!
//! The credential is stored as soon as it is verified, and before its anchor proof is asked for: the proof can come
//! any time later, the credential is handed out once.

use crate::{
    anchor::{self, AnchorState},
    claims,
    cli::ReceiveArgs,
    error::WalletError,
    holdings::Credential,
    labels::{TypeText, check_type},
    late::Silent,
    picture,
    ui::Ui,
    view::{View, listed},
    wallet::Wallet,
};
use identity_core::{
    crypto::{Alg, PublicKey, SecretKey, Signer},
    did::DidUrl,
    oid4vci::{
        offer::{CredentialOffer, OfferLink},
        proof::Binding,
        wallet::{Authorized, HttpReply, HttpRequest, Invited, Ready, Received, ReceivedCredential, WalletRefusal},
    },
    registry::{KeyUse, OwnerHistory, Role, accreditation_key, did_key, url_key},
    sd_jwt::HeldSdJwt,
    trust,
};
use serde_json::{Value, json};
use service_kit::terminal::harmless;
use service_kit::{
    fetch::{Answer, Request},
    ledger_client::LedgerError,
};
use std::collections::BTreeMap;

/// What was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The credential's number.
    pub number: usize,
    /// Its type.
    pub vct: String,
    /// Its issuer's URL.
    pub issuer: String,
    /// Where its anchor proof stands.
    pub anchor: AnchorState,
    /// Whether the ledger accredits the issuer for this type, with proof; `None` if the ledger could not be asked.
    pub accredited: Option<bool>,
}

impl Wallet {
    /// Receives what an offer's link offers. `tx_code` is asked for the code that the holder got by another way, and
    /// only if the issuer wants one.
    ///
    /// # Errors
    /// The offer or an answer of the issuer does not hold, or what came is not what was offered; nothing is stored
    /// then. [`WalletError::TxCodeNeeded`] if `tx_code` gave none.
    pub async fn receive(
        &mut self,
        link: &str,
        tx_code: &mut dyn FnMut() -> Option<String>,
    ) -> Result<Vec<Receipt>, WalletError> {
        self.receive_bound(link, Binding::default(), tx_code).await
    }

    /// As [`Self::receive`], with the credential's key named as wished.
    ///
    /// # Errors
    /// As [`Self::receive`]; a way that the issuer does not offer is refused before the offer's code is spent.
    pub async fn receive_bound(
        &mut self,
        link: &str,
        binding: Binding,
        tx_code: &mut dyn FnMut() -> Option<String>,
    ) -> Result<Vec<Receipt>, WalletError> {
        let offer = self.read_offer(link.trim()).await?;
        let invited = Invited::new(offer, self.transport())?;
        let informed = invited.informed(reply(&self.perform(invited.request()).await?))?;
        let ready = informed.ready(reply(&self.perform(informed.request()).await?))?;
        if !informed.configuration().binds_by(binding) {
            return Err(WalletRefusal::BindingMethod.into());
        }
        let code = match informed.tx_code() {
            Some(_) => Some(tx_code().ok_or(WalletError::TxCodeNeeded)?),
            None => None,
        };
        let offered = informed.configuration().jwt_proof_algorithms();
        let alg = Alg::ALL.iter().copied().find(|alg| offered.iter().any(|name| name == alg.name()));
        let key = SecretKey::generate(alg.ok_or(WalletRefusal::ProofAlgorithm)?, &mut *self.rng())?;

        let received = self.exchange(&ready, code.as_deref(), &key, binding).await?;
        let verified = self.verify(invited.issuer(), &received).await?;
        let mut receipts = Vec::new();
        for credential in verified {
            receipts.push(self.keep(invited.issuer(), &informed.configuration().vct, credential, &key)?);
        }
        let mut silent = Silent::default();
        for receipt in &mut receipts {
            receipt.anchor = anchor::fetch(self, receipt.number, &mut silent).await?;
            receipt.accredited = self.is_issuer_accredited(receipt).await;
        }
        Ok(receipts)
    }

    async fn read_offer(&self, link: &str) -> Result<CredentialOffer, WalletError> {
        match OfferLink::parse(link, self.transport())? {
            OfferLink::ByValue(offer) => Ok(offer),
            OfferLink::ByReference(url) => {
                let answer = self.fetch.send(Request::get(url)).await?.success()?;
                Ok(CredentialOffer::parse(&answer.body, self.transport())?)
            }
        }
    }

    async fn perform(&self, request: HttpRequest) -> Result<Answer, WalletError> {
        let url = String::from(request.url);
        let (kind, body) =
            request.body.map_or(("application/json", Vec::new()), |body| (body.content_type, body.bytes));
        let prepared = if request.post { Request::post(url, kind, body) } else { Request::get(url) };
        let prepared = match &request.bearer {
            Some(token) => prepared.with_bearer(token),
            None => prepared,
        };
        Ok(self.fetch.send(prepared.with_header("accept", "application/json")).await?)
    }

    /// Exchanges the code, which is spent by this whatever follows, then proves possession of the key and takes the
    /// credential. A nonce that aged on the way is fetched anew, once.
    async fn exchange(
        &self,
        ready: &Ready,
        code: Option<&str>,
        key: &SecretKey,
        binding: Binding,
    ) -> Result<Received, WalletError> {
        let authorized = ready.authorized(reply(&self.perform(ready.request(code)?).await?))?;
        match self.ask(&authorized, key, binding).await? {
            Err(WalletRefusal::ByIssuer { error: Some("invalid_nonce"), .. }) => {
                Ok(self.ask(&authorized, key, binding).await??)
            }
            other => Ok(other?),
        }
    }

    async fn ask(
        &self,
        authorized: &Authorized,
        key: &SecretKey,
        binding: Binding,
    ) -> Result<Result<Received, WalletRefusal>, WalletError> {
        let nonce = match authorized.request() {
            Some(request) => Some(self.perform(request).await?),
            None => None,
        };
        let proving = authorized.proving(nonce.as_ref().map(reply))?.bound_by(binding);
        let answer = self.perform(proving.request(&[key], self.clock.now())?).await?;
        Ok(proving.received(&[key.public_key().clone()], reply(&answer)))
    }

    /// Verifies with the keys that the ledger knows for the issuer's address; if the ledger cannot be asked now, with
    /// those that the issuer publishes there itself, because the credential is handed out only once.
    async fn verify(&self, issuer: &str, received: &Received) -> Result<Vec<ReceivedCredential>, WalletError> {
        let now = self.clock.now();
        let mut keys = BTreeMap::new();
        for name in received.key_names()? {
            match self.issuer_key(issuer, &name).await {
                Ok(Some(key)) => drop(keys.insert(name, key)),
                Ok(None) => {}
                Err(_) => {
                    let answer = self.perform(received.request()).await?;
                    return Ok(received.verify_by_metadata(reply(&answer), now)?);
                }
            }
        }
        Ok(received.verify(|name| keys.get(name).cloned(), now)?)
    }

    /// The key by its DID URL, as of now, if its DID registers the issuer's address.
    async fn issuer_key(&self, issuer: &str, name: &str) -> Result<Option<PublicKey>, LedgerError> {
        let Ok(url) = DidUrl::parse(name) else { return Ok(None) };
        let (proven, _) = self.ledger.state(&did_key(url.did())).await?;
        let Ok(history) = trust::did_history(&proven, url.did()) else { return Ok(None) };
        let now = trust::known_until(&proven);
        let key = history.key_at(now, url.fragment(), KeyUse::AssertionMethod).cloned();
        Ok(key.filter(|_| history.has_service_at(now, issuer)))
    }

    fn keep(
        &mut self,
        issuer: &str,
        vct: &str,
        received: ReceivedCredential,
        key: &SecretKey,
    ) -> Result<Receipt, WalletError> {
        check_type(vct, &HeldSdJwt::dangerous_reopen(received.text.clone())?)?;
        let credential = Credential::new(vct.to_owned(), issuer.to_owned(), self.clock.now(), received.text, key);
        let mut rng = self.rng();
        let number = self.holdings.add_credential(credential, &mut rng)?;
        let (vct, issuer) = (vct.to_owned(), issuer.to_owned());
        Ok(Receipt { number, vct, issuer, anchor: AnchorState::Later, accredited: None })
    }

    /// Asked after storing: a credential that nobody recognises is still the holder's to keep.
    async fn is_issuer_accredited(&self, receipt: &Receipt) -> Option<bool> {
        let (proven, _) = self.ledger.state(&url_key(&receipt.issuer)).await.ok()?;
        let Some(owners) = proven.value() else { return Some(false) };
        let owners: OwnerHistory = trust::parse_value(owners).ok()?;
        let Some(did) = owners.owner_at(trust::known_until(&proven)).cloned() else { return Some(false) };
        let (proven, _) = self.ledger.state(&accreditation_key(&did)).await.ok()?;
        let history = trust::accreditations(&proven, &did).ok()?;
        Some(history.is_accredited(Role::Issuer, &receipt.vct, &[], trust::known_until(&proven)))
    }
}

fn reply(answer: &Answer) -> HttpReply<'_> {
    HttpReply { status: answer.status, body: &answer.body }
}

/// The command: asks at the terminal for the issuer's code if it is wanted and not given.
///
/// # Errors
/// As [`Wallet::receive`].
pub(crate) async fn command(wallet: &mut Wallet, arguments: ReceiveArgs, ui: &Ui) -> Result<View, WalletError> {
    let mut code = || arguments.tx_code.clone().or_else(|| ui.ask(&ui.text("wallet-ask-tx-code", &[])));
    let link = picture::link(arguments.link.offer.as_deref(), arguments.link.qr.as_deref())?;
    let receipts = wallet.receive_bound(&link, arguments.bind.into(), &mut code).await?;
    Ok(view(wallet, &receipts, ui))
}

fn view(wallet: &Wallet, receipts: &[Receipt], ui: &Ui) -> View {
    let entry = |receipt: &Receipt| {
        json!({ "number": receipt.number, "vct": receipt.vct, "issuer": receipt.issuer,
            "anchored": receipt.anchor == AnchorState::Here, "accredited": receipt.accredited })
    };
    let object = json!({ "ok": true, "credentials": receipts.iter().map(entry).collect::<Value>() });
    View { object, lines: receipts.iter().flat_map(|receipt| lines(wallet, receipt, ui)).collect() }
}

fn lines(wallet: &Wallet, receipt: &Receipt, ui: &Ui) -> Vec<String> {
    let text = TypeText::of(&receipt.vct);
    let values = [
        ("number", receipt.number.to_string().into()),
        ("type", text.name(ui.lang()).into()),
        ("issuer", harmless(&receipt.issuer).into()),
    ];
    let found = wallet.holdings.credentials().find(|(number, ..)| *number == receipt.number);
    let held = found.and_then(|(_, held, _)| HeldSdJwt::dangerous_reopen(held.sd_jwt.expose().to_owned()).ok());
    let mut paths: Vec<_> = held.iter().flat_map(|held| claims::leaves(held)).map(|(path, _)| path).collect();
    paths.sort_by_key(|path| text.position(path));
    let names = listed(paths.iter().map(|path| text.label(path, ui.lang())), ui);
    let anchor = match receipt.anchor {
        AnchorState::Here => "wallet-anchor-here",
        AnchorState::Later => "wallet-anchor-later",
        AnchorState::Bad => "wallet-anchor-bad",
    };
    let accredited = match receipt.accredited {
        Some(true) => "wallet-issuer-accredited",
        Some(false) => "wallet-issuer-not-accredited",
        None => "wallet-issuer-unknown",
    };
    vec![
        ui.text("wallet-received", &values),
        ui.text("wallet-received-claims", &[("claims", names.into())]),
        ui.text(accredited, &[]),
        ui.text(anchor, &[]),
    ]
}
