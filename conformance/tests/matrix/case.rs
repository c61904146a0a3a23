//! What the Rust code says of a question at the end of a block.

use std::collections::BTreeMap;

use identity_core::anchor::AnchorProof;
use identity_core::did::Did;
use identity_core::kb_jwt::{Occasion, bind};
use identity_core::oid4vp::transaction_data;
use identity_core::sample::ledger::SampleLedger;
use identity_core::sample::world::holder;
use identity_core::sd_jwt::{ClaimPath, HeldSdJwt};
use identity_core::time::UnixSeconds;
use identity_core::verdict::{
    Asked, Attested, Excess, PreparedEvidence, Presentation, Refusal, attested, judge, standing,
};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::choose::{chance, one};
use super::question::Question;
use super::scene::Scene;

/// Everything that a case is judged by, at the end of one block.
pub(crate) struct Judging<'s> {
    scene: &'s Scene,
    block: usize,
    asker: Did,
    /// When the evidence was certified, in seconds.
    certified: i64,
    evidence: PreparedEvidence,
    anchor: AnchorProof,
}

impl<'s> Judging<'s> {
    pub(crate) fn at_the_end_of(block: usize, ledger: &SampleLedger, scene: &'s Scene) -> Self {
        let certified = ledger.time() + 5;
        let (evidence, anchor) = (scene.evidence(ledger, certified), scene.anchor_proof(ledger, certified));
        Self { scene, block, asker: scene.asker.did(), certified, evidence, anchor }
    }

    /// The case as the oracle reads it, with every verdict.
    pub(crate) fn case(&self, question: &Question, rng: &mut StdRng) -> Value {
        let age = if chance(rng, 90) { 100 } else { one(rng, &[-31, -30, 0, 3600, 3630, 3631]) };
        let now = UnixSeconds(self.certified + age);
        let word = self.attested(question, now);
        let mut verdicts = json!({"service": self.service(question, now), "word": code(&word)});
        let acts = word.and_then(|found| found.attestation.check_holder(question.acts).map_err(Refusal::Duty));
        verdicts["acts"] = json!(code(&acts));
        if let Some(claims) = &question.shown {
            verdicts["verdict"] = json!(code(&self.judged(question, claims, now)));
        }
        let mut case = question.said.clone();
        (case["block"], case["age"], case["verdicts"]) = (json!(self.block), json!(age), verdicts);
        case
    }

    fn asked<'q>(&'q self, question: &'q Question) -> Asked<'q> {
        Asked { request: &question.request, asker: &self.asker, certificate: None }
    }

    /// As a wallet asks before it shows anything.
    fn service(&self, question: &Question, now: UnixSeconds) -> Option<&'static str> {
        let (request, freshness) = (&question.request, self.scene.policy.evidence);
        let purpose = request.purpose.as_deref();
        match standing(&self.asker, &request.query, purpose, &self.evidence, freshness, now) {
            Ok(standing) => standing.excess.first().map(|excess| match excess {
                Excess::Type { .. } => "verdict.asker.type",
                Excess::Claims { .. } => "verdict.asker.claims",
                Excess::Purpose { .. } => "verdict.asker.purpose",
            }),
            Err(error) => Some(error.code().as_str()),
        }
    }

    fn attested(&self, question: &Question, now: UnixSeconds) -> Result<Attested, Refusal> {
        attested(&self.asked(question), &self.evidence, self.scene.policy.evidence, now)
    }

    /// The whole verdict, of a good credential that its holder shows in answer.
    fn judged(&self, question: &Question, claims: &[&str], now: UnixSeconds) -> Result<(), Refusal> {
        let request = &question.request;
        let query_id = request.query.credentials[0].id.clone();
        let held = HeldSdJwt::dangerous_reopen(self.scene.credential.clone()).unwrap();
        let claims: Vec<ClaimPath> = claims.iter().map(|name| ClaimPath::top(*name)).collect();
        let transaction_data = transaction_data::hashes_for(&request.transaction_data, &query_id);
        let audience = request.client_id.as_str();
        let occasion = Occasion { audience, nonce: &request.nonce, transaction_data: &transaction_data };
        let shown = bind(&held.present(&claims).unwrap(), occasion, &holder(), now).unwrap();
        let token = BTreeMap::from([(query_id.clone(), vec![shown])]);
        let anchors = BTreeMap::from([(query_id, vec![json!(self.anchor)])]);
        let presentation = Presentation { asked: self.asked(question), token: &token, anchors: Some(&anchors) };
        judge(&presentation, &self.evidence, &self.scene.policy, now).map(|_| ())
    }
}

fn code<T>(found: &Result<T, Refusal>) -> Option<&'static str> {
    found.as_ref().err().map(|refusal| refusal.code().as_str())
}
