//! A wallet's answer: accept its envelope, gather evidence, judge, and keep the verdict, once.

use identity_core::dcql::Query;
use identity_core::did::Did;
use identity_core::jose::jwe::DecryptionKey;
use identity_core::oid4vp::same_device::Handover;
use identity_core::oid4vp::verifier::accept;
use identity_core::oid4vp::{Anchors, Answer, ResponseError, ResponseMode, Session, VpToken};
use identity_core::problem::Code;
use identity_core::time::UnixSeconds;
use identity_core::verdict::{Asked, Evidence, Presentation, Refusal, Status, Verified, judge, needs};
use identity_core::x509::Leaf;
use serde_json::{Map, Value};
use service_kit::store::StoreError;
use std::collections::BTreeMap;

use crate::client::certificate_of;
use crate::service::Verifier;
use crate::store::{CaseRecord, CloseError, OutcomeRecord, Piece, RequestRecord};

/// An answer that was processed, whatever came of it.
#[derive(Debug)]
pub(crate) struct Processed {
    /// What we say we did.
    pub(crate) receipt: String,
    /// Where the wallet is to send the holder's browser, if anywhere; or why the answer was refused.
    pub(crate) outcome: Result<Option<String>, ResponseRefusal>,
}

/// Why a wallet's answer was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResponseRefusal {
    #[error("there is no such request")]
    Unknown,
    #[error(transparent)]
    Envelope(#[from] ResponseError),
    #[error("the request has been answered already")]
    Replayed,
    #[error("the receipt could not be made")]
    Receipt,
    #[error(transparent)]
    Presentation(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ResponseRefusal {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::VpRequestUnknown,
            Self::Envelope(error) => error.code(),
            Self::Replayed => Code::VpResponseReplayed,
            Self::Receipt => Code::HttpInternal,
            Self::Presentation(refusal) => refusal.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl From<CloseError> for ResponseRefusal {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::Taken => Self::Replayed,
            CloseError::Overtaken | CloseError::Signing => Self::Receipt,
            CloseError::Store(error) => Self::Store(error),
        }
    }
}

impl Verifier {
    /// Receives the body posted to a request's response URI.
    ///
    /// Whoever shows the request's state brings it to its end, whatever else he sends: one request, one answer. If
    /// we die before the verdict is saved, the wallet gets no answer and the request is still open; of answers that
    /// are judged at the same time, the first to be saved counts and the others are told so.
    ///
    /// Answers where the wallet is to send the holder's browser, if the request began in one on the same device. The
    /// code in it is drawn before the commit that keeps its digest, and told after it.
    pub(crate) async fn receive(&self, id: &str, body: &[u8]) -> Result<Processed, ResponseRefusal> {
        let (record, session) = self.load(id).await?.ok_or(ResponseRefusal::Unknown)?;
        let now = self.clock.now();
        let key = self.key_for(&session).await?;
        let answer = match accept(&session, key.as_ref(), body, now) {
            Err(error) if !error.ends_session() => return Err(error.into()),
            accepted => accepted,
        };
        // A cheap look before the dear judging; the one that counts is in the same commit as the verdict.
        if self.store.is_taken(&session.parameters.nonce).await? {
            return Err(ResponseRefusal::Replayed);
        }
        let (handover, redirect) = self.way_back(&record, &session, now).unzip();
        match answer {
            Err(error) => {
                let receipt =
                    self.close(&record, &session, &BTreeMap::new(), refused(error.code(), now), None, None).await?;
                Ok(Processed { receipt, outcome: Err(error.into()) })
            }
            Ok(Answer::Declined(error)) => {
                let outcome = OutcomeRecord { handover, ..refused(error.code(), now) };
                let receipt = self.close(&record, &session, &BTreeMap::new(), outcome, None, None).await?;
                Ok(Processed { receipt, outcome: Ok(redirect) })
            }
            Ok(Answer::Presented { token, anchors }) => {
                let (receipt, verdict) = self.judge(&record, &session, &token, anchors.as_ref(), handover, now).await?;
                Ok(Processed { receipt, outcome: verdict.map(|()| redirect).map_err(Into::into) })
            }
        }
    }

    /// The key to decrypt the answer with, if the request demands it. It is gone as soon as the request has been
    /// answered, so that what was sent cannot be decrypted a second time, by us or by whoever takes the store.
    async fn key_for(&self, session: &Session) -> Result<Option<DecryptionKey>, ResponseRefusal> {
        if session.parameters.mode == ResponseMode::DirectPost {
            return Ok(None);
        }
        let key = self.store.decryption_key(&session.id).await?;
        if key.is_none() && self.store.is_taken(&session.parameters.nonce).await? {
            return Err(ResponseRefusal::Replayed);
        }
        Ok(key)
    }

    fn way_back(&self, record: &RequestRecord, session: &Session, now: UnixSeconds) -> Option<(Handover, String)> {
        let browser = record.browser.as_ref()?;
        Some(browser.hand_over(&session.id, now, &mut *self.chance.rng()))
    }

    async fn judge(
        &self,
        record: &RequestRecord,
        session: &Session,
        token: &VpToken,
        anchors: Option<&Anchors>,
        handover: Option<Handover>,
        now: UnixSeconds,
    ) -> Result<(String, Result<(), Refusal>), ResponseRefusal> {
        let certificate = record.signed.as_deref().and_then(certificate_of);
        let presentation = presentation(&self.did, certificate.as_ref(), session, token, anchors);
        let demands = self.demands(&record.policy);
        let mut evidence = Evidence::default();
        let verdict = match needs(&presentation, &demands) {
            Err(refusal) => Err(refusal),
            Ok(needs) => {
                self.evidence.gather(&needs, now).await;
                let mut verdict = self.evidence.with(|proven| judge(&presentation, proven, &demands, now));
                // What we have may be older than what happened a moment ago: look once more before saying no.
                if verdict.as_ref().is_err_and(Refusal::may_be_lifted) {
                    self.evidence.renew(&needs).await;
                    verdict = self.evidence.with(|proven| judge(&presentation, proven, &demands, now));
                }
                evidence = self.evidence.excerpt(&needs);
                verdict
            }
        };
        if let Ok(verified) = &verdict {
            self.evidence.remember(verified.newly_certified());
        }
        let outcome = match &verdict {
            Ok(verified) => OutcomeRecord {
                refused: None,
                undetermined: doubts(verified),
                judged: now,
                evidence_as_of: Some(verified.evidence_as_of()),
                handover,
                receipt: None,
            },
            Err(refusal) => refused(refusal.code(), now),
        };
        let case = CaseRecord {
            vp_token: token.to_json(),
            anchors: anchors.map(Anchors::to_json),
            claims: verdict.as_ref().ok().map(|verified| claims(verified, &session.parameters.query)),
            evidence: Vec::new(),
            hour: 0,
            by_law: record.policy.grounds.by_law(now),
            withdrawn: false,
        };
        let case = Some((case, pieces(&evidence)));
        let receipt = self.close(record, session, &token.0, outcome, case, verdict.as_ref().ok()).await?;
        Ok((receipt, verdict.map(|_| ())))
    }
}

/// The presentation of a session, for the verdict.
pub(crate) fn presentation<'a>(
    asker: &'a Did,
    certificate: Option<&'a Leaf>,
    session: &'a Session,
    token: &'a VpToken,
    anchors: Option<&'a Anchors>,
) -> Presentation<'a> {
    Presentation {
        asked: Asked { request: &session.parameters, asker, certificate },
        token: &token.0,
        anchors: anchors.map(|anchors| &anchors.0),
    }
}

fn refused(code: Code, judged: UnixSeconds) -> OutcomeRecord {
    OutcomeRecord {
        refused: Some(code.as_str().to_owned()),
        undetermined: Vec::new(),
        judged,
        evidence_as_of: None,
        handover: None,
        receipt: None,
    }
}

fn doubts(verified: &Verified) -> Vec<String> {
    let credentials = verified.credentials().values().flatten();
    let mut codes: Vec<String> = credentials
        .filter_map(|credential| match credential.status {
            Status::Valid => None,
            Status::Undetermined(doubt) => Some(doubt.code().as_str().to_owned()),
        })
        .collect();
    codes.dedup();
    codes
}

/// Claims by credential query id: an object, or an array of objects where the query asks for several.
fn claims(verified: &Verified, query: &Query) -> Value {
    let mut by_query = Map::new();
    for (id, credentials) in verified.credentials() {
        let mut claims = credentials.iter().map(|credential| Value::Object(credential.claims.as_map().clone()));
        let several = query.credential(id).is_some_and(|asked| asked.multiple);
        let value = if several { Some(claims.collect()) } else { claims.next() };
        by_query.extend(value.map(|value| (id.clone(), value)));
    }
    Value::Object(by_query)
}

fn pieces(evidence: &Evidence) -> Vec<Piece> {
    let states = evidence.states.iter().map(|proof| (STATE_PIECE.to_owned(), serde_json::to_vec(proof)));
    let lists = evidence.status_lists.iter();
    let lists = lists.map(|(uri, list)| (format!("{LIST_PIECE}{uri}"), serde_json::to_vec(list)));
    states.chain(lists).filter_map(|(name, bytes)| Some((name, bytes.ok()?))).collect()
}

/// Name of a piece that is a state proof; it says itself what it is about.
pub(crate) const STATE_PIECE: &str = "state";
/// Name of a piece that is a status list, before its address.
pub(crate) const LIST_PIECE: &str = "status-list:";
