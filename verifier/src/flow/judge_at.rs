//! A kept case judged as of a past moment: "was this valid, and were we accredited, on 3 March?"
//!
//! The ledger is asked for the moment and for its histories, which answer for every index. What it cannot tell is the status
//! then: only the lists that were kept with the case do, if they were at hand by that time.

use identity_core::problem::Code;
use identity_core::verdict::{AsOf, Evidence, Refusal, Status, StatusDoubt, When, judge, needs};
use ledger::{PastMoment, TrustRoot};
use service_kit::ledger_client::LedgerError;

use super::response::presentation;
use super::result::Undisclosed;
use crate::client::certificate_of;
use crate::service::Verifier;

/// What judging as of a past moment said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedAt {
    /// The moment.
    pub moment: PastMoment,
    /// The code of the refusal; none if it was verified.
    pub refused: Option<Code>,
    /// Why the status then is undetermined, where it is and the policy accepts that.
    pub undetermined: Option<StatusDoubt>,
}

/// Why nothing was judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unjudged {
    #[error(transparent)]
    Undisclosed(#[from] Undisclosed),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Unjudged {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Undisclosed(error) => error.code(),
            // What a node itself refuses, such as a time that it cannot tell yet, says more than that it refused.
            Self::Ledger(error) => error.refusal().and_then(Code::parse).unwrap_or_else(|| error.code()),
        }
    }
}

impl Verifier {
    /// Judges a kept case as of `time`, in milliseconds since the epoch.
    pub(crate) async fn judge_at(&self, id: &str, time: u64) -> Result<JudgedAt, Unjudged> {
        let case = self.case(id).await?;
        let demands = self.demands(&case.record.policy);
        let certificate = certificate_of(&case.request);
        let (session, anchors) = (&case.session, case.anchors.as_ref());
        let presentation = presentation(&self.did, certificate.as_ref(), session, &case.token, anchors);
        let ledger = self.evidence.ledger();
        let (moment, _) = ledger.moment(time).await?;
        let mut evidence = Evidence { states: Vec::new(), status_lists: case.evidence.status_lists };
        let wanted = match needs(&presentation, &demands) {
            Ok(wanted) => wanted.knowing(moment.index()),
            Err(refusal) => return Ok(JudgedAt { moment, refused: Some(refusal.code()), undetermined: None }),
        };
        for key in wanted.states.keys() {
            evidence.states.push(ledger.state(key).await?.1);
        }
        let when = When { received: case.outcome.judged, as_of: AsOf::Past(&moment) };
        let verdict = evidence
            .prepare(TrustRoot::clone(&self.evidence.trust_root()))
            .map_err(Refusal::Evidence)
            .and_then(|proven| judge(&presentation, &proven, &demands, when));
        let statuses = verdict.iter().flat_map(|verified| verified.credentials().values().flatten());
        let doubt = statuses.map(|credential| credential.status).find_map(|status| match status {
            Status::Undetermined(doubt) => Some(doubt),
            Status::Valid => None,
        });
        Ok(JudgedAt { refused: verdict.err().map(|refusal| refusal.code()), undetermined: doubt, moment })
    }
}
