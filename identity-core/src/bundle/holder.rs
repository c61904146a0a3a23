//! Whether the holder signed what the data was wanted for, as far as a bundle can show it.

use ledger::TrustRoot;
use serde_json::{Map, Value};

use super::states::States;
use super::{Bundle, BundleError, Full};
use crate::anchor::AnchorProof;
use crate::did::DidUrl;
use crate::encoding::json::{self, Limits};
use crate::encoding::limits;
use crate::jose::{UnverifiedJws, typ};
use crate::kb_jwt::{self, Occasion, Window};
use crate::oid4vp::{Parameters, transaction_data};
use crate::receipt::{Presented, Receipt, presented};
use crate::registry::{AnchorKind, KeyUse, Role};
use crate::sd_jwt::UnverifiedSdJwt;
use crate::sd_jwt_vc::Credential;

/// How long before the receipt a holder may have signed, in seconds. The service's own bound is far tighter, and its
/// verdict says that it was kept; this one only keeps another day's signature out.
const WINDOW: Window = Window { max_age: 86_400, leeway: 300 };

/// What a bundle shows of the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The holder's key, which the issuer put into the credential, signed over this question.
    Signed,
    /// Signatures over this question are here. The key that checks them stands in the credential, which is not.
    Claimed,
    /// Nothing of the holder's is here, or nothing that holds: the service refused the answer, or it is erased.
    Unproven,
}

/// What is shown of the holder; it must hold where the service says that it accepted the answer.
pub(super) fn check(
    bundle: &Bundle,
    states: &States,
    trust_root: &TrustRoot,
    request: &Parameters,
    receipt: &Receipt,
    index: u64,
) -> Result<Holder, BundleError> {
    if let Some(full) = &bundle.full {
        are_named(full, receipt)?;
        let sent: Vec<&str> = full.vp_token.values().flatten().filter_map(|text| text.rsplit('~').next()).collect();
        if bundle.key_bindings != sent {
            return Err(BundleError::Holder);
        }
    }
    let found = match &bundle.full {
        _ if bundle.key_bindings.is_empty() => return Ok(Holder::Unproven),
        None => claimed(bundle, request, receipt).map(|()| Holder::Claimed),
        Some(full) => Signatures { states, trust_root, request, receipt, index }.check(full).map(|()| Holder::Signed),
    };
    match found {
        // What the service refused may well be forged; that is why.
        Err(BundleError::Holder) if !receipt.is_accepted() => Ok(Holder::Unproven),
        other => other,
    }
}

/// The presentations are those of the receipt: types, claims and digests.
fn are_named(full: &Full, receipt: &Receipt) -> Result<(), BundleError> {
    if receipt.presentations == presented(&full.vp_token) { Ok(()) } else { Err(BundleError::Presentation) }
}

/// Each key binding says that it answers this question, for these purposes. Nobody can check its signature from here.
fn claimed(bundle: &Bundle, request: &Parameters, receipt: &Receipt) -> Result<(), BundleError> {
    let named: Vec<(&String, &Presented)> =
        receipt.presentations.iter().flat_map(|(id, shown)| shown.iter().map(move |one| (id, one))).collect();
    let answers = |(text, (query, shown)): (&String, &(&String, &Presented))| {
        is_asked(query, shown, request) && answers(text, query, request)
    };
    let all = named.len() == bundle.key_bindings.len() && bundle.key_bindings.iter().zip(&named).all(answers);
    if all { Ok(()) } else { Err(BundleError::Holder) }
}

/// The request asks for this under this id. What answers another question was signed over no purpose.
fn is_asked(query: &str, shown: &Presented, request: &Parameters) -> bool {
    let asked = request.query.credentials.iter().find(|asked| asked.id == query);
    asked.is_some_and(|asked| shown.vct.as_ref().is_none_or(|vct| asked.vct_values.contains(vct)))
}

fn answers(key_binding: &str, query: &str, request: &Parameters) -> bool {
    let wanted = transaction_data::hashes_for(&request.transaction_data, query);
    let signs = |said| kb_jwt::check_transaction_data(&said, &wanted).is_ok();
    answer_to(key_binding, request).is_some_and(signs)
}

/// What a key binding says, if that is an answer to this request. Its signature is not looked at.
pub(super) fn answer_to(key_binding: &str, request: &Parameters) -> Option<Map<String, Value>> {
    let jws = UnverifiedJws::parse(key_binding).ok()?;
    if jws.header().typ() != Some(typ::KEY_BINDING) {
        return None;
    }
    let claims = json::parse_object(jws.dangerous_payload(), Limits::of(limits::JWS)).ok()?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_answer = text("aud") == Some(request.client_id.as_str()) && text("nonce") == Some(&request.nonce);
    is_answer.then_some(claims)
}

/// What a signature of the holder's is held against.
struct Signatures<'a> {
    states: &'a States,
    trust_root: &'a TrustRoot,
    request: &'a Parameters,
    receipt: &'a Receipt,
    index: u64,
}

impl Signatures<'_> {
    /// All of them, before one is found wanting: what is missing is asked for in one round.
    fn check(&self, full: &Full) -> Result<(), BundleError> {
        self.request.query.check_outline(&full.vp_token).map_err(|_| BundleError::Holder)?;
        let mut found = Vec::new();
        for (query, texts) in &full.vp_token {
            let proofs = full.anchors.get(query).map(Vec::as_slice).unwrap_or_default();
            if !proofs.is_empty() && proofs.len() != texts.len() {
                return Err(BundleError::Holder);
            }
            found.extend(texts.iter().enumerate().map(|(place, text)| self.one(query, text, proofs.get(place))));
        }
        if full.anchors.keys().any(|query| !full.vp_token.contains_key(query)) {
            return Err(BundleError::Holder);
        }
        found.into_iter().collect()
    }

    /// The issuer's signature over the holder's key, by a key that the issuer had and was accredited to use, and the
    /// holder's signature over the question.
    fn one(&self, query: &str, text: &str, proof: Option<&AnchorProof>) -> Result<(), BundleError> {
        let bad = BundleError::Holder;
        let mut sd_jwt = UnverifiedSdJwt::parse(text).map_err(|_| bad)?;
        let name = sd_jwt.jws().header().kid().ok().and_then(|kid| DidUrl::parse(kid).ok()).ok_or(bad)?;
        let index = match proof {
            None => self.index,
            Some(proof) => self.anchored(text, proof, &name)?,
        };
        let (history, accredited) = (self.states.issuer(name.did()), self.states.accreditations(name.did()));
        let (history, accredited) = (history?.ok_or(bad)?, accredited?);
        let key = history.key_at(index, name.fragment(), KeyUse::AssertionMethod).ok_or(bad)?;
        sd_jwt.recognise(key, self.states.known());
        let credential = Credential::verify(sd_jwt, key).map_err(|_| bad)?;
        if !accredited.is_accredited(Role::Issuer, credential.vct(), &[], index) {
            return Err(bad);
        }
        let asked = self.request.query.credentials.iter().find(|asked| asked.id == query).ok_or(bad)?;
        asked.check(&credential, true).map_err(|_| bad)?;
        let transaction_data = transaction_data::hashes_for(&self.request.transaction_data, query);
        let occasion = Occasion {
            audience: self.request.client_id.as_str(),
            nonce: &self.request.nonce,
            transaction_data: &transaction_data,
        };
        let holder = credential.holder().ok_or(bad)?;
        let when = (WINDOW, self.receipt.iat);
        kb_jwt::verify_knowing(credential.sd_jwt(), holder, occasion, when, self.states.known()).map_err(|_| bad)?;
        Ok(())
    }

    /// Where the credential stands on the ledger: its issuer's key is looked up as of then.
    fn anchored(&self, text: &str, proof: &AnchorProof, issuer: &DidUrl) -> Result<u64, BundleError> {
        let jwt = text.split('~').next().unwrap_or_default();
        let digest = ledger::sha256(jwt.as_bytes());
        let at = self.states.anchored(proof, &digest, AnchorKind::Credential, self.trust_root);
        let at = at?.map_err(|_| BundleError::Holder)?;
        // Nothing here knows what holds beyond the moment of the act.
        if at.sender() == issuer.did() && at.index() <= self.index { Ok(at.index()) } else { Err(BundleError::Holder) }
    }
}
