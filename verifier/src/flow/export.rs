//! A case for others: everything that judging again takes, and the judging again itself.

use std::collections::BTreeMap;

use identity_core::oid4vp::{Anchors, Session, VpToken};
use identity_core::problem::Code;
use identity_core::time::UnixSeconds;
use identity_core::verdict::{Evidence, Refusal, judge};
use ledger::StateProof;
use ledger::TrustRoot;
use serde_json::{Map, Value, json};

use super::redeem::Release;
use super::response::{LIST_PIECE, STATE_PIECE, presentation};
use super::result::Undisclosed;
use crate::client::certificate_of;
use crate::service::Verifier;
use crate::store::{OutcomeRecord, RequestRecord};

/// A request, its answer and the evidence of its verdict, as they were.
pub(super) struct Case {
    pub(super) record: RequestRecord,
    /// The request object, as it was signed.
    pub(super) request: String,
    pub(super) session: Session,
    pub(super) outcome: OutcomeRecord,
    pub(super) token: VpToken,
    pub(super) anchors: Option<Anchors>,
    pub(super) evidence: Evidence,
}

/// What judging again said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The code of the refusal then; none if it was verified.
    pub then: Option<String>,
    /// The code of the refusal by the saved evidence and the moment of the verdict; the same, or something is amiss.
    pub again: Option<Code>,
    /// When it was judged.
    pub judged: UnixSeconds,
}

impl Replayed {
    /// Whether both verdicts are the same.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.then.as_deref() == self.again.map(Code::as_str)
    }
}

impl Verifier {
    /// The files with which others check the case offline (`docs/formats.md`, "An offline check"), by name, and the
    /// moment of the verdict. The trust root is left out on purpose: whoever checks has it from elsewhere.
    pub(crate) async fn export(&self, id: &str) -> Result<Value, Undisclosed> {
        let case = self.case(id).await?;
        let mut files = Map::new();
        let mut file = |name: &str, text: String| files.insert(name.to_owned(), Value::String(text));
        file("request.jwt", case.request);
        file("vp_token.json", case.token.to_json().to_string());
        file("evidence.json", serde_json::to_string(&case.evidence).unwrap_or_default());
        if let Some(anchors) = &case.anchors {
            file("anchors.json", anchors.to_json().to_string());
        }
        let asked = case.session.parameters.query.credentials.iter().flat_map(|asked| &asked.vct_values);
        let mut types: Vec<&str> = Vec::new();
        for metadata in asked.flat_map(|vct| self.metadata(vct)) {
            if !types.contains(&metadata) {
                types.push(metadata);
            }
        }
        for (place, metadata) in types.into_iter().enumerate() {
            let name = if place == 0 { "type.json".to_owned() } else { format!("type-{place}.json") };
            file(&name, metadata.to_owned());
        }
        Ok(json!({ "files": files, "now": case.outcome.judged, "refusal": case.outcome.refused }))
    }

    /// Judges a kept case again, by its saved evidence and its own moment.
    pub(crate) async fn replay(&self, id: &str) -> Result<Replayed, Undisclosed> {
        let case = self.case(id).await?;
        let demands = self.demands(&case.record.policy);
        let certificate = certificate_of(&case.request);
        let (session, anchors) = (&case.session, case.anchors.as_ref());
        let presentation = presentation(&self.did, certificate.as_ref(), session, &case.token, anchors);
        let again = match case.evidence.prepare(TrustRoot::clone(&self.evidence.trust_root())) {
            Ok(proven) => judge(&presentation, &proven, &demands, case.outcome.judged).map(|_| ()),
            Err(error) => Err(Refusal::Evidence(error)),
        };
        Ok(Replayed {
            then: case.outcome.refused,
            again: again.err().map(|refusal| refusal.code()),
            judged: case.outcome.judged,
        })
    }

    pub(super) async fn case(&self, id: &str) -> Result<Case, Undisclosed> {
        let (record, session) = self.load(id).await?.ok_or(Undisclosed::Unknown)?;
        let outcome = self.store.outcome(id).await?.ok_or(Undisclosed::Erased)?;
        if self.release(id, &record, &outcome).await? == Release::Waiting {
            return Err(Undisclosed::NotBack);
        }
        let request = record.signed.clone().ok_or(Undisclosed::Unattested)?;
        let case = self.store.case(id).await?.ok_or(Undisclosed::Erased)?;
        let evidence = evidence_of(self.store.pieces(&case).await?);
        // Read as it was read the first time, so that a replay cannot be more lenient than the verdict.
        let token = VpToken::parse(&case.vp_token.to_string(), &session.parameters.query);
        let token = token.map_err(|_| Undisclosed::Erased)?;
        let anchors = case.anchors.as_ref().and_then(|anchors| Anchors::parse(&anchors.to_string(), &token).ok());
        Ok(Case { record, request, session, outcome, token, anchors, evidence })
    }
}

fn evidence_of(pieces: Vec<(String, Vec<u8>)>) -> Evidence {
    let mut evidence = Evidence { states: Vec::new(), status_lists: BTreeMap::new() };
    for (name, bytes) in pieces {
        if name == STATE_PIECE {
            evidence.states.extend(StateProof::parse(&bytes).ok());
        } else if let (Some(uri), Ok(list)) = (name.strip_prefix(LIST_PIECE), serde_json::from_slice(&bytes)) {
            evidence.status_lists.insert(uri.to_owned(), list);
        }
    }
    evidence
}
