//! Answering a request: verify it, show it, ask, write it down, send it. In this order.
//!
//! Nothing is sent before the holder agreed and the sharing stands in the vault. A request whose signature does not
//! hold, or whose asker the ledger cannot vouch for, is never shown as a question. Declining sends nothing either: the
//! asker learns no more than silence.

use crate::{
    anchor::{self, AnchorState},
    asker::Asker,
    claims,
    cli::PresentArgs,
    consent::{AtTerminal, Consent},
    error::WalletError,
    holdings::{Credential, Outcome, SharedCredential, Sharing},
    late::Silent,
    onward::Onward,
    picture,
    question::{Item, Question},
    receipt::{self, Receipt},
    selection::{self, Chosen, Held, Selection},
    ui::Ui,
    view::{View, asker_name, path_to_json},
    wallet::Wallet,
};
use identity_core::{
    did::{Did, Document},
    kb_jwt::{self, Occasion},
    oid4vp::{
        Anchors, RequestLink, UnverifiedRequest, VerifiedRequest, VpToken,
        request::{REQUEST_MEDIA_TYPE, RequestUriMethod},
        transaction_data::hashes_for,
        wallet::{MAX_REPLY_BYTES, MAX_REQUEST_BYTES, Reply},
    },
    sd_jwt::HeldSdJwt,
};
use rand::CryptoRng;
use serde_json::{Value, json};
use service_kit::{chance, fetch::Request};
use std::collections::BTreeSet;

/// A verified request, what would answer it, and the question for the holder.
pub struct Prepared {
    request: VerifiedRequest,
    /// The asker's keys, by the ledger: what it signs as its receipt is held against them.
    document: Document,
    /// What could leave.
    answers: Vec<Chosen>,
    /// The question, whose items are what would leave.
    question: Question,
}

/// What became of a sharing.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// Its number in the history.
    pub sharing: usize,
    /// Whether the asker accepted, and its reason if it gave one.
    pub outcome: Outcome,
    /// What the asker gave as its receipt.
    pub receipt: Receipt,
    /// Where the holder may go on.
    pub onward: Onward,
}

impl Prepared {
    /// The question.
    #[must_use]
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Asks for consent: to each thing that is not needed, then to all that would leave.
    ///
    /// # Errors
    /// [`WalletError::BeyondAccreditation`], without a question; [`WalletError::Declined`].
    fn agreed(self, consent: &mut dyn Consent) -> Result<Self, WalletError> {
        if !self.question.is_accredited() {
            return Err(WalletError::BeyondAccreditation);
        }
        let places = 0..self.question.optional.len();
        let added: BTreeSet<usize> = places.filter(|place| consent.adds(&self.question, *place)).collect();
        let question = self.question.with(&added);
        if consent.agrees(&question) { Ok(Self { question, ..self }) } else { Err(WalletError::Declined) }
    }

    /// What leaves: the answers that the question lists. What was not listed cannot.
    fn listed(&self) -> Vec<Chosen> {
        let answer = |item: &Item| {
            let is_listed = |answer: &&Chosen| answer.query == item.query && answer.number == item.number;
            self.answers.iter().find(is_listed).cloned()
        };
        self.question.items.iter().filter_map(answer).collect()
    }
}

impl Wallet {
    /// Presents what a request link asks for, if the ledger lets the asker ask it and `consent` agrees.
    /// `select` names, by query, the credential to answer with.
    ///
    /// # Errors
    /// See [`Self::prepare`] and [`Self::share`]; [`WalletError::BeyondAccreditation`], [`WalletError::Declined`].
    pub async fn present(
        &mut self,
        link: &str,
        select: &[(String, usize)],
        consent: &mut dyn Consent,
    ) -> Result<Shared, WalletError> {
        let prepared = self.prepare(link, select).await?.agreed(consent)?;
        self.share(prepared).await
    }

    /// Fetches and verifies a request and finds what answers it. Nothing leaves.
    ///
    /// # Errors
    /// The request does not hold, the ledger cannot say who asks, or nothing in the vault answers.
    pub async fn prepare(&mut self, link: &str, select: &[(String, usize)]) -> Result<Prepared, WalletError> {
        let link = RequestLink::parse(link.trim(), self.transport())?;
        let (jwt, wallet_nonce) = self.fetch_request(&link).await?;
        let now = self.clock.now();
        let unverified = UnverifiedRequest::parse(&link, jwt.trim(), &self.clients, now)?;
        let mut asker = Asker::look_up(self, unverified.who_asks(), now).await?;
        let document = asker.document(now)?;
        let request = unverified.verify(&document, wallet_nonce.as_deref(), self.transport(), now)?;

        let parameters = request.parameters();
        let word = asker.word(self, parameters, now).await?;
        let (label, accreditation) = asker.standing(&parameters.query, parameters.purpose.as_deref(), now)?;
        let Selection { chosen, optional, instead } =
            selection::select(&parameters.query, &self.usable(&request)?, select)?;
        let items = |chosen: &Vec<Chosen>| chosen.iter().map(|one| self.item(one, request.asker())).collect();
        let ways = |ways: &[Vec<Chosen>]| ways.iter().map(items).collect::<Result<_, _>>();
        let question = Question {
            asker: request.asker().to_string(),
            label,
            accreditation,
            word,
            destination: parameters.response_uri.origin().ascii_serialization(),
            items: items(&chosen)?,
            optional: ways(&optional)?,
            instead: ways(&instead)?,
        };
        let answers = chosen.into_iter().chain(optional.into_iter().flatten()).collect();
        Ok(Prepared { request, document, answers, question })
    }

    async fn fetch_request(&self, link: &RequestLink) -> Result<(String, Option<String>), WalletError> {
        let url = link.request_uri.as_str();
        let (request, nonce) = match link.method {
            RequestUriMethod::Get => (Request::get(url), None),
            RequestUriMethod::Post => {
                let nonce = chance::token(&mut *self.rng(), 32);
                (Request::post_form(url, &[("wallet_nonce", &nonce)]), Some(nonce))
            }
        };
        let request = request.with_header("accept", REQUEST_MEDIA_TYPE).with_limit(MAX_REQUEST_BYTES);
        let answer = self.fetch.send(request).await?.success()?;
        Ok((answer.text()?.to_owned(), nonce))
    }

    /// The credentials whose holder signature the verifier can check; the others are as good as none.
    fn usable(&self, request: &VerifiedRequest) -> Result<Vec<Held>, WalletError> {
        let algorithms = &request.parameters().algorithms;
        let usable = |credential: &Credential| credential.holder_alg().is_some_and(|alg| algorithms.admit_holder(alg));
        let credentials = self.holdings.credentials().filter(|(_, credential, _)| usable(credential));
        credentials
            .map(|(number, credential, proof)| {
                let held = HeldSdJwt::dangerous_reopen(credential.sd_jwt.expose().to_owned())?;
                Ok(Held { number, held, anchored: proof.is_some() })
            })
            .collect()
    }

    fn item(&self, chosen: &Chosen, asker: &Did) -> Result<Item, WalletError> {
        let unknown = WalletError::UnknownCredential { number: chosen.number };
        let (_, credential, _) =
            self.holdings.credentials().find(|(number, ..)| *number == chosen.number).ok_or(unknown)?;
        let disclosed = chosen.held.disclosed_by(&chosen.candidate.disclose)?;
        Ok(Item {
            query: chosen.query.clone(),
            number: chosen.number,
            vct: credential.vct.clone(),
            issuer: credential.issuer.clone(),
            split: claims::split(&chosen.held, &disclosed),
            others: chosen.others.clone(),
            multiple: chosen.multiple,
            seen_by: self.seen_by(chosen.number, asker.as_ref()),
        })
    }

    /// Who else was shown a credential, each once. A refused or unanswered sharing counts: it may have been seen.
    fn seen_by(&self, number: usize, asker: &str) -> Vec<(Option<(String, String)>, String)> {
        let mut seen: Vec<(Option<(String, String)>, String)> = Vec::new();
        for (_, sharing, _) in self.holdings.sharings() {
            let shared = sharing.credentials.iter().any(|shared| shared.credential == number);
            if shared && sharing.asker != asker && seen.iter().all(|(_, did)| *did != sharing.asker) {
                seen.push((sharing.label.clone(), sharing.asker.clone()));
            }
        }
        seen
    }

    /// Shares what was prepared. The caller has asked the holder.
    ///
    /// # Errors
    /// [`WalletError::Unanswered`] if nobody said whether it arrived; before that point nothing has left. A refusal by
    /// the asker is no error here but an [`Outcome`].
    pub async fn share(&mut self, prepared: Prepared) -> Result<Shared, WalletError> {
        let chosen = prepared.listed();
        let Prepared { request, document, question, .. } = prepared;
        let anchors = self.anchors(&request, &chosen).await?;
        let token = self.presentations(&request, &chosen)?;
        let form = request.answer(&token, &anchors)?;

        let (mut rng, sent) = (self.rng(), self.clock.now());
        let sharing = self.record(&request, &question, &token, &mut rng)?;
        let url = request.parameters().response_uri.as_str();
        let post = Request::post(url, "application/x-www-form-urlencoded", form).with_limit(MAX_REPLY_BYTES);
        let answer = self.fetch.send(post).await.map_err(|error| WalletError::Unanswered(error.to_string()))?;
        let (outcome, onward, text) = match Reply::parse(answer.status, &answer.body) {
            Reply::Accepted { redirect_uri, receipt } => {
                (Outcome::Accepted, Onward::read(redirect_uri.as_deref(), self.transport()), receipt)
            }
            Reply::Refused { code, receipt } => {
                (Outcome::Refused { code: code.map(|code| code.as_str().to_owned()) }, Onward::Nowhere, receipt)
            }
        };
        self.holdings.add_outcome(sharing, outcome.clone(), &mut rng)?;
        let (accepted, times) = (outcome == Outcome::Accepted, (sent, self.clock.now()));
        let receipt = receipt::checked(text, &request, &document, &token, (accepted, question.word.holder()), times);
        self.holdings.add_receipt(sharing, receipt.kept(), &mut rng)?;
        Ok(Shared { sharing, outcome, receipt, onward })
    }

    /// The anchor proofs, if the request wants them. One that is not here is asked for once more.
    async fn anchors(&mut self, request: &VerifiedRequest, chosen: &[Chosen]) -> Result<Anchors, WalletError> {
        let mut anchors = Anchors::default();
        if request.parameters().anchor.is_none() {
            return Ok(anchors);
        }
        let mut silent = Silent::default();
        for chosen in chosen {
            if anchor::fetch(self, chosen.number, &mut silent).await? == AnchorState::Here {
                let found = self.holdings.credentials().find(|(number, ..)| *number == chosen.number);
                if let Some((_, _, Some(proof))) = found {
                    anchors.0.entry(chosen.query.clone()).or_default().push(proof.clone());
                }
            }
        }
        // Proofs go by their order: a query of which one is missing goes without.
        let answers = |query: &String| chosen.iter().filter(|chosen| chosen.query == *query).count();
        anchors.0.retain(|query, proofs| proofs.len() == answers(query));
        Ok(anchors)
    }

    fn presentations(&self, request: &VerifiedRequest, chosen: &[Chosen]) -> Result<VpToken, WalletError> {
        let parameters = request.parameters();
        let now = self.clock.now();
        let mut token = VpToken::default();
        for chosen in chosen {
            let number = chosen.number;
            let found = self.holdings.credentials().find(|(held, ..)| *held == number);
            let (_, credential, _) = found.ok_or(WalletError::UnknownCredential { number })?;
            let key = credential.holder_key().ok_or(WalletError::Unfit("its holder key cannot be read"))?;
            let presentation = chosen.held.present(&chosen.candidate.disclose)?;
            let transaction_data = hashes_for(&parameters.transaction_data, &chosen.query);
            let occasion = Occasion {
                audience: parameters.client_id.as_str(),
                nonce: &parameters.nonce,
                transaction_data: &transaction_data,
            };
            let bound = kb_jwt::bind(&presentation, occasion, &key, now)?;
            token.0.entry(chosen.query.clone()).or_default().push(bound);
        }
        Ok(token)
    }

    fn record(
        &mut self,
        request: &VerifiedRequest,
        question: &Question,
        token: &VpToken,
        rng: &mut dyn CryptoRng,
    ) -> Result<usize, WalletError> {
        let shared = question.items.iter().map(|item| SharedCredential {
            credential: item.number,
            claims: item.split.leaves.iter().map(path_to_json).collect(),
        });
        let key_binding = |text: &String| text.rsplit('~').next().map(str::to_owned);
        let sharing = Sharing {
            time: self.clock.now().0,
            asker: question.asker.clone(),
            label: question.label.clone(),
            purpose: Some(question.word.purpose.clone()),
            word: Some(question.word.clone()),
            credentials: shared.collect(),
            request: request.jwt().to_owned(),
            key_bindings: token.0.values().flatten().filter_map(key_binding).collect(),
        };
        Ok(self.holdings.add_sharing(sharing, rng)?)
    }
}

/// The command: shows the question on the terminal, asks there unless `--yes`, and says what became of it.
///
/// # Errors
/// As [`Wallet::present`]; [`WalletError::ShareRefused`] if the asker refused.
pub(crate) async fn command(wallet: &mut Wallet, arguments: PresentArgs, ui: &Ui) -> Result<View, WalletError> {
    let link = picture::link(arguments.link.request.as_deref(), arguments.link.qr.as_deref())?;
    let prepared = wallet.prepare(&link, &arguments.select).await?;
    let (say, confirm) = (&mut |line: &str| ui.note(line), &mut |question: &str| ui.confirm(question));
    let mut holder = AtTerminal::new(ui, say, confirm);
    // A person is shown what they are asked, also where a script gets the result.
    if !(arguments.yes && ui.is_json()) {
        holder.show(prepared.question());
    }
    let consent: &mut dyn Consent = if arguments.yes { &mut |_: &Question| true } else { &mut holder };
    let prepared = prepared.agreed(consent).inspect_err(|error| {
        if matches!(error, WalletError::Declined) {
            let id = if ui.can_ask() { "wallet-declined" } else { "wallet-declined-no-terminal" };
            ui.note(&ui.text(id, &[]));
        }
    })?;
    let question = prepared.question().clone();
    let shared = wallet.share(prepared).await?;
    if let Outcome::Refused { code } = &shared.outcome {
        ui.note(&shared.receipt.line(ui));
        let code = code.as_deref().and_then(identity_core::problem::Code::parse);
        return Err(WalletError::ShareRefused { code });
    }
    Ok(view(&question, &shared, arguments.open, ui))
}

fn view(question: &Question, shared: &Shared, open: bool, ui: &Ui) -> View {
    let asker = asker_name(question.label.as_ref(), &question.asker, ui.lang());
    let mut lines = vec![ui.text("wallet-shared", &[("asker", asker.into())])];
    lines.push(shared.receipt.line(ui));
    lines.extend(shared.onward.lines(open, ui));
    let receipt = match &shared.receipt {
        Receipt::Holds { seq, .. } => json!({ "seq": seq }),
        Receipt::Fault { error, .. } => json!({ "fault": error.code().as_str() }),
    };
    let mut object = json!({ "ok": true, "sharing": shared.sharing, "receipt": receipt });
    for members in [shared.onward.to_json(), question.to_json()] {
        if let (Some(object), Value::Object(members)) = (object.as_object_mut(), members) {
            object.extend(members);
        }
    }
    View { object, lines }
}
