//! The step in which somebody looks back. What was good on a day is good as of that day, whatever happened since; and what
//! came onto the ledger only later was not there, whatever date it claims.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use identity_core::anchor::{AnchorProof, BatchPath};
use identity_core::bundle::{Stood, Then, What};
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::encoding::base64url;
use identity_core::jose::{Jwk, SignHeader, UnverifiedJws, sign_compact, typ};
use identity_core::kb_jwt::{Occasion, Window, bind};
use identity_core::oauth::url::Transport;
use identity_core::oid4vp::{Anchors, ClientName, Parameters, VpToken, transaction_data};
use identity_core::problem::Code;
use identity_core::registry::{Anchor, AnchorKind, EndAccreditation, Operation, Role, accreditation_key};
use identity_core::sd_jwt::HeldSdJwt;
use identity_core::time::UnixSeconds;
use identity_core::trust;
use identity_core::verdict::{
    AcceptedType, AnchorRule, AsOf, Asked, Evidence, Freshness, OnUndetermined, Policy, Presentation, Status, When,
    judge, needs,
};
use ledger::batch::BatchTree;
use ledger::{PastMoment, TrustRoot, sha256};
use serde_json::{Value, json};
use service_kit::chance::system_rng;
use service_kit::key_guard::KeyGuard;
use service_kit::{config, founding, keyfile};

use super::runner::Seen;
use super::traveller::Traveller;
use super::{case, keys, open, receipt};
use crate::world::layout::{Layout, PUBLIC_SECURITY};
use crate::world::leader::hand_in;
use crate::world::query::RESIDENT;

/// The case that was verified offline, before the department replaced its key, reported it and lost sight of it: judged as
/// of then it is verified, as of a later moment at which the housing fund was not accredited it is refused. A credential
/// that whoever stole the key dates back is refused as of both.
pub(super) async fn looked_back(traveller: &mut Traveller) -> Seen {
    let case = Kept::read(&traveller.layout)?;
    // Whoever stopped halfway may have left it without.
    open::accredit_housing_fund(traveller).await?;
    let forged = forge(traveller, &case).await?;
    // Evidence is read as of where the ledger took its receipt, which must not be while the service is not accredited.
    receipt::all_anchored(traveller).await?;
    end_accreditation(traveller).await?;
    let later = newest_seal(traveller).await?;
    open::accredit_housing_fund(traveller).await?;
    traveller.everywhere().await?;

    let (then, _) = traveller.ledger.moment(u64::try_from(case.now.to_millis().0)?).await?;
    let (later, _) = traveller.ledger.moment(later).await?;
    ensure!(then.is_closed() && later.is_closed() && then.index() < later.index(), "the moments are not in order");
    let genuine = (case.token.clone(), case.anchors.clone());
    ensure!(case.judged(traveller, &genuine, &then).await? == Ok(Status::Valid), "not verified as of its own day");
    let refused = case.refused(traveller, &genuine, &later).await?;
    ensure!(refused == Code::VerdictAskerType, "refused for another reason: {}", refused.as_str());
    let too_late = case.refused(traveller, &forged, &then).await?;
    ensure!(too_late == Code::VerdictAnchorLater, "refused for another reason: {}", too_late.as_str());
    let stolen = case.refused(traveller, &forged, &later).await?;
    ensure!(stolen == Code::VerdictIssuerKeyCompromised, "refused for another reason: {}", stolen.as_str());
    evidence_tells_it(traveller, &then, &later).await?;
    let values = [
        ("then", then.index().to_string()),
        ("later", later.index().to_string()),
        ("code", refused.as_str().to_owned()),
        ("forged", stolen.as_str().to_owned()),
    ];
    Ok(traveller.say("devnet-seen-time-travel", &values))
}

/// The citizen's evidence tells the same of both moments, and what changed in between.
async fn evidence_tells_it(traveller: &Traveller, then: &PastMoment, later: &PastMoment) -> Result<()> {
    let mut wallet = traveller.wallet()?;
    let (number, ..) = wallet.holdings().receipts().last().context("the service gave no receipt")?;
    let bundle = wallet.evidence(number, true).await?;
    let trust_root = traveller.ledger.trust_root();
    let at = |moment| -> Result<Stood> { Ok(bundle.check_at(&trust_root, moment)?.1) };
    let (first, second) = (at(then)?, at(later)?);
    ensure!(first.all_held(), "the evidence does not hold as of its own day: {:?}", first.standings());
    let changed = |what: fn(&What) -> bool| {
        first.standings().iter().flat_map(|standing| &standing.since).any(|change| what(&change.what))
    };
    ensure!(changed(|what| matches!(what, What::AccreditationEnded(_))), "the end of the accreditation is not told");
    ensure!(changed(|what| *what == What::KeyStolen), "the report of the stolen key is not told");
    let service = second.standings().first().context("nobody is named")?;
    ensure!(matches!(service.then, Then::Lacked(_)), "the evidence tells {:?} of the service", service.then);
    Ok(())
}

/// A presentation, with its anchor proofs.
type Shown = (VpToken, Anchors);

/// What the case holds that was verified offline.
struct Kept {
    request: Parameters,
    asker: Did,
    token: VpToken,
    anchors: Anchors,
    evidence: Evidence,
    policy: Policy,
    /// When it was judged.
    now: UnixSeconds,
}

impl Kept {
    fn read(layout: &Layout) -> Result<Self> {
        let text = |name: &str| -> Result<String> { Ok(String::from_utf8(case::file(layout, name)?)?) };
        let request = text("request.jwt")?;
        let payload = serde_json::from_slice(UnverifiedJws::parse(&request)?.dangerous_payload())?;
        let request = Parameters::from_json(&payload, Transport::PlainForDebugging)?;
        let ClientName::Did(asker) = request.client_id.name() else { anyhow::bail!("the client is known by no DID") };
        let asker = asker.clone();
        let token = VpToken::parse(&text("vp_token.json")?, &request.query)?;
        let anchors = Anchors::parse(&text("anchors.json")?, &token)?;
        let evidence = serde_json::from_slice(&case::file(layout, "evidence.json")?)?;
        let policy = policy(&case::file(layout, "type.json")?)?;
        Ok(Self { request, asker, token, anchors, evidence, policy, now: case::now(layout)? })
    }

    /// The status of the one credential, or why it is refused, as of a moment: by what the ledger says today of then, and
    /// the status list that the service had when it judged.
    async fn judged(
        &self,
        traveller: &Traveller,
        (token, anchors): &Shown,
        moment: &PastMoment,
    ) -> Result<Result<Status, Code>> {
        let asked = Asked { request: &self.request, asker: &self.asker, certificate: None };
        let presentation = Presentation { asked, token: &token.0, anchors: Some(&anchors.0) };
        let wanted = needs(&presentation, &self.policy)?.knowing(moment.index());
        let mut evidence = Evidence { states: Vec::new(), status_lists: self.evidence.status_lists.clone() };
        for key in wanted.states.keys() {
            evidence.states.push(traveller.ledger.state(key).await?.1);
        }
        let evidence = evidence.prepare(TrustRoot::clone(&traveller.ledger.trust_root()))?;
        let when = When { received: self.now, as_of: AsOf::Past(moment) };
        match judge(&presentation, &evidence, &self.policy, when) {
            Err(refusal) => Ok(Err(refusal.code())),
            Ok(verified) => {
                ensure!(verified.past() == Some(moment.index()), "the verdict is of another moment");
                let shown = verified.credentials().get(RESIDENT).and_then(|shown| shown.first());
                Ok(Ok(shown.context("nothing was shown")?.status))
            }
        }
    }

    async fn refused(&self, traveller: &Traveller, shown: &Shown, moment: &PastMoment) -> Result<Code> {
        match self.judged(traveller, shown, moment).await? {
            Err(code) => Ok(code),
            Ok(_) => anyhow::bail!("it was verified as of log index {}", moment.index()),
        }
    }
}

fn policy(metadata: &[u8]) -> Result<Policy> {
    Ok(Policy {
        evidence: Freshness { max_age: 86_400, leeway: 60 },
        holder: Window { max_age: 300, leeway: 60 },
        leeway: 60,
        anchor: AnchorRule::Required,
        undetermined: OnUndetermined::Refuse,
        undetermined_for: BTreeMap::new(),
        types: vec![AcceptedType::parse(metadata)?],
    })
}

/// The same credential to the thief's own key, under the department's old key, with the old dates. It even gets onto the
/// ledger under the department's name, but only now.
async fn forge(traveller: &Traveller, case: &Kept) -> Result<Shown> {
    let text = case.token.0.get(RESIDENT).and_then(|texts| texts.first()).context("nothing was shown")?;
    let (jwt, rest) = text.split_once('~').context("the presentation has no disclosures")?;
    let disclosures = rest.rsplit_once('~').map_or("", |(disclosures, _)| disclosures);
    let thief = SecretKey::generate(Alg::EdDsa, &mut system_rng()?)?;
    let payload = jwt.split('.').nth(1).context("the credential is no JWS")?;
    let mut payload: Value = serde_json::from_slice(&base64url::decode(payload)?)?;
    let holder = json!({ "jwk": Jwk::new(thief.public_key().clone()) });
    *payload.get_mut("cnf").context("the credential names no holder")? = holder;
    let config: issuer::Config = config::load(&traveller.layout.config(&PUBLIC_SECURITY.member))?;
    let guard = config.key_guard()?;
    let (department, stolen) = keys::stolen_key(traveller, &config, &guard).await?;
    let key = founding::key(&config.keys, &stolen, &guard)?;
    let name = format!("{department}#{stolen}");
    let jwt = sign_compact(SignHeader::new(typ::CREDENTIAL).kid(&name), payload.to_string().as_bytes(), &key)?;

    let held = HeldSdJwt::dangerous_reopen(format!("{jwt}~{disclosures}~"))?;
    let claims: Vec<_> = held.disclosable().cloned().collect();
    let signed = transaction_data::hashes_for(&case.request.transaction_data, RESIDENT);
    let audience = case.request.client_id.as_str();
    let occasion = Occasion { audience, nonce: &case.request.nonce, transaction_data: &signed };
    let shown = bind(&held.present_again(&claims), occasion, &thief, case.now)?;
    let token = VpToken([(RESIDENT.to_owned(), vec![shown])].into());
    let anchors = Anchors([(RESIDENT.to_owned(), vec![json!(anchored(traveller, &department, &jwt).await?)])].into());
    Ok((token, anchors))
}

async fn anchored(traveller: &Traveller, department: &Did, jwt: &str) -> Result<AnchorProof> {
    let tree = BatchTree::new(&[sha256(jwt.as_bytes())])?;
    let anchor = Operation::Anchor(Anchor::new(AnchorKind::Credential, tree.root(), tree.count()));
    let invoke = traveller.layout.keys(&PUBLIC_SECURITY.member).join("invoke-1.jwk");
    let invoke = keyfile::load(&invoke, &KeyGuard::plain())?;
    let (transaction, certified) = hand_in(&traveller.ledger, department, &invoke, &anchor, traveller.now()).await?;
    let batch = BatchPath { index: 0, count: tree.count(), path: tree.path(0).context("a batch of one has a path")? };
    Ok(AnchorProof { batch, transaction, proof: certified.proof })
}

/// The authority takes back what the housing fund may ask.
async fn end_accreditation(traveller: &Traveller) -> Result<()> {
    let subject = traveller.founded.housing_fund.clone();
    let (state, _) = traveller.ledger.state(&accreditation_key(&subject)).await?;
    let (history, index) = (trust::accreditations(&state, &subject)?, trust::known_until(&state));
    let held = history.grants.iter().filter(|grant| grant.role == Role::Verifier && grant.holds_at(index));
    for grant in held {
        let end = EndAccreditation { subject: subject.clone(), accreditation: grant.id };
        let operation = Operation::EndAccreditation(end);
        traveller.founded.leader.submit(&traveller.ledger, &operation, traveller.now()).await?;
    }
    Ok(())
}

/// When the newest block was made, in milliseconds since the epoch.
async fn newest_seal(traveller: &Traveller) -> Result<u64> {
    let (state, _) = traveller.ledger.state(&accreditation_key(&traveller.founded.housing_fund)).await?;
    Ok(state.seal().time)
}
